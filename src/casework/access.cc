#include "casework/access.h"

#include "casework/casework.h"

namespace cloison::casework {

Access::Access(crypto::VerifyKey identity_grants, keeper::KeeperClient keeper,
               crypto::SigningKey tickets, Clock& clock)
    : identity_grants_(identity_grants),
      keeper_(std::move(keeper)),
      tickets_(std::move(tickets)),
      clock_(clock) {}

Result<keeper::Grant> Access::verify(const net::Caller& caller, const std::string& grant) const {
    CLOISON_TRY(auto verified, keeper::verify_grant(identity_grants_, grant, clock_.now()));
    if (verified.door != caller.service)
        return fail(ErrorCode::kPermissionDenied, "The grant was issued for another door.");
    return verified;
}

Result<CaseworkPseudonym> Access::resident(const net::Caller& caller,
                                           const std::string& grant) const {
    CLOISON_TRY(const auto verified, verify(caller, grant));
    if (verified.purpose != "self_service" || verified.role != registry::Role::kResident ||
        verified.person.empty())
        return fail(ErrorCode::kPermissionDenied,
                    "This needs a resident's grant for self_service.");
    keeper::v1::ResolveRequest request;
    request.mutable_subject()->set_grant(grant);
    CLOISON_TRY(const auto resolved, keeper_.resolve(request));
    return CaseworkPseudonym::from_bytes(resolved.pseudonym());
}

Result<ActorId> Access::officer(const net::Caller& caller, const std::string& grant) const {
    CLOISON_TRY(const auto verified, verify(caller, grant));
    if (verified.purpose != "process_request" || verified.role != registry::Role::kOfficer ||
        !verified.person.empty())
        return fail(ErrorCode::kPermissionDenied,
                    "This needs an officer's grant for process_request that names no person.");
    return verified.actor;
}

Result<CaseworkPseudonym> Access::enrolled(const std::string& enrolment) const {
    keeper::v1::ResolveRequest request;
    request.mutable_subject()->set_enrolment(enrolment);
    CLOISON_TRY(const auto resolved, keeper_.resolve(request));
    return CaseworkPseudonym::from_bytes(resolved.pseudonym());
}

Result<bool> Access::is_resident(const std::string& grant) const {
    CLOISON_TRY(const auto verified, keeper::verify_grant(identity_grants_, grant, clock_.now()));
    return verified.purpose == "self_service";
}

Result<SubjectMaker> Access::subject_maker(const CaseworkPseudonym& pseudonym) const {
    CLOISON_TRY(const auto key, handle_key());
    return SubjectMaker([key, pseudonym](const RequestId& request) {
        keeper::HandleContent content{registry::Compartment::kCasework, {}, request};
        std::copy(pseudonym.view().begin(), pseudonym.view().end(), content.pseudonym.begin());
        return keeper::make_handle(key, content);
    });
}

Result<std::string> Access::ticket(ByteView subject, const std::optional<ActorId>& officer) const {
    CLOISON_TRY(const auto key, handle_key());
    keeper::Ticket ticket;
    // Renewed: who sees two tickets, or a ticket and a stolen row, cannot tell that they belong
    // together.
    ticket.handle = keeper::renew_handle(key, subject);
    if (officer) ticket.actor = *officer;
    ticket.expires = clock_.now() + kTicketLifetime;
    return keeper::sign_ticket(tickets_, ticket);
}

Result<crypto::SealedBoxPublicKey> Access::handle_key() const {
    const std::lock_guard lock(mutex_);
    if (!handle_key_) {
        CLOISON_TRY(const auto description, keeper_.describe({}));
        CLOISON_TRY(handle_key_,
                    crypto::SealedBoxPublicKey::from_bytes(as_bytes(description.handle_key())));
    }
    return *handle_key_;
}

}  // namespace cloison::casework
