#include <algorithm>

#include "identity/handlers.h"
#include "identity/sessions.h"
#include "identity/totp_secret.h"
#include "identity/validate.h"

namespace cloison::identity {
namespace {

using registry::Role;
using storage::blob;
using storage::Transaction;

/// The command line on the machine itself, which makes the first administrator.
bool is_operator(const net::Caller& caller) {
    return caller.service == "operator";
}

Result<Role> check_new(const net::Caller& caller, const v1::CreateStaffRequest& request) {
    const auto role = registry::role_from_name(request.role());
    if (!role || *role == Role::kResident)
        return fail(ErrorCode::kInvalidArgument,
                    "role must be professional, officer, support, dpo or administrator.");
    CLOISON_TRY_STATUS(check_email_index(request.email_index()));
    CLOISON_TRY_STATUS(check_text("display_name", request.display_name(), 1, kMaxStaffText));
    CLOISON_TRY_STATUS(check_text("unit", request.unit(), 1, kMaxStaffText));
    CLOISON_TRY_STATUS(check_language(request.language()));
    CLOISON_TRY_STATUS(check_new_password(request.password()));
    if (!request.totp_secret().empty()) {
        CLOISON_TRY_STATUS(check_size("totp_secret", request.totp_secret(), kTotpSecretSize));
        if (!is_operator(caller))
            return fail(ErrorCode::kPermissionDenied,
                        "Only the operator can bind a one-time code for somebody.");
    }
    if (request.acts_for_anyone() && *role != Role::kProfessional)
        return fail(ErrorCode::kInvalidArgument, "acts_for_anyone is for professionals only.");
    return *role;
}

Result<Account> new_staff(Core& core, Role role, const v1::CreateStaffRequest& request) {
    Account account;
    account.id = AccountId::random(core.random);
    account.record = RecordId::random(core.random);
    account.email_index = to_bytes(request.email_index());
    account.actor = ActorId::random(core.random);
    account.role = role;
    account.acts_for_anyone = request.acts_for_anyone();
    account.language = request.language();
    account.display_name = request.display_name();
    account.unit = request.unit();
    if (!request.totp_secret().empty())
        account.totp = core.encrypt_totp(Secret::from_text(request.totp_secret()),
                                         bound_totp_context(account.id));
    CLOISON_TRY(account.verifier, core.passwords.make(request.password(), account.record));
    return account;
}

v1::StaffSummary summary_of(const Account& account) {
    v1::StaffSummary summary;
    summary.set_actor(account.actor.bytes());
    summary.set_role(std::string(role_name(account.role)));
    summary.set_display_name(account.display_name);
    summary.set_unit(account.unit);
    summary.set_has_totp(account.totp.has_value());
    summary.set_disabled(account.disabled);
    summary.set_acts_for_anyone(account.acts_for_anyone);
    return summary;
}

/// Ends what the account has open and keeps it from opening more.
Status disable(Core& core, Transaction& transaction, const ActorId& actor,
               Revocations::Batch& ended) {
    CLOISON_TRY(const auto account, account_by_actor(core.keys.accounts, transaction, actor));
    if (!account || account->is_resident())
        return fail(ErrorCode::kNotFound, "There is no such member of staff.");
    const auto id = blob(account->id.view());
    CLOISON_TRY_STATUS(
        transaction.execute("UPDATE account SET disabled = 1 WHERE account = $1", {id}));
    CLOISON_TRY_STATUS(transaction.execute("DELETE FROM totp_pending WHERE account = $1", {id}));
    CLOISON_TRY_STATUS(end_sessions(core, transaction, account->id, nullptr, ended));
    return core.revocations.end(transaction, actor, ended);
}

}  // namespace

Result<v1::CreateStaffResponse> create_staff(Core& core, const net::Caller& caller,
                                             const v1::CreateStaffRequest& request) {
    std::optional<ActorId> voucher;
    if (!is_operator(caller)) {
        CLOISON_TRY(const auto session,
                    require_role(core, caller, request.token(), {Role::kAdministrator}));
        voucher = session.account.rests_on();
    }
    CLOISON_TRY(const auto role, check_new(caller, request));
    CLOISON_TRY(auto account, new_staff(core, role, request));
    account.voucher = voucher;
    CLOISON_TRY_STATUS(core.database->write([&](Transaction& transaction) -> Status {
        CLOISON_TRY(
            const auto count,
            transaction.query_one("SELECT COUNT(*) FROM account WHERE pseudonym IS NULL", {}));
        if (count.integer(0) >= kMaxStaff)
            return fail(ErrorCode::kExhausted,
                        "There are 8000 staff accounts, and no room for more.");
        Status inserted = insert_account(core.keys.accounts, transaction, account);
        if (!inserted && inserted.error().code == ErrorCode::kConflict)
            return fail(ErrorCode::kConflict, "An account with this e-mail address exists.");
        return inserted;
    }));
    v1::CreateStaffResponse response;
    response.set_actor(account.actor.bytes());
    return response;
}

Result<v1::ListStaffResponse> list_staff(Core& core, const net::Caller& caller,
                                         const v1::ListStaffRequest& request) {
    if (!is_operator(caller))
        CLOISON_TRY_STATUS(
            require_role(core, caller, request.token(), {Role::kAdministrator, Role::kDpo}));
    CLOISON_TRY(auto accounts,
                core.database->read_result<std::vector<Account>>([&](Transaction& transaction) {
                    return staff_accounts(core.keys.accounts, transaction);
                }));
    std::sort(accounts.begin(), accounts.end(), [](const Account& a, const Account& b) {
        return std::tie(a.role, a.display_name, a.actor) <
               std::tie(b.role, b.display_name, b.actor);
    });
    v1::ListStaffResponse response;
    for (const auto& account : accounts) *response.add_staff() = summary_of(account);
    return response;
}

Result<v1::DisableStaffResponse> disable_staff(Core& core, const net::Caller& caller,
                                               const v1::DisableStaffRequest& request) {
    CLOISON_TRY(const auto session,
                require_role(core, caller, request.token(), {Role::kAdministrator}));
    CLOISON_TRY(const auto actor, checked_id<ActorId>("actor", request.actor()));
    if (actor == session.account.actor)
        return fail(ErrorCode::kConflict, "Another administrator must disable your account.");
    Revocations::Batch ended;
    CLOISON_TRY_STATUS(core.database->write(
        [&](Transaction& transaction) { return disable(core, transaction, actor, ended); }));
    core.revocations.tell(ended);
    return v1::DisableStaffResponse();
}

Result<v1::DescribeActorsResponse> describe_actors(Core& core, const net::Caller& caller,
                                                   const v1::DescribeActorsRequest& request) {
    if (request.actors_size() > kMaxActors)
        return fail(ErrorCode::kInvalidArgument, "actors must have at most 1000 entries.");
    std::vector<ActorId> actors;
    for (const auto& bytes : request.actors()) {
        CLOISON_TRY(const auto actor, checked_id<ActorId>("Each of actors", bytes));
        actors.push_back(actor);
    }
    v1::DescribeActorsResponse response;
    CLOISON_TRY_STATUS(core.database->read([&](Transaction& transaction) -> Status {
        response.Clear();
        for (const auto& actor : actors) {
            CLOISON_TRY(const auto account,
                        account_by_actor(core.keys.accounts, transaction, actor));
            if (!account || account->is_resident()) continue;
            auto* description = response.add_actors();
            description->set_actor(actor.bytes());
            description->set_role(std::string(role_name(account->role)));
            description->set_unit(account->unit);
            if (caller.service == "desk") description->set_display_name(account->display_name);
        }
        return {};
    }));
    return response;
}

}  // namespace cloison::identity
