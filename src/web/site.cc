#include "web/site.h"

#include <exception>
#include <typeinfo>

#include "base/log.h"
#include "web/security_headers.h"

namespace cloison::web {
namespace {

constexpr std::string_view kAssetPrefix = "/assets/";
constexpr std::string_view kLanguageCookie = "__Host-lang";
constexpr int kLanguageCookieSeconds = 365 * 24 * 3600;
constexpr std::size_t kMaxCookie = 4096;

bool is_get(const net::HttpRequest& request) {
    return request.method == "GET" || request.method == "HEAD";
}

Language choose_language(const Context& context) {
    if (const auto asked = language_from_code(context.query.get("lang"))) return *asked;
    if (const auto cookie = context.request.cookie(kLanguageCookie)) {
        if (const auto kept = language_from_code(*cookie)) return *kept;
    }
    return language_from_header(context.request.headers.get("Accept-Language").value_or(""));
}

}  // namespace

std::string_view access_name(Access access) {
    switch (access) {
        case Access::kPublic:
            return "public";
        case Access::kSignedIn:
            return "signed_in";
        case Access::kResident:
            return "resident";
        case Access::kProfessional:
            return "professional";
        case Access::kOfficer:
            return "officer";
        case Access::kSupport:
            return "support";
        case Access::kDpo:
            return "dpo";
        case Access::kAdministrator:
            return "administrator";
        case Access::kStaff:
            return "staff";
    }
    return "";
}

bool may_enter(Access access, registry::Role role) {
    using registry::Role;
    switch (access) {
        case Access::kPublic:
        case Access::kSignedIn:
            return true;
        case Access::kResident:
            return role == Role::kResident;
        case Access::kProfessional:
            return role == Role::kProfessional;
        case Access::kOfficer:
            return role == Role::kOfficer;
        case Access::kSupport:
            return role == Role::kSupport;
        case Access::kDpo:
            return role == Role::kDpo;
        case Access::kAdministrator:
            return role == Role::kAdministrator;
        case Access::kStaff:
            return role == Role::kOfficer || role == Role::kSupport || role == Role::kDpo ||
                   role == Role::kAdministrator;
    }
    return false;
}

Result<std::unique_ptr<Site>> Site::create(Options options, const crypto::HashKey& cookie_key,
                                           identity::IdentityClient identity, FileSystem& files,
                                           Clock& clock, Random& random) {
    CLOISON_TRY(auto texts, Texts::load(files, options.web_directory / "texts"));
    for (const std::string& key :
         {options.door + ".service_name", std::string("web.error_404.text")}) {
        if (!texts.has(key))
            return fail(ErrorCode::kInvalidArgument, "Text " + key + " is missing.");
    }
    CLOISON_TRY(auto templates, Templates::load(files, options.web_directory / "templates", texts));
    CLOISON_TRY(auto assets, Assets::load(files, options.web_directory / "assets"));
    for (const char* name : {"site.css", "site.js", "mark.svg"}) {
        if (assets.url(name).empty())
            return fail(ErrorCode::kInvalidArgument, "Asset " + std::string(name) +
                                                         " is missing in " +
                                                         options.web_directory.string() + ".");
    }
    return std::unique_ptr<Site>(new Site(std::move(options), CookieBox(cookie_key, random),
                                          std::move(identity), std::move(texts),
                                          std::move(templates), std::move(assets), clock, random));
}

Site::Site(Options options, CookieBox cookies, identity::IdentityClient identity, Texts texts,
           Templates templates, Assets assets, Clock& clock, Random& random)
    : options_(std::move(options)),
      cookies_(std::move(cookies)),
      identity_(std::move(identity)),
      texts_(std::move(texts)),
      templates_(std::move(templates)),
      assets_(std::move(assets)),
      clock_(clock),
      random_(random) {}

void Site::get(std::string pattern, Access access, Handler handler) {
    router_.add("GET", std::move(pattern), {access, false, std::move(handler)});
}

void Site::post(std::string pattern, Access access, Handler handler) {
    router_.add("POST", std::move(pattern), {access, false, std::move(handler)});
}

void Site::post_stream(std::string pattern, Access access, Handler handler) {
    router_.add("POST", std::move(pattern), {access, true, std::move(handler)});
}

void Site::navigation(std::function<std::vector<NavigationItem>(const Context&)> items) {
    navigation_ = std::move(items);
}

bool Site::streams(std::string_view method, std::string_view path) const {
    const auto match = router_.find(method, path);
    return match.route != nullptr && match.route->entry.streams;
}

std::vector<Site::RouteInfo> Site::routes() const {
    std::vector<RouteInfo> routes;
    for (const auto& route : router_.routes())
        routes.push_back({route.method, route.pattern, route.entry.access, route.entry.streams});
    return routes;
}

net::HttpResponse Site::handle(net::HttpRequest& request) {
    Context context(*this, request);
    net::HttpResponse response;
    try {
        response = answer(context);
    } catch (const std::exception& exception) {
        // Not its words: a library may quote what was typed.
        log_error("A page failed with an exception of type " +
                  std::string(typeid(exception).name()));
        response = context.error({ErrorCode::kInternal, "A page failed."});
    }
    for (std::string& cookie : context.cookies_)
        response.headers.add("Set-Cookie", std::move(cookie));
    add_security_headers(response);
    return response;
}

net::HttpResponse Site::answer(Context& context) {
    const net::HttpRequest& request = context.request;
    if (is_get(request) && request.path.starts_with(kAssetPrefix)) {
        if (auto asset =
                assets_.respond(std::string_view(request.path).substr(kAssetPrefix.size())))
            return std::move(*asset);
    }
    auto query = net::Form::parse(request.query);
    if (query) context.query = std::move(*query);
    context.language = choose_language(context);
    if (!query) return context.error(query.error());
    if (is_get(request) && language_from_code(context.query.get("lang")))
        context.set_cookie({.name = std::string(kLanguageCookie),
                            .value = std::string(language_code(context.language)),
                            .max_age_seconds = kLanguageCookieSeconds});
    if (auto visit = request.cookie("__Host-visit"); visit && visit->size() == 32)
        context.visit_ = std::move(*visit);
    if (auto notice = request.cookie("__Host-notice")) context.notice_ = std::move(*notice);

    auto match = router_.find(request.method, request.path);
    const Status session = read_session(context);
    if (!session && !(match.route != nullptr && match.route->entry.access == Access::kPublic))
        return context.error(session.error());
    if (match.route == nullptr) {
        auto response = context.error_page(match.method_mismatch ? 405 : 404);
        if (match.method_mismatch) response.headers.set("Allow", match.allow);
        return response;
    }
    context.path = std::move(match.parameters);
    return enter(context, match.route->entry);
}

net::HttpResponse Site::enter(Context& context, const Entry& entry) {
    const bool get = is_get(context.request);
    if (entry.access != Access::kPublic) {
        if (!context.session) {
            if (!get || context.wants_json()) return context.error_page(401);
            return context.redirect(options_.sign_in_path +
                                    "?next=" + net::percent_encode(context.request.path));
        }
        if (!may_enter(entry.access, context.session->role)) return context.error_page(404);
        if (entry.access != Access::kSignedIn && context.session->totp_required)
            return get ? context.redirect(options_.totp_path) : context.error_page(403);
    }
    if (!get) {
        const Status form = read_form(context, entry.streams);
        if (!form) return context.error(form.error());
        const Status same_site = check_same_site(context);
        const Status csrf = check_csrf(context);
        if (!same_site || !csrf) return context.error_page(403);
    }
    auto response = entry.handler(context);
    if (response) return std::move(*response);
    const Error& error = response.error();
    if (net::http_status(error.code) >= 500)
        log_error(context.request.method + ": " + std::string(error_name(error.code)) + ": " +
                  error.message);
    const bool session_over = error.code == ErrorCode::kUnauthenticated && context.session;
    if (session_over && get && !context.wants_json()) {
        context.end_session();
        return context.redirect(options_.sign_in_path);
    }
    return context.error(error);
}

Status Site::read_session(Context& context) {
    auto token = context.request.cookie(options_.session_cookie);
    if (!token || token->empty()) return {};
    if (token->size() > kMaxCookie || !net::is_valid_utf8(*token)) {
        context.end_session();
        return {};
    }
    identity::v1::GetSessionRequest request;
    request.set_token(*token);
    request.set_door(options_.door);
    const auto answer = identity_.get_session(request);
    if (!answer) {
        if (answer.error().code != ErrorCode::kUnauthenticated &&
            answer.error().code != ErrorCode::kInvalidArgument)
            return fail(answer.error());
        context.end_session();
        return {};
    }
    Session session;
    session.token = std::move(*token);
    CLOISON_TRY(session.id, SessionId::from_bytes(answer->session()));
    CLOISON_TRY(session.actor, ActorId::from_bytes(answer->actor()));
    CLOISON_TRY(session.role, registry::role_from_name(answer->role()));
    session.has_totp = answer->has_totp();
    session.totp_required = answer->totp_required();
    session.display_name = answer->display_name();
    session.unit = answer->unit();
    session.signed_in = from_unix_ms(answer->signed_in_ms());
    context.session = std::move(session);
    return {};
}

Status Site::read_form(Context& context, bool streams) {
    const auto type = context.request.headers.get("Content-Type").value_or("");
    if (!streams) {
        if (!type.empty() && !type.starts_with("application/x-www-form-urlencoded"))
            return fail(ErrorCode::kInvalidArgument, "The body is no form.");
        CLOISON_TRY(context.form, net::Form::parse(context.request.body));
        return {};
    }
    if (context.request.stream == nullptr)
        return fail(ErrorCode::kInvalidArgument, "The request has no body.");
    Upload upload;
    CLOISON_TRY(upload.reader, net::MultipartReader::create(type, *context.request.stream));
    while (true) {
        CLOISON_TRY(auto part, upload.reader->next());
        if (!part) break;
        if (part->file_name) {
            upload.file = std::move(part);
            break;
        }
        CLOISON_TRY(auto value, upload.reader->read_field());
        context.form.add(part->name, std::move(value));
    }
    context.upload = std::move(upload);
    return {};
}

/// Sec-Fetch-Site is the browser's own word. Without it, Origin must be this host; it is "null" for
/// forms of pages with Referrer-Policy no-referrer (Fetch §3.2), where the token alone decides.
Status Site::check_same_site(const Context& context) const {
    const auto& headers = context.request.headers;
    if (const auto site = headers.get("Sec-Fetch-Site")) {
        if (*site == "same-origin" || *site == "none") return {};
        return fail(ErrorCode::kPermissionDenied, "The form was sent from another site.");
    }
    const auto origin = headers.get("Origin");
    if (!origin || *origin == "null") return {};
    const auto host = origin->find("://");
    if (host != std::string_view::npos &&
        origin->substr(host + 3) == headers.get("Host").value_or(""))
        return {};
    return fail(ErrorCode::kPermissionDenied, "The form was sent from another site.");
}

Status Site::check_csrf(const Context& context) const {
    const std::string& bound_to = context.session ? context.session->token : context.visit_;
    if (bound_to.empty() || !cookies_.csrf_matches(bound_to, context.form.get("csrf")))
        return fail(ErrorCode::kPermissionDenied, "The form's token does not fit.");
    return {};
}

}  // namespace cloison::web
