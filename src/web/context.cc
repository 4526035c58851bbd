#include "web/context.h"

#include <algorithm>
#include <array>

#include "web/site.h"

namespace cloison::web {
namespace {

constexpr std::string_view kNoticeCookie = "__Host-notice";
constexpr std::size_t kMaxUserAgent = 512;
constexpr std::size_t kSealedCookieLimit = 3500;  // Browsers refuse cookies beyond 4,096 bytes.

bool is_local_path(std::string_view path) {
    if (!path.starts_with('/') || path.starts_with("//")) return false;
    for (const char c : path) {
        if (static_cast<unsigned char>(c) <= 0x20 || c == '\\' || c == 0x7f) return false;
    }
    return true;
}

/// The address of this page in another language: the query as it was, but for `lang`.
std::string language_link(const net::Form& query, Language language) {
    std::string link = "?lang=" + std::string(language_code(language));
    for (const auto& [name, value] : query.fields()) {
        if (name != "lang")
            link += "&" + net::percent_encode(name) + "=" + net::percent_encode(value);
    }
    return link;
}

std::string hex_of_random(Random& random) {
    Bytes bytes(16);
    random.fill(bytes);
    return hex_encode(bytes);
}

}  // namespace

Context::Context(Site& site, net::HttpRequest& http_request)
    : request(http_request), language(Language::kFrench), now(site.clock().now()), site_(site) {}

std::string_view Context::path_text(std::string_view name) const {
    const auto found = path.find(name);
    return found == path.end() ? std::string_view() : std::string_view(found->second);
}

std::string Context::text(std::string_view key, const TextArguments& arguments) const {
    return site_.texts().get(language, key, arguments);
}

std::string Context::plural(std::string_view key, std::int64_t n,
                            const TextArguments& arguments) const {
    return site_.texts().plural(language, key, n, arguments);
}

const std::string& Context::label(const registry::Label& label) const {
    return label.in(language_code(language));
}

Json Context::layout(std::string_view title, bool has_errors, bool mark_current) {
    const Assets& assets = site_.assets();
    const Language other = language == Language::kFrench ? Language::kEnglish : Language::kFrench;
    Json navigation = Json::array();
    if (site_.navigation_) {
        for (const auto& item : site_.navigation_(*this)) {
            const bool current =
                mark_current && (request.path == item.path ||
                                 (item.path != "/" && request.path.starts_with(item.path + "/")));
            navigation.push_back({{"link", item.path},
                                  {"text", text(item.text_key)},
                                  {"badge", item.badge},
                                  {"badge_words", item.badge_words},
                                  {"current", current}});
        }
    }
    if (!session && visit_.empty()) {
        visit_ = hex_of_random(site_.random());
        set_cookie({.name = "__Host-visit", .value = visit_, .max_age_seconds = std::nullopt});
    }
    std::string notice;
    if (!notice_.empty()) {
        if (site_.texts().has(notice_)) notice = text(notice_);
        set_cookie({.name = std::string(kNoticeCookie), .value = "", .max_age_seconds = 0});
    }
    const std::string& door = site_.options().door;
    return {{"title", title},
            {"lang", language_code(language)},
            {"has_errors", has_errors},
            {"service", text(door + ".service_name")},
            {"home", "/"},
            {"door", door},
            {"css", assets.url("site.css")},
            {"js", assets.url("site.js")},
            {"mark", assets.url("mark.svg")},
            {"door_css", assets.url(door + ".css")},
            {"door_js", assets.url(door + ".js")},
            {"csrf", site_.cookies().csrf_token(session ? session->token : visit_)},
            {"signed_in", session.has_value()},
            {"who", session ? session->display_name : ""},
            {"navigation", navigation},
            {"has_navigation", !navigation.empty()},
            {"language_link", language_link(query, other)},
            {"language_code", language_code(other)},
            {"language_name", other == Language::kFrench ? "Français" : "English"},
            {"notice", notice}};
}

net::HttpResponse Context::page(std::string_view name, Json data, int status) {
    const auto errors = data.find("errors");
    const bool has_errors = errors != data.end() && !errors->empty();
    if (errors == data.end()) data["errors"] = Json::array();
    if (status == 0) status = has_errors ? 422 : 200;
    data["page"] = layout(data.value("title", ""), has_errors, status == 200 || status == 422);
    return net::HttpResponse::html(status, site_.templates().render(name, language, data));
}

net::HttpResponse Context::redirect(std::string_view to) {
    return net::HttpResponse::redirect(is_local_path(to) ? std::string(to) : "/");
}

net::HttpResponse Context::redirect_with_notice(std::string_view to, std::string_view text_key) {
    set_cookie({.name = std::string(kNoticeCookie),
                .value = std::string(text_key),
                .max_age_seconds = std::nullopt});
    notice_.clear();
    return redirect(to);
}

net::HttpResponse Context::error(const Error& error) {
    if (error.code == ErrorCode::kUnauthenticated && session) end_session();
    return error_page(net::http_status(error.code));
}

net::HttpResponse Context::error_page(int status) {
    constexpr std::array kKnown{400, 401, 403, 404, 405, 409, 413, 429, 500, 503};
    int known = 500;
    for (const int code : kKnown) {
        if (code == status) known = code;
    }
    if (status == 504) known = 503;
    const std::string key = "web.error_" + std::to_string(known);
    const std::string title = text(key + ".title");
    const std::string words = text(key + ".text");
    auto response = wants_json()
                        ? net::HttpResponse::problem(status, title, words)
                        : page("pages/error", {{"title", title}, {"words", words}}, status);
    if (known == 503) response.headers.set("Retry-After", "10");
    return response;
}

net::HttpResponse Context::json(int status, const Json& body) {
    return net::HttpResponse::json(status, body.dump());
}

bool Context::wants_json() const {
    const auto accept = request.headers.get("Accept");
    if (!accept) return false;
    const auto html = accept->find("text/html");
    const auto json =
        std::min(accept->find("application/json"), accept->find("application/problem+json"));
    return json < html;
}

identity::v1::Client Context::client() const {
    identity::v1::Client client;
    client.set_origin(request.remote_address);
    const auto agent = request.headers.get("User-Agent").value_or("").substr(0, kMaxUserAgent);
    // A protobuf string is UTF-8; a header need not be, and the cut may have split a character.
    if (net::is_valid_utf8(agent)) client.set_user_agent(std::string(agent));
    client.set_door(site_.options().door);
    return client;
}

void Context::start_session(std::string_view token) {
    set_cookie({.name = site_.options().session_cookie,
                .value = std::string(token),
                .max_age_seconds = std::nullopt,
                .http_only = true,
                .same_site_strict = site_.options().session_cookie_strict});
}

void Context::end_session() {
    session.reset();
    set_cookie({.name = site_.options().session_cookie,
                .value = "",
                .max_age_seconds = 0,
                .http_only = true,
                .same_site_strict = site_.options().session_cookie_strict});
}

void Context::set_cookie(const net::Cookie& cookie) {
    // The last word on a name counts.
    const std::string prefix = cookie.name + "=";
    std::erase_if(cookies_, [&](const std::string& header) { return header.starts_with(prefix); });
    cookies_.push_back(net::set_cookie_header(cookie));
}

void Context::set_sealed_cookie(std::string_view name, std::string_view value, Duration lifetime) {
    if (value.empty() || value.size() > kSealedCookieLimit / 4 * 3) {
        set_cookie({.name = std::string(name), .value = "", .max_age_seconds = 0});
        return;
    }
    set_cookie({.name = std::string(name),
                .value = site_.cookies().seal(name, value, now + lifetime),
                .max_age_seconds = static_cast<int>(lifetime.count() / 1000)});
}

std::optional<Secret> Context::sealed_cookie(std::string_view name) const {
    const auto value = request.cookie(name);
    if (!value || value->empty()) return std::nullopt;
    return site_.cookies().open(name, *value, now);
}

}  // namespace cloison::web
