#include "web/texts.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <regex>

#include "base/temporary_directory.h"

namespace cloison::web {
namespace {

class TextsTest : public testing::Test {
  protected:
    void write(const std::string& file, const std::string& content) {
        const auto path = directory_.path() / file;
        std::filesystem::create_directories(path.parent_path());
        std::ofstream(path) << content;
    }
    Result<Texts> load() { return Texts::load(local_file_system(), directory_.path()); }
    std::string fault() {
        const auto texts = load();
        return texts ? "" : texts.error().message;
    }
    TemporaryDirectory directory_;
};

TEST_F(TextsTest, KeyMissingInOneLanguageStopsTheStart) {
    write("fr/a.toml", "x = 'un'\ny = 'deux'");
    write("en/a.toml", "x = 'one'");
    EXPECT_EQ(fault(), "Text a.y is missing in English.");
    write("en/a.toml", "x = 'one'\ny = 'two'\nz = 'three'");
    EXPECT_EQ(fault(), "Text a.z is missing in French.");
}

TEST_F(TextsTest, PlaceholdersMustBeTheSame) {
    write("fr/a.toml", "x = 'un {n}'");
    write("en/a.toml", "x = 'one {m}'");
    EXPECT_EQ(fault(), "Text a.x has different placeholders in French and English.");
}

TEST_F(TextsTest, EmptyAndMalformedTextsStopTheStart) {
    write("fr/a.toml", "x = ''");
    write("en/a.toml", "x = 'one'");
    EXPECT_EQ(fault(), "Text a.x is no string or empty.");
    write("fr/a.toml", "x = 3");
    EXPECT_EQ(fault(), "Text a.x is no string or empty.");
    write("fr/a.toml", "x = 'un'\n???");
    EXPECT_NE(fault().find("fr/a.toml, line 2"), std::string::npos) << fault();
}

TEST_F(TextsTest, FillsInPlaceholdersOnce) {
    write("fr/a.toml", "x = 'bonjour {name} et {other}'");
    write("en/a.toml", "x = 'hello {name} and {other}'");
    const auto texts = load();
    ASSERT_TRUE(texts);
    // What is filled in is not read for placeholders again.
    EXPECT_EQ(texts->get(Language::kEnglish, "a.x", {{"name", "{other}"}, {"other", "B"}}),
              "hello {other} and B");
    EXPECT_EQ(texts->get(Language::kFrench, "a.x", {{"name", "A"}, {"other", "B"}}),
              "bonjour A et B");
}

TEST_F(TextsTest, PluralFollowsTheLanguage) {
    write("fr/a.toml", "d.one = '{n} jour'\nd.other = '{n} jours'");
    write("en/a.toml", "d.one = '{n} day'\nd.other = '{n} days'");
    const auto texts = load();
    ASSERT_TRUE(texts);
    EXPECT_EQ(texts->plural(Language::kFrench, "a.d", 0), "0 jour");
    EXPECT_EQ(texts->plural(Language::kEnglish, "a.d", 0), "0 days");
    EXPECT_EQ(texts->plural(Language::kFrench, "a.d", 1), "1 jour");
    EXPECT_EQ(texts->plural(Language::kFrench, "a.d", 2), "2 jours");
    EXPECT_EQ(texts->plural(Language::kEnglish, "a.d", 1), "1 day");
}

TEST(PageTextsTest, BothLanguagesAreComplete) {
    const auto texts = Texts::load(local_file_system(), Path(CLOISON_SOURCE_DIR) / "web/texts");
    ASSERT_TRUE(texts) << texts.error().message;
    EXPECT_GT(texts->keys().size(), 200U);
}

/// A key, the stem of a plural, or the beginning of a key whose end is a code ("…_404").
bool exists(const Texts& texts, const std::string& key) {
    if (texts.has(key) || texts.has(key + ".one")) return true;
    const auto keys = texts.keys();
    return key.ends_with('_') && std::any_of(keys.begin(), keys.end(),
                                             [&](const auto& one) { return one.starts_with(key); });
}

/// Every literal key in the sources of this folder and of the portal exists, so that get() never
/// meets an unknown one.
TEST(PageTextsTest, EveryKeyInTheSourcesExists) {
    const auto texts = Texts::load(local_file_system(), Path(CLOISON_SOURCE_DIR) / "web/texts");
    ASSERT_TRUE(texts);
    const std::regex literal("\"((?:web|portal)\\.[a-z0-9_]+(?:\\.[a-z0-9_]+)*)\"");
    std::size_t found = 0;
    for (const char* folder : {"web", "portal"}) {
        for (const auto& entry :
             std::filesystem::directory_iterator(Path(CLOISON_SOURCE_DIR) / "src" / folder)) {
            const std::string name = entry.path().filename().string();
            if (!name.ends_with(".cc") || name.ends_with("_test.cc")) continue;
            std::ifstream file(entry.path());
            const std::string source((std::istreambuf_iterator<char>(file)), {});
            for (std::sregex_iterator it(source.begin(), source.end(), literal), end; it != end;
                 ++it) {
                const std::string key = (*it)[1];
                ++found;
                EXPECT_TRUE(exists(*texts, key)) << key << " in " << name;
            }
        }
    }
    EXPECT_GT(found, 100U);
}

TEST(LanguageTest, HeaderDecidesByWeightAndFallsBackToFrench) {
    EXPECT_EQ(language_from_header(""), Language::kFrench);
    EXPECT_EQ(language_from_header("de, es;q=0.9"), Language::kFrench);
    EXPECT_EQ(language_from_header("en-GB,en;q=0.9,fr;q=0.8"), Language::kEnglish);
    EXPECT_EQ(language_from_header("en;q=0.5, fr;q=0.51"), Language::kFrench);
    EXPECT_EQ(language_from_header("de, en;q=0"), Language::kFrench);
    EXPECT_EQ(language_from_header(",,;q=,en;q=x"), Language::kFrench);
}

}  // namespace
}  // namespace cloison::web
