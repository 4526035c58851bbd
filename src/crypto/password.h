#pragma once

#include "base/bytes.h"
#include "base/secret.h"

namespace cloison::crypto {

/// Argon2id (RFC 9106) cost. The default is OWASP's: 19 MiB, two passes.
struct PasswordCost {
    std::uint32_t memory_kib = 19456;
    std::uint32_t passes = 2;
};
inline constexpr std::size_t kPasswordSaltSize = 16;
/// Bounds of the cost; beyond them, kInvalidArgument. One lane (p = 1) always.
inline constexpr std::uint32_t kMinPasswordMemoryKib = 8;
inline constexpr std::uint32_t kMaxPasswordMemoryKib = 1024 * 1024;
inline constexpr std::uint32_t kMaxPasswordPasses = 16;

/// 32 bytes. Takes tens of milliseconds and the stated memory; callers bound how many run at once.
/// kUnavailable where the memory cannot be had.
Result<Secret> stretch_password(const Secret& password, ByteView salt, PasswordCost cost);

}  // namespace cloison::crypto
