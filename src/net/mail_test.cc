#include "net/mail.h"

#include <arpa/inet.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <fstream>
#include <thread>

#include "base/seeded_random.h"
#include "base/temporary_directory.h"

extern char** environ;

namespace cloison::net {
namespace {

using ::testing::EndsWith;
using ::testing::HasSubstr;
using ::testing::Not;

class MailTest : public ::testing::Test {
  protected:
    std::string render(const Mail& mail, std::string_view from = "portal@example.org") {
        const auto message = render_mail(mail, from, clock_.now(), random_);
        EXPECT_TRUE(message) << message.error().message;
        return message.value_or("");
    }
    static std::string body(const std::string& message) {
        return message.substr(message.find("\r\n\r\n") + 4);
    }

    ManualClock clock_{*parse_rfc3339("2026-04-13T09:30:00.123Z")};
    SeededRandom random_{1};
};

TEST_F(MailTest, HasTheHeadersOfAMessage) {
    const std::string message =
        render({"a.b+c@example.org", "Your code", "Hello\nthere\n"}, "Portal <portal@example.org>");
    EXPECT_THAT(message, HasSubstr("Date: Mon, 13 Apr 2026 09:30:00 +0000\r\n"));
    EXPECT_THAT(message, HasSubstr("From: Portal <portal@example.org>\r\n"));
    EXPECT_THAT(message, HasSubstr("To: a.b+c@example.org\r\n"));
    EXPECT_THAT(message, HasSubstr("Subject: Your code\r\n"));
    EXPECT_THAT(message, ::testing::ContainsRegex("Message-ID: <[0-9a-f]{32}@example.org>\r\n"));
    EXPECT_THAT(message, HasSubstr("Content-Type: text/plain; charset=utf-8\r\n"));
    EXPECT_EQ(body(message), "Hello\r\nthere\r\n");
    EXPECT_THAT(render({"a@example.org", "x", "y"}, "Préfecture <p@example.org>"),
                HasSubstr("From: =?UTF-8?B?UHLDqWZlY3R1cmU=?= <p@example.org>\r\n"));
}

TEST_F(MailTest, TextIsQuotedPrintable) {
    const auto encoded = [&](const std::string& text) {
        return body(render({"a@example.org", "x", text}));
    };
    EXPECT_EQ(encoded("d\xc3\xa9j\xc3\xa0 = 1"), "d=C3=A9j=C3=A0 =3D 1\r\n");
    EXPECT_EQ(encoded("a \nb\t\r\nc "), "a=20\r\nb=09\r\nc=20\r\n");
    EXPECT_EQ(encoded("a\rb"), "a=0Db\r\n");
    EXPECT_EQ(encoded(""), "");
    EXPECT_EQ(encoded(".\n..\n"), ".\r\n..\r\n");
    EXPECT_EQ(encoded(std::string(75, 'x')), std::string(75, 'x') + "\r\n");
    EXPECT_EQ(encoded(std::string(76, 'x')), std::string(75, 'x') + "=\r\nx\r\n");
    std::string long_line;
    for (int i = 0; i < 300; ++i) long_line += "\xc3\xa9 ";
    std::istringstream lines(encoded(long_line));
    for (std::string line; std::getline(lines, line);) EXPECT_LE(line.size(), 77U);
}

TEST_F(MailTest, SubjectIsEncodedWithoutDividingCharacters) {
    EXPECT_THAT(render({"a@example.org", "Votre code \xc3\xa0 usage unique", "x"}),
                HasSubstr("Subject: =?UTF-8?B?Vm90cmUgY29kZSDDoCB1c2FnZSB1bmlxdWU=?=\r\n"));
    std::string subject;
    for (int i = 0; i < 60; ++i) subject += "\xe2\x82\xac";
    const std::string message = render({"a@example.org", subject, "x"});
    std::string decoded;
    std::size_t at = 0;
    while ((at = message.find("=?UTF-8?B?", at)) != std::string::npos) {
        const auto end = message.find("?=", at);
        EXPECT_LE(end + 2 - at, 75U);
        const auto word = base64_decode(message.substr(at + 10, end - at - 10));
        ASSERT_TRUE(word);
        EXPECT_EQ(word->size() % 3, 0U);
        decoded += as_text(*word);
        at = end;
    }
    EXPECT_EQ(decoded, subject);
}

TEST_F(MailTest, InjectionIsRefused) {
    const auto error = [&](const Mail& mail, std::string_view from = "portal@example.org") {
        const auto message = render_mail(mail, from, clock_.now(), random_);
        return message ? ErrorCode::kInternal : message.error().code;
    };
    for (const std::string to :
         {"", "a", "@example.org", "a@", "a@b@c", "a b@example.org", "a@example.org\r\nBcc: b@c",
          "a@example.org\n", "a@example.org> SIZE=1", "<a@example.org>", "a@example.org,b@c",
          "a..b@example.org", ".a@example.org", "a.@example.org", "\"a b\"@example.org",
          "\xc3\xa9@example.org", "a@ex ample.org", "a@-.", "a@[127.0.0.1]"})
        EXPECT_EQ(error({to, "x", "y"}), ErrorCode::kInvalidArgument) << to;
    EXPECT_EQ(error({std::string("a@b\0c", 5), "x", "y"}), ErrorCode::kInvalidArgument);
    for (const std::string subject :
         {"a\r\nBcc: b@c", "a\nb", "a\rb", "a\x01", "a\x7f", "a\xff", "a\tb"})
        EXPECT_EQ(error({"a@example.org", subject, "y"}), ErrorCode::kInvalidArgument) << subject;
    EXPECT_EQ(error({"a@example.org", "x", "\xff"}), ErrorCode::kInvalidArgument);
    EXPECT_EQ(error({"a@example.org", "x", std::string("a\0", 2)}), ErrorCode::kInvalidArgument);
    for (const std::string_view from : {"", "portal", "Portal <portal>", "A\r\nB: c <a@b.org>",
                                        "a@b.org\r\n", "Portal <a@b.org> x", " <a@b.org>"})
        EXPECT_EQ(error({"a@example.org", "x", "y"}, from), ErrorCode::kInvalidArgument) << from;
}

TEST_F(MailTest, LengthsAreBounded) {
    const auto fits = [&](const Mail& mail) {
        return render_mail(mail, "portal@example.org", clock_.now(), random_).has_value();
    };
    const std::string domain = "@" + std::string(254 - 64 - 1, 'd');
    EXPECT_TRUE(fits({std::string(64, 'a') + domain, "x", "y"}));
    EXPECT_FALSE(fits({std::string(64, 'a') + domain + "d", "x", "y"}));
    EXPECT_FALSE(fits({std::string(65, 'a') + "@example.org", "x", "y"}));
    EXPECT_TRUE(fits({"a@example.org", std::string(500, 's'), "y"}));
    EXPECT_FALSE(fits({"a@example.org", std::string(501, 's'), "y"}));
    EXPECT_TRUE(fits({"a@example.org", "x", std::string(256 * 1024, 't')}));
    EXPECT_FALSE(fits({"a@example.org", "x", std::string(256 * 1024 + 1, 't')}));
}

TEST_F(MailTest, DirectoryKeepsEachMailPrivately) {
    const TemporaryDirectory directory;
    const auto transport = directory_transport(local_file_system(), directory.path(),
                                               "portal@example.org", clock_, random_);
    ASSERT_TRUE(transport->send({"a@example.org", "One", "x"}));
    ASSERT_TRUE(transport->send({"a@example.org", "Two", "x"}));
    EXPECT_FALSE(transport->send({"a@example.org\n", "Three", "x"}));
    const auto names = *local_file_system().list(directory.path());
    ASSERT_EQ(names.size(), 2U);
    for (const std::string& name : names) {
        EXPECT_THAT(name, ::testing::MatchesRegex("20260413T093000.123Z-[0-9a-f]{16}\\.eml"));
        EXPECT_EQ(*local_file_system().mode(directory.path() / name), 0600U);
    }
}

std::uint16_t free_port() {
    const int descriptor = ::socket(AF_INET, SOCK_STREAM, 0);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof address;
    ::bind(descriptor, reinterpret_cast<sockaddr*>(&address), size);
    ::getsockname(descriptor, reinterpret_cast<sockaddr*>(&address), &size);
    ::close(descriptor);
    return ntohs(address.sin_port);
}

bool listens(std::uint16_t port) {
    const int descriptor = ::socket(AF_INET, SOCK_STREAM, 0);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(port);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    const bool connected =
        ::connect(descriptor, reinterpret_cast<sockaddr*>(&address), sizeof address) == 0;
    ::close(descriptor);
    return connected;
}

/// Debian's aiosmtpd, which keeps what it receives in a Maildir.
class SmtpServer {
  public:
    SmtpServer() : port_(free_port()), mailbox_(directory_.path() / "mail") {
        const std::string address = "127.0.0.1:" + std::to_string(port_);
        const std::string box = mailbox_.string();
        std::vector<std::string> arguments = {
            "/usr/bin/python3",          "-m", "aiosmtpd", "-n", "-l", address, "-c",
            "aiosmtpd.handlers.Mailbox", box};
        std::vector<char*> pointers;
        for (std::string& argument : arguments) pointers.push_back(argument.data());
        pointers.push_back(nullptr);
        started_ =
            ::posix_spawn(&process_, pointers[0], nullptr, nullptr, pointers.data(), environ) == 0;
        for (int i = 0; started_ && i < 1000 && !listens(port_); ++i) ::poll(nullptr, 0, 10);
    }
    ~SmtpServer() {
        if (!started_) return;
        ::kill(process_, SIGTERM);
        ::waitpid(process_, nullptr, 0);
    }
    SmtpServer(const SmtpServer&) = delete;
    SmtpServer& operator=(const SmtpServer&) = delete;

