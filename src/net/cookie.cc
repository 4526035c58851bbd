

#include "net/http.h"

namespace cloison::net {
namespace {

std::string_view trim(std::string_view text) {
    while (!text.empty() && (text.front() == ' ' || text.front() == '\t')) text.remove_prefix(1);
    while (!text.empty() && (text.back() == ' ' || text.back() == '\t')) text.remove_suffix(1);
    return text;
}

/// cookie-octet of RFC 6265 §4.1.1.
bool is_cookie_octet(char c) {
    return c > ' ' && c < 0x7f && c != '"' && c != ',' && c != ';' && c != '\\';
}

std::string cookie_value(std::string_view value) {
    std::string out;
    for (const char c : value)
        out += is_cookie_octet(c) ? std::string(1, c) : percent_encode({&c, 1});
    return out;
}

}  // namespace

std::optional<std::string> HttpRequest::cookie(std::string_view name) const {
    for (const auto& [key, line] : headers.all()) {
        HttpHeaders one;
        one.add(key, "");
        if (!one.get("Cookie")) continue;
        std::string_view rest = line;
        while (!rest.empty()) {
            const auto end = rest.find(';');
            const std::string_view pair = trim(rest.substr(0, end));
            rest = end == std::string_view::npos ? std::string_view() : rest.substr(end + 1);
            const auto equals = pair.find('=');
            if (equals != std::string_view::npos && trim(pair.substr(0, equals)) == name)
                return std::string(trim(pair.substr(equals + 1)));
        }
    }
    return std::nullopt;
}

std::string set_cookie_header(const Cookie& cookie) {
    std::string header = cookie.name + "=" + cookie_value(cookie.value) + "; Path=/; Secure";
    if (cookie.http_only) header += "; HttpOnly";
    header += cookie.same_site_strict ? "; SameSite=Strict" : "; SameSite=Lax";
    if (cookie.max_age_seconds) header += "; Max-Age=" + std::to_string(*cookie.max_age_seconds);
    return header;
}

}  // namespace cloison::net
