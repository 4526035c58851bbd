#include <chrono>
#include <thread>

#include "identity/identity_schema.h"
#include "identity/test_house.h"
#include "storage/database.h"

namespace cloison::identity {
namespace {

/// Grants of a session that has ended open nothing, with the keeper as it is.
class RevocationsTest : public House {
  protected:
    struct Held {
        Resident resident;
        std::string sealed;
        std::string grant;
    };
    /// A signed-in resident with a grant that works, and that the keeper has cached.
    Held hold(const std::string& email) {
        Held held;
        held.resident = sign_up(email);
        held.grant = own_grant(held.resident.token, {"email"});
        v1::GetProfileRequest request;
        request.set_grant(held.grant);
        const auto profile = as("portal").get_profile(request);
        EXPECT_TRUE(profile) << profile.error().message;
        for (const auto& value : profile->fields())
            if (value.field() == "email") held.sealed = value.sealed();
        EXPECT_TRUE(works(held));
        return held;
    }
    bool works(const Held& held) {
        return open(held.grant, "email", held.resident.record, held.sealed).has_value();
    }
    ErrorCode refusal(const Held& held) {
        keeper::v1::ResolveRequest request;
        request.mutable_subject()->set_grant(held.grant);
        const auto resolved = keeper_as("casework").resolve(request);
        return resolved ? ErrorCode::kInternal : resolved.error().code;
    }
    void sign_out(const std::string& token) {
        v1::SignOutRequest request;
        request.set_token(token);
        const auto done = as("portal").sign_out(request);
        EXPECT_TRUE(done) << done.error().message;
    }
    /// The rows that the keeper has not acknowledged.
    std::int64_t pending() {
        auto database =
            storage::open_sqlite(identity_directory() / "identity.sqlite", identity_schema());
        EXPECT_TRUE(database);
        const auto rows = (*database)->read_result<storage::Rows>([](auto& transaction) {
            return transaction.query("SELECT COUNT(*) FROM revocation_pending", {});
        });
        return rows ? rows->at(0).integer(0) : -1;
    }
    template <class Condition>
    bool becomes(Condition condition) {
        const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(20);
        while (std::chrono::steady_clock::now() < deadline) {
            if (condition()) return true;
            std::this_thread::yield();
        }
        return false;
    }
};

TEST_F(RevocationsTest, SigningOutEndsTheGrantsAtOnce) {
    const Held held = hold("a@example.org");
    const Held other = hold("b@example.org");
    sign_out(held.resident.token);
    EXPECT_FALSE(works(held));
    EXPECT_EQ(refusal(held), ErrorCode::kUnauthenticated);
    EXPECT_TRUE(works(other));
    EXPECT_EQ(pending(), 0);
}

TEST_F(RevocationsTest, EndingAnotherSessionEndsItsGrants) {
    const Held held = hold("a@example.org");
    const auto second = sign_in(held.resident.email_index, kPassword);
    ASSERT_TRUE(second);
    const auto first_id = session(held.resident.token)->session();
    v1::EndSessionRequest request;
    request.set_token(second->token());
    request.set_session(first_id);
    ASSERT_TRUE(as("portal").end_session(request));
    EXPECT_FALSE(works(held));
    EXPECT_TRUE(issue(grant_request(second->token(), "self_service", {"email"})));
}

TEST_F(RevocationsTest, TheSessionThatMustGoForANewOneEndsWithItsGrants) {
    clock.advance(kSessionTimeUnit - Duration(1));
    const Held held = hold("a@example.org");
    clock.advance(Duration(1));
    for (int i = 0; i < kMaxSessions - 1; ++i)
        ASSERT_TRUE(sign_in(held.resident.email_index, kPassword));
    EXPECT_TRUE(works(held)) << "all of them have room";
    ASSERT_TRUE(sign_in(held.resident.email_index, kPassword));
    EXPECT_FALSE(works(held));
    EXPECT_FALSE(session(held.resident.token));
}

TEST_F(RevocationsTest, SettingUpACodeEndsTheGrantsOfOtherSessions) {
    const Held held = hold("a@example.org");
    const auto second = sign_in(held.resident.email_index, kPassword);
    ASSERT_TRUE(second);
    v1::BeginTotpRequest begin_request;
    begin_request.set_token(second->token());
    const auto begun = as("portal").begin_totp(begin_request);
    ASSERT_TRUE(begun);
    v1::ConfirmTotpRequest confirm_request;
    confirm_request.set_token(second->token());
    confirm_request.set_code(code_now(*base32_decode(begun->secret())));
    const auto confirmed = as("portal").confirm_totp(confirm_request);
    ASSERT_TRUE(confirmed) << confirmed.error().message;
    EXPECT_FALSE(works(held));
}

TEST_F(RevocationsTest, ADisabledMemberOfStaffHoldsNothingAnyMore) {
    const auto support = create_staff("support", "s@example.org");
    const auto administrator = create_staff("administrator", "z@example.org");
    const Held held = hold("a@example.org");
    const auto token = staff_session(support);
    auto request = grant_request(token, "support_call", {"email"}, "desk");
    request.set_reason("call");
    request.set_email_index(held.resident.email_index);
    const auto grant = issue(request);
    ASSERT_TRUE(grant) << grant.error().message;
    const auto opens = [&] {
        return open(*grant, "email", held.resident.record, held.sealed, "desk").has_value();
    };
    EXPECT_TRUE(opens());
    v1::DisableStaffRequest disable;
    disable.set_token(staff_session(administrator));
    disable.set_actor(support.actor);
    ASSERT_TRUE(as("desk").disable_staff(disable));
    EXPECT_FALSE(opens());
    EXPECT_EQ(pending(), 0);
}

TEST_F(RevocationsTest, SigningOutWorksWithoutTheKeeperWhichIsToldWhenItIsBack) {
    const Held held = hold("a@example.org");
    to_keeper->refuse(true);
    sign_out(held.resident.token);
    EXPECT_TRUE(fails(ErrorCode::kUnauthenticated, session(held.resident.token)));
    EXPECT_EQ(pending(), 1);
    EXPECT_TRUE(works(held)) << "the keeper cannot know yet";
    to_keeper->refuse(false);
    EXPECT_TRUE(becomes([&] { return pending() == 0; }));
    EXPECT_FALSE(works(held));
}

TEST_F(RevocationsTest, WhatARestartFindsIsTold) {
    const Held held = hold("a@example.org");
    to_keeper->refuse(true);
    sign_out(held.resident.token);
    identity.reset();
    to_keeper->refuse(false);
    open_identity();
    EXPECT_TRUE(becomes([&] { return pending() == 0; }));
    EXPECT_FALSE(works(held));
}

TEST_F(RevocationsTest, WhatIsTooOldToMatterGoesUntold) {
    const Held held = hold("a@example.org");
    to_keeper->refuse(true);
    sign_out(held.resident.token);
    EXPECT_EQ(pending(), 1);
    clock.advance(kRevocationKept + Duration(1));
    const int calls = to_keeper->calls("Revoke");
    EXPECT_TRUE(becomes([&] { return pending() == 0; }));
    EXPECT_LE(to_keeper->calls("Revoke"), calls + 1);
}

TEST_F(RevocationsTest, AGrantNeverOutlivesItsSession) {
    const auto resident = sign_up("a@example.org");
    const Time began = clock.now();
    while (clock.now() + kGrantLifetime < began + kResidentSession) {
        clock.advance(kGrantLifetime);
        ASSERT_TRUE(session(resident.token));
    }
    clock.advance(began + kResidentSession - clock.now() - Duration(1'000));
    const auto grant =
        keeper::verify_grant(keys.grants, own_grant(resident.token, {"email"}), clock.now());
    ASSERT_TRUE(grant);
    EXPECT_EQ(grant->expires, began + kResidentSession);
}

}  // namespace
}  // namespace cloison::identity
