#include "net/http_wire.h"

#include <algorithm>
#include <array>
#include <chrono>
#include <cstdio>

namespace cloison::net {
namespace {

tl::unexpected<Error> bad_target(std::string_view what) {
    return fail(ErrorCode::kInvalidArgument, "The address " + std::string(what) + ".");
}

bool is_token_char(char c) {
    constexpr std::string_view kSigns = "!#$%&'*+-.^_`|~";
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
           kSigns.find(c) != std::string_view::npos;
}

bool is_safe_header(std::string_view name, std::string_view value) {
    return !name.empty() && std::all_of(name.begin(), name.end(), is_token_char) &&
           std::none_of(value.begin(), value.end(), [](char c) {
               return (static_cast<unsigned char>(c) < ' ' && c != '\t') || c == 0x7f;
           });
}

bool is_servers_own(std::string_view name) {
    constexpr std::array<std::string_view, 6> kOwn{
        "Connection", "Content-Length", "Date", "Keep-Alive", "Server", "Transfer-Encoding"};
    HttpHeaders one;
    one.add(std::string(name), "");
    return std::any_of(kOwn.begin(), kOwn.end(),
                       [&](std::string_view own) { return one.get(own).has_value(); });
}

}  // namespace

Result<RequestTarget> parse_request_target(std::string_view target) {
    if (!target.starts_with('/')) return bad_target("does not begin with a slash");
    if (target.find('#') != std::string_view::npos) return bad_target("holds a fragment");
    RequestTarget parsed;
    const auto question = target.find('?');
    const std::string_view raw = target.substr(0, question);
    if (question != std::string_view::npos) parsed.query = target.substr(question + 1);
    auto path = percent_decode(raw);
    if (!path) return bad_target("has a percent sign without two hexadecimal digits");
    parsed.path = std::move(*path);
    // An escaped slash would be told apart by some readers of the path and not by others.
    if (std::count(raw.begin(), raw.end(), '/') !=
        std::count(parsed.path.begin(), parsed.path.end(), '/'))
        return bad_target("has an escaped slash");
    if (std::any_of(parsed.path.begin(), parsed.path.end(),
                    [](char c) { return static_cast<unsigned char>(c) < ' ' || c == 0x7f; }))
        return bad_target("holds a control character");
    if (!is_valid_utf8(parsed.path)) return bad_target("is not valid UTF-8");
    std::string_view rest = parsed.path;
    while (!rest.empty()) {
        rest.remove_prefix(1);
        const std::string_view segment = rest.substr(0, rest.find('/'));
        if (segment == "." || segment == "..") return bad_target("has a dot segment");
        rest.remove_prefix(segment.size());
    }
    return parsed;
}

BodyFraming body_framing(const HttpResponse& response, bool http_1_0) {
    if (response.status == 204 || response.status == 304) return BodyFraming::kNone;
    if (!response.source || response.source_size) return BodyFraming::kLength;
    return http_1_0 ? BodyFraming::kUntilClose : BodyFraming::kChunked;
}

Result<std::string> response_head(const HttpResponse& response, BodyFraming framing,
                                  bool keep_alive, Time now) {
    if (response.status < 200 || response.status > 599)
        return fail(ErrorCode::kInternal, "A response has no final status.");
    std::string head = "HTTP/1.1 " + std::to_string(response.status) + " ";
    head += http_reason(response.status);
    head += "\r\nDate: " + http_date(now) + "\r\n";
    for (const auto& [name, value] : response.headers.all()) {
        if (is_servers_own(name)) continue;
        if (!is_safe_header(name, value))
            return fail(ErrorCode::kInternal, "A response has a header that is not one line.");
        head += name + ": " + value + "\r\n";
    }
    if (framing == BodyFraming::kLength) {
        const std::uint64_t size =
            response.source ? response.source_size.value_or(0) : response.body.size();
        head += "Content-Length: " + std::to_string(size) + "\r\n";
    } else if (framing == BodyFraming::kChunked) {
        head += "Transfer-Encoding: chunked\r\n";
    }
    head += keep_alive ? "Connection: keep-alive\r\n\r\n" : "Connection: close\r\n\r\n";
    return head;
}

std::string http_date(Time time) {
    constexpr std::array<const char*, 7> kDays{"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};
    constexpr std::array<const char*, 12> kMonths{"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                                  "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
    const auto days = std::chrono::floor<std::chrono::days>(time);
    const std::chrono::year_month_day date(days);
    const std::chrono::hh_mm_ss clock(std::chrono::floor<std::chrono::seconds>(time - days));
    std::array<char, 64> text{};
    std::snprintf(text.data(), text.size(), "%s, %02u %s %04d %02d:%02d:%02d GMT",
                  kDays[std::chrono::weekday(days).c_encoding()], static_cast<unsigned>(date.day()),
                  kMonths[static_cast<unsigned>(date.month()) - 1], static_cast<int>(date.year()),
                  static_cast<int>(clock.hours().count()),
                  static_cast<int>(clock.minutes().count()),
                  static_cast<int>(clock.seconds().count()));
    return text.data();
}

}  // namespace cloison::net
