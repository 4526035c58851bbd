#include "portal/values.h"

#include <array>

namespace cloison::portal {
namespace {

ErrorCode error_code_from_name(std::string_view name) {
    constexpr std::array kCodes{ErrorCode::kInvalidArgument,
                                ErrorCode::kUnauthenticated,
                                ErrorCode::kPermissionDenied,
                                ErrorCode::kNotFound,
                                ErrorCode::kConflict,
                                ErrorCode::kTooLarge,
                                ErrorCode::kExhausted,
                                ErrorCode::kUnavailable,
                                ErrorCode::kDeadline,
                                ErrorCode::kCorrupt,
                                ErrorCode::kIo};
    for (const ErrorCode code : kCodes) {
        if (error_name(code) == name) return code;
    }
    return ErrorCode::kInternal;
}

}  // namespace

Result<std::string> self_service_grant(const Shared& shared, const web::Context& context,
                                       const std::vector<std::string>& fields,
                                       const std::string& ticket) {
    identity::v1::IssueGrantRequest request;
    request.set_token(context.session->token);
    request.set_purpose("self_service");
    for (const std::string& field : fields) request.add_fields(field);
    request.set_ticket(ticket);
    *request.mutable_client() = context.client();
    CLOISON_TRY(auto answer, shared.services.identity.issue_grant(request));
    return std::move(*answer.mutable_grant());
}

Result<std::vector<std::string>> open_values(const Shared& shared, const std::string& grant,
                                             const std::vector<SealedValue>& values) {
    std::vector<std::string> plain;
    if (values.empty()) return plain;
    keeper::v1::OpenRequest request;
    auto* disclosure = request.add_disclosures();
    disclosure->set_grant(grant);
    for (const SealedValue& value : values) {
        auto* item = disclosure->add_items();
        item->set_field(value.field);
        item->set_record(value.record);
        item->set_sealed(value.sealed);
        item->set_schema_version(kSchemaVersion);
    }
    CLOISON_TRY(auto answer, shared.services.keeper.open(request));
    if (answer.disclosed_size() != 1)
        return fail(ErrorCode::kInternal, "The keeper did not answer one disclosure with one.");
    auto& disclosed = *answer.mutable_disclosed(0);
    if (!disclosed.error().empty())
        return fail(error_code_from_name(disclosed.error()), disclosed.error_message());
    if (static_cast<std::size_t>(disclosed.values_size()) != values.size())
        return fail(ErrorCode::kInternal, "The keeper opened another number of values than asked.");
    for (auto& value : *disclosed.mutable_values()) plain.push_back(std::move(value));
    return plain;
}

Result<std::vector<std::string>> seal_values(const Shared& shared,
                                             const keeper::v1::Subject& subject,
                                             const std::vector<PlainValue>& values) {
    std::vector<std::string> sealed;
    if (values.empty()) return sealed;
    keeper::v1::SealRequest request;
    *request.mutable_subject() = subject;
    for (const PlainValue& value : values) {
        auto* item = request.add_items();
        item->set_field(value.field);
        item->set_record(value.record);
        item->set_value(value.value);
        item->set_schema_version(kSchemaVersion);
    }
    CLOISON_TRY(auto answer, shared.services.keeper.seal(request));
    if (static_cast<std::size_t>(answer.sealed_size()) != values.size())
        return fail(ErrorCode::kInternal, "The keeper sealed another number of values than asked.");
    for (auto& value : *answer.mutable_sealed()) sealed.push_back(std::move(value));
    return sealed;
}

Result<std::vector<std::string>> seal_values(const Shared& shared, const std::string& grant,
                                             const std::vector<PlainValue>& values) {
    keeper::v1::Subject subject;
    subject.set_grant(grant);
    return seal_values(shared, subject, values);
}

Result<OpenCase> find_case(const Shared& shared, const web::Context& context, const RequestId& id) {
    OpenCase found;
    CLOISON_TRY(found.grant, self_service_grant(shared, context, {}));
    casework::v1::GetRequestRequest request;
    request.set_grant(found.grant);
    request.set_request(id.bytes());
    CLOISON_TRY(auto answer, shared.services.casework.get_request(request));
    const auto type = shared.types.find(answer.request().type());
    if (type == shared.types.end())
        return fail(ErrorCode::kInternal, "A request is of a type that is not declared here.");
    found.type = &type->second;
    found.ticket = std::move(*answer.mutable_ticket());
    found.request = std::move(*answer.mutable_request());
    return found;
}

Status grant_fields(const Shared& shared, const web::Context& context, OpenCase& found,
                    const std::vector<std::string>& fields) {
    CLOISON_TRY(found.grant, self_service_grant(shared, context, fields, found.ticket));
    return {};
}

Result<OpenCase> open_case(const Shared& shared, const web::Context& context, const RequestId& id,
                           const std::vector<std::string>& fields) {
    CLOISON_TRY(auto found, find_case(shared, context, id));
    CLOISON_TRY_STATUS(grant_fields(shared, context, found, fields));
    return found;
}

}  // namespace cloison::portal
