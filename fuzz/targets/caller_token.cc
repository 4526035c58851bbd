// A caller token. Beyond not crashing: a token that is taken is the one that the service's key
// signs, names that service and no other, is for this audience, and ends within the longest
// lifetime.
#include "net/caller_token.h"

#include "token.h"

namespace cloison::fuzz {
namespace {

constexpr std::string_view kService = "portal";
constexpr std::string_view kImplicit = "cloison-caller-v1";

bool run(ByteView input) {
    const Time now = from_unix_ms(kNowMs);
    net::TrustStore trust;
    trust.add(std::string(kService), signing_key().verify_key());
    trust.add("desk", crypto::SigningKey::from_seed(Bytes(32, 6)).verify_key());
    const std::string token = token_of(input, kService, kImplicit);
    const auto verified = net::verify_caller_token(trust, token, "keeper", now);
    if (!verified) {
        require(verified.error().code == ErrorCode::kUnauthenticated,
                "a bad caller token is unauthenticated");
        return false;
    }
    require(token.size() <= net::kMaxCallerToken, "a caller token is short");
    require(verified->caller.service == kService, "the caller is who signed");
    require_own_token(token, kService, kImplicit);
    require(verified->expires > now, "a caller token is valid now");
    require(verified->expires <= now + net::kMaxClockSkew + net::kMaxCallerTokenLifetime,
            "a caller token ends soon");
    require(!net::verify_caller_token(trust, token, "identity", now),
            "a caller token is for one audience");
    return true;
}

std::vector<Seed> seeds() {
    ManualClock clock(from_unix_ms(kNowMs));
    const net::CallerIdentity portal(std::string(kService), make_signing_key(), clock);
    return token_seeds("portal", portal.token("keeper"), kService, kImplicit);
}

const Registration registration({"caller_token", run, seeds});

}  // namespace
}  // namespace cloison::fuzz
