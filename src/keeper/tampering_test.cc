/// What somebody can do who writes to the stores: everything that was moved, swapped, rolled back
/// or changed in a bit is refused or reported.

#include <filesystem>
#include <fstream>
#include <thread>

#include "crypto/box.h"
#include "keeper/epochs.h"
#include "keeper/history.h"
#include "keeper/history_schema.h"
#include "keeper/person_store.h"
#include "keeper/persons_schema.h"
#include "keeper/support_for_test.h"

namespace cloison::keeper {
namespace {

constexpr ErrorCode kGood = ErrorCode::kInternal;  ///< Stands for success.

class TamperingTest : public testing::Test {
  protected:
    void SetUp() override {
        bed_.start();
        ASSERT_NE(bed_.keeper, nullptr);
        residents_ = bed_.enroll(2);
        grant_ = bed_.officer_grant(officer_, residents_[0], {"birth_name", "sex", "email"});
        sealed_ = bed_.seal(grant_, "birth_name", "Martin");
    }
    void change(const std::string& store, const std::vector<storage::Migration>& schema,
                const std::string& sql, std::vector<storage::Value> parameters = {}) {
        bed_.keeper.reset();
        {
            auto database = storage::open_sqlite(bed_.directory() / store, schema);
            ASSERT_TRUE(database);
            ASSERT_TRUE((*database)->write([&](storage::Transaction& transaction) -> Status {
                CLOISON_TRY_STATUS(transaction.execute(sql, parameters));
                return {};
            }));
        }
        bed_.start();
        ASSERT_NE(bed_.keeper, nullptr);
    }
    void change_persons(const std::string& sql, std::vector<storage::Value> parameters = {}) {
        change("persons.sqlite", persons_schema(), sql, std::move(parameters));
    }
    Bytes column(const std::string& name, const Resident& resident) {
        bed_.keeper.reset();
        Bytes content;
        {
            auto database =
                storage::open_sqlite(bed_.directory() / "persons.sqlite", persons_schema());
            content = *(*database)->read_result<Bytes>(
                [&](storage::Transaction& transaction) -> Result<Bytes> {
                    CLOISON_TRY(auto row, transaction.query_one(
                                              "SELECT " + name + " FROM person WHERE ordinal = $1",
                                              {std::int64_t{bed_.ordinal(resident)}}));
                    return row.bytes(0);
                });
        }
        bed_.start();
        return content;
    }
    ErrorCode opens(const Grant& grant, const std::string& field, const std::string& sealed,
                    std::uint8_t record = 1, std::uint32_t schema = 1) {
        auto disclosure = TestBed::disclosure(bed_.sign(grant), field, sealed, record);
        disclosure.mutable_items(0)->set_schema_version(schema);
        auto opened = bed_.open(disclosure);
        return opened ? kGood : opened.error().code;
    }
    ErrorCode opens() { return opens(grant_, "birth_name", sealed_); }
    std::size_t disclosures() { return bed_.lines(journal::EntryKind::kDisclosed).size(); }

