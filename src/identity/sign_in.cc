#include "identity/handlers.h"
#include "identity/sessions.h"
#include "identity/totp.h"
#include "identity/totp_secret.h"
#include "identity/validate.h"

namespace cloison::identity {
namespace {

using storage::blob;
using storage::Transaction;

tl::unexpected<Error> wrong_credentials() {
    return fail(ErrorCode::kUnauthenticated, kWrongCredentials);
}

tl::unexpected<Error> no_pending() {
    return fail(ErrorCode::kUnauthenticated, "This sign-in has expired. Begin again.");
}

Result<std::optional<Account>> find_account(Core& core, std::string_view email_index) {
    return core.database->read_result<std::optional<Account>>([&](Transaction& transaction) {
        return account_by_email(core.keys.accounts, transaction, as_bytes(email_index));
    });
}

Result<std::string> begin_pending(Core& core, const Account& account, std::string_view door,
                                  const Try& attempt) {
    const std::string token = core.new_token();
    const Time now = core.clock.now();
    CLOISON_TRY_STATUS(core.database->write([&](Transaction& transaction) -> Status {
        CLOISON_TRY_STATUS(Throttle::forgive(transaction, attempt));
        CLOISON_TRY_STATUS(transaction.execute("DELETE FROM totp_pending WHERE expires_ms <= $1",
                                               {to_unix_ms(now)}));
        CLOISON_TRY_STATUS(transaction.execute(
            "DELETE FROM totp_pending WHERE token_hash IN (SELECT token_hash FROM totp_pending "
            "WHERE account = $1 ORDER BY expires_ms DESC LIMIT $2 OFFSET $3)",
            {blob(account.id.view()), std::int64_t{kMaxTotpPending},
             std::int64_t{kMaxTotpPending - 1}}));
        CLOISON_TRY_STATUS(transaction.execute(
            "INSERT INTO totp_pending (token_hash, account, door, tries, expires_ms) VALUES ($1, "
            "$2, $3, 0, $4)",
            {blob(core.hash("totp pending", token)), blob(account.id.view()), std::string(door),
             to_unix_ms(now + kTotpPendingLifetime)}));
        return {};
    }));
    return token;
}

/// Counts a try of a pending sign-in and says whose it is.
Result<Account> count_pending_try(Core& core, const Bytes& token_hash, std::string_view door) {
    return core.database->write_result<Account>([&](Transaction& transaction) -> Result<Account> {
        CLOISON_TRY(
            const auto rows,
            transaction.query("SELECT account, tries FROM totp_pending WHERE token_hash = "
                              "$1 AND door = $2 AND expires_ms > $3",
                              {blob(token_hash), std::string(door), to_unix_ms(core.clock.now())}));
        if (rows.empty()) return no_pending();
        if (rows[0].integer(1) >= kMaxTotpTries)
            return fail(ErrorCode::kExhausted, "Too many tries. Begin the sign-in again.");
        CLOISON_TRY_STATUS(transaction.execute(
            "UPDATE totp_pending SET tries = tries + 1 WHERE token_hash = $1", {blob(token_hash)}));
        CLOISON_TRY(const auto id, AccountId::from_bytes(rows[0].bytes(0)));
        CLOISON_TRY(auto account, account_by_id(core.keys.accounts, transaction, id));
        if (!account || account->disabled || !account->totp) return no_pending();
        return std::move(*account);
    });
}

/// While the password was stretched somebody may have set up a code, or disabled the account: then
/// the password alone is not enough any more.
Status require_password_is_enough(Transaction& transaction, const AccountId& account) {
    CLOISON_TRY(const auto row,
                transaction.query_one("SELECT COUNT(*) FROM account WHERE account = $1 AND totp IS "
                                      "NULL AND disabled = 0",
                                      {blob(account.view())}));
    if (row.integer(0) != 1) return no_pending();
    return {};
}

/// Uses up the code's step: of two tries with one code, one gets in; none if the code that was
/// checked is no longer the account's.
Status use_step(Transaction& transaction, const Account& account, std::int64_t step) {
    CLOISON_TRY(const auto count,
                transaction.execute("UPDATE account SET totp_step = $1 WHERE account = $2 AND "
                                    "totp_step < $1 AND disabled = 0 AND totp = $3",
                                    {step, blob(account.id.view()), blob(*account.totp)}));
    if (count != 1) return fail(ErrorCode::kUnauthenticated, kWrongCode);
    return {};
}

/// Once: a pending sign-in that was ended meanwhile begins no session.
Status end_pending(Transaction& transaction, const Bytes& token_hash) {
    CLOISON_TRY(
        const auto count,
        transaction.execute("DELETE FROM totp_pending WHERE token_hash = $1", {blob(token_hash)}));
    if (count != 1) return no_pending();
    return {};
}

/// A verifier where there is no account, with a record of its own for each address: the keeper
/// bounds what is tried on one record, and no more may be tried, nor less, because nobody is there.
Verifier decoy(const Core& core, std::string_view email_index) {
    Verifier verifier = core.passwords.decoy();
    Bytes record = core.hash("decoy record", email_index);
    record.resize(RecordId::kSize);
    verifier.record = *RecordId::from_bytes(record);
    return verifier;
}

}  // namespace

Result<v1::SignInResponse> sign_in(Core& core, const net::Caller& caller,
                                   const v1::SignInRequest& request) {
    CLOISON_TRY_STATUS(check_client(caller, request.client()));
    CLOISON_TRY_STATUS(check_email_index(request.email_index()));
    CLOISON_TRY_STATUS(check_typed_password(request.password()));
    CLOISON_TRY(auto account, find_account(core, request.email_index()));
    CLOISON_TRY(const auto attempt,
                core.throttle.count(as_bytes(request.email_index()), account.has_value()));
    if (account && (account->disabled || !may_use_door(account->role, caller.service)))
        account.reset();
    CLOISON_TRY(
        const bool matches,
        core.passwords.matches(request.password(),
                               account ? account->verifier : decoy(core, request.email_index())));
    if (!account) return wrong_credentials();
    if (!matches) {
        core.traces.record_later(*account, SignInOutcome::kWrongPassword, request.client());
        return wrong_credentials();
    }
    v1::SignInResponse response;
    if (account->totp) {
        CLOISON_TRY(*response.mutable_totp_pending(),
                    begin_pending(core, *account, caller.service, attempt));
        return response;
    }
    CLOISON_TRY(const auto trace,
                core.traces.seal(*account, SignInOutcome::kSuccess, request.client()));
    const std::string token = core.new_token();
    Revocations::Batch ended;
    CLOISON_TRY_STATUS(core.database->write([&](Transaction& transaction) -> Status {
        CLOISON_TRY_STATUS(require_password_is_enough(transaction, account->id));
        CLOISON_TRY_STATUS(Throttle::forgive(transaction, attempt));
        if (trace) CLOISON_TRY_STATUS(core.traces.store(transaction, *trace));
        return begin_session(core, transaction, account->id, caller.service, token, ended);
    }));
    core.revocations.tell(ended);
    response.set_token(token);
    return response;
}

Result<v1::SignInTotpResponse> sign_in_totp(Core& core, const net::Caller& caller,
                                            const v1::SignInTotpRequest& request) {
    CLOISON_TRY_STATUS(check_client(caller, request.client()));
    CLOISON_TRY_STATUS(check_code(request.code()));
    const Bytes pending = core.hash("totp pending", request.totp_pending());
    CLOISON_TRY(const auto account, count_pending_try(core, pending, caller.service));
    CLOISON_TRY(const auto attempt, core.throttle.count(totp_subject(core, account.id), true));
    CLOISON_TRY(const Secret secret,
                core.decrypt_totp(*account.totp, bound_totp_context(account.id)));
    const auto step = match_totp(secret, request.code(), core.clock.now(), account.totp_step);
    if (!step) {
        core.traces.record_later(account, SignInOutcome::kWrongCode, request.client());
        return fail(ErrorCode::kUnauthenticated, kWrongCode);
    }
    CLOISON_TRY(const auto trace,
                core.traces.seal(account, SignInOutcome::kSuccess, request.client()));
    const std::string token = core.new_token();
    Revocations::Batch ended;
    CLOISON_TRY_STATUS(core.database->write([&](Transaction& transaction) -> Status {
        CLOISON_TRY_STATUS(use_step(transaction, account, *step));
        CLOISON_TRY_STATUS(end_pending(transaction, pending));
        CLOISON_TRY_STATUS(Throttle::forgive(transaction, attempt));
        if (trace) CLOISON_TRY_STATUS(core.traces.store(transaction, *trace));
        return begin_session(core, transaction, account.id, caller.service, token, ended);
    }));
    core.revocations.tell(ended);
    v1::SignInTotpResponse response;
    response.set_token(token);
    return response;
}

Result<v1::ListSignInsResponse> list_sign_ins(Core& core, const net::Caller& caller,
                                              const v1::ListSignInsRequest& request) {
    CLOISON_TRY(const auto session, require_session(core, caller, request.token()));
    if (request.limit() < 1 || request.limit() > kMaxTracesListed)
        return fail(ErrorCode::kInvalidArgument, "limit must be 1 to 100.");
    core.traces.settle();
    v1::ListSignInsResponse response;
    CLOISON_TRY_STATUS(core.database->read([&](Transaction& transaction) -> Status {
        response.Clear();
        CLOISON_TRY(const auto stored,
                    core.traces.list(transaction, session.account.id, request.limit()));
        for (const auto& one : stored) {
            auto* trace = response.add_traces();
            trace->set_record(to_string(one.record));
            trace->set_sealed(to_string(one.sealed));
        }
        return {};
    }));
    return response;
}

}  // namespace cloison::identity
