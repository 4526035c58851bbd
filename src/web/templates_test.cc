#include "web/templates.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <thread>

#include "base/temporary_directory.h"
#include "web/components.h"
#include "web/qr.h"

namespace cloison::web {
namespace {

constexpr std::string_view kHostile = "<script>alert('x')</script>\"&amp;{{t.a.x}}";

class TemplatesTest : public testing::Test {
  protected:
    TemplatesTest() {
        write("texts/fr/a.toml", "x = \"l'été\"");
        write("texts/en/a.toml", "x = 'summer'");
        write("templates/layout.mustache", "<html>{{> page}}</html>");
    }
    void write(const std::string& file, std::string_view content) {
        const auto path = directory_.path() / file;
        std::filesystem::create_directories(path.parent_path());
        std::ofstream(path) << content;
    }
    Result<Templates> load() {
        const auto texts = Texts::load(local_file_system(), directory_.path() / "texts");
        return Templates::load(local_file_system(), directory_.path() / "templates", *texts);
    }
    std::string fault() {
        const auto templates = load();
        return templates ? "" : templates.error().message;
    }
    TemporaryDirectory directory_;
};

TEST_F(TemplatesTest, MissingPartialTextOrLayoutStopsTheStart) {
    write("templates/home.mustache", "{{> parts/none}}");
    EXPECT_EQ(fault(), "Template parts/none is missing.");
    write("templates/home.mustache", "{{t.a.none}}");
    EXPECT_EQ(fault(), "Template home uses the text a.none, which does not exist.");
    write("templates/home.mustache", "{{#t.a.none}}{{/t.a.none}}");
    EXPECT_EQ(fault(), "Template home uses the text a.none, which does not exist.");
    std::filesystem::remove(directory_.path() / "templates/layout.mustache");
    EXPECT_NE(fault().find("Template layout is missing"), std::string::npos);
}

TEST_F(TemplatesTest, UnescapedTagsDoNotLoad) {
    for (const char* tag : {"{{{x}}}", "{{&x}}", "{{=<% %>=}}"}) {
        write("templates/home.mustache", tag);
        EXPECT_EQ(fault(), "Template home has an unescaped tag or changes the delimiters.") << tag;
    }
}

TEST_F(TemplatesTest, BrokenTemplatesDoNotLoad) {
    write("templates/home.mustache", "{{#a}}");
    EXPECT_NE(fault().find("Template home"), std::string::npos) << fault();
    write("templates/home.mustache", "{{a");
    EXPECT_EQ(fault(), "Template home has a tag without end.");
    write("templates/home.mustache", "{{> home}}");
    EXPECT_EQ(fault(), "Template home includes itself.");
}

TEST_F(TemplatesTest, EverythingIsEscaped) {
    write("templates/home.mustache", "<p title=\"{{x}}\">{{x}}</p>{{#list}}{{.}}{{/list}}");
    const auto templates = load();
    ASSERT_TRUE(templates) << templates.error().message;
    const std::string page = templates->render(
        "home", Language::kFrench, {{"x", kHostile}, {"list", Json::array({kHostile})}});
    EXPECT_EQ(page.find("<script"), std::string::npos) << page;
    EXPECT_EQ(page.find("('x')"), std::string::npos) << page;
    EXPECT_NE(page.find("&lt;script&gt;"), std::string::npos);
    EXPECT_NE(page.find("{{t.a.x}}"), std::string::npos) << "values are not templates";
}

TEST_F(TemplatesTest, TextsAreOfThePagesLanguageAndEscaped) {
    write("templates/home.mustache", "{{t.a.x}}");
    const auto templates = load();
    ASSERT_TRUE(templates);
    EXPECT_EQ(templates->render("home", Language::kFrench, Json::object()),
              "<html>l&apos;été</html>");
    EXPECT_EQ(templates->render_alone("home", Language::kEnglish, Json::object()), "summer");
}

TEST_F(TemplatesTest, EmptyValuesAreFalse) {
    write("templates/home.mustache", "{{#a}}A{{/a}}{{^a}}-{{/a}}");
    const auto templates = load();
    ASSERT_TRUE(templates);
    for (const Json& value : {Json(""), Json(nullptr), Json(false), Json::array()})
        EXPECT_EQ(templates->render_alone("home", Language::kFrench, {{"a", value}}), "-");
    for (const Json& value : {Json("x"), Json(true), Json(0)})
        EXPECT_EQ(templates->render_alone("home", Language::kFrench, {{"a", value}}), "A");
}

TEST_F(TemplatesTest, ThreadsShareOneParsedTemplate) {
    write("templates/home.mustache", "{{#list}}{{x}},{{/list}}");
    const auto templates = load();
    ASSERT_TRUE(templates);
    const auto render = [&](const std::string& x) {
        const Json item{{"x", x}};
        for (int i = 0; i < 200; ++i)
            ASSERT_EQ(templates->render_alone("home", Language::kFrench,
                                              {{"list", Json::array({item, item})}}),
                      x + "," + x + ",");
    };
    std::thread other(render, "a");
    render("b");
    other.join();
}

TEST(PageTemplatesTest, AllLoad) {
    const Path web = Path(CLOISON_SOURCE_DIR) / "web";
    const auto texts = Texts::load(local_file_system(), web / "texts");
    ASSERT_TRUE(texts) << texts.error().message;
    const auto templates = Templates::load(local_file_system(), web / "templates", *texts);
    ASSERT_TRUE(templates) << templates.error().message;
    EXPECT_TRUE(templates->has("pages/error"));
    EXPECT_GE(templates->names().size(), 20U);
}

TEST(PageTemplatesTest, NoInlineScriptOrStyle) {
    for (const auto& entry : std::filesystem::recursive_directory_iterator(
             Path(CLOISON_SOURCE_DIR) / "web/templates")) {
        if (!entry.is_regular_file()) continue;
        std::ifstream file(entry.path());
        const std::string source((std::istreambuf_iterator<char>(file)), {});
        EXPECT_EQ(source.find(" style="), std::string::npos) << entry.path();
        EXPECT_EQ(source.find("<style"), std::string::npos) << entry.path();
        EXPECT_EQ(source.find(" onclick="), std::string::npos) << entry.path();
        for (auto at = source.find("<script"); at != std::string::npos;
             at = source.find("<script", at + 1))
            EXPECT_TRUE(source.substr(at).starts_with("<script type=\"module\" src=\""))
                << entry.path();
    }
}

TEST(FormErrorsTest, SummaryAndFieldSayTheSame) {
    FormErrors errors;
    errors.add("email", "Wrong");
    errors.add("email", "Also wrong");
    errors.add("name", "Missing");
    EXPECT_EQ(errors.summary(), (Json::array({{{"field", "email"}, {"message", "Wrong"}},
                                              {{"field", "name"}, {"message", "Missing"}}})));
    const Json field = text_input({.name = "email", .label = "E-mail", .hint = "h"}, errors);
    EXPECT_EQ(field["error"], "Wrong");
    EXPECT_EQ(field["described_by"], "email-hint email-error");
}

TEST(ComponentsTest, PasswordIsNeverShownAgain) {
    const Json field = password_input({.name = "password", .label = "P", .value = "secret"}, {});
    EXPECT_EQ(field.dump().find("secret"), std::string::npos);
}

TEST(ComponentsTest, ErrorSummaryLeadsToTheFirstInput) {
    const Json choice = radios({.name = "sex", .label = "Sex", .value = "f"},
                               {{"f", "F"}, {"m", "M"}}, FormErrors());
    EXPECT_EQ(choice["options"][0]["id"], "sex");
    EXPECT_EQ(choice["options"][0]["chosen"], true);
    EXPECT_EQ(choice["options"][1]["chosen"], false);
    net::Form typed;
    typed.add("born-day", "31");
    const Json date = date_input({.name = "born", .label = "Born"}, typed, {}, {"D", "M", "Y"});
    EXPECT_EQ(date["parts"][0]["id"], "born");
    EXPECT_EQ(date["parts"][0]["value"], "31");
    EXPECT_EQ(date["parts"][2]["name"], "born-year");
}

TEST(ComponentsTest, PaginationKeepsTheQuery) {
    const Json page = pagination("/queue?status=x", 2, 3);
    EXPECT_EQ(page["previous"], "/queue?status=x&page=1");
    EXPECT_EQ(page["next"], "/queue?status=x&page=3");
    EXPECT_EQ(pagination("/q", 1, 1)["needed"], false);
    EXPECT_EQ(pagination("/q", 1, 2)["previous"], "");
}

TEST(QrTest, HoldsWhatFitsAndRefusesMore) {
    const auto code = qr_code("otpauth://totp/x?secret=ABC", "label");
    ASSERT_TRUE(code);
    // A version has 17 + 4 v modules; four more on each side are the quiet zone.
    EXPECT_EQ(((*code)["size"].get<int>() - 8 - 17) % 4, 0);
    EXPECT_EQ((*code)["path"].get<std::string>().substr(0, 5), "M4,4h") << "the finder's corner";
    EXPECT_TRUE(qr_code(std::string(2331, 'a'), "l"));
    const auto over = qr_code(std::string(2332, 'a'), "l");
    ASSERT_FALSE(over);
    EXPECT_EQ(over.error().code, ErrorCode::kTooLarge);
}

}  // namespace
}  // namespace cloison::web
