#include <algorithm>
#include <set>

#include "identity/handlers.h"
#include "identity/profile_values.h"
#include "identity/validate.h"

namespace cloison::identity {
namespace {

using storage::Transaction;

constexpr std::string_view kProfileFields[] = {"email", "phone", "family_name", "given_names"};

Status check_canary(const v1::PlantCanaryRequest& request) {
    CLOISON_TRY_STATUS(check_email_index(request.email_index()));
    CLOISON_TRY_STATUS(checked_id<RecordId>("record", request.record()));
    CLOISON_TRY_STATUS(check_language(request.language()));
    if (request.enrolment().empty() || request.enrolment().size() > kMaxGrantText)
        return fail(ErrorCode::kInvalidArgument, "enrolment must be what the keeper gave.");
    std::set<std::string> seen;
    for (const auto& value : request.fields()) {
        if (std::find(std::begin(kProfileFields), std::end(kProfileFields), value.field()) ==
            std::end(kProfileFields))
            return fail(ErrorCode::kInvalidArgument, "A field is none of the profile's.");
        if (!seen.insert(value.field()).second)
            return fail(ErrorCode::kInvalidArgument, value.field() + " is given twice.");
        CLOISON_TRY_STATUS(checked_id<RecordId>("record", value.record()));
        CLOISON_TRY_STATUS(check_sealed(value.field(), value.sealed()));
        if (value.field() == "email" && value.record() != request.record())
            return fail(ErrorCode::kInvalidArgument,
                        "The address stands under the account's record.");
    }
    if (!seen.contains("email"))
        return fail(ErrorCode::kInvalidArgument, "fields must have the e-mail address.");
    return {};
}

Result<Account> invented_resident(Core& core, const v1::PlantCanaryRequest& request) {
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
    // Random like any other, and the hash of no password that anybody could find.
    account.verifier = core.passwords.decoy();
    account.verifier.record = account.record;
    core.random.fill(account.verifier.hardened);
    core.random.fill(account.verifier.salt);
    return account;
}

/// Where they seem to have signed up from: addresses and a browser of nobody's (RFC 5737).
v1::Client invented_client(Core& core) {
    v1::Client client;
    client.set_origin("198.51.100." + std::to_string(1 + core.random.uniform(254)));
    client.set_user_agent("Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0");
    client.set_door("portal");
    return client;
}

}  // namespace

Result<v1::PlantCanaryResponse> plant_canary(Core& core, const net::Caller&,
                                             const v1::PlantCanaryRequest& request) {
    CLOISON_TRY_STATUS(check_canary(request));
    CLOISON_TRY(const auto account, invented_resident(core, request));
    CLOISON_TRY(auto trace,
                core.traces.seal(account, SignInOutcome::kSuccess, invented_client(core)));
    CLOISON_TRY_STATUS(core.database->write([&](Transaction& transaction) -> Status {
        const Status inserted = insert_account(core.keys.accounts, transaction, account);
        if (!inserted && inserted.error().code == ErrorCode::kConflict)
            return fail(ErrorCode::kConflict, "The account exists already.");
        CLOISON_TRY_STATUS(inserted);
        for (const auto& value : request.fields())
            CLOISON_TRY_STATUS(write_profile_value(
                core, transaction, account.id, core.registry.field(value.field())->number,
                {to_bytes(value.record()), to_bytes(value.sealed())}));
        if (!trace) return {};
        return core.traces.store(transaction, *trace);
    }));
    return v1::PlantCanaryResponse();
}

}  // namespace cloison::identity
