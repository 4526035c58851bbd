#include <fstream>
#include <nlohmann/json.hpp>
#include <sstream>
#include <thread>

#include "identity/test_house.h"

namespace cloison::identity {
namespace {

class SignInTest : public House {
  protected:
    v1::ListSignInsResponse traces(const std::string& token, std::uint32_t limit = 100) {
        v1::ListSignInsRequest request;
        request.set_token(token);
        request.set_limit(limit);
        const auto response = as("portal").list_sign_ins(request);
        EXPECT_TRUE(response) << response.error().message;
        return *response;
    }
    /// The content of all traces, as the person's own session opens them.
    std::vector<nlohmann::json> opened_traces(const std::string& token) {
        const std::string grant = own_grant(token, {"sign_in_trace"});
        std::vector<nlohmann::json> contents;
        const auto listed = traces(token);
        for (const auto& trace : listed.traces()) {
            const auto value = open(grant, "sign_in_trace", trace.record(), trace.sealed());
            EXPECT_TRUE(value) << value.error().message;
            contents.push_back(nlohmann::json::parse(*value));
        }
        return contents;
    }
    int count_outcome(const std::string& token, const std::string& outcome) {
        int count = 0;
        for (const auto& trace : opened_traces(token)) count += trace["outcome"] == outcome ? 1 : 0;
        return count;
    }
    Bytes set_up_totp(const std::string& token) {
        v1::BeginTotpRequest begin_request;
        begin_request.set_token(token);
        const auto begun = as("portal").begin_totp(begin_request);
        EXPECT_TRUE(begun) << begun.error().message;
        const Bytes secret = *base32_decode(begun->secret());
        v1::ConfirmTotpRequest confirm_request;
        confirm_request.set_token(token);
        confirm_request.set_code(code_now(secret));
        EXPECT_TRUE(as("portal").confirm_totp(confirm_request));
        clock.advance(Duration(60'000));
        return secret;
    }
};

TEST_F(SignInTest, RightPasswordOpensASession) {
    const auto resident = sign_up("a@example.org");
    const auto response = sign_in(resident.email_index, kPassword);
    ASSERT_TRUE(response) << response.error().message;
    EXPECT_TRUE(response->totp_pending().empty());
    EXPECT_NE(response->token(), resident.token);
    EXPECT_TRUE(session(response->token()));
}

TEST_F(SignInTest, WrongPasswordAndUnknownAddressEndInTheSameWords) {
    const auto resident = sign_up("a@example.org");
    const auto wrong_password = sign_in(resident.email_index, "not the password");
    const auto unknown = sign_in(index_of("nobody@example.org"), kPassword);
    ASSERT_TRUE(fails(ErrorCode::kUnauthenticated, wrong_password));
    ASSERT_TRUE(fails(ErrorCode::kUnauthenticated, unknown));
    EXPECT_EQ(wrong_password.error().message, unknown.error().message);
    EXPECT_EQ(unknown.error().message, "The e-mail address or the password is not right.");
}

TEST_F(SignInTest, EveryTryTakesOneStretchAndOneHardening) {
    const auto resident = sign_up("a@example.org");
    const auto officer = create_staff("officer", "o@example.org");
    for (const auto& [index, password] : {std::pair(resident.email_index, "not the password"),
                                          {resident.email_index, kPassword},
                                          {index_of("nobody@example.org"), "x"},
                                          {officer.email_index, kPassword}}) {
        const int stretches_before = stretches;
        const int hardenings_before = to_keeper->calls("Harden");
        (void)sign_in(index, password);
        EXPECT_EQ(stretches - stretches_before, 1);
        EXPECT_EQ(to_keeper->calls("Harden") - hardenings_before, 1);
    }
}

TEST_F(SignInTest, UnreachableKeeperAnswersTheSameForKnownAndUnknown) {
    const auto resident = sign_up("a@example.org");
    const std::string unknown = index_of("nobody@example.org");
    to_keeper->refuse(true);
    EXPECT_TRUE(fails(ErrorCode::kUnavailable, sign_in(resident.email_index, kPassword)));
    EXPECT_TRUE(fails(ErrorCode::kUnavailable, sign_in(unknown, kPassword)));
}

TEST_F(SignInTest, EachRoleHasItsDoor) {
    const auto resident = sign_up("a@example.org");
    const auto officer = create_staff("officer", "o@example.org");
    const auto professional = create_staff("professional", "p@example.org");
    EXPECT_TRUE(
        fails(ErrorCode::kUnauthenticated, sign_in(resident.email_index, kPassword, "desk")));
    EXPECT_TRUE(
        fails(ErrorCode::kUnauthenticated, sign_in(officer.email_index, kPassword, "portal")));
    EXPECT_TRUE(sign_in(professional.email_index, kPassword, "portal"));
    EXPECT_TRUE(sign_in(professional.email_index, kPassword, "desk"));
}

TEST_F(SignInTest, SixthTryWaitsAMinuteForKnownAndUnknownAlike) {
    const auto resident = sign_up("a@example.org");
    const std::string unknown = index_of("nobody@example.org");
    for (const auto& index : {resident.email_index, unknown}) {
        for (int i = 0; i < 5; ++i)
            EXPECT_TRUE(fails(ErrorCode::kUnauthenticated, sign_in(index, "wrong")));
        const int before = stretches;
        const auto refused = sign_in(index, kPassword);
        EXPECT_TRUE(fails(ErrorCode::kExhausted, refused));
        EXPECT_EQ(refused.error().message, "Too many tries. Try again in 1 minute.");
        EXPECT_EQ(stretches, before);
    }
    clock.advance(kMinute - Duration(1));
    EXPECT_TRUE(fails(ErrorCode::kExhausted, sign_in(resident.email_index, kPassword)));
    clock.advance(Duration(1));
    EXPECT_TRUE(sign_in(resident.email_index, kPassword));
    EXPECT_TRUE(fails(ErrorCode::kUnauthenticated, sign_in(unknown, kPassword)));
}

TEST_F(SignInTest, TriesAreCountedAlsoWhenTheKeeperFails) {
    const auto resident = sign_up("a@example.org");
    to_keeper->refuse(true);
    for (int i = 0; i < 5; ++i) (void)sign_in(resident.email_index, "wrong");
    to_keeper->refuse(false);
    EXPECT_TRUE(fails(ErrorCode::kExhausted, sign_in(resident.email_index, kPassword)));
}

TEST_F(SignInTest, LimitSurvivesARestart) {
    const auto resident = sign_up("a@example.org");
    for (int i = 0; i < 5; ++i) (void)sign_in(resident.email_index, "wrong");
    open_identity();
    EXPECT_TRUE(fails(ErrorCode::kExhausted, sign_in(resident.email_index, kPassword)));
}

TEST_F(SignInTest, ParallelTriesDoNotPassTheLimit) {
    const auto resident = sign_up("a@example.org");
    const int before = stretches;
    std::vector<std::thread> threads;
    for (int i = 0; i < 8; ++i)
        threads.emplace_back([&] {
            for (int j = 0; j < 4; ++j) (void)sign_in(resident.email_index, "wrong");
        });
    for (auto& thread : threads) thread.join();
    EXPECT_EQ(stretches - before, kFreeTries);
}

TEST_F(SignInTest, CodeIsAskedForAndWorksOnce) {
    const auto resident = sign_up("a@example.org");
    const Bytes secret = set_up_totp(resident.token);
    const auto first = sign_in(resident.email_index, kPassword);
    ASSERT_TRUE(first);
    EXPECT_TRUE(first->token().empty());
    const std::string code = code_now(secret);
    const auto token = sign_in_totp(first->totp_pending(), code);
    ASSERT_TRUE(token) << token.error().message;
    EXPECT_TRUE(session(*token)->has_totp());

    const auto second = sign_in(resident.email_index, kPassword);
    EXPECT_TRUE(fails(ErrorCode::kUnauthenticated, sign_in_totp(second->totp_pending(), code)));
    clock.advance(Duration(30'000));
    EXPECT_TRUE(sign_in_totp(second->totp_pending(), code_now(secret)));
    EXPECT_TRUE(fails(ErrorCode::kUnauthenticated,
                      sign_in_totp(second->totp_pending(), code_now(secret, 1))));
}

TEST_F(SignInTest, ACodeThatIsSetUpDuringASignInIsAskedForAfterAll) {
    const auto resident = sign_up("a@example.org");
    while_stretching = [&] { set_up_totp(resident.token); };
    EXPECT_TRUE(fails(ErrorCode::kUnauthenticated, sign_in(resident.email_index, kPassword)));
    EXPECT_EQ(count_outcome(resident.token, "success"), 1) << "the sign-up alone";
    const auto again = sign_in(resident.email_index, kPassword);
    ASSERT_TRUE(again);
    EXPECT_TRUE(again->token().empty());
}

TEST_F(SignInTest, AnAccountThatIsDisabledDuringASignInBeginsNoSession) {
    const auto administrator = staff_session(create_staff("administrator", "x@example.org"));
    auto asked = staff_request("officer", "o@example.org");
    asked.set_token(administrator);
    const auto created = as("desk").create_staff(asked);
    ASSERT_TRUE(created);
    while_stretching = [&] {
        v1::DisableStaffRequest disable;
        disable.set_token(administrator);
        disable.set_actor(created->actor());
        EXPECT_TRUE(as("desk").disable_staff(disable));
    };
    EXPECT_TRUE(
        fails(ErrorCode::kUnauthenticated, sign_in(asked.email_index(), kPassword, "desk")));
}

TEST_F(SignInTest, ParallelUsesOfOneCodeGiveOneSession) {
    const auto resident = sign_up("a@example.org");
    const Bytes secret = set_up_totp(resident.token);
    std::vector<std::string> pending;
    for (int i = 0; i < 4; ++i)
        pending.push_back(sign_in(resident.email_index, kPassword)->totp_pending());
    std::atomic<int> entered = 0;
    std::vector<std::thread> threads;
    for (const auto& each : pending)
        threads.emplace_back([&] { entered += sign_in_totp(each, code_now(secret)) ? 1 : 0; });
    for (auto& thread : threads) thread.join();
    EXPECT_EQ(entered, 1);
}

TEST_F(SignInTest, CodeOfTheSetUpCannotBeUsedAgain) {
    const auto resident = sign_up("a@example.org");
    const Bytes secret = set_up_totp(resident.token);
    clock.advance(Duration(-60'000));
    const auto response = sign_in(resident.email_index, kPassword);
    EXPECT_TRUE(fails(ErrorCode::kUnauthenticated,
                      sign_in_totp(response->totp_pending(), code_now(secret))));
}

TEST_F(SignInTest, PendingSignInLastsFiveMinutesAtItsDoor) {
    const auto officer = create_staff("professional", "p@example.org");
    const auto response = sign_in(officer.email_index, kPassword, "portal");
    EXPECT_TRUE(fails(ErrorCode::kUnauthenticated,
                      sign_in_totp(response->totp_pending(), code_now(officer.totp), "desk")));
    clock.advance(kTotpPendingLifetime - Duration(1));
    EXPECT_TRUE(sign_in_totp(response->totp_pending(), code_now(officer.totp), "portal"));
    const auto late = sign_in(officer.email_index, kPassword, "portal");
    clock.advance(kTotpPendingLifetime);
    EXPECT_TRUE(fails(ErrorCode::kUnauthenticated,
                      sign_in_totp(late->totp_pending(), code_now(officer.totp), "portal")));
    EXPECT_TRUE(
        fails(ErrorCode::kUnauthenticated, sign_in_totp("", code_now(officer.totp), "portal")));
}

TEST_F(SignInTest, WrongCodesAreLimitedPerPendingAndPerAccount) {
    const auto resident = sign_up("a@example.org");
    const Bytes secret = set_up_totp(resident.token);
    const auto first = sign_in(resident.email_index, kPassword);
    for (int i = 0; i < kMaxTotpTries; ++i)
        EXPECT_TRUE(fails(ErrorCode::kUnauthenticated,
                          sign_in_totp(first->totp_pending(), wrong(code_now(secret)))));
    EXPECT_TRUE(
        fails(ErrorCode::kExhausted, sign_in_totp(first->totp_pending(), code_now(secret))));
    // A new sign-in does not give five more, nor does waiting to the spent one.
    const auto second = sign_in(resident.email_index, kPassword);
    EXPECT_TRUE(
        fails(ErrorCode::kExhausted, sign_in_totp(second->totp_pending(), code_now(secret))));
    clock.advance(kMinute);
    EXPECT_TRUE(
        fails(ErrorCode::kExhausted, sign_in_totp(first->totp_pending(), code_now(secret))));
    EXPECT_TRUE(sign_in_totp(second->totp_pending(), code_now(secret)));
    EXPECT_EQ(count_outcome(resident.token, "wrong_code"), kMaxTotpTries);
}

TEST_F(SignInTest, TracesTellTheResidentWhatHappened) {
    const auto resident = sign_up("a@example.org");
    clock.advance(kMinute);
    (void)sign_in(resident.email_index, "wrong");
    const auto found = opened_traces(resident.token);
    ASSERT_EQ(found.size(), 2u);
    const auto& failed = found[0]["outcome"] == "success" ? found[1] : found[0];
    EXPECT_EQ(failed["v"], 1);
    EXPECT_EQ(failed["outcome"], "wrong_password");
    EXPECT_EQ(failed["time"], "2026-04-13T10:01:00Z");
    EXPECT_EQ(failed["origin"], "192.0.2.7");
    EXPECT_EQ(failed["user_agent"], "Browser/1");
    EXPECT_EQ(failed["door"], "portal");
}

TEST_F(SignInTest, TracesAreTheCallersOwn) {
    const auto anne = sign_up("a@example.org");
    const auto bela = sign_up("b@example.org");
    (void)sign_in(bela.email_index, "wrong");
    EXPECT_EQ(traces(anne.token).traces_size(), 1);
    EXPECT_EQ(traces(bela.token).traces_size(), 2);
    // Another's trace does not open with one's own grant.
    const v1::SignInTrace foreign = traces(bela.token).traces(0);
    EXPECT_FALSE(open(own_grant(anne.token, {"sign_in_trace"}), "sign_in_trace", foreign.record(),
                      foreign.sealed()));
}

TEST_F(SignInTest, UserAgentOfOddBytesIsKeptReadable) {
    const auto resident = sign_up("a@example.org");
    v1::SignInRequest request;
    request.set_email_index(resident.email_index);
    request.set_password(kPassword);
    *request.mutable_client() = client("portal");
    request.mutable_client()->set_user_agent(std::string(2000, '\xff'));
    ASSERT_TRUE(as("portal").sign_in(request));
    EXPECT_EQ(opened_traces(resident.token).size(), 2u);
}

TEST_F(SignInTest, AtMost200TracesAreKeptAndTheOldestDaysGoFirst) {
    const auto resident = sign_up("a@example.org");
    clock.advance(kDay);
    std::string token;
    for (int i = 0; i < kMaxTraces; ++i) token = sign_in(resident.email_index, kPassword)->token();
    EXPECT_EQ(traces(token).traces_size(), 100);
    const std::string grant = own_grant(token, {"sign_in_trace"});
    const auto listed = traces(token);
    for (const auto& trace : listed.traces()) {
        const auto value = open(grant, "sign_in_trace", trace.record(), trace.sealed());
        ASSERT_TRUE(value);
        EXPECT_EQ(nlohmann::json::parse(*value)["time"], "2026-04-14T10:00:00Z");
    }
}

TEST_F(SignInTest, TracesGoWhenTheirRetentionEnds) {
    const auto resident = sign_up("a@example.org");
    clock.advance(registry.field("sign_in_trace")->retention_days * kDay);
    auto token = sign_in(resident.email_index, kPassword)->token();
    EXPECT_EQ(traces(token).traces_size(), 2);
    clock.advance(kPeriod);
    token = sign_in(resident.email_index, kPassword)->token();
    EXPECT_EQ(traces(token).traces_size(), 2);
}

TEST_F(SignInTest, ListTakes1To100) {
    const auto resident = sign_up("a@example.org");
    v1::ListSignInsRequest request;
    request.set_token(resident.token);
    for (const std::uint32_t limit : {0u, 101u}) {
        request.set_limit(limit);
        EXPECT_TRUE(fails(ErrorCode::kInvalidArgument, as("portal").list_sign_ins(request)));
    }
    for (const std::uint32_t limit : {1u, 100u}) {
        request.set_limit(limit);
        EXPECT_TRUE(as("portal").list_sign_ins(request));
    }
}

TEST_F(SignInTest, MalformedInputIsRefused) {
    const std::string index = index_of("a@example.org");
    EXPECT_TRUE(fails(ErrorCode::kInvalidArgument, sign_in("short", kPassword)));
    EXPECT_TRUE(fails(ErrorCode::kInvalidArgument, sign_in(index, "")));
    EXPECT_TRUE(fails(ErrorCode::kInvalidArgument, sign_in(index, std::string(1025, 'a'))));
    EXPECT_TRUE(fails(ErrorCode::kInvalidArgument, sign_in_totp("pending", "12345")));
    EXPECT_TRUE(fails(ErrorCode::kInvalidArgument, sign_in_totp("pending", "12345x")));
    EXPECT_EQ(stretches, 0);
}

TEST_F(SignInTest, StolenDatabaseHoldsNothingReadable) {
    const auto resident = sign_up("anne.martin@example.org");
    const Bytes secret = set_up_totp(resident.token);
    (void)sign_in(resident.email_index, "a wrong password that was typed");
    const auto officer = create_staff("officer", "o@example.org");
    const std::string desk_token = staff_session(officer);
    const auto pending = sign_in(resident.email_index, kPassword)->totp_pending();
    const auto begun = begin(index_of("new@example.org"));
    (void)traces(resident.token);

    std::string stolen;
    int files_seen = 0;
    for (const auto& entry : std::filesystem::directory_iterator(identity_directory())) {
        if (entry.path().extension() == ".key") continue;
        std::ifstream in(entry.path(), std::ios::binary);
        std::stringstream content;
        content << in.rdbuf();
        stolen += content.str();
        ++files_seen;
    }
    ASSERT_GT(files_seen, 0);
    ASSERT_NE(stolen.find(resident.email_index), std::string::npos);  // the search does see rows
    for (const std::string& value :
         {std::string("anne.martin"), std::string("example.org"), std::string(kPassword),
          std::string("a wrong password that was typed"), to_string(secret), base32_encode(secret),
          to_string(officer.totp), resident.token, desk_token, pending,
          to_string(*base64url_decode(resident.token)), std::string("192.0.2.7"),
          std::string("Browser/1"), begun->code()})
        EXPECT_EQ(stolen.find(value), std::string::npos) << "found a value of " << value.size();
}

}  // namespace
}  // namespace cloison::identity
