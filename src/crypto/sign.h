#pragma once

#include <array>

#include "base/bytes.h"
#include "base/secret.h"

namespace cloison::crypto {

using Signature = std::array<std::uint8_t, 64>;

/// Ed25519 (RFC 8032), through libsodium, which refuses small-order keys and non-canonical points.
struct VerifyKey {
    std::array<std::uint8_t, 32> bytes{};
    /// kInvalidArgument unless it is a canonical point of the main subgroup.
    static Result<VerifyKey> from_bytes(ByteView bytes);
    bool verify(ByteView message, ByteView signature) const;
    bool operator==(const VerifyKey&) const = default;
};

class SigningKey {
  public:
    static SigningKey from_seed(ByteView seed32);  ///< Another length is a bug and aborts.
    const VerifyKey& verify_key() const { return public_; }
    Signature sign(ByteView message) const;

  private:
    VerifyKey public_;
    Secret secret_;
};

}  // namespace cloison::crypto
