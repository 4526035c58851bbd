#include "casework/request_type.h"

#include <algorithm>
#include <array>

#include "casework/input.h"
#include "casework/toml_reader.h"

namespace cloison::casework {
namespace {

constexpr std::size_t kMaxFile = 262'144;
constexpr std::size_t kMaxSections = 20;
constexpr std::size_t kMaxPages = 30;   // of a section
constexpr std::size_t kMaxFields = 10;  // of a page
constexpr std::size_t kMaxChoices = 300;
constexpr std::size_t kMaxDocumentKinds = 20;

struct KindName {
    std::string_view name;
    InputKind kind;
};
constexpr std::array kKinds{
    KindName{"text", InputKind::kText},
    KindName{"name", InputKind::kName},
    KindName{"long_text", InputKind::kLongText},
    KindName{"choice", InputKind::kChoice},
    KindName{"date", InputKind::kDate},
    KindName{"place", InputKind::kPlace},
    KindName{"height", InputKind::kHeight},
    KindName{"phone", InputKind::kPhone},
    KindName{"email", InputKind::kEmail},
    KindName{"address", InputKind::kAddress},
    KindName{"document_number", InputKind::kDocumentNumber},
};

using Labels = std::map<std::string, registry::Label>;

void fill_in(std::string& text, std::string_view placeholder, const std::string& value) {
    for (auto at = text.find(placeholder); at != std::string::npos;
         at = text.find(placeholder, at + value.size()))
        text.replace(at, placeholder.size(), value);
}

/// A general error text becomes this field's.
registry::Label for_field(registry::Label text, const InputField& field) {
    const bool by_value = field.kind == InputKind::kDate || field.kind == InputKind::kHeight;
    const std::string low =
        std::to_string(by_value ? field.min_value : static_cast<int>(field.min_length));
    const std::string high =
        std::to_string(by_value ? field.max_value : static_cast<int>(field.max_length));
    for (std::string* words : {&text.fr, &text.en}) {
        fill_in(*words, "{min}", low);
        fill_in(*words, "{max}", high);
    }
    fill_in(text.fr, "{label}", field.label.fr);
    fill_in(text.en, "{label}", field.label.en);
    return text;
}

Result<Labels> read_errors(TomlReader& owner, std::string_view key) {
    Labels errors;
    if (!owner.has(key)) return errors;
    CLOISON_TRY(const auto* table, owner.table(key));
    TomlReader reader(*table, owner.where() + ", " + std::string(key));
    for (const std::string_view rule :
         {"missing", "malformed", "too_long", "too_short", "incomplete", "too_early", "too_late",
          "in_future", "out_of_range"})
        if (reader.has(rule)) {
            CLOISON_TRY(errors[std::string(rule)], reader.label(rule));
        }
    CLOISON_TRY_STATUS(reader.finish());
    return errors;
}

/// Every rule that the field has gets a text: its own, or the general one of the file.
Status complete_errors(const TomlReader& reader, const Labels& general, InputField& field) {
    const auto rules = error_rules(field);
    for (const auto& [rule, text] : field.errors)
        if (std::find(rules.begin(), rules.end(), rule) == rules.end())
            return reader.wrong("errors has a text for \"" + rule + "\", which cannot happen.");
    for (const std::string_view rule : rules) {
        auto& text = field.errors[std::string(rule)];
        if (text.fr.empty()) {
            const auto found = general.find(std::string(rule));
            if (found == general.end())
                return reader.wrong("there is no text for the error \"" + std::string(rule) +
                                    "\".");
            text = found->second;
        }
        text = for_field(std::move(text), field);
    }
    return {};
}

Status read_choices(TomlReader& reader, InputField& field) {
    CLOISON_TRY(const auto tables, reader.tables("choices", kMaxChoices));
    for (const toml::table* table : tables) {
        TomlReader inner(*table,
                         reader.where() + ", choice " + std::to_string(field.choices.size() + 1));
        Choice choice;
        CLOISON_TRY(choice.code, inner.name("code"));
        CLOISON_TRY(choice.label, inner.label("label"));
        CLOISON_TRY_STATUS(inner.finish());
        for (const Choice& other : field.choices)
            if (other.code == choice.code) return inner.wrong("the code is used twice.");
        field.choices.push_back(std::move(choice));
    }
    return {};
}

Status read_bounds(TomlReader& reader, InputField& field) {
    switch (field.kind) {
        case InputKind::kChoice:
            return read_choices(reader, field);
        case InputKind::kPhone:
            return {};
        case InputKind::kHeight: {
            CLOISON_TRY(const auto low, reader.integer("min_value", 1, 300));
            CLOISON_TRY(const auto high, reader.integer("max_value", low, 300));
            field.min_value = static_cast<int>(low);
            field.max_value = static_cast<int>(high);
            return {};
        }
        case InputKind::kDate: {
            CLOISON_TRY(field.in_past, reader.boolean("in_past", false));
            CLOISON_TRY(const auto low,
                        reader.integer("min_value", 1800, kLatestYear, kEarliestYear));
            CLOISON_TRY(const auto high, reader.integer("max_value", low, 2200, kLatestYear));
            field.min_value = static_cast<int>(low);
            field.max_value = static_cast<int>(high);
            return {};
        }
        default: {
            CLOISON_TRY(const auto low, reader.integer("min_length", 1, 1000, 1));
            CLOISON_TRY(const auto high, reader.integer("max_length", low, 4000));
            field.min_length = static_cast<std::size_t>(low);
            field.max_length = static_cast<std::size_t>(high);
            return {};
        }
    }
}

Result<InputKind> read_kind(TomlReader& reader) {
    CLOISON_TRY(const auto name, reader.name("kind"));
    for (const KindName& kind : kKinds)
        if (kind.name == name) return kind.kind;
    return reader.wrong("the kind \"" + name + "\" is not known.");
}

/// The field looked at must stand before, be a choice and have these choices.
Status read_condition(TomlReader& reader, const RequestType& type, InputField& field) {
    if (!reader.has("when")) return {};
    CLOISON_TRY(const auto* table, reader.table("when"));
    TomlReader inner(*table, reader.where() + ", when");
    Condition condition;
    CLOISON_TRY(condition.field, inner.name("field"));
    CLOISON_TRY(condition.values, inner.names("values"));
    CLOISON_TRY_STATUS(inner.finish());
    const InputField* other = type.field(condition.field);
    if (other == nullptr || other->kind != InputKind::kChoice)
        return inner.wrong("field must be a choice that is asked before.");
    for (const std::string& value : condition.values)
        if (std::none_of(other->choices.begin(), other->choices.end(),
                         [&](const Choice& choice) { return choice.code == value; }))
            return inner.wrong("\"" + value + "\" is no choice of " + condition.field + '.');
    field.when = std::move(condition);
    return {};
}

bool is_autocomplete(std::string_view text) {
    return std::all_of(text.begin(), text.end(), [](char c) {
        return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == ' ';
    });
}

class Parser {
  public:
    Parser(const registry::Registry& registry, std::string source_name)
        : registry_(registry), source_name_(std::move(source_name)) {}

