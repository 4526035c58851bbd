#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include "web/components.h"
#include "web/context.h"

namespace cloison::desk {

/// A free text that staff type, and the texts that say what is wrong with it.
struct TypedText {
    std::string name;          ///< Of the form's field.
    std::size_t max_length;    ///< Characters.
    std::string_view missing;  ///< Text keys.
    std::string_view too_long;
    bool several_lines = false;
};

/// What was typed, as it is to be kept: in Normalization Form C, without spaces around it, and of
/// characters that can be seen, so that a later reader sees all that is there. Adds what is wrong
/// to `errors`, and then is empty.
std::string read_text(const web::Context& context, const TypedText& wanted,
                      web::FormErrors& errors);

/// True if `text` is an e-mail address (RFC 5321 without quoted local parts).
bool is_email(std::string_view text);

}  // namespace cloison::desk
