#include "casework/unicode.h"

#include <unicode/uchar.h>
#include <unicode/uidna.h>
#include <unicode/unorm2.h>
#include <unicode/uscript.h>
#include <unicode/ustring.h>

#include <array>
#include <cstdlib>
#include <memory>

namespace cloison::casework {
namespace {

/// Large enough for every form field; ICU's lengths are 32-bit.
constexpr std::size_t kMaxBytes = 1 << 20;
constexpr std::size_t kMaxDomain = 253;

std::u16string normalize(const UNormalizer2* form, const std::u16string& text) {
    std::u16string out(text.size() * 3 + 16, u'\0');
    for (;;) {
        UErrorCode error = U_ZERO_ERROR;
        const auto length =
            unorm2_normalize(form, text.data(), static_cast<std::int32_t>(text.size()), out.data(),
                             static_cast<std::int32_t>(out.size()), &error);
        if (error != U_BUFFER_OVERFLOW_ERROR && U_FAILURE(error)) std::abort();
        out.resize(static_cast<std::size_t>(length));
        if (error != U_BUFFER_OVERFLOW_ERROR) return out;
    }
}

const UNormalizer2* nfc() {
    UErrorCode error = U_ZERO_ERROR;
    const auto* form = unorm2_getNFCInstance(&error);
    if (U_FAILURE(error)) std::abort();
    return form;
}

const UNormalizer2* nfkc() {
    UErrorCode error = U_ZERO_ERROR;
    const auto* form = unorm2_getNFKCInstance(&error);
    if (U_FAILURE(error)) std::abort();
    return form;
}

std::u32string to_code_points(const std::u16string& text) {
    std::u32string out;
    out.reserve(text.size());
    for (std::size_t i = 0; i < text.size(); ++i) {
        char32_t c = text[i];
        if (U16_IS_LEAD(c) && i + 1 < text.size()) c = U16_GET_SUPPLEMENTARY(c, text[++i]);
        out.push_back(c);
    }
    return out;
}

std::u16string to_units(const std::u32string& text) {
    std::u16string out;
    out.reserve(text.size());
    for (const char32_t c : text) {
        if (c <= 0xffff) {
            out.push_back(static_cast<char16_t>(c));
        } else {
            out.push_back(static_cast<char16_t>(U16_LEAD(c)));
            out.push_back(static_cast<char16_t>(U16_TRAIL(c)));
        }
    }
    return out;
}

}  // namespace

std::optional<std::u32string> decode_nfc(std::string_view utf8) {
    if (utf8.empty()) return std::u32string();
    if (utf8.size() > kMaxBytes) return std::nullopt;
    std::u16string units(utf8.size(), u'\0');
    std::int32_t length = 0;
    UErrorCode error = U_ZERO_ERROR;
    u_strFromUTF8(units.data(), static_cast<std::int32_t>(units.size()), &length, utf8.data(),
                  static_cast<std::int32_t>(utf8.size()), &error);
    if (U_FAILURE(error)) return std::nullopt;
    units.resize(static_cast<std::size_t>(length));
    return to_code_points(normalize(nfc(), units));
}

std::string encode_utf8(const std::u32string& text) {
    std::string out;
    out.reserve(text.size() + 16);
    for (const char32_t c : text) {
        std::array<char, 4> bytes{};
        std::int32_t length = 0;
        UBool failed = false;
        U8_APPEND(bytes.data(), length, 4, static_cast<UChar32>(c), failed);
        if (!failed) out.append(bytes.data(), static_cast<std::size_t>(length));
    }
    return out;
}

bool is_compatibility_free(const std::u32string& text) {
    const std::u16string units = to_units(text);
    return normalize(nfkc(), units) == units;
}

bool is_letter(char32_t c) {
    return u_isalpha(static_cast<UChar32>(c));
}

bool is_latin_letter(char32_t c) {
    UErrorCode error = U_ZERO_ERROR;
    return is_letter(c) && uscript_getScript(static_cast<UChar32>(c), &error) == USCRIPT_LATIN;
}

bool is_digit(char32_t c) {
    return c >= U'0' && c <= U'9';
}

bool is_mark(char32_t c) {
    return u_charType(static_cast<UChar32>(c)) == U_NON_SPACING_MARK;
}

bool is_space(char32_t c) {
    return c == U'\t' || u_charType(static_cast<UChar32>(c)) == U_SPACE_SEPARATOR;
}

bool is_visible(char32_t c) {
    switch (u_charType(static_cast<UChar32>(c))) {
        case U_UNASSIGNED:
        case U_CONTROL_CHAR:
        case U_FORMAT_CHAR:
        case U_PRIVATE_USE_CHAR:
        case U_SURROGATE:
        case U_LINE_SEPARATOR:
        case U_PARAGRAPH_SEPARATOR:
            return false;
        default:
            return true;
    }
}

std::optional<std::string> ascii_domain(std::string_view domain) {
    struct Closer {
        void operator()(UIDNA* idna) const { uidna_close(idna); }
    };
    UErrorCode error = U_ZERO_ERROR;
    const std::unique_ptr<UIDNA, Closer> idna(
        uidna_openUTS46(UIDNA_USE_STD3_RULES | UIDNA_CHECK_BIDI | UIDNA_CHECK_CONTEXTJ |
                            UIDNA_NONTRANSITIONAL_TO_ASCII,
                        &error));
    if (U_FAILURE(error)) std::abort();
    std::array<char, kMaxDomain + 1> out{};
    UIDNAInfo info = UIDNA_INFO_INITIALIZER;
    const auto length =
        uidna_nameToASCII_UTF8(idna.get(), domain.data(), static_cast<std::int32_t>(domain.size()),
                               out.data(), static_cast<std::int32_t>(out.size()), &info, &error);
    if (U_FAILURE(error) || info.errors != 0 || length <= 0 ||
        static_cast<std::size_t>(length) > kMaxDomain)
        return std::nullopt;
    return std::string(out.data(), static_cast<std::size_t>(length));
}

}  // namespace cloison::casework
