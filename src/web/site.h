#pragma once

#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/file_system.h"
#include "base/random.h"
#include "base/time.h"
#include "identity/identity_client.h"
#include "net/http.h"
#include "net/router.h"
#include "web/assets.h"
#include "web/context.h"
#include "web/cookie_box.h"
#include "web/templates.h"
#include "web/texts.h"

namespace cloison::web {

/// Who may use a route. Every route states one; whoever does not fit gets the page of an unknown
/// path, byte for byte.
enum class Access {
    kPublic,    ///< Anybody.
    kSignedIn,  ///< Any role, also before a one-time code that is required has been set up.
    kResident,
    kProfessional,
    kOfficer,
    kSupport,
    kDpo,
    kAdministrator,
    kStaff,  ///< Officer, support, DPO or administrator.
};
bool may_enter(Access access, registry::Role role);
std::string_view access_name(Access access);  ///< "public", "signed_in", "resident" …

/// Web server logic that portal and desk share: routes with their access rule, sessions, CSRF
/// protection, security headers, languages, error pages. It holds no personal data and knows no
/// page. Routes are added before the first handle(); after that it is safe from any thread.
class Site {
  public:
    using Handler = std::function<Result<net::HttpResponse>(Context&)>;

    struct Options {
        std::string door;  ///< "portal" or "desk"; also the prefix of its name's text key.
        std::string session_cookie;                ///< "__Host-cloison", "__Host-desk"
        bool session_cookie_strict = false;        ///< SameSite=Strict; Lax otherwise.
        std::string sign_in_path = "/sign-in";     ///< Where a GET without a session is sent.
        std::string totp_path = "/one-time-code";  ///< Where staff are sent who must set one up.
        Path web_directory;                        ///< With templates/, texts/ and assets/.
    };
    struct RouteInfo {
        std::string method;
        std::string pattern;
        Access access;
        bool streams;
    };
    struct NavigationItem {
        std::string path;
        std::string text_key;
        std::string badge = {};        ///< A number that waits there; empty: none.
        std::string badge_words = {};  ///< What the number counts, for who does not see it.
    };

    /// kInvalidArgument naming the first template, text or asset that is missing or wrong.
    /// `clock`, `random` and `files` must outlive the site.
    static Result<std::unique_ptr<Site>> create(Options options, const crypto::HashKey& cookie_key,
                                                identity::IdentityClient identity,
                                                FileSystem& files, Clock& clock, Random& random);

    void get(std::string pattern, Access access, Handler handler);
    void post(std::string pattern, Access access, Handler handler);
    /// multipart/form-data, not held in memory: Context::upload. The form's csrf field must stand
    /// before the file.
    void post_stream(std::string pattern, Access access, Handler handler);
    /// What the header's navigation shows for this request.
    void navigation(std::function<std::vector<NavigationItem>(const Context&)> items);

    net::HttpResponse handle(net::HttpRequest& request);
    bool streams(std::string_view method, std::string_view path) const;
    std::vector<RouteInfo> routes() const;

    const Options& options() const { return options_; }
    const Texts& texts() const { return texts_; }
    const Templates& templates() const { return templates_; }
    const Assets& assets() const { return assets_; }
    const CookieBox& cookies() const { return cookies_; }
    Clock& clock() const { return clock_; }
    Random& random() const { return random_; }

  private:
    struct Entry {
        Access access;
        bool streams;
        Handler handler;
    };
    friend class Context;

    Site(Options options, CookieBox cookies, identity::IdentityClient identity, Texts texts,
         Templates templates, Assets assets, Clock& clock, Random& random);
    net::HttpResponse answer(Context& context);
    net::HttpResponse enter(Context& context, const Entry& entry);
    Status read_session(Context& context);
    Status read_form(Context& context, bool streams);
    Status check_same_site(const Context& context) const;
    Status check_csrf(const Context& context) const;

    Options options_;
    CookieBox cookies_;
    identity::IdentityClient identity_;
    Texts texts_;
    Templates templates_;
    Assets assets_;
    Clock& clock_;
    Random& random_;
    net::Router<Entry> router_;
    std::function<std::vector<NavigationItem>(const Context&)> navigation_;
};

}  // namespace cloison::web
