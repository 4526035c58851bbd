#include "portal/portal.h"

#include <gmock/gmock.h>
#include <liboath/oath.h>

#include "portal/test_house.h"

namespace cloison::portal {
namespace {

using testing::HasSubstr, testing::Not;

class PortalTest : public House {};

std::string code_of(const std::string& secret, Time now) {
    const auto bytes = base32_decode(secret);
    char code[7] = {};
    oath_totp_generate(reinterpret_cast<const char*>(bytes->data()), bytes->size(),
                       to_unix_seconds(now), 30, 0, 6, code);
    return code;
}

std::string secret_on(const std::string& page) {
    const auto begin = page.find("c-secret\">") + 10;
    std::string secret;
    for (const char c : page.substr(begin, page.find('<', begin) - begin)) {
        if (c != ' ') secret += c;
    }
    return secret;
}

TEST_F(PortalTest, ResidentAppliesHandsInAndFollows) {
    Browser person = signed_up("maelle@example.org");
    const std::string path = begun(person);
    ASSERT_TRUE(path.starts_with("/requests/")) << path;
    EXPECT_EQ(path.size(), 10U + 32U);
    EXPECT_THAT(person.get(path).body, HasSubstr("To fill in"));
    answer_all(person, path);

    const auto incomplete = person.post(path + "/submit", {});
    EXPECT_EQ(incomplete.status, 422);
    EXPECT_THAT(incomplete.body, HasSubstr("href=\"#document-identity_proof\""));

    const std::string identity_file = pdf(200'000);
    const std::string document = hand_in(person, path, "identity_proof", identity_file);
    hand_in(person, path, "address_proof", pdf(5'000));
    auto answers = person.get(path + "/answers");
    EXPECT_EQ(answers.status, 200);
    EXPECT_THAT(answers.body, HasSubstr("Le Goff"));
    EXPECT_THAT(answers.body, HasSubstr("9 March 1984"));
    EXPECT_THAT(answers.body, HasSubstr("168\u00a0cm"));

    EXPECT_EQ(location(person.post(path + "/submit", {})), path);
    const auto followed = person.get(path);
    EXPECT_THAT(followed.body, HasSubstr("Your request is submitted."));
    EXPECT_THAT(followed.body, HasSubstr("by you"));
    EXPECT_THAT(followed.body, Not(HasSubstr("/questions/")));

    auto downloaded = person.get(document);
    EXPECT_EQ(downloaded.status, 200);
    EXPECT_EQ(downloaded.headers.get("Content-Type"), "application/pdf");
    EXPECT_THAT(std::string(downloaded.headers.get("Content-Disposition").value_or("")),
                HasSubstr("attachment; filename=\"scan.pdf\""));
    EXPECT_EQ(body_of(downloaded), identity_file);

    EXPECT_EQ(person.post(path + "/messages", {{"message", "Hello <b>there</b>"}}).status, 303);
    EXPECT_THAT(person.get(path).body, HasSubstr("Hello &lt;b&gt;there&lt;/b&gt;"));

    // What is submitted cannot be changed.
    EXPECT_EQ(person.post(path + "/questions/names", {{"birth_name", "Other"}}).status, 409);
    EXPECT_EQ(person.upload(path + "/documents/add/address_proof", "a.pdf", pdf(100)).status, 409);
    EXPECT_EQ(person.post(document + "/remove", {}).status, 409);

    EXPECT_EQ(location(person.post(path + "/withdraw", {})), path);
    EXPECT_THAT(person.get(path).body, HasSubstr("Withdrawn"));
    EXPECT_THAT(person.get("/requests").body, HasSubstr("Passport"));
}

TEST_F(PortalTest, FileThatArrivesAfterTheRequestWasHandedInIsNotKept) {
    Browser person = signed_up("maelle@example.org");
    const std::string path = begun(person);
    answer_all(person, path);
    hand_in(person, path, "identity_proof", pdf(5'000));
    hand_in(person, path, "address_proof", pdf(5'000));
    const auto late =
        person.upload(path + "/documents/add/address_proof", "late.pdf", pdf(200'000), [&] {
            Browser other_tab = person;
            EXPECT_EQ(other_tab.post(path + "/submit", {}).status, 303);
        });
    EXPECT_EQ(late.status, 409);
    const std::string page = person.get(path).body;
    EXPECT_THAT(page, HasSubstr("Your request is submitted."));
    EXPECT_THAT(page, Not(HasSubstr("late.pdf")));
}

TEST_F(PortalTest, AnswersThatAreNoLongerAskedAreNotKept) {
    Browser person = signed_up("maelle@example.org");
    const std::string path = begun(person);
    person.post(path + "/questions/parent1-known", {{"parent1_known", "yes"}});
    ASSERT_EQ(person.post(path + "/questions/parent1", {{"parent1_name", "Yann"}}).status, 303);
    ASSERT_THAT(person.get(path + "/answers").body, HasSubstr("Yann"));
    ASSERT_EQ(person.post(path + "/questions/parent1-known", {{"parent1_known", "no"}}).status,
              303);
    ASSERT_EQ(person.post(path + "/questions/parent1-known", {{"parent1_known", "yes"}}).status,
              303);
    EXPECT_THAT(person.get(path + "/answers").body, Not(HasSubstr("Yann")));
}

/// The journal's own word on which fields a page opened: lines of the disclosures page.
TEST_F(PortalTest, PageOpensJustTheFieldsThatItShows) {
    Browser person = signed_up("maelle@example.org");
    const std::string path = begun(person);
    answer_all(person, path);
    const auto newest = [&] {
        const std::string page = person.get("/disclosures").body;
        const auto line = page.find("<br>", page.find("<li><strong>")) + 4;
        return page.substr(line, page.find("<br>", line) - line);
    };
    person.get(path + "/questions/sex");
    EXPECT_EQ(newest(), "Sex");
    person.get(path + "/questions/names");
    EXPECT_EQ(newest(), "Birth name, Forenames");
    const std::string before = person.get("/disclosures").body;
    person.post(path + "/questions/names", {{"birth_name", "Le Goff"}, {"forenames", "Maëlle"}});
    person.get("/requests");
    EXPECT_EQ(person.get("/disclosures").body, before) << "saving and listing open nothing";
}

TEST_F(PortalTest, ChangeLinkLeadsBackToTheAnswers) {
    Browser person = signed_up("maelle@example.org");
    const std::string path = begun(person);
    const auto page = person.get(path + "/questions/sex?from=answers");
    EXPECT_THAT(page.body, HasSubstr("name=\"from\" value=\"answers\""));
    const auto saved = person.post(path + "/questions/sex",
                                   {{"sex", first_choice(page.body, "sex")}, {"from", "answers"}});
    EXPECT_EQ(location(saved), path + "/answers");
}

TEST_F(PortalTest, ExistingAddressGetsTheSamePagesAndAnotherMail) {
    signed_up("maelle@example.org");
    Browser again = browser();
    Browser fresh = browser();
    const auto known = again.post("/sign-up", {{"email", "maelle@example.org"}});
    EXPECT_THAT(outbox->last().subject, HasSubstr("already"));
    const auto unknown = fresh.post("/sign-up", {{"email", "someone@example.org"}});
    EXPECT_THAT(outbox->last().subject, HasSubstr("code"));
    EXPECT_EQ(known.status, unknown.status);
    EXPECT_EQ(location(known), location(unknown));
    const auto wrong_known = again.post("/sign-up/code", {{"code", "000000"}});
    const auto wrong_unknown = fresh.post("/sign-up/code", {{"code", "000000"}});
    EXPECT_EQ(wrong_known.status, 422);
    EXPECT_EQ(wrong_unknown.status, 422);
    EXPECT_EQ(again.get("/sign-up/password").status, 303) << "not before the code";
}

TEST_F(PortalTest, SignInGivesTheSameWordsForWrongPasswordAndUnknownAddress) {
    signed_up("maelle@example.org");
    Browser one = browser();
    Browser other = browser();
    const auto wrong = one.post("/sign-in", {{"email", "maelle@example.org"}, {"password", "x"}});
    const auto unknown =
        other.post("/sign-in", {{"email", "nobody1@example.org"}, {"password", "x"}});
    EXPECT_EQ(wrong.status, 422);
    EXPECT_EQ(unknown.status, 422);
    EXPECT_THAT(wrong.body, HasSubstr("The e-mail address or the password is incorrect"));
    EXPECT_THAT(unknown.body, HasSubstr("The e-mail address or the password is incorrect"));
    EXPECT_THAT(wrong.body, Not(HasSubstr("value=\"x\"")));
    const auto right =
        one.post("/sign-in",
                 {{"email", "Maelle@Example.org"}, {"password", kPassword}, {"next", "/account"}});
    EXPECT_EQ(location(right), "/account");
    EXPECT_EQ(one.get("/account").status, 200);
}

TEST_F(PortalTest, OneTimeCodeIsSetUpAskedForAndRemoved) {
    Browser person = signed_up("maelle@example.org");
    const auto page = person.get("/one-time-code");
    EXPECT_THAT(page.body, HasSubstr("<svg class=\"c-qr\""));
    const std::string secret = secret_on(page.body);
    EXPECT_EQ(person.post("/one-time-code", {{"code", "12"}}).status, 422);
    const auto wrong = person.post("/one-time-code", {{"code", "000000"}});
    EXPECT_EQ(wrong.status, 422);
    EXPECT_EQ(secret_on(wrong.body), secret) << "the same secret is shown again";
    EXPECT_EQ(person.post("/one-time-code", {{"code", code_of(secret, clock.now())}}).status, 303);
    EXPECT_THAT(person.get("/one-time-code").body, Not(HasSubstr("<svg")));

    EXPECT_EQ(location(person.post("/sign-out", {})), "/sign-in");
    EXPECT_FALSE(person.cookies.contains("__Host-cloison"));
    clock.advance(Duration(60'000));
    EXPECT_EQ(location(person.post("/sign-in", {{"email", "maelle@example.org"},
                                                {"password", kPassword},
                                                {"next", "/sign-ins"}})),
              "/sign-in/code");
    EXPECT_EQ(person.get("/account").status, 303) << "not signed in before the code";
    EXPECT_EQ(person.post("/sign-in/code", {{"code", "000000"}}).status, 422);
    EXPECT_EQ(location(person.post("/sign-in/code", {{"code", code_of(secret, clock.now())}})),
              "/sign-ins");
    EXPECT_EQ(person.post("/one-time-code/remove", {{"password", "wrong"}}).status, 422);
    EXPECT_EQ(person.post("/one-time-code/remove", {{"password", kPassword}}).status, 303);
    EXPECT_THAT(person.get("/one-time-code").body, HasSubstr("<svg"));
}

TEST_F(PortalTest, ProfileIsSavedAndShown) {
    Browser person = signed_up("maelle@example.org");
    EXPECT_THAT(person.get("/account").body, HasSubstr("maelle@example.org"));
    EXPECT_EQ(location(person.post("/account/edit", {{"given_names", "Maëlle"},
                                                     {"family_name", "Le Goff"},
                                                     {"phone", "06 12 34 56 78"}})),
              "/account");
    const auto page = person.get("/account");
    EXPECT_THAT(page.body, HasSubstr("Maëlle"));
    EXPECT_THAT(page.body, HasSubstr("+33612345678"));
    EXPECT_THAT(page.body, HasSubstr("Your details are saved."));
    EXPECT_THAT(person.get("/account").body, Not(HasSubstr("Your details are saved."))) << "once";
}

TEST_F(PortalTest, SignInsAndSessionsAreShownAndEnded) {
    Browser person = signed_up("maelle@example.org");
    Browser elsewhere = browser();
    elsewhere.post("/sign-in", {{"email", "maelle@example.org"}, {"password", "wrong password"}});
    clock.advance(Duration(3'600'000));
    person = browser();
    person.post("/sign-in", {{"email", "maelle@example.org"}, {"password", kPassword}});
    elsewhere.post("/sign-in", {{"email", "maelle@example.org"}, {"password", kPassword}});
    ASSERT_EQ(elsewhere.get("/account").status, 200);
    const auto page = person.get("/sign-ins");
    EXPECT_EQ(page.status, 200);
    EXPECT_THAT(page.body, HasSubstr("192.0.2.7"));
    EXPECT_THAT(page.body, HasSubstr("Firefox, Linux"));
    std::vector<std::string> ends;
    for (auto at = page.body.find("action=\"/sessions/"); at != std::string::npos;
         at = page.body.find("action=\"/sessions/", at + 1))
        ends.push_back(page.body.substr(at + 8, page.body.find('"', at + 8) - at - 8));
    ASSERT_GE(ends.size(), 2U);
    // Sessions that began together are listed in no telling order: one's own may be the first.
    for (const auto& end : ends)
        (person.get("/account").status == 200 ? person : elsewhere).post(end, {});
    EXPECT_EQ(elsewhere.get("/account").status, 303);
    EXPECT_EQ(person.get("/account").status, 303);
}

TEST_F(PortalTest, DisclosuresAreShownWithAProof) {
    Browser person = signed_up("maelle@example.org");
    person.get("/account");
    const auto page = person.get("/disclosures");
    EXPECT_EQ(page.status, 200);
    EXPECT_THAT(page.body, HasSubstr("Nobody but you has looked at your data."));
    EXPECT_THAT(page.body, HasSubstr("E-mail address"));
    const auto link = page.body.find("/disclosures/");
    ASSERT_NE(link, std::string::npos);
    const std::string proof = page.body.substr(link, page.body.find('"', link) - link);
    const auto file = person.get(proof);
    EXPECT_EQ(file.status, 200);
    EXPECT_THAT(std::string(file.headers.get("Content-Disposition").value_or("")),
                HasSubstr("attachment"));
    EXPECT_THAT(file.body, HasSubstr("tlog-proof"));
}

TEST_F(PortalTest, ProfessionalLooksUpAndTheResidentSeesIt) {
    Browser person = signed_up("maelle@example.org");
    person.post("/account/edit",
                {{"given_names", "Maëlle"}, {"family_name", "Le Goff"}, {"phone", ""}});
    keeper::v1::BlindIndexRequest look_up;
    look_up.set_field("email");
    look_up.set_value("school@example.org");
    identity::v1::CreateStaffRequest create;
    create.set_role("professional");
    create.set_email_index(keeper_as("portal").blind_index(look_up)->index());
    create.set_display_name("Auto-école du Port");
    create.set_unit("Auto-école du Port");
    create.set_password(kPassword);
    create.set_totp_secret(std::string(20, 't'));
    create.set_acts_for_anyone(true);
    create.set_language("fr");
    const auto made = identity_as("operator").create_staff(create);
    ASSERT_TRUE(made) << made.error().message;

    Browser school = browser();
    school.post("/sign-in", {{"email", "school@example.org"}, {"password", kPassword}});
    const std::string secret = base32_encode(as_bytes(std::string(20, 't')));
    ASSERT_EQ(school.post("/sign-in/code", {{"code", code_of(secret, clock.now())}}).status, 303);
    EXPECT_EQ(school.get("/requests").status, 404) << "a professional is no resident";
    const auto found =
        school.post("/pro", {{"email", "maelle@example.org"}, {"reason", "mandate"}});
    EXPECT_EQ(found.status, 200);
    EXPECT_THAT(found.body, HasSubstr("Le Goff"));
    EXPECT_EQ(school.post("/pro", {{"email", "nobody@example.org"}, {"reason", "mandate"}}).status,
              404);
    EXPECT_EQ(school.post("/pro", {{"email", "maelle@example.org"}, {"reason", "x"}}).status, 422);
    school.accept = "application/json";
    const auto json = school.post("/pro", {{"email", "maelle@example.org"}, {"reason", "mandate"}});
    EXPECT_EQ(web::Json::parse(json.body)["family_name"], "Le Goff");
    EXPECT_EQ(school.post("/pro", {{"email", "nobody@example.org"}, {"reason", "mandate"}})
                  .headers.get("Content-Type")
                  .value_or("")
                  .substr(0, 24),
              "application/problem+json");
    for (int i = 0; i < 110; ++i) person.get("/account");  // One's own lines do not hide others'.
    const auto seen = person.get("/disclosures");
    EXPECT_THAT(seen.body, HasSubstr("Only the 100 newest are shown here."));
    EXPECT_THAT(seen.body, HasSubstr("Professional, Auto-école du Port"));
    EXPECT_THAT(seen.body, HasSubstr("Acting for the person"));
    EXPECT_EQ(person.get("/pro").status, 404);
}

TEST_F(PortalTest, EveryPublicPageExistsInBothLanguages) {
    for (const char* language : {"fr", "en"}) {
        Browser visitor = browser();
        visitor.language = language;
        for (const char* path : {"/", "/help", "/privacy", "/sign-in", "/sign-up"}) {
            const auto page = visitor.get(path);
            EXPECT_EQ(page.status, 200) << path;
            EXPECT_THAT(page.body, HasSubstr("<html lang=\"" + std::string(language) + "\""));
        }
    }
}

}  // namespace
}  // namespace cloison::portal
