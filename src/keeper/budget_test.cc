#include "keeper/budget.h"

#include <gtest/gtest.h>

#include <map>

#include "base/seeded_random.h"

namespace cloison::keeper {
namespace {

constexpr Duration kHour{3'600'000};
constexpr Duration kDay{86'400'000};
const Time kStart = from_unix_ms(1'776'000'000'000);

TEST(RollingDistinctTest, CountsUntilTheHourAndTheDayAreOver) {
    RollingDistinct seen;
    seen.see(1, kStart);
    seen.advance(kStart + kHour - Duration(1));
    EXPECT_EQ(seen.in_hour(), 1u);
    seen.advance(kStart + kHour);
    EXPECT_EQ(seen.in_hour(), 0u);
    EXPECT_EQ(seen.in_day(), 1u);
    seen.advance(kStart + kDay - Duration(1));
    EXPECT_EQ(seen.in_day(), 1u);
    seen.advance(kStart + kDay);
    EXPECT_EQ(seen.in_day(), 0u);
}

TEST(RollingDistinctTest, SeeingAgainProlongsAndDoesNotCountTwice) {
    RollingDistinct seen;
    seen.see(1, kStart);
    seen.see(1, kStart + Duration(10));
    EXPECT_EQ(seen.in_hour(), 1u);
    seen.advance(kStart + kHour);
    EXPECT_EQ(seen.in_hour(), 1u);
    seen.advance(kStart + kHour + Duration(10));
    EXPECT_EQ(seen.in_hour(), 0u);
    seen.see(1, kStart + 2 * kHour);
    EXPECT_EQ(seen.in_hour(), 1u);
    EXPECT_EQ(seen.in_day(), 1u);
}

TEST(RollingDistinctTest, AgreesWithCountingEverythingAnew) {
    SeededRandom random(11);
    RollingDistinct seen;
    std::map<std::uint64_t, Time> last;
    Time now = kStart;
    for (int step = 0; step < 20'000; ++step) {
        now += Duration(static_cast<std::int64_t>(random.uniform(600'000)));
        seen.advance(now);
        const std::uint64_t thing = random.uniform(60);
        seen.see(thing, now);
        last[thing] = now;
        std::size_t hour = 0, day = 0;
        for (const auto& [other, at] : last) {
            hour += at + kHour > now;
            day += at + kDay > now;
        }
        ASSERT_EQ(seen.in_hour(), hour) << step;
        ASSERT_EQ(seen.in_day(), day) << step;
    }
}

class BudgetsTest : public testing::Test {
  protected:
    BudgetsTest() {
        purpose_.number = 3;
        purpose_.budget = {3, 5};
        other_purpose_.number = 4;
        other_purpose_.budget = {3, 5};
        door_.number = 1;
        door_.budget = {100, 100};
    }
    bool open(std::uint32_t person, Time now) { return open(person, now, actor_, purpose_); }
    bool open(std::uint32_t person, Time now, const ActorId& actor,
              const registry::Purpose& purpose) {
        const Charge charge{actor, &purpose, &door_, person};
        if (!budgets_.check(charge, now)) return false;
        budgets_.charge(charge, now);
        return true;
    }

    SeededRandom random_{1};
    ActorId actor_ = ActorId::random(random_);
    ActorId other_ = ActorId::random(random_);
    registry::Purpose purpose_{};
    registry::Purpose other_purpose_{};
    registry::Door door_{};
    Budgets budgets_;
};

TEST_F(BudgetsTest, HoldsAtTheBoundOfTheHour) {
    for (std::uint32_t person = 1; person <= 3; ++person) EXPECT_TRUE(open(person, kStart));
    EXPECT_FALSE(open(4, kStart));
    EXPECT_TRUE(open(2, kStart)) << "somebody who is counted already";
    EXPECT_FALSE(open(4, kStart + kHour - Duration(1)));
    EXPECT_TRUE(open(4, kStart + kHour));
}

TEST_F(BudgetsTest, HoldsAtTheBoundOfTheDay) {
    for (std::uint32_t person = 1; person <= 5; ++person)
        EXPECT_TRUE(open(person, kStart + person * kHour));
    EXPECT_FALSE(open(6, kStart + 10 * kHour));
    EXPECT_TRUE(open(5, kStart + 10 * kHour));
    EXPECT_FALSE(open(6, kStart + kHour + kDay - Duration(1)));
    EXPECT_TRUE(open(6, kStart + kHour + kDay));
}

TEST_F(BudgetsTest, ActorsAndPurposesAreCountedApart) {
    for (std::uint32_t person = 1; person <= 3; ++person) EXPECT_TRUE(open(person, kStart));
    EXPECT_FALSE(open(4, kStart));
    EXPECT_TRUE(open(4, kStart, other_, purpose_));
    EXPECT_TRUE(open(4, kStart, actor_, other_purpose_));
}

TEST_F(BudgetsTest, ADoorIsCountedOverAllActors) {
    door_.budget = {2, 3};
    EXPECT_TRUE(open(1, kStart));
    EXPECT_TRUE(open(2, kStart, other_, purpose_));
    const Charge third{actor_, &purpose_, &door_, 3};
    auto refused = budgets_.check(third, kStart);
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().code, ErrorCode::kExhausted);
    EXPECT_NE(refused.error().message.find("door for this hour"), std::string::npos);
    EXPECT_TRUE(open(1, kStart, other_, purpose_)) << "the same person for another actor";
    EXPECT_TRUE(open(3, kStart + kHour));
    EXPECT_FALSE(open(4, kStart + kHour)) << "the day of the door";
}

TEST_F(BudgetsTest, ActorsOfADayAgoAreForgotten) {
    for (int i = 0; i < 100; ++i) EXPECT_TRUE(open(1, kStart, ActorId::random(random_), purpose_));
    EXPECT_EQ(budgets_.actors(), 100u);
    EXPECT_TRUE(open(1, kStart + kDay));
    EXPECT_EQ(budgets_.actors(), 1u);
}

}  // namespace
}  // namespace cloison::keeper
