#include "keeper/refusals.h"

#include <gtest/gtest.h>

#include "base/seeded_random.h"

namespace cloison::keeper {
namespace {

const Time kStart = from_unix_ms(1'776'000'000'000);
constexpr Duration kMinute{60'000};

TEST(RefusalsTest, TheFirstIsWrittenThenOneAMinute) {
    SeededRandom random(1);
    const auto actor = ActorId::random(random);
    Refusals refusals;
    EXPECT_EQ(refusals.note(actor, 3, kStart), "budget");
    EXPECT_EQ(refusals.note(actor, 3, kStart), std::nullopt);
    EXPECT_EQ(refusals.note(actor, 3, kStart + kMinute - Duration(1)), std::nullopt);
    EXPECT_EQ(refusals.note(actor, 3, kStart + kMinute), "budget, 2 more");
    EXPECT_EQ(refusals.note(actor, 3, kStart + 2 * kMinute), "budget");
}

TEST(RefusalsTest, ActorsAndPurposesAreCountedApart) {
    SeededRandom random(1);
    const auto actor = ActorId::random(random);
    Refusals refusals;
    EXPECT_TRUE(refusals.note(actor, 3, kStart));
    EXPECT_TRUE(refusals.note(actor, 4, kStart));
    EXPECT_TRUE(refusals.note(ActorId::random(random), 3, kStart));
    EXPECT_FALSE(refusals.note(actor, 4, kStart));
}

TEST(RefusalsTest, AtTheBoundTheOldestGoes) {
    SeededRandom random(1);
    Refusals refusals;
    const auto oldest = ActorId::random(random);
    const auto second = ActorId::random(random);
    EXPECT_TRUE(refusals.note(oldest, 1, kStart));
    EXPECT_TRUE(refusals.note(second, 1, kStart + Duration(1)));
    for (std::size_t i = 2; i < Refusals::kMaxRemembered; ++i)
        EXPECT_TRUE(refusals.note(ActorId::random(random), 1, kStart + Duration(2)));
    EXPECT_FALSE(refusals.note(oldest, 1, kStart + Duration(3))) << "all are remembered";
    EXPECT_TRUE(refusals.note(ActorId::random(random), 1, kStart + Duration(3)));
    EXPECT_FALSE(refusals.note(second, 1, kStart + Duration(3)));
    EXPECT_TRUE(refusals.note(oldest, 1, kStart + Duration(3))) << "was let go";
}

}  // namespace
}  // namespace cloison::keeper
