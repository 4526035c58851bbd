#include <nlohmann/json.hpp>
#include <set>

#include "desk/test_house.h"
#include "incident/incident_store.h"

namespace cloison::desk {
namespace {

using nlohmann::json;

class IncidentTest : public House {
  protected:
    void SetUp() override {
        House::SetUp();
        officer = staff("officer", "officer@agency.example");
        dpo = staff("dpo", "dpo@agency.example");
        anne = resident("anne@example.org", "Moreau");
        ben = resident("ben@example.org", "=Petit");
        Browser desk_page = browser(officer);
        for (const Resident* who : {&anne, &ben}) {
            const std::string page = "/cases/" + submitted(*who, "Durandal").hex();
            desk_page.post(page + "/take");
            EXPECT_EQ(
                desk_page.post(page + "/reveal", {{"group", "identity"}, {"reason", "examine"}})
                    .status,
                200);
            clock.advance(Duration(1'000));
        }
    }
    std::string incident(Browser& page) {
        const auto opened = page.post("/incidents/new", {{"title", "Read by an officer"}});
        EXPECT_EQ(opened.status, 303);
        return location(opened);
    }
    json scope(Browser& page, const std::string& target) {
        const auto response = page.get(target, "application/json");
        EXPECT_EQ(response.status, 200) << response.body;
        return json::parse(response.body);
    }

    Staff officer;
    Staff dpo;
    Resident anne;
    Resident ben;
};

bool has(const net::HttpResponse& response, std::string_view text) {
    return response.body.find(text) != std::string::npos;
}

TEST_F(IncidentTest, TheScopeIsExactlyWhatWasOpened) {
    Browser page = browser(dpo);
    const std::string base = incident(page) + "/scope";
    const json answer = scope(page, base + "?session=" + officer.session.hex());
    EXPECT_EQ(answer["persons"], 2);
    EXPECT_EQ(answer["lines"], 2);
    EXPECT_EQ(answer["refused"], 0);
    ASSERT_EQ(answer["sessions"].size(), 1U);
    EXPECT_EQ(answer["sessions"][0]["actor"], officer.actor.hex());
    EXPECT_EQ(answer["sessions"][0]["persons"], 2);
    int opened = 0;
    for (const auto& field : answer["fields"]) {
        if (field["field"] == "birth_name") {
            EXPECT_EQ(field["verdict"], "opened");
            EXPECT_EQ(field["persons"], 2);
        }
        if (field["field"] == "contact_email") {
            EXPECT_EQ(field["verdict"], "reachable");
        }
        if (field["field"] == "email") {
            EXPECT_EQ(field["verdict"], "sealed");
        }
        if (field["verdict"] == "opened") ++opened;
    }
    EXPECT_GE(opened, 2);
    EXPECT_GT(answer["covered"]["size"], 0);

    // Half the time: the first reveal only.
    const std::string first = answer["sessions"][0]["first"];
    const std::string last = answer["sessions"][0]["last"];
    EXPECT_EQ(scope(page, base + "?from=" + net::percent_encode(first) +
                              "&to=" + net::percent_encode(last))["persons"],
              1);
    EXPECT_EQ(
        scope(page, base + "?actor=" + officer.actor.hex() + "&field=birth_name")["fields"].size(),
        1U);
    EXPECT_EQ(scope(page, base + "?actor=" + dpo.actor.hex())["persons"], 0);
}

TEST_F(IncidentTest, TheScopeReadsAsAPageInBothLanguages) {
    Browser page = browser(dpo);
    const std::string base = incident(page) + "/scope";
    EXPECT_EQ(page.get(base + "/ask").status, 200);
    const auto english = page.get(base + "?door=desk");
    EXPECT_EQ(english.status, 200);
    EXPECT_TRUE(has(english, "2 people"));
    EXPECT_TRUE(has(english, "<svg"));
    EXPECT_TRUE(has(english, "session=" + officer.session.hex()));
    EXPECT_TRUE(has(page.get(base + "?door=desk&lang=fr"), "2 personnes"));
    EXPECT_TRUE(has(page.get(base + "/lines?door=desk"), "Examen") ||
                has(page.get(base + "/lines?door=desk"), "Instruction"));
    // The form's own inputs: Paris time, two hours ahead of UTC in April.
    EXPECT_TRUE(
        has(page.get(base + "?from_date=15%2F04%2F2026&from_time=12%3A00&lang=en"), "2 people"));
    EXPECT_TRUE(has(page.get(base + "?from_date=15%2F04%2F2026&from_time=13%3A00"), "0 people"));
    EXPECT_EQ(page.get(base + "?from_date=31%2F02%2F2026").status, 422);
    EXPECT_EQ(page.get(base + "?session=00").status, 422);
    EXPECT_EQ(page.get(base + "?session=00", "application/json").status, 400);
}

TEST_F(IncidentTest, TheClockRunsFromTheEarliestAwarenessAndStops) {
    Browser page = browser(dpo);
    const std::string path = incident(page);
    EXPECT_TRUE(has(page.get(path), "The clock starts when"));
    EXPECT_EQ(page.post(path + "/awareness", {{"at_date", "15/04/2027"}, {"source", "x"}}).status,
              422);
    EXPECT_EQ(page.post(path + "/awareness", {{"at_date", "15/04/2026"}}).status, 422);
    EXPECT_EQ(location(page.post(
                  path + "/awareness",
                  {{"at_date", "15/04/2026"}, {"at_time", "11:00"}, {"source", "Prosecutor"}})),
              path);
    const auto running = page.get(path);
    EXPECT_TRUE(has(running, "70 hours 59 minutes left")) << running.body;
    EXPECT_TRUE(has(running, "Prosecutor"));
    clock.advance(std::chrono::hours(72));
    // Staff sessions have ended by now.
    dpo = staff("dpo", "dpo2@agency.example");
    Browser later = browser(dpo);
    EXPECT_TRUE(has(later.get(path), "Overdue by"));
    EXPECT_EQ(location(later.post(
                  path + "/notified",
                  {{"at_date", "16/04/2026"}, {"at_time", "11:00"}, {"reference", "CNIL-1"}})),
              path);
    EXPECT_TRUE(has(later.get(path), "Stopped 48 hours 0 minutes before the deadline"));
    EXPECT_EQ(location(later.post(path + "/notes", {{"note", "All told."}})), path);
    EXPECT_EQ(location(later.post(path + "/close")), path);
    later.post(path + "/notes", {{"note", "Too late."}});
    const auto closed = later.get(path);
    EXPECT_TRUE(has(closed, "All told."));
    EXPECT_FALSE(has(closed, "Too late."));
}

TEST_F(IncidentTest, TheListOfPersonsNeedsASecondPersonAndIsJournaled) {
    Browser page = browser(dpo);
    const std::string path = incident(page);
    const std::string query = "session=" + officer.session.hex();
    EXPECT_TRUE(has(page.get(path + "/exports/new?" + query), "2 people are concerned"));
    const auto asked = page.post(path + "/exports", {{"query", query}});
    ASSERT_EQ(asked.status, 303);
    const std::string list = location(asked);
    // Alone, it cannot be had: neither by downloading nor by approving oneself.
    const std::string investigated = path + "/scope?purpose=investigate";
    EXPECT_EQ(location(page.post(list + "/download", {{"format", "csv"}})), list);
    EXPECT_EQ(page.post(list + "/download", {}, "application/json").status, 403);
    const std::string approval = list.substr(list.rfind('/') + 1);
    EXPECT_EQ(page.post("/approvals/" + approval + "/approve").status, 403);
    EXPECT_EQ(scope(page, investigated)["persons"], 0);

    Browser second = browser(staff("administrator", "admin@agency.example"));
    EXPECT_TRUE(has(second.get("/approvals"), approval));
    EXPECT_EQ(location(second.post("/approvals/" + approval + "/approve")), "/approvals");
    EXPECT_EQ(second.post("/approvals/" + approval + "/approve").status, 303);  // Too late: said.

    const auto csv = page.post(list + "/download", {{"format", "csv"}});
    ASSERT_EQ(csv.status, 200) << csv.body;
    EXPECT_TRUE(has(csv, "\"anne@example.org\",\"Moreau\""));
    EXPECT_TRUE(has(csv, "\"ben@example.org\",\"'=Petit\""));
    EXPECT_TRUE(has(csv, "birth_name"));
    EXPECT_EQ(scope(page, investigated)["persons"], 2);  // Each person opened has a line.

    const json document = json::parse(page.post(list + "/download", {}, "application/json").body);
    ASSERT_EQ(document["persons"].size(), 2U);
    std::set<std::string> listed;  // numbers of persons do not say who came first
    for (const auto& person : document["persons"]) listed.insert(person["email"]);
    EXPECT_EQ(listed, (std::set<std::string>{"anne@example.org", "ben@example.org"}));
    EXPECT_TRUE(has(page.get(list), "csv"));
    EXPECT_TRUE(has(page.get(path), "2 downloads"));

    // Another DPO sees that it exists, but does not get it.
    Browser other = browser(staff("dpo", "dpo3@agency.example"));
    EXPECT_EQ(other.get(list).status, 200);
    EXPECT_EQ(other.post(list + "/download", {}, "application/json").status, 404);
}

TEST_F(IncidentTest, AListThatHasChangedSinceItWasApprovedIsNotOpened) {
    Browser page = browser(dpo);
    const std::string path = incident(page);
    const std::string query = "session=" + officer.session.hex();
    const std::string list = location(page.post(path + "/exports", {{"query", query}}));
    Browser second = browser(staff("administrator", "admin@agency.example"));
    second.post("/approvals/" + list.substr(list.rfind('/') + 1) + "/approve");
    {
        auto database = *incident::open_incident_database(this->path("desk") / "desk.db");
        ASSERT_TRUE(database->write([](storage::Transaction& transaction) -> Status {
            CLOISON_TRY_STATUS(
                transaction.execute("UPDATE exports SET list = $1", {storage::blob(Bytes(32, 1))}));
            return {};
        }));
    }
    EXPECT_EQ(page.post(list + "/download", {}, "application/json").status, 409);
    EXPECT_EQ(location(page.post(list + "/download", {{"format", "csv"}})), list);
    EXPECT_TRUE(has(page.get(list), "not the one that was approved any more"));
    EXPECT_EQ(scope(page, path + "/scope?purpose=investigate")["persons"], 0) << "nobody opened";
}

TEST_F(IncidentTest, SavedScopesOutliveARestart) {
    Browser page = browser(dpo);
    const std::string path = incident(page);
    EXPECT_EQ(
        location(page.post(path + "/scope/save", {{"query", "session=" + officer.session.hex()}})),
        path);
    open_desk();
    Browser after = browser(dpo);
    EXPECT_TRUE(has(after.get(path), "2 people"));
    EXPECT_EQ(scope(after, path + "/scope?session=" + officer.session.hex())["persons"], 2);
}

TEST_F(IncidentTest, AJournalThatIsNotTheOneCoveredBeforeIsRefusedInWords) {
    Browser page = browser(dpo);
    const std::string path = incident(page);
    desk.reset();
    {
        auto database = *incident::open_incident_database(this->path("desk") / "desk.db");
        incident::IncidentStore store(*database, clock, random);
        ASSERT_TRUE(store.set_covered("keeper", {2, {1, 2, 3}, ""}));
    }
    open_desk();
    Browser after = browser(dpo);
    const auto refused = after.get(path + "/scope");
    EXPECT_EQ(refused.status, 500);
    EXPECT_TRUE(has(refused, "it was rewritten"));
    EXPECT_FALSE(has(refused, "2 people"));
    EXPECT_TRUE(has(after.get(path + "/scope", "application/json"), "it was rewritten"));
    EXPECT_EQ(after.get(path + "/scope/lines").status, 500);
    EXPECT_EQ(after.post(path + "/exports", {{"query", ""}}).status, 500);
    EXPECT_EQ(after.get(path).status, 200);  // The session is still good.
}

}  // namespace
}  // namespace cloison::desk
