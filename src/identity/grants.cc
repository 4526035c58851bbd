#include <algorithm>
#include <set>

#include "identity/approvals.h"
#include "identity/handlers.h"
#include "identity/sessions.h"
#include "identity/validate.h"
#include "keeper/client/grant.h"
#include "keeper/client/person_list.h"

namespace cloison::identity {
namespace {

using keeper::Grant;
using registry::Purpose;
using storage::Transaction;
using Request = v1::IssueGrantRequest;

tl::unexpected<Error> invalid(std::string message) {
    return fail(ErrorCode::kInvalidArgument, std::move(message));
}
tl::unexpected<Error> denied(std::string message) {
    return fail(ErrorCode::kPermissionDenied, std::move(message));
}

Result<const Purpose*> check_purpose(const Core& core, const Account& account,
                                     const Request& request) {
    const auto* purpose = core.registry.purpose(request.purpose());
    if (purpose == nullptr) return invalid("purpose must be one of the register's.");
    if (!purpose->allows_role(account.role))
        return denied("The purpose " + purpose->name + " is not open to your role.");
    if (purpose->reasons.empty() && !request.reason().empty())
        return invalid("The purpose " + purpose->name + " takes no reason.");
    if (!purpose->reasons.empty() && purpose->reason(request.reason()) == nullptr)
        return invalid("reason must be one of those of the purpose " + purpose->name + ".");
    return purpose;
}

Status check_fields(const Core& core, const Purpose& purpose, const Request& request) {
    if (static_cast<std::size_t>(request.fields_size()) > core.registry.fields().size())
        return invalid("fields names more fields than there are.");
    std::set<std::string> seen;
    for (const auto& name : request.fields()) {
        const auto* field = core.registry.field(name);
        if (field == nullptr) return invalid("fields names a field that is not declared.");
        if (!seen.insert(name).second) return invalid("fields names " + name + " twice.");
        if (!core.registry.may_open(*field, purpose))
            return denied("The field " + name + " may not be opened for the purpose " +
                          purpose.name + ".");
    }
    return {};
}

/// Each purpose says in its own way who is concerned; another way is refused, not ignored.
Status check_shape(const Purpose& purpose, const Request& request) {
    const bool by_ticket = purpose.name == "self_service" || purpose.name == "process_request";
    const bool by_email = purpose.name == "support_call" || purpose.name == "act_for";
    if (!by_ticket && !request.ticket().empty())
        return invalid("The purpose " + purpose.name + " takes no ticket.");
    if (!by_email && !request.email_index().empty())
        return invalid("The purpose " + purpose.name + " takes no e-mail address.");
    if (!purpose.bulk && !request.approval().empty())
        return invalid("The purpose " + purpose.name + " takes no approval.");
    if (request.approval().empty() && !(request.list().empty() && request.about().empty()))
        return invalid("list and about need an approval.");
    if (by_email) return check_email_index(request.email_index());
    return {};
}

Result<Bytes> handle_of(Core& core, const IdentityPseudonym& pseudonym) {
    CLOISON_TRY(const auto key, core.handle_key());
    keeper::HandleContent content{registry::Compartment::kIdentity, {}, {}};
    const auto view = pseudonym.view();
    std::copy(view.begin(), view.end(), content.pseudonym.begin());
    return keeper::make_handle(key, content);
}

/// The handle of a good ticket for `actor`, or for nobody in particular if that is none.
Result<Bytes> ticket_handle(const Core& core, const std::string& token, const ActorId& actor) {
    if (token.size() > kMaxGrantText) return invalid("ticket is too long.");
    CLOISON_TRY(auto ticket, keeper::verify_ticket(core.casework, token, core.clock.now()));
    if (ticket.actor != actor) return denied("The ticket was written for somebody else.");
    return std::move(ticket.handle);
}

Status fill_self(Core& core, const Account& account, const Request& request, Grant& grant) {
    if (!account.pseudonym) return denied("This account is nobody's own.");
    CLOISON_TRY(grant.person, handle_of(core, *account.pseudonym));
    if (request.ticket().empty()) return {};
    CLOISON_TRY(grant.case_handle, ticket_handle(core, request.ticket(), ActorId{}));
    return {};
}

Status fill_case(Core& core, const Account& account, const Request& request, Grant& grant) {
    if (request.ticket().empty()) {
        if (!grant.fields.empty()) return denied("Fields of a case need a ticket for the case.");
        return {};
    }
    CLOISON_TRY(grant.case_handle, ticket_handle(core, request.ticket(), account.actor));
    return {};
}

/// Makes a handle also where there is nobody, so that the time does not tell before the answer.
Status fill_by_email(Core& core, const Account& account, const Purpose& purpose,
                     const Request& request, Grant& grant) {
    if (grant.purpose == "act_for" && !account.acts_for_anyone)
        return denied("Acting for somebody needs their mandate, and none is on file.");
    CLOISON_TRY_STATUS(
        core.look_ups.count(account.actor, purpose, request.email_index(), core.clock.now()));
    CLOISON_TRY(const auto subject,
                core.database->read_result<std::optional<Account>>([&](Transaction& transaction) {
                    return account_by_email(core.keys.accounts, transaction,
                                            as_bytes(request.email_index()));
                }));
    const bool found = subject && subject->pseudonym;
    CLOISON_TRY(grant.person, handle_of(core, found ? *subject->pseudonym
                                                    : IdentityPseudonym::random(core.random)));
    if (!found) return fail(ErrorCode::kNotFound, "There is no account with this address.");
    return {};
}

Status fill_bulk(Core& core, const Account& account, const Request& request, Grant& grant) {
    if (request.approval().empty()) {
        if (grant.purpose != "investigate" || !grant.fields.empty())
            return denied("This needs the approval of a second person.");
        return {};  // to read the journal, which names persons by number
    }
    CLOISON_TRY(const auto id, checked_id<ApprovalId>("approval", request.approval()));
    CLOISON_TRY_STATUS(check_size("list", request.list(), kApprovalDigestSize));
    CLOISON_TRY_STATUS(check_size("about", request.about(), kApprovalDigestSize));
    const auto digest = keeper::approval_digest(
        grant.purpose, grant.fields, as_bytes(request.list()), as_bytes(request.about()));
    CLOISON_TRY(const auto approval,
                core.database->read_result<ApprovalRecord>(
                    [&](Transaction& transaction) -> Result<ApprovalRecord> {
                        CLOISON_TRY(auto found, find_approval(core.keys.accounts, transaction, id));
                        // Somebody else's is not told apart from none.
                        if (found.requested_by != account.actor)
                            return fail(ErrorCode::kNotFound, "There is no such approval.");
                        if (found.purpose != grant.purpose)
                            return denied("The approval is for another purpose.");
                        if (!equal_constant_time(digest, found.digest))
                            return denied("The approval is for something else.");
                        CLOISON_TRY_STATUS(require_second(core.keys.accounts, transaction, found));
                        return found;
                    }));
    if (core.clock.now() >= approval.expires) return denied("The approval has expired.");
    grant.approvers = {approval.requested_by, *approval.approved_by};
    grant.list = to_bytes(request.list());
    return {};
}

/// Who is concerned, by the purpose. A purpose that is not named here is not granted at all.
Status fill_subject(Core& core, const Account& account, const Purpose& purpose,
                    const Request& request, Grant& grant) {
    if (purpose.name == "self_service") return fill_self(core, account, request, grant);
    if (purpose.name == "process_request") return fill_case(core, account, request, grant);
    if (purpose.name == "support_call" || purpose.name == "act_for")
        return fill_by_email(core, account, purpose, request, grant);
    if (purpose.name == "notify" || purpose.name == "investigate")
        return fill_bulk(core, account, request, grant);
    return denied("Grants for the purpose " + purpose.name + " are not issued.");
}

}  // namespace

Result<v1::IssueGrantResponse> issue_grant(Core& core, const net::Caller& caller,
                                           const v1::IssueGrantRequest& request) {
    CLOISON_TRY(const auto session, require_session(core, caller, request.token()));
    CLOISON_TRY_STATUS(check_client(caller, request.client()));
    const Account& account = session.account;
    CLOISON_TRY(const auto* purpose, check_purpose(core, account, request));
    CLOISON_TRY_STATUS(check_shape(*purpose, request));
    CLOISON_TRY_STATUS(check_fields(core, *purpose, request));
    Grant grant;
    grant.id = Id<struct GrantTag>::random(core.random).hex();
    grant.actor = account.actor;
    grant.role = account.role;
    grant.session = session.id;
    grant.door = session.door;
    grant.origin = request.client().origin();
    grant.purpose = purpose->name;
    grant.reason = request.reason();
    grant.fields.assign(request.fields().begin(), request.fields().end());
    grant.issued = core.clock.now();
    grant.expires = std::min(grant.issued + kGrantLifetime, expiry(session));
    CLOISON_TRY_STATUS(fill_subject(core, account, *purpose, request, grant));
    v1::IssueGrantResponse response;
    response.set_grant(keeper::sign_grant(core.keys.grant, grant));
    return response;
}

}  // namespace cloison::identity