    TestBed bed_;
    ActorId officer_ = ActorId::random(bed_.random);
    std::vector<Resident> residents_;
    Grant grant_;
    std::string sealed_;
};

TEST_F(TamperingTest, ASealedValueOpensInItsOwnPlaceAlone) {
    ASSERT_EQ(opens(), kGood);
    const Grant other = bed_.officer_grant(officer_, residents_[1], {"birth_name"});
    EXPECT_EQ(opens(grant_, "birth_name", sealed_, 2), ErrorCode::kCorrupt) << "another row";
    EXPECT_EQ(opens(other, "birth_name", sealed_), ErrorCode::kCorrupt) << "another person";
    EXPECT_EQ(opens(grant_, "sex", sealed_), ErrorCode::kCorrupt) << "another field";
    EXPECT_EQ(opens(grant_, "birth_name", sealed_, 1, 2), ErrorCode::kCorrupt)
        << "another schema version";
    Grant own = bed_.self_grant(residents_[0], {"email"});
    auto moved = TestBed::disclosure(bed_.sign(own), "email", sealed_);
    EXPECT_EQ(bed_.open(moved, "portal").error().code, ErrorCode::kCorrupt)
        << "a field of another compartment";
    std::string relabelled = sealed_;
    relabelled[4] ^= 3;  // epoch 1 becomes epoch 2
    EXPECT_EQ(opens(grant_, "birth_name", relabelled), ErrorCode::kCorrupt) << "another epoch";
    EXPECT_EQ(disclosures(), 1u) << "what does not open is not disclosed";
}

TEST_F(TamperingTest, EveryFlippedBitOfASealedValueIsRefused) {
    for (std::size_t bit = 0; bit < sealed_.size() * 8; ++bit) {
        std::string flipped = sealed_;
        flipped[bit / 8] = static_cast<char>(flipped[bit / 8] ^ (1 << (bit % 8)));
        ASSERT_EQ(opens(grant_, "birth_name", flipped), ErrorCode::kCorrupt) << bit;
    }
    EXPECT_EQ(disclosures(), 0u);
    EXPECT_EQ(opens(), kGood);
}

TEST_F(TamperingTest, WrappedKeysThatAreSwappedBetweenRowsDoNotOpen) {
    const auto first = std::int64_t{bed_.ordinal(residents_[0])};
    const auto second = std::int64_t{bed_.ordinal(residents_[1])};
    change_persons(
        "UPDATE person SET wrapped = (SELECT wrapped FROM person WHERE ordinal = $2) "
        "WHERE ordinal = $1",
        {first, second});
    EXPECT_EQ(opens(), ErrorCode::kCorrupt);
}

TEST_F(TamperingTest, ARowThatIsMovedWholeIsNobody) {
    const auto first = std::int64_t{bed_.ordinal(residents_[0])};
    const auto second = std::int64_t{bed_.ordinal(residents_[1])};
    change_persons(
        "UPDATE person SET root = (SELECT root FROM person WHERE ordinal = $2), "
        "wrapped = (SELECT wrapped FROM person WHERE ordinal = $2) WHERE ordinal = $1",
        {first, second});
    EXPECT_EQ(opens(), ErrorCode::kNotFound);
}

TEST_F(TamperingTest, ARowOfAnotherEpochDoesNotOpen) {
    for (const std::uint32_t epoch : {2u, 0xffffffffu}) {
        const Bytes wrapped = column("wrapped", residents_[0]);
        Bytes moved;
        put_u32(moved, epoch);
        moved.insert(moved.end(), wrapped.begin() + 4, wrapped.end());
        const auto ordinal = std::int64_t{bed_.ordinal(residents_[0])};
        change_persons("UPDATE person SET wrapped = $2 WHERE ordinal = $1",
                       {ordinal, storage::blob(moved)});
        EXPECT_EQ(opens(), ErrorCode::kCorrupt) << epoch;
        change_persons("UPDATE person SET wrapped = $2 WHERE ordinal = $1",
                       {ordinal, storage::blob(wrapped)});
        EXPECT_EQ(opens(), kGood);
    }
}

/// Bit by bit in the store itself: a keeper for each would take minutes.
TEST_F(TamperingTest, EveryFlippedBitOfARowIsRefused) {
    bed_.keeper.reset();
    const auto root = load_root_key(local_file_system(), bed_.directory(), {});
    const KeyRing keys(root->key());
    const auto epochs = *Epochs::open(local_file_system(), bed_.directory() / "epochs",
                                      keys.epoch_wrap(), bed_.random);
    const auto persons = *PersonStore::open(
        *storage::open_sqlite(bed_.directory() / "persons.sqlite", persons_schema()), *epochs, keys,
        bed_.random);
    const auto person = persons->enroll(1)->at(0);
    for (const std::string name : {"wrapped", "root"}) {
        const auto set = [&](ByteView content) {
            return persons->database().write([&](storage::Transaction& transaction) -> Status {
                CLOISON_TRY_STATUS(
                    transaction.execute("UPDATE person SET " + name + " = $2 WHERE ordinal = $1",
                                        {std::int64_t{person.ordinal}, storage::blob(content)}));
                return {};
            });
        };
        const Bytes good = *persons->database().read_result<Bytes>(
            [&](storage::Transaction& transaction) -> Result<Bytes> {
                CLOISON_TRY(auto row, transaction.query_one(
                                          "SELECT " + name + " FROM person WHERE ordinal = $1",
                                          {std::int64_t{person.ordinal}}));
                return row.bytes(0);
            });
        EXPECT_EQ(good.size(), name == "root" ? 16u : 76u);
        for (std::size_t bit = 0; bit < good.size() * 8; ++bit) {
            Bytes flipped = good;
            flipped[bit / 8] ^= static_cast<std::uint8_t>(1u << (bit % 8));
            ASSERT_TRUE(set(flipped));
            ASSERT_FALSE(persons->key(person)) << name << ' ' << bit;
        }
        ASSERT_TRUE(set(Bytes(good.begin(), good.end() - 1)));
        EXPECT_FALSE(persons->key(person));
        ASSERT_TRUE(set(good));
        EXPECT_TRUE(persons->key(person));
    }
}

TEST_F(TamperingTest, AKeyFromBeforeARotationDoesNotOpen) {
    const Bytes before = column("wrapped", residents_[0]);
    v1::RotateRequest request;
    request.set_action(v1::RotateRequest::START);
    ASSERT_TRUE(bed_.as("operator").rotate(request));
    request.set_action(v1::RotateRequest::STATUS);
    const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(30);
    while (std::chrono::steady_clock::now() < deadline) {
        const auto state = bed_.as("operator").rotate(request);
        if (!state->running() && state->epoch() == 2) break;
        std::this_thread::yield();
    }
    EXPECT_EQ(opens(), kGood) << "a value that was sealed in the epoch before";
    change_persons("UPDATE person SET wrapped = $2 WHERE ordinal = $1",
                   {std::int64_t{bed_.ordinal(residents_[0])}, storage::blob(before)});
    EXPECT_EQ(opens(), ErrorCode::kCorrupt);
}

TEST_F(TamperingTest, AnOlderRowOfAnErasedPersonIsErasedAgainAndRaisesAnAlarm) {
    const Bytes before = column("wrapped", residents_[0]);
    Grant erase = bed_.base_grant(registry::Role::kDpo, "desk", "erase", "erasure_request", {});
    erase.person = bed_.handle(residents_[0]);
    v1::EraseRequest request;
    request.set_grant(bed_.sign(erase));
    ASSERT_TRUE(bed_.as("desk").erase(request));
    bed_.restart();
    EXPECT_TRUE(bed_.lines(journal::EntryKind::kAlarm).empty());
    change_persons("UPDATE person SET wrapped = $2 WHERE ordinal = $1",
                   {std::int64_t{bed_.ordinal(residents_[0])}, storage::blob(before)});
    EXPECT_EQ(opens(), ErrorCode::kNotFound);
    const auto alarms = bed_.lines(journal::EntryKind::kAlarm);
    ASSERT_EQ(alarms.size(), 1u);
    EXPECT_EQ(alarms[0].reason, "erased persons came back");
}

TEST_F(TamperingTest, AHistoryThatDoesNotFitTheJournalIsBuiltAnew) {
    ASSERT_EQ(opens(), kGood);
    for (const char* sql :
         {"UPDATE progress SET last_leaf = x'00'", "UPDATE progress SET entries = 1000000"}) {
        change("history.sqlite", history_schema(), sql);
        v1::HistoryRequest request;
        request.set_grant(bed_.sign(bed_.self_grant(residents_[0], {})));
        request.set_limit(200);
        auto lines = bed_.as("portal").history(request);
        ASSERT_TRUE(lines) << lines.error().message;
        EXPECT_EQ(lines->lines_size(), 1) << sql;
    }
}

TEST_F(TamperingTest, ADamagedHistoryIsMadeAnew) {
    ASSERT_EQ(opens(), kGood);
    bed_.keeper.reset();
    const Path file = bed_.directory() / "history.sqlite";
    const auto size = std::filesystem::file_size(file);
    std::ofstream(file, std::ios::trunc) << std::string(size, 'x');
    bed_.start();
    ASSERT_NE(bed_.keeper, nullptr);
    v1::HistoryRequest request;
    request.set_grant(bed_.sign(bed_.self_grant(residents_[0], {})));
    request.set_limit(200);
    const auto lines = bed_.as("portal").history(request);
    ASSERT_TRUE(lines) << lines.error().message;
    EXPECT_EQ(lines->lines_size(), 1);
}

}  // namespace
}  // namespace cloison::keeper
