#include "keeper/history.h"

#include <chrono>
#include <thread>

#include "keeper/history_schema.h"
#include "keeper/support_for_test.h"

namespace cloison::keeper {
namespace {

class HistoryTest : public testing::Test {
  protected:
    void SetUp() override { open(); }

    void open() {
        history_.reset();
        auto database = storage::open_sqlite(path(), history_schema());
        ASSERT_TRUE(database) << database.error().message;
        auto history = History::open(std::move(*database), journal_, key_, random_);
        ASSERT_TRUE(history) << history.error().message;
        history_ = std::move(*history);
    }
    Path path() const { return directory_.path() / "history.sqlite"; }

    void append(std::uint32_t person, std::size_t count = 1) {
        std::vector<Bytes> entries;
        for (std::size_t i = 0; i < count; ++i) {
            journal::Entry entry;
            entry.person = person;
            random_.fill(entry.salt);
            entries.push_back(journal::encode_entry(entry));
        }
        ASSERT_TRUE(journal_.append(entries));
    }
    void append_alarm(std::uint32_t person) {
        journal::Entry entry;
        entry.kind = journal::EntryKind::kAlarm;
        entry.person = person;
        entry.reason = "canary";
        random_.fill(entry.salt);
        ASSERT_TRUE(journal_.append({journal::encode_entry(entry)}));
    }
    void append_erased(std::uint32_t person) {
        journal::Entry entry;
        entry.kind = journal::EntryKind::kErased;
        entry.person = person;
        random_.fill(entry.salt);
        ASSERT_TRUE(journal_.append({journal::encode_entry(entry)}));
    }
    /// As somebody does who can write the file.
    void change(const char* sql) {
        auto database = storage::open_sqlite(path(), history_schema());
        ASSERT_TRUE((*database)->write([&](storage::Transaction& writing) -> Status {
            CLOISON_TRY(const auto changed, writing.execute(sql, {}));
            EXPECT_GE(changed, 1) << sql;
            return {};
        }));
    }
    std::vector<std::uint64_t> alarms(std::uint64_t before = 0, std::size_t limit = 200) {
        auto lines = history_->alarms(before, limit);
        EXPECT_TRUE(lines) << (lines ? "" : lines.error().message);
        std::vector<std::uint64_t> indexes;
        for (const auto& line : *lines) {
            indexes.push_back(line.index);
            EXPECT_EQ(line.entry, journal_.entries.at(line.index));
        }
        return indexes;
    }
    std::uint64_t alarm_count() { return history_->alarm_count().value_or(~std::uint64_t{0}); }

    std::vector<std::uint64_t> indexes(std::uint32_t person, std::uint64_t before = 0,
                                       std::size_t limit = 200) {
        auto lines = history_->lines(person, before, limit);
        EXPECT_TRUE(lines) << (lines ? "" : lines.error().message);
        std::vector<std::uint64_t> indexes;
        for (const auto& line : *lines) {
            indexes.push_back(line.index);
            EXPECT_EQ(line.entry, journal_.entries.at(line.index));
        }
        return indexes;
    }
    using Indexes = std::vector<std::uint64_t>;

