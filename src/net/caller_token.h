#pragma once

#include <string_view>

#include "base/time.h"
#include "net/rpc.h"

namespace cloison::net {

/// Bounds of a caller token, docs/formats/caller-token.md.
inline constexpr Duration kCallerTokenLifetime{5 * 60'000};
inline constexpr Duration kMaxCallerTokenLifetime{10 * 60'000};
inline constexpr Duration kCallerTokenRenewal{2 * 60'000};  ///< A new one when less is left.
inline constexpr Duration kMaxClockSkew{60'000};            ///< Of `iat`, into the future.
inline constexpr std::size_t kMaxCallerToken = 1024;        ///< Characters.

struct VerifiedCaller {
    Caller caller;
    Time expires;
};

/// TrustStore::verify, and until when the answer holds. kUnauthenticated says which check failed.
Result<VerifiedCaller> verify_caller_token(const TrustStore& trust, std::string_view token,
                                           std::string_view audience, Time now);

/// Names of services: a lower-case letter, then at most 31 lower-case letters, digits or hyphens.
bool is_service_name(std::string_view name);

}  // namespace cloison::net
