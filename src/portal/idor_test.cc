#include <gmock/gmock.h>

#include "portal/test_house.h"
#include "storage/database.h"

namespace cloison::portal {
namespace {

/// What a route names in its path or form. Every route has a line; one without fails the test.
enum class Names {
    kNothing,   ///< Only what belongs to the session, or to nobody.
    kRequest,   ///< A request.
    kDocument,  ///< A request and a document of it.
    kSession,   ///< A session of an account.
    kLine,      ///< A line of the journal.
};

const std::map<std::string, Names> kRoutes{
    {"GET /", Names::kNothing},
    {"GET /help", Names::kNothing},
    {"GET /privacy", Names::kNothing},
    {"GET /sign-in", Names::kNothing},
    {"POST /sign-in", Names::kNothing},
    {"GET /sign-in/code", Names::kNothing},
    {"POST /sign-in/code", Names::kNothing},
    {"POST /sign-out", Names::kNothing},
    {"GET /one-time-code", Names::kNothing},
    {"POST /one-time-code", Names::kNothing},
    {"GET /one-time-code/remove", Names::kNothing},
    {"POST /one-time-code/remove", Names::kNothing},
    {"GET /sign-up", Names::kNothing},
    {"POST /sign-up", Names::kNothing},
    {"GET /sign-up/code", Names::kNothing},
    {"POST /sign-up/code", Names::kNothing},
    {"GET /sign-up/password", Names::kNothing},
    {"POST /sign-up/password", Names::kNothing},
    {"GET /account", Names::kNothing},
    {"GET /account/edit", Names::kNothing},
    {"POST /account/edit", Names::kNothing},
    {"GET /requests", Names::kNothing},
    {"POST /requests", Names::kNothing},
    {"GET /apply", Names::kNothing},
    {"GET /requests/{request}", Names::kRequest},
    {"POST /requests/{request}/messages", Names::kRequest},
    {"GET /requests/{request}/withdraw", Names::kRequest},
    {"POST /requests/{request}/withdraw", Names::kRequest},
    {"GET /requests/{request}/questions/{page}", Names::kRequest},
    {"POST /requests/{request}/questions/{page}", Names::kRequest},
    {"GET /requests/{request}/answers", Names::kRequest},
    {"POST /requests/{request}/submit", Names::kRequest},
    {"GET /requests/{request}/documents/add/{kind}", Names::kRequest},
    {"POST /requests/{request}/documents/add/{kind}", Names::kRequest},
    {"GET /requests/{request}/documents/{document}", Names::kDocument},
    {"POST /requests/{request}/documents/{document}/remove", Names::kDocument},
    {"GET /sign-ins", Names::kNothing},
    {"POST /sessions/{session}/end", Names::kSession},
    {"GET /disclosures", Names::kNothing},
    {"GET /disclosures/{index}/proof", Names::kLine},
    {"GET /pro", Names::kNothing},
    {"POST /pro", Names::kNothing},
};

struct Target {
    std::string request, document, session, line;
};

std::string filled(std::string pattern, const Target& target) {
    const std::map<std::string, std::string> values{
        {"{request}", target.request}, {"{document}", target.document},
        {"{session}", target.session}, {"{index}", target.line},
        {"{page}", "names"},           {"{kind}", "identity_proof"}};
    for (const auto& [name, value] : values) {
        const auto at = pattern.find(name);
        if (at != std::string::npos) pattern.replace(at, name.size(), value);
    }
    return pattern;
}

class IdorTest : public House {
  protected:
    void SetUp() override {
        House::SetUp();
        owner_ = std::make_unique<Browser>(signed_up("owner@example.org"));
        other_ = std::make_unique<Browser>(signed_up("other@example.org"));
        theirs_ = target_of(*owner_);
        own_ = target_of(*other_);
        missing_ = {RequestId::random(random).hex(), DocumentId::random(random).hex(),
                    SessionId::random(random).hex(), "999999999"};
    }
    Target target_of(Browser& person) {
        Target target;
        const std::string path = begun(person);
        target.request = path.substr(10);
        const std::string document = hand_in(person, path, "identity_proof", pdf(3'000));
        target.document = document.substr(document.rfind('/') + 1);
        const auto sessions = person.get("/sign-ins").body;
        const auto session = sessions.find("/sessions/") + 10;
        target.session = sessions.substr(session, 32);
        const auto lines = person.get("/disclosures").body;
        const auto line = lines.find("/disclosures/") + 13;
        target.line = lines.substr(line, lines.find('/', line) - line);
        return target;
    }
    net::HttpResponse use(Browser& person, const web::Site::RouteInfo& route,
                          const Target& target) {
        const std::string path = filled(route.pattern, target);
        if (route.method == "GET") return person.get(path);
        if (route.streams) return person.upload(path, "a.pdf", pdf(2'000));
        return person.post(path, {{"message", "hello"}, {"birth_name", "X"}, {"forenames", "Y"}});
    }
    void expect_same(const net::HttpResponse& theirs, const net::HttpResponse& missing,
                     const std::string& name) {
        EXPECT_EQ(theirs.status, 404) << name;
        EXPECT_EQ(theirs.status, missing.status) << name;
        EXPECT_EQ(theirs.body, missing.body) << name;
        EXPECT_EQ(theirs.headers.all(), missing.headers.all()) << name;
    }
    std::unique_ptr<Browser> owner_, other_;
    Target theirs_, own_, missing_;
};

TEST_F(IdorTest, EveryRouteHasALine) {
    std::size_t found = 0;
    for (const auto& route : portal->site().routes()) {
        EXPECT_TRUE(kRoutes.contains(route.method + " " + route.pattern))
            << route.method << " " << route.pattern << " has no line in the matrix";
        ++found;
        const bool has_id = route.pattern.find('{') != std::string::npos;
        EXPECT_EQ(has_id, kRoutes.at(route.method + " " + route.pattern) != Names::kNothing);
    }
    EXPECT_EQ(found, kRoutes.size()) << "a line without its route";
}

TEST_F(IdorTest, AnotherResidentsObjectsAreLikeMissingOnes) {
    for (const auto& route : portal->site().routes()) {
        const std::string name = route.method + " " + route.pattern;
        if (kRoutes.at(name) == Names::kNothing) continue;
        expect_same(use(*other_, route, theirs_), use(*other_, route, missing_), name);
        if (kRoutes.at(name) != Names::kDocument) continue;
        // Another's document under one's own request, and the other way round.
        Target mixed = own_;
        mixed.document = theirs_.document;
        Target mixed_missing = own_;
        mixed_missing.document = missing_.document;
        expect_same(use(*other_, route, mixed), use(*other_, route, mixed_missing), name);
        mixed = theirs_;
        mixed.document = own_.document;
        expect_same(use(*other_, route, mixed), use(*other_, route, missing_), name);
    }
    // Nothing of the owner's has changed.
    EXPECT_EQ(owner_->get("/requests/" + theirs_.request).status, 200);
    EXPECT_EQ(owner_->get("/requests/" + theirs_.request + "/documents/" + theirs_.document).status,
              200);
    EXPECT_THAT(owner_->get("/requests/" + theirs_.request).body, testing::HasSubstr("Draft"));
    EXPECT_THAT(owner_->get("/disclosures").body,
                testing::HasSubstr("Nobody but you has looked at your data."));
}

TEST_F(IdorTest, OnesOwnObjectsAreReachedOnTheSameRoutes) {
    for (const auto& route : portal->site().routes()) {
        const std::string name = route.method + " " + route.pattern;
        if (kRoutes.at(name) == Names::kNothing || route.method != "GET") continue;
        EXPECT_EQ(use(*other_, route, own_).status, 200) << name;
    }
}

TEST_F(IdorTest, MalformedIdsAreLikeMissingOnes) {
    for (const char* id : {"0", "zz", "' OR 1=1", "..", "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", "-1",
                           "18446744073709551616"}) {
        const Target malformed{id, id, id, id};
        for (const auto& route : portal->site().routes()) {
            const std::string name = route.method + " " + route.pattern;
            if (kRoutes.at(name) == Names::kNothing || std::string(id) == "0") continue;
            expect_same(use(*other_, route, malformed), use(*other_, route, missing_),
                        name + " with " + id);
        }
    }
}

TEST_F(IdorTest, WithoutASessionNothingAnswersButSignIn) {
    Browser visitor = browser();
    visitor.get("/sign-in");
    for (const auto& route : portal->site().routes()) {
        if (route.access == web::Access::kPublic) continue;
        const auto response = use(visitor, route, theirs_);
        if (route.method == "GET") {
            EXPECT_EQ(response.status, 303) << route.pattern;
            EXPECT_TRUE(location(response).starts_with("/sign-in?next=")) << route.pattern;
        } else {
            EXPECT_EQ(response.status, 401) << route.pattern;
        }
    }
}

/// Somebody who can write identity.sqlite gives two residents each other's person.
class SwappedRowsTest : public House {};

TEST_F(SwappedRowsTest, ARowThatNamesAnotherPersonIsRefusedInWords) {
    Browser camille = signed_up("camille@example.org");
    Browser robin = signed_up("robin@example.org");
    const std::string request = begun(robin);
    EXPECT_NE(robin.get("/requests").body.find(request), std::string::npos);
    {
        const auto schema =
            storage::load_migrations(files, Path(CLOISON_SOURCE_DIR) / "src/identity/schema");
        ASSERT_TRUE(schema);
        auto database = storage::open_sqlite(at("identity") / "identity.sqlite", *schema);
        ASSERT_TRUE(database) << database.error().message;
        ASSERT_TRUE((*database)->write([&](storage::Transaction& transaction) -> Status {
            CLOISON_TRY(const auto rows,
                        transaction.query("SELECT account, pseudonym FROM account", {}));
            for (const auto& row : rows)
                CLOISON_TRY_STATUS(transaction.execute(
                    "UPDATE account SET pseudonym = $1 WHERE account = $2",
                    {storage::blob(row.bytes(0)), storage::blob(row.bytes(0))}));
            for (std::size_t i = 0; i < rows.size(); ++i)
                CLOISON_TRY_STATUS(
                    transaction.execute("UPDATE account SET pseudonym = $1 WHERE account = $2",
                                        {storage::blob(rows[i].bytes(1)),
                                         storage::blob(rows[(i + 1) % rows.size()].bytes(0))}));
            return {};
        }));
    }
    for (const char* page : {"/requests", "/account", "/sign-ins", "/disclosures"}) {
        for (const auto& [language, words] : {std::pair{"en", "The service has a problem"},
                                              {"fr", "Le service a rencontré un problème"}}) {
            camille.language = language;
            const auto refused = camille.get(page);
            EXPECT_EQ(refused.status, 500) << page;
            EXPECT_NE(refused.body.find(words), std::string::npos) << page << refused.body;
            EXPECT_EQ(refused.body.find(request), std::string::npos) << page;
        }
    }
}

}  // namespace
}  // namespace cloison::portal
