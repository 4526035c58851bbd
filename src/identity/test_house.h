#pragma once

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <map>
#include <mutex>

#include "base/id.h"
#include "base/temporary_directory.h"
#include "identity/identity.h"
#include "identity/identity_client.h"
#include "identity/limits.h"
#include "identity/totp.h"
#include "keeper/client/grant.h"
#include "keeper/keeper.h"

namespace cloison::identity {

/// Counts the calls of each method on their way to the keeper, and can refuse them.
class CountingChannel : public net::RpcChannel {
  public:
    explicit CountingChannel(std::unique_ptr<net::RpcChannel> inner) : inner_(std::move(inner)) {}
    Status call(std::string_view method, const google::protobuf::Message& request,
                google::protobuf::Message* response, Duration deadline) override {
        {
            std::lock_guard lock(mutex_);
            ++calls_[std::string(method)];
        }
        if (refusing_) return fail(ErrorCode::kUnavailable, "The keeper cannot be reached.");
        return inner_->call(method, request, response, deadline);
    }
    int calls(const std::string& method) {
        std::lock_guard lock(mutex_);
        return calls_[method];
    }
    void refuse(bool refusing) { refusing_ = refusing; }

  private:
    std::unique_ptr<net::RpcChannel> inner_;
    std::atomic<bool> refusing_ = false;
    std::mutex mutex_;
    std::map<std::string, int> calls_;
};

constexpr const char* kPassword = "correct horse battery";

/// A keeper and identity, as they are, in one process and a directory of their own.
class House : public ::testing::Test {
  protected:
    struct Resident {
        std::string email_index;
        std::string record;
        std::string token;
    };
    struct Staff {
        std::string email_index;
        std::string actor;
        Bytes totp;
    };

    void SetUp() override {
        auto loaded =
            registry::Registry::load(files, Path(CLOISON_SOURCE_DIR) / "registry" / "fields.toml");
        ASSERT_TRUE(loaded) << loaded.error().message;
        registry = std::move(*loaded);
        ASSERT_TRUE(keeper::create_keeper_directory(files, keeper_directory(), random));
        ASSERT_TRUE(create_identity_directory(files, identity_directory(), random));
        keys = *identity_verify_keys(files, identity_directory());
        keeper::Keeper::Options options;
        options.directory = keeper_directory();
        auto opened = keeper::Keeper::open(options, registry, keys.grants, files, clock, random);
        ASSERT_TRUE(opened) << opened.error().message;
        keeper = std::move(*opened);
        to_keeper =
            std::make_shared<CountingChannel>(net::local_rpc(keeper->service(), "identity"));
        open_identity();
    }

    void open_identity() {
        identity.reset();
        Identity::Options options;
        options.directory = identity_directory();
        options.password_cost = {8, 1};
        options.stretch_queue = 100;
        options.on_stretch = [this] {
            ++stretches;
            if (const auto act = std::exchange(while_stretching, nullptr)) act();
        };
        auto opened = Identity::open(options, registry, keeper::KeeperClient(to_keeper),
                                     casework.verify_key(), files, clock, random);
        ASSERT_TRUE(opened) << opened.error().message;
        identity = std::move(*opened);
    }

    Path keeper_directory() const { return directory.path() / "keeper"; }
    Path identity_directory() const { return directory.path() / "identity"; }

    IdentityClient as(const std::string& caller) const {
        return IdentityClient(net::local_rpc(identity->service(), caller));
    }
    keeper::KeeperClient keeper_as(const std::string& caller) const {
        return keeper::KeeperClient(net::local_rpc(keeper->service(), caller));
    }

    static v1::Client client(const std::string& door) {
        v1::Client client;
        client.set_origin("192.0.2.7");
        client.set_user_agent("Browser/1");
        client.set_door(door);
        return client;
    }
    std::string random_id() { return Id<struct TestTag>::random(random).bytes(); }

    std::string index_of(const std::string& email) {
        keeper::v1::BlindIndexRequest request;
        request.set_field("email");
        request.set_value(email);
        return keeper_as("portal").blind_index(request)->index();
    }

    Result<v1::BeginSignUpResponse> begin(const std::string& email_index) {
        v1::BeginSignUpRequest request;
        request.set_email_index(email_index);
        request.set_language("fr");
        return as("portal").begin_sign_up(request);
    }
    Status confirm(const std::string& sign_up, const std::string& code) {
        v1::ConfirmSignUpRequest request;
        request.set_sign_up(sign_up);
        request.set_code(code);
        auto response = as("portal").confirm_sign_up(request);
        if (!response) return fail(response.error());
        return {};
    }
    std::string enrolment() {
        keeper::v1::EnrollRequest request;
        request.set_count(1);
        return keeper_as("portal").enroll(request)->enrolments(0);
    }
    std::string seal(const std::string& enrolment, const std::string& field,
                     const std::string& record, const std::string& value) {
        keeper::v1::SealRequest request;
        request.mutable_subject()->set_enrolment(enrolment);
        auto* item = request.add_items();
        item->set_field(field);
        item->set_record(record);
        item->set_value(value);
        item->set_schema_version(1);
        return keeper_as("portal").seal(request)->sealed(0);
    }
    v1::CompleteSignUpRequest complete_request(const std::string& email) {
        v1::CompleteSignUpRequest request;
        request.set_enrolment(enrolment());
        request.set_email_index(index_of(email));
        request.set_record(random_id());
        request.set_sealed_email(seal(request.enrolment(), "email", request.record(), email));
        request.set_password(kPassword);
        request.set_language("fr");
        *request.mutable_client() = client("portal");
        return request;
    }
    Resident sign_up(const std::string& email) {
        auto request = complete_request(email);
        const auto begun = begin(request.email_index());
        EXPECT_TRUE(begun) << begun.error().message;
        EXPECT_TRUE(confirm(begun->sign_up(), begun->code()));
        request.set_sign_up(begun->sign_up());
        const auto completed = as("portal").complete_sign_up(request);
        EXPECT_TRUE(completed) << completed.error().message;
        return {request.email_index(), request.record(), completed->token()};
    }

