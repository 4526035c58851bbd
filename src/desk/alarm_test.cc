#include "desk/test_house.h"

namespace cloison::desk {
namespace {

class AlarmTest : public House {
  protected:
    void SetUp() override {
        House::SetUp();
        dpo = staff("dpo", "dpo@agency.example");
        administrator = staff("administrator", "admin@agency.example");
        support = staff("support", "support@agency.example");
        officer = staff("officer", "officer@agency.example");
    }
    /// An invented account for the copy "archive-1".
    void plant(const std::string& email) {
        keeper::v1::PlantCanariesRequest plant;
        plant.set_copy("archive-1");
        plant.set_compartment("identity");
        identity::v1::PlantCanaryRequest store;
        store.set_record(AccountId::random(random).bytes());
        auto* item = plant.add_persons()->add_items();
        item->set_field("email");
        item->set_record(store.record());
        item->set_value(email);
        item->set_schema_version(1);
        const auto planted = keeper_as("operator").plant_canaries(plant);
        ASSERT_TRUE(planted) << planted.error().message;
        store.set_enrolment(planted->persons(0).enrolment());
        store.set_email_index(planted->persons(0).email_index());
        store.set_language("fr");
        auto* field = store.add_fields();
        field->set_field("email");
        field->set_record(store.record());
        field->set_sealed(planted->persons(0).sealed(0));
        const auto stored = identity_as("operator").plant_canary(store);
        ASSERT_TRUE(stored) << stored.error().message;
    }
    /// As support does for somebody on the phone.
    void open(const std::string& email) {
        Browser page = browser(support);
        EXPECT_EQ(location(page.post("/support", {{"email", email}})), "/support/account");
        const auto opened = page.post("/support/account", {{"field", "email"}, {"reason", "call"}});
        EXPECT_EQ(opened.status, 200);
        EXPECT_NE(opened.body.find(email), std::string::npos) << "it opens like any other";
    }
    static std::size_t count(const std::string& text, const std::string& part) {
        std::size_t found = 0;
        for (auto at = text.find(part); at != std::string::npos; at = text.find(part, at + 1))
            ++found;
        return found;
    }

