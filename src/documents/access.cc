#include "documents/access.h"

#include "keeper/client/grant.h"

namespace cloison::documents {
namespace {

bool is_self_service(const keeper::Grant& grant) {
    return grant.purpose == "self_service" && grant.role == registry::Role::kResident &&
           !grant.person.empty();
}

bool is_process_request(const keeper::Grant& grant) {
    return grant.purpose == "process_request" && grant.role == registry::Role::kOfficer &&
           grant.person.empty() && !grant.case_handle.empty();
}

Result<Reach> resolve(const keeper::KeeperClient& keeper, const std::string& grant) {
    keeper::v1::ResolveRequest request;
    request.mutable_subject()->set_grant(grant);
    CLOISON_TRY(const auto resolved, keeper.resolve(request));
    Reach reach;
    CLOISON_TRY(reach.pseudonym, DocumentsPseudonym::from_bytes(resolved.pseudonym()));
    reach.case_tag = to_bytes(resolved.case_tag());
    return reach;
}

}  // namespace

Access::Access(crypto::VerifyKey identity_grants, keeper::KeeperClient keeper, Clock& clock)
    : identity_grants_(identity_grants), keeper_(std::move(keeper)), clock_(clock) {}

Result<Reach> Access::owner(const net::Caller& caller, const std::string& grant) const {
    CLOISON_TRY(const auto verified, keeper::verify_grant(identity_grants_, grant, clock_.now()));
    if (verified.door != caller.service)
        return fail(ErrorCode::kPermissionDenied, "The grant was issued for another door.");
    if (!is_self_service(verified) || verified.case_handle.empty())
        return fail(ErrorCode::kPermissionDenied,
                    "This needs a resident's grant for self_service that names a case.");
    return resolve(keeper_, grant);
}

Result<Reach> Access::reader(const net::Caller& caller, const std::string& grant) const {
    CLOISON_TRY(const auto verified, keeper::verify_grant(identity_grants_, grant, clock_.now()));
    if (verified.door != caller.service)
        return fail(ErrorCode::kPermissionDenied, "The grant was issued for another door.");
    if (!is_self_service(verified) && !is_process_request(verified))
        return fail(ErrorCode::kPermissionDenied,
                    "This needs a resident's grant for self_service, or an officer's for "
                    "process_request that names the case.");
    CLOISON_TRY(auto reach, resolve(keeper_, grant));
    if (!verified.case_handle.empty() && reach.case_tag.empty())
        return fail(ErrorCode::kInternal, "The keeper names no case for a grant that names one.");
    return reach;
}

Result<Reach> Access::enrolled(const std::string& enrolment, const std::string& case_tag) const {
    keeper::v1::ResolveRequest request;
    request.mutable_subject()->set_enrolment(enrolment);
    CLOISON_TRY(const auto resolved, keeper_.resolve(request));
    Reach reach;
    CLOISON_TRY(reach.pseudonym, DocumentsPseudonym::from_bytes(resolved.pseudonym()));
    reach.case_tag = to_bytes(case_tag);
    return reach;
}

}  // namespace cloison::documents
