#include "desk/typed_text.h"

#include <algorithm>

#include "casework/request_type.h"

namespace cloison::desk {
namespace {

constexpr std::size_t kMaxEmail = 254;  // RFC 5321 §4.5.3.1

std::size_t count_characters(std::string_view utf8) {
    return static_cast<std::size_t>(std::count_if(utf8.begin(), utf8.end(), [](char c) {
        return (static_cast<unsigned char>(c) & 0xc0) != 0x80;
    }));
}

/// What casework makes of the same text in an application: one rule for both sides of a request.
std::optional<std::string> cleaned(casework::InputKind kind, std::size_t max_length,
                                   std::string_view typed) {
    casework::InputField field;
    field.name = "text";
    field.kind = kind;
    field.max_length = max_length;
    // The moment counts for dates only.
    auto text = casework::read_input(field, {{field.name, std::string(typed)}}, Time());
    if (!text) return std::nullopt;
    return std::move(*text);
}

}  // namespace

std::string read_text(const web::Context& context, const TypedText& wanted,
                      web::FormErrors& errors) {
    using casework::InputKind;
    const std::string_view typed = context.form.get(wanted.name);
    if (typed.find_first_not_of(" \t\r\n") == std::string_view::npos) {
        errors.add(wanted.name, context.text(wanted.missing));
        return "";
    }
    if (auto text = cleaned(wanted.several_lines ? InputKind::kLongText : InputKind::kText,
                            wanted.max_length, typed))
        return std::move(*text);
    errors.add(wanted.name,
               context.text(count_characters(typed) > wanted.max_length ? wanted.too_long
                                                                        : "desk.text_malformed"));
    return "";
}

bool is_email(std::string_view text) {
    return cleaned(casework::InputKind::kEmail, kMaxEmail, text).has_value();
}

}  // namespace cloison::desk
