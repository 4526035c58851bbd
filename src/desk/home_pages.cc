#include "desk/core.h"
#include "web/formats.h"

namespace cloison::desk {
namespace {

using web::Access;
using web::Context;
using web::Json;

/// The first page of each role, and one's own sessions.
struct HomePages {
    const Core& core;

    Result<net::HttpResponse> home(Context& context) const;
    Result<net::HttpResponse> help(Context& context) const;
    Result<net::HttpResponse> privacy(Context& context) const;
    Result<net::HttpResponse> sessions(Context& context) const;
    Result<net::HttpResponse> end_session(Context& context) const;
};

Result<net::HttpResponse> HomePages::home(Context& context) const {
    using registry::Role;
    switch (context.session->role) {
        case Role::kOfficer:
            return context.redirect("/queue");
        case Role::kSupport:
            return context.redirect("/support");
        case Role::kDpo:
            return context.redirect("/incidents");
        default:
            return context.redirect("/staff");
    }
}

/// A page of words: a title and paragraphs, by the keys of their texts.
net::HttpResponse words_page(Context& context, const std::string& key,
                             std::initializer_list<const char*> paragraphs) {
    Json texts = Json::array();
    for (const char* paragraph : paragraphs) texts.push_back(context.text(key + paragraph));
    return context.page("desk/words",
                        {{"title", context.text(key + "title")}, {"paragraphs", texts}});
}

Result<net::HttpResponse> HomePages::help(Context& context) const {
    return words_page(context, "desk.help.", {"reveal", "budget", "problem"});
}

Result<net::HttpResponse> HomePages::privacy(Context& context) const {
    return words_page(context, "desk.privacy.", {"journal", "cookies"});
}

Result<net::HttpResponse> HomePages::sessions(Context& context) const {
    identity::v1::ListSessionsRequest request;
    request.set_token(context.session->token);
    CLOISON_TRY(const auto answer, core.services.identity.list_sessions(request));
    Json list = Json::array();
    for (const auto& session : answer.sessions()) {
        CLOISON_TRY(const auto id, SessionId::from_bytes(session.session()));
        list.push_back(
            {{"began", web::format_date_time(context.language, from_unix_ms(session.began_ms()))},
             {"used",
              web::format_date_time(context.language, from_unix_ms(session.last_used_ms()))},
             {"current", session.current()},
             {"action", "/sessions/" + id.hex() + "/end"},
             {"code", id.hex().substr(0, 8)}});
    }
    return context.page("desk/sessions", {{"title", context.text("desk.sessions.title")},
                                          {"sessions", std::move(list)}});
}

Result<net::HttpResponse> HomePages::end_session(Context& context) const {
    CLOISON_TRY(const auto id, context.path_id<SessionId>("session"));
    identity::v1::EndSessionRequest request;
    request.set_token(context.session->token);
    request.set_session(id.bytes());
    CLOISON_TRY_STATUS(core.services.identity.end_session(request));
    return context.redirect_with_notice("/sessions", "desk.sessions.ended");
}

}  // namespace

void add_home_pages(web::Site& site, const Core& core) {
    const auto on = route_maker<HomePages>(core);
    site.get("/", Access::kStaff, on(&HomePages::home));
    site.get("/help", Access::kPublic, on(&HomePages::help));
    site.get("/privacy", Access::kPublic, on(&HomePages::privacy));
    site.get("/sessions", Access::kStaff, on(&HomePages::sessions));
    site.post("/sessions/{session}/end", Access::kStaff, on(&HomePages::end_session));
}

}  // namespace cloison::desk