    TemporaryDirectory directory_;
    SeededRandom random_{1};
    crypto::BoxKey key_ = *crypto::BoxKey::from_bytes(Bytes(32, 5));
    MemoryJournal journal_;
    std::unique_ptr<History> history_;
};

TEST_F(HistoryTest, GivesAPersonsLinesNewestFirst) {
    for (const std::uint32_t person : {1, 2, 1, 0, 1}) append(person);
    EXPECT_EQ(indexes(1), (Indexes{4, 2, 0}));
    EXPECT_EQ(indexes(2), (Indexes{1}));
    EXPECT_EQ(indexes(3), Indexes{});
    EXPECT_EQ(indexes(0), Indexes{}) << "lines about nobody are nobody's";
    append(2);
    EXPECT_EQ(indexes(2), (Indexes{5, 1})) << "at once";
}

TEST_F(HistoryTest, PagesByIndex) {
    append(1, 5);
    EXPECT_EQ(indexes(1, 0, 2), (Indexes{4, 3}));
    EXPECT_EQ(indexes(1, 3, 2), (Indexes{2, 1}));
    EXPECT_EQ(indexes(1, 1, 2), (Indexes{0}));
    EXPECT_EQ(indexes(1, ~std::uint64_t{0}, 1), (Indexes{4}));
}

TEST_F(HistoryTest, ACallIsBounded) {
    append(1, 201);
    EXPECT_EQ(indexes(1, 0, 200).size(), 200u);
    EXPECT_EQ(history_->lines(1, 0, 201).error().code, ErrorCode::kInvalidArgument);
    EXPECT_EQ(history_->lines(1, 0, 0).error().code, ErrorCode::kInvalidArgument);
}

TEST_F(HistoryTest, AListOfAnyLengthIsReadToItsEnd) {
    for (std::uint64_t length = 1; length <= 40; ++length) {
        append(1);
        EXPECT_EQ(indexes(1).size(), length);
        EXPECT_EQ(indexes(1).front(), length - 1);
    }
}

TEST_F(HistoryTest, GivesTheAlarmsNewestFirst) {
    EXPECT_EQ(alarms(), Indexes{});
    EXPECT_EQ(alarm_count(), 0u);
    append(1, 2);
    append_alarm(1);
    append_alarm(0);
    append(2);
    append_alarm(2);
    EXPECT_EQ(alarms(), (Indexes{5, 3, 2})) << "with and without a person";
    EXPECT_EQ(alarm_count(), 3u);
    EXPECT_EQ(indexes(1), (Indexes{2, 1, 0})) << "an alarm is a line of its person too";
    EXPECT_EQ(alarms(5, 1), (Indexes{3}));
    EXPECT_EQ(alarms(3), (Indexes{2}));
    EXPECT_EQ(alarms(2), Indexes{});
    EXPECT_EQ(history_->alarms(0, 201).error().code, ErrorCode::kInvalidArgument);
    EXPECT_EQ(history_->alarms(0, 0).error().code, ErrorCode::kInvalidArgument);
}

TEST_F(HistoryTest, AlarmsAreBuiltAnewToo) {
    append_alarm(1);
    append_alarm(1);
    EXPECT_EQ(alarm_count(), 2u);
    history_.reset();
    journal_.entries.clear();
    append(1);
    append_alarm(1);
    open();
    EXPECT_EQ(alarms(), (Indexes{1}));
    EXPECT_EQ(alarm_count(), 1u);
}

TEST_F(HistoryTest, CatchesUpFromWhereItWas) {
    append(1, 3);
    EXPECT_EQ(indexes(1).size(), 3u);
    history_.reset();
    append(1, 10'001);
    open();
    append(2);
    EXPECT_EQ(indexes(1, 4), (Indexes{3, 2, 1, 0}));
    EXPECT_EQ(indexes(2), (Indexes{10'004}));
}

TEST_F(HistoryTest, LinesOnDiskAndInMemoryAreOneList) {
    for (std::uint64_t i = 0; i < 2 * SortedRuns::kRunEntries + 7; ++i) append(i % 50 == 0 ? 1 : 2);
    for (int round = 0; round < 2; ++round) {
        const auto all = indexes(1);
        ASSERT_EQ(all.size(), 164u);
        for (std::size_t i = 0; i < all.size(); ++i) EXPECT_EQ(all[i], 50 * (163 - i));
        EXPECT_EQ(indexes(1, 4'151, 3), (Indexes{4'150, 4'100, 4'050})) << "across two runs";
        history_.reset();
        open();
    }
}

TEST_F(HistoryTest, KnowsWhoIsErased) {
    EXPECT_EQ(history_->erased(), std::vector<std::uint32_t>{});
    append_erased(7);
    append(3, SortedRuns::kRunEntries);
    append_erased(5);
    append_erased(7);
    EXPECT_EQ(history_->erased(), (std::vector<std::uint32_t>{5, 7}));
    history_.reset();
    open();
    EXPECT_EQ(history_->erased(), (std::vector<std::uint32_t>{5, 7}));
    EXPECT_EQ(indexes(7), (Indexes{SortedRuns::kRunEntries + 2, 0})) << "lines of theirs, too";
}

TEST_F(HistoryTest, WhatWasTakenOutIsBuiltAnew) {
    append(1, 5 * SortedRuns::kRunEntries);
    append_alarm(1);
    for (const char* sql :
         {"DELETE FROM run WHERE first = 0", "DELETE FROM run WHERE first = 8192",
          "DELETE FROM run WHERE first = 16384", "DELETE FROM run", "DELETE FROM block",
          "UPDATE run SET items = items - 1", "UPDATE run SET block = block + 1",
          "UPDATE run SET fences = zeroblob(length(fences))", "UPDATE progress SET entries = 4096",
          "UPDATE progress SET last_leaf = x''"}) {
        EXPECT_EQ(indexes(1, 8'000, 2), (Indexes{7'999, 7'998})) << sql;
        history_.reset();
        change(sql);
        open();
        EXPECT_EQ(indexes(1, 8'000, 2), (Indexes{7'999, 7'998})) << sql;
        EXPECT_EQ(indexes(1, 5, 5), (Indexes{4, 3, 2, 1, 0})) << sql;
        EXPECT_EQ(alarm_count(), 1u) << sql;
    }
}

TEST_F(HistoryTest, ABlockThatWasMovedOrAlteredIsNamedCorrupt) {
    append(1, SortedRuns::kRunEntries);
    append(2, SortedRuns::kRunEntries);
    for (const char* sql :
         {"UPDATE block SET content = (SELECT content FROM block WHERE number = 2) WHERE number = "
          "1",
          "UPDATE block SET content = zeroblob(length(content)) WHERE number = 13"}) {
        history_.reset();
        ASSERT_NO_FATAL_FAILURE(open());
        change(sql);
        EXPECT_EQ(history_->lines(1, 2, 1).error().code, ErrorCode::kCorrupt) << sql;
        change("UPDATE progress SET entries = 0");
    }
}

TEST_F(HistoryTest, IsBuiltAnewWhenTheJournalIsAnother) {
    append(1, 3);
    EXPECT_EQ(indexes(1).size(), 3u);
    history_.reset();
    journal_.entries.pop_back();
    open();
    EXPECT_EQ(indexes(1), (Indexes{1, 0})) << "shorter";
    history_.reset();
    journal_.entries.clear();
    append(2, 2);
    open();
    EXPECT_EQ(indexes(1), Indexes{}) << "as long, but with other lines";
    EXPECT_EQ(indexes(2), (Indexes{1, 0}));
}

TEST_F(HistoryTest, AnEntryThatIsNoneIsNamedCorrupt) {
    ASSERT_TRUE(journal_.append({Bytes{1, 2, 3}}));
    EXPECT_EQ(history_->lines(1, 0, 1).error().code, ErrorCode::kCorrupt);
}

TEST_F(HistoryTest, KeepsUpByItselfWhenNudged) {
    append(1, SortedRuns::kRunEntries);
    const auto wal = Path(path().string() + "-wal");
    const auto size = [&] {
        std::error_code error;
        const auto bytes = std::filesystem::file_size(wal, error);
        return error ? std::uintmax_t{0} : bytes;
    };
    const auto before = size();
    // The thread may not be waiting yet when it is nudged: nudge until the index has grown.
    const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(20);
    while (size() == before && std::chrono::steady_clock::now() < deadline) {
        history_->nudge();
        std::this_thread::yield();
    }
    EXPECT_GT(size(), before);
}

TEST_F(HistoryTest, ARunThatGoesWhileItIsReadIsNoticedAndMadeAnewAtTheNextStart) {
    append(1, SortedRuns::kRunEntries);
    append_erased(9);
    append(2, SortedRuns::kRunEntries - 1);
    append(3, 3);
    EXPECT_EQ(history_->erased()->size(), 1u);
    change("DELETE FROM run WHERE first = 4096");
    EXPECT_EQ(history_->lines(2, 0, 5).error().code, ErrorCode::kCorrupt);
    EXPECT_EQ(history_->erased().error().code, ErrorCode::kCorrupt);
    append(3, SortedRuns::kRunEntries);
    EXPECT_EQ(history_->catch_up().error().code, ErrorCode::kCorrupt) << "no run hides the gap";
    history_.reset();
    open();
    EXPECT_EQ(indexes(2, 0, 5).size(), 5u);
    EXPECT_EQ(history_->erased()->size(), 1u);
}

TEST_F(HistoryTest, ADamagedBlockIsReportedWhereItIsMerged) {
    append(1, 7 * SortedRuns::kRunEntries);
    EXPECT_EQ(indexes(1, 0, 1).size(), 1u);
    history_.reset();
    change("UPDATE block SET content = zeroblob(length(content)) WHERE number = 15");
    append(1, SortedRuns::kRunEntries);
    auto database = storage::open_sqlite(path(), history_schema());
    const auto history = History::open(std::move(*database), journal_, key_, random_);
    ASSERT_FALSE(history);
    EXPECT_EQ(history.error().code, ErrorCode::kCorrupt);
}

}  // namespace
}  // namespace cloison::keeper
