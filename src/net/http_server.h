#pragma once

#include <functional>
#include <memory>
#include <string>

#include "base/time.h"
#include "net/http.h"

namespace cloison::net {

/// HTTP/1.1 server (Boost.Beast). Handlers are plain blocking functions on a bounded pool; a full
/// pool answers 503 with Retry-After at once. Malformed requests are answered by the server itself
/// (400, 413, 414, 431, 408), bodies as problem details.
class HttpServer {
  public:
    struct Options {
        std::string address = "127.0.0.1";
        std::uint16_t port = 0;  ///< 0: the system chooses; see port().
        int io_threads = 1;
        int handler_threads = 16;
        int handler_queue = 256;
        int max_connections = 1024;  ///< Beyond: accepted and closed with 503.
        Duration read_timeout{
            30'000};  ///< For a request to arrive, and between pieces of a stream.
        Duration idle_timeout{60'000};  ///< Between requests of a kept-alive connection.
        /// Adds to answers that the server gives by itself what the handler adds to its own, such
        /// as security headers. From any thread; must not throw.
        std::function<void(HttpResponse&)> complete_own_answer = nullptr;
    };
    /// Called from the pool, several at once. Must not throw.
    using Handler = std::function<HttpResponse(HttpRequest&)>;
    /// Tells, from method and path alone, whether the body is to be streamed to the handler.
    using Streams = std::function<bool(std::string_view method, std::string_view path)>;

    /// kConflict with a sentence that names the port if it is in use.
    static Result<std::unique_ptr<HttpServer>> start(Options options, Handler handler,
                                                     Streams streams);
    virtual ~HttpServer() = default;
    virtual std::uint16_t port() const = 0;
    /// Stops accepting, lets requests under way finish, at most `grace`.
    virtual void stop(Duration grace) = 0;
};

}  // namespace cloison::net
