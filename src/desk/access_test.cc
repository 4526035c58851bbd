#include <algorithm>
#include <set>

#include "desk/test_house.h"

namespace cloison::desk {
namespace {

/// What each kind of caller gets at a route whose objects belong to an officer's case, another
/// person's session or an incident that exists. 303 is the way to the sign-in page, or a form that
/// was accepted or turned down politely; 404 is the page of an unknown path, byte for byte.
struct Line {
    const char* method;
    const char* pattern;
    int anonymous;
    int resident;       ///< With the session of the residents' portal.
    int other_officer;  ///< An officer without the case.
    int support;
    int dpo;
    int administrator;
};

constexpr Line kMatrix[] = {
    {"GET", "/sign-in", 200, 200, 303, 303, 303, 303},
    {"POST", "/sign-in", 422, 422, 422, 422, 422, 422},
    {"GET", "/sign-in/code", 303, 303, 303, 303, 303, 303},
    {"POST", "/sign-in/code", 303, 303, 303, 303, 303, 303},
    {"GET", "/one-time-code", 303, 303, 200, 200, 200, 200},
    {"POST", "/one-time-code", 401, 401, 303, 303, 303, 303},
    {"GET", "/one-time-code/remove", 303, 303, 200, 200, 200, 200},
    {"POST", "/one-time-code/remove", 401, 401, 422, 422, 422, 422},
    {"GET", "/help", 200, 200, 200, 200, 200, 200},
    {"GET", "/privacy", 200, 200, 200, 200, 200, 200},
    {"GET", "/", 303, 303, 303, 303, 303, 303},
    {"GET", "/sessions", 303, 303, 200, 200, 200, 200},
    {"POST", "/sessions/{session}/end", 401, 401, 404, 404, 404, 404},
    {"GET", "/queue", 303, 303, 200, 404, 404, 404},
    {"POST", "/cases/{request}/take", 401, 401, 303, 404, 404, 404},
    {"GET", "/cases/{request}", 303, 303, 404, 404, 404, 404},
    {"POST", "/cases/{request}/release", 401, 401, 404, 404, 404, 404},
    {"GET", "/cases/{request}/message", 303, 303, 404, 404, 404, 404},
    {"POST", "/cases/{request}/message", 401, 401, 404, 404, 404, 404},
    {"GET", "/cases/{request}/decide/{status}", 303, 303, 404, 404, 404, 404},
    {"POST", "/cases/{request}/decide/{status}", 401, 401, 404, 404, 404, 404},
    {"GET", "/cases/{request}/reveal", 303, 303, 404, 404, 404, 404},
    {"POST", "/cases/{request}/reveal", 401, 401, 404, 404, 404, 404},
    {"GET", "/cases/{request}/documents", 303, 303, 404, 404, 404, 404},
    {"POST", "/cases/{request}/documents", 401, 401, 404, 404, 404, 404},
    {"GET", "/support", 303, 303, 404, 200, 404, 404},
    {"POST", "/support", 401, 401, 404, 422, 404, 404},
    {"GET", "/support/account", 303, 303, 404, 303, 404, 404},
    {"POST", "/support/account", 401, 401, 404, 303, 404, 404},
    {"GET", "/staff", 303, 303, 404, 404, 404, 200},
    {"GET", "/staff/new", 303, 303, 404, 404, 404, 200},
    {"POST", "/staff/new", 401, 401, 404, 404, 404, 422},
    {"GET", "/staff/{actor}/disable", 303, 303, 404, 404, 404, 200},
    {"GET", "/incidents", 303, 303, 404, 404, 200, 404},
    {"GET", "/incidents/new", 303, 303, 404, 404, 200, 404},
    {"POST", "/incidents/new", 401, 401, 404, 404, 422, 404},
    {"GET", "/incidents/{incident}", 303, 303, 404, 404, 200, 404},
    {"GET", "/incidents/{incident}/awareness", 303, 303, 404, 404, 200, 404},
    {"POST", "/incidents/{incident}/awareness", 401, 401, 404, 404, 422, 404},
    {"GET", "/incidents/{incident}/notes", 303, 303, 404, 404, 200, 404},
    {"POST", "/incidents/{incident}/notes", 401, 401, 404, 404, 422, 404},
    {"GET", "/incidents/{incident}/notified", 303, 303, 404, 404, 200, 404},
    {"POST", "/incidents/{incident}/notified", 401, 401, 404, 404, 422, 404},
    {"GET", "/incidents/{incident}/close", 303, 303, 404, 404, 200, 404},
    {"GET", "/incidents/{incident}/scope/ask", 303, 303, 404, 404, 200, 404},
    {"GET", "/incidents/{incident}/scope", 303, 303, 404, 404, 200, 404},
    {"GET", "/incidents/{incident}/scope/lines", 303, 303, 404, 404, 200, 404},
    {"POST", "/incidents/{incident}/scope/save", 401, 401, 404, 404, 400, 404},
    {"GET", "/incidents/{incident}/exports/new", 303, 303, 404, 404, 200, 404},
    {"POST", "/incidents/{incident}/exports", 401, 401, 404, 404, 400, 404},
    {"GET", "/incidents/{incident}/exports/{approval}", 303, 303, 404, 404, 404, 404},
    {"POST", "/incidents/{incident}/exports/{approval}/download", 401, 401, 404, 404, 404, 404},
    {"GET", "/alarms", 303, 303, 404, 404, 200, 200},
    {"POST", "/alarms/acknowledge", 401, 401, 404, 404, 400, 400},
    {"POST", "/alarms/{entry}/acknowledge", 401, 401, 404, 404, 404, 404},
    {"GET", "/approvals", 303, 303, 404, 404, 200, 200},
    {"POST", "/approvals/{approval}/approve", 401, 401, 404, 404, 404, 404},
    // What changes the object or ends the session that is used above comes last.
    {"POST", "/incidents/{incident}/close", 401, 401, 404, 404, 303, 404},
    {"POST", "/staff/{actor}/disable", 401, 401, 404, 404, 404, 303},
    {"POST", "/sign-out", 401, 401, 303, 303, 303, 303},
};

class AccessTest : public House {
  protected:
    void SetUp() override {
        House::SetUp();
        officer = staff("officer", "officer@agency.example");
        other_officer = staff("officer", "other@agency.example");
        support = staff("support", "support@agency.example");
        dpo = staff("dpo", "dpo@agency.example");
        administrator = staff("administrator", "admin@agency.example");
        leaving = staff("support", "leaving@agency.example");
        anne = resident("anne@example.org", "Moreau");
        request = submitted(anne, "Durandal");
        EXPECT_EQ(browser(officer).post("/cases/" + request.hex() + "/take").status, 303);
        Browser page = browser(dpo);
        incident = location(page.post("/incidents/new", {{"title", "Leak"}})).substr(11);
    }
    /// A path of the pattern that names existing objects of somebody else.
    std::string fill(std::string pattern) const {
        const std::map<std::string, std::string> values = {{"{request}", request.hex()},
                                                           {"{session}", officer.session.hex()},
                                                           {"{actor}", leaving.actor.hex()},
                                                           {"{incident}", incident},
                                                           {"{approval}", std::string(32, 'a')},
                                                           {"{status}", "approved"},
                                                           {"{entry}", "0"}};
        for (const auto& [name, value] : values)
            if (const auto at = pattern.find(name); at != std::string::npos)
                pattern.replace(at, name.size(), value);
        return pattern;
    }
    static int status(Browser page, const Line& line, const std::string& path) {
        return line.method == std::string_view("GET") ? page.get(path).status
                                                      : page.post(path).status;
    }

