#include "casework/input.h"

#include <algorithm>
#include <array>
#include <charconv>

#include "casework/unicode.h"

namespace cloison::casework {
namespace {

using Answer = tl::expected<std::string, InputError>;

tl::unexpected<InputError> wrong(const InputField& field, std::string_view rule) {
    const auto found = field.errors.find(std::string(rule));
    return tl::unexpected(
        InputError{field.name, found == field.errors.end() ? field.label : found->second});
}

std::string_view typed(const Values& raw, const std::string& name) {
    const auto found = raw.find(name);
    return found == raw.end() ? std::string_view() : std::string_view(found->second);
}

/// Trims and makes one space of each run of spaces.
std::u32string collapse_spaces(std::u32string_view text) {
    std::u32string out;
    for (const char32_t c : text) {
        if (!is_space(c))
            out.push_back(c);
        else if (!out.empty() && out.back() != U' ')
            out.push_back(U' ');
    }
    if (!out.empty() && out.back() == U' ') out.pop_back();
    return out;
}

/// Several lines: ends become \n, each line is trimmed, empty ones go at both ends (everywhere if
/// `drop_empty`).
std::u32string clean_lines(std::u32string_view text, bool drop_empty) {
    std::u32string out;
    std::size_t empty_lines = 0;
    while (!text.empty()) {
        const auto end = std::min(text.find_first_of(U"\r\n"), text.size());
        const std::u32string line = collapse_spaces(text.substr(0, end));
        std::size_t next = end;
        if (next < text.size()) next += text.substr(next).starts_with(U"\r\n") ? 2 : 1;
        text.remove_prefix(next);
        if (line.empty()) {
            ++empty_lines;
            continue;
        }
        if (!out.empty()) out.append(drop_empty ? 1 : empty_lines + 1, U'\n');
        empty_lines = 0;
        out += line;
    }
    return out;
}

/// What people type for an apostrophe or a hyphen becomes the plain one.
std::u32string plain_punctuation(std::u32string text) {
    for (char32_t& c : text) {
        if (c == U'\u2019' || c == U'\u2018' || c == U'\u02bc') c = U'\'';
        if (c == U'\u2010' || c == U'\u2011') c = U'-';
    }
    return text;
}

/// At most two accents without a letter of their own in a row: languages need no more.
bool has_few_marks(const std::u32string& text) {
    int run = 0;
    for (const char32_t c : text) {
        run = is_mark(c) ? run + 1 : 0;
        if (run > 2) return false;
    }
    return true;
}

bool is_name(const std::u32string& text) {
    if (text.empty() || !is_latin_letter(text.front())) return false;
    const char32_t last = text.back();
    if (!is_latin_letter(last) && !is_mark(last) && last != U'.') return false;
    return has_few_marks(text) && is_compatibility_free(text) &&
           std::all_of(text.begin(), text.end(), [](char32_t c) {
               return is_latin_letter(c) || is_mark(c) || c == U' ' || c == U'-' || c == U'\'' ||
                      c == U'.';
           });
}

/// A French département: 01 to 95, 2A, 2B, the overseas ones; 20 for Corsica before 1976.
bool is_department(std::u32string_view code) {
    if (code == U"2A" || code == U"2B") return true;
    if (!std::all_of(code.begin(), code.end(), is_digit)) return false;
    if (code.size() == 2) return code >= U"01" && code <= U"95";
    return code.size() == 3 &&
           ((code >= U"971" && code <= U"978") || (code >= U"984" && code <= U"988"));
}

bool is_town(const std::u32string& text) {
    if (text.empty() || !is_latin_letter(text.front())) return false;
    return has_few_marks(text) && is_compatibility_free(text) &&
           std::all_of(text.begin(), text.end(), [](char32_t c) {
               return is_latin_letter(c) || is_mark(c) || is_digit(c) || c == U' ' || c == U'-' ||
                      c == U'\'' || c == U'.' || c == U'/';
           });
}

/// "Lyon (69)" or "Turin, Italie"; none for anything else.
std::optional<std::u32string> read_place(const std::u32string& text) {
    if (text.ends_with(U')')) {
        const auto open = text.find(U'(');
        if (open == std::u32string::npos) return std::nullopt;
        const auto town = collapse_spaces(std::u32string_view(text).substr(0, open));
        auto code =
            collapse_spaces(std::u32string_view(text).substr(open + 1, text.size() - open - 2));
        for (char32_t& c : code)
            if (c == U'a' || c == U'b') c = c - U'a' + U'A';
        if (!is_town(town) || !is_department(code)) return std::nullopt;
        return town + U" (" + code + U")";
    }
    const auto comma = text.rfind(U',');
    if (comma == std::u32string::npos) return std::nullopt;
    const auto town = collapse_spaces(std::u32string_view(text).substr(0, comma));
    const auto country = collapse_spaces(std::u32string_view(text).substr(comma + 1));
    if (!is_town(town) || !is_name(country)) return std::nullopt;
    return town + U", " + country;
}

constexpr std::size_t kMaxAddressLines = 7;

/// Two lines or more, one of them with a French postcode and town, or three and more abroad.
bool is_address(const std::u32string& text) {
    constexpr std::u32string_view kPunctuation = U" \n-'.,/()&#:+\u00b0";
    if (!has_few_marks(text) || !std::all_of(text.begin(), text.end(), [&](char32_t c) {
            return is_latin_letter(c) || is_mark(c) || is_digit(c) ||
                   kPunctuation.find(c) != std::u32string_view::npos;
        }))
        return false;
    std::size_t lines = 0;
    bool has_postcode = false;
    std::u32string_view rest(text);
    while (!rest.empty()) {
        const auto end = std::min(rest.find(U'\n'), rest.size());
        const auto line = rest.substr(0, end);
        rest.remove_prefix(std::min(end + 1, rest.size()));
        if (std::none_of(line.begin(), line.end(),
                         [](char32_t c) { return is_letter(c) || is_digit(c); }))
            return false;
        const auto digits = std::find_if_not(line.begin(), line.end(), is_digit) - line.begin();
        has_postcode =
            has_postcode || (lines > 0 && digits == 5 && line.size() > 6 && line[5] == U' ' &&
                             std::any_of(line.begin() + 6, line.end(), is_letter));
        ++lines;
    }
    return lines <= kMaxAddressLines && lines >= (has_postcode ? 2U : 3U);
}

/// How long a canonical text may be, in characters.
std::optional<std::string_view> length_fault(const InputField& field, std::size_t length) {
    if (length > field.max_length) return "too_long";
    if (length < field.min_length) return field.min_length > 1 ? "too_short" : "malformed";
    return std::nullopt;
}

Answer check_text(const InputField& field, const std::u32string& decoded) {
    const bool several_lines =
        field.kind == InputKind::kLongText || field.kind == InputKind::kAddress;
    std::u32string text = several_lines ? clean_lines(decoded, field.kind == InputKind::kAddress)
                                        : collapse_spaces(decoded);
    if (text.empty()) return field.required ? Answer(wrong(field, "missing")) : Answer("");
    for (const char32_t c : text)
        if (!is_visible(c) && !(several_lines && c == U'\n')) return wrong(field, "malformed");
    if (field.kind != InputKind::kText && field.kind != InputKind::kLongText)
        text = plain_punctuation(std::move(text));
    if (const auto fault = length_fault(field, text.size())) return wrong(field, *fault);

    if (field.kind == InputKind::kName && !is_name(text)) return wrong(field, "malformed");
    if (field.kind == InputKind::kAddress && !is_address(text)) return wrong(field, "malformed");
    if (field.kind == InputKind::kPlace) {
        const auto place = read_place(text);
        if (!place) return wrong(field, "malformed");
        text = *place;
    } else if (!has_few_marks(text)) {
        return wrong(field, "malformed");
    }
    return encode_utf8(text);
}

/// The answer as ASCII without the characters of `ignored`; none if another is not ASCII.
std::optional<std::string> squeeze(const std::u32string& text, std::u32string_view ignored) {
    std::string out;
    for (const char32_t c : text) {
        if (is_space(c) || ignored.find(c) != std::u32string_view::npos) continue;
        if (c < 0x21 || c > 0x7e) return std::nullopt;
        out.push_back(static_cast<char>(c));
    }
    return out;
}

bool all_digits(std::string_view text) {
    return std::all_of(text.begin(), text.end(), [](char c) { return c >= '0' && c <= '9'; });
}

/// The country code that a number of the French plan has abroad (ARCEP's numbering plan): the
/// overseas départements have their own.
std::string_view french_country_code(std::string_view number) {
    struct Range {
        std::string_view prefix;
        std::string_view country;
    };
    constexpr std::array kOverseas{Range{"0262", "262"}, Range{"0263", "262"}, Range{"0269", "262"},
                                   Range{"0639", "262"}, Range{"0692", "262"}, Range{"0693", "262"},
                                   Range{"0590", "590"}, Range{"0690", "590"}, Range{"0691", "590"},
                                   Range{"0594", "594"}, Range{"0694", "594"}, Range{"0596", "596"},
                                   Range{"0696", "596"}, Range{"0697", "596"}};
    for (const Range& range : kOverseas)
        if (number.starts_with(range.prefix)) return range.country;
    return "33";
}

Answer check_phone(const InputField& field, const std::u32string& text) {
    // "+33 (0)6 …": the 0 in brackets is not dialled.
    std::u32string number = text;
    if (const auto at = number.find(U"(0)"); at != std::u32string::npos && number.front() == U'+')
        number.erase(at, 3);
    auto digits = squeeze(plain_punctuation(std::move(number)), U".-()");
    if (!digits) return wrong(field, "malformed");
    if (digits->starts_with("00")) digits->replace(0, 2, "+");
    if (!digits->starts_with('+')) {
        if (digits->size() != 10 || !all_digits(*digits) || (*digits)[0] != '0' ||
            (*digits)[1] == '0')
            return wrong(field, "malformed");
        return '+' + std::string(french_country_code(*digits)) + digits->substr(1);
    }
    const std::string_view rest = std::string_view(*digits).substr(1);
    // E.164: at most fifteen digits, the first of them not 0.
    if (rest.size() < 7 || rest.size() > 15 || !all_digits(rest) || rest[0] == '0')
        return wrong(field, "malformed");
    if (rest.starts_with("33") && (rest.size() != 11 || rest[2] == '0'))
        return wrong(field, "malformed");
    return *digits;
}

bool is_local_part(std::string_view local) {
    constexpr std::string_view kSymbols = "!#$%&'*+-/=?^_`{|}~.";
    return !local.empty() && local.size() <= 64 && local.front() != '.' && local.back() != '.' &&
           local.find("..") == std::string_view::npos &&
           std::all_of(local.begin(), local.end(), [&](char c) {
               return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                      kSymbols.find(c) != std::string_view::npos;
           });
}

/// RFC 5321 without quoted local parts; the domain in its ASCII form.
Answer check_email(const InputField& field, const std::u32string& decoded) {
    constexpr std::size_t kMaxAddress = 254;
    const std::string text = encode_utf8(collapse_spaces(decoded));
    const auto at = text.rfind('@');
    if (at == std::string::npos || !is_local_part(std::string_view(text).substr(0, at)))
        return wrong(field, "malformed");
    const auto domain = ascii_domain(std::string_view(text).substr(at + 1));
    if (!domain) return wrong(field, "malformed");
    const auto dot = domain->rfind('.');
    if (dot == std::string::npos || dot == 0 || dot + 2 >= domain->size() ||
        all_digits(std::string_view(*domain).substr(dot + 1)))
        return wrong(field, "malformed");
    std::string address = text.substr(0, at + 1) + *domain;
    if (address.size() > std::min(kMaxAddress, field.max_length)) return wrong(field, "too_long");
    return address;
}

Answer check_document_number(const InputField& field, const std::u32string& text) {
    auto number = squeeze(plain_punctuation(text), U"-");
    if (!number || number->empty()) return wrong(field, "malformed");
    for (char& c : *number) {
        if (c >= 'a' && c <= 'z') c = static_cast<char>(c - 'a' + 'A');
        if (!((c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9'))) return wrong(field, "malformed");
    }
    if (const auto fault = length_fault(field, number->size())) return wrong(field, *fault);
    return *number;
}

std::optional<int> to_number(std::string_view digits, std::size_t max_digits) {
    int value = 0;
    if (digits.empty() || digits.size() > max_digits || !all_digits(digits)) return std::nullopt;
    std::from_chars(digits.data(), digits.data() + digits.size(), value);
    return value;
}

/// "175", "175 cm", "1,75 m", "1m75".
Answer check_height(const InputField& field, const std::u32string& decoded) {
    auto text = squeeze(decoded, U"");
    if (!text) return wrong(field, "malformed");
    std::optional<int> centimetres;
    const auto separator = text->find_first_of(",.mM");
    if (separator == 1) {
        std::string_view rest = std::string_view(*text).substr(2);
        if ((*text)[1] != 'm' && (*text)[1] != 'M' && (rest.ends_with('m') || rest.ends_with('M')))
            rest.remove_suffix(1);
        const auto metres = to_number(std::string_view(*text).substr(0, 1), 1);
        const auto rest_number = rest.size() == 2 ? to_number(rest, 2) : std::nullopt;
        if (metres && rest_number) centimetres = *metres * 100 + *rest_number;
    } else {
        std::string_view digits(*text);
        if (digits.ends_with("cm") || digits.ends_with("CM")) digits.remove_suffix(2);
        centimetres = to_number(digits, 4);
    }
    if (!centimetres) return wrong(field, "malformed");
    if (*centimetres < field.min_value || *centimetres > field.max_value)
        return wrong(field, "out_of_range");
    return std::to_string(*centimetres);
}

std::string_view trim_ascii(std::string_view text) {
    while (!text.empty() && text.front() == ' ') text.remove_prefix(1);
    while (!text.empty() && text.back() == ' ') text.remove_suffix(1);
    return text;
}

std::string two_digits(unsigned value) {
    return (value < 10 ? "0" : "") + std::to_string(value);
}

Answer read_date(const InputField& field, const Values& raw, Time now) {
    const auto day_text = trim_ascii(typed(raw, field.name + "-day"));
    const auto month_text = trim_ascii(typed(raw, field.name + "-month"));
    const auto year_text = trim_ascii(typed(raw, field.name + "-year"));
    if (day_text.empty() && month_text.empty() && year_text.empty())
        return field.required ? Answer(wrong(field, "missing")) : Answer("");
    if (day_text.empty() || month_text.empty() || year_text.empty())
        return wrong(field, "incomplete");
    const auto day = to_number(day_text, 2);
    const auto month = to_number(month_text, 2);
    const auto year = year_text.size() == 4 ? to_number(year_text, 4) : std::nullopt;
    if (!day || !month || !year) return wrong(field, "malformed");
    const std::chrono::year_month_day date{std::chrono::year(*year),
                                           std::chrono::month(static_cast<unsigned>(*month)),
                                           std::chrono::day(static_cast<unsigned>(*day))};
    if (!date.ok()) return wrong(field, "malformed");
    if (*year < (field.min_value != 0 ? field.min_value : kEarliestYear))
        return wrong(field, "too_early");
    const std::chrono::year_month_day today{std::chrono::floor<std::chrono::days>(now)};
    if (field.in_past && date > today) return wrong(field, "in_future");
    if (!field.in_past && *year > (field.max_value != 0 ? field.max_value : kLatestYear))
        return wrong(field, "too_late");
    return std::string(year_text) + '-' + two_digits(static_cast<unsigned>(*month)) + '-' +
           two_digits(static_cast<unsigned>(*day));
}

Answer check_choice(const InputField& field, std::string_view code) {
    for (const Choice& choice : field.choices)
        if (choice.code == code) return choice.code;
    return wrong(field, "malformed");
}

/// What somebody would have to type for a canonical value.
Values as_typed(const InputField& field, const std::string& canonical) {
    if (field.kind != InputKind::kDate) return {{field.name, canonical}};
    if (canonical.empty()) return {};
    if (canonical.size() != 10 || canonical[4] != '-' || canonical[7] != '-')
        return {
            {field.name + "-day", "?"}, {field.name + "-month", "?"}, {field.name + "-year", "?"}};
    return {{field.name + "-day", canonical.substr(8, 2)},
            {field.name + "-month", canonical.substr(5, 2)},
            {field.name + "-year", canonical.substr(0, 4)}};
}

/// Calls `visit(page, field)` for each field that is asked. A condition counts only if the field
/// that it looks at is itself asked; that one always stands before.
template <class Visit>
void visit_asked(const RequestType& type, const Values& values, Visit visit) {
    Values counting;
    for (const InputSection& section : type.sections)
        for (const InputPage& page : section.pages)
            for (const InputField& field : page.fields) {
                if (!is_asked(field, counting)) continue;
                const auto found = values.find(field.name);
                if (found != values.end()) counting.insert(*found);
                visit(page, field);
            }
}

}  // namespace

std::vector<std::string_view> error_rules(const InputField& field) {
    std::vector<std::string_view> rules;
    if (field.required) rules.emplace_back("missing");
    rules.emplace_back("malformed");
    switch (field.kind) {
        case InputKind::kChoice:
        case InputKind::kPhone:
            break;
        case InputKind::kDate:
            rules.insert(rules.end(),
                         {"incomplete", "too_early", field.in_past ? "in_future" : "too_late"});
            break;
        case InputKind::kHeight:
            rules.emplace_back("out_of_range");
            break;
        default:
            rules.emplace_back("too_long");
            if (field.min_length > 1 && field.kind != InputKind::kEmail)
                rules.emplace_back("too_short");
    }
    return rules;
}

tl::expected<std::string, InputError> read_input(const InputField& field, const Values& raw,
                                                 Time now) {
    if (field.kind == InputKind::kDate) return read_date(field, raw, now);
    const std::string_view answer = typed(raw, field.name);
    const bool short_kind = field.kind == InputKind::kChoice || field.kind == InputKind::kPhone ||
                            field.kind == InputKind::kHeight;
    if (answer.size() > kMaxRawAnswer) return wrong(field, short_kind ? "malformed" : "too_long");
    const auto decoded = decode_nfc(answer);
    if (!decoded) return wrong(field, "malformed");
    if (std::all_of(decoded->begin(), decoded->end(),
                    [](char32_t c) { return is_space(c) || c == U'\r' || c == U'\n'; }))
        return field.required ? Answer(wrong(field, "missing")) : Answer("");
    switch (field.kind) {
        case InputKind::kChoice:
            return check_choice(field, answer);
        case InputKind::kPhone:
            return check_phone(field, *decoded);
        case InputKind::kEmail:
            return check_email(field, *decoded);
        case InputKind::kDocumentNumber:
            return check_document_number(field, *decoded);
        case InputKind::kHeight:
            return check_height(field, *decoded);
        default:
            return check_text(field, *decoded);
    }
}

bool is_asked(const InputField& field, const Values& values) {
    if (!field.when) return true;
    const auto found = values.find(field.when->field);
    if (found == values.end()) return false;
    const auto& wanted = field.when->values;
    return std::find(wanted.begin(), wanted.end(), found->second) != wanted.end();
}

std::vector<InputError> check_complete(const RequestType& type, const Values& values, Time now) {
    std::vector<InputError> errors;
    visit_asked(type, values, [&](const InputPage&, const InputField& field) {
        const auto found = values.find(field.name);
        const std::string value = found == values.end() ? std::string() : found->second;
        const auto answer = read_input(field, as_typed(field, value), now);
        if (!answer)
            errors.push_back(answer.error());
        else if (*answer != value)
            errors.push_back(wrong(field, "malformed").value());
    });
    return errors;
}

std::vector<const InputPage*> asked_pages(const RequestType& type, const Values& values) {
    std::vector<const InputPage*> pages;
    visit_asked(type, values, [&](const InputPage& page, const InputField&) {
        if (pages.empty() || pages.back() != &page) pages.push_back(&page);
    });
    return pages;
}

}  // namespace cloison::casework
