#pragma once

#include <array>

#include "base/bytes.h"
#include "base/random.h"
#include "base/secret.h"
#include "crypto/keys.h"

namespace cloison::crypto {

/// XChaCha20-Poly1305 with a random nonce: nonce(24) ‖ ciphertext ‖ tag(16).
Bytes box_encrypt(const BoxKey& key, ByteView plaintext, ByteView associated,
                  cloison::Random& random);
/// kCorrupt unless key, associated data and every bit fit.
Result<Secret> box_decrypt(const BoxKey& key, ByteView box, ByteView associated);
/// What box_encrypt adds to the length.
inline constexpr std::size_t kBoxOverhead = 40;

/// Anonymous public-key encryption (libsodium crypto_box_seal, X25519): anybody with the public
/// half can write, only the holder of the secret half can read, and two boxes of the same content
/// cannot be linked. Adds 48 bytes.
struct SealedBoxPublicKey {
    std::array<std::uint8_t, 32> bytes{};
    /// kInvalidArgument for another length or a point of small order, to which nothing can be
    /// encrypted.
    static Result<SealedBoxPublicKey> from_bytes(ByteView bytes);
};
class SealedBoxKeyPair {
  public:
    static SealedBoxKeyPair from_seed(ByteView seed32);
    const SealedBoxPublicKey& public_key() const { return public_; }
    Result<Secret> open(ByteView box) const;  ///< kCorrupt if it was not for this key.

  private:
    SealedBoxPublicKey public_;
    Secret secret_;
};
/// Draws its ephemeral key from the operating system. Aborts for a key of small order.
Bytes sealed_box(const SealedBoxPublicKey& to, ByteView plaintext);

}  // namespace cloison::crypto
