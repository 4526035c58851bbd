#include "drill/link_search.h"

#include <gtest/gtest.h>

#include "base/seeded_random.h"
#include "base/temporary_directory.h"
#include "storage/database.h"

namespace cloison::drill {
namespace {

std::string random_bytes(SeededRandom& random, std::size_t size) {
    Bytes bytes(size);
    random.fill(bytes);
    return to_string(bytes);
}

StolenStore store(SeededRandom& random, const std::string& name) {
    StolenStore store;
    store.name = name;
    Column column{"person", "key", {}, {}, {}};
    for (int i = 0; i < 200; ++i) column.blobs.push_back(random_bytes(random, 16));
    store.columns.push_back(std::move(column));
    return store;
}

TEST(LinkSearchTest, RandomStoresShareNothing) {
    SeededRandom random(1);
    const auto a = store(random, "a");
    const auto b = store(random, "b");
    EXPECT_TRUE(shared_values(a, b, {}).empty());
}

TEST(LinkSearchTest, FindsAPlantedLinkAlsoInsideALongerValue) {
    SeededRandom random(1);
    const auto a = store(random, "a");
    auto b = store(random, "b");
    const std::string id = a.columns[0].blobs[7];
    b.columns[0].blobs[9] = random_bytes(random, 30) + id.substr(4, 8) + random_bytes(random, 5);
    EXPECT_EQ(shared_values(a, b, {}), (std::map<std::string, std::uint64_t>{{"person.key", 1}}));
    // Seven bytes are too few.
    b.columns[0].blobs[9] = random_bytes(random, 30) + id.substr(4, 7) + random_bytes(random, 5);
    EXPECT_TRUE(shared_values(a, b, {}).empty());
}

TEST(LinkSearchTest, TheHeaderOfSealedFieldsIsNoLink) {
    SeededRandom random(1);
    auto a = store(random, "a");
    auto b = store(random, "b");
    const std::string header("\x01\0\0\0\x02\x71\x72\x73", 8);
    a.columns[0].blobs = {header + random_bytes(random, 120)};
    b.columns[0].blobs = {header + random_bytes(random, 120)};
    EXPECT_TRUE(shared_values(a, b, {}).empty());
    b.columns[0].blobs = {header + a.columns[0].blobs[0].substr(8, 6) + random_bytes(random, 120)};
    EXPECT_FALSE(shared_values(a, b, {}).empty());
}

TEST(LinkSearchTest, EnumerationsAreFewTextsInManyRows) {
    StolenStore stolen;
    stolen.columns = {{"request", "status", {}, {}, {}}, {"person", "name", {}, {}, {}}};
    for (int i = 0; i < 64; ++i) {
        stolen.columns[0].texts.emplace_back(i % 2 == 0 ? "draft" : "ready");
        stolen.columns[1].texts.push_back("Name" + std::to_string(i / 2));
    }
    EXPECT_EQ(stolen.enumerations(), (std::set<std::string>{"draft", "ready"}));
}

TEST(LinkSearchTest, WhatIsKnownIsNoLink) {
    SeededRandom random(1);
    const auto a = store(random, "a");
    auto b = store(random, "b");
    b.columns[0].blobs[9] = a.columns[0].blobs[7];
    EXPECT_TRUE(shared_values(a, b, {a.columns[0].blobs[7]}).empty());
}

TEST(LinkSearchTest, ATextThatStandsOnceInEachIsALink) {
    SeededRandom random(1);
    auto a = store(random, "a");
    auto b = store(random, "b");
    a.columns[0].texts = {"in_review", "in_review", "REF-0123456"};
    b.columns[0].texts = {"in_review", "REF-0123456"};
    EXPECT_EQ(shared_values(a, b, {}).at("person.key"), 1U);
}

TEST(LinkSearchTest, OrderBetraysTimeOnlyWhereItFollowsIt) {
    std::vector<std::int64_t> written;
    for (int i = 0; i < 500; ++i) written.push_back(i / 3);
    EXPECT_GT(order_correlation(written), 0.99);
    SeededRandom random(2);
    std::vector<std::int64_t> shuffled;
    for (int i = 0; i < 500; ++i)
        shuffled.push_back(static_cast<std::int64_t>(random.uniform(1000)));
    EXPECT_LT(std::abs(order_correlation(shuffled)), order_bound(500));
    EXPECT_EQ(order_correlation({5, 5, 5}), 0);
    EXPECT_EQ(order_correlation({}), 0);
}

TEST(LinkSearchTest, LinkingByADay) {
    // Two persons on day 1 among two, one on day 2 among four, one on a day that nobody else has.
    EXPECT_DOUBLE_EQ(linking_success({1, 1, 2, 9}, {1, 1, 2, 2, 2, 2}), (0.5 + 0.5 + 0.25) / 4);
    EXPECT_DOUBLE_EQ(linking_success({}, {1}), 0);
}

TEST(LinkSearchTest, FineTimesThatStandInBothStores) {
    SeededRandom random(1);
    auto a = store(random, "a");
    auto b = store(random, "b");
    a.columns[0].integers = {1'790'000'123'456, 1'789'999'200'000, 7};
    b.columns[0].integers = {1'790'000'123'456, 1'789'999'200'000, 7};
    EXPECT_EQ(shared_fine_times(a, b, {}), 1U);
    EXPECT_EQ(shared_fine_times(a, b, {1'790'000'123'456}), 0U);
    EXPECT_EQ(shared_fine_times(a, b, {1'790'000'123'457}), 1U);
}

TEST(StolenStoreTest, ReadsTablesInTheirOrderOnDisk) {
    const TemporaryDirectory directory;
    const Path path = directory.path() / "store.db";
    {
        auto database = storage::open_sqlite(
            path, {{1, "start", "CREATE TABLE person (key BYTES PRIMARY KEY, day BIGINT) KEYED;"}});
        ASSERT_TRUE(database);
        ASSERT_TRUE((*database)->write([](storage::Transaction& transaction) -> Status {
            for (const char* key : {"c", "a", "b"})
                CLOISON_TRY_STATUS(transaction.execute(
                    "INSERT INTO person (key, day) VALUES ($1, $2)",
                    {storage::blob(std::string_view(key)), std::int64_t{key[0]}}));
            return {};
        }));
    }
    const auto read = StolenStore::read("test", path);
    ASSERT_TRUE(read);
    ASSERT_NE(read->column("person", "key"), nullptr);
    EXPECT_EQ(read->column("person", "key")->blobs, (std::vector<std::string>{"a", "b", "c"}));
    EXPECT_EQ(read->column("person", "day")->integers, (std::vector<std::int64_t>{97, 98, 99}));
    EXPECT_NE(read->schema.find("CREATE TABLE person"), std::string::npos);
    EXPECT_EQ(read->column("schema_migrations", "digest"), nullptr) << "tells of the build alone";
    EXPECT_FALSE(StolenStore::read("none", directory.path() / "missing.db"));
}

}  // namespace
}  // namespace cloison::drill
