#pragma once

#include <string>
#include <string_view>

#include "crypto/keys.h"
#include "crypto/paseto.h"
#include "target.h"

namespace cloison::fuzz {

/// The first byte of an input about a signed token says what the rest is.
inline constexpr std::uint8_t kIsPayload = 'p';  ///< Claims, which the target signs.
inline constexpr std::uint8_t kIsToken = 't';    ///< The token itself.

inline crypto::SigningKey make_signing_key() {
    crypto::initialize();
    return crypto::SigningKey::from_seed(Bytes(32, 5));
}
inline const crypto::SigningKey& signing_key() {
    static const auto key = make_signing_key();
    return key;
}

inline constexpr std::int64_t kNowMs = 1'776'000'000'000;

/// The token that an input stands for.
inline std::string token_of(ByteView input, std::string_view footer, std::string_view implicit) {
    Input in(input);
    const std::uint8_t kind = in.byte();
    const std::string_view rest = as_text(in.rest());
    if (kind == kIsPayload) return crypto::paseto_sign(signing_key(), rest, footer, implicit);
    return std::string(rest);
}

/// A token that was taken is, byte for byte, the one that the key signs for its payload: Ed25519 is
/// deterministic, so nothing that anybody altered or wrote another way was taken.
inline void require_own_token(std::string_view token, std::string_view footer,
                              std::string_view implicit) {
    const auto payload = crypto::paseto_verify(signing_key().verify_key(), token, footer, implicit);
    require(payload.has_value(), "a token that is taken has a good signature");
    require(crypto::paseto_sign(signing_key(), *payload, footer, implicit) == token,
            "a token that is taken is the one that was signed");
}

/// Two seeds of a token: its claims, and itself.
inline std::vector<Seed> token_seeds(const std::string& name, const std::string& token,
                                     std::string_view footer, std::string_view implicit) {
    const auto payload = crypto::paseto_verify(signing_key().verify_key(), token, footer, implicit);
    require(payload.has_value(), "a seed's token is signed");
    return {{name + "-claims", to_bytes(std::string(1, char(kIsPayload)) + *payload)},
            {name + "-token", to_bytes(std::string(1, char(kIsToken)) + token)}};
}

inline void add(std::vector<Seed>& seeds, std::vector<Seed> more) {
    seeds.insert(seeds.end(), more.begin(), more.end());
}

}  // namespace cloison::fuzz
