#pragma once

#include <gtest/gtest.h>

#include <cstring>
#include <map>
#include <mutex>

#include "base/seeded_random.h"
#include "base/temporary_directory.h"
#include "casework/casework.h"
#include "crypto/keys.h"
#include "documents/documents.h"
#include "identity/identity.h"
#include "keeper/keeper.h"
#include "portal/portal.h"
#include "web/test_web_directory.h"

namespace cloison::portal {

class Outbox : public net::MailTransport {
  public:
    Status send(const net::Mail& mail) override {
        const std::lock_guard lock(mutex_);
        mails_.push_back(mail);
        return {};
    }
    net::Mail last() const {
        const std::lock_guard lock(mutex_);
        return mails_.empty() ? net::Mail() : mails_.back();
    }

  private:
    mutable std::mutex mutex_;
    std::vector<net::Mail> mails_;
};

class TextBody : public net::BodyReader {
  public:
    /// `meanwhile` happens when all of it is on its way.
    explicit TextBody(std::string text, std::function<void()> meanwhile = {})
        : text_(std::move(text)), meanwhile_(std::move(meanwhile)) {}
    Result<std::size_t> read(std::span<std::uint8_t> out) override {
        if (at_ + out.size() >= text_.size() && meanwhile_) std::exchange(meanwhile_, {})();
        const std::size_t size = std::min(out.size(), text_.size() - at_);
        std::memcpy(out.data(), text_.data() + at_, size);
        at_ += size;
        return size;
    }

