// A ticket of casework. Beyond not crashing: a token that is taken is the one that casework's key
// signs, is no grant, has not expired, and what was read signs and reads the same again.
#include "keeper/client/grant.h"
#include "token.h"

namespace cloison::fuzz {
namespace {

constexpr std::string_view kImplicit = "cloison/ticket/v1";

bool run(ByteView input) {
    const Time now = from_unix_ms(kNowMs);
    const auto& key = signing_key().verify_key();
    const std::string token = token_of(input, "", kImplicit);
    const auto ticket = keeper::verify_ticket(key, token, now);
    if (!ticket) {
        require(ticket.error().code == ErrorCode::kUnauthenticated,
                "a bad ticket is unauthenticated");
        return false;
    }
    require_own_token(token, "", kImplicit);
    const auto again = keeper::verify_ticket(key, keeper::sign_ticket(signing_key(), *ticket), now);
    require(again && again->handle == ticket->handle && again->actor == ticket->actor &&
                again->expires == ticket->expires,
            "a ticket signs and reads the same again");
    require(ticket->expires > now && ticket->handle.size() <= 256, "a ticket is within its bounds");
    require(!keeper::verify_grant(key, token, now), "a ticket is no grant");
    return true;
}

std::vector<Seed> seeds() {
    keeper::Ticket ticket{Bytes(82, 3), ActorId{}, from_unix_ms(kNowMs + 60'000)};
    auto seeds =
        token_seeds("own-request", keeper::sign_ticket(signing_key(), ticket), "", kImplicit);
    ticket.actor = *ActorId::from_bytes(Bytes(16, 1));
    add(seeds, token_seeds("officer", keeper::sign_ticket(signing_key(), ticket), "", kImplicit));
    return seeds;
}

const Registration registration({"ticket", run, seeds});

}  // namespace
}  // namespace cloison::fuzz
