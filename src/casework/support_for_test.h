#pragma once

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "base/seeded_random.h"
#include "base/temporary_directory.h"
#include "casework/casework.h"
#include "casework/casework_client.h"
#include "keeper/client/grant.h"
#include "keeper/client/keeper_client.h"
#include "keeper/keeper.h"

namespace cloison::casework {

/// Casework beside a keeper, both real and in this process, with identity's key to sign grants.
class CaseworkBed : public testing::Test {
  protected:
    using IdentityHandle = std::array<std::uint8_t, 16>;
    struct Person {
        std::string enrolment;
        IdentityHandle identity{};
    };

    void SetUp() override {
        register_ = *registry::Registry::load(files(), source("registry/fields.toml"));
        ASSERT_TRUE(keeper::create_keeper_directory(files(), path("keeper"), random_));
        ASSERT_TRUE(create_casework_directory(files(), path("casework"), random_));
        keeper::Keeper::Options options;
        options.directory = path("keeper");
        auto opened = keeper::Keeper::open(options, register_, identity_.verify_key(), files(),
                                           clock_, random_);
        ASSERT_TRUE(opened) << opened.error().message;
        keeper_ = std::move(*opened);
        start();
    }

    void start() {
        casework_.reset();
        auto types = load_request_types(files(), source("registry/requests"), register_);
        ASSERT_TRUE(types) << types.error().message;
        auto opened = Casework::open({path("casework")}, std::move(*types), identity_.verify_key(),
                                     keeper_as("casework"), files(), clock_, random_);
        ASSERT_TRUE(opened) << opened.error().message;
        casework_ = std::move(*opened);
    }

    static FileSystem& files() { return local_file_system(); }
    static Path source(const std::string& name) { return Path(CLOISON_SOURCE_DIR) / name; }
    Path path(const std::string& name) const { return directory_.path() / name; }

    keeper::KeeperClient keeper_as(const std::string& caller) const {
        return keeper::KeeperClient(net::local_rpc(keeper_->service(), caller));
    }
    CaseworkClient as(const std::string& caller) const {
        return CaseworkClient(net::local_rpc(casework_->service(), caller));
    }
    CaseworkClient portal() const { return as("portal"); }
    CaseworkClient desk() const { return as("desk"); }

    Person enroll() {
        keeper::v1::EnrollRequest request;
        request.set_count(1);
        const auto enrolled = keeper_as("portal").enroll(request);
        EXPECT_TRUE(enrolled);
        Person person{enrolled->enrolments(0), {}};
        keeper::v1::ResolveRequest resolve;
        resolve.mutable_subject()->set_enrolment(person.enrolment);
        const auto resolved = keeper_as("identity").resolve(resolve);
        EXPECT_TRUE(resolved);
        std::copy_n(resolved->pseudonym().begin(), 16, person.identity.begin());
        return person;
    }

