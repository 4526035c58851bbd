#include "identity/totp.h"

#include <gtest/gtest.h>

#include "identity/limits.h"

namespace cloison::identity {
namespace {

const Bytes kRfcSecret = to_bytes("12345678901234567890");

Time at_seconds(std::int64_t seconds) {
    return from_unix_ms(seconds * 1000);
}

// RFC 4226, appendix D.
TEST(TotpTest, CodesOfRfc4226) {
    const std::vector<std::string> expected = {"755224", "287082", "359152", "969429", "338314",
                                               "254676", "287922", "162583", "399871", "520489"};
    for (std::size_t i = 0; i < expected.size(); ++i)
        EXPECT_EQ(totp_code(kRfcSecret, static_cast<std::int64_t>(i)), expected[i]) << i;
}

// RFC 6238, appendix B, SHA-1, the last six of its eight digits.
TEST(TotpTest, CodesOfRfc6238) {
    const std::vector<std::pair<std::int64_t, std::string>> expected = {
        {59, "287082"},         {1111111109, "081804"}, {1111111111, "050471"},
        {1234567890, "005924"}, {2000000000, "279037"}, {20000000000, "353130"}};
    for (const auto& [seconds, code] : expected)
        EXPECT_EQ(totp_code(kRfcSecret, totp_step(at_seconds(seconds))), code) << seconds;
}

TEST(TotpTest, AcceptsOneStepEitherSideAndNoMore) {
    const Secret secret(ByteView{kRfcSecret});
    const Time now = at_seconds(1'800'000'000);
    const std::int64_t step = totp_step(now);
    for (std::int64_t offset = -4; offset <= 4; ++offset) {
        const auto matched = match_totp(secret, totp_code(kRfcSecret, step + offset), now, 0);
        if (offset >= -1 && offset <= 1)
            EXPECT_EQ(matched, step + offset);
        else
            EXPECT_FALSE(matched) << offset;
    }
}

TEST(TotpTest, RefusesAStepThatIsNotLaterThanTheLast) {
    const Secret secret(ByteView{kRfcSecret});
    const Time now = at_seconds(1'800'000'000);
    const std::int64_t step = totp_step(now);
    const std::string code = totp_code(kRfcSecret, step);
    EXPECT_TRUE(match_totp(secret, code, now, step - 1));
    EXPECT_FALSE(match_totp(secret, code, now, step));
    EXPECT_FALSE(match_totp(secret, code, now, step + 1));
}

TEST(TotpTest, UriEscapesNames) {
    EXPECT_EQ(totp_uri("Mon Portail", "desk", "ABC"),
              "otpauth://totp/Mon%20Portail:desk?secret=ABC&issuer=Mon%20Portail&algorithm=SHA1"
              "&digits=6&period=30");
}

}  // namespace
}  // namespace cloison::identity
