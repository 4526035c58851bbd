#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "base/file_system.h"
#include "base/result.h"
#include "base/time.h"
#include "registry/registry.h"

namespace cloison::casework {

/// How a field is asked for and checked. The canonical form of each is what is sealed.
enum class InputKind {
    kText,      ///< One line of Unicode text; `min_length` to `max_length` characters.
    kName,      ///< Letters, marks, spaces, hyphens, apostrophes, full stops.
    kLongText,  ///< Several lines.
    kChoice,    ///< One of `choices`, by code.
    kDate,    ///< Asked as day, month, year; canonical 1984-03-09; real, within [earliest, latest].
    kPlace,   ///< Commune in France, or town and country: "Lyon (69)", "Turin, Italie".
    kHeight,  ///< Centimetres, `min_value` to `max_value`.
    kPhone,   ///< International or French number; canonical +33612345678.
    kEmail,   ///< One address; canonical lower-case domain.
    kAddress,         ///< Several lines: number and street, postcode, town, country.
    kDocumentNumber,  ///< Letters and digits of an identity document; canonical upper case.
};

struct Choice {
    std::string code;
    registry::Label label;
};

/// Asked only if another field holds one of these values.
struct Condition {
    std::string field;
    std::vector<std::string> values;
};

struct InputField {
    std::string name;  ///< A field of the register, compartment casework.
    InputKind kind = InputKind::kText;
    registry::Label label;
    registry::Label hint;  ///< May be empty.
    bool required = true;
    std::size_t min_length = 1;
    std::size_t max_length = 100;
    int min_value = 0;
    int max_value = 0;
    bool in_past = false;  ///< Dates: not after today.
    std::vector<Choice> choices;
    std::optional<Condition> when;
    std::map<std::string, registry::Label> errors;  ///< By rule: missing, malformed, too_long, …
    std::string autocomplete;                       ///< HTML autocomplete token; may be empty.
};

/// One question page: one thing that is asked, of one field or a few that belong together.
struct InputPage {
    std::string name;  ///< In the URL.
    registry::Label title;
    std::vector<InputField> fields;
};

/// A task of the task list.
struct InputSection {
    std::string name;
    registry::Label title;
    std::vector<InputPage> pages;
};

struct DocumentKind {
    std::string name;
    registry::Label label;
    registry::Label hint;
    bool required = true;
};

/// A type of request, declared in a file (docs/formats/request-type.md), not in code.
struct RequestType {
    std::string name;
    registry::Label label;
    registry::Label description;
    std::vector<InputSection> sections;
    std::vector<DocumentKind> documents;

    /// kInvalidArgument naming file, entry and fault; every field must be in the register.
    static Result<RequestType> parse(std::string_view toml, std::string_view source_name,
                                     const registry::Registry& registry);
    const InputPage* page(std::string_view name) const;
    const InputField* field(std::string_view name) const;
};

/// Every *.toml of a directory, by name.
Result<std::map<std::string, RequestType>> load_request_types(FileSystem& files,
                                                              const Path& directory,
                                                              const registry::Registry& registry);

/// Values by field name, canonical.
using Values = std::map<std::string, std::string>;

struct InputError {
    std::string field;
    registry::Label message;  ///< The page's error text; holds nothing that was typed.
};

/// Reads one field as it was typed into its canonical form. `raw` maps form names to text: the
/// field's name, and for dates name-day, name-month, name-year. An empty optional field gives "".
tl::expected<std::string, InputError> read_input(const InputField& field, const Values& raw,
                                                 Time now);
/// True if the field is asked for, given the other values.
bool is_asked(const InputField& field, const Values& values);
/// What is missing or wrong before the request may be submitted, in the order of the pages.
std::vector<InputError> check_complete(const RequestType& type, const Values& values, Time now);
/// The pages that are asked, given the values, in order.
std::vector<const InputPage*> asked_pages(const RequestType& type, const Values& values);

}  // namespace cloison::casework