    Staff dpo, administrator, support, officer;
};

TEST_F(AlarmTest, AnOpenedCanaryIsOnThePageAndInTheNavigationAtOnce) {
    plant("agathe@caribmail.an");
    Browser page = browser(dpo);
    EXPECT_NE(page.get("/alarms").body.find("There is no alarm"), std::string::npos);
    EXPECT_EQ(page.get("/incidents").body.find("c-nav__badge"), std::string::npos);
    open("agathe@caribmail.an");

    const auto alarms = page.get("/alarms");
    EXPECT_EQ(alarms.status, 200);
    EXPECT_NE(alarms.body.find("Canary opened: an invented person of the copy archive-1, in the "
                               "accounts."),
              std::string::npos)
        << alarms.body;
    EXPECT_NE(alarms.body.find("Name of support, Unit 12"), std::string::npos);
    EXPECT_NE(alarms.body.find(support.session.hex()), std::string::npos);
    EXPECT_NE(alarms.body.find("192.0.2.7"), std::string::npos);
    EXPECT_NE(alarms.body.find("E-mail address"), std::string::npos);
    EXPECT_EQ(alarms.body.find("agathe"), std::string::npos) << "no value";
    for (const auto& [who, path] : {std::pair{dpo, "/incidents"}, {administrator, "/staff"}}) {
        const auto home = browser(who).get(path).body;
        EXPECT_NE(home.find("<strong class=\"c-nav__badge\">1<"), std::string::npos) << path;
        EXPECT_NE(home.find("1 alarm waits to be acknowledged."), std::string::npos) << path;
    }
    for (const auto& who : {support, officer})
        EXPECT_EQ(browser(who).get("/sessions").body.find("/alarms"), std::string::npos);
}

TEST_F(AlarmTest, AnAcknowledgementNamesWhoAndWhenAndTakesTheBadgeAway) {
    plant("agathe@caribmail.an");
    open("agathe@caribmail.an");
    open("agathe@caribmail.an");
    Browser page = browser(dpo);
    const auto body = page.get("/alarms").body;
    const std::string newest = Browser::between(body, "name=\"newest\" value=\"", "\"");
    ASSERT_FALSE(newest.empty()) << body;
    EXPECT_EQ(location(page.post("/alarms/" + newest + "/acknowledge")), "/alarms");
    const auto after = page.get("/alarms").body;
    EXPECT_NE(after.find("Acknowledged by Name of dpo, Unit 12 on 15 April 2026 at 12:00."),
              std::string::npos)
        << after;
    EXPECT_NE(after.find("1 alarm waits"), std::string::npos);
    EXPECT_EQ(browser(administrator).post("/alarms/" + newest + "/acknowledge").status, 303);
    EXPECT_EQ(count(page.get("/alarms").body, "Acknowledged by"), 1u) << "the first word stands";
    EXPECT_EQ(page.post("/alarms/0/acknowledge").status, 404) << "a line that is no alarm";
    EXPECT_EQ(page.post("/alarms/99999999/acknowledge").status, 404);
    EXPECT_EQ(page.post("/alarms/18446744073709551615/acknowledge").status, 404);
    EXPECT_EQ(page.post("/alarms/one/acknowledge").status, 404);
    EXPECT_EQ(browser(support).post("/alarms/" + newest + "/acknowledge").status, 404);
}

TEST_F(AlarmTest, AllOfAPageAreAcknowledgedButNoneThatCameSince) {
    plant("agathe@caribmail.an");
    open("agathe@caribmail.an");
    open("agathe@caribmail.an");
    Browser page = browser(dpo);
    const auto body = page.get("/alarms").body;
    open("agathe@caribmail.an");
    EXPECT_EQ(
        location(page.post("/alarms/acknowledge",
                           {{"newest", Browser::between(body, "name=\"newest\" value=\"", "\"")},
                            {"oldest", Browser::between(body, "name=\"oldest\" value=\"", "\"")}})),
        "/alarms");
    const auto after = page.get("/alarms").body;
    EXPECT_EQ(count(after, "Acknowledged by"), 2u);
    EXPECT_NE(after.find("1 alarm waits"), std::string::npos);
    for (const std::string wrong : {"", "x", "-1", "18446744073709551616"})
        EXPECT_EQ(page.post("/alarms/acknowledge", {{"newest", wrong}, {"oldest", "0"}}).status,
                  400)
            << wrong;
}

TEST_F(AlarmTest, PagesGoBackInTime) {
    plant("agathe@caribmail.an");
    for (int i = 0; i < 51; ++i) open("agathe@caribmail.an");
    Browser page = browser(dpo);
    const auto first = page.get("/alarms").body;
    EXPECT_EQ(count(first, "Canary opened"), 50u);
    const std::string next = Browser::between(first, "href=\"/alarms?before=", "\"");
    ASSERT_FALSE(next.empty());
    const auto second = page.get("/alarms?before=" + next).body;
    EXPECT_EQ(count(second, "Canary opened"), 1u);
    EXPECT_EQ(second.find("?before="), std::string::npos);
    for (const std::string wrong : {"0", "x", "-1"})
        EXPECT_NE(page.get("/alarms?before=" + wrong).body.find("/alarms?before=" + next),
                  std::string::npos)
            << wrong;
}

TEST_F(AlarmTest, AnIncidentBeginsWithTheSessionOfTheAlarm) {
    plant("agathe@caribmail.an");
    open("agathe@caribmail.an");
    Browser page = browser(dpo);
    const auto body = page.get("/alarms").body;
    const std::string link =
        "/incidents/new?" + Browser::between(body, "href=\"/incidents/new?", "\"");
    std::string address = link;
    for (auto at = address.find("&amp;"); at != std::string::npos; at = address.find("&amp;"))
        address.replace(at, 5, "&");
    const auto form = page.get(address).body;
    EXPECT_NE(form.find("Canary opened: an invented person of the copy archive-1"),
              std::string::npos);
    EXPECT_NE(form.find("name=\"session\" value=\"" + support.session.hex() + "\""),
              std::string::npos);
    const std::string scope = location(
        page.post("/incidents/new", {{"title", "Canary"}, {"session", support.session.hex()}}));
    ASSERT_NE(scope.find("/scope/ask?session=" + support.session.hex()), std::string::npos);
    EXPECT_NE(page.get(scope).body.find(support.session.hex()), std::string::npos);
    EXPECT_EQ(browser(administrator).get("/alarms").body.find("/incidents/new"), std::string::npos)
        << "administrators open no incidents";
}

TEST_F(AlarmTest, ADatabaseThatWasPutBackIsSaidInWords) {
    keeper::v1::ReportGenerationRequest request;
    for (const std::uint64_t number : {9, 8}) {
        request.set_generation(number);
        ASSERT_TRUE(keeper_as("casework").report_generation(request));
    }
    EXPECT_NE(browser(dpo).get("/alarms").body.find("A database was replaced by an earlier copy"),
              std::string::npos);
}

}  // namespace
}  // namespace cloison::desk
