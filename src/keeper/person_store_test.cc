#include "keeper/person_store.h"

#include <gtest/gtest.h>

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
        auto database = storage::open_sqlite(path(), persons_schema());
        ASSERT_TRUE(database) << database.error().message;
        auto store = PersonStore::open(std::move(*database), keys_, random_);
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
    std::unique_ptr<PersonStore> store_;
};

TEST_F(PersonStoreTest, OrdinalsAreDenseAndKeysDiffer) {
    auto first = store_->enroll(3);
    auto second = store_->enroll(2);
    ASSERT_TRUE(first && second);
    std::uint32_t expected = 1;
    std::set<Bytes> keys;
    std::set<RootId> roots;
    for (const auto& persons : {*first, *second})
        for (const auto& person : persons) {
            EXPECT_EQ(person.ordinal, expected++);
            auto key = store_->key(person);
            ASSERT_TRUE(key);
            keys.insert(to_bytes(key->view()));
            roots.insert(person.root);
        }
    EXPECT_EQ(keys.size(), 5u);
    EXPECT_EQ(roots.size(), 5u);
    EXPECT_EQ(store_->count(), 5u);
}

TEST_F(PersonStoreTest, PersonsAndNumbersSurviveAReopening) {
    const Person person = store_->enroll(1)->at(0);
    const Bytes key = to_bytes(store_->key(person)->view());
    open();
    EXPECT_EQ(to_bytes(store_->key(person)->view()), key);
    EXPECT_EQ(store_->enroll(1)->at(0).ordinal, 2u);
    EXPECT_EQ(store_->count(), 2u);
}

TEST_F(PersonStoreTest, EnrolmentIsBounded) {
    EXPECT_EQ(store_->enroll(0).error().code, ErrorCode::kInvalidArgument);
    EXPECT_EQ(store_->enroll(10'001).error().code, ErrorCode::kInvalidArgument);
    EXPECT_EQ(store_->count(), 0u);
    auto most = store_->enroll(10'000);
    ASSERT_TRUE(most);
    EXPECT_EQ(most->size(), 10'000u);
    EXPECT_EQ(most->back().ordinal, 10'000u);
}

TEST_F(PersonStoreTest, TwelveMillionPersonsStayWithinFourGigabytes) {
    ASSERT_TRUE(store_->enroll(10'000));
    store_.reset();
    const auto bytes = std::filesystem::file_size(path());
    EXPECT_GT(bytes, 10'000u * (16 + 72));
    EXPECT_LT(bytes * 1'200, 4'000'000'000u);
    open();
}

TEST_F(PersonStoreTest, UnknownAndErasedAreNotToldApart) {
    const auto persons = *store_->enroll(2);
    Person unknown{persons[0].ordinal, keys_.make_root(persons[0].ordinal, {9})};
    const auto reference = store_->key(unknown).error();
    EXPECT_EQ(reference.code, ErrorCode::kNotFound);
    EXPECT_EQ(store_->key({99, unknown.root}).error().message, reference.message);
    ASSERT_TRUE(store_->erase(persons[0]));
    EXPECT_EQ(store_->key(persons[0]).error().message, reference.message);
    EXPECT_EQ(store_->erase(persons[0]).error().code, ErrorCode::kNotFound);
    EXPECT_EQ(store_->erase(unknown).error().code, ErrorCode::kNotFound);
    EXPECT_TRUE(store_->key(persons[1]));
    EXPECT_EQ(store_->count(), 1u);
    open();
    EXPECT_EQ(code_of(persons[0]), ErrorCode::kNotFound);
    EXPECT_EQ(store_->count(), 1u);
    EXPECT_EQ(store_->enroll(1)->at(0).ordinal, 3u) << "an ordinal is never used again";
}

TEST_F(PersonStoreTest, FindGivesNothingForTheErasedAndUnknown) {
    const auto persons = *store_->enroll(3);
    ASSERT_TRUE(store_->erase(persons[1]));
    auto found = store_->find({3, 2, 1, 4, 0});
    ASSERT_TRUE(found);
    EXPECT_EQ(found->at(0), persons[2]);
    EXPECT_FALSE(found->at(1));
    EXPECT_EQ(found->at(2), persons[0]);
    EXPECT_FALSE(found->at(3));
    EXPECT_FALSE(found->at(4));
    EXPECT_TRUE(store_->find(std::vector<std::uint32_t>(10'000, 1)));
    EXPECT_FALSE(store_->find(std::vector<std::uint32_t>(10'001, 1)));
}

TEST_F(PersonStoreTest, SwappedKeysDoNotOpen) {
    const auto persons = *store_->enroll(2);
    tamper(
        "UPDATE person SET wrapped = (SELECT p.wrapped FROM person p WHERE p.ordinal = 2) "
        "WHERE ordinal = 1");
    EXPECT_EQ(code_of(persons[0]), ErrorCode::kCorrupt);
    EXPECT_EQ(code_of(persons[1]), ErrorCode::kInternal) << "untouched: good";
}

TEST_F(PersonStoreTest, AKeyOfAnotherEpochDoesNotOpen) {
    const auto persons = *store_->enroll(1);
    tamper("UPDATE person SET epoch = 2");
    EXPECT_EQ(code_of(persons[0]), ErrorCode::kCorrupt);
}

TEST_F(PersonStoreTest, AnotherRootKeyIsRefusedAtOnce) {
    store_.reset();
    const KeyRing other(*crypto::RootKey::from_bytes(Bytes(32, 2)));
    auto store = PersonStore::open(*storage::open_sqlite(path(), persons_schema()), other, random_);
    ASSERT_FALSE(store);
    EXPECT_EQ(store.error().code, ErrorCode::kCorrupt);
    EXPECT_NE(store.error().message.find("root.key"), std::string::npos);
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
