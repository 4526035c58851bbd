#include "incident/scope.h"

#include <algorithm>
#include <array>

namespace cloison::incident {

using registry::Role;

std::string_view verdict_code(Verdict verdict) {
    switch (verdict) {
        case Verdict::kOpened:
            return "opened";
        case Verdict::kReachable:
            return "reachable";
        case Verdict::kSealed:
            return "sealed";
    }
    return "";
}

bool signs_in_at(Role role, std::string_view door) {
    const bool is_outside = role == Role::kResident || role == Role::kProfessional;
    return is_outside == (door == "portal");
}

namespace {

std::vector<Role> roles_concerned(const ScopeQuery& query, const std::vector<Role>& known,
                                  const registry::Registry& registry) {
    static constexpr std::array kAll = {Role::kResident, Role::kProfessional, Role::kOfficer,
                                        Role::kSupport,  Role::kDpo,          Role::kAdministrator};
    std::vector<Role> roles = known;
    if (roles.empty()) roles.assign(kAll.begin(), kAll.end());
    if (query.door) {
        const registry::Door* door = registry.door(*query.door);
        std::erase_if(roles,
                      [&](Role role) { return door != nullptr && !signs_in_at(role, door->name); });
    }
    return roles;
}

}  // namespace

std::vector<FieldVerdict> judge_fields(const ScopeQuery& query, const ScopeCounts& counts,
                                       const std::vector<Role>& roles,
                                       const registry::Registry& registry) {
    const std::vector<Role> concerned = roles_concerned(query, roles, registry);
    std::vector<const registry::Purpose*> purposes;
    for (const registry::Purpose& purpose : registry.purposes()) {
        if (query.purpose && purpose.number != *query.purpose) continue;
        if (purpose.name == kSelfService && !query.counts_self()) continue;
        if (std::any_of(concerned.begin(), concerned.end(),
                        [&](Role role) { return purpose.allows_role(role); }))
            purposes.push_back(&purpose);
    }
    std::vector<FieldVerdict> verdicts;
    for (const registry::Field& field : registry.fields()) {
        if (query.field && field.number != *query.field) continue;
        const FieldCount count =
            counts.fields.size() > field.number ? counts.fields[field.number] : FieldCount{};
        const bool may = std::any_of(purposes.begin(), purposes.end(), [&](const auto* purpose) {
            return registry.may_open(field, *purpose);
        });
        const Verdict verdict = count.lines > 0 ? Verdict::kOpened
                                : may           ? Verdict::kReachable
                                                : Verdict::kSealed;
        verdicts.push_back({field.number, verdict, count.lines, count.persons});
    }
    std::sort(verdicts.begin(), verdicts.end(),
              [](const auto& a, const auto& b) { return a.field < b.field; });
    return verdicts;
}

}  // namespace cloison::incident
