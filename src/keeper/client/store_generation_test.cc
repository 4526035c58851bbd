#include "keeper/client/store_generation.h"

#include <gtest/gtest.h>

#include <chrono>
#include <functional>
#include <mutex>
#include <optional>
#include <vector>

#include "base/temporary_directory.h"
#include "keeper/client/generation.h"

namespace cloison::keeper {
namespace {

using storage::Transaction;

constexpr Duration kNever{1'000'000'000};
const Bytes kServiceKey(32, 5);

/// What the keeper does, in memory: the last number and the highest.
class Memory : public net::RpcChannel {
  public:
    Status call(std::string_view method, const google::protobuf::Message& request,
                google::protobuf::Message* response, Duration) override {
        const std::lock_guard lock(mutex_);
        EXPECT_EQ(method, "ReportGeneration");
        const auto told = static_cast<const v1::ReportGenerationRequest&>(request).generation();
        ++tries_;
        changed_.notify_all();
        if (on_call) on_call(told);
        if (refusing) return fail(ErrorCode::kUnavailable, "The keeper cannot be reached.");
        calls_.push_back(told);
        auto& answer = static_cast<v1::ReportGenerationResponse&>(*response);
        answer.set_put_back(told < last_);
        last_ = told;
        highest_ = std::max(highest_, told);
        answer.set_highest(highest_);
        return {};
    }
    /// What arrived since the last time.
    std::vector<std::uint64_t> take() {
        const std::lock_guard lock(mutex_);
        return std::exchange(calls_, {});
    }
    bool has_calls(std::size_t count) {
        std::unique_lock lock(mutex_);
        return changed_.wait_for(lock, std::chrono::seconds(20),
                                 [&] { return calls_.size() >= count; });
    }
    bool has_tries(std::size_t count) {
        std::unique_lock lock(mutex_);
        return changed_.wait_for(lock, std::chrono::seconds(20), [&] { return tries_ >= count; });
    }
    void refuse(bool now) {
        const std::lock_guard lock(mutex_);
        refusing = now;
    }

    std::function<void(std::uint64_t)> on_call;
    bool refusing = false;

  private:
    std::mutex mutex_;
    std::condition_variable changed_;
    std::vector<std::uint64_t> calls_;
    std::size_t tries_ = 0;
    std::uint64_t last_ = 0;
    std::uint64_t highest_ = 0;
};

using Numbers = std::vector<std::uint64_t>;

class StoreGenerationTest : public testing::Test {
  protected:
    void SetUp() override { start(); }

    /// As a service that ended and starts anew.
    void start(const Bytes& key = kServiceKey) {
        stop();
        database = storage::open_sqlite(path(), kSchema).value();
        generation.emplace(*database, KeeperClient(keeper), key);
    }
    void stop() {
        generation.reset();
        database.reset();
    }
    Path path() const { return directory.path() / "store.db"; }
    void change(const std::string& sql) {
        ASSERT_TRUE(database->write([&](Transaction& transaction) -> Status {
            CLOISON_TRY_STATUS(transaction.execute(sql, {}));
            return {};
        }));
    }
    void work() { change("INSERT INTO work (done) VALUES (1)"); }
    /// What a copy of the database would say at this moment, read beside it.
    std::optional<std::uint64_t> durable() const {
        const auto beside = storage::open_sqlite(path(), kSchema).value();
        const auto rows = beside->read_result<storage::Rows>([](Transaction& transaction) {
            return transaction.query("SELECT number FROM generation", {});
        });
        if (!rows || rows->empty()) return std::nullopt;
        return static_cast<std::uint64_t>(rows->front().integer(0));
    }
    void copy_to(const std::string& name) {
        ASSERT_TRUE(storage::snapshot_sqlite(path(), directory.path() / name));
    }
    void put_back(const std::string& name) {
        stop();
        for (const char* beside : {"-wal", "-shm"})
            std::filesystem::remove(Path(path().string() + beside));
        std::filesystem::copy_file(directory.path() / name, path(),
                                   std::filesystem::copy_options::overwrite_existing);
        start();
    }

    static inline const std::vector<storage::Migration> kSchema{
        {1, "generation",
         "CREATE TABLE generation (id BIGINT PRIMARY KEY, number BIGINT NOT NULL, proof BYTES NOT "
         "NULL) KEYED; CREATE TABLE work (done BIGINT);"}};
    TemporaryDirectory directory;
    std::shared_ptr<Memory> keeper = std::make_shared<Memory>();
    std::unique_ptr<storage::Database> database;
    std::optional<StoreGeneration> generation;
};

TEST_F(StoreGenerationTest, EachStartTellsWhatItFindsAndMovesOn) {
    ASSERT_TRUE(generation->step());
    EXPECT_EQ(keeper->take(), (Numbers{0, 1}));
    start();
    ASSERT_TRUE(generation->step());
    EXPECT_EQ(keeper->take(), (Numbers{1, 2}));
}

TEST_F(StoreGenerationTest, MovesOnOnlyIfTheDatabaseWasWritten) {
    ASSERT_TRUE(generation->step());
    keeper->take();
    ASSERT_TRUE(generation->step());
    ASSERT_TRUE(generation->step());
    EXPECT_EQ(keeper->take(), Numbers{});
    work();
    work();
    ASSERT_TRUE(generation->step());
    ASSERT_TRUE(generation->step());
    EXPECT_EQ(keeper->take(), Numbers{2});
}

TEST_F(StoreGenerationTest, IsDurableBeforeTheKeeperHearsOfIt) {
    int compared = 0;
    keeper->on_call = [&](std::uint64_t told) {
        EXPECT_EQ(durable().value_or(0), told);
        ++compared;
    };
    ASSERT_TRUE(generation->step());
    work();
    ASSERT_TRUE(generation->step());
    EXPECT_EQ(compared, 3);
}

TEST_F(StoreGenerationTest, AProcessThatEndsBetweenLeavesTheDatabaseAhead) {
    ASSERT_TRUE(generation->step());
    keeper->take();
    work();
    keeper->refuse(true);
    EXPECT_FALSE(generation->step());
    EXPECT_EQ(durable(), 2u);
    keeper->refuse(false);
    start();
    ASSERT_TRUE(generation->step());
    EXPECT_EQ(keeper->take(), (Numbers{2, 3})) << "nothing below 1, which the keeper knows";
}

TEST_F(StoreGenerationTest, WhatCouldNotBeToldIsToldLater) {
    ASSERT_TRUE(generation->step());
    keeper->take();
    work();
    keeper->refuse(true);
    EXPECT_FALSE(generation->step());
    EXPECT_FALSE(generation->step());
    EXPECT_EQ(durable(), 2u) << "not once more for each try";
    keeper->refuse(false);
    ASSERT_TRUE(generation->step());
    EXPECT_EQ(keeper->take(), Numbers{2});
}

TEST_F(StoreGenerationTest, NothingMovesOnBeforeTheKeeperHeardWhatWasFound) {
    ASSERT_TRUE(generation->step());
    copy_to("older");
    for (int i = 0; i < 3; ++i) {
        work();
        ASSERT_TRUE(generation->step());
    }
    keeper->take();
    put_back("older");
    keeper->refuse(true);
    for (int i = 0; i < 6; ++i) {
        work();
        EXPECT_FALSE(generation->step());
        start();
    }
    EXPECT_EQ(durable(), 1u);
    keeper->refuse(false);
    ASSERT_TRUE(generation->step());
    EXPECT_EQ(keeper->take(), (Numbers{1, 5}));
}

TEST_F(StoreGenerationTest, ADatabaseThatWasPutBackTakesNoNumberTwice) {
    ASSERT_TRUE(generation->step());
    copy_to("older");
    for (int i = 0; i < 4; ++i) {
        work();
        ASSERT_TRUE(generation->step());
    }
    EXPECT_EQ(durable(), 5u);
    copy_to("newer");
    keeper->take();
    put_back("older");
    ASSERT_TRUE(generation->step());
    EXPECT_EQ(keeper->take(), (Numbers{1, 6})) << "above all that the keeper was ever told";
    put_back("newer");
    ASSERT_TRUE(generation->step());
    EXPECT_EQ(keeper->take(), (Numbers{5, 7})) << "which is older than 6";
}

TEST_F(StoreGenerationTest, ANumberThatTheKeyDidNotMakeCountsForNothing) {
    ASSERT_TRUE(generation->step());
    const auto found_after = [&](const std::string& sql) {
        change(sql);
        start();
        keeper->take();
        EXPECT_TRUE(generation->step()) << sql;
        const auto told = keeper->take();
        return told.empty() ? kMaxGeneration : told.front();
    };
    EXPECT_EQ(found_after("INSERT INTO work (done) VALUES (1)"), 1u) << "as it was left";
    EXPECT_EQ(found_after("UPDATE generation SET number = number + 1"), 0u);
    EXPECT_EQ(found_after("UPDATE generation SET number = -1"), 0u);
    EXPECT_EQ(found_after("UPDATE generation SET proof = zeroblob(32)"), 0u);
    EXPECT_EQ(found_after("UPDATE generation SET proof = x''"), 0u);
    EXPECT_EQ(found_after("DELETE FROM generation"), 0u);
    start(Bytes(32, 6));
    keeper->take();
    ASSERT_TRUE(generation->step());
    EXPECT_EQ(keeper->take().front(), 0u) << "the key of another";
}

TEST_F(StoreGenerationTest, StartedItTellsAtOnceAndOnceMoreAtTheEnd) {
    generation->start(kNever);
    ASSERT_TRUE(keeper->has_calls(2));
    work();
    generation.reset();
    EXPECT_EQ(keeper->take(), (Numbers{0, 1, 2}));
    EXPECT_EQ(durable(), 2u);
    start();
    generation->start(kNever);
    ASSERT_TRUE(keeper->has_calls(2));
    generation.reset();
    EXPECT_EQ(keeper->take(), (Numbers{2, 3})) << "nothing was written";
}

TEST_F(StoreGenerationTest, StartedItMovesOnAtEveryInterval) {
    generation->start(Duration(1));
    ASSERT_TRUE(keeper->has_calls(2));
    work();
    EXPECT_TRUE(keeper->has_calls(3));
    work();
    EXPECT_TRUE(keeper->has_calls(4));
}

TEST_F(StoreGenerationTest, StartedItTriesAgainUntilTheKeeperAnswers) {
    keeper->refuse(true);
    generation->start(kNever);
    ASSERT_TRUE(keeper->has_tries(2));
    EXPECT_EQ(durable(), std::nullopt);
    keeper->refuse(false);
    ASSERT_TRUE(keeper->has_calls(2));
    EXPECT_EQ(keeper->take(), (Numbers{0, 1}));
}

TEST_F(StoreGenerationTest, EndsWithAKeeperThatNeverAnswered) {
    keeper->refuse(true);
    generation->start(kNever);
    ASSERT_TRUE(keeper->has_tries(1));
    generation.reset();
    EXPECT_EQ(durable(), std::nullopt);
    EXPECT_EQ(keeper->take(), Numbers{});
}

}  // namespace
}  // namespace cloison::keeper
