#include "documents/scanner.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstring>
#include <fstream>

#include "base/seeded_random.h"
#include "base/temporary_directory.h"

extern char** environ;

namespace cloison::documents {
namespace {

constexpr const char* kClamd = "/usr/sbin/clamd";

/// The EICAR test string, put together here so that no scanner takes this file for it.
std::string eicar() {
    return std::string("X5O!P%@AP[4\\PZX54(P^)7CC)7}$") + "EICAR-STANDARD-" + "ANTIVIRUS-TEST-" +
           "FILE!$H+H*";
}

/// A real clamd with a database of one signature, in a directory of its own.
class Clamd {
  public:
    explicit Clamd(std::size_t stream_max = 30 << 20) {
        const Path signatures = directory_.path() / "signatures";
        std::filesystem::create_directory(signatures);
        std::ofstream(signatures / "test.ndb")
            << "Cloison.Test.Eicar:0:*:" << hex_encode(as_bytes(eicar())) << '\n';
        const Path configuration = directory_.path() / "clamd.conf";
        std::ofstream(configuration)
            << "Foreground yes\nDatabaseDirectory " << signatures.string() << "\nLocalSocket "
            << socket().string() << "\nTemporaryDirectory " << directory_.path().string()
            << "\nStreamMaxLength " << stream_max << "\nLogFile "
            << (directory_.path() / "clamd.log").string() << '\n';
        const std::string option = "--config-file=" + configuration.string();
        std::string program(kClamd);
        std::string argument(option);
        char* arguments[] = {program.data(), argument.data(), nullptr};
        posix_spawn_file_actions_t actions;
        posix_spawn_file_actions_init(&actions);
        for (const int descriptor : {1, 2})
            posix_spawn_file_actions_addopen(&actions, descriptor, "/dev/null", O_WRONLY, 0);
        EXPECT_EQ(posix_spawn(&pid_, kClamd, &actions, nullptr, arguments, environ), 0);
        posix_spawn_file_actions_destroy(&actions);
        wait_until_it_answers();
    }
    ~Clamd() { stop(); }

    void stop() {
        if (pid_ <= 0) return;
        ::kill(pid_, SIGKILL);
        ::waitpid(pid_, nullptr, 0);
        pid_ = 0;
    }
    Path socket() const { return directory_.path() / "clamd.sock"; }
    std::unique_ptr<Scanner> scanner() const {
        return std::move(*Scanner::create({.address = "unix:" + socket().string()}));
    }

  private:
    /// Until it answers a ping or has ended; at most half a minute.
    void wait_until_it_answers() {
        const auto client = scanner();
        for (int i = 0; i < 600; ++i) {
            if (client->ping()) return;
            ASSERT_EQ(::waitpid(pid_, nullptr, WNOHANG), 0) << "clamd has ended";
            ::poll(nullptr, 0, 50);
        }
        FAIL() << "clamd does not answer";
    }

