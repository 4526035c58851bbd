#pragma once

#include <atomic>
#include <condition_variable>
#include <memory>
#include <mutex>
#include <unordered_map>

#include "base/thread_pool.h"
#include "net/http_server.h"

namespace boost::asio {
class io_context;
}

namespace cloison::net {

class HttpSession;

/// What the connections of one server share.
struct HttpCore {
    HttpCore(HttpServer::Options server_options, HttpServer::Handler request_handler,
             HttpServer::Streams stream_choice);

    const HttpServer::Options options;
    const HttpServer::Handler handler;
    /// An answer that no handler gave, completed.
    HttpResponse own(HttpResponse response) const;

    const HttpServer::Streams streams;
    /// Uploads occupy a handler for as long as the client takes; they never occupy all of them.
    const int max_streaming;

    std::atomic<bool> stopping = false;
    std::atomic<int> streaming = 0;

    std::mutex mutex;
    std::condition_variable session_ended;
    std::unordered_map<HttpSession*, std::weak_ptr<HttpSession>> sessions;

    ThreadPool pool;
};

/// Serves one connection until it ends. `descriptor` becomes the session's own; everything but
/// handlers runs on the one thread of `context`.
void start_http_session(HttpCore& core, boost::asio::io_context& context, int descriptor,
                        bool is_ipv6);

/// Ends sessions that wait for a request (`all`: every session, whatever it does).
void end_http_sessions(HttpCore& core, bool all);

}  // namespace cloison::net
