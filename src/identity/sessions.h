#pragma once

#include <string>

#include "identity/accounts.h"
#include "identity/core.h"
#include "net/rpc.h"

namespace cloison::identity {

/// A session that was found by its secret, at its own door, and has not expired.
struct Session {
    SessionId id;
    Bytes token_hash;
    Account account;
    std::string door;
    Time began;
    Time last_used;
};

/// kAny also lets those through who must first set up a code.
enum class SessionNeed { kComplete, kAny };

/// The session that `token` opens at the caller's door; kUnauthenticated in the same words for
/// every reason. Notes that it was used, at most once in five minutes.
Result<Session> require_session(Core& core, const net::Caller& caller, std::string_view token,
                                SessionNeed need = SessionNeed::kComplete);
/// The same, and kPermissionDenied unless the account has one of these roles.
Result<Session> require_role(Core& core, const net::Caller& caller, std::string_view token,
                             std::initializer_list<registry::Role> roles);

/// When the session expires if it is not used again.
Time expiry(const Session& session);

/// Begins a session under `token`; the least recently used ends if there are too many. What ended
/// is in `ended`, which the caller tells to the keeper after the commit (identity/revocations.h).
Status begin_session(Core& core, storage::Transaction& transaction, const AccountId& account,
                     std::string_view door, std::string_view token, Revocations::Batch& ended);
/// Ends all sessions of an account but, if given, one.
Status end_sessions(Core& core, storage::Transaction& transaction, const AccountId& account,
                    const Session* but, Revocations::Batch& ended);

}  // namespace cloison::identity
