#include "identity/throttle.h"

#include <gtest/gtest.h>

#include <atomic>
#include <thread>

#include "base/temporary_directory.h"
#include "identity/identity_schema.h"

namespace cloison::identity {
namespace {

class ThrottleTest : public ::testing::Test {
  protected:
    bool allowed(const Bytes& who, bool known = true) {
        const auto attempt = throttle.count(who, known);
        return attempt || attempt.error().code != ErrorCode::kExhausted;
    }
    void forgive(const Try& attempt) {
        ASSERT_TRUE(database->write([&](storage::Transaction& transaction) {
            return Throttle::forgive(transaction, attempt);
        }));
    }
    std::int64_t rows() {
        return database
            ->read_result<storage::Row>([](storage::Transaction& transaction) {
                return transaction.query_one("SELECT COUNT(*) FROM attempt", {});
            })
            ->integer(0);
    }

    TemporaryDirectory directory;
    std::unique_ptr<storage::Database> database =
        *storage::open_sqlite(directory.path() / "t.sqlite", identity_schema());
    ManualClock clock{*parse_rfc3339("2026-04-13T10:00:00Z")};
    Throttle throttle{*database, clock, 20};
    const Bytes subject = Bytes(32, 1);
};

TEST_F(ThrottleTest, FiveTriesAreFreeThenTheWaitDoubles) {
    for (int i = 0; i < 5; ++i) EXPECT_TRUE(allowed(subject)) << i;
    Duration wait = kMinute;
    for (int i = 0; i < 6; ++i, wait *= 2) {
        EXPECT_FALSE(allowed(subject));
        clock.advance(wait - Duration(1));
        EXPECT_FALSE(allowed(subject)) << i;
        clock.advance(Duration(1));
        EXPECT_TRUE(allowed(subject)) << i;
    }
}

TEST_F(ThrottleTest, RefusalNamesTheWaitAndDoesNotLengthenIt) {
    for (int i = 0; i < 5; ++i) ASSERT_TRUE(allowed(subject));
    EXPECT_EQ(throttle.count(subject, true).error().message,
              "Too many tries. Try again in 1 minute.");
    for (int i = 0; i < 10; ++i) EXPECT_FALSE(allowed(subject));
    clock.advance(kMinute);
    EXPECT_TRUE(allowed(subject));
    EXPECT_EQ(throttle.count(subject, true).error().message,
              "Too many tries. Try again in 2 minutes.");
}

TEST_F(ThrottleTest, ForgivenTryEndsTheWait) {
    for (int i = 0; i < 4; ++i) ASSERT_TRUE(allowed(subject));
    forgive(*throttle.count(subject, true));
    for (int i = 0; i < 5; ++i) EXPECT_TRUE(allowed(subject)) << i;
    EXPECT_FALSE(allowed(subject));
}

TEST_F(ThrottleTest, SuccessOfOneDoesNotGiveMoreThan25FailuresADay) {
    int failures = 0;
    for (int round = 0; round < 20; ++round) {
        for (int i = 0; i < 4; ++i) failures += allowed(subject) ? 1 : 0;
        if (const auto right = throttle.count(subject, true)) forgive(*right);
        clock.advance(Duration(1000));
    }
    EXPECT_EQ(failures, 25);
    clock.set(*parse_rfc3339("2026-04-14T09:59:59Z"));
    EXPECT_FALSE(allowed(subject));
    clock.set(*parse_rfc3339("2026-04-14T10:00:00Z"));  // the first four are a day old
    for (int i = 0; i < 4; ++i) EXPECT_TRUE(allowed(subject)) << i;
    EXPECT_FALSE(allowed(subject));
}

TEST_F(ThrottleTest, SubjectsDoNotTouchEachOther) {
    for (int i = 0; i < 5; ++i) ASSERT_TRUE(allowed(subject));
    EXPECT_FALSE(allowed(subject));
    EXPECT_TRUE(allowed(Bytes(32, 2)));
}

TEST_F(ThrottleTest, ParallelTriesDoNotPassTheLimit) {
    std::atomic<int> passed = 0;
    std::vector<std::thread> threads;
    for (int i = 0; i < 16; ++i)
        threads.emplace_back([&] {
            for (int j = 0; j < 4; ++j) passed += throttle.count(subject, true) ? 1 : 0;
        });
    for (auto& thread : threads) thread.join();
    EXPECT_EQ(passed, 5);
}

TEST_F(ThrottleTest, UnknownSubjectsAreBoundedAndKnownOnesKept) {
    for (int i = 0; i < 5; ++i) ASSERT_TRUE(allowed(subject, true));
    for (std::uint8_t i = 0; i < 100; ++i) {
        clock.advance(Duration(1));
        ASSERT_TRUE(allowed(Bytes(32, i + 100), false));
        ASSERT_LE(rows(), 21);
    }
    EXPECT_EQ(rows(), 21);
    EXPECT_FALSE(allowed(subject));
}

TEST_F(ThrottleTest, KnownSubjectStaysKnown) {
    for (int i = 0; i < 4; ++i) ASSERT_TRUE(allowed(subject, true));
    ASSERT_TRUE(allowed(subject, false));
    for (std::uint8_t i = 0; i < 100; ++i) {
        clock.advance(Duration(1));
        ASSERT_TRUE(allowed(Bytes(32, i + 100), false));
    }
    EXPECT_FALSE(allowed(subject));
}

TEST_F(ThrottleTest, ForgetsAfterADay) {
    ASSERT_TRUE(allowed(subject));
    clock.advance(kDay - Duration(1));
    ASSERT_TRUE(allowed(Bytes(32, 2)));
    EXPECT_EQ(rows(), 2);
    clock.advance(Duration(1));
    ASSERT_TRUE(allowed(Bytes(32, 2)));
    EXPECT_EQ(rows(), 1);
}

TEST_F(ThrottleTest, SuccessLeavesNoRow) {
    forgive(*throttle.count(subject, true));
    EXPECT_EQ(rows(), 0);
}

}  // namespace
}  // namespace cloison::identity
