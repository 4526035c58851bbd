#include "keeper/sorted_runs.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <limits>
#include <map>
#include <set>
#include <utility>

#include "base/temporary_directory.h"
#include "keeper/history_schema.h"
#include "keeper/support_for_test.h"

namespace cloison::keeper {
namespace {

constexpr std::uint64_t kAll = std::numeric_limits<std::uint64_t>::max();

class SortedRunsTest : public testing::Test {
  protected:
    SortedRunsTest()
        : database_(std::move(
              *storage::open_sqlite(directory_.path() / "runs.sqlite", history_schema()))) {}

    /// A run of `entries` entries, each an item of a list drawn among `lists`.
    void add(std::uint64_t entries, std::uint32_t lists) {
        const auto first = next_;
        std::vector<SortedRuns::Item> items;
        for (std::uint64_t i = 0; i < entries; ++i) {
            Bytes drawn(4);
            random_.fill(drawn);
            const std::uint32_t list = get_u32(drawn) % lists + 1;
            items.push_back({list, next_});
            expected_[list].push_back(next_++);
        }
        ASSERT_TRUE(database_->write([&](storage::Transaction& transaction) {
            return runs_.add(transaction, first, next_, items);
        }));
    }
    bool merge() {
        const auto merged = database_->write_result<bool>(
            [&](storage::Transaction& transaction) { return runs_.merge(transaction); });
        EXPECT_TRUE(merged) << (merged ? "" : merged.error().message);
        return merged && *merged;
    }
    Result<std::vector<std::uint64_t>> find(std::uint32_t list, std::uint64_t below = kAll,
                                            std::size_t limit = kAll) {
        return database_->read_result<std::vector<std::uint64_t>>(
            [&](storage::Transaction& transaction) {
                return runs_.find(transaction, next_, list, below, limit);
            });
    }
    storage::Rows rows(const char* sql) {
        return *database_->read_result<storage::Rows>(
            [&](storage::Transaction& transaction) { return transaction.query(sql, {}); });
    }
    /// As somebody does who can write the file.
    void change(const char* sql) {
        ASSERT_TRUE(database_->write([&](storage::Transaction& transaction) -> Status {
            CLOISON_TRY(const auto changed, transaction.execute(sql, {}));
            EXPECT_GE(changed, 1) << sql;
            return {};
        }));
    }
    void expect_all(std::uint32_t lists) {
        for (std::uint32_t list = 0; list <= lists + 1; ++list) {
            auto wanted = expected_[list];
            std::reverse(wanted.begin(), wanted.end());
            ASSERT_EQ(find(list).value(), wanted) << list;
        }
    }

