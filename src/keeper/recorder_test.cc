#include "keeper/recorder.h"

#include <atomic>
#include <future>
#include <set>
#include <thread>

#include "keeper/support_for_test.h"

namespace cloison::keeper {
namespace {

const Time kStart = from_unix_ms(TestBed::kStartMs);

std::vector<journal::Entry> some(std::size_t count) {
    std::vector<journal::Entry> entries(count);
    for (auto& entry : entries) entry.reason = "x";
    return entries;
}

class RecorderTest : public testing::Test {
  protected:
    std::unique_ptr<Recorder> recorder(Time last = {}, std::size_t max_waiting = 10) {
        return std::make_unique<Recorder>(
            journal_, clock_, random_, last,
            Recorder::Hooks{[this](const Error&) { ++failures_; }, [this] { ++durable_; }},
            max_waiting);
    }
    /// So many calls at once that the next ones are expected soon.
    void hurry(Recorder& recorder) {
        std::vector<Recorder::Pending> pending;
        for (int i = 0; i < 500; ++i)
            pending.push_back(*recorder.queue(1, [](Time) { return some(1); }));
        for (auto& each : pending) ASSERT_TRUE(recorder.wait(std::move(each)));
        journal_.entries.clear();
        journal_.appends = 0;
        durable_ = 0;
    }
    std::vector<Time> times() const {
        std::vector<Time> times;
        for (const auto& bytes : journal_.entries)
            times.push_back(journal::decode_entry(bytes)->time);
        return times;
    }

