#pragma once

#include <bitset>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/file_system.h"
#include "base/result.h"

namespace cloison::registry {

enum class Compartment : std::uint8_t { kIdentity = 1, kCasework = 2, kDocuments = 3 };
std::string_view compartment_name(Compartment compartment);
Result<Compartment> compartment_from_name(std::string_view name);

enum class Role : std::uint8_t {
    kResident = 1,
    kProfessional = 2,
    kOfficer = 3,
    kSupport = 4,
    kDpo = 5,
    kAdministrator = 6,
};
std::string_view role_name(Role role);
Result<Role> role_from_name(std::string_view name);

/// A text in the languages of the pages.
struct Label {
    std::string fr;
    std::string en;
    const std::string& in(std::string_view language) const { return language == "en" ? en : fr; }
};

/// Distinct persons per rolling hour and per rolling day.
struct Budget {
    std::uint32_t per_hour = 0;
    std::uint32_t per_day = 0;
};

struct Field {
    std::uint8_t number;  ///< Bit in a FieldSet.
    std::string name;
    Compartment compartment;
    std::string category;
    std::string edpb_category;
    int sensitivity;
    int retention_days;
    std::vector<std::string> purposes;
    Label label;
};

struct Reason {
    std::string code;
    Label label;
};

struct Purpose {
    std::uint8_t number;
    std::string name;
    std::vector<Role> roles;
    bool bulk;
    Budget budget;
    std::vector<Reason> reasons;
    Label label;
    bool allows_role(Role role) const;
    const Reason* reason(std::string_view code) const;  ///< Null if it is none of this purpose's.
};

struct Door {
    std::uint8_t number;
    std::string name;
    Budget budget;
    Label label;
};

/// How often something may be done that discloses nothing by itself, but would tell everything to
/// who could do it without bound.
struct Allowance {
    std::string name;
    Budget budget;        ///< Uses.
    std::uint32_t block;  ///< Uses for which the journal gets one line, before the first of them.
};

/// Bounds that are no budget of somebody.
struct Thresholds {
    std::uint32_t refusals_per_hour = 20;  ///< Of an actor and purpose: beyond, an alarm.
    std::uint32_t hardenings_of_account_per_hour = 240;
};

/// A set of fields by number. In the journal: docs/formats/journal-entry.md.
using FieldSet = std::bitset<128>;

/// registry/fields.toml: every personal-data field, purpose and door, declared once. Immutable
/// after loading, so safe to share between threads. Pointers live as long as the register.
class Registry {
  public:
    /// kInvalidArgument naming the file, the entry and what is wrong with it.
    static Result<Registry> load(FileSystem& files, const Path& path);
    static Result<Registry> parse(std::string_view toml, std::string_view source_name);

    const std::vector<Field>& fields() const { return fields_; }
    const std::vector<Purpose>& purposes() const { return purposes_; }
    const std::vector<Door>& doors() const { return doors_; }
    const std::vector<Allowance>& allowances() const { return allowances_; }
    const Thresholds& thresholds() const { return thresholds_; }

    const Field* field(std::string_view name) const;
    const Field* field(std::uint8_t number) const;
    const Purpose* purpose(std::string_view name) const;
    const Purpose* purpose(std::uint8_t number) const;
    const Door* door(std::string_view name) const;
    const Door* door(std::uint8_t number) const;
    const Allowance* allowance(std::string_view name) const;

    /// kInvalidArgument for an undeclared name.
    Result<FieldSet> field_set(const std::vector<std::string>& names) const;
    std::vector<const Field*> fields_of(const FieldSet& set) const;  ///< By number.
    bool may_open(const Field& field, const Purpose& purpose) const;

  private:
    std::vector<Field> fields_;
    std::vector<Purpose> purposes_;
    std::vector<Door> doors_;
    std::vector<Allowance> allowances_;
    Thresholds thresholds_;
};

}  // namespace cloison::registry
