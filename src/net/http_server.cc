#include "net/http_server.h"

#include <sys/socket.h>

#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <exception>
#include <future>
#include <optional>
#include <thread>

#include "base/log.h"
#include "net/http_session.h"
#include "net/http_wire.h"

namespace cloison::net {
namespace {

namespace asio = boost::asio;
using boost::asio::ip::tcp;
using SystemError = boost::system::error_code;

constexpr Duration kAcceptRetry{100};

/// One io_context and its thread; all that belongs to a connection happens on the one thread.
struct IoThread {
    asio::io_context context{1};
    asio::executor_work_guard<asio::io_context::executor_type> work{context.get_executor()};
    std::thread thread;

    void run() {
        for (;;) {
            try {
                context.run();
                return;
            } catch (const std::exception&) {
                log_error("An HTTP connection ended with an exception.");
            }
        }
    }
};

class BeastServer final : public HttpServer {
  public:
    BeastServer(Options options, Handler handler, Streams streams)
        : core_(std::move(options), std::move(handler), std::move(streams)) {
        for (int i = 0; i < core_.options.io_threads; ++i)
            io_.push_back(std::make_unique<IoThread>());
        acceptor_.emplace(io_.front()->context);
        retry_.emplace(io_.front()->context);
        busy_ = core_.own(HttpResponse::problem(503, "Service unavailable",
                                                "The server has too many connections. Try again."));
        busy_.headers.set("Retry-After", "1");
    }
    ~BeastServer() override { stop(Duration::zero()); }

    Status listen() {
        const Options& options = core_.options;
        SystemError error;
        const auto address = asio::ip::make_address(options.address, error);
        if (error) return fail(ErrorCode::kInvalidArgument, options.address + " is no IP address.");
        const tcp::endpoint endpoint(address, options.port);
        const std::string where = options.address + " port " + std::to_string(options.port);
        if (acceptor_->open(endpoint.protocol(), error))
            return fail(ErrorCode::kIo, where + ": " + error.message() + ".");
        acceptor_->set_option(asio::socket_base::reuse_address(true), error);
        if (acceptor_->bind(endpoint, error) ||
            acceptor_->listen(asio::socket_base::max_listen_connections, error)) {
            if (error == asio::error::address_in_use)
                return fail(ErrorCode::kConflict, where + " is already in use.");
            if (error == asio::error::access_denied)
                return fail(ErrorCode::kPermissionDenied, where + " may not be used.");
            return fail(ErrorCode::kIo, where + ": " + error.message() + ".");
        }
        port_ = acceptor_->local_endpoint(error).port();
        is_ipv6_ = endpoint.protocol() == tcp::v6();
        for (auto& io : io_) io->thread = std::thread([each = io.get()] { each->run(); });
        asio::post(io_.front()->context, [this] { accept(); });
        return {};
    }

    std::uint16_t port() const override { return port_; }

    void stop(Duration grace) override {
        const std::lock_guard stop_lock(stop_mutex_);
        if (stopped_) return;
        stopped_ = true;
        core_.stopping = true;
        if (io_.front()->thread.joinable()) {
            std::promise<void> closed;
            asio::post(io_.front()->context, [&] {
                SystemError ignored;
                acceptor_->close(ignored);
                retry_->cancel();
                closed.set_value();
            });
            closed.get_future().wait();
        }
        end_http_sessions(core_, false);
        std::unique_lock lock(core_.mutex);
        core_.session_ended.wait_for(lock, grace, [this] { return core_.sessions.empty(); });
        lock.unlock();
        end_http_sessions(core_, true);
        lock.lock();
        core_.session_ended.wait(lock, [this] { return core_.sessions.empty(); });
        lock.unlock();
        for (auto& io : io_) io->work.reset();
        for (auto& io : io_) {
            if (io->thread.joinable()) io->thread.join();
        }
    }

  private:
    void accept() {
        if (core_.stopping) return;
        acceptor_->async_accept([this](SystemError error, tcp::socket socket) {
            if (error == asio::error::operation_aborted || core_.stopping) return;
            if (error) return accept_later();
            take(std::move(socket));
            accept();
        });
    }

    /// Without file descriptors accepting fails at once, again and again.
    void accept_later() {
        retry_->expires_after(kAcceptRetry);
        retry_->async_wait([this](SystemError error) {
            if (!error) accept();
        });
    }

    void take(tcp::socket socket) {
        std::size_t connections = 0;
        {
            const std::lock_guard lock(core_.mutex);
            connections = core_.sessions.size();
        }
        SystemError error;
        if (connections >= static_cast<std::size_t>(core_.options.max_connections))
            return turn_away(socket);
        const int descriptor = socket.release(error);
        if (error) return;
        auto& io = *io_[next_++ % io_.size()];
        start_http_session(core_, io.context, descriptor, is_ipv6_);
    }

    /// Says so without waiting for anything: neither for the request nor for room to write.
    void turn_away(tcp::socket& socket) {
        SystemError ignored;
        socket.non_blocking(true, ignored);
        const auto head = response_head(busy_, BodyFraming::kLength, false, system_clock().now());
        if (head) socket.write_some(asio::buffer(*head + busy_.body), ignored);
        socket.shutdown(tcp::socket::shutdown_send, ignored);
    }

    HttpCore core_;
    std::vector<std::unique_ptr<IoThread>> io_;
    std::optional<tcp::acceptor> acceptor_;
    std::optional<asio::steady_timer> retry_;
    HttpResponse busy_;
    std::uint16_t port_ = 0;
    bool is_ipv6_ = false;
    std::size_t next_ = 0;
    std::mutex stop_mutex_;
    bool stopped_ = false;
};

}  // namespace

Result<std::unique_ptr<HttpServer>> HttpServer::start(Options options, Handler handler,
                                                      Streams streams) {
    if (options.io_threads < 1 || options.handler_threads < 1 || options.handler_queue < 1 ||
        options.max_connections < 1)
        return fail(ErrorCode::kInvalidArgument,
                    "An HTTP server needs at least one thread, place in the queue and connection.");
    try {
        auto server = std::make_unique<BeastServer>(std::move(options), std::move(handler),
                                                    std::move(streams));
        CLOISON_TRY_STATUS(server->listen());
        return server;
    } catch (const std::exception&) {
        return fail(ErrorCode::kIo, "The HTTP server cannot start: no threads or files are left.");
    }
}

}  // namespace cloison::net
