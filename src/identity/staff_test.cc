#include "identity/core.h"
#include "identity/identity_schema.h"
#include "identity/test_house.h"

namespace cloison::identity {
namespace {

class StaffTest : public House {
  protected:
    Result<v1::DescribeActorsResponse> describe(const std::string& door,
                                                const std::vector<std::string>& actors) {
        v1::DescribeActorsRequest request;
        for (const auto& actor : actors) request.add_actors(actor);
        return as(door).describe_actors(request);
    }
    Status disable(const std::string& token, const std::string& actor) {
        v1::DisableStaffRequest request;
        request.set_token(token);
        request.set_actor(actor);
        const auto response = as("desk").disable_staff(request);
        if (!response) return fail(response.error());
        return {};
    }
};

TEST_F(StaffTest, OperatorAndAdministratorCreateNobodyElse) {
    const auto administrator = staff_session(create_staff("administrator", "x@example.org"));
    const auto officer = staff_session(create_staff("officer", "o@example.org"));
    auto request = staff_request("support", "s@example.org");
    EXPECT_TRUE(fails(ErrorCode::kUnauthenticated, as("desk").create_staff(request)));
    request.set_token(officer);
    EXPECT_TRUE(fails(ErrorCode::kPermissionDenied, as("desk").create_staff(request)));
    EXPECT_TRUE(fails(ErrorCode::kPermissionDenied, as("portal").create_staff(request)));
    request.set_token(administrator);
    EXPECT_TRUE(as("desk").create_staff(request));
    EXPECT_TRUE(fails(ErrorCode::kConflict, as("desk").create_staff(request)));
}

TEST_F(StaffTest, OnlyTheOperatorBindsACode) {
    const auto administrator = staff_session(create_staff("administrator", "x@example.org"));
    auto request = staff_request("support", "s@example.org");
    request.set_token(administrator);
    request.set_totp_secret(std::string(kTotpSecretSize, 's'));
    EXPECT_TRUE(fails(ErrorCode::kPermissionDenied, as("desk").create_staff(request)));
    for (const std::size_t size : {kTotpSecretSize - 1, kTotpSecretSize + 1}) {
        request.set_totp_secret(std::string(size, 's'));
        EXPECT_TRUE(fails(ErrorCode::kInvalidArgument, as("operator").create_staff(request)));
    }
}

TEST_F(StaffTest, InputIsBounded) {
    const auto request = staff_request("officer", "o@example.org");
    const auto refused = [&](auto change) {
        auto changed = request;
        change(changed);
        return fails(ErrorCode::kInvalidArgument, as("operator").create_staff(changed));
    };
    using Request = v1::CreateStaffRequest;
    EXPECT_TRUE(refused([](Request& r) { r.set_role("resident"); }));
    EXPECT_TRUE(refused([](Request& r) { r.set_role("king"); }));
    EXPECT_TRUE(refused([](Request& r) { r.set_email_index("short"); }));
    EXPECT_TRUE(refused([](Request& r) { r.set_display_name(""); }));
    EXPECT_TRUE(refused([](Request& r) { r.set_display_name(std::string(201, 'n')); }));
    EXPECT_TRUE(refused([](Request& r) { r.set_unit(""); }));
    EXPECT_TRUE(refused([](Request& r) { r.set_unit(std::string(201, 'n')); }));
    EXPECT_TRUE(refused([](Request& r) { r.set_password("too short"); }));
    EXPECT_TRUE(refused([](Request& r) { r.set_language(""); }));
    EXPECT_TRUE(refused([](Request& r) { r.set_acts_for_anyone(true); }));
    auto longest = request;
    longest.set_display_name(std::string(200, 'n'));
    longest.set_unit(std::string(200, 'u'));
    EXPECT_TRUE(as("operator").create_staff(longest));
}

TEST_F(StaffTest, ListIsForOperatorAdministratorAndDpo) {
    const auto administrator = create_staff("administrator", "x@example.org");
    const auto officer = staff_session(create_staff("officer", "o@example.org"));
    const auto dpo = staff_session(create_staff("dpo", "d@example.org"));
    sign_up("a@example.org");
    v1::ListStaffRequest request;
    const auto all = as("operator").list_staff(request);
    ASSERT_TRUE(all) << all.error().message;
    ASSERT_EQ(all->staff_size(), 3);
    EXPECT_EQ(all->staff(0).role(), "officer");
    EXPECT_TRUE(all->staff(0).has_totp());
    EXPECT_EQ(all->staff(2).actor(), administrator.actor);
    request.set_token(dpo);
    EXPECT_EQ(as("desk").list_staff(request)->staff_size(), 3);
    request.set_token(officer);
    EXPECT_TRUE(fails(ErrorCode::kPermissionDenied, as("desk").list_staff(request)));
    request.set_token("");
    EXPECT_TRUE(fails(ErrorCode::kUnauthenticated, as("desk").list_staff(request)));
}

TEST_F(StaffTest, DisabledStaffAreOutAtOnceAndCannotComeBack) {
    const auto administrator_staff = create_staff("administrator", "x@example.org");
    const auto administrator = staff_session(administrator_staff);
    const auto officer_staff = create_staff("officer", "o@example.org");
    const auto officer = staff_session(officer_staff);
    const auto resident = sign_up("a@example.org");
    const auto pending = sign_in(officer_staff.email_index, kPassword, "desk")->totp_pending();
    EXPECT_TRUE(fails(ErrorCode::kPermissionDenied, disable(officer, administrator_staff.actor)));
    EXPECT_TRUE(fails(ErrorCode::kConflict, disable(administrator, administrator_staff.actor)));
    EXPECT_TRUE(fails(ErrorCode::kNotFound, disable(administrator, random_id())));
    EXPECT_TRUE(
        fails(ErrorCode::kNotFound, disable(administrator, session(resident.token)->actor())));
    EXPECT_TRUE(fails(ErrorCode::kInvalidArgument, disable(administrator, "short")));
    ASSERT_TRUE(disable(administrator, officer_staff.actor));

    EXPECT_TRUE(fails(ErrorCode::kUnauthenticated, session(officer, "desk")));
    clock.advance(Duration(30'000));
    EXPECT_TRUE(fails(ErrorCode::kUnauthenticated,
                      sign_in_totp(pending, code_now(officer_staff.totp), "desk")));
    const auto again = sign_in(officer_staff.email_index, kPassword, "desk");
    EXPECT_TRUE(fails(ErrorCode::kUnauthenticated, again));
    EXPECT_EQ(again.error().message, "The e-mail address or the password is not right.");
}

TEST_F(StaffTest, GrantsOfDisabledStaffEndWithTheirSessions) {
    const auto administrator = staff_session(create_staff("administrator", "x@example.org"));
    const auto support = create_staff("support", "s@example.org");
    const auto resident = sign_up("a@example.org");
    auto request = grant_request(staff_session(support), "support_call", {"email"}, "desk");
    request.set_reason("call");
    request.set_email_index(resident.email_index);
    v1::GetProfileRequest profile;
    profile.set_grant(*issue(request));
    EXPECT_TRUE(as("desk").get_profile(profile));
    ASSERT_TRUE(disable(administrator, support.actor));
    EXPECT_TRUE(fails(ErrorCode::kUnauthenticated, as("desk").get_profile(profile)));
}

TEST_F(StaffTest, DescriptionsNameStaffToTheDeskOnlyAndResidentsNever) {
    const auto officer = create_staff("officer", "o@example.org");
    const auto resident = sign_up("a@example.org");
    const std::vector<std::string> actors = {officer.actor, session(resident.token)->actor(),
                                             random_id()};
    const auto desk = describe("desk", actors);
    ASSERT_EQ(desk->actors_size(), 1);
    EXPECT_EQ(desk->actors(0).display_name(), "Name of officer");
    const auto portal = describe("portal", actors);
    ASSERT_EQ(portal->actors_size(), 1);
    EXPECT_EQ(portal->actors(0).role(), "officer");
    EXPECT_EQ(portal->actors(0).unit(), "Unit");
    EXPECT_TRUE(portal->actors(0).display_name().empty());
    EXPECT_TRUE(fails(ErrorCode::kInvalidArgument, describe("desk", {"short"})));
    const std::string some = random_id();
    EXPECT_TRUE(describe("desk", std::vector<std::string>(kMaxActors, some)));
    EXPECT_TRUE(fails(ErrorCode::kInvalidArgument,
                      describe("desk", std::vector<std::string>(kMaxActors + 1, some))));
}

TEST_F(StaffTest, EightThousandAndNoMoreAndTheyFitOneAnswer) {
    auto database =
        storage::open_sqlite(identity_directory() / "identity.sqlite", identity_schema());
    ASSERT_TRUE(database) << database.error().message;
    const std::string longest(kMaxStaffText, 'n');
    const auto data = load_keys(files, identity_directory());
    ASSERT_TRUE(data) << data.error().message;
    ASSERT_TRUE((*database)->write([&](storage::Transaction& transaction) -> Status {
        for (int i = 0; i < kMaxStaff - 1; ++i) {
            Account account;
            account.id = AccountId::random(random);
            account.record = RecordId::random(random);
            account.email_index = Bytes(32);
            random.fill(account.email_index);
            account.actor = ActorId::random(random);
            account.role = registry::Role::kAdministrator;
            account.language = "fr";
            account.display_name = longest;
            account.unit = longest;
            account.verifier.record = account.record;
            CLOISON_TRY_STATUS(insert_account(data->accounts, transaction, account));
        }
        return {};
    }));
    EXPECT_TRUE(as("operator").create_staff(staff_request("officer", "o@example.org")));
    EXPECT_TRUE(fails(ErrorCode::kExhausted,
                      as("operator").create_staff(staff_request("officer", "p@example.org"))));
    const auto all = as("operator").list_staff({});
    ASSERT_TRUE(all) << all.error().message;
    EXPECT_EQ(all->staff_size(), kMaxStaff);
    EXPECT_LT(all->ByteSizeLong(), net::kMaxRpcMessage);
}

TEST_F(StaffTest, ServiceHasEveryMethodOfItsContract) {
    EXPECT_TRUE(identity->service()->missing().empty());
}

TEST_F(StaffTest, KeysAreNeverOverwritten) {
    EXPECT_TRUE(fails(ErrorCode::kConflict,
                      create_identity_directory(files, identity_directory(), random)));
    const auto again = identity_verify_keys(files, identity_directory());
    ASSERT_TRUE(again);
    EXPECT_EQ(again->grants, keys.grants);
    EXPECT_FALSE(again->grants == again->service);
    EXPECT_EQ(identity_service_key(files, identity_directory())->verify_key(), keys.service);
}

}  // namespace
}  // namespace cloison::identity
