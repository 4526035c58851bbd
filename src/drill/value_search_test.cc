#include "drill/value_search.h"

#include <gtest/gtest.h>

#include "base/seeded_random.h"

namespace cloison::drill {
namespace {

Bytes noise(std::size_t size) {
    SeededRandom random(3);
    Bytes bytes(size);
    random.fill(bytes);
    return bytes;
}

Bytes planted(const std::string& what, std::size_t at = 1000) {
    Bytes bytes = noise(4096);
    std::copy(what.begin(), what.end(), bytes.begin() + static_cast<std::ptrdiff_t>(at));
    return bytes;
}

ValueSearch::Findings find(const ValueSearch& search, const Bytes& data) {
    ValueSearch::Findings findings;
    search.search(data, findings);
    return findings;
}

class ValueSearchTest : public testing::Test {
  protected:
    void SetUp() override {
        search_.allow("Durandal");
        search_.add("zoe.durand7@demo.example", "email", false);
        search_.add("Lefebvre", "family_name", true);
        search_.add("Durandal", "family_name", true);
        search_.add("Maëlle-Anaïs", "given_names", true);
    }
    ValueSearch search_;
};

TEST_F(ValueSearchTest, NoiseHoldsNothing) {
    const auto findings = find(search_, noise(1 << 20));
    EXPECT_EQ(findings.certain, 0U);
    EXPECT_FALSE(findings.any());
}

TEST_F(ValueSearchTest, FindsAPlantedValueInEveryEncoding) {
    const std::string value = "zoe.durand7@demo.example";
    const auto base64 = [](const std::string& before, const std::string& text) {
        return base64_encode(as_bytes(before + text + "."));
    };
    std::string le;
    std::string be;
    for (const char c : value) {
        le += {c, '\0'};
        be += {'\0', c};
    }
    for (const std::string& form :
         {value, std::string("ZOE.DURAND7@DEMO.EXAMPLE"), le, be, hex_encode(as_bytes(value)),
          base64("", value), base64("x", value), base64("xy", value)}) {
        const auto findings = find(search_, planted(form));
        EXPECT_EQ(findings.values.size(), 1U) << form;
        EXPECT_TRUE(findings.any());
    }
}

TEST_F(ValueSearchTest, FindsAtBothEnds) {
    const std::string value = "Lefebvre";
    EXPECT_TRUE(find(search_, to_bytes(value)).any());
    Bytes data = noise(100);
    data.push_back(0);
    data.insert(data.end(), value.begin(), value.end());
    EXPECT_TRUE(find(search_, data).any());
}

TEST_F(ValueSearchTest, AWordInsideAnotherIsNone) {
    EXPECT_FALSE(find(search_, to_bytes("xLefebvres")).any());
    EXPECT_TRUE(find(search_, to_bytes("x LEFEBVRE,")).any());
}

TEST_F(ValueSearchTest, AccentsAndAllowedWords) {
    EXPECT_TRUE(find(search_, to_bytes("\"Maëlle-Anaïs\"")).any());
    EXPECT_FALSE(find(search_, to_bytes("CREATE TABLE durandal")).any());
}

TEST_F(ValueSearchTest, ShortValuesCountAgainstChance) {
    ValueSearch search;
    search.add("Petit", "family_name", true);
    EXPECT_FALSE(find(search, planted(" Petit ")).any());
    Bytes many = noise(4096);
    for (std::size_t i = 0; i < 4; ++i) {
        const std::string word = " Petit ";
        std::copy(word.begin(), word.end(), many.begin() + static_cast<std::ptrdiff_t>(100 * i));
    }
    EXPECT_TRUE(find(search, many).any());
}

}  // namespace
}  // namespace cloison::drill
