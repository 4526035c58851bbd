#pragma once

#include <optional>
#include <string_view>

namespace cloison::web {

/// The languages of the pages. Every text exists in both.
enum class Language { kFrench, kEnglish };

inline std::string_view language_code(Language language) {
    return language == Language::kEnglish ? "en" : "fr";
}
inline std::optional<Language> language_from_code(std::string_view code) {
    if (code == "fr") return Language::kFrench;
    if (code == "en") return Language::kEnglish;
    return std::nullopt;
}
/// From an Accept-Language header (RFC 9110 §12.5.4): the one of ours with the greater weight;
/// French where neither is named.
Language language_from_header(std::string_view accept_language);

}  // namespace cloison::web