    MemoryJournal journal_;
    ManualClock clock_{kStart};
    SeededRandom random_{1};
    std::atomic<int> failures_{0};
    std::atomic<int> durable_{0};
};

TEST_F(RecorderTest, FillsInTimeAndSalt) {
    auto made = recorder();
    auto written = made->write(some(2));
    ASSERT_TRUE(written);
    EXPECT_EQ(written->first, 0u);
    EXPECT_EQ(written->entries, journal_.entries);
    EXPECT_EQ(times(), (std::vector<Time>{kStart, kStart}));
    EXPECT_NE(journal_.entries[0], journal_.entries[1]) << "the salts differ";
    EXPECT_EQ(durable_, 1);
}

TEST_F(RecorderTest, TimesNeverGoBack) {
    auto made = recorder(kStart + Duration(500));
    ASSERT_TRUE(made->write(some(1)));
    clock_.advance(Duration(1000));
    ASSERT_TRUE(made->write(some(1)));
    clock_.advance(Duration(-900));
    EXPECT_EQ(made->now(), kStart + Duration(1000));
    ASSERT_TRUE(made->write(some(1)));
    EXPECT_EQ(times(), (std::vector<Time>{kStart + Duration(500), kStart + Duration(1000),
                                          kStart + Duration(1000)}));
}

TEST_F(RecorderTest, LinesThatComeTogetherShareAnAppend) {
    auto made = recorder();
    std::vector<Recorder::Pending> pending;
    for (int i = 0; i < 5; ++i) {
        auto queued = made->queue(2, [](Time) { return some(2); });
        ASSERT_TRUE(queued);
        pending.push_back(std::move(*queued));
    }
    EXPECT_EQ(journal_.appends, 0u);
    for (std::size_t i = 0; i < pending.size(); ++i) {
        auto lines = made->wait(std::move(pending[i]));
        ASSERT_TRUE(lines);
        EXPECT_EQ(lines->first, 2 * i);
        EXPECT_EQ(journal_.entries[lines->first + 1], lines->entries[1]);
    }
    EXPECT_EQ(journal_.appends, 1u);
}

TEST_F(RecorderTest, WhoComesSeldomIsToldOnItsOwnThread) {
    auto made = recorder();
    auto queued = made->queue(1, [](Time) { return some(1); });
    ASSERT_TRUE(queued);
    std::thread::id told;
    made->then(std::move(*queued), [&](Result<Recorder::Lines> lines) {
        if (lines) told = std::this_thread::get_id();
    });
    EXPECT_EQ(told, std::this_thread::get_id()) << "before then() returned";
    EXPECT_EQ(journal_.entries.size(), 1u);
}

TEST_F(RecorderTest, WhoDoesNotWaitIsToldWhenTheLinesAreThere) {
    auto made = recorder({}, Recorder::kMaxWaiting);
    hurry(*made);
    std::promise<Result<Recorder::Lines>> told;
    auto queued = made->queue(2, [](Time) { return some(2); });
    ASSERT_TRUE(queued);
    EXPECT_EQ(journal_.appends, 0u) << "nobody has asked for it";
    made->then(std::move(*queued), [&](Result<Recorder::Lines> lines) {
        EXPECT_EQ(journal_.entries.size(), 2u);
        told.set_value(std::move(lines));
    });
    const auto lines = told.get_future().get();
    ASSERT_TRUE(lines);
    EXPECT_EQ(lines->first, 0u);
    EXPECT_EQ(lines->entries, journal_.entries);
}

TEST_F(RecorderTest, WhoWaitsAndWhoDoesNotShareAnAppend) {
    auto made = recorder({}, Recorder::kMaxWaiting);
    hurry(*made);
    auto first = made->queue(1, [](Time) { return some(1); });
    auto second = made->queue(1, [](Time) { return some(1); });
    ASSERT_TRUE(first && second);
    std::promise<std::uint64_t> told;
    made->then(std::move(*second),
               [&](Result<Recorder::Lines> lines) { told.set_value(lines->first); });
    const auto waited = made->wait(std::move(*first));
    ASSERT_TRUE(waited);
    EXPECT_EQ(waited->first, 0u);
    EXPECT_EQ(told.get_future().get(), 1u);
    EXPECT_EQ(journal_.appends, 1u);
}

TEST_F(RecorderTest, WhoComesLateOrWritesNothingIsToldAtOnce) {
    auto made = recorder();
    auto queued = made->queue(1, [](Time) { return some(1); });
    auto same = made->queue(1, [](Time) { return some(1); });
    auto nothing = made->queue(1, [](Time) { return some(0); });
    ASSERT_TRUE(queued && same && nothing);
    ASSERT_TRUE(made->wait(std::move(*queued)));
    int told = 0;
    const auto count = [&](Result<Recorder::Lines> lines) { told += lines ? 1 : 0; };
    made->then(std::move(*same), count);
    EXPECT_EQ(told, 1);
    made->then(std::move(*nothing), count);
    EXPECT_EQ(told, 2);
}

TEST_F(RecorderTest, WhoDoesNotWaitIsToldOfAFailureAndMayThrow) {
    auto made = recorder({}, Recorder::kMaxWaiting);
    hurry(*made);
    journal_.failing = true;
    std::promise<ErrorCode> told;
    auto first = made->queue(1, [](Time) { return some(1); });
    auto second = made->queue(1, [](Time) { return some(1); });
    ASSERT_TRUE(first && second);
    made->then(std::move(*first), [](Result<Recorder::Lines>) { throw std::exception(); });
    made->then(std::move(*second),
               [&](Result<Recorder::Lines> lines) { told.set_value(lines.error().code); });
    EXPECT_EQ(told.get_future().get(), ErrorCode::kUnavailable);
    EXPECT_EQ(failures_, 1) << "before anybody is told";
    made.reset();
    EXPECT_EQ(durable_, 0);
}

TEST_F(RecorderTest, NobodyIsForgottenAtTheEnd) {
    std::atomic<int> told{0};
    for (int round = 0; round < 50; ++round) {
        auto made = recorder({}, Recorder::kMaxWaiting);
        hurry(*made);
        for (int i = 0; i < 5; ++i) {
            auto queued = made->queue(1, [](Time) { return some(1); });
            ASSERT_TRUE(queued);
            made->then(std::move(*queued), [&](Result<Recorder::Lines> lines) {
                if (lines) ++told;
            });
        }
    }
    EXPECT_EQ(told, 250);
    EXPECT_EQ(journal_.entries.size(), 5u) << "of the last round";
}

TEST_F(RecorderTest, BeyondItsBoundItIsUnavailableAndComposesNothing) {
    auto made = recorder();
    auto full = made->queue(10, [](Time) { return some(10); });
    ASSERT_TRUE(full);
    bool composed = false;
    const auto compose = [&](Time) {
        composed = true;
        return some(1);
    };
    EXPECT_EQ(made->queue(1, compose).error().code, ErrorCode::kUnavailable);
    EXPECT_FALSE(composed);
    ASSERT_TRUE(made->wait(std::move(*full)));
    auto next = made->queue(1, compose);
    ASSERT_TRUE(next);
    ASSERT_TRUE(made->wait(std::move(*next)));
}

TEST_F(RecorderTest, OneCallHasAtMostABatch) {
    auto made = recorder({}, Recorder::kMaxWaiting);
    EXPECT_TRUE(made->write(some(Recorder::kMaxBatch)));
    EXPECT_EQ(made->write(some(Recorder::kMaxBatch + 1)).error().code, ErrorCode::kInvalidArgument);
}

TEST_F(RecorderTest, NothingToWriteWritesNothing) {
    auto made = recorder();
    ASSERT_TRUE(made->write({}));
    EXPECT_EQ(journal_.appends, 0u);
}

TEST_F(RecorderTest, AfterAFailureNothingIsWrittenAnyMore) {
    auto made = recorder();
    journal_.failing = true;
    auto before = made->queue(1, [](Time) { return some(1); });
    ASSERT_TRUE(before);
    EXPECT_EQ(made->write(some(1)).error().code, ErrorCode::kUnavailable);
    journal_.failing = false;
    EXPECT_EQ(made->wait(std::move(*before)).error().code, ErrorCode::kUnavailable);
    EXPECT_EQ(made->write(some(1)).error().code, ErrorCode::kUnavailable);
    EXPECT_EQ(journal_.entries.size(), 0u);
    EXPECT_EQ(failures_, 1);
    EXPECT_EQ(durable_, 0);
}

TEST_F(RecorderTest, ManyThreadsKeepTheOrderOfTime) {
    auto made = recorder({}, Recorder::kMaxWaiting);
    std::vector<std::thread> threads;
    std::atomic<int> mismatches{0};
    const auto check = [&](const Result<Recorder::Lines>& lines) {
        std::lock_guard lock(journal_.mutex);
        mismatches += !lines || journal_.entries.at(lines->first) != lines->entries[0];
    };
    for (int t = 0; t < 8; ++t)
        threads.emplace_back([&, t] {
            for (int i = 0; i < 200; ++i) {
                clock_.advance(Duration(1));
                if (t % 2 == 0) {
                    check(made->write(some(2)));
                    continue;
                }
                auto queued = made->queue(2, [](Time) { return some(2); });
                if (queued)
                    made->then(std::move(*queued), check);
                else
                    ++mismatches;
            }
        });
    for (auto& thread : threads) thread.join();
    made.reset();
    EXPECT_EQ(mismatches, 0);
    EXPECT_EQ(journal_.entries.size(), 3200u);
    const auto all = times();
    EXPECT_TRUE(std::is_sorted(all.begin(), all.end()));
}

/// A journal that fails as nothing but memory does.
class ThrowingJournal : public MemoryJournal {
  public:
    Result<std::uint64_t> append(const std::vector<Bytes>&) override { throw std::bad_alloc(); }
};

TEST_F(RecorderTest, WhatNobodyCouldGoOnFromEndsTheProcess) {
    GTEST_FLAG_SET(death_test_style, "threadsafe");
    EXPECT_DEATH(
        {
            ThrowingJournal journal;
            Recorder made(journal, clock_, random_, Time{}, {});
            static_cast<void>(made.write(some(1)));
        },
        "");
}

}  // namespace
}  // namespace cloison::keeper
