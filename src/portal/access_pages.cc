#include <algorithm>

#include "portal/values.h"
#include "web/formats.h"

namespace cloison::portal {
namespace {

using web::Context, web::Json;

constexpr std::uint32_t kShown = 100;
constexpr std::size_t kMaxBrowser = 80;

/// What is inside a trace: docs/formats/sign-in-trace.md.
struct SignIn {
    Time at;
    std::string outcome;
    std::string origin;
    std::string browser;
};

Result<SignIn> read_trace(std::string_view content) {
    const auto json = Json::parse(content, nullptr, false);
    if (!json.is_object()) return fail(ErrorCode::kCorrupt, "A sign-in trace is not readable.");
    const auto text = [&](const char* name) {
        const auto found = json.find(name);
        return found != json.end() && found->is_string() ? found->get<std::string>()
                                                         : std::string();
    };
    SignIn sign_in;
    CLOISON_TRY(sign_in.at, parse_rfc3339(text("time")));
    sign_in.outcome = text("outcome");
    sign_in.origin = text("origin");
    sign_in.browser = text("user_agent");
    return sign_in;
}

/// "Firefox, Linux" out of a User-Agent header, or its beginning if it is none of those known.
std::string browser_name(const std::string& agent) {
    const auto has = [&](std::string_view part) { return agent.find(part) != std::string::npos; };
    const char* browser = has("Firefox/")                   ? "Firefox"
                          : has("Edg/")                     ? "Edge"
                          : has("OPR/")                     ? "Opera"
                          : has("Chrome/") || has("CriOS/") ? "Chrome"
                          : has("Safari/")                  ? "Safari"
                                                            : nullptr;
    const char* system = has("Android")                 ? "Android"
                         : has("iPhone") || has("iPad") ? "iOS"
                         : has("Windows")               ? "Windows"
                         : has("Mac OS X")              ? "macOS"
                         : has("Linux")                 ? "Linux"
                                                        : nullptr;
    if (browser == nullptr) {
        std::string start = agent.substr(0, kMaxBrowser);
        while (!start.empty() && !net::is_valid_utf8(start)) start.pop_back();
        return start;
    }
    return system == nullptr ? browser : std::string(browser) + ", " + system;
}

Result<std::vector<SignIn>> sign_ins_of(const Shared& shared, const Context& context) {
    identity::v1::ListSignInsRequest request;
    request.set_token(context.session->token);
    request.set_limit(kShown);
    CLOISON_TRY(const auto answer, shared.services.identity.list_sign_ins(request));
    std::vector<SealedValue> sealed;
    for (const auto& trace : answer.traces())
        sealed.push_back({"sign_in_trace", trace.record(), trace.sealed()});
    CLOISON_TRY(const auto grant, self_service_grant(shared, context, {"sign_in_trace"}));
    CLOISON_TRY(const auto contents, open_values(shared, grant, sealed));
    std::vector<SignIn> sign_ins;
    for (const std::string& content : contents) {
        CLOISON_TRY(auto sign_in, read_trace(content));
        sign_ins.push_back(std::move(sign_in));
    }
    std::stable_sort(sign_ins.begin(), sign_ins.end(),
                     [](const auto& a, const auto& b) { return a.at > b.at; });
    return sign_ins;
}

std::string outcome_words(const Context& context, const std::string& outcome) {
    if (outcome == "success") return context.text("portal.sign_ins.success");
    if (outcome == "wrong_password") return context.text("portal.sign_ins.wrong_password");
    if (outcome == "wrong_code") return context.text("portal.sign_ins.wrong_code");
    return outcome;
}

Result<net::HttpResponse> show(const Shared& shared, Context& context) {
    CLOISON_TRY(const auto sign_ins, sign_ins_of(shared, context));
    std::vector<Json> rows;
    for (const SignIn& one : sign_ins)
        rows.push_back({web::format_date_time(context.language, one.at),
                        outcome_words(context, one.outcome), one.origin,
                        browser_name(one.browser)});
    identity::v1::ListSessionsRequest request;
    request.set_token(context.session->token);
    CLOISON_TRY(const auto answer, shared.services.identity.list_sessions(request));
    Json sessions = Json::array();
    for (const auto& one : answer.sessions()) {
        const std::string began =
            web::format_date_time(context.language, from_unix_ms(one.began_ms()));
        sessions.push_back(
            {{"id", hex_encode(as_bytes(one.session()))},
             {"began", began},
             {"used", web::format_date_time(context.language, from_unix_ms(one.last_used_ms()))},
             {"current", one.current()}});
    }
    return context.page("portal/sign-ins",
                        {{"title", context.text("portal.sign_ins.title")},
                         {"wide", true},
                         {"sessions", sessions},
                         {"has_code", context.session->has_totp},
                         {"table", web::table(context.text("portal.sign_ins.table"),
                                              {context.text("portal.sign_ins.when"),
                                               context.text("portal.sign_ins.outcome"),
                                               context.text("portal.sign_ins.origin"),
                                               context.text("portal.sign_ins.browser")},
                                              rows)}});
}

Result<net::HttpResponse> end_session(const Shared& shared, Context& context) {
    CLOISON_TRY(const auto id, context.path_id<SessionId>("session"));
    identity::v1::EndSessionRequest request;
    request.set_token(context.session->token);
    request.set_session(id.bytes());
    CLOISON_TRY_STATUS(shared.services.identity.end_session(request));
    if (id == context.session->id) {
        context.end_session();
        return context.redirect_with_notice("/sign-in", "web.sign_in.signed_out");
    }
    return context.redirect_with_notice("/sign-ins", "portal.sign_ins.ended");
}

}  // namespace

void add_access_pages(Routes& routes) {
    routes.get("/sign-ins", web::Access::kResident, show);
    routes.post("/sessions/{session}/end", web::Access::kResident, end_session);
}

}  // namespace cloison::portal
