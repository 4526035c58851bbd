#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace cloison::casework {

/// Text as code points in Normalization Form C; none if it is not well-formed UTF-8.
std::optional<std::u32string> decode_nfc(std::string_view utf8);
std::string encode_utf8(const std::u32string& text);
/// True if compatibility normalization (NFKC) changes nothing: no full-width letters, ligatures …
bool is_compatibility_free(const std::u32string& text);

bool is_latin_letter(char32_t c);
bool is_letter(char32_t c);
bool is_digit(char32_t c);  ///< 0 to 9 only.
bool is_mark(char32_t c);   ///< Non-spacing: accents that have no letter of their own with them.
bool is_space(char32_t c);  ///< Space separators and tab, not line ends.
/// Printable: no control, format (zero-width, direction), private, unassigned or separator code.
bool is_visible(char32_t c);

/// The ASCII form of a host name (UTS #46, IDNA 2008), lower case; none if it has none.
std::optional<std::string> ascii_domain(std::string_view domain);

}  // namespace cloison::casework
