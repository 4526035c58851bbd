#include "drill/html.h"

#include <gtest/gtest.h>

namespace cloison::drill {
namespace {

TEST(HtmlTest, EntitiesAreDecodedOnce) {
    EXPECT_EQ(decode_entities("L&#39;Ha&#xff;-les-Roses &amp;amp; &lt;b&gt; &quot;"),
              "L'Ha\u00ff-les-Roses &amp; <b> \"");
    EXPECT_EQ(decode_entities("a & b &unknown; &#xffffff; &"), "a & b &unknown; &#xffffff; &");
}

TEST(HtmlTest, TagsAndTheirAttributes) {
    const auto tags = start_tags("<p>1 < 2</p><input type=\"hidden\" name=\"csrf\" value=\"a>b\">");
    ASSERT_EQ(tags.size(), 2U);
    EXPECT_EQ(tags[1].attribute("value"), "a>b");
    EXPECT_EQ(tags[1].attribute("checked"), "");
}

TEST(HtmlTest, FormsAndLinks) {
    constexpr std::string_view kPage =
        R"(<a href="/one?x=1&amp;y=2">1</a><form method="post" action="/two"><input type="hidden"
        name="csrf" value="T"><input name="group" value="a"><input name="group" value="b"></form>)";
    EXPECT_EQ(targets(kPage), (std::vector<std::string>{"/one?x=1&y=2", "/two"}));
    EXPECT_EQ(input_value(kPage, "csrf"), "T");
    EXPECT_EQ(input_value(kPage, "other"), "");
    EXPECT_EQ(input_values(kPage, "group"), (std::vector<std::string>{"a", "b"}));
}

TEST(HtmlTest, OptionsOfOneSelect) {
    constexpr std::string_view kPage =
        R"(<select name="door"><option value="d">D</option></select>
        <select name="actor"><option value="">All</option><option value="1a" selected>Zo&eacute;
        A., Titres</option></select>)";
    const auto options = select_options(kPage, "actor");
    ASSERT_EQ(options.size(), 2U);
    EXPECT_EQ(options[1].value, "1a");
}

TEST(HtmlTest, RowsOfARevealedCase) {
    constexpr std::string_view kPage =
        R"(<dl><div><dt class="k">Adresse postale</dt><dd class="v"><div>3 rue des Lilas</div><div>69001
Lyon</div></dd></div>
<div><dt class="k">Usager<br><span class="s">le 3 mai</span></dt><dd class="v"><div>Bonjour &amp; merci</div></dd></div></dl>)";
    const auto rows = description_rows(kPage);
    ASSERT_EQ(rows.size(), 2U);
    EXPECT_EQ(rows[0].term, "Adresse postale");
    EXPECT_EQ(rows[0].note, "");
    EXPECT_EQ(rows[0].text, "3 rue des Lilas\n69001\nLyon");
    EXPECT_EQ(rows[1].term, "Usager");
    EXPECT_EQ(rows[1].note, "le 3 mai");
    EXPECT_EQ(rows[1].text, "Bonjour & merci");
}

TEST(HtmlTest, LinksBesideAValueAreNoValue) {
    const auto rows = description_rows(
        R"(<dt>Name</dt><dd class="value">Durand</dd><dd class="x__actions"><a>Change</a></dd>)");
    ASSERT_EQ(rows.size(), 1U);
    EXPECT_EQ(rows[0].text, "Durand");
}

}  // namespace
}  // namespace cloison::drill
