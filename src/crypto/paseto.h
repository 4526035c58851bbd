#pragma once

#include <string>
#include <string_view>

#include "crypto/sign.h"

namespace cloison::crypto {

/// PASETO v4.public: a signed, readable token. `footer` travels in the clear and is signed;
/// `implicit` is signed and does not travel. https://github.com/paseto-standard/paseto-spec
std::string paseto_sign(const SigningKey& key, std::string_view payload, std::string_view footer,
                        std::string_view implicit);
/// The payload, if header, signature, footer and implicit assertion fit; kUnauthenticated
/// otherwise. Claims (expiry and so on) are the caller's to check.
Result<std::string> paseto_verify(const VerifyKey& key, std::string_view token,
                                  std::string_view footer, std::string_view implicit);

}  // namespace cloison::crypto
