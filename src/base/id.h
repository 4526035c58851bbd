#pragma once

#include <algorithm>
#include <array>
#include <compare>
#include <cstring>
#include <functional>
#include <string>

#include "base/bytes.h"
#include "base/random.h"

namespace cloison {

/// A 128-bit identifier. `Tag` makes ids of different things different types: mixing them does
/// not compile (tests/style/compile_fail). Text form: 32 lower-case hexadecimal digits.
template <class Tag>
class Id {
  public:
    static constexpr std::size_t kSize = 16;

    Id() = default;  ///< All zero: "none".
    static Id random(Random& random) {
        Id id;
        random.fill(id.bytes_);
        return id;
    }
    static Result<Id> from_bytes(ByteView bytes) {
        if (bytes.size() != kSize)
            return fail(ErrorCode::kInvalidArgument, "An identifier has 16 bytes.");
        Id id;
        std::copy(bytes.begin(), bytes.end(), id.bytes_.begin());
        return id;
    }
    static Result<Id> from_bytes(std::string_view bytes) { return from_bytes(as_bytes(bytes)); }
    static Result<Id> from_hex(std::string_view text) {
        if (text.size() != 2 * kSize)
            return fail(ErrorCode::kInvalidArgument, "An identifier has 32 hexadecimal digits.");
        CLOISON_TRY(auto bytes, hex_decode(text));
        return from_bytes(bytes);
    }

    ByteView view() const { return bytes_; }
    std::string bytes() const { return to_string(view()); }  ///< For protobuf and SQL.
    std::string hex() const { return hex_encode(view()); }
    bool is_none() const { return *this == Id{}; }
    auto operator<=>(const Id&) const = default;

  private:
    std::array<std::uint8_t, kSize> bytes_{};
};

/// The compartments' own names for a person. Only the keeper translates between them.
using IdentityPseudonym = Id<struct IdentityPseudonymTag>;
using CaseworkPseudonym = Id<struct CaseworkPseudonymTag>;
using DocumentsPseudonym = Id<struct DocumentsPseudonymTag>;

using AccountId = Id<struct AccountTag>;    ///< identity: a row, never shown to others.
using ActorId = Id<struct ActorTag>;        ///< Who acts, as the journal names them.
using SessionId = Id<struct SessionTag>;    ///< Names a session; not the secret that opens it.
using RequestId = Id<struct RequestTag>;    ///< casework: a request, also "case reference".
using MessageId = Id<struct MessageTag>;    ///< casework: a message on a request.
using DocumentId = Id<struct DocumentTag>;  ///< documents: an uploaded file.
using IncidentId = Id<struct IncidentTag>;  ///< desk: an incident.

}  // namespace cloison

template <class Tag>
struct std::hash<cloison::Id<Tag>> {
    std::size_t operator()(const cloison::Id<Tag>& id) const noexcept {
        std::size_t value;
        std::memcpy(&value, id.view().data(), sizeof value);
        return value;
    }
};
