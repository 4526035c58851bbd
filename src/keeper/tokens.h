#pragma once

#include "base/random.h"
#include "base/time.h"
#include "keeper/key_ring.h"

namespace cloison::keeper {

/// Tokens that the keeper makes for itself: boxes that nobody else can read or make, so that a
/// caller holds a person without knowing who it is. docs/formats/handle.md.

inline constexpr Duration kEnrolmentLifetime{60 * 60 * 1000};
inline constexpr Duration kBulkHandleLifetime{60 * 60 * 1000};

/// Stands for a person that was just made.
Bytes make_enrolment(const KeyRing& keys, const Person& person, Time now, Random& random);
/// kUnauthenticated if it is not ours or kEnrolmentLifetime has passed.
Result<Person> open_enrolment(const KeyRing& keys, ByteView token, Time now);

/// Stands for a canary that was just made, and is good for that compartment alone. Of the same form
/// and lifetime as an enrolment.
Bytes make_canary_enrolment(const KeyRing& keys, const Person& person,
                            registry::Compartment compartment, Time now, Random& random);
Result<Person> open_canary_enrolment(const KeyRing& keys, ByteView token,
                                     registry::Compartment compartment, Time now);

/// Stands for a person of a list that two staff members approved, for one actor and purpose.
struct BulkHandle {
    Person person;
    ActorId actor;
    std::uint8_t purpose = 0;
    Bytes list;  ///< Digest, 32 bytes.
    Time expires;
};
Bytes make_bulk_handle(const KeyRing& keys, const BulkHandle& handle, Random& random);
/// kPermissionDenied if it is not ours, has expired, or was made for another actor, purpose or
/// list.
Result<Person> open_bulk_handle(const KeyRing& keys, ByteView token, const ActorId& actor,
                                std::uint8_t purpose, ByteView list, Time now);

}  // namespace cloison::keeper
