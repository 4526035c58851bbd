#pragma once

#include <list>
#include <memory>
#include <mutex>
#include <optional>
#include <string_view>
#include <unordered_map>

#include "crypto/hash.h"
#include "keeper/client/grant.h"
#include "keeper/key_ring.h"
#include "keeper/revocations.h"

namespace cloison::keeper {

/// A grant whose signature, times and words were checked against the register. The pointers live
/// as long as the register.
struct CheckedGrant {
    Grant grant;
    crypto::Hash hash{};  ///< Of the token: names the grant in the keeper.
    const registry::Purpose* purpose = nullptr;
    const registry::Door* door = nullptr;
    registry::FieldSet fields;
    std::optional<Person> person;  ///< Whom the handles in it name; not yet looked up.
    RequestId case_reference;      ///< None if no case is named.
};
using GrantPointer = std::shared_ptr<const CheckedGrant>;

/// Verifies grants, and remembers by hash those that it has verified: a signature and two handles
/// are opened once; expiry and revocation are checked every time. Any thread may call.
class GrantChecker {
  public:
    static constexpr std::size_t kMaxRemembered = 10'000;  ///< The least recently used goes first.

    GrantChecker(const registry::Registry& registry, const KeyRing& keys,
                 crypto::VerifyKey identity, const Revocations& revocations, const Clock& clock,
                 std::size_t max_remembered = kMaxRemembered);

    /// kUnauthenticated for a token that is not valid now, or revoked; kPermissionDenied for one
    /// that the register does not allow: unknown purpose, door or field, wrong role, missing or
    /// unknown reason, or handles that name two persons.
    Result<GrantPointer> check(std::string_view token);
    /// kUnauthenticated if it has expired by then, or was revoked. Inside the recorder's compose,
    /// with the time of the lines, it is exact: no line under the grant is later than its expiry,
    /// nor comes behind the line that ends it.
    Status require_live(const CheckedGrant& grant, Time at) const;

    std::size_t remembered() const;

  private:
    struct HashOfHash {
        std::size_t operator()(const crypto::Hash& hash) const;
    };
    GrantPointer recall(const crypto::Hash& hash);
    void remember(GrantPointer grant);
    Status look_up_words(CheckedGrant& checked) const;
    Status open_handles(CheckedGrant& checked) const;

    const registry::Registry& registry_;
    const KeyRing& keys_;
    const crypto::VerifyKey identity_;
    const Revocations& revocations_;
    const Clock& clock_;
    const std::size_t max_remembered_;

    mutable std::mutex mutex_;
    std::list<GrantPointer> by_use_;  ///< Most recent first.
    std::unordered_map<crypto::Hash, std::list<GrantPointer>::iterator, HashOfHash> by_hash_;
};

/// kPermissionDenied unless the grant is for this purpose.
Status require_purpose(const CheckedGrant& grant, std::string_view purpose);
/// kPermissionDenied unless the calling service is the door that the grant was issued for.
Status require_door(const CheckedGrant& grant, std::string_view caller);
/// kPermissionDenied unless the purpose is a bulk one and two different staff members approved a
/// list of persons.
Status require_approval(const CheckedGrant& grant);
/// The person that the grant names; kPermissionDenied if it names none.
Result<Person> require_person(const CheckedGrant& grant);

}  // namespace cloison::keeper
