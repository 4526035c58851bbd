#include "identity/passwords.h"

#include <gtest/gtest.h>

#include <atomic>
#include <future>
#include <thread>

namespace cloison::identity {
namespace {

TEST(GateTest, RefusesBeyondItsQueueAndServesThoseInIt) {
    Gate gate(1, 2);
    std::promise<void> entered;
    std::promise<void> release;
    std::atomic<int> served = 0;
    std::atomic<int> refused = 0;
    std::thread inside([&] {
        EXPECT_TRUE(gate.pass([&]() -> Status {
            entered.set_value();
            release.get_future().wait();
            return {};
        }));
    });
    entered.get_future().wait();
    std::vector<std::thread> others;
    for (int i = 0; i < 5; ++i)
        others.emplace_back([&] {
            const auto outcome = gate.pass([&]() -> Status {
                ++served;
                return {};
            });
            if (outcome) return;
            EXPECT_EQ(outcome.error().code, ErrorCode::kUnavailable);
            ++refused;
        });
    while (refused < 3) std::this_thread::yield();  // two wait; the others are refused at once
    EXPECT_EQ(served, 0);
    release.set_value();
    inside.join();
    for (auto& thread : others) thread.join();
    EXPECT_EQ(served, 2);
    EXPECT_EQ(refused, 3);
}

TEST(GateTest, LetsNoMoreInThanItsCapacity) {
    Gate gate(2, 100);
    std::atomic<int> inside = 0;
    std::atomic<int> most = 0;
    std::vector<std::thread> threads;
    for (int i = 0; i < 8; ++i)
        threads.emplace_back([&] {
            for (int j = 0; j < 50; ++j)
                EXPECT_TRUE(gate.pass([&]() -> Status {
                    const int now = ++inside;
                    int seen = most.load();
                    while (seen < now && !most.compare_exchange_weak(seen, now)) {
                    }
                    std::this_thread::yield();
                    --inside;
                    return {};
                }));
        });
    for (auto& thread : threads) thread.join();
    EXPECT_LE(most, 2);
}

}  // namespace
}  // namespace cloison::identity
