#include "cli/init.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>
#include <map>

#include "base/random.h"
#include "base/temporary_directory.h"
#include "crypto/keys.h"

namespace cloison::cli {
namespace {

namespace fs = std::filesystem;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

/// All files below a directory, and what is in them.
std::map<std::string, std::string> content_of(const Path& directory) {
    std::map<std::string, std::string> content;
    for (const auto& entry : fs::recursive_directory_iterator(directory)) {
        if (!entry.is_regular_file()) continue;
        std::ifstream file(entry.path());
        content[entry.path().string()] = {std::istreambuf_iterator<char>(file), {}};
    }
    return content;
}

class InitTest : public ::testing::Test {
  protected:
    InitTest() { crypto::initialize(); }
    Status init(const Configuration& configuration = {}) {
        return initialize_var(layout_, configuration, local_file_system(), system_random());
    }
    void write(const Path& path, const std::string& text) { std::ofstream(path) << text; }

    TemporaryDirectory directory_;
    Layout layout_{directory_.path() / "var"};
};

TEST_F(InitTest, MakesADirectoryThatIsComplete) {
    const auto made = init();
    ASSERT_TRUE(made) << made.error().message;
    EXPECT_TRUE(Configuration::load(local_file_system(), layout_.configuration()));
    EXPECT_EQ(*local_file_system().mode(layout_.var()), 0700u);
    EXPECT_TRUE(fs::exists(layout_.trust() / "operator.pub"));
    EXPECT_FALSE(fs::exists(layout_.var() / ".unfinished"));
    const auto before = content_of(layout_.var());
    EXPECT_EQ(init().error().code, ErrorCode::kConflict);
    EXPECT_EQ(content_of(layout_.var()), before);
}

TEST_F(InitTest, AnEmptyDirectoryBecomesPrivate) {
    fs::create_directory(layout_.var());
    fs::permissions(layout_.var(), fs::perms(0755));
    ASSERT_TRUE(init());
    EXPECT_EQ(*local_file_system().mode(layout_.var()), 0700u);
}

TEST_F(InitTest, ADirectoryThatHoldsAnythingElseStaysAsItIs) {
    fs::create_directory(layout_.var());
    write(layout_.var() / "accounts.csv", "mine");
    fs::permissions(layout_.var(), fs::perms(0755));
    const auto made = init();
    EXPECT_EQ(made.error().code, ErrorCode::kConflict);
    EXPECT_THAT(made.error().message, HasSubstr("is not empty"));
    EXPECT_EQ(*local_file_system().mode(layout_.var()), 0755u);
    EXPECT_EQ(content_of(layout_.var()).size(), 1u);
}

TEST_F(InitTest, BeginsAnewWhereACrashLeftHalf) {
    ASSERT_TRUE(init());
    const Path key = layout_.service_key("operator");
    const auto old_key = *local_file_system().read_file(key, 100);
    fs::remove(layout_.configuration());
    // Without its own mark it may be anything: a directory whose settings were lost, for one.
    EXPECT_EQ(init().error().code, ErrorCode::kConflict);
    EXPECT_EQ(*local_file_system().read_file(key, 100), old_key);
    write(layout_.var() / ".unfinished", "");
    write(layout_.var() / "notes.txt", "mine");
    EXPECT_EQ(init().error().code, ErrorCode::kConflict);
    fs::remove(layout_.var() / "notes.txt");
    const auto made = init();
    ASSERT_TRUE(made) << made.error().message;
    EXPECT_NE(*local_file_system().read_file(key, 100), old_key);
}

TEST_F(InitTest, LeavesNothingOfOneThatFails) {
    Configuration token;
    token.root_key = "pkcs11";
    token.pkcs11_module = token.pkcs11_token = token.pkcs11_key = "x";
    token.pkcs11_pin_file = directory_.path() / "no-pin";
    EXPECT_THAT(init(token).error().message, HasSubstr("no-pin"));
    EXPECT_FALSE(fs::exists(layout_.var()));
    fs::create_directory(layout_.var());
    EXPECT_FALSE(init(token));
    EXPECT_THAT(*local_file_system().list(layout_.var()), IsEmpty());
}

TEST_F(InitTest, WhatWouldBeRefusedWhenReadIsNotWritten) {
    Configuration ports;
    ports.desk_port = ports.portal_port;
    Configuration origin;
    origin.journal_origin = "a b";
    Configuration scanner;
    scanner.clamd = "somewhere";
    for (const Configuration& each : {ports, origin, scanner}) {
        EXPECT_EQ(init(each).error().code, ErrorCode::kInvalidArgument);
        EXPECT_FALSE(fs::exists(layout_.var()));
    }
}

TEST_F(InitTest, APathTooLongForASocketIsRefused) {
    // "/run/documents.sock" stands behind it.
    const std::size_t most = 107 - std::string("/run/documents.sock").size();
    const std::string parent = directory_.path().string() + '/';
    layout_ = Layout(parent + std::string(most + 1 - parent.size(), 'x'));
    EXPECT_THAT(init().error().message, HasSubstr("too long"));
    EXPECT_FALSE(fs::exists(layout_.var()));
    layout_ = Layout(parent + std::string(most - parent.size(), 'x'));
    EXPECT_TRUE(init());
}

std::string refusal(const std::string& text) {
    const auto read = Configuration::parse(text, "c.toml");
    return read ? "" : read.error().message;
}

TEST(SettingsTest, WhatCouldNotWorkIsRefusedWithItsLine) {
    const std::string long_name(129, 'a');
    const std::pair<const char*, std::string> wrong[] = {
        {"c.toml:2: http.address", "[http]\naddress = \"localhost\""},
        {"c.toml:2: http.address", "[http]\naddress = \"\""},
        {"c.toml:3: http.desk_port", "[http]\nportal_port = 90\ndesk_port = 90"},
        {"c.toml:2: http.desk_port", "[http]\nportal_port = 8081"},
        {"c.toml:2: http.outbox_port", "[http]\noutbox_port = 8080"},
        {"c.toml:2: keeper.pkcs11_module", "[keeper]\nroot_key = \"pkcs11\""},
        {"c.toml:2: journal.origin", "[journal]\norigin = \"a b\""},
        {"c.toml:2: journal.origin", "[journal]\norigin = \"\""},
        {"c.toml:2: journal.origin", "[journal]\norigin = \"a+b\""},
        {"c.toml:2: journal.origin", "[journal]\norigin = \"a\\nb\""},
        {"c.toml:2: journal.origin", "[journal]\norigin = \"a\\u00a0b\""},
        {"c.toml:2: journal.origin", "[journal]\norigin = \"a\\u2003b\""},
        {"c.toml:2: journal.origin", "[journal]\norigin = \"" + long_name + '"'},
        {"c.toml:3: journal.witness_quorum", "[journal]\n\nwitness_quorum = 1"},
        {"c.toml:2: mail.from", "[mail]\nfrom = \"nobody\""},
        {"c.toml:2: mail.smtp_url", "[mail]\nsmtp_url = \"mail.example.org:25\""},
        {"c.toml:2: mail.smtp_url", "[mail]\nsmtp_url = \"http://mail.example.org\""},
        {"c.toml:2: mail.smtp_url", "[mail]\ntransport = \"smtp\""},
        {"c.toml:4: mail.smtp_require_tls",
         "[mail]\ntransport = \"smtp\"\nsmtp_url = "
         "\"smtp://mail.example.org\"\nsmtp_require_tls = false"},
        {"c.toml:4: mail.smtp_password_file",
         "[mail]\ntransport = \"smtp\"\nsmtp_url = "
         "\"smtp://mail.example.org\"\nsmtp_user = \"u\""},
        {"c.toml:2: scanner.clamd", "[scanner]\nclamd = \"localhost:3310\""},
        {"c.toml:2: scanner.clamd", "[scanner]\nclamd = \"tcp:localhost:0\""},
    };
    for (const auto& [says, text] : wrong) EXPECT_THAT(refusal(text), HasSubstr(says)) << text;
}

TEST(SettingsTest, WhatWorksIsAccepted) {
    for (const std::string& text :
         {std::string("[http]\naddress = \"::1\""), std::string("[http]\naddress = \"fe80::1%lo\""),
          std::string("[journal]\norigin = \"préfecture.example/été\""),
          "[journal]\norigin = \"" + std::string(128, 'a') + '"',
          std::string("[mail]\nfrom = \"Cloison <no@example.org>\""),
          std::string("[mail]\ntransport = \"smtp\"\nsmtp_url = \"smtp://localhost:25\"\n"
                      "smtp_require_tls = false"),
          std::string("[scanner]\nclamd = \"tcp:[::1]:3310\"")})
        EXPECT_EQ(refusal(text), "") << text;
}

}  // namespace
}  // namespace cloison::cli
