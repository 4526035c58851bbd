#pragma once

#include <gtest/gtest.h>
#include <liboath/oath.h>

#include <map>

#include "base/temporary_directory.h"
#include "casework/casework.h"
#include "crypto/keys.h"
#include "desk/desk.h"
#include "documents/documents.h"
#include "documents/encrypted_file.h"
#include "identity/identity.h"
#include "keeper/keeper.h"
#include "web/test_web_directory.h"

namespace cloison::desk {

/// A browser at the desk: keeps cookies, sends the form's token.
class Browser {
  public:
    explicit Browser(web::Site& site) : site_(site) {}

    net::HttpResponse get(const std::string& target, const std::string& accept = "text/html") {
        return send("GET", target, "", accept);
    }
    /// Fetches a page for its form token first, as a browser does.
    net::HttpResponse post(const std::string& path,
                           const std::vector<std::pair<std::string, std::string>>& fields = {},
                           const std::string& accept = "text/html") {
        const std::string mark = "name=\"csrf\" value=\"";
        std::string token = between(get("/help").body, mark, "\"");
        if (token.empty()) token = between(get("/sign-in").body, mark, "\"");
        std::string body = "csrf=" + net::percent_encode(token);
        for (const auto& [name, value] : fields)
            body += "&" + net::percent_encode(name) + "=" + net::percent_encode(value);
        return send("POST", path, body, accept);
    }
    net::HttpResponse send(const std::string& method, const std::string& target,
                           const std::string& body, const std::string& accept) {
        net::HttpRequest request;
        request.method = method;
        request.path = target.substr(0, target.find('?'));
        if (target.find('?') != std::string::npos)
            request.query = target.substr(target.find('?') + 1);
        request.remote_address = "192.0.2.7";
        request.body = body;
        request.headers.add("Accept", accept);
        request.headers.add("Accept-Language", "en");
        request.headers.add("Host", "desk.example");
        if (method == "POST")
            request.headers.add("Content-Type", "application/x-www-form-urlencoded");
        std::string cookies;
        for (const auto& [name, value] : cookies_)
            cookies += (cookies.empty() ? "" : "; ") + name + "=" + value;
        if (!cookies.empty()) request.headers.add("Cookie", cookies);
        auto response = site_.handle(request);
        for (const auto& [name, value] : response.headers.all())
            if (name == "Set-Cookie") keep(value);
        return response;
    }
    void set_cookie(const std::string& name, const std::string& value) { cookies_[name] = value; }

    static std::string between(const std::string& text, const std::string& before,
                               const std::string& after) {
        const auto begin = text.find(before);
        if (begin == std::string::npos) return {};
        const auto from = begin + before.size();
        return text.substr(from, text.find(after, from) - from);
    }

  private:
    void keep(const std::string& header) {
        const auto equals = header.find('=');
        const std::string value = header.substr(equals + 1, header.find(';') - equals - 1);
        if (value.empty())
            cookies_.erase(header.substr(0, equals));
        else
            cookies_[header.substr(0, equals)] = value;
    }

    web::Site& site_;
    std::map<std::string, std::string> cookies_;
};

inline std::string location(const net::HttpResponse& response) {
    return std::string(response.headers.get("Location").value_or(""));
}

/// The whole house, as it is, in one process: keeper, identity, casework, documents and the desk.
class House : public ::testing::Test {
  protected:
    static constexpr const char* kPassword = "correct horse battery";

    /// Replaces one text of the register before anything starts.
    virtual std::string change_register(std::string toml) { return toml; }

