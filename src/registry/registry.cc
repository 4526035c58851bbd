#include "registry/registry.h"

#include <algorithm>
#include <array>
#include <utility>

namespace cloison::registry {
namespace {

template <class Value, std::size_t N>
using Names = std::array<std::pair<Value, std::string_view>, N>;

constexpr Names<Compartment, 3> kCompartments{{{Compartment::kIdentity, "identity"},
                                               {Compartment::kCasework, "casework"},
                                               {Compartment::kDocuments, "documents"}}};
constexpr Names<Role, 6> kRoles{{{Role::kResident, "resident"},
                                 {Role::kProfessional, "professional"},
                                 {Role::kOfficer, "officer"},
                                 {Role::kSupport, "support"},
                                 {Role::kDpo, "dpo"},
                                 {Role::kAdministrator, "administrator"}}};

template <class Value, std::size_t N>
std::string_view name_in(const Names<Value, N>& names, Value value) {
    for (const auto& [candidate, name] : names)
        if (candidate == value) return name;
    return "unknown";
}

template <class Value, std::size_t N>
const Value* value_in(const Names<Value, N>& names, std::string_view name) {
    for (const auto& [value, candidate] : names)
        if (candidate == name) return &value;
    return nullptr;
}

template <class Item, class Wanted, class Member>
const Item* find(const std::vector<Item>& items, Member member, const Wanted& wanted) {
    auto found = std::find_if(items.begin(), items.end(),
                              [&](const Item& item) { return item.*member == wanted; });
    return found == items.end() ? nullptr : &*found;
}

}  // namespace

std::string_view compartment_name(Compartment compartment) {
    return name_in(kCompartments, compartment);
}

Result<Compartment> compartment_from_name(std::string_view name) {
    if (const auto* value = value_in(kCompartments, name)) return *value;
    return fail(ErrorCode::kInvalidArgument, "There is no such compartment.");
}

std::string_view role_name(Role role) {
    return name_in(kRoles, role);
}

Result<Role> role_from_name(std::string_view name) {
    if (const auto* value = value_in(kRoles, name)) return *value;
    return fail(ErrorCode::kInvalidArgument, "There is no such role.");
}

bool Purpose::allows_role(Role role) const {
    return std::find(roles.begin(), roles.end(), role) != roles.end();
}

const Reason* Purpose::reason(std::string_view code) const {
    return find(reasons, &Reason::code, code);
}

const Field* Registry::field(std::string_view name) const {
    return find(fields_, &Field::name, name);
}
const Field* Registry::field(std::uint8_t number) const {
    return find(fields_, &Field::number, number);
}
const Purpose* Registry::purpose(std::string_view name) const {
    return find(purposes_, &Purpose::name, name);
}
const Purpose* Registry::purpose(std::uint8_t number) const {
    return find(purposes_, &Purpose::number, number);
}
const Door* Registry::door(std::string_view name) const {
    return find(doors_, &Door::name, name);
}
const Door* Registry::door(std::uint8_t number) const {
    return find(doors_, &Door::number, number);
}
const Allowance* Registry::allowance(std::string_view name) const {
    return find(allowances_, &Allowance::name, name);
}

Result<FieldSet> Registry::field_set(const std::vector<std::string>& names) const {
    FieldSet set;
    for (const auto& name : names) {
        const Field* declared = field(name);
        if (!declared) return fail(ErrorCode::kInvalidArgument, "A field is not in the register.");
        set.set(declared->number);
    }
    return set;
}

std::vector<const Field*> Registry::fields_of(const FieldSet& set) const {
    std::vector<const Field*> found;
    for (const auto& field : fields_)
        if (set.test(field.number)) found.push_back(&field);
    std::sort(found.begin(), found.end(),
              [](const Field* a, const Field* b) { return a->number < b->number; });
    return found;
}

bool Registry::may_open(const Field& field, const Purpose& purpose) const {
    return std::find(field.purposes.begin(), field.purposes.end(), purpose.name) !=
           field.purposes.end();
}

}  // namespace cloison::registry
