#include "crypto/sign.h"

#include <sodium.h>

#include <algorithm>
#include <cstdlib>

#include "crypto/keys.h"

namespace cloison::crypto {

Result<VerifyKey> VerifyKey::from_bytes(ByteView bytes) {
    initialize();
    VerifyKey key;
    if (bytes.size() != key.bytes.size())
        return fail(ErrorCode::kInvalidArgument, "An Ed25519 public key has 32 bytes.");
    if (crypto_core_ed25519_is_valid_point(bytes.data()) != 1)
        return fail(ErrorCode::kInvalidArgument, "An Ed25519 public key is no valid point.");
    std::copy(bytes.begin(), bytes.end(), key.bytes.begin());
    return key;
}

bool VerifyKey::verify(ByteView message, ByteView signature) const {
    initialize();
    return signature.size() == crypto_sign_BYTES &&
           crypto_sign_verify_detached(signature.data(), message.data(), message.size(),
                                       bytes.data()) == 0;
}

SigningKey SigningKey::from_seed(ByteView seed32) {
    initialize();
    if (seed32.size() != crypto_sign_SEEDBYTES) std::abort();
    SigningKey key;
    key.secret_ = Secret(Bytes(crypto_sign_SECRETKEYBYTES));
    crypto_sign_seed_keypair(key.public_.bytes.data(), key.secret_.data(), seed32.data());
    return key;
}

Signature SigningKey::sign(ByteView message) const {
    Signature signature;
    crypto_sign_detached(signature.data(), nullptr, message.data(), message.size(),
                         secret_.view().data());
    return signature;
}

}  // namespace cloison::crypto
