#include "net/http_server.h"

#include <arpa/inet.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <chrono>
#include <condition_variable>
#include <mutex>
#include <stdexcept>
#include <thread>

#include "net/http_client.h"

namespace cloison::net {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::StartsWith;

constexpr Duration kGrace{5'000};

/// A client that sends exactly the bytes it is given.
class RawConnection {
  public:
    explicit RawConnection(std::uint16_t port) : descriptor_(::socket(AF_INET, SOCK_STREAM, 0)) {
        sockaddr_in address{};
        address.sin_family = AF_INET;
        address.sin_port = htons(port);
        address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        connected_ =
            ::connect(descriptor_, reinterpret_cast<sockaddr*>(&address), sizeof address) == 0;
    }
    ~RawConnection() { ::close(descriptor_); }
    RawConnection(const RawConnection&) = delete;
    RawConnection& operator=(const RawConnection&) = delete;

    bool connected() const { return connected_; }
    bool send(std::string_view bytes) {
        while (!bytes.empty()) {
            const auto count = ::send(descriptor_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
            if (count <= 0) return false;
            bytes.remove_prefix(static_cast<std::size_t>(count));
        }
        return true;
    }
    void end_sending() { ::shutdown(descriptor_, SHUT_WR); }

    bool answered_within(int ms) {
        pollfd readable{descriptor_, POLLIN, 0};
        return ::poll(&readable, 1, ms) > 0;
    }

    /// Until the server closes, or ten seconds of silence ("<silent>") or a reset ("<reset>").
    std::string receive_all() {
        while (receive_more()) {
        }
        return received_;
    }
    /// Until `text` has arrived.
    std::string receive_until(std::string_view text) {
        while (received_.find(text) == std::string::npos && receive_more()) {
        }
        return received_;
    }
    void forget() { received_.clear(); }

  private:
    bool receive_more() {
        pollfd readable{descriptor_, POLLIN, 0};
        if (::poll(&readable, 1, 10'000) <= 0) {
            received_ += "<silent>";
            return false;
        }
        std::array<char, 65536> piece;
        const auto count = ::recv(descriptor_, piece.data(), piece.size(), 0);
        if (count < 0) received_ += "<reset>";
        if (count <= 0) return false;
        received_.append(piece.data(), static_cast<std::size_t>(count));
        return true;
    }

    int descriptor_;
    bool connected_ = false;
    std::string received_;
};

class Latch {
  public:
    void open() {
        const std::lock_guard lock(mutex_);
        open_ = true;
        changed_.notify_all();
    }
    void wait() {
        std::unique_lock lock(mutex_);
        ++waiting_;
        changed_.notify_all();
        changed_.wait(lock, [this] { return open_; });
    }
    void wait_for_waiting(int count) {
        std::unique_lock lock(mutex_);
        changed_.wait(lock, [&] { return waiting_ >= count; });
    }

  private:
    std::mutex mutex_;
    std::condition_variable changed_;
    bool open_ = false;
    int waiting_ = 0;
};

class HttpServerTest : public ::testing::Test {
  protected:
    ~HttpServerTest() override { latch_.open(); }

    void start(HttpServer::Options options = {}) {
        auto server = HttpServer::start(
            std::move(options), [this](HttpRequest& request) { return answer(request); },
            [](std::string_view, std::string_view path) { return path.starts_with("/upload"); });
        ASSERT_TRUE(server) << server.error().message;
        server_ = std::move(*server);
    }

    HttpResponse answer(HttpRequest& request) {
        ++handled_;
        if (request.path == "/echo") return echo(request);
        if (request.path == "/wait") latch_.wait();
        if (request.path == "/throw") throw std::runtime_error("personal detail");
        if (request.path == "/inject") {
            auto response = HttpResponse::text(200, "x");
            response.headers.add("X-Note", request.query == "name" ? "a" : "a\r\nSet-Cookie: b=c");
            if (request.query == "name") response.headers.add("X Note\r\n", "a");
            return response;
        }
        if (request.path == "/status") return HttpResponse::text(std::stoi(request.query), "");
        if (request.path == "/large") return HttpResponse::text(200, std::string(1 << 20, 'x'));
        if (request.path == "/source") return source(request.query);
        if (request.stream != nullptr) return upload(request);
        return HttpResponse::text(200, "hello");
    }

    static HttpResponse echo(const HttpRequest& request) {
        std::string text = request.method + "|" + request.path + "|" + request.query + "|" +
                           request.remote_address + "|" + request.body;
        return HttpResponse::text(200, text);
    }

    /// Pieces of 100,000 bytes; "known" announces the size, "short" announces too much, "long" too
    /// little, "error" fails in the middle.
    static HttpResponse source(const std::string& kind) {
        auto response = HttpResponse::text(200, "");
        auto left = std::make_shared<int>(5);
        response.source = [left, kind](std::span<std::uint8_t> out) -> Result<std::size_t> {
            if (kind == "error" && *left == 2) return fail(ErrorCode::kIo, "The disk is gone.");
            if (kind == "throw" && *left == 2) throw std::runtime_error("gone");
            if (*left == 0) return std::size_t{0};
            --*left;
            std::fill(out.begin(), out.begin() + 50'000, static_cast<std::uint8_t>('s'));
            return std::size_t{50'000};
        };
        if (kind == "known" || kind == "error-known") response.source_size = 250'000;
        if (kind == "short") response.source_size = 250'001;
        if (kind == "long") response.source_size = 249'999;
        return response;
    }

    HttpResponse upload(HttpRequest& request) {
        if (request.path == "/upload/unread") return HttpResponse::text(403, "not wanted");
        if (request.path == "/upload/wait") latch_.wait();
        std::size_t size = 0;
        std::vector<std::uint8_t> piece(10'000);
        for (;;) {
            const auto count = request.stream->read(piece);
            if (!count)
                return HttpResponse::problem(http_status(count.error().code), "Upload failed",
                                             count.error().message);
            if (*count == 0) break;
            size += *count;
        }
        return HttpResponse::text(200, std::to_string(size));
    }

    std::string exchange(std::string_view bytes, bool end = true) {
        RawConnection connection(server_->port());
        connection.send(bytes);
        if (end) connection.end_sending();
        return connection.receive_all();
    }

    std::unique_ptr<HttpServer> server_;
    Latch latch_;
    std::atomic<int> handled_ = 0;
};

TEST_F(HttpServerTest, AnswersWithTheHeadersOfItsOwn) {
    start();
    const std::string answer = exchange("GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n");
    EXPECT_THAT(answer, StartsWith("HTTP/1.1 200 OK\r\n"));
    EXPECT_THAT(answer, HasSubstr("\r\nContent-Length: 5\r\n"));
    EXPECT_THAT(answer, HasSubstr("\r\nConnection: close\r\n"));
    EXPECT_THAT(answer, HasSubstr("\r\nDate: "));
    EXPECT_THAT(answer, Not(HasSubstr("Server:")));
    EXPECT_THAT(answer, ::testing::EndsWith("\r\n\r\nhello"));
}

TEST_F(HttpServerTest, RequestReachesTheHandlerTakenApart) {
    start();
    EXPECT_THAT(exchange("POST /echo?a=%20&b HTTP/1.1\r\nHost: a\r\nContent-Length: 4\r\n"
                         "Connection: close\r\n\r\nbody"),
                HasSubstr("POST|/echo|a=%20&b|127.0.0.1|body"));
    EXPECT_THAT(exchange("PUT /%65cho HTTP/1.1\r\nHost: a\r\nConnection: close\r\n"
                         "Transfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n2;x=y\r\nde\r\n0\r\n\r\n"),
                HasSubstr("PUT|/echo||127.0.0.1|abcde"));
}

TEST_F(HttpServerTest, KeepsAConnectionAndAnswersPipelinedRequestsInOrder) {
    start();
    const std::string answers = exchange(
        "GET /echo?1 HTTP/1.1\r\nHost: a\r\n\r\n"
        "POST /echo?2 HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\nabc"
        "GET /echo?3 HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n"
        "GET /echo?4 HTTP/1.1\r\nHost: a\r\n\r\n");
    const auto first = answers.find("|1|");
    const auto second = answers.find("|2|");
    const auto third = answers.find("|3|");
    ASSERT_NE(third, std::string::npos) << answers;
    EXPECT_LT(first, second);
    EXPECT_LT(second, third);
    EXPECT_THAT(answers, Not(HasSubstr("|4|")));
    EXPECT_EQ(handled_, 3);
}

TEST_F(HttpServerTest, SpeaksHttp10) {
    start();
    EXPECT_THAT(exchange("GET /echo HTTP/1.0\r\n\r\n"),
                ::testing::AllOf(HasSubstr("Connection: close"), HasSubstr("GET|/echo")));
    const std::string answer = exchange("GET /source HTTP/1.0\r\n\r\n");
    EXPECT_THAT(answer, Not(HasSubstr("chunked")));
    EXPECT_EQ(answer.substr(answer.find("\r\n\r\n") + 4), std::string(250'000, 's'));
}

TEST_F(HttpServerTest, HeadHasTheLengthAndNoBody) {
    start();
    const std::string answer = exchange("HEAD / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n");
    EXPECT_THAT(answer, HasSubstr("Content-Length: 5\r\n"));
    EXPECT_THAT(answer, ::testing::EndsWith("\r\n\r\n"));
    EXPECT_THAT(
        exchange("HEAD /source?known HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n"),
        ::testing::AllOf(HasSubstr("Content-Length: 250000\r\n"), ::testing::EndsWith("\r\n\r\n")));
}

TEST_F(HttpServerTest, StatusWithoutBodyHasNoLength) {
    start();
    const std::string answer =
        exchange("GET /status?204 HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n");
    EXPECT_THAT(answer, StartsWith("HTTP/1.1 204 No Content\r\n"));
    EXPECT_THAT(answer, Not(HasSubstr("Content-Length")));
}

struct Malformed {
    std::string name;
    std::string bytes;
    std::string answer;
};

class MalformedRequestTest : public HttpServerTest,
                             public ::testing::WithParamInterface<Malformed> {};

TEST_P(MalformedRequestTest, IsAnsweredByTheServerAndNeverHandled) {
    start();
    const std::string answer = exchange(GetParam().bytes);
    EXPECT_THAT(answer, StartsWith("HTTP/1.1 " + GetParam().answer.substr(0, 3)));
    EXPECT_THAT(answer, HasSubstr(GetParam().answer.substr(3)));
    EXPECT_THAT(answer, HasSubstr("Content-Type: application/problem+json\r\n"));
    EXPECT_THAT(answer, HasSubstr("Connection: close\r\n"));
    EXPECT_THAT(answer, Not(HasSubstr("<")));
    EXPECT_EQ(handled_, 0);
    EXPECT_THAT(exchange("GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n"),
                HasSubstr("hello"));
}

std::string with_target(const std::string& target) {
    return "GET " + target + " HTTP/1.1\r\nHost: a\r\n\r\n";
}
std::string with_fields(const std::string& fields, const std::string& body = "") {
    return "POST /echo HTTP/1.1\r\nHost: a\r\n" + fields + "\r\n" + body;
}

INSTANTIATE_TEST_SUITE_P(
    HttpServerTest, MalformedRequestTest,
    ::testing::Values(
        Malformed{"NotHttp", "hello\r\n\r\n", "400"},
        Malformed{"BinaryNoise", std::string("\x16\x03\x01\x00\xa5\x01\x00\r\n\r\n", 11), "400"},
        Malformed{"NoMethod", " / HTTP/1.1\r\nHost: a\r\n\r\n", "400"},
        Malformed{"MethodWithBrackets", "G(T / HTTP/1.1\r\nHost: a\r\n\r\n", "400"},
        Malformed{"NoTarget", "GET HTTP/1.1\r\nHost: a\r\n\r\n", "400"},
        Malformed{"NoVersion", "GET /\r\nHost: a\r\n\r\n", "400"},
        Malformed{"WrongProtocol", "GET / FTP/1.1\r\nHost: a\r\n\r\n", "400"},
        Malformed{"Http2Preface", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", "400version"},
        Malformed{"AbsoluteTarget", with_target("http://a/"), "400slash"},
        Malformed{"Asterisk", "OPTIONS * HTTP/1.1\r\nHost: a\r\n\r\n", "400slash"},
        Malformed{"Authority", "CONNECT a:80 HTTP/1.1\r\nHost: a\r\n\r\n", "400slash"},
        Malformed{"BadEscape", with_target("/%zz"), "400percent"},
        Malformed{"CutEscape", with_target("/a%2"), "400percent"},
        Malformed{"EscapedNul", with_target("/%00"), "400control"},
        Malformed{"EscapedLineEnd", with_target("/%0d%0a"), "400control"},
        Malformed{"EscapedSlash", with_target("/a%2fb"), "400slash"},
        Malformed{"BadUtf8", with_target("/%ff"), "400UTF-8"},
        Malformed{"OverlongUtf8", with_target("/%c0%af"), "400UTF-8"},
        Malformed{"DotDot", with_target("/a/../b"), "400dot"},
        Malformed{"EscapedDotDot", with_target("/%2e%2E"), "400dot"},
        Malformed{"SingleDot", with_target("/./a"), "400dot"},
        Malformed{"Fragment", with_target("/a#b"), "400fragment"},
        Malformed{"TargetTooLong", with_target("/" + std::string(kMaxTargetBytes, 'a')), "414"},
        Malformed{"TargetLongerThanAHeader", with_target("/" + std::string(40'000, 'a')), "414"},
        Malformed{"NoHost", "GET / HTTP/1.1\r\n\r\n", "400Host"},
        Malformed{"TwoHosts", "GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n", "400Host"},
        Malformed{"HeaderTooLong", with_fields("X: " + std::string(kMaxHeaderBytes, 'a') + "\r\n"),
                  "431"},
        Malformed{"TooManyHeaders",
                  [] {
                      std::string fields;
                      for (int i = 0; i < 3000; ++i) fields += "X" + std::to_string(i) + ": a\r\n";
                      return with_fields(fields);
                  }(),
                  "431"},
        Malformed{"HeaderWithoutColon", with_fields("nonsense\r\n"), "400"},
        Malformed{"HeaderNameWithSpace", with_fields("X Y: a\r\n"), "400"},
        Malformed{"HeaderWithNul", with_fields(std::string("X: a\0b\r\n", 8)), "400"},
        Malformed{"LengthNotANumber", with_fields("Content-Length: ten\r\n"), "400Content-Length"},
        Malformed{"LengthNegative", with_fields("Content-Length: -1\r\n"), "400Content-Length"},
        Malformed{"LengthOverflow", with_fields("Content-Length: 99999999999999999999999\r\n"),
                  "400Content-Length"},
        Malformed{"TwoLengths", with_fields("Content-Length: 3\r\nContent-Length: 4\r\n", "abc"),
                  "400Content-Length"},
        Malformed{"LengthAndChunked",
                  with_fields("Content-Length: 3\r\nTransfer-Encoding: chunked\r\n",
                              "3\r\nabc\r\n0\r\n\r\n"),
                  "400"},
        Malformed{"ChunkedAndLength",
                  with_fields("Transfer-Encoding: chunked\r\nContent-Length: 3\r\n",
                              "3\r\nabc\r\n0\r\n\r\n"),
                  "400"},
        Malformed{"UnknownTransferEncoding", with_fields("Transfer-Encoding: gzip\r\n", "abc"),
                  "501"},
        Malformed{"ChunkedHttp10",
                  "POST /echo HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", "400"},
        Malformed{"BodyShorterThanSaid", with_fields("Content-Length: 100\r\n", "abc"),
                  "400ended early"},
        Malformed{"HeaderCutOff", "GET / HTTP/1.1\r\nHost: a\r\n", "400ended early"},
        Malformed{"ChunkSizeNotHex", with_fields("Transfer-Encoding: chunked\r\n", "xyz\r\n"),
                  "400chunked"},
        Malformed{"ChunkWithoutLineEnd",
                  with_fields("Transfer-Encoding: chunked\r\n", "3\r\nabcd\r\n0\r\n\r\n"),
                  "400chunked"},
        Malformed{"ChunkSizeOverflow",
                  with_fields("Transfer-Encoding: chunked\r\n", "fffffffffffffffff\r\nabc\r\n"),
                  "400chunked"},
        Malformed{"ChunkedCutOff", with_fields("Transfer-Encoding: chunked\r\n", "3\r\nab"),
                  "400ended early"},
        Malformed{"UnknownExpectation", with_fields("Expect: miracles\r\n"), "417"},
        Malformed{"BodyTooLarge",
                  with_fields("Content-Length: " + std::to_string(kMaxFormBytes + 1) + "\r\n",
                              std::string(kMaxFormBytes + 1, 'x')),
                  "413"},
        Malformed{"BodyFarTooLarge", with_fields("Content-Length: 18446744073709551615\r\n"),
                  "413"},
        Malformed{"ChunkedBodyTooLarge",
                  with_fields("Transfer-Encoding: chunked\r\n",
                              "40001\r\n" + std::string(kMaxFormBytes + 1, 'x') + "\r\n0\r\n\r\n"),
                  "413"}),
    [](const auto& each) { return each.param.name; });

TEST_F(HttpServerTest, BoundsAreInclusive) {
    start();
    EXPECT_THAT(exchange(with_target("/" + std::string(kMaxTargetBytes - 1, 'a'))),
                StartsWith("HTTP/1.1 200"));
    EXPECT_THAT(exchange(with_fields("Content-Length: " + std::to_string(kMaxFormBytes) + "\r\n",
                                     std::string(kMaxFormBytes, 'x'))),
                StartsWith("HTTP/1.1 200"));
    EXPECT_THAT(exchange(with_fields("X: " + std::string(kMaxHeaderBytes - 200, 'a') +
                                     "\r\nContent-Length: 0\r\n")),
                StartsWith("HTTP/1.1 200"));
    const std::string size = std::to_string(kMaxUploadBytes);
    EXPECT_THAT(exchange("PUT /upload HTTP/1.1\r\nHost: a\r\nContent-Length: " + size + "\r\n\r\n" +
                         std::string(kMaxUploadBytes, 'x')),
                HasSubstr("\r\n\r\n" + size));
}

TEST_F(HttpServerTest, UploadBeyondTheBoundIsToldToTheHandlerAndTheClient) {
    start();
    for (const bool chunked : {false, true}) {
        RawConnection connection(server_->port());
        connection.send("PUT /upload HTTP/1.1\r\nHost: a\r\n");
        connection.send(chunked ? "Transfer-Encoding: chunked\r\n\r\n"
                                : "Content-Length: 30000000\r\n\r\n");
        const std::string piece(100'000, 'x');
        for (int i = 0; i < 300; ++i) {
            if (chunked) connection.send("186a0\r\n");
            ASSERT_TRUE(connection.send(piece)) << "The connection was reset.";
            if (chunked) connection.send("\r\n");
        }
        if (chunked) connection.send("0\r\n\r\n");
        connection.end_sending();
        const std::string answer = connection.receive_all();
        EXPECT_THAT(answer, StartsWith("HTTP/1.1 413"));
        EXPECT_THAT(answer, HasSubstr("An upload has at most"));
        EXPECT_THAT(answer, Not(HasSubstr("<reset>")));
    }
}

TEST_F(HttpServerTest, ResponseArrivesAlthoughTheUploadIsNotRead) {
    start();
    RawConnection connection(server_->port());
    connection.send("PUT /upload/unread HTTP/1.1\r\nHost: a\r\nContent-Length: 8000000\r\n\r\n");
    const std::string piece(100'000, 'x');
    for (int i = 0; i < 80; ++i) ASSERT_TRUE(connection.send(piece)) << i;
    connection.end_sending();
    const std::string answer = connection.receive_all();
    EXPECT_THAT(answer, StartsWith("HTTP/1.1 403"));
    EXPECT_THAT(answer, HasSubstr("Connection: close"));
    EXPECT_THAT(answer, ::testing::EndsWith("not wanted"));
}

TEST_F(HttpServerTest, UploadThatIsReadKeepsTheConnection) {
    start();
    const std::string answers = exchange(
        "PUT /upload HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\nabc"
        "PUT /upload HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\n\r\n"
        "GET /upload HTTP/1.1\r\nHost: a\r\n\r\n"
        "PUT /upload HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\nConnection: close\r\n\r\n"
        "2\r\nab\r\n5\r\ncdefg\r\n0\r\n\r\n");
    EXPECT_THAT(answers, HasSubstr("\r\n\r\n3HTTP/1.1 200"));
    EXPECT_THAT(answers, HasSubstr("\r\n\r\n0HTTP/1.1 200"));
    EXPECT_THAT(answers, ::testing::EndsWith("\r\n\r\n7"));
}

TEST_F(HttpServerTest, BrokenUploadIsToldToTheHandler) {
    start();
    EXPECT_THAT(exchange("PUT /upload HTTP/1.1\r\nHost: a\r\nContent-Length: 9\r\n\r\nabc"),
                HasSubstr("ended early"));
    EXPECT_THAT(exchange("PUT /upload HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\nxy"
                         "\r\n"),
                ::testing::AllOf(StartsWith("HTTP/1.1 400"), HasSubstr("chunked")));
}

TEST_F(HttpServerTest, ContinueIsSentWhenTheBodyIsWanted) {
    start();
    for (const std::string path : {"/echo", "/upload"}) {
        RawConnection connection(server_->port());
        connection.send("POST " + path +
                        " HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 4\r\n"
                        "Connection: close\r\n\r\n");
        EXPECT_EQ(connection.receive_until("\r\n\r\n"), "HTTP/1.1 100 Continue\r\n\r\n");
        connection.forget();
        connection.send("abcd");
        EXPECT_THAT(connection.receive_all(), StartsWith("HTTP/1.1 200"));
    }
    RawConnection refused(server_->port());
    refused.send(
        "POST /echo HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 999999\r\n\r\n");
    EXPECT_THAT(refused.receive_until("bytes.\"}"), StartsWith("HTTP/1.1 413"));
}

TEST_F(HttpServerTest, ItsOwnAnswersAreCompletedAndNoOthers) {
    HttpServer::Options options;
    options.complete_own_answer = [](HttpResponse& response) {
        response.headers.set("X-Completed", "yes");
    };
    start(options);
    const auto own = HasSubstr("X-Completed: yes\r\n");
    EXPECT_THAT(exchange("nonsense\r\n\r\n"), own);
    EXPECT_THAT(
        exchange("GET /" + std::string(kMaxTargetBytes, 'a') + " HTTP/1.1\r\nHost: a\r\n\r\n"),
        own);
    EXPECT_THAT(exchange(with_fields("Content-Length: 999999\r\n", "")), own);
    EXPECT_THAT(exchange("GET /throw HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n"), own);
    EXPECT_THAT(exchange("GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n"), Not(own));
}

TEST_F(HttpServerTest, StalledRequestTimesOut) {
    HttpServer::Options options;
    options.read_timeout = Duration(100);
    start(options);
    EXPECT_THAT(exchange("GET / HTTP/1.1\r\nHos", false), StartsWith("HTTP/1.1 408"));
    EXPECT_THAT(exchange(with_fields("Content-Length: 10\r\n", "abc"), false),
                StartsWith("HTTP/1.1 408"));
    EXPECT_EQ(handled_, 0);
    EXPECT_THAT(exchange("PUT /upload HTTP/1.1\r\nHost: a\r\nContent-Length: 9\r\n\r\nab", false),
                ::testing::AllOf(StartsWith("HTTP/1.1 504"), HasSubstr("stalled")));
    EXPECT_EQ(exchange("", false), "");
}

TEST_F(HttpServerTest, SlowDripOfAHeaderDoesNotOutliveTheTimeout) {
    HttpServer::Options options;
    options.read_timeout = Duration(200);
    start(options);
    RawConnection connection(server_->port());
    connection.send("GET / HTTP/1.1\r\nX: ");
    for (int i = 0; i < 500 && !connection.answered_within(20); ++i)
        ASSERT_TRUE(connection.send("a"));
    EXPECT_THAT(connection.receive_until("\r\n\r\n"), StartsWith("HTTP/1.1 408"));
}

TEST_F(HttpServerTest, IdleConnectionIsClosed) {
    HttpServer::Options options;
    options.idle_timeout = Duration(50);
    start(options);
    RawConnection connection(server_->port());
    connection.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
    const std::string answer = connection.receive_all();
    EXPECT_THAT(answer, HasSubstr("Connection: keep-alive"));
    EXPECT_THAT(answer, ::testing::EndsWith("hello"));
}

TEST_F(HttpServerTest, FullPoolAnswersAtOnce) {
    HttpServer::Options options;
    options.handler_threads = 1;
    options.handler_queue = 1;
    start(options);
    RawConnection running(server_->port());
    running.send("GET /wait HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n");
    latch_.wait_for_waiting(1);
    // Of three more one waits in the queue and two are refused, whichever they are.
    std::mutex mutex;
    std::condition_variable changed;
    std::vector<std::string> answers;
    std::vector<std::thread> clients;
    for (int i = 0; i < 3; ++i) {
        clients.emplace_back([&] {
            std::string answer =
                exchange("GET /wait HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n", false);
            const std::lock_guard lock(mutex);
            answers.push_back(std::move(answer));
            changed.notify_all();
        });
    }
    {
        std::unique_lock lock(mutex);
        changed.wait(lock, [&] { return answers.size() == 2; });
        for (const std::string& refused : answers) {
            EXPECT_THAT(refused, StartsWith("HTTP/1.1 503"));
            EXPECT_THAT(refused, HasSubstr("Retry-After: 1\r\n"));
        }
    }
    latch_.open();
    for (auto& client : clients) client.join();
    EXPECT_THAT(answers.back(), HasSubstr("hello"));
    EXPECT_THAT(running.receive_all(), HasSubstr("hello"));
}

TEST_F(HttpServerTest, UploadsNeverOccupyAllHandlers) {
    HttpServer::Options options;
    options.handler_threads = 4;
    start(options);
    std::vector<std::unique_ptr<RawConnection>> uploads;
    for (int i = 0; i < 3; ++i) {
        uploads.push_back(std::make_unique<RawConnection>(server_->port()));
        uploads.back()->send("PUT /upload/wait HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\n\r\n");
    }
    latch_.wait_for_waiting(3);
    RawConnection fourth(server_->port());
    fourth.send("PUT /upload/wait HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\n\r\na");
    fourth.end_sending();
    EXPECT_THAT(fourth.receive_all(), StartsWith("HTTP/1.1 503"));
    EXPECT_THAT(exchange("GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n"),
                HasSubstr("hello"));
    latch_.open();
    for (auto& upload : uploads) {
        upload->send("a");
        upload->end_sending();
        EXPECT_THAT(upload->receive_all(), HasSubstr("\r\n\r\n1"));
    }
    EXPECT_THAT(exchange("PUT /upload HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\n\r\na"),
                HasSubstr("\r\n\r\n1"));
}

TEST_F(HttpServerTest, ConnectionsAreBounded) {
    HttpServer::Options options;
    options.max_connections = 2;
    start(options);
    RawConnection first(server_->port());
    RawConnection second(server_->port());
    for (auto* connection : {&first, &second}) {
        connection->send("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
        EXPECT_THAT(connection->receive_until("hello"), HasSubstr("hello"));
        connection->forget();
    }
    RawConnection third(server_->port());
    EXPECT_THAT(third.receive_all(),
                ::testing::AllOf(StartsWith("HTTP/1.1 503"), HasSubstr("Retry-After")));
    first.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
    EXPECT_THAT(first.receive_until("hello"), HasSubstr("hello"));
}

TEST_F(HttpServerTest, FailingHandlerIs500WithoutItsText) {
    start();
    const std::string answer =
        exchange("GET /throw HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n");
    EXPECT_THAT(answer, StartsWith("HTTP/1.1 500"));
    EXPECT_THAT(answer, Not(HasSubstr("personal")));
}

TEST_F(HttpServerTest, ResponseHeadersCannotBeInjected) {
    start();
    for (const std::string query : {"value", "name"}) {
        const std::string answer =
            exchange("GET /inject?" + query + " HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n");
        EXPECT_THAT(answer, StartsWith("HTTP/1.1 500"));
        EXPECT_THAT(answer, Not(HasSubstr("Set-Cookie")));
    }
    EXPECT_THAT(exchange("GET /status?99 HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n"),
                StartsWith("HTTP/1.1 500"));
}

TEST_F(HttpServerTest, SourcesAreStreamed) {
    start();
    auto client = *HttpClient::create("http://127.0.0.1:" + std::to_string(server_->port()));
    for (const char* target : {"/source", "/source?known"}) {
        const auto response = client->get(target);
        ASSERT_TRUE(response) << response.error().message;
        EXPECT_EQ(response->body, std::string(250'000, 's')) << target;
    }
    EXPECT_EQ(client->get("/source?known")->headers.get("Content-Length"), "250000");
    EXPECT_EQ(client->get("/source")->headers.get("Transfer-Encoding"), "chunked");
    EXPECT_EQ(client->get("/large")->body.size(), 1U << 20);
}

TEST_F(HttpServerTest, IncompleteSourceIsSeenAsSuch) {
    start();
    auto client = *HttpClient::create("http://127.0.0.1:" + std::to_string(server_->port()));
    for (const char* target : {"/source?short", "/source?long", "/source?error", "/source?throw"})
        EXPECT_FALSE(client->get(target)) << target;
    EXPECT_THAT(exchange("GET /source?error HTTP/1.0\r\n\r\n"), HasSubstr("<reset>"));
    EXPECT_TRUE(client->get("/"));
}

TEST_F(HttpServerTest, StopLetsTheRequestUnderWayFinish) {
    start();
    RawConnection busy(server_->port());
    busy.send("GET /wait HTTP/1.1\r\nHost: a\r\n\r\n");
    latch_.wait_for_waiting(1);
    RawConnection idle(server_->port());
    idle.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
    idle.receive_until("hello");
    idle.forget();
    std::thread stopper([&] { server_->stop(kGrace); });
    EXPECT_EQ(idle.receive_all(), "");
    latch_.open();
    EXPECT_THAT(busy.receive_all(),
                ::testing::AllOf(HasSubstr("hello"), HasSubstr("Connection: close")));
    stopper.join();
    EXPECT_FALSE(RawConnection(server_->port()).connected());
}

TEST_F(HttpServerTest, StopAfterTheGraceCutsAStalledUpload) {
    start();
    RawConnection upload(server_->port());
    upload.send("PUT /upload HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\n\r\nabc");
    while (handled_ == 0) std::this_thread::yield();
    server_->stop(Duration(20));
    EXPECT_THAT(upload.receive_all(), Not(HasSubstr("<silent>")));
}

TEST_F(HttpServerTest, PortInUseIsAConflictThatNamesIt) {
    start();
    HttpServer::Options options;
    options.port = server_->port();
    const auto second = HttpServer::start(
        options, [](HttpRequest&) { return HttpResponse(); }, nullptr);
    ASSERT_FALSE(second);
    EXPECT_EQ(second.error().code, ErrorCode::kConflict);
    EXPECT_THAT(second.error().message, HasSubstr(std::to_string(server_->port())));
    options.address = "nowhere";
    EXPECT_EQ(HttpServer::start(
                  options, [](HttpRequest&) { return HttpResponse(); }, nullptr)
                  .error()
                  .code,
              ErrorCode::kInvalidArgument);
}

TEST_F(HttpServerTest, ManyClientsAtOnce) {
    HttpServer::Options options;
    options.io_threads = 2;
    start(options);
    std::atomic<int> answered = 0;
    std::vector<std::thread> clients;
    for (int i = 0; i < 16; ++i) {
        clients.emplace_back([&, i] {
            auto client =
                *HttpClient::create("http://127.0.0.1:" + std::to_string(server_->port()));
            for (int k = 0; k < 50; ++k) {
                const std::string text = std::to_string(i) + "/" + std::to_string(k);
                const auto response = client->send("POST", "/echo", text, "text/plain");
                if (response && response->body.ends_with("|" + text)) ++answered;
            }
        });
    }
    for (auto& client : clients) client.join();
    EXPECT_EQ(answered, 16 * 50);
}

}  // namespace
}  // namespace cloison::net
