#include "population/plan.h"

#include <gtest/gtest.h>

#include <map>
#include <set>

namespace cloison::population {
namespace {

const Time kEnd = from_unix_ms(1'790'000'000'000);

bool same(const std::vector<Moment>& a, const std::vector<Moment>& b) {
    if (a.size() != b.size()) return false;
    for (std::size_t i = 0; i < a.size(); ++i) {
        if (a[i].at != b[i].at || a[i].steps.size() != b[i].steps.size()) return false;
        for (std::size_t j = 0; j < a[i].steps.size(); ++j) {
            const Step& left = a[i].steps[j];
            const Step& right = b[i].steps[j];
            if (left.act != right.act || left.resident != right.resident ||
                left.staff != right.staff || left.status != right.status)
                return false;
        }
    }
    return true;
}

TEST(PlanTest, FollowsFromTheSeed) {
    EXPECT_TRUE(same(make_plan(100, 5, kEnd), make_plan(100, 5, kEnd)));
    EXPECT_FALSE(same(make_plan(100, 5, kEnd), make_plan(100, 6, kEnd)));
}

TEST(PlanTest, EndsInTime) {
    const auto plan = make_plan(300, 1, kEnd);
    ASSERT_FALSE(plan.empty());
    EXPECT_LE(plan.back().at, kEnd);
    EXPECT_GE(plan.front().at, kEnd - kPlannedDays * Duration(24 * 3600 * 1000));
    for (std::size_t i = 1; i < plan.size(); ++i) EXPECT_LT(plan[i - 1].at, plan[i].at);
}

TEST(PlanTest, EverybodySignsUpOnceAndFirst) {
    std::set<std::uint32_t> known;
    for (const Moment& moment : make_plan(400, 3, kEnd))
        for (const Step& step : moment.steps) {
            if (step.resident == 0) continue;
            const bool is_new = known.insert(step.resident).second;
            EXPECT_EQ(is_new, step.act == Act::kSignUp);
        }
    EXPECT_EQ(known.size(), 400U);
}

/// Steps of one moment run side by side.
void expect_nobody_twice(const std::vector<Moment>& plan) {
    for (const Moment& moment : plan) {
        std::set<std::uint32_t> residents;
        for (const Step& step : moment.steps) {
            // To look at a profile stands in nobody's way.
            const bool looks = step.act == Act::kSupportCall || step.act == Act::kPartnerLookUp;
            if (looks || step.resident == 0) continue;
            EXPECT_TRUE(residents.insert(step.resident).second);
        }
    }
}

TEST(PlanTest, NobodyIsInTwoStepsOfOneMoment) {
    expect_nobody_twice(make_plan(2000, 1, kEnd));
    expect_nobody_twice(make_plan(2000, 1, kEnd, Habits::kBusy));
}

TEST(PlanTest, BusyPeopleApplyAgainAndHandInSeveralFiles) {
    std::map<std::uint32_t, int> requests;
    std::uint32_t files = 0;
    for (const Moment& moment : make_plan(400, 1, kEnd, Habits::kBusy))
        for (const Step& step : moment.steps) {
            if (step.act == Act::kApply) ++requests[step.resident];
            if (step.act == Act::kAttach) files += step.count;
        }
    int several = 0;
    for (const auto& [resident, count] : requests) several += count > 1 ? 1 : 0;
    EXPECT_GT(several, 10);
    EXPECT_GT(files, 400U);
}

TEST(PlanTest, StaffAreSignedInWhenTheyWork) {
    // Sessions end after an hour without use and after ten hours.
    std::map<std::pair<StaffRole, std::uint32_t>, Time> used;
    std::map<std::pair<StaffRole, std::uint32_t>, Time> began;
    for (const Moment& moment : make_plan(1000, 2, kEnd))
        for (const Step& step : moment.steps) {
            if (step.role == StaffRole::kNone) continue;
            const auto who = std::pair(step.role, step.staff);
            if (step.act == Act::kStaffSignIn) {
                began[who] = moment.at;
            } else {
                EXPECT_LT(moment.at - used[who], Duration(3'600'000));
                EXPECT_LT(moment.at - began[who], Duration(10 * 3'600'000));
            }
            used[who] = moment.at;
        }
}

TEST(PlanTest, OfficersStayWithinTheirDay) {
    std::map<std::pair<std::uint32_t, std::int64_t>, std::set<std::uint32_t>> cases;
    for (const Moment& moment : make_plan(60'000, 1, kEnd))
        for (const Step& step : moment.steps)
            if (step.role == StaffRole::kOfficer && step.resident != 0)
                cases[{step.staff, to_unix_ms(moment.at) / 86'400'000}].insert(step.resident);
    for (const auto& [day, residents] : cases) EXPECT_LE(residents.size(), kCasesPerOfficerDay);
}

}  // namespace
}  // namespace cloison::population