    void SetUp() override {
        const auto toml = files.read_file(source("registry/fields.toml"), 1 << 20);
        auto parsed = registry::Registry::parse(change_register(to_string(*toml)), "fields.toml");
        ASSERT_TRUE(parsed) << parsed.error().message;
        registry = std::move(*parsed);
        ASSERT_TRUE(keeper::create_keeper_directory(files, path("keeper"), random));
        ASSERT_TRUE(identity::create_identity_directory(files, path("identity"), random));
        ASSERT_TRUE(casework::create_casework_directory(files, path("casework"), random));
        ASSERT_TRUE(documents::create_documents_directory(files, path("documents"), random));
        ASSERT_TRUE(create_desk_directory(files, path("desk"), random));
        const auto keys = *identity::identity_verify_keys(files, path("identity"));
        keeper::Keeper::Options keeper_options;
        keeper_options.directory = path("keeper");
        keep(keeper,
             keeper::Keeper::open(keeper_options, registry, keys.grants, files, clock, random));
        identity::Identity::Options identity_options;
        identity_options.directory = path("identity");
        identity_options.password_cost = {8, 1};
        keep(identity, identity::Identity::open(
                           identity_options, registry, keeper_as("identity"),
                           casework::casework_verify_keys(files, path("casework"))->tickets, files,
                           clock, random));
        auto types = casework::load_request_types(files, source("registry/requests"), registry);
        ASSERT_TRUE(types) << types.error().message;
        keep(casework, casework::Casework::open({path("casework")}, std::move(*types), keys.grants,
                                                keeper_as("casework"), files, clock, random));
        keep(documents, documents::Documents::open({path("documents")}, keys.grants,
                                                   keeper_as("documents"), files, clock));
        web::make_test_web_directory(CLOISON_SOURCE_DIR, path("web"));
        open_desk();
    }

    void open_desk() {
        desk.reset();
        Desk::Options options;
        options.directory = path("desk");
        options.web_directory = path("web");
        options.request_types = source("registry/requests");
        keep(desk, Desk::create(options,
                                {identity_as("desk"), keeper_as("desk"), casework_as("desk"),
                                 documents_as("desk")},
                                registry, files, clock, random));
    }

    template <class T>
    static void keep(std::unique_ptr<T>& into, Result<std::unique_ptr<T>> opened) {
        ASSERT_TRUE(opened) << opened.error().message;
        into = std::move(*opened);
    }
    static Path source(const std::string& name) { return Path(CLOISON_SOURCE_DIR) / name; }
    Path path(const std::string& name) const { return directory.path() / name; }

    keeper::KeeperClient keeper_as(const std::string& caller) const {
        return keeper::KeeperClient(net::local_rpc(keeper->service(), caller));
    }
    identity::IdentityClient identity_as(const std::string& caller) const {
        return identity::IdentityClient(net::local_rpc(identity->service(), caller));
    }
    casework::CaseworkClient casework_as(const std::string& caller) const {
        return casework::CaseworkClient(net::local_rpc(casework->service(), caller));
    }
    documents::DocumentsClient documents_as(const std::string& caller) const {
        return documents::DocumentsClient(net::local_rpc(documents->service(), caller));
    }

    std::string index_of(const std::string& email) {
        keeper::v1::BlindIndexRequest request;
        request.set_field("email");
        request.set_value(email);
        return keeper_as("portal").blind_index(request).value().index();
    }
    static identity::v1::Client client(const std::string& door) {
        identity::v1::Client made;
        made.set_origin("192.0.2.7");
        made.set_door(door);
        return made;
    }

    struct Staff {
        std::string email;
        std::string token;
        ActorId actor;
        SessionId session;
    };
    /// A member of staff, signed in at the desk with a one-time code.
    Staff staff(const std::string& role, const std::string& email) {
        identity::v1::CreateStaffRequest request;
        request.set_role(role);
        request.set_email_index(index_of(email));
        request.set_display_name("Name of " + email.substr(0, email.find('@')));
        request.set_unit("Unit 12");
        request.set_password(kPassword);
        request.set_language("en");
        Bytes secret(20);
        random.fill(secret);
        request.set_totp_secret(to_string(secret));
        const auto created = identity_as("operator").create_staff(request);
        EXPECT_TRUE(created) << created.error().message;

        identity::v1::SignInRequest sign_in;
        sign_in.set_email_index(request.email_index());
        sign_in.set_password(kPassword);
        *sign_in.mutable_client() = client("desk");
        const auto pending = identity_as("desk").sign_in(sign_in);
        EXPECT_TRUE(pending) << pending.error().message;
        char code[7] = {};
        oath_totp_generate(reinterpret_cast<const char*>(secret.data()), secret.size(),
                           to_unix_seconds(clock.now()), 30, 0, 6, code);
        identity::v1::SignInTotpRequest second;
        second.set_totp_pending(pending->totp_pending());
        second.set_code(code);
        *second.mutable_client() = client("desk");
        const auto session = identity_as("desk").sign_in_totp(second);
        EXPECT_TRUE(session) << session.error().message;
        Staff made{email, session->token(), *ActorId::from_bytes(created->actor()), {}};
        identity::v1::GetSessionRequest known;
        known.set_token(made.token);
        known.set_door("desk");
        made.session = *SessionId::from_bytes(identity_as("desk").get_session(known)->session());
        return made;
    }
    Browser browser(const Staff& who) {
        Browser made(desk->site());
        made.set_cookie("__Host-desk", who.token);
        return made;
    }

