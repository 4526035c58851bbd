#include "base/thread_pool.h"

#include <gtest/gtest.h>

#include <atomic>
#include <latch>

namespace cloison {
namespace {

TEST(ThreadPoolTest, RefusesAtTheBoundAndTakesAgainBelowIt) {
    std::latch started(1);
    std::latch release(1);
    std::latch first_queued_ran(1);
    std::atomic<int> ran{0};
    ThreadPool pool(1, 3);
    ASSERT_TRUE(pool.try_submit([&] {
        started.count_down();
        release.wait();
    }));
    started.wait();
    // The only thread is busy: from here on everything waits in the queue.
    ASSERT_TRUE(pool.try_submit([&] {
        ++ran;
        first_queued_ran.count_down();
    }));
    ASSERT_TRUE(pool.try_submit([&] { ++ran; }));
    ASSERT_TRUE(pool.try_submit([&] { ++ran; }));
    EXPECT_FALSE(pool.try_submit([&] { ++ran; }));
    EXPECT_EQ(ran.load(), 0);
    release.count_down();
    first_queued_ran.wait();
    EXPECT_TRUE(pool.try_submit([&] { ++ran; }));
}

TEST(ThreadPoolTest, FinishesWhatIsQueuedBeforeItGoes) {
    std::atomic<int> ran{0};
    {
        std::latch release(1);
        ThreadPool pool(2, 100);
        for (int i = 0; i < 2; ++i) ASSERT_TRUE(pool.try_submit([&] { release.wait(); }));
        for (int i = 0; i < 50; ++i) ASSERT_TRUE(pool.try_submit([&] { ++ran; }));
        release.count_down();
    }
    EXPECT_EQ(ran.load(), 50);
}

TEST(ThreadPoolTest, TasksRunAtTheSameTimeOnDifferentThreads) {
    std::latch together(3);
    ThreadPool pool(3, 3);
    // Each waits for the others: with fewer threads this never ends.
    for (int i = 0; i < 3; ++i) ASSERT_TRUE(pool.try_submit([&] { together.arrive_and_wait(); }));
    together.wait();
}

TEST(ThreadPoolTest, RefusesTasksFromTasksWhileStopping) {
    std::atomic<int> refused{0};
    {
        std::latch release(1);
        ThreadPool pool(1, 10);
        ASSERT_TRUE(pool.try_submit([&] {
            release.wait();
            // Ends as soon as the destructor below has begun.
            while (pool.try_submit([] {})) std::this_thread::yield();
            ++refused;
        }));
        release.count_down();
    }
    EXPECT_EQ(refused.load(), 1);
}

}  // namespace
}  // namespace cloison