    Result<RequestType> parse(const toml::table& table) {
        TomlReader root(table, source_name_);
        CLOISON_TRY_STATUS(root.integer("version", 1, 1));
        CLOISON_TRY(type_.name, root.name("name"));
        CLOISON_TRY(type_.label, root.label("label"));
        CLOISON_TRY(type_.description, root.label("description"));
        CLOISON_TRY(errors_, read_errors(root, "errors"));
        CLOISON_TRY(const auto sections, root.tables("section", kMaxSections));
        for (const toml::table* section : sections) CLOISON_TRY_STATUS(read_section(*section));
        if (root.has("document")) CLOISON_TRY_STATUS(read_documents(root));
        CLOISON_TRY_STATUS(root.finish());
        return std::move(type_);
    }

  private:
    /// "passport.toml: section 2 \"identity\"": the number serves where the name is wrong.
    static std::string place(const std::string& outer, std::string_view what, std::size_t number,
                             const toml::table& table) {
        std::string where = outer + ": " + std::string(what) + ' ' + std::to_string(number);
        const auto name = table["name"].value_exact<std::string>();
        if (name && is_request_type_name(*name)) where += " \"" + *name + '"';
        return where;
    }

    Status read_section(const toml::table& table) {
        TomlReader reader(table, place(source_name_, "section", type_.sections.size() + 1, table));
        InputSection section;
        CLOISON_TRY(section.name, reader.name("name"));
        CLOISON_TRY(section.title, reader.label("title"));
        for (const InputSection& other : type_.sections)
            if (other.name == section.name) return reader.wrong("the name is used twice.");
        type_.sections.push_back(std::move(section));
        CLOISON_TRY(const auto pages, reader.tables("page", kMaxPages));
        for (const toml::table* page : pages) CLOISON_TRY_STATUS(read_page(*page, reader.where()));
        return reader.finish();
    }

    Status read_page(const toml::table& table, const std::string& outer) {
        auto& pages = type_.sections.back().pages;
        TomlReader reader(table, place(outer, "page", pages.size() + 1, table));
        InputPage page;
        CLOISON_TRY(page.name, reader.name("name"));
        CLOISON_TRY(page.title, reader.label("title"));
        if (type_.page(page.name) != nullptr) return reader.wrong("the name is used twice.");
        pages.push_back(std::move(page));
        CLOISON_TRY(const auto fields, reader.tables("field", kMaxFields));
        for (const toml::table* field : fields)
            CLOISON_TRY_STATUS(read_field(*field, reader.where()));
        return reader.finish();
    }