    TemporaryDirectory directory_;
    SeededRandom random_{7};
    crypto::BoxKey key_ = *crypto::BoxKey::from_bytes(Bytes(32, 9));
    SortedRuns runs_{key_, random_};
    std::unique_ptr<storage::Database> database_;
    std::uint64_t next_ = 0;
    std::map<std::uint32_t, std::vector<std::uint64_t>> expected_;
};

TEST_F(SortedRunsTest, FindsWhatIsOnAListNewestFirst) {
    EXPECT_EQ(find(1).value(), std::vector<std::uint64_t>{});
    for (int run = 0; run < 3; ++run) add(1'000, 20);
    expect_all(20);
    const auto all = find(5).value();
    ASSERT_GT(all.size(), 20u);
    EXPECT_EQ(find(5, kAll, 3).value(), (std::vector(all.begin(), all.begin() + 3)));
    EXPECT_EQ(find(5, all[9], 3).value(), (std::vector(all.begin() + 10, all.begin() + 13)));
    EXPECT_EQ(find(5, all.back()).value(), std::vector<std::uint64_t>{});
    EXPECT_EQ(find(5, kAll, 0).value(), std::vector<std::uint64_t>{});
}

TEST_F(SortedRunsTest, AListMayFillManyBlocksOrNone) {
    for (const std::uint64_t entries :
         {std::uint64_t{1}, std::uint64_t{SortedRuns::kBlockItems} - 1,
          std::uint64_t{SortedRuns::kBlockItems}, std::uint64_t{SortedRuns::kBlockItems} + 1,
          std::uint64_t{5 * SortedRuns::kBlockItems}})
        for (const std::uint32_t lists : {1, 2, 3}) add(entries, lists);
    expect_all(3);
    ASSERT_TRUE(database_->write([&](storage::Transaction& transaction) {
        return runs_.add(transaction, next_, next_ + 10, {});  // ten entries about nobody
    }));
    expect_all(3);
    EXPECT_EQ(database_
                  ->read_result<std::uint64_t>(
                      [&](storage::Transaction& transaction) { return runs_.end(transaction); })
                  .value(),
              next_ + 10);
}

TEST_F(SortedRunsTest, RunsOfOneSizeAreMergedEightAtATime) {
    for (int run = 0; run < 7; ++run) add(500, 300);
    EXPECT_FALSE(merge());
    for (int run = 7; run < 20; ++run) add(500, 300);
    EXPECT_TRUE(merge());
    EXPECT_TRUE(merge()) << "also where some waited";
    EXPECT_FALSE(merge());
    EXPECT_EQ(rows("SELECT first FROM run").size(), 6u);
    expect_all(300);
    while (next_ < 64 * 500) {
        add(500, 300);
        merge();
    }
    while (merge()) {
    }
    EXPECT_EQ(rows("SELECT first FROM run").size(), 1u);
    EXPECT_EQ(rows("SELECT number FROM block").size(),
              (next_ + SortedRuns::kBlockItems - 1) / SortedRuns::kBlockItems)
        << "those of the small ones are gone";
    expect_all(300);
}

TEST_F(SortedRunsTest, TheLargestRunsStayAsTheyAre) {
    for (int run = 0; run < 9; ++run) {
        const auto first = std::exchange(next_, next_ + SortedRuns::kLargestRun);
        ASSERT_TRUE(database_->write([&](storage::Transaction& transaction) {
            return runs_.add(transaction, first, next_, {{1, next_ - 1}});
        }));
    }
    EXPECT_FALSE(merge());
    for (int run = 0; run < 8; ++run) add(10, 2);
    EXPECT_TRUE(merge()) << "but those behind them are merged";
    EXPECT_EQ(find(1).value().size(), 9 + expected_[1].size());
}

TEST_F(SortedRunsTest, BlocksShowNothing) {
    add(2 * SortedRuns::kBlockItems + 1, 1);
    std::set<std::string> contents;
    for (const auto& row : rows("SELECT content FROM block")) {
        contents.insert(row.byte_string(0));
        EXPECT_EQ(row.bytes(0).size(), SortedRuns::kBlockItems * 12 + 40) << "the last one, too";
    }
    EXPECT_EQ(contents.size(), 3u);
}

TEST_F(SortedRunsTest, AFailedWriteLeavesNothingBehind) {
    add(100, 5);
    const auto failed = database_->write([&](storage::Transaction& transaction) -> Status {
        CLOISON_TRY_STATUS(runs_.add(transaction, next_, next_ + 1, {{5, next_}}));
        CLOISON_TRY_STATUS(transaction.execute("INSERT INTO nowhere VALUES (1)", {}));
        return {};
    });
    EXPECT_FALSE(failed);
    expect_all(5);
    add(100, 5);
    expect_all(5);
}

TEST_F(SortedRunsTest, ARunThatIsMissingAtTheEndIsNoticed) {
    add(100, 5);
    add(100, 5);
    change("DELETE FROM run WHERE first = 100");
    EXPECT_EQ(find(1).error().code, ErrorCode::kCorrupt);
    const auto added = database_->write([&](storage::Transaction& transaction) {
        return runs_.add(transaction, 200, 300, {{1, 250}});
    });
    ASSERT_FALSE(added) << "it would hide the gap";
    EXPECT_EQ(added.error().code, ErrorCode::kCorrupt);
}

TEST_F(SortedRunsTest, ARunThatIsSaidToBeEmptyIsNotMergedAway) {
    for (int run = 0; run < 8; ++run) add(400, 2);
    change("UPDATE run SET items = 0 WHERE first = 800");
    const auto merged = database_->write_result<bool>(
        [&](storage::Transaction& transaction) { return runs_.merge(transaction); });
    ASSERT_FALSE(merged);
    EXPECT_EQ(merged.error().code, ErrorCode::kCorrupt);
}

TEST_F(SortedRunsTest, ANewRunCostsNoReadingOfAllOthers) {
    change(
        "WITH RECURSIVE n(x) AS (SELECT 0 UNION ALL SELECT x + 1 FROM n WHERE x < 100000) "
        "INSERT INTO run SELECT x * 4096, (x + 1) * 4096, 1, 0, x'00' FROM n");
    constexpr std::uint64_t kEnd = 100'001 * std::uint64_t{4'096};
    EXPECT_TRUE(database_->write([&](storage::Transaction& transaction) {
        return runs_.add(transaction, kEnd, kEnd + 4'096, {});
    }));
}

TEST_F(SortedRunsTest, AColumnOfAnotherTypeIsReported) {
    add(100, 5);
    change("UPDATE run SET items = 'x'");
    EXPECT_EQ(find(1).error().code, ErrorCode::kCorrupt);
}

}  // namespace
}  // namespace cloison::keeper
