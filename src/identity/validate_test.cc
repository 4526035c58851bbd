#include "identity/validate.h"

#include <gtest/gtest.h>

#include "crypto/seal.h"

namespace cloison::identity {
namespace {

std::string repeated(std::size_t count, std::string_view text) {
    std::string out;
    for (std::size_t i = 0; i < count; ++i) out += text;
    return out;
}

TEST(ValidateTest, NewPasswordHas15To256Characters) {
    EXPECT_FALSE(check_new_password(repeated(14, "a")));
    EXPECT_TRUE(check_new_password(repeated(15, "a")));
    EXPECT_TRUE(check_new_password(repeated(256, "a")));
    EXPECT_FALSE(check_new_password(repeated(257, "a")));
}

TEST(ValidateTest, CharactersAreCountedNotBytes) {
    EXPECT_FALSE(check_new_password(repeated(14, "é")));
    EXPECT_TRUE(check_new_password(repeated(15, "é")));
    EXPECT_TRUE(check_new_password(repeated(256, "😀")));
    EXPECT_FALSE(check_new_password(repeated(257, "😀")));
    EXPECT_FALSE(check_new_password(repeated(20, "\xff")));
    EXPECT_FALSE(check_new_password(repeated(20, "a") + "\xc3"));
}

TEST(ValidateTest, TypedPasswordIsAnythingThatCouldBeOne) {
    EXPECT_FALSE(check_typed_password(""));
    EXPECT_TRUE(check_typed_password("a"));
    EXPECT_TRUE(check_typed_password(repeated(1024, "a")));
    EXPECT_FALSE(check_typed_password(repeated(1025, "a")));
}

TEST(ValidateTest, CodeHasSixDigits) {
    EXPECT_TRUE(check_code("012345"));
    for (const char* bad : {"", "01234", "0123456", "01234a", "01234 ", "-12345", "١٢٣"})
        EXPECT_FALSE(check_code(bad)) << bad;
}

TEST(ValidateTest, TextIsOneBoundedLine) {
    EXPECT_FALSE(check_text("unit", "", 1, 3));
    EXPECT_TRUE(check_text("unit", "a", 1, 3));
    EXPECT_TRUE(check_text("unit", "abc", 1, 3));
    EXPECT_FALSE(check_text("unit", "abcd", 1, 3));
    EXPECT_FALSE(check_text("unit", "a\nb", 1, 3));
    EXPECT_FALSE(check_text("unit", "a\x7f", 1, 3));
    EXPECT_FALSE(check_text("unit", "\xc3(", 1, 3));
}

TEST(ValidateTest, SealedValueHasItsFormAndBound) {
    std::string sealed(crypto::sealed_size(0), '\x01');
    EXPECT_TRUE(check_sealed("email", sealed));
    EXPECT_FALSE(check_sealed("email", sealed.substr(1)));
    EXPECT_FALSE(check_sealed("email", std::string(sealed.size(), '\x02')));
    EXPECT_FALSE(check_sealed("email", ""));
    EXPECT_EQ(kMaxSealedValue, crypto::sealed_size(511));
    EXPECT_TRUE(check_sealed("email", std::string(kMaxSealedValue, '\x01')));
    EXPECT_FALSE(check_sealed("email", std::string(kMaxSealedValue + 1, '\x01')));
}

TEST(ValidateTest, ErrorsDoNotRepeatTheValue) {
    const auto status = check_new_password("hunter2");
    ASSERT_FALSE(status);
    EXPECT_EQ(status.error().code, ErrorCode::kInvalidArgument);
    EXPECT_EQ(status.error().message.find("hunter2"), std::string::npos);
}

TEST(ValidateTest, UserAgentIsCutBetweenCharacters) {
    EXPECT_EQ(kept_user_agent("short"), "short");
    EXPECT_EQ(kept_user_agent(repeated(512, "a")).size(), 512u);
    EXPECT_EQ(kept_user_agent(repeated(600, "a")).size(), 512u);
    EXPECT_EQ(kept_user_agent("a" + repeated(300, "é")), "a" + repeated(255, "é"));
}

TEST(ValidateTest, ClientNamesTheCallingDoor) {
    v1::Client client;
    client.set_door("portal");
    EXPECT_TRUE(check_client({"portal"}, client));
    EXPECT_FALSE(check_client({"desk"}, client));
    client.set_origin(std::string(kMaxOrigin, '1'));
    EXPECT_TRUE(check_client({"portal"}, client));
    client.set_origin(std::string(kMaxOrigin + 1, '1'));
    EXPECT_FALSE(check_client({"portal"}, client));
}

}  // namespace
}  // namespace cloison::identity
