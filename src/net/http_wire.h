#pragma once

#include <string>
#include <string_view>

#include "base/time.h"
#include "net/http.h"

namespace cloison::net {

/// The request target of RFC 9112 §3.2.1, origin-form, taken apart as HttpRequest promises.
struct RequestTarget {
    std::string path;
    std::string query;
};
/// kInvalidArgument for another form, a bad escape, an escaped slash, NUL or another control
/// character, invalid UTF-8 and dot segments (also escaped ones).
Result<RequestTarget> parse_request_target(std::string_view target);

/// How the end of a response body is marked.
enum class BodyFraming {
    kNone,        ///< The status has no body (204, 304).
    kLength,      ///< Content-Length.
    kChunked,     ///< Transfer-Encoding: chunked.
    kUntilClose,  ///< HTTP/1.0 and unknown size.
};
BodyFraming body_framing(const HttpResponse& response, bool http_1_0);

/// Status line and header section with the closing empty line. Framing, Connection and Date are
/// the server's: a handler's own are left out. kInternal if a header holds a character that would
/// end it.
Result<std::string> response_head(const HttpResponse& response, BodyFraming framing,
                                  bool keep_alive, Time now);

/// IMF-fixdate (RFC 9110 §5.6.7): Sun, 06 Nov 1994 08:49:37 GMT.
std::string http_date(Time time);

}  // namespace cloison::net
