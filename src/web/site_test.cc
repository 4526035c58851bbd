#include "web/site.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <set>

#include "base/seeded_random.h"
#include "base/temporary_directory.h"
#include "web/security_headers.h"
#include "web/test_web_directory.h"

namespace cloison::web {
namespace {

using registry::Role;

/// Sessions by token: the role's name; "totp" asks for a one-time code first.
std::shared_ptr<net::RpcService> identity_of_tokens() {
    auto service = std::make_shared<net::RpcService>(
        identity::v1::GetSessionRequest::descriptor()->file()->service(0));
    service->on<identity::v1::GetSessionRequest, identity::v1::GetSessionResponse>(
        "GetSession", {"portal"},
        [](const net::Caller&, const identity::v1::GetSessionRequest& request)
            -> Result<identity::v1::GetSessionResponse> {
            identity::v1::GetSessionResponse response;
            std::string role = request.token();
            if (role == "down") return fail(ErrorCode::kUnavailable, "Identity is down.");
            if (role.ends_with("-totp")) {
                response.set_totp_required(true);
                role = role.substr(0, role.size() - 5);
            }
            if (!registry::role_from_name(role))
                return fail(ErrorCode::kUnauthenticated, "No such session.");
            response.set_session(std::string(16, 's'));
            response.set_actor(std::string(16, 'a'));
            response.set_role(role);
            return response;
        });
    return service;
}

class SiteTest : public testing::Test {
  protected:
    SiteTest() : clock_(from_unix_ms(1'776'072'600'000)), random_(7) {
        make_test_web_directory(CLOISON_SOURCE_DIR, directory_.path());
        Site::Options options;
        options.door = "portal";
        options.session_cookie = "__Host-cloison";
        options.web_directory = directory_.path();
        auto site =
            Site::create(options, crypto::HashKey::random(random_),
                         identity::IdentityClient(net::local_rpc(identity_of_tokens(), "portal")),
                         local_file_system(), clock_, random_);
        EXPECT_TRUE(site) << site.error().message;
        site_ = std::move(*site);
        const auto say = [](Context& context) -> Result<net::HttpResponse> {
            return context.page("pages/error",
                                {{"title", "Here"}, {"words", context.form.get("x")}});
        };
        site_->get("/public", Access::kPublic, say);
        site_->post("/public", Access::kPublic, say);
        for (const auto& [name, access] : kAreas) site_->get("/" + name, access, say);
        site_->post("/resident", Access::kResident, say);
        site_->get("/thing/{id}", Access::kResident,
                   [](Context& context) -> Result<net::HttpResponse> {
                       CLOISON_TRY(const auto id, context.path_id<RequestId>("id"));
                       if (id.hex()[0] == 'a')
                           return fail(ErrorCode::kNotFound, "Of another resident.");
                       return fail(ErrorCode::kNotFound, "Does not exist at all.");
                   });
        for (const auto& [name, code] : kFailures)
            site_->get("/fail/" + name, Access::kPublic,
                       [code = code](Context&) -> Result<net::HttpResponse> {
                           return fail(code, "internal words");
                       });
        site_->get("/throw", Access::kPublic, [](Context&) -> Result<net::HttpResponse> {
            throw std::runtime_error("a secret in an exception");
        });
        site_->get("/download", Access::kPublic, [](Context&) -> Result<net::HttpResponse> {
            net::HttpResponse response;
            make_download(response, "application/pdf", "carte \"d'identité\"\r\n.pdf");
            return response;
        });
    }

    net::HttpRequest request(std::string method, std::string path, std::string token = {}) {
        net::HttpRequest made;
        made.method = std::move(method);
        made.path = std::move(path);
        made.remote_address = "192.0.2.1";
        made.headers.add("Host", "portal.example");
        if (!token.empty()) made.headers.add("Cookie", "__Host-cloison=" + token);
        return made;
    }
    net::HttpResponse get(std::string path, std::string token = {}) {
        auto made = request("GET", std::move(path), std::move(token));
        return site_->handle(made);
    }
    net::HttpRequest form(std::string path, const std::string& token, const std::string& csrf) {
        auto made = request("POST", std::move(path), token);
        made.headers.add("Content-Type", "application/x-www-form-urlencoded");
        made.body = "x=%3Cb%3E&csrf=" + csrf;
        return made;
    }
    int status(net::HttpRequest made) { return site_->handle(made).status; }

