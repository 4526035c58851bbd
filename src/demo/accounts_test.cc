#include "demo/accounts.h"

#include <gtest/gtest.h>

#include "base/temporary_directory.h"

namespace cloison::demo {
namespace {

TEST(OneTimeCodeTest, Rfc6238Vectors) {
    // RFC 6238, appendix B, SHA-1, cut to six digits; the secret is "12345678901234567890".
    const std::string secret = base32_encode(as_bytes("12345678901234567890"));
    const std::pair<std::int64_t, const char*> kVectors[] = {
        {59, "287082"},         {1111111109, "081804"}, {1111111111, "050471"},
        {1234567890, "005924"}, {2000000000, "279037"}, {20000000000, "353130"}};
    for (const auto& [seconds, code] : kVectors)
        EXPECT_EQ(one_time_code(secret, code_step(from_unix_ms(seconds * 1000))).value(), code);
}

TEST(OneTimeCodeTest, RefusesWhatIsNoSecret) {
    EXPECT_EQ(one_time_code("!!", 1).error().code, ErrorCode::kInvalidArgument);
}

TEST(AccountsTest, AreReadAsWritten) {
    const TemporaryDirectory directory;
    const Path path = directory.path() / "demo.json";
    Accounts accounts{42, 7, {{"officer", "a@demo.example", "secret", "ABCD", "A. B."}}};
    ASSERT_TRUE(write_accounts(local_file_system(), path, accounts));
    EXPECT_EQ(local_file_system().mode(path).value(), 0600U);
    const auto read = load_accounts(local_file_system(), path);
    ASSERT_TRUE(read) << read.error().message;
    EXPECT_EQ(read->seed, 42U);
    EXPECT_EQ(read->residents, 7U);
    ASSERT_EQ(read->with_role("officer").size(), 1U);
    EXPECT_EQ(read->with_role("officer")[0]->totp, "ABCD");
    EXPECT_TRUE(read->with_role("dpo").empty());
}

TEST(AccountsTest, OtherFilesAreRefused) {
    const TemporaryDirectory directory;
    const Path path = directory.path() / "demo.json";
    EXPECT_EQ(load_accounts(local_file_system(), path).error().code, ErrorCode::kNotFound);
    ASSERT_TRUE(local_file_system().write_file_atomically(path, as_bytes("{}"), 0600));
    EXPECT_EQ(load_accounts(local_file_system(), path).error().code, ErrorCode::kInvalidArgument);
}

}  // namespace
}  // namespace cloison::demo
