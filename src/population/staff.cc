#include <algorithm>
#include <array>
#include <set>

#include "base/id.h"
#include "demo/texts.h"
#include "documents/encrypted_file.h"
#include "population/life.h"

namespace cloison::population {
namespace {

const std::vector<std::string> kIdentityFields{"birth_name", "forenames",  "name_in_use", "sex",
                                               "birth_date", "birthplace", "nationality"};
const std::vector<std::string> kParentFields{"parent1_name",       "parent1_birth_date",
                                             "parent1_birthplace", "parent2_name",
                                             "parent2_birth_date", "parent2_birthplace"};
const std::vector<std::string> kContactFields{"postal_address", "contact_phone", "contact_email"};

}  // namespace

Status Life::staff_sign_in(const Step& step) {
    const std::size_t index = staff_index(step.role, step.staff);
    const demo::Account& account = staff_[index];
    Visitor visitor = staff_at_door(step);
    CLOISON_TRY(staff_tokens_[index],
                sign_in(visitor, account.email, account.password, account.totp, clock_.now()));
    return {};
}

Status Life::take_case(const Step& step) {
    Household& home = homes_[step.resident];
    const Visitor visitor = staff_at_door(step);
    CLOISON_TRY(const auto grant, issue_grant(visitor, {"process_request", "examine", {}, "", ""}));
    casework::v1::TakeCaseRequest take;
    take.set_grant(grant);
    take.set_request(home.request);
    CLOISON_TRY_STATUS(visitor.door->casework.take_case(take));
    if (home.status == "submitted") home.status = "in_review";
    return {};
}

Result<Life::Case> Life::case_in_hand(const Visitor& visitor, const Household& home) {
    CLOISON_TRY(const auto grant, issue_grant(visitor, {"process_request", "examine", {}, "", ""}));
    casework::v1::GetCaseRequest get;
    get.set_grant(grant);
    get.set_request(home.request);
    CLOISON_TRY(auto response, visitor.door->casework.get_case(get));
    return Case{std::move(*response.mutable_request()), std::move(*response.mutable_ticket())};
}

Status Life::reveal(const Visitor& visitor, const Case& open, std::string_view reason,
                    const std::vector<std::string>& fields) {
    std::vector<SealedValue> values;
    for (auto& value : to_sealed(open.request.values()))
        if (std::find(fields.begin(), fields.end(), value.field) != fields.end())
            values.push_back(std::move(value));
    if (values.empty()) return {};
    CLOISON_TRY(const auto grant, issue_grant(visitor, {"process_request", std::string(reason),
                                                        names_of(values), open.ticket, ""}));
    return read_values(*visitor.door, grant, values);
}

Status Life::read_documents(const Visitor& visitor, const Case& open) {
    CLOISON_TRY(const auto grant, issue_grant(visitor, {"process_request",
                                                        "document_check",
                                                        {"document_content", "document_name"},
                                                        open.ticket,
                                                        ""}));
    documents::v1::ListRequest list;
    list.set_grant(grant);
    CLOISON_TRY(const auto listed, visitor.door->documents.list(list));
    for (const auto& document : listed.documents()) {
        CLOISON_TRY(const auto opened,
                    open_values(*visitor.door, grant,
                                {{"document_content", document.document(), document.sealed_key()},
                                 {"document_name", document.document(), document.sealed_name()}}));
        CLOISON_TRY(const auto key, crypto::FileKey::from_bytes(as_bytes(opened.at(0))));
        CLOISON_TRY(auto decryptor,
                    documents::FileDecryptor::create(key, as_bytes(document.header())));
        for (std::uint32_t index = 0; index < document.chunks(); ++index) {
            documents::v1::ReadRequest read;
            read.set_grant(grant);
            read.set_document(document.document());
            read.set_index(index);
            CLOISON_TRY(const auto chunk, visitor.door->documents.read(read));
            CLOISON_TRY_STATUS(decryptor.feed(as_bytes(chunk.chunk())));
        }
        CLOISON_TRY_STATUS(decryptor.finish());
    }
    return {};
}

Status Life::examine_case(const Step& step) {
    SeededRandom draw = origin_.split("examine").split(step.resident);
    const Visitor visitor = staff_at_door(step);
    CLOISON_TRY(const auto open, case_in_hand(visitor, homes_[step.resident]));
    CLOISON_TRY_STATUS(reveal(visitor, open, "identity_check", kIdentityFields));
    if (draw.uniform(100) < 55) CLOISON_TRY_STATUS(reveal(visitor, open, "examine", kParentFields));
    if (draw.uniform(100) < 40)
        CLOISON_TRY_STATUS(reveal(visitor, open, "contact", kContactFields));
    return read_documents(visitor, open);
}

Status Life::decide_case(const Step& step) {
    Household& home = homes_[step.resident];
    const Visitor visitor = staff_at_door(step);
    CLOISON_TRY(const auto open, case_in_hand(visitor, home));
    CLOISON_TRY(const auto grant, issue_grant(visitor, {"process_request", "examine", {}, "", ""}));
    casework::v1::DecideRequest decide;
    decide.set_grant(grant);
    decide.set_request(home.request);
    decide.set_version(open.request.version());
    decide.set_status(std::string(step.status));
    if (step.status == "action_required" || step.status == "refused") {
        CLOISON_TRY(const auto writing,
                    issue_grant(visitor,
                                {"process_request", "examine", {"message_text"}, open.ticket, ""}));
        decide.set_message(MessageId::random(random_).bytes());
        const auto text = step.status == "refused" ? demo::kRefusal : demo::kCorrection;
        CLOISON_TRY(auto sealed, seal(*visitor.door, by_grant(writing),
                                      {{"message_text", decide.message(), std::string(text)}}));
        decide.set_sealed_message(std::move(sealed.at(0).sealed));
        ++messages_;
    }
    CLOISON_TRY_STATUS(visitor.door->casework.decide(decide));
    home.status = step.status;
    return {};
}

Status Life::read_profile_by_email(const Step& step, std::string_view purpose,
                                   std::string_view reason, std::vector<std::string> fields) {
    const Visitor visitor = staff_at_door(step);
    CLOISON_TRY(auto index, email_index(*visitor.door, people_.resident(step.resident).email));
    CLOISON_TRY(const auto grant, issue_grant(visitor, {std::string(purpose), std::string(reason),
                                                        std::move(fields), "", std::move(index)}));
    identity::v1::GetProfileRequest request;
    request.set_grant(grant);
    CLOISON_TRY(const auto profile, visitor.door->identity.get_profile(request));
    return read_values(*visitor.door, grant, to_sealed(profile.fields()));
}

}  // namespace cloison::population
