#include "keeper/rotation.h"

#include <atomic>
#include <set>

#include "keeper/persons_schema.h"
#include "keeper/support_for_test.h"

namespace cloison::keeper {
namespace {

using Step = Rotation::Step;

/// A store with its epoch keys, a journal in memory, and the thread under test.
class RotationTest : public testing::Test {
  protected:
    void SetUp() override { open(); }
    void TearDown() override { close(); }

    void open(std::function<bool(Step)> on_step = {}) {
        close();
        auto epochs = Epochs::open(local_file_system(), directory_.path() / "epochs",
                                   keys_.epoch_wrap(), random_);
        ASSERT_TRUE(epochs) << epochs.error().message;
        epochs_ = std::move(*epochs);
        auto database =
            storage::open_sqlite(directory_.path() / "persons.sqlite", persons_schema());
        ASSERT_TRUE(database) << database.error().message;
        auto persons = PersonStore::open(std::move(*database), *epochs_, keys_, random_);
        ASSERT_TRUE(persons) << persons.error().message;
        persons_ = std::move(*persons);
        recorder_ =
            std::make_unique<Recorder>(journal_, clock_, random_, Time{}, Recorder::Hooks{});
        mark_ = std::make_unique<JournalMark>(*persons_, journal_, keys_.journal_mark(), random_);
        ASSERT_TRUE(mark_->replay());
        rotation_ = std::make_unique<Rotation>(
            *epochs_, *persons_, *recorder_, *mark_,
            Rotation::Options{kBatch, [this, on_step](Step step) {
                                  const bool go_on = !on_step || on_step(step);
                                  if (!go_on) stopped_ = true;
                                  if (step == Step::kEnded) ++ended_;
                                  return go_on;
                              }});
        stopped_ = false;
        ended_ = 0;
        ASSERT_TRUE(rotation_->begin());
    }
    void close() {
        rotation_.reset();
        mark_.reset();
        recorder_.reset();
        persons_.reset();
        epochs_.reset();
    }

    template <class Condition>
    bool eventually(Condition condition) {
        const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(30);
        while (!condition() && std::chrono::steady_clock::now() < deadline)
            std::this_thread::yield();
        return condition();
    }
    bool comes_to_rest() {
        return eventually([&] { return !rotation_->state()->running; });
    }
    /// A rotation from START to its end.
    void rotate() {
        ASSERT_TRUE(rotation_->start(0));
        ASSERT_TRUE(comes_to_rest());
        EXPECT_EQ(rotation_->state()->failure, "");
    }
    std::vector<Bytes> keys_of(const std::vector<Person>& persons) const {
        std::vector<Bytes> keys;
        for (const auto& person : persons) {
            auto key = persons_->key(person);
            EXPECT_TRUE(key) << (key ? "" : key.error().message);
            keys.push_back(key ? to_bytes(key->view()) : Bytes());
        }
        return keys;
    }
    std::vector<std::string> told() const {
        std::vector<std::string> reasons;
        for (const auto& bytes : journal_.entries) {
            const auto entry = *journal::decode_entry(bytes);
            EXPECT_EQ(entry.kind, journal::EntryKind::kKeyChanged);
            reasons.push_back(entry.reason);
        }
        return reasons;
    }
    using Told = std::vector<std::string>;

