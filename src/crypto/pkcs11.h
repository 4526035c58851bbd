#pragma once

#include <string>

#include "base/bytes.h"
#include "base/file_system.h"
#include "base/random.h"
#include "base/secret.h"

namespace cloison::crypto {

/// An AES-256 key that lives in a PKCS#11 token (an HSM, a smart card, SoftHSM) and never leaves
/// it.
struct TokenKey {
    Path module;        ///< The token's PKCS#11 library.
    std::string token;  ///< Label of the token.
    std::string key;    ///< Label of the key in it.
};

/// Each call loads the module, opens a session, logs in with `pin`, and ends it again. One thread
/// at a time. Errors name what is wrong with module, token, PIN or key and what mends it: kNotFound
/// for what is missing, kPermissionDenied for a PIN that is refused, kIo where the token fails.

/// Generates the key in the token: sensitive, not extractable, for encryption alone. A key of that
/// label that is there already is taken if it has these properties, refused otherwise, kConflict.
Status create_token_key(const TokenKey& name, const Secret& pin);

/// CKM_AES_GCM with a random nonce: nonce(12) ‖ ciphertext ‖ tag(16).
Result<Bytes> token_encrypt(const TokenKey& name, const Secret& pin, ByteView plaintext,
                            ByteView associated, cloison::Random& random);
/// kCorrupt unless key, associated data and every bit fit.
Result<Secret> token_decrypt(const TokenKey& name, const Secret& pin, ByteView box,
                             ByteView associated);
/// What token_encrypt adds to the length.
inline constexpr std::size_t kTokenOverhead = 28;

}  // namespace cloison::crypto
