#include "keeper/generations.h"

#include <filesystem>

#include "keeper/client/store_generation.h"
#include "keeper/persons_schema.h"
#include "keeper/support_for_test.h"

namespace cloison::keeper {
namespace {

class GenerationsTest : public testing::Test {
  protected:
    void SetUp() override {
        bed_.start();
        ASSERT_NE(bed_.keeper, nullptr);
    }
    Result<v1::ReportGenerationResponse> report(const std::string& compartment,
                                                std::uint64_t generation) {
        v1::ReportGenerationRequest request;
        request.set_generation(generation);
        return bed_.as(compartment).report_generation(request);
    }
    bool put_back(const std::string& compartment, std::uint64_t generation) {
        // Beyond the minute in which the same cause has one line.
        bed_.clock.advance(Duration(60'000));
        const auto answer = report(compartment, generation);
        EXPECT_TRUE(answer) << answer.error().message;
        return answer && answer->put_back();
    }
    std::vector<std::string> alarms() {
        std::vector<std::string> reasons;
        for (const auto& line : bed_.lines(journal::EntryKind::kAlarm))
            reasons.push_back(line.reason);
        return reasons;
    }
    void change_persons(const std::string& sql) {
        bed_.keeper.reset();
        {
            auto database =
                storage::open_sqlite(bed_.directory() / "persons.sqlite", persons_schema());
            ASSERT_TRUE(database);
            ASSERT_TRUE((*database)->write([&](storage::Transaction& transaction) -> Status {
                CLOISON_TRY_STATUS(transaction.execute(sql, {}));
                return {};
            }));
        }
        bed_.start();
        ASSERT_NE(bed_.keeper, nullptr);
    }

    TestBed bed_;
};

using Reasons = std::vector<std::string>;

TEST_F(GenerationsTest, TheSameAndHigherNumbersRaiseNothing) {
    for (const std::uint64_t number : {0, 0, 1, 1, 2, 9})
        EXPECT_FALSE(put_back("identity", number));
    bed_.restart();
    EXPECT_FALSE(put_back("identity", 9));
    EXPECT_FALSE(put_back("identity", 10));
    EXPECT_EQ(alarms(), Reasons{});
}

TEST_F(GenerationsTest, ALowerNumberRaisesAnAlarmOnce) {
    EXPECT_FALSE(put_back("identity", 9));
    bed_.restart();
    EXPECT_TRUE(put_back("identity", 8));
    EXPECT_EQ(alarms(), Reasons{"identity store put back"});
    EXPECT_EQ(report("identity", 8)->highest(), 9u) << "the next is to be above it";
    bed_.restart();
    EXPECT_FALSE(put_back("identity", 8)) << "it was told";
    EXPECT_FALSE(put_back("identity", 10));
    EXPECT_EQ(alarms().size(), 1u);
    EXPECT_TRUE(put_back("identity", 9)) << "and once more";
    EXPECT_EQ(alarms().size(), 2u);
}

TEST_F(GenerationsTest, ADatabaseWithoutANumberIsOneThatWasPutBack) {
    EXPECT_FALSE(put_back("documents", 0));
    EXPECT_FALSE(put_back("documents", 1));
    EXPECT_TRUE(put_back("documents", 0));
    EXPECT_EQ(alarms(), Reasons{"documents store put back"});
}

TEST_F(GenerationsTest, EachCallerHasItsOwn) {
    EXPECT_FALSE(put_back("identity", 9));
    EXPECT_FALSE(put_back("casework", 3));
    EXPECT_FALSE(put_back("documents", 1));
    EXPECT_FALSE(put_back("identity", 9));
    EXPECT_TRUE(put_back("casework", 2));
    EXPECT_EQ(alarms(), Reasons{"casework store put back"});
    for (const char* caller : {"portal", "desk", "operator"})
        EXPECT_EQ(report(caller, 10).error().code, ErrorCode::kPermissionDenied) << caller;
}

TEST_F(GenerationsTest, ANumberHasABound) {
    EXPECT_EQ(report("identity", kMaxGeneration + 1).error().code, ErrorCode::kInvalidArgument);
    EXPECT_EQ(report("identity", ~std::uint64_t{0}).error().code, ErrorCode::kInvalidArgument);
    EXPECT_FALSE(put_back("identity", 1)) << "nothing was remembered of these";
    EXPECT_FALSE(put_back("identity", kMaxGeneration));
    EXPECT_TRUE(put_back("identity", kMaxGeneration - 1));
}

TEST_F(GenerationsTest, AMemoryThatWasChangedIsAnAlarm) {
    EXPECT_FALSE(put_back("identity", 9));
    EXPECT_FALSE(put_back("casework", 3));
    change_persons(
        "UPDATE setting SET content = (SELECT content FROM setting WHERE name = 'generation "
        "casework') WHERE name = 'generation identity'");
    EXPECT_TRUE(put_back("identity", 5)) << "casework's number is not identity's";
    EXPECT_FALSE(put_back("identity", 5));
    change_persons("UPDATE setting SET content = x'00' WHERE name = 'generation identity'");
    EXPECT_TRUE(put_back("identity", 6));
    EXPECT_FALSE(put_back("casework", 3));
    EXPECT_EQ(alarms(), (Reasons{"identity store put back", "identity store put back"}));
}

TEST_F(GenerationsTest, AKeeperOfAnEarlierDayLearnsTheNumberAnew) {
    EXPECT_FALSE(put_back("identity", 3));
    bed_.keeper.reset();
    const Path persons = bed_.directory() / "persons.sqlite";
    const Path copy = bed_.temporary.path() / "copy";
    ASSERT_TRUE(storage::snapshot_sqlite(persons, copy));
    bed_.start();
    EXPECT_FALSE(put_back("identity", 9));
    bed_.keeper.reset();
    for (const char* beside : {"-wal", "-shm"})
        std::filesystem::remove(Path(persons.string() + beside));
    std::filesystem::copy_file(copy, persons, std::filesystem::copy_options::overwrite_existing);
    bed_.start();
    EXPECT_FALSE(put_back("identity", 10));
    EXPECT_EQ(alarms(), Reasons{});
}

TEST_F(GenerationsTest, ADatabaseTellsThatItIsOlderThanItWas) {
    const std::vector<storage::Migration> schema{
        {1, "generation",
         "CREATE TABLE generation (id BIGINT PRIMARY KEY, number BIGINT NOT NULL, proof BYTES NOT "
         "NULL) KEYED;"}};
    const Path path = bed_.temporary.path() / "store.db";
    const Path older = bed_.temporary.path() / "older.db";
    const auto run = [&] {
        const auto database = storage::open_sqlite(path, schema).value();
        StoreGeneration generation(*database, bed_.as("casework"), Bytes(32, 1));
        EXPECT_TRUE(generation.step());
    };
    run();
    ASSERT_TRUE(storage::snapshot_sqlite(path, older));
    run();
    run();
    EXPECT_EQ(alarms(), Reasons{});
    std::filesystem::copy_file(older, path, std::filesystem::copy_options::overwrite_existing);
    run();
    EXPECT_EQ(alarms(), Reasons{"casework store put back"});
    run();
    EXPECT_EQ(alarms().size(), 1u);
}

}  // namespace
}  // namespace cloison::keeper
