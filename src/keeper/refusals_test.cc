#include "keeper/refusals.h"

#include <gtest/gtest.h>

#include "base/seeded_random.h"

namespace cloison::keeper {
namespace {

const Time kStart = from_unix_ms(1'776'000'000'000);
constexpr Duration kMinute{60'000};
constexpr Duration kHour = 60 * kMinute;

TEST(RefusalsTest, TheFirstIsWrittenThenOneAMinute) {
    SeededRandom random(1);
    const auto actor = ActorId::random(random);
    Refusals refusals(20);
    EXPECT_EQ(refusals.note(actor, 3, kStart).line, "budget");
    EXPECT_EQ(refusals.note(actor, 3, kStart).line, std::nullopt);
    EXPECT_EQ(refusals.note(actor, 3, kStart + kMinute - Duration(1)).line, std::nullopt);
    EXPECT_EQ(refusals.note(actor, 3, kStart + kMinute).line, "budget, 2 more");
    EXPECT_EQ(refusals.note(actor, 3, kStart + 2 * kMinute).line, "budget");
}

TEST(RefusalsTest, ActorsAndPurposesAreCountedApart) {
    SeededRandom random(1);
    const auto actor = ActorId::random(random);
    Refusals refusals(20);
    EXPECT_TRUE(refusals.note(actor, 3, kStart).line);
    EXPECT_TRUE(refusals.note(actor, 4, kStart).line);
    EXPECT_TRUE(refusals.note(ActorId::random(random), 3, kStart).line);
    EXPECT_FALSE(refusals.note(actor, 4, kStart).line);
}

TEST(RefusalsTest, AtTheBoundTheOldestGoes) {
    SeededRandom random(1);
    Refusals refusals(20);
    const auto oldest = ActorId::random(random);
    const auto second = ActorId::random(random);
    EXPECT_TRUE(refusals.note(oldest, 1, kStart).line);
    EXPECT_TRUE(refusals.note(second, 1, kStart + Duration(1)).line);
    for (std::size_t i = 2; i < Refusals::kMaxRemembered; ++i)
        EXPECT_TRUE(refusals.note(ActorId::random(random), 1, kStart + Duration(2)).line);
    EXPECT_FALSE(refusals.note(oldest, 1, kStart + Duration(3)).line) << "all are remembered";
    EXPECT_TRUE(refusals.note(ActorId::random(random), 1, kStart + Duration(3)).line);
    EXPECT_FALSE(refusals.note(second, 1, kStart + Duration(3)).line);
    EXPECT_TRUE(refusals.note(oldest, 1, kStart + Duration(3)).line) << "was let go";
}

TEST(RefusalsTest, BeyondTheThresholdThereIsAnAlarmOnceAnHour) {
    constexpr std::uint32_t threshold = 5;
    SeededRandom random(1);
    const auto actor = ActorId::random(random);
    Refusals refusals(threshold);
    for (std::uint32_t i = 0; i < threshold; ++i)
        EXPECT_FALSE(refusals.note(actor, 3, kStart).alarm) << "up to the threshold";
    EXPECT_FALSE(refusals.note(actor, 4, kStart).alarm) << "another purpose";
    EXPECT_TRUE(refusals.note(actor, 3, kStart + kHour - Duration(1)).alarm);
    EXPECT_FALSE(refusals.note(actor, 3, kStart + kHour - Duration(1)).alarm);
    const Time next = kStart + 2 * kHour - Duration(1);
    for (std::uint32_t i = 0; i < threshold; ++i)
        EXPECT_FALSE(refusals.note(actor, 3, next - Duration(1)).alarm) << "within the hour";
    EXPECT_TRUE(refusals.note(actor, 3, next).alarm);
}

TEST(RefusalsTest, OnlyTheLastHourCounts) {
    SeededRandom random(1);
    const auto actor = ActorId::random(random);
    Refusals refusals(2);
    for (int i = 0; i < 50; ++i)
        EXPECT_FALSE(refusals.note(actor, 3, kStart + i * (kHour / 2)).alarm) << "two in an hour";
    EXPECT_TRUE(refusals.note(actor, 3, kStart + 49 * (kHour / 2)).alarm);
}

TEST(RefusalsTest, ARestartKnowsWhatTheLinesSay) {
    SeededRandom random(1);
    journal::Entry line;
    line.actor = ActorId::random(random);
    line.purpose = 3;
    line.kind = journal::EntryKind::kRefused;
    line.time = kStart;
    line.reason = "budget";
    const auto after = [&](const std::string& reason, bool alarmed) {
        Refusals refusals(5);
        refusals.replay(line);
        journal::Entry second = line;
        second.time = kStart + kMinute;
        second.reason = reason;
        refusals.replay(second);
        if (alarmed) {
            second.kind = journal::EntryKind::kAlarm;
            second.reason = "budget refusals";
            refusals.replay(second);
        }
        return refusals.note(line.actor, 3, kStart + 2 * kMinute).alarm;
    };
    EXPECT_FALSE(after("budget", false)) << "three";
    EXPECT_FALSE(after("budget, 2 more", false)) << "five";
    EXPECT_TRUE(after("budget, 3 more", false)) << "six";
    EXPECT_FALSE(after("budget, 3 more", true)) << "the alarm was raised";
    EXPECT_TRUE(after("budget, 99999999 more", false));
    Refusals refusals(5);
    refusals.replay(line);
    EXPECT_FALSE(refusals.note(line.actor, 3, kStart + Duration(1)).line) << "the minute goes on";
}

}  // namespace
}  // namespace cloison::keeper
