#include "keeper/person_store.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <numeric>
#include <set>

#include "base/seeded_random.h"
#include "base/temporary_directory.h"
#include "keeper/persons_schema.h"

namespace cloison::keeper {
namespace {

class PersonStoreTest : public testing::Test {
  protected:
    void SetUp() override { open(); }

    void open() {
        store_.reset();
        auto epochs = Epochs::open(local_file_system(), directory_.path() / "epochs",
                                   keys_.epoch_wrap(), random_);
        ASSERT_TRUE(epochs) << epochs.error().message;
        epochs_ = std::move(*epochs);
        auto database = storage::open_sqlite(path(), persons_schema());
        ASSERT_TRUE(database) << database.error().message;
        auto store = PersonStore::open(std::move(*database), *epochs_, keys_, random_);
        ASSERT_TRUE(store) << store.error().message;
        store_ = std::move(*store);
    }
    Path path() const { return directory_.path() / "persons.sqlite"; }

    /// Changes rows behind the store's back.
    void tamper(std::string_view sql) {
        store_.reset();
        {
            auto database = storage::open_sqlite(path(), persons_schema());
            ASSERT_TRUE((*database)->write([&](storage::Transaction& transaction) -> Status {
                CLOISON_TRY_STATUS(transaction.execute(sql, {}));
                return {};
            }));
        }
        open();
    }
    ErrorCode code_of(const Person& person) const {
        auto key = store_->key(person);
        return key ? ErrorCode::kInternal : key.error().code;
    }

