#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/id.h"
#include "base/time.h"
#include "crypto/box.h"
#include "crypto/sign.h"
#include "registry/registry.h"

namespace cloison::keeper {

/// Who a grant is about, readable by the keeper alone: a sealed box over compartment, that
/// compartment's pseudonym and, if there is one, the case. Two handles of one person cannot be
/// linked. docs/formats/grant.md.
struct HandleContent {
    registry::Compartment compartment;
    std::array<std::uint8_t, 16> pseudonym{};
    RequestId case_reference;
};
Bytes make_handle(const crypto::SealedBoxPublicKey& keeper, const HandleContent& content);
/// The same handle in a box of its own, for who holds a handle and not what is in it: nobody but
/// the keeper can tell that the two are of one person.
Bytes renew_handle(const crypto::SealedBoxPublicKey& keeper, ByteView handle);
Result<HandleContent> open_handle(const crypto::SealedBoxKeyPair& keeper, ByteView handle);

/// A grant: identity's signed word that this actor, in this session, may open these fields of this
/// person for this purpose. PASETO v4.public, minutes long.
struct Grant {
    std::string id;  ///< 32 hexadecimal digits.
    ActorId actor;
    registry::Role role = registry::Role::kResident;
    SessionId session;
    std::string door;
    std::string origin;
    std::string purpose;
    std::string reason;               ///< A reason code of the purpose; empty where it has none.
    std::vector<std::string> fields;  ///< By name; may be empty (to look, not to open).
    Bytes person;       ///< Handle from identity; empty if `case_handle` stands for it.
    Bytes case_handle;  ///< Handle from casework's ticket; empty if none.
    std::vector<ActorId> approvers;  ///< Bulk purposes: two different staff members.
    Bytes list;  ///< Digest of the list of persons that they approved, person_list.h; or empty.
    Time issued;
    Time expires;
};
inline constexpr Duration kMaxGrantLifetime{10 * 60 * 1000};
/// Clocks of two hosts may differ by this much.
inline constexpr Duration kGrantClockTolerance{30'000};

std::string sign_grant(const crypto::SigningKey& identity, const Grant& grant);
/// Checks signature, form and times (kUnauthenticated). What it permits is the caller's to judge.
Result<Grant> verify_grant(const crypto::VerifyKey& identity, std::string_view token, Time now);

/// A ticket: casework's signed word that a case concerns the person in the handle and, for staff,
/// that the case is assigned to this actor. Shown to identity, which puts the handle into a grant.
struct Ticket {
    Bytes handle;
    ActorId actor;  ///< None: the person's own request, for the person's own session.
    Time expires;
};
std::string sign_ticket(const crypto::SigningKey& casework, const Ticket& ticket);
Result<Ticket> verify_ticket(const crypto::VerifyKey& casework, std::string_view token, Time now);

}  // namespace cloison::keeper
