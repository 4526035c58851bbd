#pragma once

#include <array>
#include <string>

#include "base/bytes.h"
#include "base/id.h"
#include "base/time.h"
#include "registry/registry.h"

namespace cloison::journal {

enum class EntryKind : std::uint8_t {
    kDisclosed = 1,   ///< Fields of one person were released, or were about to be.
    kRefused = 2,     ///< A disclosure was refused (budget); nothing was released.
    kErased = 3,      ///< A person's key was destroyed.
    kConfigured = 4,  ///< Register, trust or budget of the keeper changed.
    kKeyChanged = 5,  ///< A key was made or rotated.
    kListRead = 6,    ///< Journal lines, or persons found by them, were read for an investigation.
    kRevoked = 7,     ///< Grants of a session or an actor were ended before their time.
    kAlarm = 8,       ///< Something that no legitimate process does; the reason says what.
    kLookUps = 9,     ///< A block of look-ups by exact value, or of hardenings, was set aside.
};

/// An IPv6 address, or an IPv4 address mapped into one; all zero if there was none.
using Origin = std::array<std::uint8_t, 16>;
Origin parse_origin(std::string_view text);  ///< All zero for what is no address.
std::string format_origin(const Origin& origin);

/// One line of the journal, docs/formats/journal-entry.md. It names persons by ordinal and holds no
/// personal value, but says who was concerned when: lines are confidential, their salted hashes
/// may be published.
struct Entry {
    EntryKind kind = EntryKind::kDisclosed;
    Time time;
    std::uint8_t door = 0;     ///< registry::Door::number; 0: none.
    std::uint8_t purpose = 0;  ///< registry::Purpose::number; 0: none.
    registry::Role role = registry::Role::kResident;
    ActorId actor;
    SessionId session;
    Origin origin{};
    std::uint32_t person = 0;  ///< Ordinal; 0: no person.
    registry::FieldSet fields;
    RequestId case_reference;   ///< None if no case was named.
    Id<struct RpcTag> request;  ///< Lines of one call share it.
    std::string reason;         ///< A reason code of the purpose, or what changed; ≤ 64 bytes.
    std::array<std::uint8_t, 16> salt{};  ///< Random: published hashes cannot be guessed at.
};
inline constexpr std::size_t kMaxReasonBytes = 64;

/// A reason beyond kMaxReasonBytes is cut, between characters.
Bytes encode_entry(const Entry& entry);
/// kCorrupt for anything that encode_entry does not write.
Result<Entry> decode_entry(ByteView bytes);

}  // namespace cloison::journal
