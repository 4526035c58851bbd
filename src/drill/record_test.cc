#include "drill/record.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

namespace cloison::drill {
namespace {

TEST(RecordTest, CountsDistinctPairs) {
    Record record;
    record.add("A@demo.example", "email");
    record.add("a@demo.example", "email");
    record.add("a@demo.example", "phone");
    record.add("b@demo.example", "email");
    EXPECT_EQ(record.persons(), 2U);
    EXPECT_EQ(record.pairs(), 3U);
    EXPECT_EQ(record.persons_by_field(),
              (std::map<std::string, std::uint64_t>{{"email", 2}, {"phone", 1}}));
}

TEST(RecordTest, PrecisionAndRecall) {
    Record had;
    for (const char* field : {"email", "phone", "family_name", "given_names"}) had.add("a", field);
    Record named;
    for (const char* field : {"email", "phone", "family_name"}) named.add("a", field);
    named.add("b", "email");
    named.add("b", "phone");
    const auto comparison = compare(had, named);
    EXPECT_DOUBLE_EQ(comparison.recall, 0.75);
    EXPECT_DOUBLE_EQ(comparison.precision, 0.6);
    EXPECT_EQ(comparison.missed, 1U);
    EXPECT_EQ(comparison.excess, 2U);
}

TEST(RecordTest, NothingHadAndNothingNamedIsExact) {
    const auto comparison = compare({}, {});
    EXPECT_DOUBLE_EQ(comparison.recall, 1);
    EXPECT_DOUBLE_EQ(comparison.precision, 1);
}

TEST(ReportTest, IsOkOnlyIfExact) {
    Record had;
    had.add("a", "email");
    Report exact;
    exact.ok = true;
    judge(exact, had, had);
    EXPECT_TRUE(exact.ok);
    Report inexact;
    inexact.ok = true;
    judge(inexact, had, {});
    EXPECT_FALSE(inexact.ok);
    ASSERT_EQ(inexact.faults.size(), 1U);
    EXPECT_DOUBLE_EQ(inexact.recall, 0);
    EXPECT_DOUBLE_EQ(inexact.precision, 1);
}

TEST(ReportTest, KeepsABoundedNumberOfFaults) {
    Report report;
    for (std::size_t i = 0; i < kMaxFaults + 5; ++i) add_fault(report, "fault");
    EXPECT_EQ(report.faults.size(), kMaxFaults);
}

TEST(ReportTest, JsonHoldsTheFigures) {
    Report report;
    report.drill = "partner";
    report.ok = true;
    report.persons = 40;
    report.persons_by_field = {{"email", 40}};
    report.disclosed = 40;
    report.seconds_to_answer = 0.25;
    report.figures = {{"stopped by", "budget"}};
    const auto json = nlohmann::json::parse(report.json());
    EXPECT_EQ(json["drill"], "partner");
    EXPECT_EQ(json["ok"], true);
    EXPECT_EQ(json["persons_by_field"]["email"], 40);
    EXPECT_EQ(json["precision"], 1.0);
    EXPECT_EQ(json["seconds_to_answer"], 0.25);
    EXPECT_EQ(json["figures"]["stopped by"], "budget");
    EXPECT_NE(report.text().find("partner: exact"), std::string::npos);
}

}  // namespace
}  // namespace cloison::drill
