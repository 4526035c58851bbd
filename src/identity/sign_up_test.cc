#include <thread>

#include "identity/identity_schema.h"
#include "identity/test_house.h"

namespace cloison::identity {
namespace {

class SignUpTest : public House {};

TEST_F(SignUpTest, OpensAnAccountWithASession) {
    const auto resident = sign_up("anne@example.org");
    const auto found = session(resident.token);
    ASSERT_TRUE(found) << found.error().message;
    EXPECT_EQ(found->role(), "resident");
    EXPECT_EQ(found->language(), "fr");
    EXPECT_FALSE(found->has_totp());
    EXPECT_FALSE(found->totp_required());
    EXPECT_EQ(found->session().size(), 16u);
    EXPECT_EQ(found->actor().size(), 16u);
    EXPECT_TRUE(found->display_name().empty());
}

TEST_F(SignUpTest, SealedEmailOpensAgainForItsPerson) {
    const auto resident = sign_up("anne@example.org");
    const std::string grant = own_grant(resident.token, {"email"});
    v1::GetProfileRequest request;
    request.set_grant(grant);
    const auto profile = as("portal").get_profile(request);
    ASSERT_TRUE(profile) << profile.error().message;
    EXPECT_EQ(profile->record(), resident.record);
    ASSERT_EQ(profile->fields_size(), 1);
    const auto opened =
        open(grant, "email", profile->fields(0).record(), profile->fields(0).sealed());
    ASSERT_TRUE(opened) << opened.error().message;
    EXPECT_EQ(*opened, "anne@example.org");
}

TEST_F(SignUpTest, FifthTryMayBeRightAndTheSixthIsRefused) {
    const auto good = begin(index_of("a@example.org"));
    for (int i = 0; i < 4; ++i)
        EXPECT_TRUE(
            fails(ErrorCode::kUnauthenticated, confirm(good->sign_up(), wrong(good->code()))));
    EXPECT_TRUE(confirm(good->sign_up(), good->code()));

    const auto spent = begin(index_of("b@example.org"));
    for (int i = 0; i < 5; ++i)
        EXPECT_TRUE(
            fails(ErrorCode::kUnauthenticated, confirm(spent->sign_up(), wrong(spent->code()))));
    EXPECT_TRUE(fails(ErrorCode::kExhausted, confirm(spent->sign_up(), spent->code())));
}

TEST_F(SignUpTest, ParallelGuessesOfACodeAreCounted) {
    const auto begun = begin(index_of("a@example.org"));
    std::atomic<int> looked_at = 0;
    std::vector<std::thread> threads;
    for (int i = 0; i < 8; ++i)
        threads.emplace_back([&] {
            for (int j = 0; j < 3; ++j) {
                const auto outcome = confirm(begun->sign_up(), wrong(begun->code()));
                looked_at += outcome.error().code == ErrorCode::kUnauthenticated ? 1 : 0;
            }
        });
    for (auto& thread : threads) thread.join();
    EXPECT_EQ(looked_at, kMaxSignUpTries);
}

TEST_F(SignUpTest, CodeIsGoodForADay) {
    const auto kept = begin(index_of("a@example.org"));
    clock.advance(kSignUpLifetime - Duration(1));
    EXPECT_TRUE(confirm(kept->sign_up(), kept->code()));
    clock.advance(Duration(1));
    EXPECT_TRUE(fails(ErrorCode::kNotFound, confirm(kept->sign_up(), kept->code())));
    EXPECT_TRUE(fails(ErrorCode::kNotFound, confirm(random_id(), kept->code())));
}

TEST_F(SignUpTest, NeedsTheConfirmedAddressAndOnlyOnce) {
    auto request = complete_request("a@example.org");
    const auto begun = begin(request.email_index());
    request.set_sign_up(begun->sign_up());
    EXPECT_TRUE(fails(ErrorCode::kNotFound, as("portal").complete_sign_up(request)));
    ASSERT_TRUE(confirm(begun->sign_up(), begun->code()));

    auto other = complete_request("b@example.org");
    other.set_sign_up(begun->sign_up());
    EXPECT_TRUE(fails(ErrorCode::kNotFound, as("portal").complete_sign_up(other)));

    EXPECT_TRUE(as("portal").complete_sign_up(request));
    auto again = complete_request("a@example.org");
    again.set_sign_up(begun->sign_up());
    EXPECT_TRUE(fails(ErrorCode::kNotFound, as("portal").complete_sign_up(again)));
}

TEST_F(SignUpTest, ParallelCompletionsMakeOneAccount) {
    auto request = complete_request("a@example.org");
    const auto begun = begin(request.email_index());
    ASSERT_TRUE(confirm(begun->sign_up(), begun->code()));
    request.set_sign_up(begun->sign_up());
    std::atomic<int> made = 0;
    std::vector<std::thread> threads;
    for (int i = 0; i < 4; ++i)
        threads.emplace_back([&] { made += as("portal").complete_sign_up(request) ? 1 : 0; });
    for (auto& thread : threads) thread.join();
    EXPECT_EQ(made, 1);
}

TEST_F(SignUpTest, OnePersonHasOneAccount) {
    auto first = complete_request("a@example.org");
    auto second = complete_request("b@example.org");
    second.set_enrolment(first.enrolment());
    for (auto* request : {&first, &second}) {
        const auto begun = begin(request->email_index());
        ASSERT_TRUE(confirm(begun->sign_up(), begun->code()));
        request->set_sign_up(begun->sign_up());
    }
    EXPECT_TRUE(as("portal").complete_sign_up(first));
    EXPECT_TRUE(fails(ErrorCode::kConflict, as("portal").complete_sign_up(second)));
    EXPECT_TRUE(fails(ErrorCode::kUnauthenticated, sign_in(second.email_index(), kPassword)));
}

TEST_F(SignUpTest, ExistingAccountLooksTheSameAndCannotBeConfirmed) {
    const auto resident = sign_up("a@example.org");
    const auto begun = begin(resident.email_index);
    ASSERT_TRUE(begun);
    EXPECT_TRUE(begun->account_exists());
    EXPECT_TRUE(begun->code().empty());
    EXPECT_EQ(begun->sign_up().size(), 16u);
    for (int i = 0; i < 5; ++i)
        EXPECT_TRUE(fails(ErrorCode::kUnauthenticated, confirm(begun->sign_up(), "000000")));
    EXPECT_TRUE(fails(ErrorCode::kExhausted, confirm(begun->sign_up(), "000000")));
}

TEST_F(SignUpTest, AnAddressGetsFiveCodesADay) {
    const std::string index = index_of("a@example.org");
    for (int i = 0; i < kMaxSignUpsPerEmail; ++i) EXPECT_TRUE(begin(index));
    EXPECT_TRUE(fails(ErrorCode::kExhausted, begin(index)));
    EXPECT_TRUE(begin(index_of("b@example.org")));
    clock.advance(kSignUpLifetime);
    EXPECT_TRUE(begin(index));
}

TEST_F(SignUpTest, UnfinishedSignUpsAreBounded) {
    auto database =
        storage::open_sqlite(identity_directory() / "identity.sqlite", identity_schema());
    ASSERT_TRUE(database) << database.error().message;
    ASSERT_TRUE((*database)->write([&](storage::Transaction& transaction) -> Status {
        CLOISON_TRY_STATUS(transaction.execute(
            "INSERT INTO sign_up SELECT randomblob(16), randomblob(32), randomblob(32), 0, 0, $2 "
            "FROM (WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < $1) "
            "SELECT i FROM n)",
            {std::int64_t{kMaxSignUps - 1}, to_unix_ms(clock.now() + kHour)}));
        return {};
    }));
    EXPECT_TRUE(begin(index_of("a@example.org")));
    EXPECT_TRUE(fails(ErrorCode::kExhausted, begin(index_of("b@example.org"))));
    clock.advance(kHour);
    EXPECT_TRUE(begin(index_of("b@example.org")));
}

TEST_F(SignUpTest, MalformedInputIsRefusedBeforeAnythingHappens) {
    EXPECT_TRUE(fails(ErrorCode::kInvalidArgument, begin("")));
    EXPECT_TRUE(fails(ErrorCode::kInvalidArgument, begin(std::string(31, 'x'))));
    EXPECT_TRUE(fails(ErrorCode::kInvalidArgument, begin(std::string(33, 'x'))));
    EXPECT_TRUE(fails(ErrorCode::kInvalidArgument, confirm("short", "000000")));

    auto request = complete_request("a@example.org");
    const auto begun = begin(request.email_index());
    ASSERT_TRUE(confirm(begun->sign_up(), begun->code()));
    request.set_sign_up(begun->sign_up());
    const auto refused = [&](auto change) {
        auto changed = request;
        change(changed);
        return fails(ErrorCode::kInvalidArgument, as("portal").complete_sign_up(changed));
    };
    using Request = v1::CompleteSignUpRequest;
    EXPECT_TRUE(refused([](Request& r) { r.set_password(std::string(14, 'a')); }));
    EXPECT_TRUE(refused([](Request& r) { r.set_password(std::string(257, 'a')); }));
    EXPECT_TRUE(refused([](Request& r) { r.set_language("de"); }));
    EXPECT_TRUE(refused([](Request& r) { r.set_record("short"); }));
    EXPECT_TRUE(refused([](Request& r) { r.set_sealed_email("plain@example.org"); }));
    EXPECT_TRUE(refused([](Request& r) { r.set_enrolment(""); }));
    EXPECT_TRUE(refused([](Request& r) { r.mutable_client()->set_door("desk"); }));
    EXPECT_EQ(stretches, 0);
    EXPECT_TRUE(as("portal").complete_sign_up(request));
}

TEST_F(SignUpTest, IsForThePortalOnly) {
    v1::BeginSignUpRequest request;
    request.set_email_index(index_of("a@example.org"));
    request.set_language("fr");
    EXPECT_TRUE(fails(ErrorCode::kPermissionDenied, as("desk").begin_sign_up(request)));
}

}  // namespace
}  // namespace cloison::identity