    static const std::vector<std::pair<std::string, Access>> kAreas;
    static const std::vector<std::pair<std::string, ErrorCode>> kFailures;
    TemporaryDirectory directory_;
    ManualClock clock_;
    SeededRandom random_;
    std::unique_ptr<Site> site_;
};

const std::vector<std::pair<std::string, Access>> SiteTest::kAreas{
    {"signed-in", Access::kSignedIn},
    {"resident", Access::kResident},
    {"professional", Access::kProfessional},
    {"officer", Access::kOfficer},
    {"support", Access::kSupport},
    {"dpo", Access::kDpo},
    {"administrator", Access::kAdministrator},
    {"staff", Access::kStaff}};
const std::vector<std::pair<std::string, ErrorCode>> SiteTest::kFailures{
    {"argument", ErrorCode::kInvalidArgument},
    {"permission", ErrorCode::kPermissionDenied},
    {"missing", ErrorCode::kNotFound},
    {"conflict", ErrorCode::kConflict},
    {"large", ErrorCode::kTooLarge},
    {"budget", ErrorCode::kExhausted},
    {"away", ErrorCode::kUnavailable},
    {"late", ErrorCode::kDeadline},
    {"corrupt", ErrorCode::kCorrupt},
    {"io", ErrorCode::kIo},
    {"bug", ErrorCode::kInternal},
    {"session", ErrorCode::kUnauthenticated}};

TEST_F(SiteTest, AccessIsDeniedToEveryRoleThatIsNotNamed) {
    const std::map<std::string, std::set<std::string>> allowed{
        {"signed-in", {"resident", "professional", "officer", "support", "dpo", "administrator"}},
        {"resident", {"resident"}},
        {"professional", {"professional"}},
        {"officer", {"officer"}},
        {"support", {"support"}},
        {"dpo", {"dpo"}},
        {"administrator", {"administrator"}},
        {"staff", {"officer", "support", "dpo", "administrator"}}};
    for (const auto& [area, access] : kAreas) {
        for (const char* role :
             {"resident", "professional", "officer", "support", "dpo", "administrator"}) {
            const int expected = allowed.at(area).contains(role) ? 200 : 404;
            EXPECT_EQ(get("/" + area, role).status, expected) << area << " as " << role;
        }
        const auto signed_out = get("/" + area);
        EXPECT_EQ(signed_out.status, 303) << area;
        EXPECT_EQ(signed_out.headers.get("Location"),
                  "/sign-in?next=" + net::percent_encode("/" + area));
    }
}

TEST_F(SiteTest, WrongRoleLooksLikeAnUnknownPath) {
    const auto wrong = get("/dpo", "resident");
    const auto unknown = get("/nothing-here", "resident");
    EXPECT_EQ(wrong.status, 404);
    EXPECT_EQ(wrong.body, unknown.body);
    EXPECT_EQ(wrong.headers.all(), unknown.headers.all());
}

TEST_F(SiteTest, AnothersObjectLooksLikeAMissingOne) {
    const auto another = get("/thing/aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", "resident");
    const auto missing = get("/thing/bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb", "resident");
    const auto malformed = get("/thing/../../etc/passwd%00", "resident");
    const auto short_id = get("/thing/abc", "resident");
    EXPECT_EQ(another.status, 404);
    EXPECT_EQ(another.body, missing.body);
    EXPECT_EQ(another.body, short_id.body);
    EXPECT_EQ(another.body, malformed.body);
    EXPECT_EQ(another.headers.all(), missing.headers.all());
}

TEST_F(SiteTest, StaffWithoutTheRequiredCodeReachNothingElse) {
    EXPECT_EQ(get("/staff", "officer-totp").headers.get("Location"), "/one-time-code");
    EXPECT_EQ(get("/signed-in", "officer-totp").status, 200);
    EXPECT_EQ(get("/public", "officer-totp").status, 200);
    EXPECT_EQ(get("/dpo", "officer-totp").status, 404);
}

TEST_F(SiteTest, EndedSessionIsRemovedAndAServiceThatIsDownIsNot) {
    const auto ended = get("/resident", "nobody");
    EXPECT_EQ(ended.status, 303);
    ASSERT_TRUE(ended.headers.get("Set-Cookie"));
    EXPECT_THAT(
        std::string(*ended.headers.get("Set-Cookie")),
        testing::AllOf(testing::StartsWith("__Host-cloison=;"), testing::HasSubstr("Max-Age=0")));
    const auto down = get("/resident", "down");
    EXPECT_EQ(down.status, 503);
    EXPECT_FALSE(down.headers.get("Set-Cookie") &&
                 down.headers.get("Set-Cookie")->starts_with("__Host-cloison"));
    EXPECT_EQ(get("/public", "down").status, 200) << "public pages need no identity";
}

TEST_F(SiteTest, EveryResponseHasTheSecurityHeaders) {
    std::vector<net::HttpResponse> responses;
    for (const auto& [area, access] : kAreas) {
        responses.push_back(get("/" + area));
        responses.push_back(get("/" + area, "resident"));
    }
    for (const auto& [name, code] : kFailures) responses.push_back(get("/fail/" + name));
    for (const char* path : {"/public", "/nothing", "/throw", "/download", "/assets/site-test.css",
                             "/assets/none.css"})
        responses.push_back(get(path));
    auto refused = form("/public", "", "wrong");
    responses.push_back(site_->handle(refused));
    auto put = request("PUT", "/public");
    responses.push_back(site_->handle(put));
    for (const auto& response : responses) {
        const auto policy = response.headers.get("Content-Security-Policy");
        ASSERT_TRUE(policy) << response.status;
        EXPECT_EQ(policy->find("unsafe"), std::string_view::npos);
        EXPECT_THAT(std::string(*policy), testing::HasSubstr("default-src 'none'"));
        EXPECT_THAT(std::string(*policy), testing::HasSubstr("frame-ancestors 'none'"));
        EXPECT_EQ(response.headers.get("X-Content-Type-Options"), "nosniff");
        EXPECT_EQ(response.headers.get("X-Frame-Options"), "DENY");
        EXPECT_EQ(response.headers.get("Referrer-Policy"), "no-referrer");
        EXPECT_EQ(response.headers.get("Cross-Origin-Opener-Policy"), "same-origin");
        EXPECT_EQ(response.headers.get("Cross-Origin-Embedder-Policy"), "require-corp");
        EXPECT_EQ(response.headers.get("Cross-Origin-Resource-Policy"), "same-origin");
        EXPECT_THAT(std::string(response.headers.get("Permissions-Policy").value_or("")),
                    testing::HasSubstr("publickey-credentials-get=(self)"));
        EXPECT_TRUE(response.headers.get("Strict-Transport-Security"));
        EXPECT_FALSE(response.headers.get("Server"));
        ASSERT_TRUE(response.headers.get("Cache-Control"));
    }
}

TEST_F(SiteTest, PagesAreNotStoredAndAssetsAre) {
    EXPECT_EQ(get("/public").headers.get("Cache-Control"), "no-store");
    const auto asset = get(site_->assets().url("site.css"));
    EXPECT_EQ(asset.status, 200);
    EXPECT_EQ(asset.headers.get("Cache-Control"), "public, max-age=31536000, immutable");
    EXPECT_EQ(asset.headers.get("Content-Type"), "text/css; charset=utf-8");
    EXPECT_EQ(get("/assets/manifest.json").status, 404);
    EXPECT_EQ(get("/assets/../texts/fr/web.toml").status, 404);
}

TEST_F(SiteTest, FormWithoutTheRightTokenIsRefused) {
    const std::string good = site_->cookies().csrf_token("resident");
    EXPECT_EQ(status(form("/resident", "resident", good)), 200);
    EXPECT_EQ(status(form("/resident", "resident", "")), 403);
    EXPECT_EQ(status(form("/resident", "resident", site_->cookies().csrf_token("other"))), 403);
    EXPECT_EQ(status(form("/resident", "resident", good.substr(1))), 403);
    EXPECT_EQ(status(form("/resident", "", good)), 401);
    auto no_form = request("POST", "/resident", "resident");
    EXPECT_EQ(status(std::move(no_form)), 403);
}

TEST_F(SiteTest, TokenBeforeSignInIsBoundToTheVisit) {
    const auto page = get("/public");
    const auto cookie = page.headers.get("Set-Cookie");
    ASSERT_TRUE(cookie);
    ASSERT_TRUE(cookie->starts_with("__Host-visit="));
    const std::string visit(cookie->substr(13, 32));
    auto made = form("/public", "", site_->cookies().csrf_token(visit));
    EXPECT_EQ(status(std::move(made)), 403) << "without its cookie";
    made = form("/public", "", site_->cookies().csrf_token(visit));
    made.headers.add("Cookie", "__Host-visit=" + visit);
    EXPECT_EQ(status(std::move(made)), 200);
    made = form("/public", "", site_->cookies().csrf_token(""));
    EXPECT_EQ(status(std::move(made)), 403) << "bound to nothing";
}

TEST_F(SiteTest, FormFromAnotherSiteIsRefusedEvenWithAToken) {
    const std::string good = site_->cookies().csrf_token("resident");
    for (const auto& [name, value, expected] :
         std::vector<std::tuple<std::string, std::string, int>>{
             {"Sec-Fetch-Site", "cross-site", 403},
             {"Sec-Fetch-Site", "same-site", 403},
             {"Sec-Fetch-Site", "same-origin", 200},
             {"Origin", "https://evil.example", 403},
             {"Origin", "https://portal.example.evil.example", 403},
             {"Origin", "https://portal.example", 200},
             {"Origin", "null", 200}}) {
        auto made = form("/resident", "resident", good);
        made.headers.add(name, value);
        EXPECT_EQ(status(std::move(made)), expected) << name << ": " << value;
    }
}

TEST_F(SiteTest, ErrorsHaveTheRightStatusAndNoInternalWords) {
    const std::map<std::string, int> expected{
        {"argument", 400}, {"permission", 403}, {"missing", 404}, {"conflict", 409},
        {"large", 413},    {"budget", 429},     {"away", 503},    {"late", 504},
        {"corrupt", 500},  {"io", 500},         {"bug", 500},     {"session", 401}};
    for (const auto& [name, code] : kFailures) {
        const auto response = get("/fail/" + name);
        EXPECT_EQ(response.status, expected.at(name)) << name;
        EXPECT_EQ(response.body.find("internal words"), std::string::npos);
        auto json = request("GET", "/fail/" + name);
        json.headers.add("Accept", "application/json");
        const auto problem = site_->handle(json);
        EXPECT_EQ(problem.status, expected.at(name)) << name;
        EXPECT_EQ(problem.headers.get("Content-Type").value_or("").substr(0, 24),
                  "application/problem+json");
        EXPECT_EQ(problem.body.find("internal words"), std::string::npos);
    }
    EXPECT_EQ(get("/fail/away").headers.get("Retry-After"), "10");
    const auto thrown = get("/throw");
    EXPECT_EQ(thrown.status, 500);
    EXPECT_EQ(thrown.body.find("a secret"), std::string::npos);
}

TEST_F(SiteTest, UnknownMethodNamesTheOnesThatExist) {
    auto put = request("PUT", "/public");
    const auto response = site_->handle(put);
    EXPECT_EQ(response.status, 405);
    EXPECT_EQ(response.headers.get("Allow"), "GET, POST");
}

TEST_F(SiteTest, HostileTextIsShownNotRun) {
    auto made = form("/resident", "resident", site_->cookies().csrf_token("resident"));
    const auto response = site_->handle(made);
    EXPECT_NE(response.body.find("&lt;b&gt;"), std::string::npos);
    EXPECT_EQ(response.body.find("<b>"), std::string::npos);
}

TEST_F(SiteTest, MalformedQueriesAndFormsAreBadRequests) {
    auto query = request("GET", "/public");
    query.query = "x=%zz";
    EXPECT_EQ(status(std::move(query)), 400);
    auto made = form("/resident", "resident", "");
    made.body = "x=%ff";
    EXPECT_EQ(status(std::move(made)), 400);
    made = form("/resident", "resident", "");
    made.headers.set("Content-Type", "text/xml");
    EXPECT_EQ(status(std::move(made)), 400);
}

TEST_F(SiteTest, LanguageComesFromQueryThenCookieThenHeader) {
    const auto language_of = [&](net::HttpRequest made) {
        const auto response = site_->handle(made);
        return response.body.substr(response.body.find("<html lang=\"") + 12, 2);
    };
    EXPECT_EQ(language_of(request("GET", "/public")), "fr");
    auto english = request("GET", "/public");
    english.headers.add("Accept-Language", "en-GB,en;q=0.9");
    EXPECT_EQ(language_of(std::move(english)), "en");
    auto cookie = request("GET", "/public");
    cookie.headers.add("Accept-Language", "en");
    cookie.headers.add("Cookie", "__Host-lang=fr");
    EXPECT_EQ(language_of(std::move(cookie)), "fr");
    auto query = request("GET", "/public");
    query.query = "lang=en";
    query.headers.add("Cookie", "__Host-lang=fr");
    EXPECT_EQ(language_of(std::move(query)), "en");
    auto strange = request("GET", "/public");
    strange.query = "lang=../../etc";
    EXPECT_EQ(language_of(std::move(strange)), "fr");
}

TEST_F(SiteTest, RedirectsStayOnThisSite) {
    site_->get("/away", Access::kPublic, [](Context& context) -> Result<net::HttpResponse> {
        return context.redirect(context.query.get("next"));
    });
    for (const char* next : {"https%3A%2F%2Fevil.example", "%2F%2Fevil.example",
                             "%2F%5Cevil.example", "", "%2Fa%0D%0AX%3A1"}) {
        auto made = request("GET", "/away");
        made.query = std::string("next=") + next;
        EXPECT_EQ(site_->handle(made).headers.get("Location"), "/") << next;
    }
    auto made = request("GET", "/away");
    made.query = "next=%2Frequests";
    EXPECT_EQ(site_->handle(made).headers.get("Location"), "/requests");
}

TEST_F(SiteTest, DownloadsAreSavedAndSandboxed) {
    const auto response = get("/download");
    const auto disposition = response.headers.get("Content-Disposition").value_or("");
    EXPECT_TRUE(disposition.starts_with("attachment; filename=\"carte _d_identit__"));
    EXPECT_EQ(disposition.find('\r'), std::string_view::npos);
    EXPECT_EQ(response.headers.get("Content-Security-Policy"), kDownloadPolicy);
}

TEST_F(SiteTest, RoutesAreEnumerated) {
    std::set<std::string> found;
    for (const auto& route : site_->routes()) found.insert(route.method + " " + route.pattern);
    EXPECT_TRUE(found.contains("GET /thing/{id}"));
    EXPECT_TRUE(found.contains("POST /resident"));
}

TEST(SiteCreateTest, MissingAssetStopsTheStart) {
    TemporaryDirectory directory;
    make_test_web_directory(CLOISON_SOURCE_DIR, directory.path());
    std::ofstream(directory.path() / "assets/manifest.json") << R"({"site.css":"site-test.css"})";
    SeededRandom random(1);
    ManualClock clock{Time()};
    Site::Options options;
    options.door = "portal";
    options.web_directory = directory.path();
    const auto site =
        Site::create(options, crypto::HashKey::random(random),
                     identity::IdentityClient(net::local_rpc(identity_of_tokens(), "portal")),
                     local_file_system(), clock, random);
    ASSERT_FALSE(site);
    EXPECT_NE(site.error().message.find("Asset site.js is missing"), std::string::npos);
}

TEST(CookieBoxTest, OpensUnderItsNameAndInTimeOnly) {
    SeededRandom random(1);
    const CookieBox box(crypto::HashKey::random(random), random);
    const CookieBox other(crypto::HashKey::random(random), random);
    const Time now = from_unix_ms(1'000'000);
    const std::string sealed = box.seal("a", "value", now + Duration(1));
    ASSERT_TRUE(box.open("a", sealed, now));
    EXPECT_EQ(box.open("a", sealed, now)->text(), "value");
    EXPECT_FALSE(box.open("a", sealed, now + Duration(1))) << "over";
    EXPECT_FALSE(box.open("b", sealed, now)) << "another name";
    EXPECT_FALSE(other.open("a", sealed, now)) << "another key";
    EXPECT_FALSE(box.open("a", "", now));
    EXPECT_FALSE(box.open("a", "!!", now));
    for (std::size_t i = 0; i < sealed.size(); ++i) {
        std::string changed = sealed;
        changed[i] = changed[i] == 'A' ? 'B' : 'A';
        EXPECT_FALSE(box.open("a", changed, now)) << i;
    }
}

}  // namespace
}  // namespace cloison::web
