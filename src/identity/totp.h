#pragma once

#include <optional>
#include <string>

#include "base/bytes.h"
#include "base/secret.h"
#include "base/time.h"

namespace cloison::identity {

/// Time-based one-time codes (RFC 6238): SHA-1, six digits, steps of 30 seconds, as every code
/// application knows them.

/// The code of one step. Aborts if the library refuses, which it does for no input of ours.
std::string totp_code(ByteView secret, std::int64_t step);
std::int64_t totp_step(Time time);

/// The step that `code` belongs to: the present one or a neighbour, and later than `last_step`, so
/// that a code is good once. Takes the same time whichever step fits, or none.
std::optional<std::int64_t> match_totp(const Secret& secret, std::string_view code, Time now,
                                       std::int64_t last_step);

/// What code applications read from the QR code.
std::string totp_uri(std::string_view issuer, std::string_view label,
                     std::string_view base32_secret);

}  // namespace cloison::identity