    Staff officer, other_officer, support, dpo, administrator, leaving;
    Resident anne;
    RequestId request;
    std::string incident;
};

TEST_F(AccessTest, EveryRouteHasALineAndEveryLineARoute) {
    std::set<std::string> routes;
    for (const auto& route : desk->site().routes())
        routes.insert(route.method + " " + route.pattern);
    std::set<std::string> lines;
    for (const Line& line : kMatrix) lines.insert(std::string(line.method) + " " + line.pattern);
    for (const auto& route : routes)
        EXPECT_TRUE(lines.contains(route)) << route << " has no line in the access matrix";
    for (const auto& line : lines) EXPECT_TRUE(routes.contains(line)) << line << " is no route";
}

TEST_F(AccessTest, EachCallerGetsWhatTheMatrixSays) {
    Browser resident_session(desk->site());
    resident_session.set_cookie("__Host-desk", anne.token);
    for (const Line& line : kMatrix) {
        const std::string path = fill(line.pattern);
        const std::string name = std::string(line.method) + " " + line.pattern;
        EXPECT_EQ(status(Browser(desk->site()), line, path), line.anonymous) << name;
        EXPECT_EQ(status(resident_session, line, path), line.resident) << name;
        EXPECT_EQ(status(browser(other_officer), line, path), line.other_officer) << name;
        EXPECT_EQ(status(browser(support), line, path), line.support) << name;
        EXPECT_EQ(status(browser(dpo), line, path), line.dpo) << name;
        EXPECT_EQ(status(browser(administrator), line, path), line.administrator) << name;
    }
    // None of it has touched the case.
    EXPECT_EQ(browser(officer).get("/cases/" + request.hex()).status, 200);
}

TEST_F(AccessTest, AnothersObjectIsTheSameBytesAsNone) {
    Browser page = browser(other_officer);
    const auto strip = [](std::string body) {
        // The form token differs from page to page.
        for (auto at = body.find("name=\"csrf\" value=\""); at != std::string::npos;
             at = body.find("name=\"csrf\" value=\"", at + 1))
            body.erase(at + 19, body.find('"', at + 19) - at - 19);
        return body;
    };
    for (const std::string rest : {"", "/message", "/reveal", "/documents"}) {
        const auto anothers = page.get("/cases/" + request.hex() + rest);
        const auto none = page.get("/cases/" + RequestId::random(random).hex() + rest);
        const auto malformed = page.get("/cases/not-an-id" + rest);
        EXPECT_EQ(anothers.status, 404);
        EXPECT_EQ(strip(anothers.body), strip(none.body)) << rest;
        EXPECT_EQ(strip(anothers.body), strip(malformed.body)) << rest;
    }
}

}  // namespace
}  // namespace cloison::desk
