#include "identity/sessions.h"

#include <algorithm>

#include "base/log.h"
#include "crypto/pae.h"
#include "identity/handlers.h"
#include "identity/validate.h"

namespace cloison::identity {
namespace {

using storage::blob;
using storage::Transaction;

constexpr std::size_t kTokenCharacters = 43;  // 32 bytes in base64url

tl::unexpected<Error> no_session() {
    return fail(ErrorCode::kUnauthenticated, "There is no such session, or it has ended.");
}

bool has_expired(const Session& session, Time now) {
    return now >= expiry(session);
}

/// Of what never changes in a session's row: a row that somebody gave to another account, or moved
/// under another token, is no session.
Bytes proof_of(const Core& core, ByteView token_hash, ByteView session, ByteView account,
               std::string_view door, std::int64_t began_ms) {
    Bytes began;
    put_u64(began, static_cast<std::uint64_t>(began_ms));
    return core.hash(
        "session row",
        as_text(crypto::pre_auth_encode({token_hash, session, account, as_bytes(door), began})));
}

Result<Session> find_session(Core& core, std::string_view token) {
    if (token.size() != kTokenCharacters) return no_session();
    const Bytes token_hash = core.hash("session", token);
    return core.database->read_result<Session>([&](Transaction& transaction) -> Result<Session> {
        CLOISON_TRY(const auto rows,
                    transaction.query("SELECT session, account, door, began_ms, last_used_ms, "
                                      "proof FROM session WHERE token_hash = $1",
                                      {blob(token_hash)}));
        if (rows.empty()) return no_session();
        const auto& row = rows[0];
        if (!equal_constant_time(
                proof_of(core, token_hash, row.bytes(0), row.bytes(1), row.text(2), row.integer(3)),
                row.bytes(5))) {
            log_error(
                "A session's row in identity.sqlite is not as it was written: it counts for none.");
            return no_session();
        }
        CLOISON_TRY(const auto account_id, AccountId::from_bytes(row.bytes(1)));
        CLOISON_TRY(auto account, account_by_id(core.keys.accounts, transaction, account_id));
        if (!account || account->disabled) return no_session();
        CLOISON_TRY(const auto id, SessionId::from_bytes(row.bytes(0)));
        return Session{id,
                       token_hash,
                       std::move(*account),
                       row.text(2),
                       from_unix_ms(row.integer(3)),
                       from_unix_ms(row.integer(4))};
    });
}

/// Ends the sessions of the rows, which a query of their token hashes and ids gave.
Status end_rows(Core& core, Transaction& transaction, const storage::Rows& rows,
                Revocations::Batch& ended) {
    for (const auto& row : rows) {
        CLOISON_TRY_STATUS(
            transaction.execute("DELETE FROM session WHERE token_hash = $1", {blob(row.bytes(0))}));
        CLOISON_TRY(const auto session, SessionId::from_bytes(row.bytes(1)));
        CLOISON_TRY_STATUS(core.revocations.end(transaction, session, ended));
    }
    return {};
}

}  // namespace

Time expiry(const Session& session) {
    const Duration longest = session.account.is_resident() ? kResidentSession : kStaffSession;
    return std::min(session.began + longest, session.last_used + kSessionIdle);
}

Result<Session> require_session(Core& core, const net::Caller& caller, std::string_view token,
                                SessionNeed need) {
    CLOISON_TRY(auto session, find_session(core, token));
    const Time now = core.clock.now();
    if (session.door != caller.service || has_expired(session, now)) return no_session();
    if (need == SessionNeed::kComplete && session.account.lacks_totp())
        return fail(ErrorCode::kPermissionDenied, "Set up a one-time code first.");
    if (const Time used = truncate(now, kSessionTimeUnit); used > session.last_used) {
        CLOISON_TRY_STATUS(core.database->write([&](Transaction& transaction) -> Status {
            CLOISON_TRY_STATUS(
                transaction.execute("UPDATE session SET last_used_ms = $1 WHERE token_hash = $2",
                                    {to_unix_ms(used), blob(session.token_hash)}));
            return {};
        }));
        session.last_used = used;
    }
    return session;
}

Result<Session> require_role(Core& core, const net::Caller& caller, std::string_view token,
                             std::initializer_list<registry::Role> roles) {
    CLOISON_TRY(auto session, require_session(core, caller, token));
    if (std::find(roles.begin(), roles.end(), session.account.role) == roles.end())
        return fail(
            ErrorCode::kPermissionDenied,
            "This is not open to the role " + std::string(role_name(session.account.role)) + ".");
    return session;
}

Status begin_session(Core& core, Transaction& transaction, const AccountId& account,
                     std::string_view door, std::string_view token, Revocations::Batch& ended) {
    ended.clear();
    const Time now = core.clock.now();
    const std::int64_t began = to_unix_ms(truncate(now, kSessionTimeUnit));
    CLOISON_TRY_STATUS(transaction.execute("DELETE FROM session WHERE began_ms <= $1",
                                           {to_unix_ms(now - kResidentSession)}));
    CLOISON_TRY(const auto over,
                transaction.query("SELECT token_hash, session FROM session WHERE account = $1 "
                                  "ORDER BY last_used_ms DESC LIMIT $2 OFFSET $3",
                                  {blob(account.view()), std::int64_t{kMaxSessions},
                                   std::int64_t{kMaxSessions - 1}}));
    CLOISON_TRY_STATUS(end_rows(core, transaction, over, ended));
    const Bytes token_hash = core.hash("session", token);
    const auto session = SessionId::random(core.random);
    CLOISON_TRY_STATUS(transaction.execute(
        "INSERT INTO session (token_hash, session, account, door, began_ms, last_used_ms, proof) "
        "VALUES ($1, $2, $3, $4, $5, $5, $6)",
        {blob(token_hash), blob(session.view()), blob(account.view()), std::string(door), began,
         blob(proof_of(core, token_hash, session.view(), account.view(), door, began))}));
    return {};
}

Status end_sessions(Core& core, Transaction& transaction, const AccountId& account,
                    const Session* but, Revocations::Batch& ended) {
    ended.clear();
    CLOISON_TRY(const auto rows,
                transaction.query("SELECT token_hash, session FROM session WHERE account = $1 AND "
                                  "token_hash <> $2",
                                  {blob(account.view()), blob(but ? but->token_hash : Bytes())}));
    return end_rows(core, transaction, rows, ended);
}

Result<v1::GetSessionResponse> get_session(Core& core, const net::Caller& caller,
                                           const v1::GetSessionRequest& request) {
    if (request.door() != caller.service)
        return fail(ErrorCode::kInvalidArgument, "door must name the calling service.");
    CLOISON_TRY(const auto session,
                require_session(core, caller, request.token(), SessionNeed::kAny));
    const Account& account = session.account;
    v1::GetSessionResponse response;
    response.set_session(session.id.bytes());
    response.set_actor(account.actor.bytes());
    response.set_role(std::string(role_name(account.role)));
    response.set_has_totp(account.totp.has_value());
    response.set_totp_required(account.lacks_totp());
    response.set_language(account.language);
    response.set_display_name(account.display_name);
    response.set_unit(account.unit);
    response.set_signed_in_ms(to_unix_ms(session.began));
    return response;
}

Result<v1::ListSessionsResponse> list_sessions(Core& core, const net::Caller& caller,
                                               const v1::ListSessionsRequest& request) {
    CLOISON_TRY(const auto session, require_session(core, caller, request.token()));
    v1::ListSessionsResponse response;
    CLOISON_TRY_STATUS(core.database->read([&](Transaction& transaction) -> Status {
        response.Clear();
        CLOISON_TRY(const auto rows,
                    transaction.query("SELECT session, door, began_ms, last_used_ms FROM session "
                                      "WHERE account = $1 ORDER BY last_used_ms DESC, session",
                                      {blob(session.account.id.view())}));
        for (const auto& row : rows) {
            Session other{{},
                          {},
                          session.account,
                          row.text(1),
                          from_unix_ms(row.integer(2)),
                          from_unix_ms(row.integer(3))};
            if (has_expired(other, core.clock.now())) continue;
            auto* summary = response.add_sessions();
            summary->set_session(row.byte_string(0));
            summary->set_door(row.text(1));
            summary->set_began_ms(row.integer(2));
            summary->set_last_used_ms(row.integer(3));
            summary->set_current(row.byte_string(0) == session.id.bytes());
        }
        return {};
    }));
    return response;
}

Result<v1::EndSessionResponse> end_session(Core& core, const net::Caller& caller,
                                           const v1::EndSessionRequest& request) {
    CLOISON_TRY(const auto session, require_session(core, caller, request.token()));
    CLOISON_TRY(const auto other, checked_id<SessionId>("session", request.session()));
    Revocations::Batch ended;
    CLOISON_TRY_STATUS(core.database->write([&](Transaction& transaction) -> Status {
        ended.clear();
        CLOISON_TRY(const auto rows,
                    transaction.query("SELECT token_hash, session FROM session WHERE session = $1 "
                                      "AND account = $2",
                                      {blob(other.view()), blob(session.account.id.view())}));
        if (rows.empty()) return fail(ErrorCode::kNotFound, "There is no such session.");
        return end_rows(core, transaction, rows, ended);
    }));
    core.revocations.tell(ended);
    return v1::EndSessionResponse();
}

Result<v1::SignOutResponse> sign_out(Core& core, const net::Caller& caller,
                                     const v1::SignOutRequest& request) {
    CLOISON_TRY(const auto session,
                require_session(core, caller, request.token(), SessionNeed::kAny));
    Revocations::Batch ended;
    CLOISON_TRY_STATUS(core.database->write([&](Transaction& transaction) -> Status {
        ended.clear();
        CLOISON_TRY_STATUS(transaction.execute("DELETE FROM session WHERE token_hash = $1",
                                               {blob(session.token_hash)}));
        return core.revocations.end(transaction, session.id, ended);
    }));
    core.revocations.tell(ended);
    return v1::SignOutResponse();
}

}  // namespace cloison::identity
