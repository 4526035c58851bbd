#include "drill/idor_targets.h"

#include <gtest/gtest.h>

#include "base/seeded_random.h"

namespace cloison::drill {
namespace {

TEST(IdorTargetsTest, PatternsAreFilled) {
    const std::string pattern = "/requests/{request}/documents/{document}";
    EXPECT_EQ(parameter_names(pattern), (std::vector<std::string>{"request", "document"}));
    EXPECT_EQ(fill(pattern, {{"request", "a"}, {"document", "b"}}).value(),
              "/requests/a/documents/b");
    EXPECT_EQ(fill("/requests", {}).value(), "/requests");
}

TEST(IdorTargetsTest, AParameterThatTheDrillDoesNotKnowIsAnError) {
    EXPECT_EQ(fill("/x/{secret}", {{"request", "a"}}).error().message,
              "The drill knows nothing to put in for {secret} of /x/{secret}.");
}

TEST(IdorTargetsTest, OnlyObjectsAreReplaced) {
    SeededRandom random(1);
    const Parameters parameters{{"request", "aa"}, {"index", "7"}, {"page", "names"}};
    const auto others = without_objects(parameters, random);
    EXPECT_EQ(others.at("request").size(), 32U);
    EXPECT_NE(others.at("index"), "7");
    EXPECT_EQ(others.at("page"), "names");
}

TEST(IdorTargetsTest, PagesAreComparedWithoutWhatWasAskedFor) {
    const auto page = [](const std::string& id, const std::string& token) {
        return "<a href=\"/requests/" + id + "?lang=en\"><input name=\"csrf\" value=\"" + token +
               "\">Not found";
    };
    EXPECT_EQ(neutral(page("aaaa", "T1"), {{"request", "aaaa"}}),
              neutral(page("bbbb", "T2"), {{"request", "bbbb"}}));
    EXPECT_NE(neutral(page("aaaa", "T1") + "!", {{"request", "aaaa"}}),
              neutral(page("bbbb", "T2"), {{"request", "bbbb"}}));
}

}  // namespace
}  // namespace cloison::drill
