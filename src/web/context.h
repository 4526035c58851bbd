#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "base/id.h"
#include "base/secret.h"
#include "base/time.h"
#include "net/http.h"
#include "net/multipart.h"
#include "net/router.h"
#include "registry/registry.h"
#include "web/components.h"
#include "web/language.h"
#include "web/templates.h"

#include "cloison/identity/v1/identity.pb.h"

namespace cloison::web {

class Site;

/// Who is signed in, as identity says for the session cookie of this request.
struct Session {
    std::string token;  ///< Secret: only for calls to identity.
    SessionId id;
    ActorId actor;
    registry::Role role = registry::Role::kResident;
    bool has_totp = false;
    bool totp_required = false;
    std::string display_name;
    std::string unit;
    Time signed_in;
};

/// A multipart body whose fields before the file are already in Context::form (and CSRF-checked),
/// and whose file is being received: read it with reader->read().
struct Upload {
    std::unique_ptr<net::MultipartReader> reader;
    std::optional<net::MultipartReader::Part> file;  ///< None: the form had no file.
};

/// One request on its way through a handler. Used by one thread.
class Context {
  public:
    net::HttpRequest& request;
    net::PathParameters path;
    net::Form query;
    net::Form form;                ///< POST only; parsed and CSRF-checked before the handler runs.
    std::optional<Upload> upload;  ///< post_stream routes only.
    std::optional<Session> session;  ///< Set wherever the route's access asks for one.
    Language language;
    Time now;

    /// The id in the path. kNotFound if it is not 32 hexadecimal digits, so that a malformed id is
    /// answered with the same bytes as an unknown one.
    template <class IdType>
    Result<IdType> path_id(std::string_view name) const {
        auto id = IdType::from_hex(path_text(name));
        if (!id) return fail(ErrorCode::kNotFound, "No such object.");
        return *id;
    }
    std::string_view path_text(std::string_view name) const;  ///< Empty if there is none.

    std::string text(std::string_view key, const TextArguments& arguments = {}) const;
    std::string plural(std::string_view key, std::int64_t n,
                       const TextArguments& arguments = {}) const;
    const std::string& label(const registry::Label& label) const;

    /// A page of template `name`. `data` needs "title"; "errors" (FormErrors::summary) makes it 422
    /// unless `status` says otherwise. The layout's own data is added under "page".
    net::HttpResponse page(std::string_view name, Json data, int status = 0);
    /// 303 to a path of this site.
    net::HttpResponse redirect(std::string_view path);
    /// The same, and the next page shows the text of that key once, in a banner.
    net::HttpResponse redirect_with_notice(std::string_view path, std::string_view text_key);
    /// The page (or problem+json) for an error; what a handler's failed Result becomes.
    net::HttpResponse error(const Error& error);
    net::HttpResponse json(int status, const Json& body);
    bool wants_json() const;  ///< Accept prefers application/json to text/html.

    /// Address, browser and door, for identity.
    identity::v1::Client client() const;
    void start_session(std::string_view token);  ///< Sets the session cookie on the response.
    void end_session();                          ///< Removes it.
    void set_cookie(const net::Cookie& cookie);
    /// A cookie that only this door reads: CookieBox. Removed when `value` is empty or larger than
    /// a cookie can hold (2,625 bytes).
    void set_sealed_cookie(std::string_view name, std::string_view value, Duration lifetime);
    std::optional<Secret> sealed_cookie(std::string_view name) const;

    const Site& site() const { return site_; }

  private:
    friend class Site;
    Context(Site& site, net::HttpRequest& request);
    Json layout(std::string_view title, bool has_errors, bool mark_current);
    net::HttpResponse error_page(int status);

    Site& site_;
    std::vector<std::string> cookies_;  ///< Set-Cookie headers of the response to be.
    std::string visit_;                 ///< What CSRF tokens are bound to without a session.
    std::string notice_;                ///< Text key shown once.
};

}  // namespace cloison::web
