#pragma once

#include <map>
#include <memory>
#include <string>

#include "base/time.h"
#include "net/http.h"

namespace cloison::net {

struct HttpClientLimits {
    Duration timeout{60'000};                           ///< For a request and its response.
    std::size_t max_response_bytes = 64 * 1024 * 1024;  ///< Beyond: kTooLarge.
    std::string ca_file{};  ///< PEM: who may vouch for an https server; empty: the system's.
};

/// A small blocking HTTP client (libcurl) that keeps cookies as a browser does for one site and
/// does not follow redirects. One thread at a time.
class HttpClient {
  public:
    /// `base` is scheme, host and port: http://127.0.0.1:8080.
    static Result<std::unique_ptr<HttpClient>> create(std::string base,
                                                      HttpClientLimits limits = {});
    virtual ~HttpClient() = default;

    struct Part {
        std::string name;
        std::string file_name;  ///< Empty: a plain field.
        std::string content_type;
        std::string content;
    };
    virtual Result<HttpResponse> get(std::string_view target) = 0;
    virtual Result<HttpResponse> post_form(std::string_view target, const Form& form) = 0;
    virtual Result<HttpResponse> post_parts(std::string_view target,
                                            const std::vector<Part>& parts) = 0;
    virtual Result<HttpResponse> send(std::string_view method, std::string_view target,
                                      std::string body, std::string_view content_type) = 0;
    virtual std::map<std::string, std::string>& cookies() = 0;
    virtual void set_header(std::string name, std::string value) = 0;  ///< On every request.
};

}  // namespace cloison::net
