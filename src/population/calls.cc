#include "population/calls.h"

#include "demo/accounts.h"
#include "keeper/client/errors.h"

namespace cloison::population {

identity::v1::Client Visitor::client() const {
    identity::v1::Client client;
    client.set_origin(origin);
    client.set_user_agent(user_agent);
    client.set_door(door->name);
    return client;
}

Result<std::string> issue_grant(const Visitor& visitor, const GrantWish& wish) {
    identity::v1::IssueGrantRequest request;
    request.set_token(visitor.token);
    request.set_purpose(wish.purpose);
    request.set_reason(wish.reason);
    for (const auto& field : wish.fields) request.add_fields(field);
    request.set_ticket(wish.ticket);
    request.set_email_index(wish.email_index);
    *request.mutable_client() = visitor.client();
    CLOISON_TRY(auto response, visitor.door->identity.issue_grant(request));
    return std::move(*response.mutable_grant());
}

keeper::v1::Subject by_grant(const std::string& grant) {
    keeper::v1::Subject subject;
    subject.set_grant(grant);
    return subject;
}

Result<std::vector<SealedValue>> seal(const Door& door, const keeper::v1::Subject& subject,
                                      const std::vector<PlainValue>& values) {
    keeper::v1::SealRequest request;
    *request.mutable_subject() = subject;
    for (const auto& value : values) {
        auto* item = request.add_items();
        item->set_field(value.field);
        item->set_record(value.record);
        item->set_value(value.value);
        item->set_schema_version(kSchemaVersion);
    }
    CLOISON_TRY(auto response, door.keeper.seal(request));
    if (static_cast<std::size_t>(response.sealed_size()) != values.size())
        return fail(ErrorCode::kInternal, "The keeper sealed another number of values than asked.");
    std::vector<SealedValue> sealed;
    for (std::size_t i = 0; i < values.size(); ++i)
        sealed.push_back({values[i].field, values[i].record,
                          std::move(*response.mutable_sealed(static_cast<int>(i)))});
    return sealed;
}

Result<std::vector<std::string>> open_values(const Door& door, const std::string& grant,
                                             const std::vector<SealedValue>& values) {
    keeper::v1::OpenRequest request;
    auto* disclosure = request.add_disclosures();
    disclosure->set_grant(grant);
    for (const auto& value : values) {
        auto* item = disclosure->add_items();
        item->set_field(value.field);
        item->set_record(value.record);
        item->set_sealed(value.sealed);
        item->set_schema_version(kSchemaVersion);
    }
    CLOISON_TRY(auto response, door.keeper.open(request));
    if (response.disclosed_size() != 1)
        return fail(ErrorCode::kInternal, "The keeper did not answer one disclosure with one.");
    CLOISON_TRY(const auto opened, keeper::take_values(*response.mutable_disclosed(0)));
    std::vector<std::string> plain;
    for (const auto& value : opened) plain.emplace_back(value.text());
    return plain;
}

Status read_values(const Door& door, const std::string& grant,
                   const std::vector<SealedValue>& values) {
    if (values.empty()) return {};
    CLOISON_TRY_STATUS(open_values(door, grant, values));
    return {};
}

Result<std::string> email_index(const Door& door, const std::string& email) {
    keeper::v1::BlindIndexRequest request;
    request.set_field("email");
    request.set_value(email);
    CLOISON_TRY(auto response, door.keeper.blind_index(request));
    return std::move(*response.mutable_index());
}

Result<std::string> sign_in(const Visitor& visitor, const std::string& email,
                            const std::string& password, const std::string& totp, Time now) {
    identity::v1::SignInRequest request;
    CLOISON_TRY(*request.mutable_email_index(), email_index(*visitor.door, email));
    request.set_password(password);
    *request.mutable_client() = visitor.client();
    CLOISON_TRY(auto response, visitor.door->identity.sign_in(request));
    if (response.totp_pending().empty()) return std::move(*response.mutable_token());
    identity::v1::SignInTotpRequest code;
    code.set_totp_pending(response.totp_pending());
    CLOISON_TRY(*code.mutable_code(), demo::one_time_code(totp, demo::code_step(now)));
    *code.mutable_client() = visitor.client();
    CLOISON_TRY(auto session, visitor.door->identity.sign_in_totp(code));
    return std::move(*session.mutable_token());
}

std::vector<std::string> names_of(const std::vector<SealedValue>& values) {
    std::vector<std::string> names;
    names.reserve(values.size());
    for (const auto& value : values) names.push_back(value.field);
    return names;
}

}  // namespace cloison::population