    std::string url() const { return "smtp://127.0.0.1:" + std::to_string(port_); }
    std::vector<std::string> mails() const {
        std::vector<std::string> all;
        const auto names = local_file_system().list(mailbox_ / "new");
        if (!names) return all;
        for (const std::string& name : *names)
            all.push_back(to_string(
                ByteView(*local_file_system().read_file(mailbox_ / "new" / name, 1 << 20))));
        return all;
    }

  private:
    TemporaryDirectory directory_;
    std::uint16_t port_;
    Path mailbox_;
    pid_t process_ = 0;
    bool started_ = false;
};

class SmtpTest : public MailTest {
  protected:
    Result<std::unique_ptr<MailTransport>> transport(const std::string& url, bool tls = false,
                                                     std::string user = "",
                                                     std::string password_file = "") {
        return smtp_transport(
            {url, "Portal <portal@example.org>", std::move(user), std::move(password_file), tls},
            clock_, random_);
    }
};

TEST_F(SmtpTest, MailArrivesAtARealServer) {
    const SmtpServer server;
    const auto smtp = *transport(server.url());
    const auto sent = smtp->send(
        {"resident@example.org", "D\xc3\xa9marche", "Bonjour,\n.\n..\nd\xc3\xa9j\xc3\xa0\n"});
    ASSERT_TRUE(sent) << sent.error().message;
    const auto mails = server.mails();
    ASSERT_EQ(mails.size(), 1U);
    EXPECT_THAT(mails[0], HasSubstr("X-MailFrom: portal@example.org"));
    EXPECT_THAT(mails[0], HasSubstr("X-RcptTo: resident@example.org"));
    EXPECT_THAT(mails[0], HasSubstr("From: Portal <portal@example.org>"));
    EXPECT_THAT(mails[0], HasSubstr("Subject: =?UTF-8?B?RMOpbWFyY2hl?="));
    EXPECT_THAT(mails[0], EndsWith("\n\nBonjour,\n.\n..\nd=C3=A9j=C3=A0\n"));
    ASSERT_TRUE(smtp->send({"resident@example.org", "Again", "x"}));
    EXPECT_EQ(server.mails().size(), 2U);
}

TEST_F(SmtpTest, ThreadsSendAtOnce) {
    const SmtpServer server;
    const auto smtp = *transport(server.url());
    std::vector<std::thread> senders;
    for (int i = 0; i < 8; ++i) {
        senders.emplace_back([&] {
            EXPECT_TRUE(smtp->send({"resident@example.org", "Hello", "x"}));
        });
    }
    for (auto& sender : senders) sender.join();
    EXPECT_EQ(server.mails().size(), 8U);
}

TEST_F(SmtpTest, InjectionNeverReachesTheServer) {
    const SmtpServer server;
    const auto smtp = *transport(server.url());
    EXPECT_FALSE(smtp->send({"a@example.org>\r\nRCPT TO:<b@example.org", "x", "y"}));
    EXPECT_FALSE(smtp->send({"a@example.org", "x\r\nBcc: b@example.org", "y"}));
    EXPECT_TRUE(smtp->send({"a@example.org", "x", "y\r\n.\r\nMAIL FROM:<b@example.org>\r\n"}));
    ASSERT_EQ(server.mails().size(), 1U);
    EXPECT_THAT(server.mails()[0], EndsWith("y\n.\nMAIL FROM:<b@example.org>\n"));
}

TEST_F(SmtpTest, RequiredTlsIsNotWaived) {
    const SmtpServer server;
    const auto sent = (*transport(server.url(), true))->send({"a@example.org", "x", "y"});
    ASSERT_FALSE(sent);
    EXPECT_EQ(sent.error().code, ErrorCode::kPermissionDenied);
    EXPECT_TRUE(server.mails().empty());
}

TEST_F(SmtpTest, AbsentServerIsUnavailable) {
    const auto smtp = *transport("smtp://127.0.0.1:" + std::to_string(free_port()));
    const auto sent = smtp->send({"a@example.org", "x", "y"});
    ASSERT_FALSE(sent);
    EXPECT_EQ(sent.error().code, ErrorCode::kUnavailable);
    EXPECT_THAT(sent.error().message, Not(HasSubstr("example.org")));
}

TEST_F(SmtpTest, PasswordFileIsReadAtEachSend) {
    const SmtpServer server;
    const TemporaryDirectory directory;
    const Path file = directory.path() / "password";
    const auto smtp = *transport(server.url(), false, "portal", file.string());
    const auto without = smtp->send({"a@example.org", "x", "y"});
    ASSERT_FALSE(without);
    EXPECT_EQ(without.error().code, ErrorCode::kNotFound);
    // aiosmtpd offers no AUTH on plain connections, so that the password is not sent.
    ASSERT_TRUE(local_file_system().write_file_atomically(file, as_bytes("secret\n"), 0600));
    const auto sent = smtp->send({"a@example.org", "x", "y"});
    EXPECT_TRUE(sent) << sent.error().message;
}

TEST_F(SmtpTest, SettingsAreChecked) {
    EXPECT_TRUE(transport("smtp://mail.example.org:587", true));
    EXPECT_TRUE(transport("smtps://mail.example.org", true));
    EXPECT_TRUE(transport("smtp://localhost:25/"));
    EXPECT_TRUE(transport("smtp://[::1]:25"));
    for (const char* url : {"", "mail.example.org", "http://127.0.0.1", "smtp://user:pw@127.0.0.1",
                            "smtp://127.0.0.1/path", "smtp://mail.example.org",
                            "smtp://127.evil.org", "smtp://10.0.0.1"})
        EXPECT_FALSE(transport(url)) << url;
    EXPECT_FALSE(transport("smtp://127.0.0.1", false, "user", ""));
    EXPECT_FALSE(smtp_transport({"smtp://127.0.0.1", "nobody", "", "", false}, clock_, random_));
}

}  // namespace
}  // namespace cloison::net
