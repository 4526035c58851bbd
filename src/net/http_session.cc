#include "net/http_session.h"

#include <algorithm>
#include <array>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/write.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/http.hpp>
#include <charconv>
#include <future>

#include "base/log.h"
#include "net/http_wire.h"

namespace cloison::net {
namespace {

namespace asio = boost::asio;
namespace http = boost::beast::http;
using boost::asio::ip::tcp;
using SystemError = boost::system::error_code;

constexpr std::size_t kReadBuffer = kMaxHeaderBytes + 64 * 1024;
constexpr std::size_t kPieceSize = 64 * 1024;
constexpr std::size_t kMaxDrainBytes = 64 * 1024 * 1024;
constexpr Duration kDrainTime{60'000};
constexpr Duration kMaxStreamTime{10 * 60'000};  ///< For a streamed body to arrive whole.
constexpr Duration kPoolRetry{20};
constexpr std::string_view kContinue = "HTTP/1.1 100 Continue\r\n\r\n";

/// Declared first in HttpSession, so that it is told of the end last, when nothing of the session
/// uses the io_context any more.
class Registration {
  public:
    explicit Registration(HttpCore& core) : core_(core) {}
    ~Registration() {
        const std::lock_guard lock(core_.mutex);
        core_.sessions.erase(session_);
        core_.session_ended.notify_all();
    }
    Registration(const Registration&) = delete;
    Registration& operator=(const Registration&) = delete;

    void enter(HttpSession* session, std::weak_ptr<HttpSession> weak) {
        session_ = session;
        const std::lock_guard lock(core_.mutex);
        core_.sessions.emplace(session, std::move(weak));
    }

  private:
    HttpCore& core_;
    HttpSession* session_ = nullptr;
};

}  // namespace

/// The life of a connection: wait for a request, read its header, read its body (or let the
/// handler read it), run the handler on the pool, write the response, and again. One request at a
/// time: what a client pipelines stays in the buffer.
class HttpSession : public std::enable_shared_from_this<HttpSession> {
  public:
    HttpSession(HttpCore& core, tcp::socket socket)
        : registration_(core),
          core_(core),
          socket_(std::move(socket)),
          timer_(socket_.get_executor()),
          buffer_(kReadBuffer) {
        SystemError error;
        const auto remote = socket_.remote_endpoint(error);
        if (!error) remote_address_ = remote.address().to_string(error);
    }

    void start() {
        registration_.enter(this, weak_from_this());
        asio::post(socket_.get_executor(),
                   [self = shared_from_this()] { self->await_request(true); });
    }

    void end(bool whatever_it_does) {
        asio::post(socket_.get_executor(), [self = shared_from_this(), whatever_it_does] {
            if (self->idle_ || whatever_it_does) self->cut();
        });
    }

    /// Reads a piece of a streamed body and answers once, on the session's thread.
    using PieceDone = std::function<void(Result<std::size_t>)>;
    void read_piece(std::span<std::uint8_t> out, PieceDone done) {
        asio::post(socket_.get_executor(),
                   [self = shared_from_this(), out, done = std::move(done)]() mutable {
                       self->start_piece(out, std::move(done));
                   });
    }

  private:
    // Time limits. A limit holds until the next `limit` or `no_limit`.

    void limit(Duration time) {
        timed_out_ = false;
        const std::uint64_t current = ++limit_number_;
        timer_.expires_after(time);
        timer_.async_wait([self = shared_from_this(), current](SystemError error) {
            if (error || current != self->limit_number_) return;
            self->timed_out_ = true;
            SystemError ignored;
            self->socket_.cancel(ignored);
        });
    }

    void no_limit() {
        ++limit_number_;
        timer_.cancel();
    }

    // Requests.

    void await_request(bool first) {
        if (core_.stopping) return cut();
        parser_.emplace();
        parser_->header_limit(kMaxHeaderBytes);
        parser_->body_limit(boost::none);
        request_ = HttpRequest();
        response_ = HttpResponse();
        streamed_ = 0;
        continue_expected_ = false;
        if (buffer_.size() > 0) return read_header();
        idle_ = true;
        limit(first ? core_.options.read_timeout : core_.options.idle_timeout);
        socket_.async_read_some(buffer_.prepare(4096),
                                [self = shared_from_this()](SystemError error, std::size_t count) {
                                    self->idle_ = false;
                                    if (error) return self->cut();
                                    self->buffer_.commit(count);
                                    self->read_header();
                                });
    }

    void read_header() {
        limit(core_.options.read_timeout);
        http::async_read_header(socket_, buffer_, *parser_,
                                [self = shared_from_this()](SystemError error, std::size_t) {
                                    self->header_read(error);
                                });
    }

    void header_read(SystemError error) {
        if (error) return request_failed(error);
        if (auto refusal = take_request()) return refuse(std::move(*refusal));
        bool streams = false;
        try {
            streams = core_.streams && core_.streams(request_.method, request_.path);
        } catch (...) {
            return refuse(HttpResponse::problem(500, "Internal error", "The request failed."));
        }
        if (streams) return stream_to_handler();
        if (parser_->content_length().value_or(0) > kMaxFormBytes) return refuse(body_too_large());
        if (parser_->is_done()) return to_handler();
        if (!continue_expected_) return read_body();
        write(asio::buffer(kContinue), [](HttpSession& self) {
            self.continue_expected_ = false;
            self.read_body();
        });
    }

    /// Fills request_ from the header, or says why it is refused.
    std::optional<HttpResponse> take_request() {
        const auto& message = parser_->get();
        request_.method = std::string(as_view(message.method_string()));
        const auto bad = [](std::string_view detail) {
            return HttpResponse::problem(400, "Bad request", detail);
        };
        const std::string_view target = as_view(message.target());
        if (target.size() > kMaxTargetBytes) return target_too_long();
        auto parsed = parse_request_target(target);
        if (!parsed) return bad(parsed.error().message);
        const auto hosts = message.count(http::field::host);
        if (hosts > 1 || (hosts == 0 && message.version() == 11))
            return bad("The request needs exactly one Host header.");
        if (message.count(http::field::transfer_encoding) > 0) {
            if (message.version() == 10) return bad("HTTP/1.0 has no Transfer-Encoding.");
            if (!parser_->chunked())
                return HttpResponse::problem(501, "Not implemented",
                                             "Only the transfer encoding chunked is understood.");
        }
        if (const auto expect = message.find(http::field::expect); expect != message.end()) {
            if (!boost::beast::iequals(expect->value(), "100-continue"))
                return HttpResponse::problem(417, "Expectation failed",
                                             "Only 100-continue can be expected.");
            continue_expected_ = message.version() == 11;
        }
        request_.path = std::move(parsed->path);
        request_.query = std::move(parsed->query);
        request_.remote_address = remote_address_;
        for (const auto& field : message)
            request_.headers.add(std::string(as_view(field.name_string())),
                                 std::string(as_view(field.value())));
        return std::nullopt;
    }

    static std::string_view as_view(boost::beast::string_view text) {
        return {text.data(), text.size()};
    }
    static HttpResponse body_too_large() {
        return HttpResponse::problem(
            413, "Content too large",
            "A form has at most " + std::to_string(kMaxFormBytes) + " bytes.");
    }
    static HttpResponse target_too_long() {
        return HttpResponse::problem(
            414, "URI too long",
            "An address has at most " + std::to_string(kMaxTargetBytes) + " bytes.");
    }

    /// What the client is told when its request did not arrive whole and well-formed.
    void request_failed(SystemError error) {
        if (timed_out_)
            return refuse(HttpResponse::problem(408, "Request timeout",
                                                "The request did not arrive in time."));
        if (error == http::error::end_of_stream) return cut();
        if (error == http::error::partial_message)
            return refuse(HttpResponse::problem(400, "Bad request", "The request ended early."));
        if (error == http::error::header_limit || error == http::error::buffer_overflow) {
            if (parser_->get().target().empty()) return refuse(target_too_long());
            return refuse(HttpResponse::problem(
                431, "Request header fields too large",
                "A request header has at most " + std::to_string(kMaxHeaderBytes) + " bytes."));
        }
        static const auto& kHttpCategory =
            http::make_error_code(http::error::end_of_stream).category();
        if (error.category() == kHttpCategory)
            return refuse(HttpResponse::problem(400, "Bad request", bad_request_detail(error)));
        cut();
    }

    static std::string_view bad_request_detail(SystemError error) {
        switch (static_cast<http::error>(error.value())) {
            case http::error::bad_method:
                return "The request line has no valid method.";
            case http::error::bad_target:
                return "The request line has no valid address.";
            case http::error::bad_version:
                return "The request line has no valid HTTP version.";
            case http::error::bad_content_length:
            case http::error::multiple_content_length:
                return "The Content-Length is not valid.";
            case http::error::bad_transfer_encoding:
                return "The Transfer-Encoding is not valid.";
            case http::error::bad_chunk:
            case http::error::bad_chunk_extension:
                return "The chunked body is not valid.";
            default:
                return "The request is not valid HTTP.";
        }
    }

    void read_body() {
        auto& body = parser_->get().body();
        body.data = piece_.data();
        body.size = piece_.size();
        body.more = true;
        http::async_read_some(socket_, buffer_, *parser_,
                              [self = shared_from_this()](SystemError error, std::size_t) {
                                  self->body_read(error);
                              });
    }

    void body_read(SystemError error) {
        if (error && error != http::error::need_buffer) return request_failed(error);
        const std::size_t count = piece_.size() - parser_->get().body().size;
        if (request_.body.size() + count > kMaxFormBytes) return refuse(body_too_large());
        request_.body.append(reinterpret_cast<const char*>(piece_.data()), count);
        if (!parser_->is_done()) return read_body();
        to_handler();
    }

    // The handler, on the pool.

    void stream_to_handler();

    void to_handler() {
        no_limit();
        handler_runs_ = true;
        if (core_.pool.try_submit([self = shared_from_this()] { self->run_handler(); })) return;
        handler_runs_ = false;
        request_.stream.reset();
        leave_streaming();
        respond(core_.own(busy()));
    }

    static HttpResponse busy() {
        auto response =
            HttpResponse::problem(503, "Service unavailable", "The server is busy. Try again.");
        response.headers.set("Retry-After", "1");
        return response;
    }

    void run_handler() {
        HttpResponse response;
        try {
            response = core_.handler(request_);
        } catch (...) {
            log_error("A request handler threw an exception.");
            response =
                core_.own(HttpResponse::problem(500, "Internal error", "The request failed."));
        }
        request_.stream.reset();
        asio::post(socket_.get_executor(),
                   [self = shared_from_this(), response = std::move(response)]() mutable {
                       self->handler_runs_ = false;
                       self->leave_streaming();
                       self->respond(std::move(response));
                   });
    }

    void leave_streaming() {
        if (counted_streaming_) --core_.streaming;
        counted_streaming_ = false;
    }

    // Streamed request bodies.

    void start_piece(std::span<std::uint8_t> out, PieceDone done) {
        if (!handler_runs_)
            return done(fail(ErrorCode::kInternal, "The request is already answered."));
        if (piece_error_) return done(fail(*piece_error_));
        if (parser_->is_done()) return done(std::size_t{0});
        if (parser_->content_length().value_or(0) > kMaxUploadBytes) return piece_too_large(done);
        if (!continue_expected_) return next_piece(out, std::move(done));
        continue_expected_ = false;
        limit(core_.options.read_timeout);
        asio::async_write(socket_, asio::buffer(kContinue),
                          [self = shared_from_this(), out, done = std::move(done)](
                              SystemError error, std::size_t) mutable {
                              // The handler waits for an answer whatever happens.
                              if (error)
                                  return self->piece_failed(done, self->piece_failure(error));
                              self->next_piece(out, std::move(done));
                          });
    }

    void next_piece(std::span<std::uint8_t> out, PieceDone done) {
        auto& body = parser_->get().body();
        body.data = out.data();
        body.size = out.size();
        body.more = true;
        const auto left = std::chrono::duration_cast<Duration>(stream_deadline_ -
                                                               std::chrono::steady_clock::now());
        limit(std::clamp(left, Duration::zero(), core_.options.read_timeout));
        http::async_read_some(socket_, buffer_, *parser_,
                              [self = shared_from_this(), out, done = std::move(done)](
                                  SystemError error, std::size_t) mutable {
                                  self->piece_read(out, std::move(done), error);
                              });
    }

    void piece_read(std::span<std::uint8_t> out, PieceDone done, SystemError error) {
        if (error && error != http::error::need_buffer)
            return piece_failed(done, piece_failure(error));
        const std::size_t count = out.size() - parser_->get().body().size;
        streamed_ += count;
        if (streamed_ > kMaxUploadBytes) return piece_too_large(done);
        if (count == 0 && !parser_->is_done()) return next_piece(out, std::move(done));
        no_limit();
        done(count);
    }

    Error piece_failure(SystemError error) const {
        if (timed_out_) return {ErrorCode::kDeadline, "The upload stalled."};
        if (error == http::error::bad_chunk || error == http::error::bad_chunk_extension)
            return {ErrorCode::kInvalidArgument, "The chunked body is not valid."};
        return {ErrorCode::kIo, "The upload ended early."};
    }

    void piece_too_large(const PieceDone& done) {
        piece_failed(done, {ErrorCode::kTooLarge, "An upload has at most " +
                                                      std::to_string(kMaxUploadBytes) + " bytes."});
    }

    void piece_failed(const PieceDone& done, Error error) {
        no_limit();
        piece_error_ = error;
        done(fail(std::move(error)));
    }

    // Responses.

    void refuse(HttpResponse response) {
        no_limit();
        refused_ = true;
        respond(core_.own(std::move(response)));
    }

    void respond(HttpResponse response) {
        response_ = std::move(response);
        const bool http_1_0 = parser_->get().version() == 10;
        framing_ = body_framing(response_, http_1_0);
        // An unread rest of the body stands before the next request: this connection is done.
        unread_ = refused_ || !parser_->is_done() || piece_error_.has_value();
        keep_alive_ = !unread_ && !core_.stopping && framing_ != BodyFraming::kUntilClose &&
                      parser_->get().keep_alive();
        auto head = response_head(response_, framing_, keep_alive_, system_clock().now());
        if (!head) {
            log_error(head.error().message);
            response_ =
                core_.own(HttpResponse::problem(500, "Internal error", "The request failed."));
            framing_ = BodyFraming::kLength;
            head = response_head(response_, framing_, keep_alive_, system_clock().now());
        }
        out_ = std::move(*head);
        sent_ = 0;
        if (request_.method == "HEAD" || framing_ == BodyFraming::kNone) {
            response_.body.clear();
            response_.source = nullptr;
        }
        if (response_.source)
            return write(asio::buffer(out_), [](HttpSession& self) { self.pull(); });
        if (response_.body.size() <= kPieceSize) {
            out_ += response_.body;
            return write(asio::buffer(out_), [](HttpSession& self) { self.responded(); });
        }
        write(asio::buffer(out_), [](HttpSession& self) { self.write_body(); });
    }

    /// Large bodies go out in pieces, so that the time limit is for progress, not for the whole.
    void write_body() {
        const std::string_view rest = std::string_view(response_.body).substr(sent_);
        if (rest.empty()) return responded();
        const std::string_view piece = rest.substr(0, kPieceSize);
        sent_ += piece.size();
        write(asio::buffer(piece), [](HttpSession& self) { self.write_body(); });
    }

    /// Asks the source for the next piece, on the pool.
    void pull() {
        no_limit();
        if (core_.pool.try_submit([self = shared_from_this()] {
                Result<std::size_t> count = std::size_t{0};
                try {
                    count = self->response_.source(self->piece_);
                } catch (...) {
                    count = fail(ErrorCode::kInternal, "A body source threw an exception.");
                }
                asio::post(self->socket_.get_executor(), [self, count] { self->pulled(count); });
            }))
            return;
        // All handlers are busy: in time one will not be.
        waited_ += kPoolRetry;
        if (waited_ > core_.options.read_timeout) return reset();
        timer_.expires_after(kPoolRetry);
        timer_.async_wait([self = shared_from_this()](SystemError error) {
            if (error || !self->socket_.is_open()) return self->cut();
            self->pull();
        });
    }

    void pulled(const Result<std::size_t>& count) {
        waited_ = Duration::zero();
        if (!count || *count > piece_.size()) return reset();
        sent_ += *count;
        if (framing_ == BodyFraming::kLength) {
            const std::uint64_t promised = response_.source_size.value_or(0);
            if (sent_ > promised || (*count == 0 && sent_ < promised)) return reset();
        }
        if (*count == 0) {
            out_ = framing_ == BodyFraming::kChunked ? "0\r\n\r\n" : "";
            return write(asio::buffer(out_), [](HttpSession& self) { self.responded(); });
        }
        const auto next = [](HttpSession& self) { self.pull(); };
        const auto piece = asio::buffer(piece_.data(), *count);
        if (framing_ != BodyFraming::kChunked) return write(piece, next);
        std::array<char, 20> size{};
        const auto end = std::to_chars(size.data(), size.data() + size.size(), *count, 16).ptr;
        out_.assign(size.data(), end);
        out_ += "\r\n";
        write(std::array<asio::const_buffer, 3>{asio::buffer(out_), piece, asio::buffer("\r\n", 2)},
              next);
    }

    /// Writes all of `buffers`, then goes on with `next`; the client has read_timeout to take them.
    template <class Buffers, class Next>
    void write(const Buffers& buffers, Next next) {
        limit(core_.options.read_timeout);
        asio::async_write(socket_, buffers,
                          [self = shared_from_this(), next = std::move(next)](SystemError error,
                                                                              std::size_t) mutable {
                              if (error) return self->cut();
                              next(*self);
                          });
    }

    void responded() {
        no_limit();
        if (keep_alive_) return await_request(false);
        SystemError ignored;
        socket_.shutdown(tcp::socket::shutdown_send, ignored);
        if (!unread_) return cut();
        idle_ = true;
        limit(kDrainTime);
        drain();
    }

    /// Closing while bytes of the request are still arriving makes the system reset the
    /// connection, and a browser then shows the reset instead of the response.
    void drain() {
        socket_.async_read_some(asio::buffer(piece_),
                                [self = shared_from_this()](SystemError error, std::size_t count) {
                                    self->drained_ += count;
                                    if (error || self->drained_ > kMaxDrainBytes)
                                        return self->cut();
                                    self->drain();
                                });
    }

    void cut() {
        no_limit();
        SystemError ignored;
        socket_.close(ignored);
    }

    /// Ends the connection so that the client cannot take what it has for the whole.
    void reset() {
        SystemError ignored;
        socket_.set_option(asio::socket_base::linger(true, 0), ignored);
        cut();
    }

    Registration registration_;
    HttpCore& core_;
    tcp::socket socket_;
    asio::steady_timer timer_;
    std::uint64_t limit_number_ = 0;
    bool timed_out_ = false;
    std::string remote_address_;

    boost::beast::flat_buffer buffer_;
    std::optional<http::request_parser<http::buffer_body>> parser_;
    std::array<std::uint8_t, kPieceSize> piece_;
    HttpRequest request_;
    bool idle_ = false;
    bool continue_expected_ = false;
    bool refused_ = false;

    bool counted_streaming_ = false;
    bool handler_runs_ = false;
    std::uint64_t streamed_ = 0;
    std::chrono::steady_clock::time_point stream_deadline_;
    std::optional<Error> piece_error_;

    HttpResponse response_;
    BodyFraming framing_ = BodyFraming::kLength;
    std::string out_;
    std::uint64_t sent_ = 0;
    Duration waited_{0};  ///< For a free handler thread to ask the source.
    bool keep_alive_ = false;
    bool unread_ = false;
    std::uint64_t drained_ = 0;
};

namespace {

/// The handler's end of a streamed body: waits on the handler's thread for the session's.
class SessionBodyReader final : public BodyReader {
  public:
    explicit SessionBodyReader(std::shared_ptr<HttpSession> session)
        : session_(std::move(session)) {}

    Result<std::size_t> read(std::span<std::uint8_t> out) override {
        if (out.empty()) return fail(ErrorCode::kInvalidArgument, "There is no room to read into.");
        // Shared with the session's thread, which may still be inside set_value when get returns.
        const auto answer = std::make_shared<std::promise<Result<std::size_t>>>();
        session_->read_piece(
            out, [answer](Result<std::size_t> result) { answer->set_value(std::move(result)); });
        return answer->get_future().get();
    }

  private:
    std::shared_ptr<HttpSession> session_;
};

}  // namespace

void HttpSession::stream_to_handler() {
    if (core_.streaming.fetch_add(1) >= core_.max_streaming) {
        --core_.streaming;
        return refuse(busy());
    }
    counted_streaming_ = true;
    stream_deadline_ = std::chrono::steady_clock::now() + kMaxStreamTime;
    request_.stream = std::make_unique<SessionBodyReader>(shared_from_this());
    to_handler();
}

HttpCore::HttpCore(HttpServer::Options server_options, HttpServer::Handler request_handler,
                   HttpServer::Streams stream_choice)
    : options(std::move(server_options)),
      handler(std::move(request_handler)),
      streams(std::move(stream_choice)),
      max_streaming(std::max(1, options.handler_threads * 3 / 4)),
      pool(static_cast<std::size_t>(options.handler_threads),
           static_cast<std::size_t>(options.handler_queue)) {}

HttpResponse HttpCore::own(HttpResponse response) const {
    if (options.complete_own_answer) options.complete_own_answer(response);
    return response;
}

void start_http_session(HttpCore& core, asio::io_context& context, int descriptor, bool is_ipv6) {
    tcp::socket socket(context, is_ipv6 ? tcp::v6() : tcp::v4(), descriptor);
    SystemError ignored;
    socket.set_option(tcp::no_delay(true), ignored);
    std::make_shared<HttpSession>(core, std::move(socket))->start();
}

void end_http_sessions(HttpCore& core, bool all) {
    std::vector<std::shared_ptr<HttpSession>> alive;
    {
        const std::lock_guard lock(core.mutex);
        for (const auto& entry : core.sessions) {
            if (auto session = entry.second.lock()) alive.push_back(std::move(session));
        }
    }
    for (const auto& session : alive) session->end(all);
}

}  // namespace cloison::net