    keeper::Grant base_grant(registry::Role role, const std::string& door,
                             const std::string& purpose, const std::string& reason) {
        keeper::Grant grant;
        grant.id = ActorId::random(random_).hex();
        grant.actor = ActorId::random(random_);
        grant.role = role;
        grant.session = SessionId::random(random_);
        grant.door = door;
        grant.origin = "203.0.113.5";
        grant.purpose = purpose;
        grant.reason = reason;
        grant.issued = clock_.now();
        grant.expires = clock_.now() + Duration(300'000);
        return grant;
    }
    keeper::Grant self_grant(const Person& person) {
        auto grant = base_grant(registry::Role::kResident, "portal", "self_service", "");
        grant.person = keeper::make_handle(keeper_->handle_key(),
                                           {registry::Compartment::kIdentity, person.identity, {}});
        return grant;
    }
    keeper::Grant officer_grant(const ActorId& officer) {
        auto grant = base_grant(registry::Role::kOfficer, "desk", "process_request", "examine");
        grant.actor = officer;
        return grant;
    }
    std::string sign(const keeper::Grant& grant) const {
        return keeper::sign_grant(identity_, grant);
    }
    std::string self(const Person& person) { return sign(self_grant(person)); }
    std::string staff(const ActorId& officer) { return sign(officer_grant(officer)); }
    ActorId new_officer() { return ActorId::random(random_); }

    std::string seal(const Person& person, const std::string& field, const std::string& record,
                     const std::string& value) {
        keeper::v1::SealRequest request;
        request.mutable_subject()->set_grant(self(person));
        auto& item = *request.add_items();
        item.set_field(field);
        item.set_record(record);
        item.set_value(value);
        item.set_schema_version(1);
        const auto sealed = keeper_as("portal").seal(request);
        EXPECT_TRUE(sealed) << (sealed ? "" : sealed.error().message);
        return sealed ? sealed->sealed(0) : std::string();
    }

    Result<std::string> try_create(const Person& person, const std::string& type = "passport") {
        v1::CreateRequestRequest request;
        request.set_grant(self(person));
        request.set_type(type);
        CLOISON_TRY(const auto created, portal().create_request(request));
        return created.request();
    }
    std::string create(const Person& person) {
        const auto created = try_create(person);
        EXPECT_TRUE(created) << (created ? "" : created.error().message);
        return created.value_or("");
    }

    Result<v1::GetRequestResponse> try_get(const Person& person, const std::string& id) {
        v1::GetRequestRequest request;
        request.set_grant(self(person));
        request.set_request(id);
        return portal().get_request(request);
    }
    v1::Request get(const Person& person, const std::string& id) {
        const auto response = try_get(person, id);
        EXPECT_TRUE(response) << (response ? "" : response.error().message);
        return response ? response->request() : v1::Request();
    }

    v1::SaveValuesRequest changes(const Person& person, const std::string& id,
                                  std::uint32_t version) {
        v1::SaveValuesRequest request;
        request.set_grant(self(person));
        request.set_request(id);
        request.set_version(version);
        return request;
    }
    void add(v1::SaveValuesRequest& request, const Person& person, const std::string& field,
             const std::string& value) {
        auto& added = *request.add_values();
        added.set_field(field);
        added.set_record(request.request());
        added.set_sealed(seal(person, field, request.request(), value));
    }
    /// Every field that is always required, with the value given.
    void fill(const Person& person, const std::string& id, const std::string& value = "value") {
        auto request = changes(person, id, get(person, id).version());
        for (const char* field :
             {"request_reason", "birth_name", "forenames", "sex", "birth_date", "birthplace",
              "nationality", "height", "eye_colour", "parent1_known", "parent2_known",
              "postal_address", "contact_phone", "contact_email"})
            add(request, person, field, value);
        const auto saved = portal().save_values(request);
        EXPECT_TRUE(saved) << (saved ? "" : saved.error().message);
    }

    Result<v1::SubmitResponse> try_submit(const Person& person, const std::string& id) {
        v1::SubmitRequest request;
        request.set_grant(self(person));
        request.set_request(id);
        request.set_version(get(person, id).version());
        return portal().submit(request);
    }
    Result<v1::WithdrawResponse> try_withdraw(const Person& person, const std::string& id) {
        v1::WithdrawRequest request;
        request.set_grant(self(person));
        request.set_request(id);
        return portal().withdraw(request);
    }
    std::string submitted(const Person& person) {
        const std::string id = create(person);
        fill(person, id);
        const auto done = try_submit(person, id);
        EXPECT_TRUE(done) << (done ? "" : done.error().message);
        return id;
    }

    Result<v1::TakeCaseResponse> try_take(const ActorId& officer, const std::string& id) {
        v1::TakeCaseRequest request;
        request.set_grant(staff(officer));
        request.set_request(id);
        return desk().take_case(request);
    }
    Result<v1::ReleaseCaseResponse> try_release(const ActorId& officer, const std::string& id) {
        v1::ReleaseCaseRequest request;
        request.set_grant(staff(officer));
        request.set_request(id);
        return desk().release_case(request);
    }
    Result<v1::GetCaseResponse> try_case(const ActorId& officer, const std::string& id) {
        v1::GetCaseRequest request;
        request.set_grant(staff(officer));
        request.set_request(id);
        return desk().get_case(request);
    }
    Result<v1::DecideResponse> try_decide(const ActorId& officer, const Person& person,
                                          const std::string& id, const std::string& status,
                                          bool with_message = true) {
        v1::DecideRequest request;
        request.set_grant(staff(officer));
        request.set_request(id);
        request.set_version(get(person, id).version());
        request.set_status(status);
        if (with_message) {
            request.set_message(MessageId::random(random_).bytes());
            request.set_sealed_message(seal(person, "message_text", request.message(), "words"));
        }
        return desk().decide(request);
    }
    Result<v1::PostMessageResponse> try_post(const std::string& door, const std::string& grant,
                                             const Person& person, const std::string& id) {
        v1::PostMessageRequest request;
        request.set_grant(grant);
        request.set_request(id);
        request.set_message(MessageId::random(random_).bytes());
        request.set_sealed(seal(person, "message_text", request.message(), "words"));
        return as(door).post_message(request);
    }

    template <class T>
    static Error error_of(const Result<T>& result) {
        return result ? Error{ErrorCode::kInternal, "no error"} : result.error();
    }

    TemporaryDirectory directory_;
    ManualClock clock_{from_unix_ms(1'776'072'754'321)};  // 2026-04-13T09:32:34.321Z
    SeededRandom random_{7};
    crypto::SigningKey identity_ = crypto::SigningKey::from_seed(Bytes(32, 9));
    registry::Registry register_;
    std::unique_ptr<keeper::Keeper> keeper_;
    std::unique_ptr<Casework> casework_;
};

}  // namespace cloison::casework
