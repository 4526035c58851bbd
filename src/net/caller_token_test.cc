#include "net/caller_token.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/temporary_directory.h"
#include "crypto/keys.h"
#include "crypto/paseto.h"

namespace cloison::net {
namespace {

using ::testing::HasSubstr;

constexpr std::string_view kImplicit = "cloison-caller-v1";

class CallerTokenTest : public ::testing::Test {
  protected:
    CallerTokenTest() {
        crypto::initialize();
        trust_.add("portal", key_.verify_key());
        trust_.add("desk", crypto::SigningKey::from_seed(Bytes(32, 2)).verify_key());
    }

    std::string sign(std::string_view claims, std::string_view footer = "portal",
                     std::string_view implicit = kImplicit) const {
        return crypto::paseto_sign(key_, claims, footer, implicit);
    }

    std::string refusal(std::string_view token) const {
        const auto verified = trust_.verify(token, "keeper", clock_.now());
        if (verified) return "accepted";
        EXPECT_EQ(verified.error().code, ErrorCode::kUnauthenticated);
        return verified.error().message;
    }

    crypto::SigningKey key_ = crypto::SigningKey::from_seed(Bytes(32, 1));
    ManualClock clock_{*parse_rfc3339("2026-04-13T09:30:00Z")};
    TrustStore trust_;
};

TEST_F(CallerTokenTest, VerifiesForItsAudienceUntilItExpires) {
    const CallerIdentity portal("portal", crypto::SigningKey::from_seed(Bytes(32, 1)), clock_);
    const std::string token = portal.token("keeper");
    EXPECT_EQ(trust_.verify(token, "keeper", clock_.now())->service, "portal");
    EXPECT_FALSE(trust_.verify(token, "identity", clock_.now()));
    const Time end = clock_.now() + kCallerTokenLifetime;
    EXPECT_TRUE(trust_.verify(token, "keeper", end - Duration(1)));
    EXPECT_FALSE(trust_.verify(token, "keeper", end));
    EXPECT_EQ(verify_caller_token(trust_, token, "keeper", clock_.now())->expires, end);
}

TEST_F(CallerTokenTest, IsReusedWhileTwoMinutesAreLeft) {
    const CallerIdentity portal("portal", crypto::SigningKey::from_seed(Bytes(32, 1)), clock_);
    const std::string first = portal.token("keeper");
    EXPECT_NE(portal.token("identity"), first);
    clock_.advance(kCallerTokenLifetime - kCallerTokenRenewal);
    EXPECT_EQ(portal.token("keeper"), first);
    clock_.advance(Duration(1));
    const std::string second = portal.token("keeper");
    EXPECT_NE(second, first);
    EXPECT_TRUE(trust_.verify(second, "keeper", clock_.now() + Duration(60'000)));
    clock_.advance(Duration(-60 * 60'000));
    EXPECT_TRUE(trust_.verify(portal.token("keeper"), "keeper", clock_.now()));
}

TEST_F(CallerTokenTest, DocumentedFormIsAccepted) {
    EXPECT_EQ(refusal(sign(R"({"iss":"portal","aud":"keeper","iat":"2026-04-13T09:29:00Z",)"
                           R"("exp":"2026-04-13T09:34:00+00:00"})")),
              "accepted");
}

TEST_F(CallerTokenTest, EachClaimIsChecked) {
    const std::vector<std::pair<std::string, std::string>> cases = {
        {R"([])", "no claims"},
        {R"({)", "no claims"},
        {R"({"aud":"keeper","iat":"2026-04-13T09:29:00Z","exp":"2026-04-13T09:34:00Z"})", "iss"},
        {R"({"iss":"portal","iat":"2026-04-13T09:29:00Z","exp":"2026-04-13T09:34:00Z"})", "aud"},
        {R"({"iss":"portal","aud":"keeper","exp":"2026-04-13T09:34:00Z"})", "iat"},
        {R"({"iss":"portal","aud":"keeper","iat":"2026-04-13T09:29:00Z"})", "exp"},
        {R"({"iss":"portal","aud":"keeper","iat":"2026-04-13T09:29:00Z","exp":1776072840})", "exp"},
        {R"({"iss":"portal","aud":"keeper","iat":"2026-04-13T09:29:00Z","exp":"soon"})",
         "is no time"},
        {R"({"iss":"desk","aud":"keeper","iat":"2026-04-13T09:29:00Z",)"
         R"("exp":"2026-04-13T09:34:00Z"})",
         "two issuers"},
        {R"({"iss":"portal","aud":["keeper"],"iat":"2026-04-13T09:29:00Z",)"
         R"("exp":"2026-04-13T09:34:00Z"})",
         "aud"},
        {R"({"iss":"portal","aud":"desk","iat":"2026-04-13T09:29:00Z",)"
         R"("exp":"2026-04-13T09:34:00Z"})",
         "another service"},
        {R"({"iss":"portal","aud":"keeper","iat":"2026-04-13T09:31:00.001Z",)"
         R"("exp":"2026-04-13T09:34:00Z"})",
         "future"},
        {R"({"iss":"portal","aud":"keeper","iat":"2026-04-13T09:25:00Z",)"
         R"("exp":"2026-04-13T09:30:00Z"})",
         "expired"},
        {R"({"iss":"portal","aud":"keeper","iat":"2026-04-13T09:29:00Z",)"
         R"("exp":"2026-04-13T09:39:00.001Z"})",
         "too long"},
    };
    for (const auto& [claims, why] : cases) EXPECT_THAT(refusal(sign(claims)), HasSubstr(why));
}

TEST_F(CallerTokenTest, TokensOfAnotherShapeOrUseAreRefused) {
    const std::string claims = R"({"iss":"portal","aud":"keeper","iat":"2026-04-13T09:29:00Z",)"
                               R"("exp":"2026-04-13T09:34:00Z"})";
    ASSERT_EQ(refusal(sign(claims)), "accepted");
    EXPECT_THAT(refusal(""), HasSubstr("missing"));
    EXPECT_THAT(refusal("v4.public."), HasSubstr("names no service"));
    EXPECT_THAT(refusal("v3.public.AAAA.cG9ydGFs"), HasSubstr("v4.public"));
    EXPECT_THAT(refusal(sign(claims, "")), HasSubstr("names no service"));
    EXPECT_THAT(refusal(sign(claims, "Portal")), HasSubstr("names no service"));
    EXPECT_THAT(refusal(sign(claims, "partner")), HasSubstr("unknown service partner"));
    EXPECT_THAT(refusal(sign(claims, "desk")), HasSubstr("signature"));
    EXPECT_THAT(refusal(sign(claims, "portal", "")), HasSubstr("signature"));
    EXPECT_THAT(refusal(sign(claims, "portal", "cloison-grant-v1")), HasSubstr("signature"));
    const std::string token = sign(claims);
    for (std::size_t i = 10; i < token.size(); ++i) {
        std::string changed = token;
        changed[i] = changed[i] == 'A' ? 'B' : 'A';
        EXPECT_NE(refusal(changed), "accepted") << i;
    }
    EXPECT_THAT(refusal(std::string(kMaxCallerToken, 'x')), HasSubstr("v4.public"));
    EXPECT_THAT(refusal(std::string(kMaxCallerToken + 1, 'x')), HasSubstr("too long"));
}

TEST_F(CallerTokenTest, ServiceNamesAreBounded) {
    EXPECT_TRUE(is_service_name("k"));
    EXPECT_TRUE(is_service_name("keeper-2"));
    EXPECT_TRUE(is_service_name(std::string(32, 'a')));
    for (const std::string& bad : {std::string(), std::string(33, 'a'), std::string("Keeper"),
                                   std::string("2keeper"), std::string("a/b"), std::string("a.b"),
                                   std::string("a\n"), std::string("-a"), std::string("é")})
        EXPECT_FALSE(is_service_name(bad)) << bad;
}

class TrustStoreTest : public CallerTokenTest {
  protected:
    void write(const std::string& name, const std::string& content) {
        ASSERT_TRUE(
            files_.write_file_atomically(directory_.path() / name, as_bytes(content), 0644));
    }
    std::string load_error() {
        const auto store = TrustStore::load(files_, directory_.path());
        if (store) return "loaded";
        EXPECT_EQ(store.error().code, ErrorCode::kCorrupt);
        return store.error().message;
    }
    FileSystem& files_ = local_file_system();
    TemporaryDirectory directory_;
};

TEST_F(TrustStoreTest, LoadsWhatWasWritten) {
    ASSERT_TRUE(write_trust_file(files_, directory_.path(), "portal", key_.verify_key()));
    ASSERT_TRUE(write_trust_file(files_, directory_.path(), "keeper-2",
                                 crypto::SigningKey::from_seed(Bytes(32, 7)).verify_key()));
    write("notes.txt", "not a key");
    const auto store = TrustStore::load(files_, directory_.path());
    ASSERT_TRUE(store) << store.error().message;
    EXPECT_EQ(*store->key("portal"), key_.verify_key());
    EXPECT_TRUE(store->key("keeper-2"));
    EXPECT_EQ(store->key("notes").error().code, ErrorCode::kNotFound);
    EXPECT_FALSE(write_trust_file(files_, directory_.path(), "../portal", key_.verify_key()));
}

TEST_F(TrustStoreTest, AbsentDirectoryIsAnError) {
    EXPECT_EQ(TrustStore::load(files_, directory_.path() / "none").error().code,
              ErrorCode::kNotFound);
}

// The line was computed with Python's hashlib from C2SP signed-note's rule for key ids.
TEST_F(TrustStoreTest, WritesVerifierKeysAsSignedNoteDoes) {
    crypto::VerifyKey key;
    for (std::size_t i = 0; i < key.bytes.size(); ++i) key.bytes[i] = static_cast<std::uint8_t>(i);
    ASSERT_TRUE(write_trust_file(files_, directory_.path(), "keeper", key));
    EXPECT_EQ(to_string(ByteView(*files_.read_file(directory_.path() / "keeper.pub", 512))),
              "keeper+fe92d525+AQABAgMEBQYHCAkKCwwNDg8QERITFBUWFxgZGhscHR4f\n");
}

TEST_F(TrustStoreTest, MalformedFilesStopTheStart) {
    ASSERT_TRUE(write_trust_file(files_, directory_.path(), "portal", key_.verify_key()));
    const std::string good =
        to_string(ByteView(*files_.read_file(directory_.path() / "portal.pub", 512)));
    write("desk.pub", good);
    EXPECT_THAT(load_error(), HasSubstr("another service"));
    write("desk.pub", "");
    EXPECT_THAT(load_error(), HasSubstr("no verifier key line"));
    write("desk.pub", "desk+00000000+AAAA");
    EXPECT_THAT(load_error(), HasSubstr("no Ed25519 key"));
    write("desk.pub", "desk+00000000+" + good.substr(good.find('+', 8) + 1));
    EXPECT_THAT(load_error(), HasSubstr("key id"));
    ASSERT_TRUE(files_.remove(directory_.path() / "desk.pub"));
    write("De sk.pub", good);
    EXPECT_THAT(load_error(), HasSubstr("not named after a service"));
}

}  // namespace
}  // namespace cloison::net
