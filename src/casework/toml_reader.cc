#include "casework/toml_reader.h"

#include <algorithm>

#include "casework/unicode.h"

namespace cloison::casework {
namespace {

constexpr std::size_t kMaxName = 40;
constexpr std::size_t kMaxLabel = 1000;

}  // namespace

bool is_request_type_name(std::string_view text) {
    return !text.empty() && text.size() <= kMaxName && text[0] >= 'a' && text[0] <= 'z' &&
           std::all_of(text.begin(), text.end(), [](char c) {
               return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_' || c == '-';
           });
}

tl::unexpected<Error> TomlReader::wrong(const std::string& what) const {
    return fail(ErrorCode::kInvalidArgument, where_ + ": " + what);
}

const toml::node* TomlReader::take(std::string_view key) {
    taken_.insert(std::string(key));
    return table_.get(key);
}

Result<std::string> TomlReader::text(std::string_view key, std::size_t max_bytes) {
    const toml::node* node = take(key);
    auto value = node == nullptr ? std::nullopt : node->value_exact<std::string>();
    if (!value || value->empty() || value->size() > max_bytes)
        return wrong(std::string(key) + " must be a text of 1 to " + std::to_string(max_bytes) +
                     " bytes.");
    return std::move(*value);
}

Result<std::string> TomlReader::name(std::string_view key) {
    CLOISON_TRY(auto value, text(key, kMaxName));
    if (!is_request_type_name(value))
        return wrong(std::string(key) + " must be a name of lower-case letters, digits, - and _.");
    return value;
}

Result<std::vector<std::string>> TomlReader::names(std::string_view key) {
    const toml::node* node = take(key);
    const toml::array* array = node == nullptr ? nullptr : node->as_array();
    if (array == nullptr || array->empty()) return wrong(std::string(key) + " must be a list.");
    std::vector<std::string> values;
    for (const toml::node& element : *array) {
        auto value = element.value_exact<std::string>();
        if (!value || !is_request_type_name(*value))
            return wrong(std::string(key) + " must hold names only.");
        values.push_back(std::move(*value));
    }
    return values;
}

Result<std::int64_t> TomlReader::integer(std::string_view key, std::int64_t low, std::int64_t high,
                                         std::optional<std::int64_t> otherwise) {
    const toml::node* node = take(key);
    if (node == nullptr && otherwise) return *otherwise;
    const auto value = node == nullptr ? std::nullopt : node->value_exact<std::int64_t>();
    if (!value || *value < low || *value > high)
        return wrong(std::string(key) + " must be a whole number from " + std::to_string(low) +
                     " to " + std::to_string(high) + '.');
    return *value;
}

Result<bool> TomlReader::boolean(std::string_view key, bool otherwise) {
    const toml::node* node = take(key);
    if (node == nullptr) return otherwise;
    const auto value = node->value_exact<bool>();
    if (!value) return wrong(std::string(key) + " must be true or false.");
    return *value;
}

Result<registry::Label> TomlReader::label(std::string_view key) {
    CLOISON_TRY(const auto* inner, table(key));
    TomlReader reader(*inner, where_ + ", " + std::string(key));
    registry::Label label;
    CLOISON_TRY(label.fr, reader.text("fr", kMaxLabel));
    CLOISON_TRY(label.en, reader.text("en", kMaxLabel));
    CLOISON_TRY_STATUS(reader.finish());
    return label;
}

Result<registry::Label> TomlReader::optional_label(std::string_view key) {
    if (!has(key)) return registry::Label{};
    return label(key);
}

Result<const toml::table*> TomlReader::table(std::string_view key) {
    const toml::node* node = take(key);
    const toml::table* inner = node == nullptr ? nullptr : node->as_table();
    if (inner == nullptr) return wrong(std::string(key) + " must be a table.");
    return inner;
}

Result<std::vector<const toml::table*>> TomlReader::tables(std::string_view key, std::size_t max) {
    const toml::node* node = take(key);
    const toml::array* array = node == nullptr ? nullptr : node->as_array();
    if (array == nullptr || array->empty() || array->size() > max)
        return wrong(std::string(key) + " must be a list of 1 to " + std::to_string(max) +
                     " tables.");
    std::vector<const toml::table*> tables;
    for (const toml::node& element : *array) {
        const toml::table* inner = element.as_table();
        if (inner == nullptr) return wrong(std::string(key) + " must hold tables only.");
        tables.push_back(inner);
    }
    return tables;
}

Status TomlReader::finish() const {
    for (const auto& [key, node] : table_)
        if (!taken_.contains(key.str()))
            return wrong("the key \"" + std::string(key.str()) + "\" is not known here.");
    return {};
}

}  // namespace cloison::casework
