#include "identity/handlers.h"
#include "identity/profile_values.h"
#include "identity/sessions.h"
#include "identity/validate.h"

namespace cloison::identity {
namespace {

using storage::blob;
using storage::Transaction;
using SignUpId = Id<struct SignUpTag>;

tl::unexpected<Error> no_sign_up() {
    return fail(ErrorCode::kNotFound, "This sign-up is unknown or has expired. Begin again.");
}

std::string new_code(Random& random) {
    std::string digits = std::to_string(random.uniform(1'000'000));
    return std::string(kTotpDigits - digits.size(), '0') + digits;
}

Bytes code_hash(const Core& core, const SignUpId& id, std::string_view code) {
    return core.hash("sign-up code", id.bytes().append(code));
}

/// Bounds what is unfinished: per address, so that nobody is flooded with mails or can guess for
/// ever, and in all.
Status check_room(Transaction& transaction, ByteView email_index) {
    CLOISON_TRY(const auto same,
                transaction.query_one("SELECT COUNT(*) FROM sign_up WHERE email_index = $1",
                                      {blob(email_index)}));
    if (same.integer(0) >= kMaxSignUpsPerEmail)
        return fail(ErrorCode::kExhausted,
                    "Too many codes were asked for with this address. Try again tomorrow.");
    CLOISON_TRY(const auto all, transaction.query_one("SELECT COUNT(*) FROM sign_up", {}));
    if (all.integer(0) >= kMaxSignUps)
        return fail(ErrorCode::kExhausted, "Too many sign-ups are under way. Try again later.");
    return {};
}

Status check_complete(const net::Caller& caller, const v1::CompleteSignUpRequest& request) {
    CLOISON_TRY_STATUS(check_client(caller, request.client()));
    CLOISON_TRY_STATUS(checked_id<SignUpId>("sign_up", request.sign_up()));
    CLOISON_TRY_STATUS(check_email_index(request.email_index()));
    CLOISON_TRY_STATUS(checked_id<RecordId>("record", request.record()));
    CLOISON_TRY_STATUS(check_sealed("sealed_email", request.sealed_email()));
    CLOISON_TRY_STATUS(check_language(request.language()));
    if (request.enrolment().empty() || request.enrolment().size() > kMaxGrantText)
        return fail(ErrorCode::kInvalidArgument, "enrolment must be what the keeper gave.");
    return check_new_password(request.password());
}

Status check_confirmed(Core& core, const v1::CompleteSignUpRequest& request) {
    return core.database->read([&](Transaction& transaction) -> Status {
        CLOISON_TRY(const auto rows,
                    transaction.query("SELECT 1 FROM sign_up WHERE sign_up = $1 AND email_index = "
                                      "$2 AND confirmed = 1 AND expires_ms > $3",
                                      {blob(request.sign_up()), blob(request.email_index()),
                                       to_unix_ms(core.clock.now())}));
        if (rows.empty()) return no_sign_up();
        return {};
    });
}

/// Takes the confirmed sign-up, so that it makes one account, and all others for that address.
Status take_sign_up(Core& core, Transaction& transaction,
                    const v1::CompleteSignUpRequest& request) {
    CLOISON_TRY(const auto count,
                transaction.execute("DELETE FROM sign_up WHERE sign_up = $1 AND email_index = $2 "
                                    "AND confirmed = 1 AND expires_ms > $3",
                                    {blob(request.sign_up()), blob(request.email_index()),
                                     to_unix_ms(core.clock.now())}));
    if (count != 1) return no_sign_up();
    CLOISON_TRY_STATUS(transaction.execute("DELETE FROM sign_up WHERE email_index = $1",
                                           {blob(request.email_index())}));
    return {};
}

Result<Account> new_resident(Core& core, const v1::CompleteSignUpRequest& request) {
    keeper::v1::ResolveRequest resolve;
    resolve.mutable_subject()->set_enrolment(request.enrolment());
    CLOISON_TRY(const auto resolved, core.keeper.resolve(resolve));
    Account account;
    account.id = AccountId::random(core.random);
    CLOISON_TRY(account.record, RecordId::from_bytes(request.record()));
    CLOISON_TRY(account.pseudonym, IdentityPseudonym::from_bytes(resolved.pseudonym()));
    account.email_index = to_bytes(request.email_index());
    account.actor = ActorId::random(core.random);
    account.language = request.language();
    CLOISON_TRY(account.verifier, core.passwords.make(request.password(), account.record));
    return account;
}

}  // namespace

Result<v1::BeginSignUpResponse> begin_sign_up(Core& core, const net::Caller&,
                                              const v1::BeginSignUpRequest& request) {
    CLOISON_TRY_STATUS(check_email_index(request.email_index()));
    CLOISON_TRY_STATUS(check_language(request.language()));
    const auto id = SignUpId::random(core.random);
    const std::string code = new_code(core.random);
    const Bytes good = code_hash(core, id, code);
    // What no code hashes to: with an account, the attempt looks the same and cannot be confirmed.
    Bytes impossible(good.size());
    core.random.fill(impossible);
    const Time now = core.clock.now();
    bool exists = false;
    CLOISON_TRY_STATUS(core.database->write([&](Transaction& transaction) -> Status {
        CLOISON_TRY_STATUS(
            transaction.execute("DELETE FROM sign_up WHERE expires_ms <= $1", {to_unix_ms(now)}));
        CLOISON_TRY_STATUS(check_room(transaction, as_bytes(request.email_index())));
        CLOISON_TRY(const auto account, account_by_email(core.keys.accounts, transaction,
                                                         as_bytes(request.email_index())));
        exists = account.has_value();
        CLOISON_TRY_STATUS(transaction.execute(
            "INSERT INTO sign_up (sign_up, email_index, code_hash, tries, confirmed, expires_ms) "
            "VALUES ($1, $2, $3, 0, 0, $4)",
            {blob(id.view()), blob(request.email_index()), blob(exists ? impossible : good),
             to_unix_ms(now + kSignUpLifetime)}));
        return {};
    }));
    v1::BeginSignUpResponse response;
    response.set_sign_up(id.bytes());
    response.set_account_exists(exists);
    if (!exists) response.set_code(code);
    return response;
}

Result<v1::ConfirmSignUpResponse> confirm_sign_up(Core& core, const net::Caller&,
                                                  const v1::ConfirmSignUpRequest& request) {
    CLOISON_TRY(const auto id, checked_id<SignUpId>("sign_up", request.sign_up()));
    CLOISON_TRY_STATUS(check_code(request.code()));
    const Bytes given = code_hash(core, id, request.code());
    bool right = false;
    // The try is counted in the transaction that compares, which commits also when it was wrong.
    CLOISON_TRY_STATUS(core.database->write([&](Transaction& transaction) -> Status {
        CLOISON_TRY(const auto rows,
                    transaction.query("SELECT code_hash, tries FROM sign_up WHERE sign_up = $1 AND "
                                      "expires_ms > $2",
                                      {blob(id.view()), to_unix_ms(core.clock.now())}));
        if (rows.empty()) return no_sign_up();
        if (rows[0].integer(1) >= kMaxSignUpTries)
            return fail(ErrorCode::kExhausted, "Too many tries. Ask for a new code.");
        right = equal_constant_time(given, rows[0].bytes(0));
        CLOISON_TRY_STATUS(transaction.execute(
            "UPDATE sign_up SET tries = tries + 1, confirmed = $1 WHERE sign_up = $2",
            {std::int64_t{right}, blob(id.view())}));
        return {};
    }));
    if (!right) return fail(ErrorCode::kUnauthenticated, kWrongCode);
    return v1::ConfirmSignUpResponse();
}

Result<v1::CompleteSignUpResponse> complete_sign_up(Core& core, const net::Caller& caller,
                                                    const v1::CompleteSignUpRequest& request) {
    CLOISON_TRY_STATUS(check_complete(caller, request));
    CLOISON_TRY_STATUS(check_confirmed(core, request));
    CLOISON_TRY(const auto account, new_resident(core, request));
    CLOISON_TRY(const auto trace,
                core.traces.seal(account, SignInOutcome::kSuccess, request.client()));
    const auto* email = core.registry.field("email");
    if (email == nullptr) return fail(ErrorCode::kInternal, "The register has no field email.");
    const std::string token = core.new_token();
    Revocations::Batch ended;
    CLOISON_TRY_STATUS(core.database->write([&](Transaction& transaction) -> Status {
        CLOISON_TRY_STATUS(take_sign_up(core, transaction, request));
        const Status inserted = insert_account(core.keys.accounts, transaction, account);
        if (!inserted && inserted.error().code == ErrorCode::kConflict)
            return fail(ErrorCode::kConflict, "The account exists already.");
        CLOISON_TRY_STATUS(inserted);
        CLOISON_TRY_STATUS(write_profile_value(
            core, transaction, account.id, email->number,
            {to_bytes(account.record.view()), to_bytes(request.sealed_email())}));
        if (trace) CLOISON_TRY_STATUS(core.traces.store(transaction, *trace));
        return begin_session(core, transaction, account.id, caller.service, token, ended);
    }));
    core.revocations.tell(ended);
    v1::CompleteSignUpResponse response;
    response.set_token(token);
    return response;
}

}  // namespace cloison::identity
