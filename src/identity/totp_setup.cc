#include "identity/handlers.h"
#include "identity/sessions.h"
#include "identity/totp.h"
#include "identity/totp_secret.h"
#include "identity/validate.h"

namespace cloison::identity {
namespace {

using storage::blob;
using storage::Transaction;

tl::unexpected<Error> not_offered() {
    return fail(ErrorCode::kConflict,
                "No new secret was shown in this session. Begin the set-up again.");
}

Status end_pending(Transaction& transaction, const AccountId& account) {
    CLOISON_TRY_STATUS(
        transaction.execute("DELETE FROM totp_pending WHERE account = $1", {blob(account.view())}));
    return {};
}

}  // namespace

Result<v1::BeginTotpResponse> begin_totp(Core& core, const net::Caller& caller,
                                         const v1::BeginTotpRequest& request) {
    CLOISON_TRY(const auto session,
                require_session(core, caller, request.token(), SessionNeed::kAny));
    const Account& account = session.account;
    if (account.totp)
        return fail(ErrorCode::kConflict, "A one-time code is set up already. Remove it first.");
    Bytes bytes(kTotpSecretSize);
    core.random.fill(bytes);
    const Secret secret(std::move(bytes));
    const Bytes box = core.encrypt_totp(secret, offered_totp_context(account.id, session.id));
    CLOISON_TRY_STATUS(core.database->write([&](Transaction& transaction) -> Status {
        CLOISON_TRY_STATUS(
            transaction.execute("UPDATE account SET totp_offered = $1 WHERE account = $2",
                                {blob(box), blob(account.id.view())}));
        return {};
    }));
    v1::BeginTotpResponse response;
    response.set_secret(base32_encode(secret.view()));
    response.set_uri(totp_uri(core.options.totp_issuer, session.door, response.secret()));
    return response;
}

Result<v1::ConfirmTotpResponse> confirm_totp(Core& core, const net::Caller& caller,
                                             const v1::ConfirmTotpRequest& request) {
    CLOISON_TRY(const auto session,
                require_session(core, caller, request.token(), SessionNeed::kAny));
    CLOISON_TRY_STATUS(check_code(request.code()));
    const Account& account = session.account;
    if (account.totp || !account.totp_offered) return not_offered();
    const auto secret =
        core.decrypt_totp(*account.totp_offered, offered_totp_context(account.id, session.id));
    if (!secret) return not_offered();
    CLOISON_TRY(const auto attempt, core.throttle.count(totp_subject(core, account.id), true));
    const auto step = match_totp(*secret, request.code(), core.clock.now(), account.totp_step);
    if (!step) return fail(ErrorCode::kUnauthenticated, kWrongCode);
    const Bytes bound = core.encrypt_totp(*secret, bound_totp_context(account.id));
    Revocations::Batch ended;
    CLOISON_TRY_STATUS(core.database->write([&](Transaction& transaction) -> Status {
        CLOISON_TRY(
            const auto count,
            transaction.execute(
                "UPDATE account SET totp = $1, totp_step = $2, totp_offered = NULL WHERE "
                "account = $3 AND totp IS NULL AND totp_offered = $4",
                {blob(bound), *step, blob(account.id.view()), blob(*account.totp_offered)}));
        if (count != 1) return not_offered();
        CLOISON_TRY_STATUS(Throttle::forgive(transaction, attempt));
        return end_sessions(core, transaction, account.id, &session, ended);
    }));
    core.revocations.tell(ended);
    return v1::ConfirmTotpResponse();
}

Result<v1::RemoveTotpResponse> remove_totp(Core& core, const net::Caller& caller,
                                           const v1::RemoveTotpRequest& request) {
    CLOISON_TRY(const auto session, require_session(core, caller, request.token()));
    CLOISON_TRY_STATUS(check_typed_password(request.password()));
    const Account& account = session.account;
    if (!account.is_resident())
        return fail(ErrorCode::kPermissionDenied, "Staff accounts must have a one-time code.");
    if (!account.totp) return fail(ErrorCode::kConflict, "No one-time code is set up.");
    CLOISON_TRY(const auto attempt, core.throttle.count(account.email_index, true));
    CLOISON_TRY(const bool matches, core.passwords.matches(request.password(), account.verifier));
    if (!matches) return fail(ErrorCode::kUnauthenticated, kWrongCredentials);
    Revocations::Batch ended;
    CLOISON_TRY_STATUS(core.database->write([&](Transaction& transaction) -> Status {
        CLOISON_TRY_STATUS(transaction.execute(
            "UPDATE account SET totp = NULL, totp_offered = NULL WHERE account = $1",
            {blob(account.id.view())}));
        CLOISON_TRY_STATUS(Throttle::forgive(transaction, attempt));
        CLOISON_TRY_STATUS(end_pending(transaction, account.id));
        return end_sessions(core, transaction, account.id, &session, ended);
    }));
    core.revocations.tell(ended);
    return v1::RemoveTotpResponse();
}

}  // namespace cloison::identity