    TemporaryDirectory directory_;
    pid_t pid_ = 0;
};

Result<ScanVerdict> scan(const Scanner& scanner, const std::string& file, std::size_t piece) {
    CLOISON_TRY(const auto under_way, scanner.begin());
    for (std::size_t at = 0; at < file.size(); at += piece)
        CLOISON_TRY_STATUS(under_way->feed(as_bytes(file.substr(at, piece))));
    return under_way->finish();
}

TEST(ScannerTest, RealClamdTellsCleanFromInfected) {
    const Clamd clamd;
    const auto scanner = clamd.scanner();
    const auto clean = scan(*scanner, "%PDF-1.7\nclean", 5);
    ASSERT_TRUE(clean) << clean.error().message;
    EXPECT_TRUE(clean->clean);
    EXPECT_TRUE(clean->signature.empty());
    for (const std::size_t piece : {1UL, 10UL, 1'000UL}) {
        const auto infected = scan(*scanner, eicar(), piece);
        ASSERT_TRUE(infected) << infected.error().message;
        EXPECT_FALSE(infected->clean);
        EXPECT_EQ(infected->signature, "Cloison.Test.Eicar.UNOFFICIAL");
    }
}

TEST(ScannerTest, LargeFilesAreStreamed) {
    const Clamd clamd;
    SeededRandom random(1);
    Bytes noise(20 << 20);
    random.fill(noise);
    const auto verdict = scan(*clamd.scanner(), to_string(noise), 1 << 20);
    ASSERT_TRUE(verdict) << verdict.error().message;
    EXPECT_TRUE(verdict->clean);
}

TEST(ScannerTest, SizeLimitOfTheScannerIsNoVerdict) {
    const Clamd clamd(100'000);
    const auto verdict = scan(*clamd.scanner(), std::string(5'000'000, 'x'), 65'536);
    ASSERT_FALSE(verdict);
    EXPECT_EQ(verdict.error().code, ErrorCode::kTooLarge);
}

TEST(ScannerTest, DeadScannerIsUnavailable) {
    Clamd clamd;
    const auto scanner = clamd.scanner();
    const auto under_way = scanner->begin();
    ASSERT_TRUE(under_way);
    clamd.stop();
    const auto verdict = [&]() -> Result<ScanVerdict> {
        CLOISON_TRY_STATUS((*under_way)->feed(as_bytes("x")));
        return (*under_way)->finish();
    }();
    ASSERT_FALSE(verdict);
    EXPECT_EQ(verdict.error().code, ErrorCode::kUnavailable);
    EXPECT_EQ(scanner->ping().error().code, ErrorCode::kUnavailable);
    EXPECT_EQ(scanner->begin().error().code, ErrorCode::kUnavailable);
}

/// A socket that accepts connections and says what the test wants.
class Listener {
  public:
    Listener() : descriptor_(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
        sockaddr_un address{};
        address.sun_family = AF_UNIX;
        std::strcpy(address.sun_path, path().c_str());
        EXPECT_EQ(::bind(descriptor_, reinterpret_cast<const sockaddr*>(&address), sizeof address),
                  0);
        EXPECT_EQ(::listen(descriptor_, 4), 0);
    }
    ~Listener() { ::close(descriptor_); }
    std::string path() const { return (directory_.path() / "socket").string(); }
    /// Answers the connection that waits.
    void answer(const std::string& reply) {
        const int connection = ::accept(descriptor_, nullptr, nullptr);
        EXPECT_EQ(::send(connection, reply.data(), reply.size(), MSG_NOSIGNAL),
                  static_cast<ssize_t>(reply.size()));
        ::shutdown(connection, SHUT_WR);
        connections_.push_back(connection);
    }

  private:
    TemporaryDirectory directory_;
    int descriptor_;
    std::vector<int> connections_;
};

TEST(ScannerTest, SilentScannerMeetsTheDeadline) {
    Listener listener;
    const auto scanner = *Scanner::create({.address = "unix:" + listener.path(),
                                           .connect_timeout = Duration(50),
                                           .send_timeout = Duration(50),
                                           .verdict_timeout = Duration(50)});
    EXPECT_EQ(scanner->ping().error().code, ErrorCode::kDeadline);
    EXPECT_EQ(scan(*scanner, "x", 1).error().code, ErrorCode::kDeadline);
    // It takes nothing: the socket's buffers fill up.
    EXPECT_EQ(scan(*scanner, std::string(10 << 20, 'x'), 65'536).error().code,
              ErrorCode::kDeadline);
}

TEST(ScannerTest, NonsenseIsNeverClean) {
    using namespace std::string_literals;
    for (const std::string& reply :
         {""s, "OK\0"s, "stream: \0"s, "stream: OK but\0"s, "stream:  FOUND\0"s, " FOUND\0"s,
          "UNKNOWN COMMAND\0"s, "stream: Can't allocate memory ERROR\0"s,
          std::string(10'000, 'x')}) {
        Listener listener;
        const auto scanner = *Scanner::create({.address = "unix:" + listener.path()});
        const auto under_way = scanner->begin();
        ASSERT_TRUE(under_way);
        listener.answer(reply);
        ASSERT_TRUE((*under_way)->feed(as_bytes("x")));
        const auto verdict = (*under_way)->finish();
        ASSERT_FALSE(verdict) << reply;
        EXPECT_EQ(verdict.error().code, ErrorCode::kUnavailable) << reply;
    }
}

TEST(ScannerTest, AddressesAreChecked) {
    for (const char* good : {"unix:/run/clamd.ctl", "tcp:127.0.0.1:3310", "tcp:localhost:1"})
        EXPECT_TRUE(Scanner::create({.address = good})) << good;
    for (const std::string bad :
         {"", "/run/clamd.ctl", "unix:run", "tcp:3310", "tcp:localhost", "tcp:localhost:0",
          "tcp:localhost:65536", "tcp:localhost:12x", "http://localhost:3310"})
        EXPECT_EQ(Scanner::create({.address = bad}).error().code, ErrorCode::kInvalidArgument)
            << bad;
    EXPECT_EQ(Scanner::create({.address = "unix:/" + std::string(200, 'x')}).error().code,
              ErrorCode::kInvalidArgument);
}

TEST(ScannerTest, ClosedPortIsUnavailable) {
    const auto scanner = *Scanner::create({.address = "tcp:127.0.0.1:1"});
    EXPECT_EQ(scanner->ping().error().code, ErrorCode::kUnavailable);
}

}  // namespace
}  // namespace cloison::documents