    Result<v1::SignInResponse> sign_in(const std::string& email_index, const std::string& password,
                                       const std::string& door = "portal") {
        v1::SignInRequest request;
        request.set_email_index(email_index);
        request.set_password(password);
        *request.mutable_client() = client(door);
        return as(door).sign_in(request);
    }
    Result<std::string> sign_in_totp(const std::string& pending, const std::string& code,
                                     const std::string& door = "portal") {
        v1::SignInTotpRequest request;
        request.set_totp_pending(pending);
        request.set_code(code);
        *request.mutable_client() = client(door);
        CLOISON_TRY(const auto response, as(door).sign_in_totp(request));
        return response.token();
    }
    std::string code_now(ByteView secret, int steps = 0) const {
        return totp_code(secret, totp_step(clock.now()) + steps);
    }
    static std::string wrong(std::string code) {
        code[0] = code[0] == '0' ? '1' : '0';
        return code;
    }

    v1::CreateStaffRequest staff_request(const std::string& role, const std::string& email) {
        v1::CreateStaffRequest request;
        request.set_role(role);
        request.set_email_index(index_of(email));
        request.set_display_name("Name of " + role);
        request.set_unit("Unit");
        request.set_password(kPassword);
        request.set_language("en");
        return request;
    }
    Staff create_staff(const std::string& role, const std::string& email,
                       bool acts_for_anyone = false) {
        auto request = staff_request(role, email);
        Bytes secret(kTotpSecretSize);
        random.fill(secret);
        request.set_totp_secret(to_string(secret));
        request.set_acts_for_anyone(acts_for_anyone);
        const auto created = as("operator").create_staff(request);
        EXPECT_TRUE(created) << created.error().message;
        return {request.email_index(), created->actor(), secret};
    }
    /// A session at the desk. Moves the clock a step on, so that the code was not used before.
    std::string staff_session(const Staff& staff) {
        clock.advance(Duration(30'000));
        const auto response = sign_in(staff.email_index, kPassword, "desk");
        EXPECT_TRUE(response) << response.error().message;
        const auto token = sign_in_totp(response->totp_pending(), code_now(staff.totp), "desk");
        EXPECT_TRUE(token) << token.error().message;
        return *token;
    }

    Result<v1::GetSessionResponse> session(const std::string& token,
                                           const std::string& door = "portal") {
        v1::GetSessionRequest request;
        request.set_token(token);
        request.set_door(door);
        return as(door).get_session(request);
    }

    v1::IssueGrantRequest grant_request(const std::string& token, const std::string& purpose,
                                        std::vector<std::string> fields = {},
                                        const std::string& door = "portal") {
        v1::IssueGrantRequest request;
        request.set_token(token);
        request.set_purpose(purpose);
        for (auto& field : fields) request.add_fields(std::move(field));
        *request.mutable_client() = client(door);
        return request;
    }
    Result<std::string> issue(const v1::IssueGrantRequest& request) {
        CLOISON_TRY(const auto response, as(request.client().door()).issue_grant(request));
        return response.grant();
    }
    std::string own_grant(const std::string& token, std::vector<std::string> fields) {
        const auto grant = issue(grant_request(token, "self_service", std::move(fields)));
        EXPECT_TRUE(grant) << grant.error().message;
        return *grant;
    }
    /// What the keeper opens at a door against a grant.
    Result<std::string> open(const std::string& grant, const std::string& field,
                             const std::string& record, const std::string& sealed,
                             const std::string& door = "portal", const std::string& handle = "") {
        keeper::v1::OpenRequest request;
        auto* disclosure = request.add_disclosures();
        disclosure->set_grant(grant);
        disclosure->set_handle(handle);
        auto* item = disclosure->add_items();
        item->set_field(field);
        item->set_record(record);
        item->set_sealed(sealed);
        item->set_schema_version(1);
        CLOISON_TRY(const auto response, keeper_as(door).open(request));
        if (response.disclosed(0).values_size() != 1)
            return fail(ErrorCode::kPermissionDenied, response.disclosed(0).error_message());
        return response.disclosed(0).values(0);
    }

    FileSystem& files = local_file_system();
    Random& random = system_random();
    TemporaryDirectory directory;
    // A multiple of every unit that times are kept to, so that bounds are exact.
    ManualClock clock{*parse_rfc3339("2026-04-13T10:00:00Z")};
    registry::Registry registry;
    VerifyKeys keys;
    crypto::SigningKey casework = crypto::SigningKey::from_seed(Bytes(32, 7));
    std::unique_ptr<keeper::Keeper> keeper;
    std::shared_ptr<CountingChannel> to_keeper;
    std::atomic<int> stretches = 0;
    std::function<void()> while_stretching;  ///< Once, in the midst of the next sign-in.
    std::unique_ptr<Identity> identity;
};

/// Expects a failure of that kind.
template <class T>
::testing::AssertionResult fails(ErrorCode code, const Result<T>& result) {
    if (result) return ::testing::AssertionFailure() << "it succeeded";
    if (result.error().code == code) return ::testing::AssertionSuccess();
    return ::testing::AssertionFailure()
           << error_name(result.error().code) << ": " << result.error().message;
}

}  // namespace cloison::identity
