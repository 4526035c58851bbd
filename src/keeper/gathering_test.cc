#include "keeper/gathering.h"

#include <gtest/gtest.h>

namespace cloison::keeper {
namespace {

using std::chrono::microseconds;
using std::chrono::seconds;

class GatheringTest : public testing::Test {
  protected:
    void calls(int count, microseconds apart) {
        for (int i = 0; i < count; ++i) gathering_.note(now_ += apart);
    }
    Gathering gathering_;
    Gathering::Clock::time_point now_ = Gathering::Clock::time_point() + seconds(1'000);
};

TEST_F(GatheringTest, WhoComesAloneIsNotHeldUp) {
    EXPECT_EQ(gathering_.expected(), 0u);
    calls(1, microseconds(50));
    EXPECT_EQ(gathering_.expected(), 0u);
    calls(1'000, microseconds(200));
    EXPECT_EQ(gathering_.expected(), 0u) << "five thousand a second";
    calls(10'000, microseconds(10));
    calls(1'000, microseconds(200));
    EXPECT_EQ(gathering_.expected(), 0u) << "and no longer many";
}

TEST_F(GatheringTest, ManyAreWaitedForAsManyAsCome) {
    calls(1'000, microseconds(50));
    EXPECT_GE(gathering_.expected(), 19u);
    EXPECT_LE(gathering_.expected(), 20u);
    calls(1'000, microseconds(10));
    EXPECT_GE(gathering_.expected(), 90u);
    EXPECT_LE(gathering_.expected(), 100u);
}

TEST_F(GatheringTest, TheBoundIsSixInAMillisecond) {
    calls(5'000, microseconds(166));
    EXPECT_EQ(gathering_.expected(), 6u);
    calls(5'000, microseconds(168));
    EXPECT_EQ(gathering_.expected(), 0u);
}

TEST_F(GatheringTest, APauseEndsIt) {
    calls(1'000, microseconds(10));
    calls(2, seconds(60));
    EXPECT_EQ(gathering_.expected(), 0u);
}

TEST_F(GatheringTest, SeldomIsLessThanOnceInAMillisecond) {
    EXPECT_TRUE(gathering_.are_seldom());
    calls(5'000, microseconds(990));
    EXPECT_FALSE(gathering_.are_seldom());
    calls(5'000, microseconds(1'010));
    EXPECT_TRUE(gathering_.are_seldom());
}

TEST_F(GatheringTest, ManyAtOneMomentAreNoFault) {
    calls(10'000, microseconds(0));
    EXPECT_LE(gathering_.expected(), 10'000u);
    EXPECT_GT(gathering_.expected(), 1'000u);
}

}  // namespace
}  // namespace cloison::keeper
