#include "crypto/password.h"

#include <sodium.h>

#include "crypto/keys.h"

namespace cloison::crypto {

static_assert(kPasswordSaltSize == crypto_pwhash_argon2id_SALTBYTES);

Result<Secret> stretch_password(const Secret& password, ByteView salt, PasswordCost cost) {
    initialize();
    if (salt.size() != kPasswordSaltSize)
        return fail(ErrorCode::kInvalidArgument, "A password salt has 16 bytes.");
    if (cost.memory_kib < kMinPasswordMemoryKib || cost.memory_kib > kMaxPasswordMemoryKib ||
        cost.passes < 1 || cost.passes > kMaxPasswordPasses)
        return fail(ErrorCode::kInvalidArgument, "The cost of a password is out of bounds.");
    // An empty password may have no address, and libsodium wants one.
    const char* const text = password.empty() ? "" : password.text().data();
    Secret stretched{Bytes(kKeySize)};
    if (crypto_pwhash_argon2id(stretched.data(), stretched.size(), text, password.size(),
                               salt.data(), cost.passes, std::size_t{cost.memory_kib} * 1024,
                               crypto_pwhash_argon2id_ALG_ARGON2ID13) != 0)
        return fail(ErrorCode::kUnavailable, "There is not enough memory to check a password.");
    return stretched;
}

}  // namespace cloison::crypto
