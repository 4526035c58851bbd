#include "keeper/journal_mark.h"

#include <future>
#include <thread>

#include "crypto/box.h"
#include "keeper/persons_schema.h"
#include "keeper/support_for_test.h"

namespace cloison::keeper {
namespace {

/// The mark by itself, over a journal in memory.
class JournalMarkTest : public testing::Test {
  protected:
    void SetUp() override {
        epochs_ = *Epochs::open(local_file_system(), directory_.path() / "epochs",
                                keys_.epoch_wrap(), random_);
        persons_ = *PersonStore::open(
            *storage::open_sqlite(directory_.path() / "persons.sqlite", persons_schema()), *epochs_,
            keys_, random_);
    }
    void append(journal::EntryKind kind, std::uint32_t person, std::string reason = {}) {
        journal::Entry entry;
        entry.kind = kind;
        entry.person = person;
        entry.time = time_;
        entry.reason = std::move(reason);
        ASSERT_TRUE(journal_.append({journal::encode_entry(entry)}));
    }
    std::uint64_t remembered() const {
        const Bytes box = *persons_->setting("journal mark");
        if (box.empty()) return 0;
        return get_u64(
            crypto::box_decrypt(keys_.journal_mark(), box, as_bytes("journal mark"))->view());
    }

    TemporaryDirectory directory_;
    SeededRandom random_{5};
    KeyRing keys_{*crypto::RootKey::from_bytes(Bytes(32, 1))};
    MemoryJournal journal_;
    Time time_ = from_unix_ms(TestBed::kStartMs);
    std::unique_ptr<Epochs> epochs_;
    std::unique_ptr<PersonStore> persons_;
};

TEST_F(JournalMarkTest, NothingIsRememberedWhileAnErasureIsUnderWay) {
    JournalMark mark(*persons_, journal_, keys_.journal_mark(), random_);
    ASSERT_TRUE(mark.replay());
    append(journal::EntryKind::kConfigured, 0);
    {
        const auto under_way = mark.begin();
        append(journal::EntryKind::kErased, 1);
        ASSERT_TRUE(mark.remember());
        EXPECT_EQ(remembered(), 0u);
    }
    ASSERT_TRUE(mark.remember());
    EXPECT_EQ(remembered(), 2u);
}

TEST_F(JournalMarkTest, AnErasureThatFailedIsTriedAgainBeforeAnythingIsRemembered) {
    const auto person = persons_->enroll(1)->at(0);
    JournalMark mark(*persons_, journal_, keys_.journal_mark(), random_);
    ASSERT_TRUE(mark.replay());
    append(journal::EntryKind::kErased, person.ordinal);
    mark.add_unfinished(person);
    const auto run = [&](const char* sql) {
        return persons_->database().write([&](storage::Transaction& transaction) -> Status {
            CLOISON_TRY_STATUS(transaction.execute(sql, {}));
            return {};
        });
    };
    ASSERT_TRUE(
        run("CREATE TRIGGER full BEFORE UPDATE ON person "
            "BEGIN SELECT RAISE(FAIL, 'full'); END"));
    EXPECT_FALSE(mark.remember());
    EXPECT_EQ(remembered(), 0u);
    ASSERT_TRUE(run("DROP TRIGGER full"));
    EXPECT_TRUE(mark.remember());
    EXPECT_EQ(remembered(), 1u);
    EXPECT_EQ(persons_->key(person).error().code, ErrorCode::kNotFound);
}

/// A mark over what is there, as a start makes it.
TEST_F(JournalMarkTest, AStoreThatLacksMoreThanAMinuteOfLinesIsAnEarlierOne) {
    append(journal::EntryKind::kConfigured, 0);
    {
        JournalMark mark(*persons_, journal_, keys_.journal_mark(), random_);
        EXPECT_FALSE(*mark.replay());
        ASSERT_TRUE(mark.remember());
    }
    // Time that passes before the first line is no lack of lines.
    time_ += std::chrono::hours(100);
    append(journal::EntryKind::kConfigured, 0);
    time_ += JournalMark::kMostBehind;
    append(journal::EntryKind::kConfigured, 0);
    EXPECT_FALSE(*JournalMark(*persons_, journal_, keys_.journal_mark(), random_).replay());
    time_ += Duration(1);
    append(journal::EntryKind::kConfigured, 0);
    JournalMark mark(*persons_, journal_, keys_.journal_mark(), random_);
    EXPECT_TRUE(*mark.replay());
    EXPECT_EQ(remembered(), 1u) << "a crash before the alarm finds it out again";
    ASSERT_TRUE(mark.remember());
    EXPECT_FALSE(*mark.replay()) << "it is told once";
}

TEST_F(JournalMarkTest, AMarkThatWasTakenOutIsNoShelter) {
    append(journal::EntryKind::kConfigured, 0, "canaries planted: 7");
    time_ += JournalMark::kMostBehind + Duration(1);
    append(journal::EntryKind::kConfigured, 0, "canaries lost: 2");
    JournalMark mark(*persons_, journal_, keys_.journal_mark(), random_);
    EXPECT_TRUE(*mark.replay());
    EXPECT_EQ(mark.canaries(), 5u);
}

TEST_F(JournalMarkTest, CanariesAreCountedFromTheMarkOn) {
    append(journal::EntryKind::kConfigured, 0, "canaries planted: 20");
    append(journal::EntryKind::kConfigured, 0, "configuration 0123456789abcdef");
    append(journal::EntryKind::kListRead, 0, "canaries planted: 400");
    {
        JournalMark mark(*persons_, journal_, keys_.journal_mark(), random_);
        ASSERT_TRUE(mark.replay());
        EXPECT_EQ(mark.canaries(), 20u);
        ASSERT_TRUE(mark.remember());
        const auto under_way = mark.begin();
        append(journal::EntryKind::kConfigured, 0, canaries_planted_line(3));
        mark.count_canaries(3);
        EXPECT_EQ(mark.canaries(), 23u);
        ASSERT_TRUE(mark.remember());
        EXPECT_EQ(remembered(), 3u) << "the store may not have them yet";
    }
    JournalMark mark(*persons_, journal_, keys_.journal_mark(), random_);
    ASSERT_TRUE(mark.replay());
    EXPECT_EQ(mark.canaries(), 23u) << "counted once, from the mark or from the line";
    ASSERT_TRUE(mark.remember());
    append(journal::EntryKind::kConfigured, 0, canaries_lost_line(23));
    ASSERT_TRUE(mark.replay());
    EXPECT_EQ(mark.canaries(), 0u);
}

TEST_F(JournalMarkTest, LinesAboutCanariesAreReadStrictly) {
    for (const char* reason : {"canaries planted: ", "canaries planted: x", "canaries planted: 1 ",
                               "canaries planted: 4294967296", "canaries lost: 1"}) {
        journal_.entries.clear();
        append(journal::EntryKind::kConfigured, 0, reason);
        JournalMark mark(*persons_, journal_, keys_.journal_mark(), random_);
        const auto replayed = mark.replay();
        ASSERT_FALSE(replayed) << reason;
        EXPECT_EQ(replayed.error().code, ErrorCode::kCorrupt);
    }
}

TEST_F(JournalMarkTest, AnyChangedBitOfTheMarkIsRefused) {
    append(journal::EntryKind::kConfigured, 0);
    JournalMark mark(*persons_, journal_, keys_.journal_mark(), random_);
    ASSERT_TRUE(mark.replay());
    ASSERT_TRUE(mark.remember());
    const Bytes good = *persons_->setting("journal mark");
    for (std::size_t bit = 0; bit < 8 * good.size(); ++bit) {
        Bytes bad = good;
        bad[bit / 8] = static_cast<std::uint8_t>(bad[bit / 8] ^ (1U << bit % 8));
        ASSERT_TRUE(persons_->set_setting("journal mark", bad));
        const auto replayed = mark.replay();
        ASSERT_FALSE(replayed) << bit;
        EXPECT_EQ(replayed.error().code, ErrorCode::kCorrupt);
    }
}

TEST_F(JournalMarkTest, WhoeverBeginsAgainAndAgainDoesNotKeepTheMarkBack) {
    JournalMark mark(*persons_, journal_, keys_.journal_mark(), random_);
    ASSERT_TRUE(mark.replay());
    append(journal::EntryKind::kConfigured, 0);
    std::promise<void> ended;
    std::thread other;
    {
        auto under_way = mark.begin();
        for (int i = 0; i < JournalMark::kMostDeferrals; ++i) ASSERT_TRUE(mark.remember());
        EXPECT_EQ(remembered(), 0u);
        other = std::thread([&] {
            EXPECT_TRUE(mark.remember());  // Now it waits.
            ended.set_value();
        });
    }
    ended.get_future().wait();
    other.join();
    EXPECT_EQ(remembered(), 1u);
}

}  // namespace
}  // namespace cloison::keeper