  private:
    std::string text_;
    std::function<void()> meanwhile_;
    std::size_t at_ = 0;
};

inline std::string body_of(net::HttpResponse& response) {
    if (!response.source) return response.body;
    std::string body;
    std::uint8_t piece[10'000];
    while (true) {
        const auto size = response.source(piece);
        if (!size) return "broken: " + size.error().message;
        if (*size == 0) return body;
        body.append(reinterpret_cast<const char*>(piece), *size);
    }
}

/// What a person does with one browser: cookies, forms with their token, files.
class Browser {
  public:
    explicit Browser(web::Site& site) : site_(&site) {}

    using Fields = std::vector<std::pair<std::string, std::string>>;
    net::HttpResponse get(const std::string& target) {
        auto request = make("GET", target);
        return remember(request);
    }
    net::HttpResponse post(const std::string& target, const Fields& fields) {
        const std::string token = csrf();
        auto request = make("POST", target);
        request.headers.add("Content-Type", "application/x-www-form-urlencoded");
        request.body = "csrf=" + token;
        for (const auto& [name, value] : fields)
            request.body += "&" + net::percent_encode(name) + "=" + net::percent_encode(value);
        return remember(request);
    }
    net::HttpResponse upload(const std::string& target, const std::string& file_name,
                             const std::string& content, std::function<void()> meanwhile = {}) {
        const std::string token = csrf();
        auto request = make("POST", target);
        request.headers.add("Content-Type", "multipart/form-data; boundary=limit");
        request.stream = std::make_unique<TextBody>(
            "--limit\r\nContent-Disposition: form-data; name=\"csrf\"\r\n\r\n" + token +
                "\r\n--limit\r\nContent-Disposition: form-data; name=\"file\"; filename=\"" +
                file_name + "\"\r\nContent-Type: application/octet-stream\r\n\r\n" + content +
                "\r\n--limit--\r\n",
            std::move(meanwhile));
        return remember(request);
    }

    std::map<std::string, std::string> cookies;
    std::string accept = "text/html";
    std::string language = "en";

  private:
    net::HttpRequest make(const std::string& method, const std::string& target) {
        net::HttpRequest request;
        request.method = method;
        const auto question = target.find('?');
        request.path = target.substr(0, question);
        if (question != std::string::npos) request.query = target.substr(question + 1);
        request.remote_address = "192.0.2.7";
        request.headers.add("Host", "portal.example");
        request.headers.add("Accept", accept);
        request.headers.add("Accept-Language", language);
        request.headers.add("User-Agent", "Mozilla/5.0 (X11; Linux x86_64) Firefox/140.0");
        std::string all;
        for (const auto& [name, value] : cookies)
            all += (all.empty() ? "" : "; ") + name + "=" + value;
        if (!all.empty()) request.headers.add("Cookie", all);
        return request;
    }
    std::string csrf() {
        const auto session = cookies.find("__Host-cloison");
        if (session != cookies.end()) return site_->cookies().csrf_token(session->second);
        if (!cookies.contains("__Host-visit")) get("/sign-in");
        return site_->cookies().csrf_token(cookies["__Host-visit"]);
    }
    net::HttpResponse remember(net::HttpRequest& request) {
        auto response = site_->handle(request);
        for (const auto& [name, value] : response.headers.all()) {
            if (name != "Set-Cookie") continue;
            const auto equals = value.find('=');
            const auto end = value.find(';');
            const std::string cookie = value.substr(0, equals);
            if (value.find("Max-Age=0") != std::string::npos)
                cookies.erase(cookie);
            else
                cookies[cookie] = value.substr(equals + 1, end - equals - 1);
        }
        return response;
    }
    web::Site* site_;
};

/// Portal, keeper, identity, casework and documents, as they are, in one process.
class House : public testing::Test {
  protected:
    static constexpr const char* kPassword = "correct horse battery staple";

    void SetUp() override {
        const Path source(CLOISON_SOURCE_DIR);
        auto registry = registry::Registry::load(files, source / "registry/fields.toml");
        ASSERT_TRUE(registry) << registry.error().message;
        ASSERT_TRUE(keeper::create_keeper_directory(files, at("keeper"), random));
        ASSERT_TRUE(identity::create_identity_directory(files, at("identity"), random));
        ASSERT_TRUE(casework::create_casework_directory(files, at("casework"), random));
        ASSERT_TRUE(documents::create_documents_directory(files, at("documents"), random));
        ASSERT_TRUE(crypto::create_key_file(files, at("cookie.key"), random));
        web::make_test_web_directory(source, at("web"));
        const auto identity_keys = *identity::identity_verify_keys(files, at("identity"));
        const auto casework_keys = *casework::casework_verify_keys(files, at("casework"));

        keeper::Keeper::Options keeper_options;
        keeper_options.directory = at("keeper");
        keeper = take(keeper::Keeper::open(keeper_options, *registry, identity_keys.grants, files,
                                           clock, random));
        identity::Identity::Options identity_options;
        identity_options.directory = at("identity");
        identity_options.password_cost = {8, 1};
        identity = take(identity::Identity::open(identity_options, *registry, keeper_as("identity"),
                                                 casework_keys.tickets, files, clock, random));
        auto types = casework::load_request_types(files, source / "registry/requests", *registry);
        ASSERT_TRUE(types) << types.error().message;
        casework = take(casework::Casework::open({.directory = at("casework")}, std::move(*types),
                                                 identity_keys.grants, keeper_as("casework"), files,
                                                 clock, random));
        documents =
            take(documents::Documents::open({.directory = at("documents")}, identity_keys.grants,
                                            keeper_as("documents"), files, clock));
        Portal::Options options;
        options.cookie_key_file = at("cookie.key");
        options.web_directory = at("web");
        options.request_types = source / "registry/requests";
        options.clamd = clamd;
        portal = take(Portal::create(
            options,
            Services{identity_as("portal"), keeper_as("portal"),
                     casework::CaseworkClient(net::local_rpc(casework->service(), "portal")),
                     documents::DocumentsClient(net::local_rpc(documents->service(), "portal")),
                     outbox},
            *registry, files, clock, random));
    }

    template <class T>
    static std::unique_ptr<T> take(Result<std::unique_ptr<T>> made) {
        EXPECT_TRUE(made) << made.error().message;
        return made ? std::move(*made) : nullptr;
    }
    Path at(const char* name) const { return directory.path() / name; }
    keeper::KeeperClient keeper_as(const std::string& caller) const {
        return keeper::KeeperClient(net::local_rpc(keeper->service(), caller));
    }
    identity::IdentityClient identity_as(const std::string& caller) const {
        return identity::IdentityClient(net::local_rpc(identity->service(), caller));
    }
    Browser browser() { return Browser(portal->site()); }

    /// The code in the mail that was sent last.
    std::string mailed_code() const {
        const std::string text = outbox->last().text;
        for (std::size_t i = 0; i + 6 <= text.size(); ++i) {
            const std::string six = text.substr(i, 6);
            if (six.find_first_not_of("0123456789") == std::string::npos) return six;
        }
        return {};
    }
    Browser signed_up(const std::string& email) {
        Browser person = browser();
        EXPECT_EQ(person.post("/sign-up", {{"email", email}}).status, 303);
        EXPECT_EQ(person.post("/sign-up/code", {{"code", mailed_code()}}).status, 303);
        EXPECT_EQ(person.post("/sign-up/password", {{"password", kPassword}}).status, 303);
        EXPECT_TRUE(person.cookies.contains("__Host-cloison"));
        return person;
    }
    static Browser::Fields answers_to(const std::string& page) {
        static const std::map<std::string, Browser::Fields> kAnswers{
            {"reason", {{"request_reason", "first"}}},
            {"names", {{"birth_name", "Le Goff"}, {"forenames", "Maëlle Anne"}}},
            {"name-in-use", {{"name_in_use", "Durand"}}},
            {"sex", {{"sex", "F"}}},
            {"birth",
             {{"birth_date-day", "9"},
              {"birth_date-month", "3"},
              {"birth_date-year", "1984"},
              {"birthplace", "Quimper (29)"}}},
            {"nationality", {{"nationality", "birth"}}},
            {"appearance", {{"height", "168"}, {"eye_colour", "green"}}},
            {"parent1-known", {{"parent1_known", "yes"}}},
            {"parent1", {{"parent1_name", "Le Goff Yann"}}},
            {"parent2-known", {{"parent2_known", "no"}}},
            {"address", {{"postal_address", "3 quai de l'Odet\n29000 Quimper\nFrance"}}},
            {"contact",
             {{"contact_phone", "06 12 34 56 78"}, {"contact_email", "maelle@example.org"}}}};
        return kAnswers.contains(page) ? kAnswers.at(page) : Browser::Fields{};
    }
    /// The choices of a page as the form offers them: the first of each that has none.
    static std::string first_choice(const std::string& page, const std::string& name) {
        const auto input = page.find("name=\"" + name + "\" type=\"radio\" value=\"");
        if (input == std::string::npos) return {};
        const auto value = page.find("value=\"", input) + 7;
        return page.substr(value, page.find('"', value) - value);
    }
    /// Begins a request and returns its path.
    std::string begun(Browser& person) {
        return location(person.post("/requests", {{"type", "passport"}}));
    }
    /// Answers every question that is asked, taking an offered choice where ours is none.
    void answer_all(Browser& person, const std::string& path) {
        for (const char* page :
             {"reason", "names", "name-in-use", "sex", "birth", "nationality", "appearance",
              "parent1-known", "parent1", "parent2-known", "address", "contact"}) {
            const std::string address = path + "/questions/" + page;
            const auto shown = person.get(address);
            ASSERT_EQ(shown.status, 200) << page;
            auto fields = answers_to(page);
            for (auto& [name, value] : fields) {
                const std::string offered = first_choice(shown.body, name);
                const bool known = shown.body.find("name=\"" + name + "\" type=\"radio\" value=\"" +
                                                   value + "\"") != std::string::npos;
                if (!offered.empty() && !known) value = offered;
            }
            const auto saved = person.post(address, fields);
            ASSERT_EQ(saved.status, 303) << page << saved.body;
        }
    }
    std::string hand_in(Browser& person, const std::string& path, const std::string& kind,
                        const std::string& content) {
        const auto response = person.upload(path + "/documents/add/" + kind, "scan.pdf", content);
        EXPECT_EQ(response.status, 303) << response.body;
        const auto page = person.get(path).body;
        std::string found;
        for (auto at = page.find("href=\"" + path + "/documents/"); at != std::string::npos;
             at = page.find("href=\"" + path + "/documents/", at + 1)) {
            const auto begin = at + 6;
            const std::string one = page.substr(begin, page.find('"', begin) - begin);
            if (one.find("/add/") == std::string::npos) found = one;
        }
        EXPECT_FALSE(found.empty());
        return found;
    }
    static std::string location(const net::HttpResponse& response) {
        return std::string(response.headers.get("Location").value_or(""));
    }
    static std::string pdf(std::size_t size) {
        std::string content = "%PDF-1.7\n1 0 obj\n<< /Type /Catalog >>\nendobj\n";
        while (content.size() + 40 < size) content += "% padding of a supporting document\n";
        return content + "trailer << /Root 1 0 R >>\n%%EOF\n";
    }

    FileSystem& files = local_file_system();
    TemporaryDirectory directory;
    ManualClock clock{from_unix_ms(1'776'072'600'000)};  // 13 April 2026
    SeededRandom random{11};
    std::string clamd;
    std::shared_ptr<Outbox> outbox = std::make_shared<Outbox>();
    std::unique_ptr<keeper::Keeper> keeper;
    std::unique_ptr<identity::Identity> identity;
    std::unique_ptr<casework::Casework> casework;
    std::unique_ptr<documents::Documents> documents;
    std::unique_ptr<Portal> portal;
};

}  // namespace cloison::portal
