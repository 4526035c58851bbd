#include <toml++/toml.h>

#include <algorithm>
#include <array>
#include <set>

#include "registry/registry.h"

namespace cloison::registry {
namespace {

constexpr std::size_t kMaxFileSize = 1024 * 1024;
constexpr std::size_t kMaxNameLength = 40;
constexpr std::size_t kMaxLabelLength = 200;
constexpr std::int64_t kMaxBudget = 100'000'000;
constexpr std::int64_t kMaxRetentionDays = 36'525;
constexpr std::int64_t kMaxThreshold = 10'000;

// The CNIL's notification form.
constexpr std::array<std::string_view, 8> kCategories{
    "civil_status",       "contact",  "identification", "financial",
    "official_documents", "location", "offences",       "other"};
// The groups of personal data that the EDPB's common breach-notification template asks for.
constexpr std::array<std::string_view, 9> kEdpbCategories{"basic_identity",
                                                          "contact_details",
                                                          "authentication",
                                                          "official_documents",
                                                          "physical_description",
                                                          "financial",
                                                          "location",
                                                          "offences",
                                                          "other"};

template <std::size_t N>
bool among(const std::array<std::string_view, N>& words, std::string_view word) {
    return std::find(words.begin(), words.end(), word) != words.end();
}

bool is_name(std::string_view text) {
    return !text.empty() && text.size() <= kMaxNameLength && text[0] >= 'a' && text[0] <= 'z' &&
           std::all_of(text.begin(), text.end(), [](char c) {
               return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_';
           });
}

/// One table of the file: reads its values, each exactly once, and names what is wrong and where.
class Reader {
  public:
    Reader(const toml::table& table, std::string where) : table_(table), where_(std::move(where)) {}

    const std::string& where() const { return where_; }
    tl::unexpected<Error> wrong(std::string_view what) const {
        return fail(ErrorCode::kInvalidArgument, where_ + ": " + std::string(what));
    }

    Result<std::int64_t> integer(std::string_view key, std::int64_t low, std::int64_t high) {
        const auto* node = take(key);
        const auto value = node ? node->value_exact<std::int64_t>() : std::nullopt;
        if (!value || *value < low || *value > high)
            return wrong(std::string(key) + " must be an integer from " + std::to_string(low) +
                         " to " + std::to_string(high) + ".");
        return *value;
    }
    Result<bool> boolean(std::string_view key) {
        const auto* node = take(key);
        const auto value = node ? node->value_exact<bool>() : std::nullopt;
        if (!value) return wrong(std::string(key) + " must be true or false.");
        return *value;
    }
    Result<std::string> text(std::string_view key, std::size_t max_length) {
        const auto* node = take(key);
        auto value = node ? node->value_exact<std::string>() : std::nullopt;
        if (!value || value->empty() || value->size() > max_length)
            return wrong(std::string(key) + " must be a text of 1 to " +
                         std::to_string(max_length) + " bytes.");
        return *value;
    }
    Result<std::string> name(std::string_view key) {
        CLOISON_TRY(auto value, text(key, kMaxNameLength));
        if (!is_name(value))
            return wrong(std::string(key) +
                         " must be lower-case letters, digits and underscores, a letter first.");
        return value;
    }
    Result<Label> label() {
        const auto* node = take("label");
        const auto* table = node ? node->as_table() : nullptr;
        if (!table) return wrong("label must be a table of fr and en.");
        Reader reader(*table, where_ + ": label");
        Label label;
        CLOISON_TRY(label.fr, reader.text("fr", kMaxLabelLength));
        CLOISON_TRY(label.en, reader.text("en", kMaxLabelLength));
        CLOISON_TRY_STATUS(reader.finish());
        return label;
    }
    Result<std::vector<std::string>> names(std::string_view key) {
        const auto* node = take(key);
        const auto* array = node ? node->as_array() : nullptr;
        std::vector<std::string> values;
        if (array)
            for (const auto& element : *array)
                if (auto value = element.value_exact<std::string>(); value && is_name(*value))
                    values.push_back(std::move(*value));
        if (!array || values.empty() || values.size() != array->size() ||
            std::set<std::string>(values.begin(), values.end()).size() != values.size())
            return wrong(std::string(key) + " must be a list of one or more different names.");
        return values;
    }
    Result<Budget> budget() {
        CLOISON_TRY(auto per_hour, integer("per_hour", 1, kMaxBudget));
        CLOISON_TRY(auto per_day, integer("per_day", 1, kMaxBudget));
        if (per_hour > per_day) return wrong("per_hour must not be more than per_day.");
        return Budget{static_cast<std::uint32_t>(per_hour), static_cast<std::uint32_t>(per_day)};
    }
    /// The tables of an array of tables; none if the key is missing.
    Result<std::vector<const toml::table*>> tables(std::string_view key) {
        std::vector<const toml::table*> found;
        const auto* node = take(key);
        if (!node) return found;
        const auto* array = node->as_array();
        if (array)
            for (const auto& element : *array)
                if (const auto* table = element.as_table()) found.push_back(table);
        if (!array || found.size() != array->size())
            return wrong(std::string(key) + " must be a list of tables.");
        return found;
    }
    /// Null if the key is missing.
    Result<const toml::table*> table(std::string_view key) {
        const auto* node = take(key);
        const auto* found = node ? node->as_table() : nullptr;
        if (node && !found) return wrong(std::string(key) + " must be a table.");
        return found;
    }
    /// Every key must have been read.
    Status finish() const {
        for (const auto& [key, node] : table_)
            if (!taken_.count(std::string(key.str())))
                return wrong("\"" + std::string(key.str()) + "\" is not known here.");
        return {};
    }