    static constexpr std::size_t kBatch = 100;
    TemporaryDirectory directory_;
    SeededRandom random_{5};
    ManualClock clock_{from_unix_ms(TestBed::kStartMs)};
    KeyRing keys_{*crypto::RootKey::from_bytes(Bytes(32, 1))};
    MemoryJournal journal_;
    std::unique_ptr<Epochs> epochs_;
    std::unique_ptr<PersonStore> persons_;
    std::unique_ptr<Recorder> recorder_;
    std::unique_ptr<JournalMark> mark_;
    std::unique_ptr<Rotation> rotation_;
    std::atomic<bool> stopped_{false};
    std::atomic<int> ended_{0};
};

TEST_F(RotationTest, EveryKeyMovesAndTheOldOneIsDestroyed) {
    const auto persons = *persons_->enroll(1'000);
    const auto keys = keys_of(persons);
    EXPECT_EQ(told(), Told{"epoch 1"});
    ASSERT_TRUE(persons_->erase(persons[0]));
    rotate();
    EXPECT_EQ(told(), (Told{"epoch 1", "epoch 2", "epoch 1 destroyed"}));
    EXPECT_EQ(epochs_->living(), std::vector<std::uint32_t>{2});
    const auto state = *rotation_->state();
    EXPECT_EQ(state.epoch, 2u);
    EXPECT_EQ(state.progress.done, 999u);
    EXPECT_EQ(state.progress.total, 999u);
    EXPECT_EQ(*persons_->left_behind(), 0u);
    EXPECT_EQ(persons_->key(persons[0]).error().code, ErrorCode::kNotFound);
    const std::vector<Person> living(persons.begin() + 1, persons.end());
    EXPECT_EQ(keys_of(living), std::vector<Bytes>(keys.begin() + 1, keys.end()));
    open();
    EXPECT_EQ(keys_of(living), std::vector<Bytes>(keys.begin() + 1, keys.end()));
    EXPECT_EQ(told().size(), 3u) << "said once";
}

TEST_F(RotationTest, TwoInARow) {
    const auto persons = *persons_->enroll(300);
    const auto keys = keys_of(persons);
    rotate();
    rotate();
    EXPECT_EQ(told(),
              (Told{"epoch 1", "epoch 2", "epoch 1 destroyed", "epoch 3", "epoch 2 destroyed"}));
    EXPECT_EQ(epochs_->living(), std::vector<std::uint32_t>{3});
    EXPECT_EQ(keys_of(persons), keys);
}

TEST_F(RotationTest, RowsKeepTheirLengthSoThatTheTableDoesNotGrow) {
    ASSERT_TRUE(persons_->enroll(10'000));
    ASSERT_TRUE(persons_->database().compact_log());
    const auto file = directory_.path() / "persons.sqlite";
    const auto before = std::filesystem::file_size(file);
    rotate();
    ASSERT_TRUE(persons_->database().compact_log());
    EXPECT_EQ(std::filesystem::file_size(file), before);
}

TEST_F(RotationTest, ItGoesOnAfterAStopAtAnyPoint) {
    const auto persons = *persons_->enroll(1'000);
    const auto keys = keys_of(persons);
    std::uint32_t epoch = 1;
    for (const Step at : {Step::kKeyMade, Step::kLineWritten, Step::kInUse, Step::kBatch,
                          Step::kAllMoved, Step::kKeyDestroyed, Step::kEnded}) {
        // The first time that the step is reached, and, for batches, in their midst.
        for (const int times : {1, 5}) {
            if (times > 1 && at != Step::kBatch) continue;
            int seen = 0;
            open([&, at, times](Step step) {
                // The thread also comes to an end of nothing, before it is started.
                if (step == Step::kEnded && epochs_->newest() == epoch) return true;
                return step != at || ++seen < times;
            });
            ASSERT_TRUE(rotation_->start(0));
            ASSERT_TRUE(eventually([&] { return stopped_.load(); })) << static_cast<int>(at);
            ++epoch;
            open();
            ASSERT_TRUE(comes_to_rest()) << static_cast<int>(at);
            ASSERT_TRUE(eventually([&] {
                return told().back() == "epoch " + std::to_string(epoch - 1) + " destroyed";
            })) << static_cast<int>(at);
            EXPECT_EQ(epochs_->living(), std::vector<std::uint32_t>{epoch});
            EXPECT_EQ(keys_of(persons), keys);
            EXPECT_EQ(rotation_->state()->progress.done, 1'000u);
            EXPECT_EQ(*persons_->left_behind(), 0u);
        }
    }
    std::set<std::string> once;
    for (const auto& reason : told()) EXPECT_TRUE(once.insert(reason).second) << reason;
}

TEST_F(RotationTest, ItServesWhileItRuns) {
    std::vector<Person> persons = *persons_->enroll(2'000);
    const auto keys = keys_of(persons);
    std::vector<Person> erased;
    std::vector<Person> late;
    open([&, rounds = 0](Step step) mutable {
        if (step == Step::kBatch && rounds < 10) {
            // In the midst of it: one more, one less, one read.
            late.push_back(persons_->enroll(1)->at(0));
            erased.push_back(persons.at(static_cast<std::size_t>(200 * rounds)));
            EXPECT_TRUE(persons_->erase(erased.back()));
            EXPECT_TRUE(persons_->key(persons.back()));
            ++rounds;
        }
        return true;
    });
    rotate();
    EXPECT_EQ(late.size(), 10u);
    for (const auto& person : late) EXPECT_TRUE(persons_->key(person));
    for (const auto& person : erased)
        EXPECT_EQ(persons_->key(person).error().code, ErrorCode::kNotFound);
    for (std::size_t i = 0; i < persons.size(); ++i) {
        if (i % 200 == 0) continue;
        EXPECT_EQ(to_bytes(persons_->key(persons[i])->view()), keys[i]);
    }
    const auto state = *rotation_->state();
    EXPECT_EQ(state.progress.done, 2'000u);
    EXPECT_EQ(state.progress.total, 2'000u);
    EXPECT_EQ(epochs_->living(), std::vector<std::uint32_t>{2});
}

TEST_F(RotationTest, PauseHoldsUntilStartOrTheNextOpening) {
    ASSERT_TRUE(persons_->enroll(1'000));
    std::atomic<int> batches{0};
    bool paused = false;
    open([&](Step step) {
        if (step == Step::kBatch && ++batches == 3 && !std::exchange(paused, true))
            rotation_->pause();
        return true;
    });
    ASSERT_TRUE(rotation_->start(0));
    ASSERT_TRUE(eventually([&] { return batches == 3; }));
    ASSERT_TRUE(comes_to_rest());
    auto state = *rotation_->state();
    EXPECT_EQ(state.epoch, 2u);
    EXPECT_EQ(state.progress.total, 1'000u);
    EXPECT_LT(state.progress.done, 1'000u);
    EXPECT_EQ(epochs_->living(), (std::vector<std::uint32_t>{1, 2}));
    rotate();
    EXPECT_EQ(epochs_->living(), std::vector<std::uint32_t>{2})
        << "START goes on, it makes no third";

    batches = 0;
    ASSERT_TRUE(rotation_->start(0));
    ASSERT_TRUE(eventually([&] { return batches >= 3; }));
    open();
    ASSERT_TRUE(comes_to_rest());
    ASSERT_TRUE(eventually([&] { return epochs_->living() == std::vector<std::uint32_t>{3}; }));
}

TEST_F(RotationTest, ARowThatDoesNotOpenIsNamedAndTheOldKeyStays) {
    const auto persons = *persons_->enroll(500);
    const auto set = [&](ByteView wrapped) {
        return persons_->database().write([&](storage::Transaction& transaction) -> Status {
            CLOISON_TRY_STATUS(
                transaction.execute("UPDATE person SET wrapped = $2 WHERE ordinal = $1",
                                    {std::int64_t{persons[7].ordinal}, storage::blob(wrapped)}));
            return {};
        });
    };
    const Bytes good = *persons_->database().read_result<Bytes>(
        [&](storage::Transaction& transaction) -> Result<Bytes> {
            CLOISON_TRY(auto row,
                        transaction.query_one("SELECT wrapped FROM person WHERE ordinal = $1",
                                              {std::int64_t{persons[7].ordinal}}));
            return row.bytes(0);
        });
    Bytes bad = good;
    bad.back() ^= 1;
    ASSERT_TRUE(set(bad));
    ASSERT_TRUE(rotation_->start(0));
    ASSERT_TRUE(eventually([&] { return !rotation_->state()->failure.empty(); }));
    const auto state = *rotation_->state();
    EXPECT_FALSE(state.running);
    EXPECT_NE(state.failure.find("person " + std::to_string(persons[7].ordinal) + " "),
              std::string::npos)
        << state.failure;
    EXPECT_EQ(epochs_->living(), (std::vector<std::uint32_t>{1, 2}));
    EXPECT_TRUE(persons_->key(persons[8])) << "others are served";
    ASSERT_TRUE(set(good));
    rotate();
    EXPECT_EQ(epochs_->living(), std::vector<std::uint32_t>{2});
    EXPECT_TRUE(persons_->key(persons[7]));
}

TEST_F(RotationTest, APaceIsKeptAlsoByTheNextOpening) {
    const auto persons = *persons_->enroll(500);
    std::atomic<int> batches{0};
    const auto count = [&](Step step) {
        if (step == Step::kBatch) ++batches;
        return true;
    };
    open(count);
    const auto began = std::chrono::steady_clock::now();
    const auto took = [&] { return std::chrono::steady_clock::now() - began; };
    ASSERT_TRUE(rotation_->start(500));
    ASSERT_TRUE(eventually([&] { return batches >= 1; }));
    rotation_->pause();
    open(count);  // What was paused goes on.
    ASSERT_TRUE(eventually([&] { return rotation_->state()->epoch == 2 && comes_to_rest(); }));
    EXPECT_EQ(rotation_->state()->failure, "");
    // The pause cuts at most one rest off, a tenth of a second.
    EXPECT_GE(took(), std::chrono::milliseconds(850));

    const int slow = batches.exchange(0);
    rotate();
    EXPECT_EQ(ended_, 2);
    EXPECT_LT(batches, slow) << "in larger batches again";
    EXPECT_EQ(keys_of(persons).size(), 500u);
}

TEST_F(RotationTest, AFullDiskStandsStillWithItsReasonAndGoesOn) {
    const auto persons = *persons_->enroll(1'000);
    // A file in the way of the new key is what a disk that takes nothing looks like.
    const Path in_the_way = directory_.path() / "epochs" / "2.key";
    std::filesystem::create_directory(in_the_way);
    ASSERT_TRUE(rotation_->start(0));
    ASSERT_TRUE(eventually([&] { return !rotation_->state()->failure.empty(); }));
    EXPECT_NE(rotation_->state()->failure.find("2.key"), std::string::npos);
    EXPECT_EQ(told(), Told{"epoch 1"});
    std::filesystem::remove(in_the_way);

    // And a table that takes no change from its midst on.
    const auto run = [&](const char* sql) {
        return persons_->database().write([&](storage::Transaction& transaction) -> Status {
            CLOISON_TRY_STATUS(transaction.execute(sql, {}));
            return {};
        });
    };
    std::atomic<int> batches{0};
    open([&](Step step) {
        if (step == Step::kBatch && ++batches == 2) {
            EXPECT_TRUE(
                run("CREATE TRIGGER full BEFORE UPDATE ON person "
                    "BEGIN SELECT RAISE(FAIL, 'full'); END"));
        }
        return true;
    });
    ASSERT_TRUE(rotation_->start(0));
    ASSERT_TRUE(eventually([&] { return !rotation_->state()->failure.empty(); }));
    EXPECT_GT(rotation_->state()->progress.done, 0u) << "what was moved stays moved";
    EXPECT_LT(rotation_->state()->progress.done, 1'000u);
    EXPECT_FALSE(rotation_->state()->running);
    ASSERT_TRUE(run("DROP TRIGGER full"));
    rotate();
    EXPECT_EQ(epochs_->living(), std::vector<std::uint32_t>{2});
    EXPECT_EQ(keys_of(persons).size(), 1'000u);
}

}  // namespace
}  // namespace cloison::keeper
