#include "identity/test_house.h"

namespace cloison::identity {
namespace {

class ProfileTest : public House {
  protected:
    std::string seal_own(const std::string& grant, const std::string& field,
                         const std::string& record, const std::string& value) {
        keeper::v1::SealRequest request;
        request.mutable_subject()->set_grant(grant);
        auto* item = request.add_items();
        item->set_field(field);
        item->set_record(record);
        item->set_value(value);
        item->set_schema_version(1);
        const auto response = keeper_as("portal").seal(request);
        EXPECT_TRUE(response) << response.error().message;
        return response->sealed(0);
    }
    Status save(const std::string& grant, const std::string& field, const std::string& record,
                const std::string& sealed) {
        v1::SaveProfileRequest request;
        request.set_grant(grant);
        auto* value = request.add_fields();
        value->set_field(field);
        value->set_record(record);
        value->set_sealed(sealed);
        const auto response = as("portal").save_profile(request);
        if (!response) return fail(response.error());
        return {};
    }
    Result<v1::GetProfileResponse> profile(const std::string& grant,
                                           const std::string& door = "portal") {
        v1::GetProfileRequest request;
        request.set_grant(grant);
        return as(door).get_profile(request);
    }
};

TEST_F(ProfileTest, SavesAndReturnsWhatTheGrantNames) {
    const auto resident = sign_up("a@example.org");
    const std::string grant = own_grant(resident.token, {"email", "phone"});
    const std::string sealed = seal_own(grant, "phone", resident.record, "+33 1 23 45 67 89");
    ASSERT_TRUE(save(grant, "phone", resident.record, sealed));
    const auto both = profile(grant);
    ASSERT_TRUE(both) << both.error().message;
    ASSERT_EQ(both->fields_size(), 2);
    EXPECT_EQ(both->fields(1).field(), "phone");
    EXPECT_EQ(both->fields(1).sealed(), sealed);
    const auto opened = open(grant, "phone", both->fields(1).record(), both->fields(1).sealed());
    ASSERT_TRUE(opened) << opened.error().message;
    EXPECT_EQ(*opened, "+33 1 23 45 67 89");

    const auto one = profile(own_grant(resident.token, {"phone"}));
    ASSERT_EQ(one->fields_size(), 1);
    EXPECT_EQ(one->fields(0).field(), "phone");
    EXPECT_EQ(profile(own_grant(resident.token, {}))->fields_size(), 0);

    const std::string changed = seal_own(grant, "phone", resident.record, "none");
    ASSERT_TRUE(save(grant, "phone", resident.record, changed));
    EXPECT_EQ(profile(grant)->fields(1).sealed(), changed);
}

TEST_F(ProfileTest, OneSeesOnlyOnesOwn) {
    const auto anne = sign_up("a@example.org");
    const auto bela = sign_up("b@example.org");
    const auto mine = profile(own_grant(anne.token, {"email"}));
    EXPECT_EQ(mine->record(), anne.record);
    const auto theirs = profile(own_grant(bela.token, {"email"}));
    EXPECT_EQ(theirs->record(), bela.record);
    // Even with the other's ciphertext in hand, the keeper opens nothing.
    EXPECT_FALSE(open(own_grant(anne.token, {"email"}), "email", theirs->fields(0).record(),
                      theirs->fields(0).sealed()));
}

TEST_F(ProfileTest, RefusesWhatIsNotItsOwnToChange) {
    const auto resident = sign_up("a@example.org");
    const std::string grant = own_grant(resident.token, {"email", "phone"});
    const std::string sealed = seal_own(grant, "phone", resident.record, "1");
    for (const char* field : {"email", "sign_in_trace", "birth_name", "unknown", ""})
        EXPECT_TRUE(fails(ErrorCode::kInvalidArgument, save(grant, field, resident.record, sealed)))
            << field;
    EXPECT_TRUE(fails(ErrorCode::kInvalidArgument, save(grant, "phone", "short", sealed)));
    EXPECT_TRUE(
        fails(ErrorCode::kInvalidArgument, save(grant, "phone", resident.record, "plain text")));
    v1::SaveProfileRequest request;
    request.set_grant(grant);
    EXPECT_TRUE(fails(ErrorCode::kInvalidArgument, as("portal").save_profile(request)));
    for (int i = 0; i < 2; ++i) {
        auto* value = request.add_fields();
        value->set_field("phone");
        value->set_record(resident.record);
        value->set_sealed(sealed);
    }
    EXPECT_TRUE(fails(ErrorCode::kInvalidArgument, as("portal").save_profile(request)));
    EXPECT_EQ(profile(grant)->fields_size(), 1);
}

TEST_F(ProfileTest, SupportSeesTheProfileButDoesNotChangeIt) {
    const auto resident = sign_up("a@example.org");
    const auto token = staff_session(create_staff("support", "s@example.org"));
    auto request = grant_request(token, "support_call", {"email"}, "desk");
    request.set_reason("call");
    request.set_email_index(resident.email_index);
    const auto grant = issue(request);
    ASSERT_TRUE(grant) << grant.error().message;
    const auto seen = profile(*grant, "desk");
    ASSERT_TRUE(seen) << seen.error().message;
    EXPECT_EQ(seen->record(), resident.record);
    EXPECT_EQ(*open(*grant, "email", seen->fields(0).record(), seen->fields(0).sealed(), "desk"),
              "a@example.org");
    EXPECT_TRUE(fails(ErrorCode::kPermissionDenied, profile(*grant, "portal")));
    EXPECT_TRUE(fails(ErrorCode::kPermissionDenied,
                      save(*grant, "phone", seen->record(), seen->fields(0).sealed())));
}

TEST_F(ProfileTest, GrantEndsWithItsTimeAndItsSession) {
    const auto resident = sign_up("a@example.org");
    const std::string grant = own_grant(resident.token, {"email"});
    EXPECT_TRUE(profile(grant));
    clock.advance(kGrantLifetime - Duration(1000));
    EXPECT_TRUE(profile(grant));
    clock.advance(Duration(1000));
    EXPECT_TRUE(fails(ErrorCode::kUnauthenticated, profile(grant)));

    const std::string second = own_grant(resident.token, {"email"});
    v1::SignOutRequest request;
    request.set_token(resident.token);
    ASSERT_TRUE(as("portal").sign_out(request));
    EXPECT_TRUE(fails(ErrorCode::kUnauthenticated, profile(second)));
}

TEST_F(ProfileTest, ForgedGrantsAreRefused) {
    const auto resident = sign_up("a@example.org");
    std::string grant = own_grant(resident.token, {"email"});
    grant[grant.size() / 2] = grant[grant.size() / 2] == 'A' ? 'B' : 'A';
    EXPECT_TRUE(fails(ErrorCode::kUnauthenticated, profile(grant)));
    EXPECT_TRUE(fails(ErrorCode::kUnauthenticated, profile("")));
    EXPECT_TRUE(fails(ErrorCode::kUnauthenticated, profile(std::string(100'000, 'x'))));
}

}  // namespace
}  // namespace cloison::identity