  private:
    const toml::node* take(std::string_view key) {
        taken_.insert(std::string(key));
        return table_.get(key);
    }

    const toml::table& table_;
    std::string where_;
    std::set<std::string> taken_;
};

Result<Field> read_field(Reader& reader) {
    Field field{};
    CLOISON_TRY(auto number, reader.integer("number", 0, FieldSet{}.size() - 1));
    field.number = static_cast<std::uint8_t>(number);
    CLOISON_TRY(field.name, reader.name("name"));
    CLOISON_TRY(auto compartment, reader.name("compartment"));
    auto known = compartment_from_name(compartment);
    if (!known) return reader.wrong("compartment must be identity, casework or documents.");
    field.compartment = *known;
    CLOISON_TRY(field.category, reader.name("category"));
    if (!among(kCategories, field.category))
        return reader.wrong("category is none of the CNIL's notification form.");
    CLOISON_TRY(field.edpb_category, reader.name("edpb_category"));
    if (!among(kEdpbCategories, field.edpb_category))
        return reader.wrong("edpb_category is none of the EDPB's template.");
    CLOISON_TRY(auto sensitivity, reader.integer("sensitivity", 1, 4));
    field.sensitivity = static_cast<int>(sensitivity);
    CLOISON_TRY(auto days, reader.integer("retention_days", 1, kMaxRetentionDays));
    field.retention_days = static_cast<int>(days);
    CLOISON_TRY(field.purposes, reader.names("purposes"));
    CLOISON_TRY(field.label, reader.label());
    return field;
}

Result<Purpose> read_purpose(Reader& reader) {
    Purpose purpose{};
    CLOISON_TRY(auto number, reader.integer("number", 1, 255));
    purpose.number = static_cast<std::uint8_t>(number);
    CLOISON_TRY(purpose.name, reader.name("name"));
    CLOISON_TRY(auto roles, reader.names("roles"));
    for (const auto& name : roles) {
        auto role = role_from_name(name);
        if (!role) return reader.wrong("roles has an unknown role.");
        purpose.roles.push_back(*role);
    }
    CLOISON_TRY(purpose.bulk, reader.boolean("bulk"));
    CLOISON_TRY(purpose.budget, reader.budget());
    CLOISON_TRY(purpose.label, reader.label());
    CLOISON_TRY(auto reasons, reader.tables("reasons"));
    for (const auto* table : reasons) {
        Reader inner(*table, reader.where() + ": reason");
        Reason reason;
        CLOISON_TRY(reason.code, inner.name("code"));
        CLOISON_TRY(reason.label, inner.label());
        CLOISON_TRY_STATUS(inner.finish());
        if (purpose.reason(reason.code)) return inner.wrong("the code is used twice.");
        purpose.reasons.push_back(std::move(reason));
    }
    return purpose;
}

Result<Door> read_door(Reader& reader) {
    Door door{};
    CLOISON_TRY(auto number, reader.integer("number", 1, 255));
    door.number = static_cast<std::uint8_t>(number);
    CLOISON_TRY(door.name, reader.name("name"));
    CLOISON_TRY(door.budget, reader.budget());
    CLOISON_TRY(door.label, reader.label());
    return door;
}

Result<Allowance> read_allowance(Reader& reader) {
    Allowance allowance{};
    CLOISON_TRY(allowance.name, reader.name("name"));
    CLOISON_TRY(allowance.budget, reader.budget());
    CLOISON_TRY(auto block, reader.integer("block", 1, allowance.budget.per_hour));
    allowance.block = static_cast<std::uint32_t>(block);
    CLOISON_TRY_STATUS(reader.finish());
    return allowance;
}

Result<std::vector<Allowance>> read_allowances(Reader& root) {
    CLOISON_TRY(auto tables, root.tables("allowance"));
    std::vector<Allowance> allowances;
    for (const auto* table : tables) {
        const auto name = (*table)["name"].value<std::string>();
        Reader reader(*table,
                      root.where() + ": allowance " +
                          (name && is_name(*name) ? *name : std::to_string(allowances.size() + 1)));
        CLOISON_TRY(auto allowance, read_allowance(reader));
        for (const auto& other : allowances)
            if (other.name == allowance.name) return reader.wrong("the name is used twice.");
        allowances.push_back(std::move(allowance));
    }
    return allowances;
}

Result<Thresholds> read_thresholds(Reader& root) {
    Thresholds thresholds;
    CLOISON_TRY(const auto* table, root.table("thresholds"));
    if (!table) return thresholds;
    Reader reader(*table, root.where() + ": thresholds");
    CLOISON_TRY(auto refusals, reader.integer("refusals_per_hour", 1, kMaxThreshold));
    thresholds.refusals_per_hour = static_cast<std::uint32_t>(refusals);
    CLOISON_TRY(auto hardenings,
                reader.integer("hardenings_of_account_per_hour", 1, kMaxThreshold));
    thresholds.hardenings_of_account_per_hour = static_cast<std::uint32_t>(hardenings);
    CLOISON_TRY_STATUS(reader.finish());
    return thresholds;
}

/// Reads all entries of one kind; numbers and names must differ.
template <class Item>
Result<std::vector<Item>> read_all(Reader& root, std::string_view key,
                                   Result<Item> (*read)(Reader&)) {
    CLOISON_TRY(auto tables, root.tables(key));
    std::vector<Item> items;
    for (const auto* table : tables) {
        const auto name = (*table)["name"].value<std::string>();
        Reader reader(*table,
                      root.where() + ": " + std::string(key) + " " +
                          (name && is_name(*name) ? *name : std::to_string(items.size() + 1)));
        CLOISON_TRY(auto item, read(reader));
        CLOISON_TRY_STATUS(reader.finish());
        for (const auto& other : items) {
            if (other.number == item.number)
                return reader.wrong("the number is that of " + other.name + ".");
            if (other.name == item.name) return reader.wrong("the name is used twice.");
        }
        items.push_back(std::move(item));
    }
    if (items.empty()) return root.wrong("there is no " + std::string(key) + ".");
    return items;
}

Result<toml::table> parse_toml(std::string_view text, std::string_view source_name) {
    try {
        return toml::parse(text, source_name);
    } catch (const toml::parse_error& error) {
        return fail(ErrorCode::kInvalidArgument, std::string(source_name) + ":" +
                                                     std::to_string(error.source().begin.line) +
                                                     ": " + std::string(error.description()));
    }
}

}  // namespace

Result<Registry> Registry::parse(std::string_view toml, std::string_view source_name) {
    CLOISON_TRY(auto table, parse_toml(toml, source_name));
    Reader root(table, std::string(source_name));
    CLOISON_TRY_STATUS(root.integer("version", 1, 1));
    Registry registry;
    CLOISON_TRY(registry.fields_, read_all<Field>(root, "field", read_field));
    CLOISON_TRY(registry.purposes_, read_all<Purpose>(root, "purpose", read_purpose));
    CLOISON_TRY(registry.doors_, read_all<Door>(root, "door", read_door));
    CLOISON_TRY(registry.allowances_, read_allowances(root));
    CLOISON_TRY(registry.thresholds_, read_thresholds(root));
    CLOISON_TRY_STATUS(root.finish());
    for (const auto& field : registry.fields_)
        for (const auto& purpose : field.purposes)
            if (!registry.purpose(purpose))
                return root.wrong("field " + field.name + ": purpose " + purpose +
                                  " is not declared.");
    return registry;
}

Result<Registry> Registry::load(FileSystem& files, const Path& path) {
    CLOISON_TRY(auto text, files.read_file(path, kMaxFileSize));
    return parse(as_text(text), path.string());
}

}  // namespace cloison::registry
