#include <gmock/gmock.h>

#include "portal/test_house.h"

namespace cloison::portal {
namespace {

using testing::HasSubstr, testing::Not;

class BadInputTest : public House {};

/// Values that every text field must survive: nothing runs, nothing changes, the page says why.
const std::vector<std::string> kHostile{
    "<script>alert(1)</script>", "' OR '1'='1",   "{{t.web.layout.skip}}", "\r\nSet-Cookie: a=b",
    std::string(60'000, 'a'),    "\u202e\u0000x", "../../etc/passwd",      "%00%ff"};

TEST_F(BadInputTest, SignUpAndSignInKeepWhatWasTypedAndSayWhy) {
    for (const std::string& value : kHostile) {
        Browser visitor = browser();
        const auto sign_up = visitor.post("/sign-up", {{"email", value}});
        EXPECT_EQ(sign_up.status, 422);
        EXPECT_THAT(sign_up.body, HasSubstr("There is a problem"));
        EXPECT_THAT(sign_up.body, HasSubstr("href=\"#email\""));
        EXPECT_THAT(sign_up.body, HasSubstr("<title>Error: "));
        EXPECT_THAT(sign_up.body, Not(HasSubstr("<script>alert")));
        const auto sign_in = visitor.post("/sign-in", {{"email", value}, {"password", value}});
        EXPECT_EQ(sign_in.status, 422);
        EXPECT_THAT(sign_in.body, Not(HasSubstr("<script>alert")));
    }
    EXPECT_TRUE(outbox->last().to.empty()) << "no mail was sent";
    Browser visitor = browser();
    EXPECT_THAT(visitor.post("/sign-up", {{"email", "no at sign"}}).body,
                HasSubstr("value=\"no at sign\""));
}

TEST_F(BadInputTest, PasswordsAreBoundedInCharacters) {
    Browser visitor = browser();
    visitor.post("/sign-up", {{"email", "maelle@example.org"}});
    visitor.post("/sign-up/code", {{"code", mailed_code()}});
    const auto with = [&](const std::string& password) {
        return visitor.post("/sign-up/password", {{"password", password}}).status;
    };
    EXPECT_EQ(with(""), 422);
    EXPECT_EQ(with("fourteen chars"), 422);
    EXPECT_EQ(with(std::string(257, 'x')), 422);
    std::string accents;
    for (int i = 0; i < 256; ++i) accents += "é";
    EXPECT_EQ(with(accents), 303) << "256 characters in 512 bytes";
}

TEST_F(BadInputTest, QuestionsRefuseWhatIsWrongAndChangeNothing) {
    Browser person = signed_up("maelle@example.org");
    const std::string path = begun(person);
    for (const std::string& value : kHostile) {
        if (value == "' OR '1'='1") continue;
        const auto page =
            person.post(path + "/questions/names", {{"birth_name", value}, {"forenames", value}});
        EXPECT_EQ(page.status, 422) << value.substr(0, 40);
        EXPECT_THAT(page.body, Not(HasSubstr("<script>alert")));
    }
    for (const auto& [day, month, year] :
         std::vector<std::tuple<std::string, std::string, std::string>>{{"31", "2", "1984"},
                                                                        {"", "", ""},
                                                                        {"1", "", "1984"},
                                                                        {"1", "1", "2999"},
                                                                        {"-1", "1", "1984"},
                                                                        {"x", "y", "z"}}) {
        const auto page = person.post(path + "/questions/birth", {{"birth_date-day", day},
                                                                  {"birth_date-month", month},
                                                                  {"birth_date-year", year},
                                                                  {"birthplace", "Quimper (29)"}});
        EXPECT_EQ(page.status, 422) << day << "/" << month << "/" << year;
        EXPECT_THAT(page.body, HasSubstr("href=\"#birth_date\""));
    }
    for (const char* height : {"39", "251", "1.2.3", "", "-1", "168 cm; DROP"})
        EXPECT_EQ(
            person
                .post(path + "/questions/appearance", {{"height", height}, {"eye_colour", "green"}})
                .status,
            422)
            << height;
    EXPECT_EQ(person.post(path + "/questions/sex", {{"sex", "<x>"}}).status, 422);
    EXPECT_EQ(person.get(path + "/questions/nothing").status, 404);
    EXPECT_EQ(person.post("/requests", {{"type", "../passport"}}).status, 400);
    EXPECT_THAT(person.get(path + "/answers").body, Not(HasSubstr("Quimper")));
}

TEST_F(BadInputTest, MessagesAndProfilesAreBounded) {
    Browser person = signed_up("maelle@example.org");
    const std::string path = begun(person);
    EXPECT_EQ(person.post(path + "/messages", {{"message", ""}}).status, 422);
    EXPECT_EQ(person.post(path + "/messages", {{"message", std::string(2001, 'a')}}).status, 422);
    for (const char* field : {"given_names", "family_name", "phone"}) {
        const auto page = person.post("/account/edit", {{field, "<script>alert(1)</script>"}});
        EXPECT_EQ(page.status, 422) << field;
        EXPECT_THAT(page.body, HasSubstr("&lt;script&gt;"));
        EXPECT_THAT(page.body, HasSubstr("href=\"#" + std::string(field) + "\""));
    }
    EXPECT_THAT(person.get("/account").body, Not(HasSubstr("script&gt;")));
}

TEST_F(BadInputTest, EachFaultOfAnUploadHasItsOwnWords) {
    Browser person = signed_up("maelle@example.org");
    const std::string path = begun(person);
    const std::string target = path + "/documents/add/identity_proof";
    const auto refused = [&](const std::string& name, const std::string& content, int status,
                             const std::string& words) {
        const auto page = person.upload(target, name, content);
        EXPECT_EQ(page.status, status) << words;
        EXPECT_THAT(page.body, HasSubstr(words));
        EXPECT_THAT(page.body, HasSubstr("href=\"#file\""));
    };
    refused("", "", 422, "Choose a file");
    refused("a.pdf", "", 422, "This file is empty");
    refused("a.pdf", "<html><script>alert(1)</script>", 422, "not a readable PDF, JPEG or PNG");
    refused("a.pdf", "MZ" + std::string(9000, 'x'), 422, "not a readable PDF, JPEG or PNG");
    refused("a.pdf", pdf(21 * 1024 * 1024), 413, "larger than 20 MB");
    refused("a.pdf", pdf(6'000) + "trailer << /Encrypt 5 0 R >>\n%%EOF\n", 422,
            "protected by a password");
    EXPECT_THAT(person.get(path).body, Not(HasSubstr("Documents handed in")));
    EXPECT_EQ(person.get(path + "/documents/add/nothing").status, 404);
    // The largest that is allowed.
    std::string largest = pdf(1000);
    largest.insert(largest.size() - 34, std::string(20 * 1024 * 1024 - largest.size(), '\n'));
    ASSERT_EQ(largest.size(), 20U * 1024 * 1024);
    EXPECT_EQ(person.upload(target, "a.pdf", largest).status, 303);
}

class ScannerDownTest : public House {
  protected:
    ScannerDownTest() { clamd = "unix:/nonexistent/clamd.sock"; }
};

TEST_F(ScannerDownTest, NothingIsKeptWhenTheScannerDoesNotAnswer) {
    Browser person = signed_up("maelle@example.org");
    const std::string path = begun(person);
    const auto page = person.upload(path + "/documents/add/identity_proof", "a.pdf", pdf(5'000));
    EXPECT_EQ(page.status, 503);
    EXPECT_THAT(page.body, HasSubstr("The virus scanner does not answer"));
    EXPECT_THAT(person.get(path).body, Not(HasSubstr("Documents handed in")));
}

TEST_F(BadInputTest, SealedCookiesCannotBeMadeUp) {
    Browser visitor = browser();
    visitor.cookies["__Host-sign-up"] =
        base64url_encode(as_bytes(R"({"a":"00","e":"x","c":true})"));
    EXPECT_EQ(visitor.get("/sign-up/password").status, 303);
    visitor.cookies["__Host-cloison"] = "not-a-token";
    EXPECT_EQ(visitor.get("/account").status, 303);
    EXPECT_FALSE(visitor.cookies.contains("__Host-cloison"));
}

}  // namespace
}  // namespace cloison::portal
