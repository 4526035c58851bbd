#include "desk/test_house.h"

namespace cloison::desk {
namespace {

using ::testing::Test;

class OfficerTest : public House {
  protected:
    void SetUp() override {
        House::SetUp();
        officer = staff("officer", "officer@agency.example");
        anne = resident("anne@example.org", "Moreau");
        request = submitted(anne, "Durandal");
        page = "/cases/" + request.hex();
    }
    Staff officer;
    Resident anne;
    RequestId request;
    std::string page;
};

bool has(const net::HttpResponse& response, std::string_view text) {
    return response.body.find(text) != std::string::npos;
}

TEST_F(OfficerTest, TakesACaseSeesItMaskedAndRevealsForAReason) {
    Browser desk_page = browser(officer);
    EXPECT_EQ(desk_page.get("/queue").status, 200);
    EXPECT_TRUE(has(desk_page.get("/queue"), page + "/take"));
    EXPECT_EQ(desk_page.get(page).status, 404);  // Not taken yet.
    EXPECT_EQ(location(desk_page.post(page + "/take")), page);

    const auto masked = desk_page.get(page);
    EXPECT_EQ(masked.status, 200);
    EXPECT_TRUE(has(masked, "Birth name"));
    EXPECT_FALSE(has(masked, "Durandal"));
    EXPECT_FALSE(has(masked, "anne@example.org"));
    EXPECT_TRUE(has(desk_page.get("/queue?mine=yes"), page));

    const auto before = journal_size();
    const auto revealed =
        desk_page.post(page + "/reveal", {{"group", "identity"}, {"reason", "examine"}});
    EXPECT_EQ(revealed.status, 200) << revealed.body;
    EXPECT_TRUE(has(revealed, "Durandal"));
    EXPECT_FALSE(has(revealed, "anne@example.org"));  // Contact was not asked for.
    EXPECT_TRUE(revealed.headers.get("Cache-Control").value_or("").find("no-store") !=
                std::string_view::npos);
    EXPECT_EQ(journal_size(), before + 1);
    EXPECT_FALSE(has(desk_page.get(page), "Durandal"));
}

TEST_F(OfficerTest, RevealsNothingWithoutReasonOrGroup) {
    Browser desk_page = browser(officer);
    desk_page.post(page + "/take");
    const auto before = journal_size();
    for (const auto& fields : std::vector<std::vector<std::pair<std::string, std::string>>>{
             {{"group", "identity"}},
             {{"reason", "examine"}},
             {{"group", "identity"}, {"reason", "curiosity"}},
             {{"group", "no_such_group"}, {"reason", "examine"}}}) {
        const auto refused = desk_page.post(page + "/reveal", fields);
        EXPECT_EQ(refused.status, 422);
        EXPECT_FALSE(has(refused, "Durandal"));
        EXPECT_TRUE(has(refused, "govuk-error-summary"));
    }
    EXPECT_EQ(journal_size(), before);
}

TEST_F(OfficerTest, DecryptsADocumentAndTheNameGoesInTheHeaderOnly) {
    // Longer than a chunk, so that it comes in pieces.
    const std::string content = "%PDF-1.4\n" + std::string(150'000, 'x');
    const auto document = upload(anne, request, content);
    Browser desk_page = browser(officer);
    desk_page.post(page + "/take");
    const auto listed = desk_page.get(page + "/documents");
    EXPECT_TRUE(has(listed, document.hex()));
    EXPECT_FALSE(has(listed, "acte"));
    const auto before = journal_size();
    auto file = desk_page.post(page + "/documents",
                               {{"document", document.hex()}, {"reason", "document_check"}});
    ASSERT_EQ(file.status, 200);
    EXPECT_EQ(file.headers.get("Content-Type"), "application/pdf");
    EXPECT_EQ(file.headers.get("Content-Disposition"),
              "attachment; filename*=UTF-8''acte%20%C3%A9.pdf");
    EXPECT_EQ(journal_size(), before + 1);
    std::string received;
    Bytes piece(10'000);
    while (true) {
        const auto size = file.source(piece);
        ASSERT_TRUE(size) << size.error().message;
        if (*size == 0) break;
        received.append(reinterpret_cast<const char*>(piece.data()), *size);
    }
    EXPECT_EQ(received, content);
    EXPECT_EQ(desk_page
                  .post(page + "/documents", {{"document", DocumentId::random(random).hex()},
                                              {"reason", "document_check"}})
                  .status,
              404);
}

TEST_F(OfficerTest, AsksForACorrectionAndTheResidentReadsIt) {
    Browser desk_page = browser(officer);
    desk_page.post(page + "/take");
    const std::string form = page + "/decide/action_required";
    const auto asked = desk_page.get(form);
    ASSERT_EQ(asked.status, 200);
    const std::string version = Browser::between(asked.body, "name=\"version\" value=\"", "\"");
    EXPECT_EQ(desk_page.post(form, {{"version", version}, {"words", " "}}).status, 422);
    EXPECT_EQ(location(desk_page.post(form, {{"version", version}, {"words", "Photo floue"}})),
              page);
    casework::v1::GetRequestRequest get;
    get.set_grant(own_grant(anne, {"message_text"}));
    get.set_request(request.bytes());
    const auto seen = casework_as("portal").get_request(get);
    ASSERT_TRUE(seen);
    EXPECT_EQ(seen->request().status(), "action_required");
    ASSERT_EQ(seen->request().messages_size(), 1);
    keeper::v1::OpenRequest open;
    auto* disclosure = open.add_disclosures();
    disclosure->set_grant(get.grant());
    auto* item = disclosure->add_items();
    item->set_field("message_text");
    item->set_record(seen->request().messages(0).message());
    item->set_sealed(seen->request().messages(0).sealed());
    item->set_schema_version(1);
    EXPECT_EQ(keeper_as("portal").open(open)->disclosed(0).values(0), "Photo floue");
}

TEST_F(OfficerTest, DecidesStepByStepAndOnlyOnWhatWasShown) {
    Browser desk_page = browser(officer);
    desk_page.post(page + "/take");
    const auto decide = [&](const std::string& status) {
        const auto asked = desk_page.get(page + "/decide/" + status);
        const std::string version = Browser::between(asked.body, "name=\"version\" value=\"", "\"");
        return desk_page.post(page + "/decide/" + status, {{"version", version}});
    };
    // Delivering what is not ready yet is not offered, and does nothing.
    EXPECT_EQ(desk_page.get(page + "/decide/delivered").status, 303);
    EXPECT_EQ(desk_page.get(page + "/decide/nonsense").status, 404);
    desk_page.post(page + "/decide/approved", {{"version", "1"}});
    EXPECT_TRUE(has(desk_page.get(page), "has changed meanwhile"));
    for (const char* status : {"approved", "in_production", "ready"})
        EXPECT_EQ(location(decide(status)), page) << status;
    EXPECT_EQ(location(decide("delivered")), "/queue");
    EXPECT_EQ(desk_page.get(page).status, 404);  // Finished: nobody's any more.
}

TEST_F(OfficerTest, WritesAMessageAndGivesTheCaseBack) {
    Browser desk_page = browser(officer);
    desk_page.post(page + "/take");
    EXPECT_EQ(desk_page.post(page + "/message", {{"words", ""}}).status, 422);
    EXPECT_EQ(desk_page.post(page + "/message", {{"words", std::string(4'001, 'a')}}).status, 422);
    EXPECT_EQ(location(desk_page.post(page + "/message", {{"words", "Bonjour à vous"}})), page);
    EXPECT_FALSE(has(desk_page.get(page), "Bonjour"));
    EXPECT_TRUE(
        has(desk_page.post(page + "/reveal", {{"group", "messages"}, {"reason", "contact"}}),
            "Bonjour à vous"));
    EXPECT_EQ(location(desk_page.post(page + "/release")), "/queue");
    EXPECT_EQ(desk_page.get(page).status, 404);
}

TEST_F(OfficerTest, AFormWithoutItsTokenIsRefused) {
    Browser desk_page = browser(officer);
    EXPECT_EQ(desk_page.send("POST", page + "/take", "", "text/html").status, 403);
    EXPECT_EQ(desk_page.get(page).status, 404);
}

TEST_F(OfficerTest, TheQueueRefusesMalformedFilters) {
    Browser desk_page = browser(officer);
    EXPECT_EQ(desk_page.get("/queue?status=nonsense").status, 422);
    EXPECT_EQ(desk_page.get("/queue?reference=" + std::string(21, 'A')).status, 422);
    EXPECT_EQ(desk_page.get("/queue?page=99999999999999").status, 200);
}

class SmallBudgetTest : public OfficerTest {
  protected:
    std::string change_register(std::string toml) override {
        const std::string from = "per_hour = 60\nper_day = 240";
        const auto at = toml.find(from);
        EXPECT_NE(at, std::string::npos);
        return toml.replace(at, from.size(), "per_hour = 1\nper_day = 1");
    }
};

TEST_F(SmallBudgetTest, AUsedUpBudgetIsSaidInWordsAndNothingIsOpened) {
    const Resident ben = resident("ben@example.org", "Petit");
    const std::string other = "/cases/" + submitted(ben, "Excalibur").hex();
    Browser desk_page = browser(officer);
    desk_page.post(page + "/take");
    desk_page.post(other + "/take");
    const std::vector<std::pair<std::string, std::string>> fields = {{"group", "identity"},
                                                                     {"reason", "examine"}};
    EXPECT_EQ(desk_page.post(page + "/reveal", fields).status, 200);
    EXPECT_EQ(desk_page.post(page + "/reveal", fields).status, 200);  // The same person again.
    const auto refused = desk_page.post(other + "/reveal", fields);
    EXPECT_EQ(refused.status, 429);
    EXPECT_FALSE(has(refused, "Excalibur"));
    EXPECT_TRUE(has(refused, "Try again in an hour"));
    EXPECT_EQ(refused.headers.get("Retry-After"), "3600");
}

TEST_F(OfficerTest, SupportFindsAnAccountAndSeesItMasked) {
    Browser support = browser(staff("support", "support@agency.example"));
    EXPECT_EQ(support.get("/support").status, 200);
    EXPECT_EQ(support.get("/support/account").status, 303);
    EXPECT_EQ(support.post("/support", {{"email", "nobody@example.org"}}).status, 422);
    EXPECT_EQ(support.post("/support", {{"email", "no address"}}).status, 422);
    EXPECT_EQ(location(support.post("/support", {{"email", "Anne@example.org"}})),
              "/support/account");
    const auto masked = support.get("/support/account");
    EXPECT_EQ(masked.status, 200) << masked.body;
    EXPECT_TRUE(has(masked, "Family name"));
    EXPECT_FALSE(has(masked, "Moreau"));
    EXPECT_EQ(support.post("/support/account", {{"field", "family_name"}}).status, 422);
    const auto revealed =
        support.post("/support/account", {{"field", "family_name"}, {"reason", "call"}});
    EXPECT_EQ(revealed.status, 200);
    EXPECT_TRUE(has(revealed, "Moreau"));
    EXPECT_FALSE(has(revealed, "anne@example.org"));
}

TEST_F(OfficerTest, AnAdministratorCreatesStaffWhoMustSetUpACodeFirst) {
    Browser administrator = browser(staff("administrator", "admin@agency.example"));
    EXPECT_EQ(administrator.post("/staff/new", {{"name", "X"}}).status, 422);
    const auto created = administrator.post("/staff/new", {{"name", "Nadia Blanc"},
                                                           {"unit", "Guichet 3"},
                                                           {"email", "nadia@agency.example"},
                                                           {"role", "officer"}});
    ASSERT_EQ(created.status, 200) << created.body;
    const std::string password = Browser::between(created.body, "<span class=\"c-secret\">", "<");
    EXPECT_EQ(password.size(), 24U);
    EXPECT_TRUE(has(administrator.get("/staff"), "Nadia Blanc"));
    EXPECT_FALSE(has(administrator.get("/staff"), password));
    EXPECT_EQ(administrator
                  .post("/staff/new", {{"name", "Nadia Blanc"},
                                       {"unit", "Guichet 3"},
                                       {"email", "nadia@agency.example"},
                                       {"role", "officer"}})
                  .status,
              422);

    Browser nadia(desk->site());
    EXPECT_EQ(location(nadia.get("/queue")), "/sign-in?next=%2Fqueue");
    EXPECT_EQ(location(nadia.post("/sign-in",
                                  {{"email", "nadia@agency.example"}, {"password", password}})),
              "/");
    EXPECT_EQ(location(nadia.get("/queue")), "/one-time-code");
    EXPECT_TRUE(has(nadia.get("/one-time-code"), "<svg"));

    const std::string path = Browser::between(administrator.get("/staff").body,
                                              "<a class=\"govuk-link\" href=\"/staff/", "/disable");
    EXPECT_EQ(location(administrator.post("/staff/" + path + "/disable")), "/staff");
}

TEST_F(OfficerTest, StaffSeeAndEndTheirOwnSessions) {
    Browser desk_page = browser(officer);
    EXPECT_TRUE(has(desk_page.get("/sessions"), "This session"));
    EXPECT_EQ(desk_page.post("/sessions/" + SessionId::random(random).hex() + "/end").status, 404);
}

}  // namespace
}  // namespace cloison::desk
