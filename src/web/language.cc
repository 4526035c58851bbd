#include "web/language.h"

#include <charconv>
#include <string>

namespace cloison::web {
namespace {

std::string_view trim(std::string_view text) {
    const auto first = text.find_first_not_of(" \t");
    if (first == std::string_view::npos) return {};
    return text.substr(first, text.find_last_not_of(" \t") - first + 1);
}

/// The weight in thousandths, 1000 where none is stated, 0 where it is malformed.
int weight_of(std::string_view parameters) {
    const auto q = parameters.find("q=");
    if (q == std::string_view::npos) return 1000;
    std::string digits;
    for (const char c : parameters.substr(q + 2)) {
        if (c >= '0' && c <= '9')
            digits += c;
        else if (c != '.')
            break;
    }
    digits.resize(4, '0');
    int weight = 0;
    std::from_chars(digits.data(), digits.data() + digits.size(), weight);
    return weight;
}

}  // namespace

Language language_from_header(std::string_view accept_language) {
    Language best = Language::kFrench;
    int best_weight = 0;
    while (!accept_language.empty()) {
        const auto comma = accept_language.find(',');
        const std::string_view entry = trim(accept_language.substr(0, comma));
        accept_language = comma == std::string_view::npos ? "" : accept_language.substr(comma + 1);
        const auto semicolon = entry.find(';');
        const std::string_view range = trim(entry.substr(0, semicolon));
        const auto language = language_from_code(range.substr(0, range.find('-')));
        if (!language) continue;
        const int weight =
            semicolon == std::string_view::npos ? 1000 : weight_of(entry.substr(semicolon + 1));
        if (weight > best_weight) {
            best = *language;
            best_weight = weight;
        }
    }
    return best;
}

}  // namespace cloison::web
