#include "keeper/history.h"

#include <chrono>
#include <set>
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
    crypto::HashKey key_ = *crypto::HashKey::from_bytes(Bytes(32, 5));
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

TEST_F(HistoryTest, RowsOfOnePersonHaveNothingInCommon) {
    append(1, 5);
    append(2, 3);
    ASSERT_EQ(indexes(1).size(), 5u);
    history_.reset();
    auto database = storage::open_sqlite(path(), history_schema());
    const auto rows = (*database)->read_result<storage::Rows>([](storage::Transaction& reading) {
        return reading.query("SELECT place, entry FROM line", {});
    });
    ASSERT_TRUE(rows);
    ASSERT_EQ(rows->size(), 8u);
    std::set<std::string> values;
    for (const auto& row : *rows) {
        EXPECT_TRUE(values.insert(row.byte_string(0)).second);
        EXPECT_TRUE(values.insert(row.byte_string(1)).second);
        EXPECT_EQ(row.bytes(1).size(), 48u);
    }
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
    append(1, History::kWorthWaking);
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

}  // namespace
}  // namespace cloison::keeper
