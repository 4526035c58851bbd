// A grant: a signed token, and the claims behind the signature. Beyond not crashing:
// - a token that is taken is the one that identity's key signs, byte for byte;
// - what was read signs again to a token that reads the same;
// - its times are in order and within the longest lifetime, its lists within their bounds.
#include "keeper/client/grant.h"

#include <set>

#include "token.h"

namespace cloison::fuzz {
namespace {

using keeper::Grant;

constexpr std::string_view kImplicit = "cloison/grant/v1";

bool same(const Grant& a, const Grant& b) {
    return a.id == b.id && a.actor == b.actor && a.role == b.role && a.session == b.session &&
           a.door == b.door && a.origin == b.origin && a.purpose == b.purpose &&
           a.reason == b.reason && a.fields == b.fields && a.person == b.person &&
           a.case_handle == b.case_handle && a.list == b.list && a.approvers == b.approvers &&
           a.issued == b.issued && a.expires == b.expires;
}

bool run(ByteView input) {
    const Time now = from_unix_ms(kNowMs);
    const auto& key = signing_key().verify_key();
    const std::string token = token_of(input, "", kImplicit);
    const auto grant = keeper::verify_grant(key, token, now);
    if (!grant) {
        require(grant.error().code == ErrorCode::kUnauthenticated,
                "a bad grant is unauthenticated");
        return false;
    }
    require_own_token(token, "", kImplicit);
    const auto again = keeper::verify_grant(key, keeper::sign_grant(signing_key(), *grant), now);
    require(again && same(*again, *grant), "a grant signs and reads the same again");
    require(grant->expires > now && grant->expires > grant->issued, "a grant is valid now");
    require(grant->expires - grant->issued <= keeper::kMaxGrantLifetime, "a grant is short");
    require(grant->fields.size() <= 128 && grant->approvers.size() <= 8, "lists are bounded");
    require(std::set(grant->fields.begin(), grant->fields.end()).size() == grant->fields.size(),
            "no field stands twice");
    require(std::set(grant->approvers.begin(), grant->approvers.end()).size() ==
                grant->approvers.size(),
            "nobody approves twice");
    require(!keeper::verify_ticket(key, token, now), "a grant is no ticket");
    return true;
}

std::vector<Seed> seeds() {
    Grant grant;
    grant.id = std::string(32, 'a');
    grant.actor = *ActorId::from_bytes(Bytes(16, 1));
    grant.session = *SessionId::from_bytes(Bytes(16, 2));
    grant.door = "portal";
    grant.origin = "203.0.113.5";
    grant.purpose = "self_service";
    grant.fields = {"email", "family_name"};
    grant.person = Bytes(82, 9);
    grant.issued = from_unix_ms(kNowMs);
    grant.expires = grant.issued + keeper::kMaxGrantLifetime;
    std::vector<Seed> seeds =
        token_seeds("self", keeper::sign_grant(signing_key(), grant), "", kImplicit);
    grant.role = registry::Role::kDpo;
    grant.door = "desk";
    grant.origin = "2001:db8::1";
    grant.purpose = "investigate";
    grant.reason = "incident";
    grant.person.clear();
    grant.case_handle = Bytes(82, 8);
    grant.list = Bytes(32, 7);
    grant.approvers = {grant.actor, *ActorId::from_bytes(Bytes(16, 3))};
    add(seeds, token_seeds("bulk", keeper::sign_grant(signing_key(), grant), "", kImplicit));
    return seeds;
}

const Registration registration({"grant", run, seeds});

}  // namespace
}  // namespace cloison::fuzz
