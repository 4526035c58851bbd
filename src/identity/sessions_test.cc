#include "identity/test_house.h"

namespace cloison::identity {
namespace {

class SessionsTest : public House {
  protected:
    Status end(const std::string& token, const std::string& id) {
        v1::EndSessionRequest request;
        request.set_token(token);
        request.set_session(id);
        const auto response = as("portal").end_session(request);
        if (!response) return fail(response.error());
        return {};
    }
    v1::ListSessionsResponse list(const std::string& token) {
        v1::ListSessionsRequest request;
        request.set_token(token);
        const auto response = as("portal").list_sessions(request);
        EXPECT_TRUE(response) << response.error().message;
        return *response;
    }
    Result<v1::ConfirmTotpResponse> confirm_totp(const std::string& token,
                                                 const std::string& code) {
        v1::ConfirmTotpRequest request;
        request.set_token(token);
        request.set_code(code);
        return as("portal").confirm_totp(request);
    }
    Result<v1::BeginTotpResponse> begin_totp(const std::string& token,
                                             const std::string& door = "portal") {
        v1::BeginTotpRequest request;
        request.set_token(token);
        return as(door).begin_totp(request);
    }
    Result<v1::RemoveTotpResponse> remove_totp(const std::string& token,
                                               const std::string& password) {
        v1::RemoveTotpRequest request;
        request.set_token(token);
        request.set_password(password);
        return as("portal").remove_totp(request);
    }
};

TEST_F(SessionsTest, EndsAfterAnHourWithoutUse) {
    const auto resident = sign_up("a@example.org");
    clock.advance(kSessionIdle - Duration(1));
    EXPECT_TRUE(session(resident.token));  // used: another hour, from the five minutes it is in
    clock.advance(kSessionIdle - 5 * kMinute);
    EXPECT_TRUE(session(resident.token));
    clock.advance(kSessionIdle);
    EXPECT_TRUE(fails(ErrorCode::kUnauthenticated, session(resident.token)));
}

TEST_F(SessionsTest, IdleBoundIsExact) {
    const auto resident = sign_up("a@example.org");
    clock.advance(kSessionIdle);
    EXPECT_TRUE(fails(ErrorCode::kUnauthenticated, session(resident.token)));
    clock.advance(Duration(-1));
    EXPECT_TRUE(session(resident.token));
}

TEST_F(SessionsTest, EndsAfterTwelveHoursAndForStaffAfterTen) {
    const auto resident = sign_up("a@example.org");
    const auto officer = create_staff("officer", "o@example.org");
    const Time start = clock.now();
    const std::string desk_token = staff_session(officer);
    for (Duration at = 30 * kMinute; at < kResidentSession; at += 30 * kMinute) {
        clock.set(start + at);
        EXPECT_TRUE(session(resident.token)) << at.count();
        EXPECT_EQ(session(desk_token, "desk").has_value(), at < kStaffSession) << at.count();
    }
    clock.set(start + kResidentSession - Duration(1));
    EXPECT_TRUE(session(resident.token));
    clock.set(start + kResidentSession);
    EXPECT_TRUE(fails(ErrorCode::kUnauthenticated, session(resident.token)));
}

TEST_F(SessionsTest, IsGoodAtItsOwnDoorOnly) {
    const auto resident = sign_up("a@example.org");
    EXPECT_TRUE(session(resident.token, "portal"));
    EXPECT_TRUE(fails(ErrorCode::kUnauthenticated, session(resident.token, "desk")));
    v1::GetSessionRequest request;  // the portal cannot ask in the desk's name
    request.set_token(resident.token);
    request.set_door("desk");
    EXPECT_TRUE(fails(ErrorCode::kInvalidArgument, as("portal").get_session(request)));
}

TEST_F(SessionsTest, UnknownTokensAllEndInTheSameWords) {
    const auto resident = sign_up("a@example.org");
    std::string changed = resident.token;
    changed[5] = changed[5] == 'A' ? 'B' : 'A';
    for (const std::string& token :
         {std::string(), std::string("x"), changed, resident.token + "A", std::string(5000, 'A')}) {
        const auto response = session(token);
        EXPECT_TRUE(fails(ErrorCode::kUnauthenticated, response));
        EXPECT_EQ(response.error().message, "There is no such session, or it has ended.");
    }
}

TEST_F(SessionsTest, TimesAreKeptToFiveMinutes) {
    const auto resident = sign_up("a@example.org");
    clock.advance(Duration(17 * 60'000 + 42'123));
    const auto token = sign_in(resident.email_index, kPassword)->token();
    EXPECT_EQ(session(token)->signed_in_ms(), to_unix_ms(*parse_rfc3339("2026-04-13T10:15:00Z")));
    const auto sessions = list(token);
    ASSERT_EQ(sessions.sessions_size(), 2);
    for (const auto& each : sessions.sessions()) {
        EXPECT_EQ(each.began_ms() % kSessionTimeUnit.count(), 0);
        EXPECT_EQ(each.last_used_ms() % kSessionTimeUnit.count(), 0);
    }
}

TEST_F(SessionsTest, ListsAndEndsOnesOwn) {
    const auto resident = sign_up("a@example.org");
    const auto other = sign_in(resident.email_index, kPassword)->token();
    const auto sessions = list(resident.token);
    ASSERT_EQ(sessions.sessions_size(), 2);
    int current = 0;
    for (const auto& each : sessions.sessions()) {
        EXPECT_EQ(each.door(), "portal");
        current += each.current() ? 1 : 0;
        if (each.current()) continue;
        EXPECT_TRUE(end(resident.token, each.session()));
    }
    EXPECT_EQ(current, 1);
    EXPECT_TRUE(fails(ErrorCode::kUnauthenticated, session(other)));
    EXPECT_TRUE(session(resident.token));
    EXPECT_EQ(list(resident.token).sessions_size(), 1);
}

TEST_F(SessionsTest, AnothersSessionIsLikeOneThatDoesNotExist) {
    const auto anne = sign_up("a@example.org");
    const auto bela = sign_up("b@example.org");
    const auto foreign = end(anne.token, session(bela.token)->session());
    const auto unknown = end(anne.token, random_id());
    EXPECT_TRUE(fails(ErrorCode::kNotFound, foreign));
    EXPECT_TRUE(fails(ErrorCode::kNotFound, unknown));
    EXPECT_EQ(foreign.error().message, unknown.error().message);
    EXPECT_TRUE(session(bela.token));
    EXPECT_TRUE(fails(ErrorCode::kInvalidArgument, end(anne.token, "short")));
}

TEST_F(SessionsTest, SignOutEndsTheSession) {
    const auto resident = sign_up("a@example.org");
    v1::SignOutRequest request;
    request.set_token(resident.token);
    EXPECT_TRUE(as("portal").sign_out(request));
    EXPECT_TRUE(fails(ErrorCode::kUnauthenticated, session(resident.token)));
    EXPECT_TRUE(fails(ErrorCode::kUnauthenticated, as("portal").sign_out(request)));
}

TEST_F(SessionsTest, AnAccountHasAtMostTwenty) {
    const auto resident = sign_up("a@example.org");
    clock.advance(kSessionTimeUnit);
    std::string newest;
    for (int i = 0; i < kMaxSessions - 1; ++i)
        newest = sign_in(resident.email_index, kPassword)->token();
    EXPECT_EQ(list(newest).sessions_size(), kMaxSessions);
    newest = sign_in(resident.email_index, kPassword)->token();
    EXPECT_EQ(list(newest).sessions_size(), kMaxSessions);
    EXPECT_TRUE(fails(ErrorCode::kUnauthenticated, session(resident.token)));
}

TEST_F(SessionsTest, SettingUpACodeEndsTheOtherSessions) {
    const auto resident = sign_up("a@example.org");
    const auto other = sign_in(resident.email_index, kPassword)->token();
    const auto begun = begin_totp(resident.token);
    ASSERT_TRUE(begun);
    EXPECT_EQ(begun->uri().rfind("otpauth://totp/Cloison:portal?secret=" + begun->secret(), 0), 0u);
    const Bytes secret = *base32_decode(begun->secret());
    EXPECT_EQ(secret.size(), kTotpSecretSize);
    EXPECT_TRUE(
        fails(ErrorCode::kUnauthenticated, confirm_totp(resident.token, wrong(code_now(secret)))));
    EXPECT_FALSE(session(resident.token)->has_totp());
    // Only the session that was shown the secret can confirm it.
    EXPECT_TRUE(fails(ErrorCode::kConflict, confirm_totp(other, code_now(secret))));
    EXPECT_TRUE(confirm_totp(resident.token, code_now(secret)));
    EXPECT_TRUE(session(resident.token)->has_totp());
    EXPECT_TRUE(fails(ErrorCode::kUnauthenticated, session(other)));
    EXPECT_TRUE(fails(ErrorCode::kConflict, begin_totp(resident.token)));
    EXPECT_TRUE(fails(ErrorCode::kConflict, confirm_totp(resident.token, code_now(secret))));
}

TEST_F(SessionsTest, RemovingACodeNeedsThePasswordAndEndsTheOtherSessions) {
    const auto resident = sign_up("a@example.org");
    EXPECT_TRUE(fails(ErrorCode::kConflict, remove_totp(resident.token, kPassword)));
    const Bytes secret = *base32_decode(begin_totp(resident.token)->secret());
    ASSERT_TRUE(confirm_totp(resident.token, code_now(secret)));
    clock.advance(Duration(60'000));
    const auto other =
        sign_in_totp(sign_in(resident.email_index, kPassword)->totp_pending(), code_now(secret));
    ASSERT_TRUE(other);
    EXPECT_TRUE(fails(ErrorCode::kUnauthenticated, remove_totp(resident.token, "wrong")));
    EXPECT_TRUE(session(*other));
    EXPECT_TRUE(remove_totp(resident.token, kPassword));
    EXPECT_TRUE(fails(ErrorCode::kUnauthenticated, session(*other)));
    EXPECT_FALSE(sign_in(resident.email_index, kPassword)->token().empty());
}

TEST_F(SessionsTest, GuessingThePasswordWhenRemovingACodeIsLimited) {
    const auto resident = sign_up("a@example.org");
    const Bytes secret = *base32_decode(begin_totp(resident.token)->secret());
    ASSERT_TRUE(confirm_totp(resident.token, code_now(secret)));
    for (int i = 0; i < kFreeTries; ++i)
        EXPECT_TRUE(fails(ErrorCode::kUnauthenticated, remove_totp(resident.token, "wrong")));
    EXPECT_TRUE(fails(ErrorCode::kExhausted, remove_totp(resident.token, kPassword)));
}

TEST_F(SessionsTest, StaffWithoutACodeCanOnlySetOneUp) {
    const auto request = staff_request("officer", "o@example.org");
    ASSERT_TRUE(as("operator").create_staff(request));
    const auto token = sign_in(request.email_index(), kPassword, "desk")->token();
    ASSERT_FALSE(token.empty());
    EXPECT_TRUE(session(token, "desk")->totp_required());
    auto grant = grant_request(token, "process_request", {}, "desk");
    grant.set_reason("examine");
    EXPECT_TRUE(fails(ErrorCode::kPermissionDenied, issue(grant)));
    v1::ListSessionsRequest list_request;
    list_request.set_token(token);
    EXPECT_TRUE(fails(ErrorCode::kPermissionDenied, as("desk").list_sessions(list_request)));

    const auto begun = begin_totp(token, "desk");
    ASSERT_TRUE(begun);
    v1::ConfirmTotpRequest confirm_request;
    confirm_request.set_token(token);
    confirm_request.set_code(code_now(*base32_decode(begun->secret())));
    ASSERT_TRUE(as("desk").confirm_totp(confirm_request));
    EXPECT_FALSE(session(token, "desk")->totp_required());
    EXPECT_TRUE(issue(grant));

    v1::RemoveTotpRequest remove_request;
    remove_request.set_token(token);
    remove_request.set_password(kPassword);
    EXPECT_TRUE(fails(ErrorCode::kPermissionDenied, as("desk").remove_totp(remove_request)));
}

}  // namespace
}  // namespace cloison::identity
