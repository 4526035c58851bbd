#include "identity/approvals.h"

#include "crypto/hash.h"
#include "crypto/pae.h"
#include "identity/handlers.h"
#include "identity/sessions.h"
#include "identity/validate.h"

namespace cloison::identity {
namespace {

using registry::Role;
using storage::blob;
using storage::Row;
using storage::Transaction;

constexpr std::string_view kSelect =
    "SELECT approval, purpose, digest, summary, requested_by, approved_by, requested_ms, "
    "approved_ms, expires_ms, proof FROM approval ";

Bytes proof_of(const crypto::HashKey& key, const ApprovalRecord& approval) {
    const auto number = [](Time time) { return std::to_string(to_unix_ms(time)); };
    const std::string requested = number(approval.requested);
    const std::string approved = number(approval.approved);
    const std::string expires = number(approval.expires);
    return crypto::keyed_hash(
        key.view(), crypto::pre_auth_encode(
                        {as_bytes("approval/v1"), approval.id.view(), as_bytes(approval.purpose),
                         approval.digest, as_bytes(approval.summary), approval.requested_by.view(),
                         approval.approved_by ? approval.approved_by->view() : ByteView{},
                         as_bytes(requested), as_bytes(approved), as_bytes(expires)}));
}

Result<ApprovalRecord> from_row(const crypto::HashKey& proofs, const Row& row) {
    ApprovalRecord approval;
    CLOISON_TRY(approval.id, ApprovalId::from_bytes(row.bytes(0)));
    approval.purpose = row.text(1);
    approval.digest = row.bytes(2);
    approval.summary = row.text(3);
    CLOISON_TRY(approval.requested_by, ActorId::from_bytes(row.bytes(4)));
    if (!row.is_null(5)) {
        CLOISON_TRY(approval.approved_by, ActorId::from_bytes(row.bytes(5)));
    }
    approval.requested = from_unix_ms(row.integer(6));
    approval.approved = from_unix_ms(row.integer(7));
    approval.expires = from_unix_ms(row.integer(8));
    if (!equal_constant_time(proof_of(proofs, approval), row.bytes(9)))
        return fail(ErrorCode::kCorrupt,
                    "A row of identity.sqlite is not as it was written: somebody changed who asked "
                    "for an approval, who gave it, or for what.");
    return approval;
}

Status check_request(const Core& core, const Session& session,
                     const v1::RequestApprovalRequest& request) {
    const auto* purpose = core.registry.purpose(request.purpose());
    if (purpose == nullptr || !purpose->bulk)
        return fail(ErrorCode::kInvalidArgument, "purpose must be one that needs two people.");
    if (!purpose->allows_role(session.account.role))
        return fail(ErrorCode::kPermissionDenied, "This purpose is not open to your role.");
    CLOISON_TRY_STATUS(check_size("digest", request.digest(), kApprovalDigestSize));
    return check_text("summary", request.summary(), 1, kMaxApprovalSummary);
}

Status check_waiting(Transaction& transaction, const ActorId& actor, Time now) {
    CLOISON_TRY(const auto waiting,
                transaction.query_one("SELECT COUNT(*) FROM approval WHERE requested_by = $1 AND "
                                      "approved_by IS NULL AND expires_ms > $2",
                                      {blob(actor.view()), to_unix_ms(now)}));
    if (waiting.integer(0) >= kMaxWaitingApprovals)
        return fail(ErrorCode::kExhausted, "Too many of your requests wait for approval.");
    return {};
}

/// An administrator chooses the first password of the accounts that they make, so two accounts that
/// rest on one administrator's word may be one person's.
Status check_second(const Core& core, Transaction& transaction, const ActorId& requester,
                    const Account& approver) {
    if (requester == approver.actor)
        return fail(ErrorCode::kPermissionDenied, "A second person must approve.");
    CLOISON_TRY(const auto found, account_by_actor(core.keys.accounts, transaction, requester));
    if (!found || found->rests_on() == approver.rests_on())
        return fail(ErrorCode::kPermissionDenied,
                    "Both accounts rest on the word of one administrator: somebody whose account "
                    "does not must approve.");
    return {};
}

}  // namespace

Result<ApprovalRecord> find_approval(const crypto::HashKey& proofs, Transaction& transaction,
                                     const ApprovalId& id) {
    CLOISON_TRY(const auto rows,
                transaction.query(std::string(kSelect) + "WHERE approval = $1", {blob(id.view())}));
    if (rows.empty()) return fail(ErrorCode::kNotFound, "There is no such approval.");
    return from_row(proofs, rows.front());
}

Status require_second(const crypto::HashKey& proofs, Transaction& transaction,
                      const ApprovalRecord& approval) {
    if (!approval.approved_by || *approval.approved_by == approval.requested_by)
        return fail(ErrorCode::kPermissionDenied, "A second person has not approved yet.");
    CLOISON_TRY(const auto second, account_by_actor(proofs, transaction, *approval.approved_by));
    if (!second || second->disabled)
        return fail(ErrorCode::kPermissionDenied,
                    "The account of whoever approved has been disabled: somebody else must "
                    "approve anew.");
    return {};
}

Result<v1::RequestApprovalResponse> request_approval(Core& core, const net::Caller& caller,
                                                     const v1::RequestApprovalRequest& request) {
    CLOISON_TRY(const auto session, require_role(core, caller, request.token(), {Role::kDpo}));
    CLOISON_TRY_STATUS(check_request(core, session, request));
    // As it is written, to the millisecond: the proof is of that.
    const Time now = from_unix_ms(to_unix_ms(core.clock.now()));
    const ApprovalRecord asked{ApprovalId::random(core.random),
                               request.purpose(),
                               to_bytes(request.digest()),
                               request.summary(),
                               session.account.actor,
                               std::nullopt,
                               now,
                               Time{},
                               now + kApprovalLifetime};
    CLOISON_TRY_STATUS(core.database->write([&](Transaction& transaction) -> Status {
        CLOISON_TRY_STATUS(transaction.execute("DELETE FROM approval WHERE requested_ms <= $1",
                                               {to_unix_ms(now - kApprovalKept)}));
        CLOISON_TRY_STATUS(check_waiting(transaction, session.account.actor, now));
        CLOISON_TRY_STATUS(transaction.execute(
            "INSERT INTO approval (approval, purpose, digest, summary, requested_by, requested_ms, "
            "approved_ms, expires_ms, proof) VALUES ($1, $2, $3, $4, $5, $6, 0, $7, $8)",
            {blob(asked.id.view()), asked.purpose, blob(asked.digest), asked.summary,
             blob(asked.requested_by.view()), to_unix_ms(asked.requested),
             to_unix_ms(asked.expires), blob(proof_of(core.keys.accounts, asked))}));
        return {};
    }));
    v1::RequestApprovalResponse response;
    response.set_approval(asked.id.bytes());
    return response;
}

Result<v1::ApproveResponse> approve(Core& core, const net::Caller& caller,
                                    const v1::ApproveRequest& request) {
    CLOISON_TRY(const auto session,
                require_role(core, caller, request.token(), {Role::kDpo, Role::kAdministrator}));
    CLOISON_TRY(const auto id, checked_id<ApprovalId>("approval", request.approval()));
    const Time now = from_unix_ms(to_unix_ms(core.clock.now()));
    CLOISON_TRY_STATUS(core.database->write([&](Transaction& transaction) -> Status {
        CLOISON_TRY(auto approval, find_approval(core.keys.accounts, transaction, id));
        CLOISON_TRY_STATUS(check_second(core, transaction, approval.requested_by, session.account));
        if (approval.approved_by)
            return fail(ErrorCode::kConflict, "This has been approved already.");
        if (now >= approval.expires)
            return fail(ErrorCode::kConflict, "The request for approval has expired.");
        approval.approved_by = session.account.actor;
        approval.approved = now;
        approval.expires = now + kApprovalLifetime;
        CLOISON_TRY_STATUS(transaction.execute(
            "UPDATE approval SET approved_by = $1, approved_ms = $2, expires_ms = $3, proof = $4 "
            "WHERE approval = $5 AND approved_by IS NULL",
            {blob(approval.approved_by->view()), to_unix_ms(approval.approved),
             to_unix_ms(approval.expires), blob(proof_of(core.keys.accounts, approval)),
             blob(id.view())}));
        return {};
    }));
    return v1::ApproveResponse();
}

Result<v1::ListApprovalsResponse> list_approvals(Core& core, const net::Caller& caller,
                                                 const v1::ListApprovalsRequest& request) {
    CLOISON_TRY_STATUS(
        require_role(core, caller, request.token(), {Role::kDpo, Role::kAdministrator}));
    v1::ListApprovalsResponse response;
    CLOISON_TRY_STATUS(core.database->read([&](Transaction& transaction) -> Status {
        response.Clear();
        CLOISON_TRY(const auto rows,
                    transaction.query(std::string(kSelect) + "WHERE requested_ms > $1 ORDER BY "
                                                             "requested_ms DESC, approval LIMIT $2",
                                      {to_unix_ms(core.clock.now() - kApprovalKept),
                                       std::int64_t{kMaxApprovalsListed}}));
        for (const auto& row : rows) {
            CLOISON_TRY(const auto approval, from_row(core.keys.accounts, row));
            auto* listed = response.add_approvals();
            listed->set_approval(approval.id.bytes());
            listed->set_purpose(approval.purpose);
            listed->set_digest(to_string(approval.digest));
            listed->set_summary(approval.summary);
            listed->set_requested_by(approval.requested_by.bytes());
            if (approval.approved_by) listed->set_approved_by(approval.approved_by->bytes());
            listed->set_requested_ms(to_unix_ms(approval.requested));
            listed->set_approved_ms(to_unix_ms(approval.approved));
            listed->set_expires_ms(to_unix_ms(approval.expires));
        }
        return {};
    }));
    return response;
}

}  // namespace cloison::identity
