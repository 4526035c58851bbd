#include "web/security_headers.h"

#include <array>

namespace cloison::web {
namespace {

constexpr std::array<std::pair<std::string_view, std::string_view>, 10> kHeaders{{
    {"Content-Security-Policy",
     "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; font-src 'self'; "
     "connect-src 'self'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'; "
     "require-trusted-types-for 'script'"},
    {"X-Content-Type-Options", "nosniff"},
    {"X-Frame-Options", "DENY"},
    {"Referrer-Policy", "no-referrer"},
    {"Cross-Origin-Opener-Policy", "same-origin"},
    {"Cross-Origin-Embedder-Policy", "require-corp"},
    {"Cross-Origin-Resource-Policy", "same-origin"},
    {"Permissions-Policy",
     "accelerometer=(), autoplay=(), camera=(), display-capture=(), encrypted-media=(), "
     "fullscreen=(), geolocation=(), gyroscope=(), magnetometer=(), microphone=(), midi=(), "
     "payment=(), picture-in-picture=(), publickey-credentials-create=(self), "
     "publickey-credentials-get=(self), screen-wake-lock=(), sync-xhr=(), usb=(), "
     "xr-spatial-tracking=()"},
    {"Strict-Transport-Security", "max-age=63072000; includeSubDomains"},
    {"Cache-Control", "no-store"},
}};

bool is_plain(char c) {
    return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || c == '.' ||
           c == '-' || c == '_' || c == ' ';
}

}  // namespace

void add_security_headers(net::HttpResponse& response) {
    for (const auto& [name, value] : kHeaders) {
        if (!response.headers.get(name))
            response.headers.set(std::string(name), std::string(value));
    }
}

void make_download(net::HttpResponse& response, std::string_view content_type,
                   std::string_view file_name) {
    std::string fallback;
    for (const char c : file_name) fallback += is_plain(c) ? c : '_';
    response.headers.set("Content-Type", std::string(content_type));
    response.headers.set("Content-Disposition", "attachment; filename=\"" + fallback +
                                                    "\"; filename*=UTF-8''" +
                                                    net::percent_encode(file_name));
    response.headers.set("Content-Security-Policy", std::string(kDownloadPolicy));
}

}  // namespace cloison::web
