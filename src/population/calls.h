#pragma once

#include <string>
#include <vector>

#include "population/house.h"

namespace cloison::population {

/// Somebody at a door: who they are to identity, and from where they come.
struct Visitor {
    const Door* door = nullptr;
    std::string token;  ///< Of the session; empty: not signed in.
    std::string origin;
    std::string user_agent;

    identity::v1::Client client() const;
};

/// Everything that the demo seals is of the version that the doors seal.
inline constexpr std::uint32_t kSchemaVersion = 1;

struct PlainValue {
    std::string field;
    std::string record;
    std::string value;
};
struct SealedValue {
    std::string field;
    std::string record;
    std::string sealed;
};

struct GrantWish {
    std::string purpose;
    std::string reason;
    std::vector<std::string> fields;
    std::string ticket;
    std::string email_index;
};
Result<std::string> issue_grant(const Visitor& visitor, const GrantWish& wish);

Result<std::vector<SealedValue>> seal(const Door& door, const keeper::v1::Subject& subject,
                                      const std::vector<PlainValue>& values);
keeper::v1::Subject by_grant(const std::string& grant);

/// Opens and forgets: what matters is the line in the journal. One disclosure.
Status read_values(const Door& door, const std::string& grant,
                   const std::vector<SealedValue>& values);
/// The same, and hands out the values.
Result<std::vector<std::string>> open_values(const Door& door, const std::string& grant,
                                             const std::vector<SealedValue>& values);

Result<std::string> email_index(const Door& door, const std::string& email);

/// Signs in with password and, where there is a secret, the one-time code of `now`.
Result<std::string> sign_in(const Visitor& visitor, const std::string& email,
                            const std::string& password, const std::string& totp, Time now);

/// Values of a message with sealed fields (identity or casework).
template <class Fields>
std::vector<SealedValue> to_sealed(const Fields& fields) {
    std::vector<SealedValue> values;
    for (const auto& field : fields)
        values.push_back({field.field(), field.record(), field.sealed()});
    return values;
}
std::vector<std::string> names_of(const std::vector<SealedValue>& values);

}  // namespace cloison::population