    Status read_field(const toml::table& table, const std::string& outer) {
        auto& fields = type_.sections.back().pages.back().fields;
        TomlReader reader(table, place(outer, "field", fields.size() + 1, table));
        InputField field;
        CLOISON_TRY(field.name, reader.name("name"));
        const registry::Field* declared = registry_.field(field.name);
        if (declared == nullptr || declared->compartment != registry::Compartment::kCasework)
            return reader.wrong("it is no field of casework in the register.");
        if (type_.field(field.name) != nullptr) return reader.wrong("the name is used twice.");
        CLOISON_TRY(field.kind, read_kind(reader));
        CLOISON_TRY(field.label, reader.label("label"));
        CLOISON_TRY(field.hint, reader.optional_label("hint"));
        CLOISON_TRY(field.required, reader.boolean("required", true));
        CLOISON_TRY_STATUS(read_bounds(reader, field));
        CLOISON_TRY_STATUS(read_condition(reader, type_, field));
        if (reader.has("autocomplete")) {
            CLOISON_TRY(field.autocomplete, reader.text("autocomplete", 40));
            if (!is_autocomplete(field.autocomplete))
                return reader.wrong("autocomplete must be an HTML autocomplete token.");
        }
        CLOISON_TRY(field.errors, read_errors(reader, "errors"));
        CLOISON_TRY_STATUS(reader.finish());
        CLOISON_TRY_STATUS(complete_errors(reader, errors_, field));
        fields.push_back(std::move(field));
        return {};
    }

    Status read_documents(TomlReader& root) {
        CLOISON_TRY(const auto tables, root.tables("document", kMaxDocumentKinds));
        for (const toml::table* table : tables) {
            TomlReader reader(*table,
                              place(source_name_, "document", type_.documents.size() + 1, *table));
            DocumentKind kind;
            CLOISON_TRY(kind.name, reader.name("name"));
            CLOISON_TRY(kind.label, reader.label("label"));
            CLOISON_TRY(kind.hint, reader.optional_label("hint"));
            CLOISON_TRY(kind.required, reader.boolean("required", true));
            CLOISON_TRY_STATUS(reader.finish());
            for (const DocumentKind& other : type_.documents)
                if (other.name == kind.name) return reader.wrong("the name is used twice.");
            type_.documents.push_back(std::move(kind));
        }
        return {};
    }

    const registry::Registry& registry_;
    std::string source_name_;
    Labels errors_;
    RequestType type_;
};

}  // namespace

Result<RequestType> RequestType::parse(std::string_view toml, std::string_view source_name,
                                       const registry::Registry& registry) {
    try {
        const toml::table table = toml::parse(toml, source_name);
        return Parser(registry, std::string(source_name)).parse(table);
    } catch (const toml::parse_error& error) {
        return fail(ErrorCode::kInvalidArgument, std::string(source_name) + ", line " +
                                                     std::to_string(error.source().begin.line) +
                                                     ": " + std::string(error.description()));
    }
}

const InputPage* RequestType::page(std::string_view page_name) const {
    for (const InputSection& section : sections)
        for (const InputPage& candidate : section.pages)
            if (candidate.name == page_name) return &candidate;
    return nullptr;
}

const InputField* RequestType::field(std::string_view field_name) const {
    for (const InputSection& section : sections)
        for (const InputPage& page : section.pages)
            for (const InputField& candidate : page.fields)
                if (candidate.name == field_name) return &candidate;
    return nullptr;
}

Result<std::map<std::string, RequestType>> load_request_types(FileSystem& files,
                                                              const Path& directory,
                                                              const registry::Registry& registry) {
    CLOISON_TRY(const auto names, files.list(directory));
    std::map<std::string, RequestType> types;
    for (const std::string& name : names) {
        if (!name.ends_with(".toml")) continue;
        const Path path = directory / name;
        CLOISON_TRY(const auto content, files.read_file(path, kMaxFile));
        CLOISON_TRY(auto type, RequestType::parse(as_text(content), path.string(), registry));
        if (name != type.name + ".toml")
            return fail(ErrorCode::kInvalidArgument,
                        path.string() + ": the name \"" + type.name + "\" is not the file's.");
        types.emplace(type.name, std::move(type));
    }
    if (types.empty())
        return fail(ErrorCode::kInvalidArgument,
                    "There is no request type in " + directory.string() + '.');
    return types;
}

}  // namespace cloison::casework
