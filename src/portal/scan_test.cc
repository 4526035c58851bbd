#include <gmock/gmock.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <atomic>
#include <thread>

#include "portal/test_house.h"

namespace cloison::portal {
namespace {

using testing::HasSubstr, testing::Not;

/// Speaks clamd's INSTREAM (clamd(8)) and finds the word EICAR, nothing else.
class WordScanner {
  public:
    explicit WordScanner(const Path& socket_path) {
        socket_ = ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
        sockaddr_un address{};
        address.sun_family = AF_UNIX;
        std::strncpy(address.sun_path, socket_path.c_str(), sizeof address.sun_path - 1);
        EXPECT_EQ(::bind(socket_, reinterpret_cast<sockaddr*>(&address), sizeof address), 0);
        EXPECT_EQ(::listen(socket_, 8), 0);
        thread_ = std::thread([this] {
            while (true) {
                const int connection = ::accept(socket_, nullptr, nullptr);
                if (connection < 0) return;
                answer(connection);
                ::close(connection);
            }
        });
    }
    ~WordScanner() {
        ::shutdown(socket_, SHUT_RDWR);
        thread_.join();
        ::close(socket_);
    }
    std::uint64_t scanned() const { return scanned_; }

  private:
    static bool read_all(int connection, void* out, std::size_t size) {
        return size == 0 ||
               ::recv(connection, out, size, MSG_WAITALL) == static_cast<ssize_t>(size);
    }
    void answer(int connection) {
        char command[10];  // zINSTREAM and its NUL
        if (!read_all(connection, command, sizeof command)) return;
        std::string content;
        while (true) {
            std::uint8_t length[4];
            if (!read_all(connection, length, sizeof length)) return;
            const std::uint32_t size = get_u32(length);
            if (size == 0) break;
            const std::size_t begin = content.size();
            content.resize(begin + size);
            if (!read_all(connection, content.data() + begin, size)) return;
        }
        scanned_ += content.size();
        const std::string verdict = content.find("EICAR") == std::string::npos
                                        ? "stream: OK"
                                        : "stream: Eicar-Signature FOUND";
        ::send(connection, verdict.c_str(), verdict.size() + 1, MSG_NOSIGNAL);
    }
    int socket_ = -1;
    std::atomic<std::uint64_t> scanned_ = 0;
    std::thread thread_;
};

class ScanTest : public House {
  protected:
    void SetUp() override {
        scanner_ = std::make_unique<WordScanner>(at("clamd"));
        clamd = "unix:" + at("clamd").string();
        House::SetUp();
    }
    std::unique_ptr<WordScanner> scanner_;
};

TEST_F(ScanTest, InfectedFileIsNamedAndNotKept) {
    Browser person = signed_up("maelle@example.org");
    const std::string path = begun(person);
    const std::string infected = pdf(150'000) + "EICAR";
    const auto page = person.upload(path + "/documents/add/identity_proof", "a.pdf", infected);
    EXPECT_EQ(page.status, 422);
    EXPECT_THAT(page.body, HasSubstr("The virus scanner found harmful software in this file"));
    EXPECT_EQ(scanner_->scanned(), infected.size()) << "the scanner saw all of it";
    EXPECT_THAT(person.get(path).body, Not(HasSubstr("Documents handed in")));
}

TEST_F(ScanTest, CleanFileIsKept) {
    Browser person = signed_up("maelle@example.org");
    const std::string path = begun(person);
    const std::string clean = pdf(150'000);
    auto downloaded = person.get(hand_in(person, path, "identity_proof", clean));
    EXPECT_EQ(scanner_->scanned(), clean.size());
    EXPECT_EQ(body_of(downloaded), clean);
}

}  // namespace
}  // namespace cloison::portal
