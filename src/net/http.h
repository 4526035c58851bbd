#pragma once

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/bytes.h"
#include "base/result.h"

namespace cloison::net {

/// Bounds of every request; beyond each, the stated status and nothing else happens.
inline constexpr std::size_t kMaxHeaderBytes = 16 * 1024;         // 431
inline constexpr std::size_t kMaxTargetBytes = 4 * 1024;          // 414
inline constexpr std::size_t kMaxFormBytes = 256 * 1024;          // 413
inline constexpr std::size_t kMaxFormFields = 200;                // 413
inline constexpr std::size_t kMaxUploadBytes = 22 * 1024 * 1024;  // 413, for streamed bodies

/// Header names compare without case.
class HttpHeaders {
  public:
    void add(std::string name, std::string value);
    void set(std::string name, std::string value);
    std::optional<std::string_view> get(std::string_view name) const;
    const std::vector<std::pair<std::string, std::string>>& all() const { return all_; }

  private:
    std::vector<std::pair<std::string, std::string>> all_;
};

/// A request body that is read piece by piece while it arrives. Used by one thread, the handler's.
class BodyReader {
  public:
    virtual ~BodyReader() = default;
    /// Blocks until at least one byte is there; 0 at the end. kTooLarge beyond the bound, kDeadline
    /// when the client stalls, kIo when it left.
    virtual Result<std::size_t> read(std::span<std::uint8_t> out) = 0;
};

struct HttpRequest {
    std::string method;  ///< GET, POST, HEAD …
    std::string path;   ///< Percent-decoded, begins with '/', valid UTF-8, no NUL, no dot segments.
    std::string query;  ///< Raw, without '?'.
    HttpHeaders headers;
    std::string body;                    ///< Complete, unless the route streams.
    std::unique_ptr<BodyReader> stream;  ///< Only on streaming routes.
    std::string remote_address;          ///< IPv4 or IPv6, text.

    std::optional<std::string> cookie(std::string_view name) const;
};

/// Produces a response body piece by piece: fills `out`, returns how much; 0 at the end. An error
/// cuts the connection, so that the client sees that the body is incomplete.
using BodySource = std::function<Result<std::size_t>(std::span<std::uint8_t> out)>;

struct HttpResponse {
    int status = 200;
    HttpHeaders headers;
    std::string body;
    BodySource source;                         ///< If set, sent instead of `body`.
    std::optional<std::uint64_t> source_size;  ///< Content-Length of `source`, if known.

    static HttpResponse text(int status, std::string body);
    static HttpResponse html(int status, std::string body);
    static HttpResponse json(int status, std::string body);
    static HttpResponse redirect(std::string location);  ///< 303 See Other.
    /// RFC 9457 application/problem+json; `title` and `detail` hold no personal data.
    static HttpResponse problem(int status, std::string_view title, std::string_view detail);
};

int http_status(ErrorCode code);
std::string_view http_reason(int status);

struct Cookie {
    std::string name;  ///< With its __Host- prefix: Secure, Path=/, no Domain are always set.
    std::string value;
    std::optional<int> max_age_seconds;  ///< None: until the browser closes. 0: delete.
    bool http_only = true;
    bool same_site_strict = false;  ///< Lax otherwise.
};
std::string set_cookie_header(const Cookie& cookie);

/// application/x-www-form-urlencoded and query strings, in order. kInvalidArgument for a bad
/// escape, NUL or invalid UTF-8; kTooLarge beyond kMaxFormFields.
class Form {
  public:
    static Result<Form> parse(std::string_view encoded);
    /// The first value of that name; empty if absent.
    std::string_view get(std::string_view name) const;
    bool has(std::string_view name) const;
    std::vector<std::string_view> all(std::string_view name) const;
    const std::vector<std::pair<std::string, std::string>>& fields() const { return fields_; }
    void add(std::string name, std::string value);

  private:
    std::vector<std::pair<std::string, std::string>> fields_;
};
std::string percent_encode(std::string_view text);
Result<std::string> percent_decode(std::string_view text);
bool is_valid_utf8(std::string_view text);

}  // namespace cloison::net
