#include "drill/link.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

namespace cloison::drill {
namespace {

/// Two stores of which one was matched so well, over so many choices.
LinkedPair pair_with(double ratio, double low, double high) {
    LinkedPair pair;
    pair.a = "identity";
    pair.b = "casework";
    pair.records = "account and request";
    pair.linking.judged = true;
    pair.linking.chance = 1.0 / 1024;  // Exact, and so is ratio().
    pair.linking.success = ratio / 1024;
    pair.linking.low = low;
    pair.linking.high = high;
    return pair;
}

LinkReport report_of(LinkedPair pair) {
    LinkReport report;
    report.persons = 1024;
    report.add(std::move(pair));
    return report;
}

TEST(LinkReportTest, UpToTwiceChancePasses) {
    for (const auto& pair : {pair_with(1, 0.9, 1.1), pair_with(2, 1.5, 2.5), pair_with(2, 0, 4)}) {
        const auto report = report_of(pair);
        EXPECT_TRUE(report.ok()) << report.text();
        EXPECT_TRUE(report.tells());
        EXPECT_TRUE(report.faults.empty());
        EXPECT_TRUE(report.undecided.empty());
        EXPECT_NE(report.text().find("no two stores link"), std::string::npos) << report.text();
    }
}

TEST(LinkReportTest, MoreThanChanceExplainsIsAFault) {
    for (const auto& pair : {pair_with(2.001, 1.001, 3), pair_with(50, 40, 60)}) {
        const auto report = report_of(pair);
        EXPECT_FALSE(report.ok());
        EXPECT_EQ(report.faults.size(), 1U);
        EXPECT_TRUE(report.undecided.empty());
        EXPECT_NE(report.text().find("NOT CLEAN"), std::string::npos) << report.text();
    }
}

TEST(LinkReportTest, MoreThanTheBoundThatChanceMayExplainIsUndecidedAndNoSuccess) {
    for (const auto& pair : {pair_with(2.001, 1, 3), pair_with(5, 0, 12)}) {
        const auto report = report_of(pair);
        EXPECT_FALSE(report.ok());
        EXPECT_TRUE(report.faults.empty());
        ASSERT_EQ(report.undecided.size(), 1U);
        EXPECT_EQ(report.text().find("no two stores link"), std::string::npos) << report.text();
        EXPECT_EQ(report.text().find("link: UNDECIDED"), 0U) << report.text();
        const auto json = nlohmann::json::parse(report.json());
        EXPECT_FALSE(json["ok"].get<bool>());
        EXPECT_EQ(json["undecided"].size(), 1U);
        EXPECT_TRUE(json["faults"].empty());
    }
}

TEST(LinkReportTest, AFaultIsNamedBeforeWhatIsUndecided) {
    auto report = report_of(pair_with(3, 0.5, 5.5));
    report.add(pair_with(3, 2, 4));
    EXPECT_EQ(report.text().find("link: NOT CLEAN"), 0U) << report.text();
    EXPECT_EQ(report.faults.size(), 1U);
    EXPECT_EQ(report.undecided.size(), 1U);
}

TEST(LinkReportTest, ThePairsOfTheKeepersOwnStoresAreMeasuredAndNotBounded) {
    for (auto pair : {pair_with(900, 800, 1000), pair_with(3, 0.5, 5.5)}) {
        pair.bounded = false;
        const auto report = report_of(pair);
        EXPECT_TRUE(report.ok());
        EXPECT_FALSE(report.tells());
        EXPECT_NE(report.text().find("(the keeper's own: not bounded)"), std::string::npos);
    }
}

}  // namespace
}  // namespace cloison::drill
