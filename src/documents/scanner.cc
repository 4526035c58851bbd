#include "documents/scanner.h"

#include <fcntl.h>
#include <netdb.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <charconv>
#include <cstring>
#include <optional>
#include <utility>

namespace cloison::documents {
namespace {

constexpr std::size_t kMaxReply = 4096;
constexpr std::size_t kMaxPiece = 65'536;

tl::unexpected<Error> unavailable(std::string_view what) {
    return fail(ErrorCode::kUnavailable, "The virus scanner " + std::string(what) + '.');
}

struct Address {
    std::string path;  ///< Of a Unix socket; empty: TCP.
    std::string host;
    std::string port;
};

Result<Address> read_address(std::string_view text) {
    Address address;
    if (text.starts_with("unix:/")) {
        address.path = text.substr(5);
        if (address.path.size() >= sizeof(sockaddr_un::sun_path))
            return fail(ErrorCode::kInvalidArgument,
                        "The path of the virus scanner's socket is too long.");
        return address;
    }
    const auto colon = text.rfind(':');
    if (text.starts_with("tcp:") && colon > 4) {
        address.host = text.substr(4, colon - 4);
        address.port = text.substr(colon + 1);
        int port = 0;
        const char* end = address.port.data() + address.port.size();
        const auto parsed = std::from_chars(address.port.data(), end, port);
        if (parsed.ec == std::errc() && parsed.ptr == end && port > 0 && port < 65'536)
            return address;
    }
    return fail(ErrorCode::kInvalidArgument,
                "The virus scanner's address is unix:/path or tcp:host:port.");
}

/// A connected, non-blocking socket.
class Socket {
  public:
    explicit Socket(int descriptor) : descriptor_(descriptor) {}
    Socket(Socket&& other) noexcept : descriptor_(std::exchange(other.descriptor_, -1)) {}
    Socket& operator=(Socket&&) = delete;
    ~Socket() {
        if (descriptor_ >= 0) ::close(descriptor_);
    }

    static Result<Socket> connect(const Address& address, Duration timeout);

    /// kDeadline if the other end takes nothing for `timeout`.
    Status send(ByteView data, Duration timeout) {
        while (!data.empty()) {
            const auto sent = ::send(descriptor_, data.data(), data.size(), MSG_NOSIGNAL);
            if (sent > 0) {
                data = data.subspan(static_cast<std::size_t>(sent));
            } else if (sent < 0 && (errno == EAGAIN || errno == EWOULDBLOCK)) {
                CLOISON_TRY_STATUS(wait(POLLOUT, timeout));
            } else if (sent == 0 || errno != EINTR) {
                return unavailable("has closed the connection");
            }
        }
        return {};
    }
    /// Up to the next NUL or the end of the stream.
    Result<std::string> receive(Duration timeout) {
        std::string reply;
        std::array<char, 512> buffer{};
        for (;;) {
            const auto got = ::recv(descriptor_, buffer.data(), buffer.size(), 0);
            if (got > 0) {
                reply.append(buffer.data(), static_cast<std::size_t>(got));
                if (const auto end = reply.find('\0'); end != std::string::npos)
                    return reply.substr(0, end);
                if (reply.size() > kMaxReply) return unavailable("gives an endless answer");
            } else if (got < 0 && (errno == EAGAIN || errno == EWOULDBLOCK)) {
                CLOISON_TRY_STATUS(wait(POLLIN, timeout));
            } else if (got == 0) {
                if (reply.empty()) return unavailable("has closed the connection");
                return reply;
            } else if (errno != EINTR) {
                return unavailable("has closed the connection");
            }
        }
    }

  private:
    Status wait(short events, Duration timeout) const {
        pollfd waiting{descriptor_, events, 0};
        for (;;) {
            const int ready = ::poll(&waiting, 1, static_cast<int>(timeout.count()));
            if (ready > 0) return {};
            if (ready == 0)
                return fail(ErrorCode::kDeadline, "The virus scanner does not answer in time.");
            if (errno != EINTR) return unavailable("cannot be waited for");
        }
    }
    static Result<Socket> connect_to(int family, const sockaddr* address, socklen_t size,
                                     Duration timeout);

    int descriptor_;
};

Result<Socket> Socket::connect_to(int family, const sockaddr* address, socklen_t size,
                                  Duration timeout) {
    Socket socket(::socket(family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
    if (socket.descriptor_ < 0) return unavailable("cannot be reached");
    if (::connect(socket.descriptor_, address, size) == 0) return socket;
    if (errno != EINPROGRESS) return unavailable("cannot be reached");
    CLOISON_TRY_STATUS(socket.wait(POLLOUT, timeout));
    int error = 0;
    socklen_t error_size = sizeof error;
    if (::getsockopt(socket.descriptor_, SOL_SOCKET, SO_ERROR, &error, &error_size) != 0 ||
        error != 0)
        return unavailable("cannot be reached");
    return socket;
}

Result<Socket> Socket::connect(const Address& address, Duration timeout) {
    if (!address.path.empty()) {
        sockaddr_un local{};
        local.sun_family = AF_UNIX;
        std::memcpy(local.sun_path, address.path.c_str(), address.path.size() + 1);
        return connect_to(AF_UNIX, reinterpret_cast<const sockaddr*>(&local), sizeof local,
                          timeout);
    }
    addrinfo hints{};
    hints.ai_socktype = SOCK_STREAM;
    hints.ai_flags = AI_NUMERICSERV;
    addrinfo* found = nullptr;
    if (::getaddrinfo(address.host.c_str(), address.port.c_str(), &hints, &found) != 0)
        return unavailable("has a host name that is not known");
    const std::unique_ptr<addrinfo, decltype(&::freeaddrinfo)> list(found, &::freeaddrinfo);
    Result<Socket> last = unavailable("cannot be reached");
    for (const addrinfo* one = list.get(); one != nullptr; one = one->ai_next) {
        auto socket = connect_to(one->ai_family, one->ai_addr, one->ai_addrlen, timeout);
        if (socket) return socket;
        last = fail(socket.error());
    }
    return last;
}

/// "stream: OK", "stream: Name FOUND", "INSTREAM size limit exceeded. ERROR" …
Result<ScanVerdict> read_verdict(std::string_view reply) {
    while (reply.ends_with('\n')) reply.remove_suffix(1);
    if (reply == "stream: OK") return ScanVerdict{true, {}};
    constexpr std::string_view kFound = " FOUND";
    constexpr std::string_view kStream = "stream: ";
    if (reply.starts_with(kStream) && reply.ends_with(kFound) &&
        reply.size() > kStream.size() + kFound.size()) {
        reply.remove_prefix(kStream.size());
        reply.remove_suffix(kFound.size());
        return ScanVerdict{false, std::string(reply)};
    }
    if (reply.find("size limit exceeded") != std::string_view::npos)
        return fail(ErrorCode::kTooLarge, "The virus scanner refuses files of this size.");
    return unavailable("gives no verdict");
}

class ClamdScan final : public Scan {
  public:
    ClamdScan(Socket socket, const Scanner::Options& options)
        : socket_(std::move(socket)), options_(options) {}

    Status start() { return send(as_bytes(std::string_view("zINSTREAM\0", 10))); }

    Status feed(ByteView piece) override {
        while (!piece.empty()) {
            const ByteView part = piece.first(std::min(piece.size(), kMaxPiece));
            Bytes frame;
            put_u32(frame, static_cast<std::uint32_t>(part.size()));
            frame.insert(frame.end(), part.begin(), part.end());
            CLOISON_TRY_STATUS(send(frame));
            piece = piece.subspan(part.size());
        }
        return {};
    }

    Result<ScanVerdict> finish() override {
        if (early_) return *early_;
        Bytes end;
        put_u32(end, 0);
        CLOISON_TRY_STATUS(send(end));
        CLOISON_TRY(const auto reply, socket_.receive(options_.verdict_timeout));
        return read_verdict(reply);
    }

  private:
    /// A scanner that closes the connection has often said why before.
    Status send(ByteView data) {
        if (early_) return fail(early_->error());
        auto sent = socket_.send(data, options_.send_timeout);
        if (sent) return {};
        early_ = fail(sent.error());
        if (sent.error().code == ErrorCode::kUnavailable)
            if (const auto reply = socket_.receive(Duration(0)); reply)
                if (auto verdict = read_verdict(*reply); !verdict) early_ = fail(verdict.error());
        return fail(early_->error());
    }

    Socket socket_;
    Scanner::Options options_;
    std::optional<Result<ScanVerdict>> early_;  ///< An error that ended the scan.
};

class ClamdScanner final : public Scanner {
  public:
    ClamdScanner(Address address, Options options)
        : address_(std::move(address)), options_(std::move(options)) {}

    Result<std::unique_ptr<Scan>> begin() const override {
        CLOISON_TRY(auto socket, Socket::connect(address_, options_.connect_timeout));
        auto scan = std::make_unique<ClamdScan>(std::move(socket), options_);
        CLOISON_TRY_STATUS(scan->start());
        return scan;
    }

    Status ping() const override {
        CLOISON_TRY(auto socket, Socket::connect(address_, options_.connect_timeout));
        CLOISON_TRY_STATUS(
            socket.send(as_bytes(std::string_view("zPING\0", 6)), options_.send_timeout));
        CLOISON_TRY(const auto reply, socket.receive(options_.connect_timeout));
        if (reply != "PONG") return unavailable("does not answer a ping");
        return {};
    }

  private:
    Address address_;
    Options options_;
};

}  // namespace

Result<std::unique_ptr<Scanner>> Scanner::create(Options options) {
    CLOISON_TRY(auto address, read_address(options.address));
    return std::make_unique<ClamdScanner>(std::move(address), std::move(options));
}

}  // namespace cloison::documents