    TemporaryDirectory directory_;
    SeededRandom random_{5};
    KeyRing keys_{*crypto::RootKey::from_bytes(Bytes(32, 1))};
    std::unique_ptr<Epochs> epochs_;
    std::unique_ptr<PersonStore> store_;
};

std::set<std::uint32_t> ordinals_of(const std::vector<Person>& persons) {
    std::set<std::uint32_t> ordinals;
    for (const auto& person : persons) ordinals.insert(person.ordinal);
    return ordinals;
}

TEST_F(PersonStoreTest, OrdinalsAreHandedOutOnceAndKeysDiffer) {
    std::set<std::uint32_t> ordinals;
    std::set<Bytes> keys;
    std::set<RootId> roots;
    for (const std::uint32_t count : {3u, 2u, 1u}) {
        auto persons = store_->enroll(count);
        ASSERT_TRUE(persons);
        for (const auto& person : *persons) {
            EXPECT_TRUE(ordinals.insert(person.ordinal).second);
            auto key = store_->key(person);
            ASSERT_TRUE(key);
            keys.insert(to_bytes(key->view()));
            roots.insert(person.root);
        }
    }
    EXPECT_EQ(keys.size(), 6u);
    EXPECT_EQ(roots.size(), 6u);
    EXPECT_EQ(store_->count(), 6u);
    EXPECT_GE(*ordinals.begin(), 1u);
    EXPECT_LE(*ordinals.rbegin(), PersonStore::kBlock);
}

TEST_F(PersonStoreTest, ABlockIsUsedUpWithoutAGapWhateverTheBatches) {
    std::set<std::uint32_t> ordinals;
    std::uint32_t made = 0;
    for (const std::uint32_t count : {1u, 4'095u, 4'096u, 4'097u, 10'000u, 95u, 6'000u}) {
        const auto persons = *store_->enroll(count);
        ASSERT_EQ(persons.size(), count);
        ordinals.merge(ordinals_of(persons));
        made += count;
        ASSERT_EQ(ordinals.size(), made) << "one was handed out twice, at " << count;
        if (count % 2 == 1) open();
    }
    ASSERT_EQ(made, 28'384u);
    const auto rest = *store_->enroll(PersonStore::kBlock - made % PersonStore::kBlock);
    ordinals.merge(ordinals_of(rest));
    made += static_cast<std::uint32_t>(rest.size());
    EXPECT_EQ(ordinals.size(), made);
    EXPECT_EQ(*ordinals.rbegin(), made) << "dense";
    EXPECT_EQ(store_->count(), made);
}

/// Spearman's rank correlation between the order of enrolment and the ordinals.
double correlation(const std::vector<std::uint32_t>& ordinals) {
    std::vector<std::uint32_t> sorted = ordinals;
    std::sort(sorted.begin(), sorted.end());
    const double n = static_cast<double>(ordinals.size());
    double squares = 0;
    for (std::size_t i = 0; i < ordinals.size(); ++i) {
        const auto rank = std::lower_bound(sorted.begin(), sorted.end(), ordinals[i]);
        const double difference =
            static_cast<double>(rank - sorted.begin()) - static_cast<double>(i);
        squares += difference * difference;
    }
    return 1 - 6 * squares / (n * (n * n - 1));
}

TEST_F(PersonStoreTest, OrdinalsDoNotSayWhoCameFirst) {
    std::vector<std::uint32_t> one_by_one;
    for (int i = 0; i < 1'000; ++i) {
        one_by_one.push_back(store_->enroll(1)->at(0).ordinal);
        if (i % 100 == 50) open();
    }
    // Independent orders of 1,000 correlate within 0.13 in 99.99 % of cases; order gives 1.
    EXPECT_LT(std::abs(correlation(one_by_one)), 0.13);
    std::vector<std::uint32_t> at_once;
    const auto batch = *store_->enroll(1'000);
    for (const auto& person : batch) at_once.push_back(person.ordinal);
    EXPECT_LT(std::abs(correlation(at_once)), 0.13);
}

/// The content of every page of the database, without what a page that fills up leaves free.
TEST_F(PersonStoreTest, FillingARowMovesNoOtherRow) {
    const auto order_on_disk = [&] {
        store_.reset();  // the log goes into the database
        const Bytes file = *local_file_system().read_file(path(), 1 << 26);
        open();
        std::vector<std::size_t> places;
        constexpr std::uint32_t kAtOnce = PersonStore::kMaxEnrolment;
        for (std::uint32_t first = 1; first <= PersonStore::kBlock; first += kAtOnce) {
            std::vector<std::uint32_t> ordinals(kAtOnce);
            std::iota(ordinals.begin(), ordinals.end(), first);
            const auto found = store_->find(ordinals);
            for (const auto& person : *found) {
                if (!person) continue;
                const auto view = person->root.view();
                const auto at = std::search(file.begin(), file.end(), view.begin(), view.end());
                places.push_back(static_cast<std::size_t>(at - file.begin()));
            }
        }
        return places;
    };
    std::vector<Person> persons;
    for (int i = 0; i < 200; ++i) persons.push_back(store_->enroll(1)->at(0));
    const auto places = order_on_disk();
    ASSERT_EQ(places.size(), 200u);
    std::vector<std::size_t> by_enrolment;
    const Bytes file = *local_file_system().read_file(path(), 1 << 26);
    // Within a page rows lie in the order of their ordinals alone: the page of 4,096 bytes holds
    // about 39 of them, filled from its end.
    for (std::size_t i = 1; i < places.size(); ++i) {
        if (places[i] / 4096 != places[i - 1] / 4096) continue;
        EXPECT_LT(places[i], places[i - 1]) << i;
    }
}

TEST_F(PersonStoreTest, PersonsAndNumbersSurviveAReopening) {
    const Person person = store_->enroll(1)->at(0);
    const Bytes key = to_bytes(store_->key(person)->view());
    open();
    EXPECT_EQ(to_bytes(store_->key(person)->view()), key);
    EXPECT_NE(store_->enroll(1)->at(0).ordinal, person.ordinal);
    EXPECT_EQ(store_->count(), 2u);
}

TEST_F(PersonStoreTest, EnrolmentIsBounded) {
    EXPECT_EQ(store_->enroll(0).error().code, ErrorCode::kInvalidArgument);
    EXPECT_EQ(store_->enroll(10'001).error().code, ErrorCode::kInvalidArgument);
    EXPECT_EQ(store_->count(), 0u);
    auto most = store_->enroll(10'000);
    ASSERT_TRUE(most);
    EXPECT_EQ(most->size(), 10'000u);
}

TEST_F(PersonStoreTest, APersonTakesAtMost110Bytes) {
    constexpr std::uint32_t kPersons = 6 * PersonStore::kBlock;
    for (std::uint32_t left = kPersons; left > 0;) {
        const auto count = std::min(left, PersonStore::kMaxEnrolment);
        ASSERT_TRUE(store_->enroll(count));
        left -= count;
    }
    store_.reset();
    const auto bytes = std::filesystem::file_size(path());
    EXPECT_GT(bytes, kPersons * (16 + 76));
    EXPECT_LT(bytes, kPersons * 110);
    open();
}

TEST_F(PersonStoreTest, UnknownErasedAndNotYetHandedOutAreNotToldApart) {
    const auto persons = *store_->enroll(2);
    Person unknown{persons[0].ordinal, keys_.make_root(persons[0].ordinal, {9})};
    const auto reference = store_->key(unknown).error();
    EXPECT_EQ(reference.code, ErrorCode::kNotFound);
    EXPECT_EQ(store_->key({99'999, unknown.root}).error().message, reference.message);
    for (std::uint32_t ordinal = 1; ordinal <= 10; ++ordinal) {
        if (ordinal == persons[0].ordinal || ordinal == persons[1].ordinal) continue;
        EXPECT_EQ(store_->key({ordinal, RootId{}}).error().message, reference.message);
        EXPECT_EQ(store_->erase({ordinal, RootId{}}).error().code, ErrorCode::kNotFound);
        EXPECT_FALSE(*store_->knows(ordinal));
    }
    ASSERT_TRUE(store_->erase(persons[0]));
    EXPECT_EQ(store_->key(persons[0]).error().message, reference.message);
    EXPECT_EQ(store_->erase(persons[0]).error().code, ErrorCode::kNotFound);
    EXPECT_EQ(store_->erase(unknown).error().code, ErrorCode::kNotFound);
    EXPECT_TRUE(*store_->knows(persons[0].ordinal));
    EXPECT_TRUE(store_->key(persons[1]));
    EXPECT_EQ(store_->count(), 1u);
    open();
    EXPECT_EQ(code_of(persons[0]), ErrorCode::kNotFound);
    EXPECT_EQ(store_->count(), 1u);
    for (int i = 0; i < 10; ++i)
        EXPECT_NE(store_->enroll(1)->at(0).ordinal, persons[0].ordinal)
            << "an ordinal is never used again";
}

TEST_F(PersonStoreTest, FindGivesNothingForTheErasedAndUnknown) {
    const auto persons = *store_->enroll(3);
    ASSERT_TRUE(store_->erase(persons[1]));
    std::uint32_t nobody = 1;
    while (ordinals_of(persons).count(nobody) > 0) ++nobody;
    auto found = store_->find({persons[2].ordinal, persons[1].ordinal, persons[0].ordinal, nobody,
                               0, PersonStore::kBlock + 1});
    ASSERT_TRUE(found);
    EXPECT_EQ(found->at(0), persons[2]);
    EXPECT_FALSE(found->at(1));
    EXPECT_EQ(found->at(2), persons[0]);
    EXPECT_FALSE(found->at(3));
    EXPECT_FALSE(found->at(4));
    EXPECT_FALSE(found->at(5));
    EXPECT_TRUE(store_->find(std::vector<std::uint32_t>(10'000, 1)));
    EXPECT_FALSE(store_->find(std::vector<std::uint32_t>(10'001, 1)));
}

TEST_F(PersonStoreTest, RetiredOrdinalsAreNeverHandedOut) {
    const auto before = ordinals_of(*store_->enroll(5));
    ASSERT_TRUE(store_->retire(7'000));
    const auto after = ordinals_of(*store_->enroll(100));
    EXPECT_GT(*after.begin(), 7'000u);
    EXPECT_EQ(store_->count(), 105u);
    open();
    EXPECT_EQ(store_->count(), 105u);
    EXPECT_GT(store_->enroll(1)->at(0).ordinal, 7'000u);
    std::uint32_t retired = 1;
    while (before.count(retired) > 0) ++retired;
    EXPECT_FALSE(store_->find({retired})->at(0));
}

TEST_F(PersonStoreTest, AnErasedKeyIsNowhereInTheFiles) {
    const auto persons = *store_->enroll(50);
    const auto wrapped_of = [&](const Person& person) {
        return *store_->database().read_result<Bytes>(
            [&](storage::Transaction& transaction) -> Result<Bytes> {
                CLOISON_TRY(auto row,
                            transaction.query_one("SELECT wrapped FROM person WHERE ordinal = $1",
                                                  {std::int64_t{person.ordinal}}));
                return row.bytes(0);
            });
    };
    const auto occurrences = [&](const Bytes& wrapped) {
        int count = 0;
        // The box without the number of its epoch, and the tag alone.
        for (const std::size_t from : {std::size_t{4}, wrapped.size() - 16})
            for (const char* suffix : {"", "-wal", "-shm"}) {
                const auto file = local_file_system().read_file(path().string() + suffix, 1 << 26);
                if (!file) continue;
                count +=
                    std::search(file->begin(), file->end(), wrapped.begin() + std::ptrdiff_t(from),
                                wrapped.end()) != file->end();
            }
        return count;
    };
    for (int i = 0; i < 5; ++i) {
        const Bytes wrapped = wrapped_of(persons[i]);
        EXPECT_GT(occurrences(wrapped), 0) << "the test looks where the key is";
        ASSERT_TRUE(store_->erase(persons[i]));
        EXPECT_EQ(occurrences(wrapped), 0) << i;
    }
    EXPECT_GT(occurrences(wrapped_of(persons[10])), 0);
}

TEST_F(PersonStoreTest, ALogThatIsBeingReadIsEmptiedLater) {
    const auto persons = *store_->enroll(2);
    const auto log = path().string() + "-wal";
    ASSERT_TRUE(store_->database().read([&](storage::Transaction& transaction) -> Status {
        CLOISON_TRY_STATUS(transaction.query("SELECT count(*) FROM person", {}));
        // The reader's snapshot is from before the erasure: it is done all the same.
        EXPECT_TRUE(store_->erase(persons[0]));
        EXPECT_GT(std::filesystem::file_size(log), 0u);
        return {};
    }));
    EXPECT_TRUE(store_->compact());
    EXPECT_EQ(std::filesystem::file_size(log), 0u);
}

TEST_F(PersonStoreTest, EpochKeysThatAreGoneAreSaidAtOnce) {
    ASSERT_TRUE(store_->enroll(1));
    const auto opened = [&] {
        return PersonStore::open(*storage::open_sqlite(path(), persons_schema()), *epochs_, keys_,
                                 random_);
    };
    store_.reset();
    ASSERT_TRUE(epochs_->create(2));
    ASSERT_TRUE(epochs_->destroy(1));
    auto before_rotation = opened();
    ASSERT_FALSE(before_rotation);
    EXPECT_EQ(before_rotation.error().code, ErrorCode::kCorrupt);
    EXPECT_NE(before_rotation.error().message.find("before a rotation"), std::string::npos);
    ASSERT_TRUE(epochs_->destroy(2));
    auto without_keys = opened();
    ASSERT_FALSE(without_keys);
    EXPECT_EQ(without_keys.error().code, ErrorCode::kCorrupt);
    EXPECT_NE(without_keys.error().message.find("keys.escrow"), std::string::npos);
}

TEST_F(PersonStoreTest, SettingsAreKept) {
    EXPECT_TRUE(store_->setting("x")->empty());
    ASSERT_TRUE(store_->set_setting("x", as_bytes("one")));
    ASSERT_TRUE(store_->set_setting("x", as_bytes("two")));
    open();
    EXPECT_EQ(to_string(*store_->setting("x")), "two");
}

}  // namespace
}  // namespace cloison::keeper
