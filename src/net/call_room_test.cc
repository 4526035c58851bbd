#include "net/call_room.h"

#include <gtest/gtest.h>

#include <atomic>
#include <thread>
#include <vector>

namespace cloison::net {
namespace {

using namespace std::chrono_literals;
using Clock = std::chrono::system_clock;

struct Guest final : CallRoom::Waiting {
    void enter_now() override { ++entered; }
    int entered = 0;
};

TEST(CallRoomTest, WhoWaitsEntersInTurn) {
    CallRoom room(1, 2);
    Guest first;
    Guest second;
    Guest third;
    Guest fourth;
    EXPECT_EQ(room.enter(first), CallRoom::Entry::kEntered);
    EXPECT_EQ(room.enter(second), CallRoom::Entry::kWaiting);
    EXPECT_EQ(room.enter(third), CallRoom::Entry::kWaiting);
    EXPECT_EQ(room.enter(fourth), CallRoom::Entry::kRefused);
    EXPECT_FALSE(room.enter_until(Clock::now() + 1h)) << "at once";
    room.leave();
    EXPECT_EQ(second.entered, 1);
    EXPECT_EQ(third.entered, 0);
    room.leave();
    EXPECT_EQ(third.entered, 1);
    room.leave();
    EXPECT_EQ(first.entered, 0) << "was not told to wait";
    EXPECT_EQ(room.enter(fourth), CallRoom::Entry::kEntered);
}

TEST(CallRoomTest, WhoIsForgottenDoesNotEnter) {
    CallRoom room(1, 2);
    Guest inside;
    Guest impatient;
    Guest patient;
    room.enter(inside);
    room.enter(impatient);
    room.enter(patient);
    EXPECT_TRUE(room.forget(impatient));
    EXPECT_FALSE(room.forget(impatient));
    room.leave();
    EXPECT_EQ(impatient.entered, 0);
    EXPECT_EQ(patient.entered, 1);
    EXPECT_FALSE(room.forget(patient));
}

TEST(CallRoomTest, ThreadWaitsUntilThereIsRoomOrItsTimeIsOver) {
    CallRoom room(1, 2);
    EXPECT_TRUE(room.enter_until(Clock::now()));
    EXPECT_FALSE(room.enter_until(Clock::now() + 10ms));
    std::thread thread([&] { EXPECT_TRUE(room.enter_until(Clock::now() + 1h)); });
    room.leave();
    thread.join();
    EXPECT_FALSE(room.enter_until(Clock::now()));
    room.leave();
    EXPECT_TRUE(room.enter_until(Clock::now()));
}

TEST(CallRoomTest, NeverMoreThanThereIsRoomForAndNoRoomIsLost) {
    constexpr int kRoom = 3;
    CallRoom room(kRoom, 100);
    std::atomic<int> inside = 0;
    std::atomic<int> most = 0;
    std::vector<std::thread> threads;
    for (int t = 0; t < 8; ++t)
        threads.emplace_back([&, t] {
            for (int i = 0; i < 2'000; ++i) {
                if (!room.enter_until(Clock::now() + (t % 2 == 0 ? 1h : 20us))) continue;
                int now = ++inside;
                for (int before = most; now > before && !most.compare_exchange_weak(before, now);)
                    ;
                --inside;
                room.leave();
            }
        });
    for (auto& thread : threads) thread.join();
    EXPECT_LE(most, kRoom);
    for (int i = 0; i < kRoom; ++i) EXPECT_TRUE(room.enter_until(Clock::now()));
    EXPECT_FALSE(room.enter_until(Clock::now()));
}

}  // namespace
}  // namespace cloison::net