    struct Resident {
        std::string email;
        std::string token;
    };
    Resident resident(const std::string& email, const std::string& family_name) {
        const auto portal = identity_as("portal");
        identity::v1::BeginSignUpRequest begin;
        begin.set_email_index(index_of(email));
        begin.set_language("fr");
        const auto begun = portal.begin_sign_up(begin);
        EXPECT_TRUE(begun) << begun.error().message;
        identity::v1::ConfirmSignUpRequest confirm;
        confirm.set_sign_up(begun->sign_up());
        confirm.set_code(begun->code());
        EXPECT_TRUE(portal.confirm_sign_up(confirm));
        keeper::v1::EnrollRequest enroll;
        enroll.set_count(1);
        const std::string enrolment = keeper_as("portal").enroll(enroll)->enrolments(0);
        identity::v1::CompleteSignUpRequest complete;
        complete.set_sign_up(begun->sign_up());
        complete.set_enrolment(enrolment);
        complete.set_email_index(begin.email_index());
        complete.set_record(AccountId::random(random).bytes());
        keeper::v1::Subject subject;
        subject.set_enrolment(enrolment);
        complete.set_sealed_email(seal(subject, "email", complete.record(), email));
        complete.set_password(kPassword);
        complete.set_language("fr");
        *complete.mutable_client() = client("portal");
        const auto done = portal.complete_sign_up(complete);
        EXPECT_TRUE(done) << done.error().message;

        Resident made{email, done->token()};
        identity::v1::SaveProfileRequest save;
        save.set_grant(own_grant(made, {"family_name"}));
        auto* field = save.add_fields();
        field->set_field("family_name");
        field->set_record(complete.record());
        field->set_sealed(
            seal(by_grant(save.grant()), "family_name", complete.record(), family_name));
        const auto saved = portal.save_profile(save);
        EXPECT_TRUE(saved) << saved.error().message;
        return made;
    }

    static keeper::v1::Subject by_grant(const std::string& grant) {
        keeper::v1::Subject subject;
        subject.set_grant(grant);
        return subject;
    }
    std::string seal(const keeper::v1::Subject& subject, const std::string& field,
                     const std::string& record, const std::string& value) {
        keeper::v1::SealRequest request;
        *request.mutable_subject() = subject;
        auto* item = request.add_items();
        item->set_field(field);
        item->set_record(record);
        item->set_value(value);
        item->set_schema_version(1);
        const auto sealed = keeper_as("portal").seal(request);
        EXPECT_TRUE(sealed) << sealed.error().message;
        return sealed->sealed(0);
    }
    std::string own_grant(const Resident& who, const std::vector<std::string>& fields,
                          const std::string& ticket = "") {
        identity::v1::IssueGrantRequest request;
        request.set_token(who.token);
        request.set_purpose("self_service");
        for (const auto& field : fields) request.add_fields(field);
        request.set_ticket(ticket);
        *request.mutable_client() = client("portal");
        const auto issued = identity_as("portal").issue_grant(request);
        EXPECT_TRUE(issued) << issued.error().message;
        return issued->grant();
    }

