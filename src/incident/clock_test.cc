#include "incident/clock.h"

#include <gtest/gtest.h>

namespace cloison::incident {
namespace {

const Time kAware = *parse_rfc3339("2026-04-13T09:00:00Z");
constexpr Duration kThreeDays = std::chrono::hours(72);

TEST(DeadlineTest, RunsForSeventyTwoHoursToTheMillisecond) {
    const DeadlineRule& rule = deadline_rules().at(0);
    EXPECT_EQ(rule.after, kThreeDays);
    const Deadline at_start = deadline(rule, kAware, std::nullopt, kAware);
    EXPECT_EQ(at_start.state, DeadlineState::kRunning);
    EXPECT_EQ(at_start.remaining, kThreeDays);
    EXPECT_EQ(format_rfc3339(at_start.due), "2026-04-16T09:00:00Z");
    EXPECT_EQ(deadline(rule, kAware, std::nullopt, kAware + kThreeDays).state,
              DeadlineState::kRunning);
    const Deadline late = deadline(rule, kAware, std::nullopt, kAware + kThreeDays + Duration(1));
    EXPECT_EQ(late.state, DeadlineState::kOverdue);
    EXPECT_EQ(late.remaining, Duration(-1));
}

TEST(DeadlineTest, StopsWhenToldAndSaysWhetherThatWasInTime) {
    const DeadlineRule& rule = deadline_rules().at(0);
    const Time now = kAware + kThreeDays * 5;
    const Deadline in_time = deadline(rule, kAware, kAware + kThreeDays - Duration(5), now);
    EXPECT_EQ(in_time.state, DeadlineState::kStopped);
    EXPECT_EQ(in_time.remaining, Duration(5));
    EXPECT_EQ(deadline(rule, kAware, kAware + kThreeDays + Duration(5), now).remaining,
              Duration(-5));
}

}  // namespace
}  // namespace cloison::incident
