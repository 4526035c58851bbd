#include "base/id.h"
#include "demo/small_files.h"
#include "demo/texts.h"
#include "documents/encrypted_file.h"
#include "population/life.h"

namespace cloison::population {
namespace {

std::string new_id(Random& random) {
    return RequestId::random(random).bytes();
}

/// All that the account's profile holds.
const std::vector<std::string> kProfile{"email", "phone", "family_name", "given_names"};

}  // namespace

Status Life::sign_up(const demo::Resident& resident) {
    Household& home = homes_[resident.number];
    const Door& portal = house_.portal();
    CLOISON_TRY(const auto index, email_index(portal, resident.email));

    identity::v1::BeginSignUpRequest begin;
    begin.set_email_index(index);
    begin.set_language(resident.language);
    CLOISON_TRY(const auto begun, portal.identity.begin_sign_up(begin));
    if (begun.account_exists())
        return fail(ErrorCode::kConflict, "An account of the demo exists already.");
    identity::v1::ConfirmSignUpRequest confirm;
    confirm.set_sign_up(begun.sign_up());
    confirm.set_code(begun.code());
    CLOISON_TRY_STATUS(portal.identity.confirm_sign_up(confirm));

    identity::v1::CompleteSignUpRequest complete;
    complete.set_sign_up(begun.sign_up());
    complete.set_enrolment(home.enrolment);
    complete.set_email_index(index);
    complete.set_record(new_id(random_));
    keeper::v1::Subject subject;
    subject.set_enrolment(home.enrolment);
    CLOISON_TRY(auto sealed, seal(portal, subject, {{"email", complete.record(), resident.email}}));
    complete.set_sealed_email(std::move(sealed.at(0).sealed));
    complete.set_password(resident.password);
    complete.set_language(resident.language);
    *complete.mutable_client() = resident_at_portal(resident).client();
    CLOISON_TRY(auto completed, portal.identity.complete_sign_up(complete));
    home.token = std::move(*completed.mutable_token());
    home.enrolment.clear();
    return save_profile(resident);
}

Status Life::save_profile(const demo::Resident& resident) {
    const Visitor visitor = resident_at_portal(resident);
    CLOISON_TRY(const auto grant, issue_grant(visitor, {"self_service", "", kProfile, "", ""}));
    std::vector<PlainValue> values{{"family_name", new_id(random_), resident.family_name},
                                   {"given_names", new_id(random_), resident.given_names}};
    if (!resident.phone.empty()) values.push_back({"phone", new_id(random_), resident.phone});
    CLOISON_TRY(const auto sealed, seal(*visitor.door, by_grant(grant), values));
    identity::v1::SaveProfileRequest request;
    request.set_grant(grant);
    for (const auto& value : sealed) {
        auto* field = request.add_fields();
        field->set_field(value.field);
        field->set_record(value.record);
        field->set_sealed(value.sealed);
    }
    CLOISON_TRY_STATUS(visitor.door->identity.save_profile(request));
    return {};
}

Status Life::read_own_profile(const Visitor& visitor) {
    CLOISON_TRY(const auto grant, issue_grant(visitor, {"self_service", "", kProfile, "", ""}));
    identity::v1::GetProfileRequest request;
    request.set_grant(grant);
    CLOISON_TRY(const auto profile, visitor.door->identity.get_profile(request));
    return read_values(*visitor.door, grant, to_sealed(profile.fields()));
}

Result<Life::Case> Life::own_request(const Visitor& visitor, const std::string& request) {
    CLOISON_TRY(const auto grant, issue_grant(visitor, {"self_service", "", {}, "", ""}));
    casework::v1::GetRequestRequest get;
    get.set_grant(grant);
    get.set_request(request);
    CLOISON_TRY(auto response, visitor.door->casework.get_request(get));
    return Case{std::move(*response.mutable_request()), std::move(*response.mutable_ticket())};
}

Status Life::read_own_request(const Visitor& visitor, const Case& own) {
    const auto values = to_sealed(own.request.values());
    CLOISON_TRY(const auto grant,
                issue_grant(visitor, {"self_service", "", names_of(values), own.ticket, ""}));
    return read_values(*visitor.door, grant, values);
}

Status Life::apply(const demo::Resident& resident) {
    Household& home = homes_[resident.number];
    const Visitor visitor = resident_at_portal(resident);
    const auto answers = people_.application(resident);
    std::vector<std::string> fields;
    for (const auto& [field, value] : answers) fields.push_back(field);
    CLOISON_TRY(const auto grant, issue_grant(visitor, {"self_service", "", fields, "", ""}));

    casework::v1::CreateRequestRequest create;
    create.set_grant(grant);
    create.set_type("passport");
    CLOISON_TRY(const auto created, visitor.door->casework.create_request(create));
    std::vector<PlainValue> values;
    for (const auto& [field, value] : answers) values.push_back({field, created.request(), value});
    CLOISON_TRY(const auto sealed, seal(*visitor.door, by_grant(grant), values));
    casework::v1::SaveValuesRequest save;
    save.set_grant(grant);
    save.set_request(created.request());
    save.set_version(1);
    for (const auto& value : sealed) {
        auto* field = save.add_values();
        field->set_field(value.field);
        field->set_record(value.record);
        field->set_sealed(value.sealed);
    }
    CLOISON_TRY_STATUS(visitor.door->casework.save_values(save));
    if (!home.request.empty()) home.earlier.push_back(home.status);
    home.request = created.request();
    home.status = "draft";
    CLOISON_TRY(const auto own, own_request(visitor, home.request));
    return read_own_request(visitor, own);
}

Status Life::attach(const demo::Resident& resident, std::uint32_t number, bool full_length) {
    const Visitor visitor = resident_at_portal(resident);
    CLOISON_TRY(const auto own, own_request(visitor, homes_[resident.number].request));
    CLOISON_TRY(
        const auto grant,
        issue_grant(visitor,
                    {"self_service", "", {"document_content", "document_name"}, own.ticket, ""}));
    demo::SmallFile file = demo::make_small_file(resident.number + number, demo::kDocumentTitle);
    if (full_length) {
        SeededRandom draw = origin_.split("file").split(resident.number).split(number);
        const std::size_t least = file.content_type == "application/pdf" ? 20'000 : 45'000;
        file.content.resize(least + draw.uniform(2 * least));
    }
    const auto key = crypto::FileKey::random(random_);
    const std::string document = new_id(random_);
    CLOISON_TRY(const auto sealed, seal(*visitor.door, by_grant(grant),
                                        {{"document_content", document, to_string(key.view())},
                                         {"document_name", document, file.name}}));
    documents::FileEncryptor encryptor(key);
    documents::v1::BeginRequest begin;
    begin.set_grant(grant);
    begin.set_document(document);
    begin.set_sealed_key(sealed.at(0).sealed);
    begin.set_sealed_name(sealed.at(1).sealed);
    begin.set_header(to_string(encryptor.header()));
    begin.set_content_type(file.content_type);
    begin.set_kind((resident.number + number) % 2 == 0 ? "identity_proof" : "address_proof");
    CLOISON_TRY_STATUS(visitor.door->documents.begin(begin));
    CLOISON_TRY(auto chunks, encryptor.feed(file.content));
    CLOISON_TRY(auto last, encryptor.finish());
    chunks.insert(chunks.end(), last.begin(), last.end());
    std::uint32_t index = 0;
    for (const Bytes& chunk : chunks) {
        documents::v1::AppendRequest append;
        append.set_grant(grant);
        append.set_document(document);
        append.set_index(index++);
        append.set_chunk(to_string(chunk));
        CLOISON_TRY_STATUS(visitor.door->documents.append(append));
    }
    documents::v1::FinishRequest finish;
    finish.set_grant(grant);
    finish.set_document(document);
    finish.set_chunks(index);
    CLOISON_TRY_STATUS(visitor.door->documents.finish(finish));
    ++documents_;
    return {};
}

Status Life::submit(const demo::Resident& resident) {
    Household& home = homes_[resident.number];
    const Visitor visitor = resident_at_portal(resident);
    CLOISON_TRY(const auto own, own_request(visitor, home.request));
    CLOISON_TRY(const auto grant, issue_grant(visitor, {"self_service", "", {}, "", ""}));
    casework::v1::SubmitRequest submit;
    submit.set_grant(grant);
    submit.set_request(home.request);
    submit.set_version(own.request.version());
    CLOISON_TRY_STATUS(visitor.door->casework.submit(submit));
    home.status = home.status == "action_required" ? "in_review" : "submitted";
    return {};
}

Status Life::withdraw(const demo::Resident& resident) {
    Household& home = homes_[resident.number];
    const Visitor visitor = resident_at_portal(resident);
    CLOISON_TRY(const auto grant, issue_grant(visitor, {"self_service", "", {}, "", ""}));
    casework::v1::WithdrawRequest request;
    request.set_grant(grant);
    request.set_request(home.request);
    CLOISON_TRY_STATUS(visitor.door->casework.withdraw(request));
    home.status = "withdrawn";
    return {};
}

Status Life::return_to_portal(const demo::Resident& resident) {
    Visitor visitor = resident_at_portal(resident);
    CLOISON_TRY(homes_[resident.number].token,
                sign_in(visitor, resident.email, resident.password, "", clock_.now()));
    return {};
}

Status Life::write_as_resident(const Visitor& visitor, const Case& own, std::string_view text) {
    CLOISON_TRY(const auto grant,
                issue_grant(visitor, {"self_service", "", {"message_text"}, own.ticket, ""}));
    const std::string message = new_id(random_);
    CLOISON_TRY(auto sealed, seal(*visitor.door, by_grant(grant),
                                  {{"message_text", message, std::string(text)}}));
    casework::v1::PostMessageRequest post;
    post.set_grant(grant);
    post.set_request(own.request.request());
    post.set_message(message);
    post.set_sealed(std::move(sealed.at(0).sealed));
    CLOISON_TRY_STATUS(visitor.door->casework.post_message(post));
    ++messages_;
    return {};
}

Status Life::look_again(const demo::Resident& resident) {
    CLOISON_TRY_STATUS(return_to_portal(resident));
    const Household& home = homes_[resident.number];
    const Visitor visitor = resident_at_portal(resident);
    CLOISON_TRY_STATUS(read_own_profile(visitor));
    if (home.request.empty()) return {};
    CLOISON_TRY(const auto own, own_request(visitor, home.request));
    CLOISON_TRY_STATUS(read_own_request(visitor, own));
    const std::string& status = own.request.status();
    if (status == "draft" || status == "refused" || status == "delivered" || status == "withdrawn")
        return {};
    return write_as_resident(visitor, own,
                             demo::kQuestions[resident.number % demo::kQuestions.size()]);
}

Status Life::correct(const demo::Resident& resident) {
    CLOISON_TRY_STATUS(return_to_portal(resident));
    const Visitor visitor = resident_at_portal(resident);
    CLOISON_TRY(const auto own, own_request(visitor, homes_[resident.number].request));
    std::vector<SealedValue> messages;
    for (const auto& message : own.request.messages())
        messages.push_back({"message_text", message.message(), message.sealed()});
    CLOISON_TRY(const auto grant,
                issue_grant(visitor, {"self_service", "", {"message_text"}, own.ticket, ""}));
    CLOISON_TRY_STATUS(read_values(*visitor.door, grant, messages));
    CLOISON_TRY_STATUS(read_own_request(visitor, own));
    return submit(resident);
}

}  // namespace cloison::population
