#include "storage/dialect.h"

#include <algorithm>

namespace cloison::storage {
namespace {

bool is_digit(char c) {
    return c >= '0' && c <= '9';
}

bool is_word(char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || is_digit(c) || c == '_' || c == '$';
}

/// The length of the quoted text or comment that `sql` starts with; 0 if it starts with neither.
/// A doubled quote reads as two quoted texts side by side.
std::size_t verbatim_length(std::string_view sql) {
    const auto up_to = [&](std::string_view end, std::size_t from) {
        const std::size_t at = sql.find(end, from);
        return at == std::string_view::npos ? sql.size() : at + end.size();
    };
    if (sql.starts_with('\'') || sql.starts_with('"')) return up_to(sql.substr(0, 1), 1);
    if (sql.starts_with("--")) return up_to("\n", 2);
    if (sql.starts_with("/*")) return up_to("*/", 2);
    return 0;
}

std::string translate_word(std::string_view word, bool schema) {
    if (word.size() > 1 && word[0] == '$' && std::all_of(word.begin() + 1, word.end(), is_digit))
        return '?' + std::string(word.substr(1));
    if (schema && word == "BYTES") return "BLOB";
    if (schema && word == "KEYED") return "WITHOUT ROWID";
    return std::string(word);
}

}  // namespace

std::string to_sqlite(std::string_view sql, bool schema) {
    std::string out;
    out.reserve(sql.size() + 16);
    while (!sql.empty()) {
        std::size_t length = verbatim_length(sql);
        if (length == 0 && is_word(sql.front())) {
            while (length < sql.size() && is_word(sql[length])) ++length;
            out += translate_word(sql.substr(0, length), schema);
        } else {
            length = std::max<std::size_t>(length, 1);
            out += sql.substr(0, length);
        }
        sql.remove_prefix(length);
    }
    return out;
}

}  // namespace cloison::storage