    /// A submitted passport request of that resident.
    RequestId submitted(const Resident& who, const std::string& birth_name) {
        const auto portal = casework_as("portal");
        const std::string grant = own_grant(who, {});
        casework::v1::CreateRequestRequest create;
        create.set_grant(grant);
        create.set_type("passport");
        const auto created = portal.create_request(create);
        EXPECT_TRUE(created) << created.error().message;
        casework::v1::GetRequestRequest get;
        get.set_grant(grant);
        get.set_request(created->request());
        casework::v1::SaveValuesRequest save;
        save.set_grant(grant);
        save.set_request(created->request());
        save.set_version(portal.get_request(get)->request().version());
        const std::map<std::string, std::string> values = {
            {"request_reason", "first"},       {"birth_name", birth_name},
            {"forenames", "Anne, Marie"},      {"sex", "F"},
            {"birth_date", "1984-03-09"},      {"birthplace", "Lyon (69)"},
            {"nationality", "birth"},          {"height", "168"},
            {"eye_colour", "brown"},           {"parent1_known", "no"},
            {"parent2_known", "no"},           {"postal_address", "1 rue Haute\n69001 Lyon"},
            {"contact_phone", "+33612345678"}, {"contact_email", who.email}};
        for (const auto& [field, value] : values) {
            auto* added = save.add_values();
            added->set_field(field);
            added->set_record(created->request());
            added->set_sealed(seal(by_grant(grant), field, created->request(), value));
        }
        const auto saved = portal.save_values(save);
        EXPECT_TRUE(saved) << saved.error().message;
        casework::v1::SubmitRequest submit;
        submit.set_grant(grant);
        submit.set_request(created->request());
        submit.set_version(saved->version());
        const auto done = portal.submit(submit);
        EXPECT_TRUE(done) << done.error().message;
        return *RequestId::from_bytes(created->request());
    }

    /// A supporting document of that request; its content is `content`.
    DocumentId upload(const Resident& who, const RequestId& request, const std::string& content) {
        casework::v1::GetRequestRequest get;
        get.set_grant(own_grant(who, {}));
        get.set_request(request.bytes());
        const std::string ticket = casework_as("portal").get_request(get)->ticket();
        const std::string grant = own_grant(who, {}, ticket);
        const auto documents_client = documents_as("portal");
        const auto id = DocumentId::random(random);
        const auto key = crypto::FileKey::random(random);
        documents::FileEncryptor encryptor(key);
        documents::v1::BeginRequest begin;
        begin.set_grant(grant);
        begin.set_document(id.bytes());
        begin.set_sealed_key(
            seal(by_grant(grant), "document_content", id.bytes(), to_string(key.view())));
        begin.set_sealed_name(seal(by_grant(grant), "document_name", id.bytes(), "acte é.pdf"));
        begin.set_header(to_string(encryptor.header()));
        begin.set_content_type("application/pdf");
        begin.set_kind("photo");
        const auto begun = documents_client.begin(begin);
        EXPECT_TRUE(begun) << begun.error().message;
        auto chunks = *encryptor.feed(as_bytes(content));
        auto rest = *encryptor.finish();
        for (Bytes& last : rest) chunks.push_back(std::move(last));
        for (std::uint32_t index = 0; index < chunks.size(); ++index) {
            documents::v1::AppendRequest append;
            append.set_grant(grant);
            append.set_document(id.bytes());
            append.set_index(index);
            append.set_chunk(to_string(chunks[index]));
            EXPECT_TRUE(documents_client.append(append));
        }
        documents::v1::FinishRequest finish;
        finish.set_grant(grant);
        finish.set_document(id.bytes());
        finish.set_chunks(static_cast<std::uint32_t>(chunks.size()));
        EXPECT_TRUE(documents_client.finish(finish));
        return id;
    }

    std::uint64_t journal_size() const { return keeper_as("desk").describe({})->entries(); }

    FileSystem& files = local_file_system();
    Random& random = system_random();
    TemporaryDirectory directory;
    ManualClock clock{*parse_rfc3339("2026-04-15T10:00:00Z")};
    registry::Registry registry;
    std::unique_ptr<keeper::Keeper> keeper;
    std::unique_ptr<identity::Identity> identity;
    std::unique_ptr<casework::Casework> casework;
    std::unique_ptr<documents::Documents> documents;
    std::unique_ptr<Desk> desk;
};

}  // namespace cloison::desk
