#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <stdexcept>
#include <thread>

#include "base/temporary_directory.h"
#include "storage/database.h"

namespace cloison::storage {
namespace {

using testing::HasSubstr;

const Migration kPeople{
    1, "people",
    "CREATE TABLE people (id BYTES PRIMARY KEY, name TEXT, age INTEGER) KEYED;\n"
    "CREATE TABLE letters (person BYTES NOT NULL REFERENCES people (id), "
    "number INTEGER NOT NULL, PRIMARY KEY (person, number)) KEYED;"};
const Migration kTowns{2, "towns", "CREATE TABLE towns (name TEXT NOT NULL UNIQUE);"};

class SqliteTest : public testing::Test {
  protected:
    void SetUp() override { open(); }

    void open() { database_ = open_sqlite(path_, {kPeople, kTowns}).value(); }

    Result<std::int64_t> execute(std::string sql, std::vector<Value> parameters = {}) {
        return database_->write_result<std::int64_t>(
            [&](Transaction& transaction) { return transaction.execute(sql, parameters); });
    }
    Result<Rows> query(std::string sql, std::vector<Value> parameters = {}) {
        return database_->read_result<Rows>(
            [&](Transaction& transaction) { return transaction.query(sql, parameters); });
    }
    std::int64_t count(const std::string& table) {
        return query("SELECT count(*) FROM " + table)->at(0).integer(0);
    }

    TemporaryDirectory directory_;
    const Path path_ = directory_.path() / "test.db";
    std::unique_ptr<Database> database_;
};

TEST_F(SqliteTest, CountsWhatWasCommitted) {
    EXPECT_EQ(database_->writes(), 0u);
    ASSERT_TRUE(execute("INSERT INTO towns (name) VALUES ('Ys')"));
    EXPECT_EQ(database_->writes(), 1u);
    EXPECT_FALSE(execute("INSERT INTO towns (name) VALUES ('Ys')"));
    EXPECT_FALSE(database_->write(
        [](Transaction&) -> Status { return fail(ErrorCode::kConflict, "Not now."); }));
    ASSERT_EQ(count("towns"), 1);
    EXPECT_EQ(database_->writes(), 1u);
}

TEST_F(SqliteTest, ValuesOfEveryTypeComeBack) {
    const std::string text("caf\xc3\xa9 \0 tail", 12);
    ASSERT_EQ(execute("INSERT INTO people (id, name, age) VALUES ($1, $2, $3)",
                      {Bytes{0, 255, 0}, text, std::int64_t{INT64_MIN}}),
              1);
    ASSERT_EQ(execute("INSERT INTO people (id, name, age) VALUES ($1, $2, $3)",
                      {Bytes{}, nullptr, nullptr}),
              1);
    const Rows rows = query("SELECT id, name, age FROM people ORDER BY id DESC").value();
    ASSERT_EQ(rows.size(), 2U);
    EXPECT_EQ(rows[0].bytes(0), (Bytes{0, 255, 0}));
    EXPECT_EQ(rows[0].text(1), text);
    EXPECT_EQ(rows[0].integer(2), INT64_MIN);
    EXPECT_FALSE(rows[1].is_null(0));
    EXPECT_TRUE(rows[1].bytes(0).empty());
    EXPECT_TRUE(rows[1].is_null(1));
    EXPECT_TRUE(rows[1].is_null(2));
}

TEST_F(SqliteTest, ParametersGoByNumberAndMayRepeat) {
    const auto rows = query("SELECT $2, $1, $2", {std::int64_t{1}, std::string("two")});
    EXPECT_EQ(rows->at(0).text(0), "two");
    EXPECT_EQ(rows->at(0).integer(1), 1);
    EXPECT_EQ(rows->at(0).text(2), "two");
    EXPECT_EQ(query("SELECT $1, $2", {std::int64_t{1}}).error().code, ErrorCode::kInternal);
    EXPECT_EQ(query("SELECT 1", {std::int64_t{1}}).error().code, ErrorCode::kInternal);
}

TEST_F(SqliteTest, ExecuteCountsChangedRows) {
    for (const char* name : {"Aix", "Albi", "Brest"})
        ASSERT_EQ(execute("INSERT INTO towns (name) VALUES ($1)", {std::string(name)}), 1);
    EXPECT_EQ(execute("UPDATE towns SET name = lower(name) WHERE name LIKE 'A%'"), 2);
    EXPECT_EQ(execute("UPDATE towns SET name = 'x' WHERE name = 'none'"), 0);
    EXPECT_EQ(execute("CREATE TABLE other (x INTEGER)"), 0);
    EXPECT_EQ(execute("INSERT INTO towns (name) VALUES ('Brest') ON CONFLICT DO NOTHING"), 0);
    EXPECT_EQ(execute("DELETE FROM towns"), 3);
}

TEST_F(SqliteTest, QueryOneWantsExactlyOneRow) {
    const auto one = [&](const std::string& sql) {
        return database_->read_result<Row>(
            [&](Transaction& transaction) { return transaction.query_one(sql, {}); });
    };
    EXPECT_EQ(one("SELECT 5")->integer(0), 5);
    EXPECT_EQ(one("SELECT 1 WHERE 1 = 0").error().code, ErrorCode::kNotFound);
    EXPECT_EQ(one("SELECT 1 UNION SELECT 2").error().code, ErrorCode::kInternal);
}

TEST_F(SqliteTest, RowsUpToTheBoundAndNotBeyond) {
    const std::string numbers =
        "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < $1) "
        "SELECT i FROM n";
    const auto bound = static_cast<std::int64_t>(Transaction::kMaxRows);
    EXPECT_EQ(query(numbers, {bound})->size(), Transaction::kMaxRows);
    EXPECT_EQ(query(numbers, {bound + 1}).error().code, ErrorCode::kTooLarge);
}

TEST_F(SqliteTest, ConstraintsAreConflicts) {
    ASSERT_TRUE(execute("INSERT INTO towns (name) VALUES ('Brest')"));
    for (const char* sql :
         {"INSERT INTO towns (name) VALUES ('Brest')", "INSERT INTO towns (name) VALUES (NULL)",
          "INSERT INTO letters (person, number) VALUES (x'01', 1)"})
        EXPECT_EQ(execute(sql).error().code, ErrorCode::kConflict) << sql;
    EXPECT_EQ(execute("INSERT INTO nowhere (x) VALUES (1)").error().code, ErrorCode::kInternal);
    EXPECT_EQ(count("towns"), 1);
}

TEST_F(SqliteTest, AFailedStatementDoomsTheTransaction) {
    const auto written = database_->write([](Transaction& transaction) -> Status {
        EXPECT_TRUE(transaction.execute("INSERT INTO towns (name) VALUES ('Brest')", {}));
        EXPECT_FALSE(transaction.execute("INSERT INTO towns (name) VALUES ('Brest')", {}));
        EXPECT_EQ(transaction.query("SELECT 1", {}).error().code, ErrorCode::kConflict);
        return {};
    });
    ASSERT_FALSE(written);
    EXPECT_EQ(written.error().code, ErrorCode::kConflict);
    EXPECT_EQ(count("towns"), 0);
}

TEST_F(SqliteTest, WorkThatFailsOrThrowsIsRolledBack) {
    const auto insert = [](Transaction& transaction) {
        return transaction.execute("INSERT INTO towns (name) VALUES ('Brest')", {});
    };
    const auto written = database_->write([&](Transaction& transaction) -> Status {
        EXPECT_TRUE(insert(transaction));
        return fail(ErrorCode::kExhausted, "No more.");
    });
    EXPECT_EQ(written.error().code, ErrorCode::kExhausted);
    EXPECT_THROW((void)database_->write([&](Transaction& transaction) -> Status {
        EXPECT_TRUE(insert(transaction));
        throw std::runtime_error("stop");
    }),
                 std::runtime_error);
    EXPECT_EQ(count("towns"), 0);
    EXPECT_TRUE(execute("INSERT INTO towns (name) VALUES ('Brest')"));
}

TEST_F(SqliteTest, AColumnOfAnotherTypeEndsTheWork) {
    ASSERT_TRUE(execute("INSERT INTO towns (name) VALUES ('Brest')"));
    const auto read = database_->read([](Transaction& transaction) -> Status {
        CLOISON_TRY(const auto row, transaction.query_one("SELECT name FROM towns", {}));
        EXPECT_EQ(row.integer(0), 1) << "not reached";
        return {};
    });
    EXPECT_EQ(read.error().code, ErrorCode::kCorrupt);
    const auto written = database_->write([](Transaction& transaction) -> Status {
        CLOISON_TRY_STATUS(transaction.execute("INSERT INTO towns (name) VALUES ('Dax')", {}));
        CLOISON_TRY(const auto row, transaction.query_one("SELECT NULL", {}));
        EXPECT_TRUE(row.is_null(1)) << "not reached";
        return {};
    });
    EXPECT_EQ(written.error().code, ErrorCode::kCorrupt);
    EXPECT_EQ(count("towns"), 1);
}

TEST_F(SqliteTest, ReadsCannotWrite) {
    const auto read = database_->read([](Transaction& transaction) -> Status {
        CLOISON_TRY_STATUS(transaction.execute("INSERT INTO towns (name) VALUES ('Brest')", {}));
        return {};
    });
    EXPECT_FALSE(read);
    EXPECT_EQ(count("towns"), 0);
}

TEST_F(SqliteTest, AReadSeesOneStateThroughout) {
    const auto towns = [](Transaction& transaction) {
        return transaction.query_one("SELECT count(*) FROM towns", {})->integer(0);
    };
    const auto read = database_->read([&](Transaction& transaction) -> Status {
        EXPECT_EQ(towns(transaction), 0);
        // Neither waits for the other.
        EXPECT_TRUE(execute("INSERT INTO towns (name) VALUES ('Brest')"));
        EXPECT_EQ(towns(transaction), 0);
        return {};
    });
    EXPECT_TRUE(read);
    EXPECT_EQ(count("towns"), 1);
}

TEST_F(SqliteTest, ManyWritersAndReadersLoseNothing) {
    ASSERT_TRUE(execute("INSERT INTO people (id, age) VALUES (x'01', 0)"));
    constexpr int kThreads = 8;
    constexpr int kRounds = 25;
    std::vector<std::thread> threads;
    threads.reserve(kThreads);
    for (int i = 0; i < kThreads; ++i)
        threads.emplace_back([&, i] {
            for (int j = 0; j < kRounds; ++j) {
                EXPECT_TRUE(database_->write([&](Transaction& transaction) -> Status {
                    CLOISON_TRY(const auto row,
                                transaction.query_one("SELECT age FROM people", {}));
                    CLOISON_TRY_STATUS(
                        transaction.execute("UPDATE people SET age = $1", {row.integer(0) + 1}));
                    CLOISON_TRY_STATUS(transaction.execute(
                        "INSERT INTO letters (person, number) VALUES (x'01', $1)",
                        {std::int64_t{i * kRounds + j}}));
                    return {};
                }));
                // Both tables change together, so every snapshot agrees.
                const auto rows = query("SELECT age = (SELECT count(*) FROM letters) FROM people");
                EXPECT_TRUE(rows && rows->at(0).integer(0) == 1);
            }
        });
    for (auto& thread : threads) thread.join();
    EXPECT_EQ(query("SELECT age FROM people")->at(0).integer(0), kThreads * kRounds);
    EXPECT_EQ(count("letters"), kThreads * kRounds);
}

TEST_F(SqliteTest, TwoProgramsShareOneFile) {
    auto other = open_sqlite(path_, {kPeople, kTowns}).value();
    std::thread writer([&] {
        for (int i = 0; i < 50; ++i)
            EXPECT_TRUE(other->write([&](Transaction& transaction) -> Status {
                CLOISON_TRY_STATUS(transaction.execute("INSERT INTO towns (name) VALUES ($1)",
                                                       {"other " + std::to_string(i)}));
                return {};
            }));
    });
    for (int i = 0; i < 50; ++i)
        EXPECT_TRUE(execute("INSERT INTO towns (name) VALUES ($1)", {"this " + std::to_string(i)}));
    writer.join();
    EXPECT_EQ(count("towns"), 100);
}

TEST_F(SqliteTest, MoreDistinctStatementsThanAreKept) {
    for (int i = 0; i < 600; ++i) {
        const auto rows = query("SELECT " + std::to_string(i) + " + $1", {std::int64_t{1}});
        ASSERT_EQ(rows->at(0).integer(0), i + 1);
    }
}

TEST_F(SqliteTest, CommittedRowsOutliveTheDatabaseObject) {
    ASSERT_TRUE(execute("INSERT INTO towns (name) VALUES ('Brest')"));
    database_.reset();
    open();
    EXPECT_EQ(count("towns"), 1);
}

TEST_F(SqliteTest, WhatACrashLeftInTheLogIsWrittenAgain) {
    ASSERT_TRUE(execute("INSERT INTO towns (name) VALUES ('Brest')"));
    // The files as a killed process leaves them.
    const Path left = directory_.path() / "left.db";
    std::filesystem::copy(path_, left);
    std::filesystem::copy(path_.string() + "-wal", left.string() + "-wal");
    ASSERT_GT(std::filesystem::file_size(left.string() + "-wal"), 0u);
    database_ = open_sqlite(left, {kPeople, kTowns}).value();
    EXPECT_EQ(std::filesystem::file_size(left.string() + "-wal"), 0u);
    EXPECT_EQ(count("towns"), 1);
}

TEST_F(SqliteTest, FilesArePrivateWhateverTheUmask) {
    const mode_t old_mask = umask(0);
    const Path path = directory_.path() / "private.db";
    auto database = open_sqlite(path, {kPeople}).value();
    umask(old_mask);
    FileSystem& files = local_file_system();
    for (const char* suffix : {"", "-wal", "-shm"})
        EXPECT_EQ(files.mode(path.string() + suffix), 0600U) << suffix;
}

TEST_F(SqliteTest, DeletedRowsAreOverwrittenInTheFile) {
    const std::string name = "a name that is to be forgotten";
    ASSERT_TRUE(execute("INSERT INTO towns (name) VALUES ($1)", {name}));
    ASSERT_TRUE(execute("DELETE FROM towns"));
    database_.reset();
    const auto content = local_file_system().read_file(path_, 1 << 20);
    EXPECT_EQ(to_string(*content).find(name), std::string::npos);
    EXPECT_EQ(local_file_system().exists(path_.string() + "-wal"), false);
}

class SqliteOpenTest : public testing::Test {
  protected:
    Error open_error(const Path& path, const std::vector<Migration>& migrations) {
        const auto database = open_sqlite(path, migrations);
        EXPECT_FALSE(database);
        return database ? Error{} : database.error();
    }

    TemporaryDirectory directory_;
    FileSystem& files_ = local_file_system();
    const Path path_ = directory_.path() / "test.db";
};

TEST_F(SqliteOpenTest, NewStepsAreAppliedOnceAndKeepTheRows) {
    ASSERT_TRUE((*open_sqlite(path_, {kPeople}))->write([](Transaction& transaction) -> Status {
        CLOISON_TRY_STATUS(transaction.execute("INSERT INTO people (id) VALUES (x'01')", {}));
        return {};
    }));
    for (int i = 0; i < 2; ++i) {
        auto database = open_sqlite(path_, {kPeople, kTowns});
        ASSERT_TRUE(database);
        EXPECT_TRUE((*database)->read([](Transaction& transaction) -> Status {
            CLOISON_TRY(const auto row,
                        transaction.query_one("SELECT (SELECT count(*) FROM people), "
                                              "(SELECT count(*) FROM schema_migrations)",
                                              {}));
            EXPECT_EQ(row.integer(0), 1);
            EXPECT_EQ(row.integer(1), 2);
            return {};
        }));
    }
}

TEST_F(SqliteOpenTest, NewerEditedAndUnorderedStepsAreRefused) {
    ASSERT_TRUE(open_sqlite(path_, {kPeople, kTowns}));
    EXPECT_EQ(open_error(path_, {kPeople}).code, ErrorCode::kConflict);
    EXPECT_THAT(open_error(path_, {kPeople}).message, HasSubstr("newer"));
    Migration edited = kTowns;
    edited.sql += " ";
    EXPECT_EQ(open_error(path_, {kPeople, edited}).code, ErrorCode::kConflict);
    EXPECT_THAT(open_error(path_, {kPeople, edited}).message, HasSubstr("towns"));
    EXPECT_EQ(open_error(path_, {kTowns}).code, ErrorCode::kInvalidArgument);
    EXPECT_EQ(open_error(path_, {kTowns, kPeople}).code, ErrorCode::kInvalidArgument);
    EXPECT_TRUE(open_sqlite(path_, {kPeople, kTowns}));
}

TEST_F(SqliteOpenTest, AStepThatFailsHalfwayLeavesNoTrace) {
    const Migration broken{2, "broken", "CREATE TABLE half (x INTEGER); CREATE TABL rest (x);"};
    EXPECT_EQ(open_error(path_, {kPeople, broken}).code, ErrorCode::kInternal);
    auto database = open_sqlite(path_, {kPeople, kTowns});
    ASSERT_TRUE(database);
    EXPECT_TRUE((*database)->read([](Transaction& transaction) -> Status {
        const auto rows = transaction.query("SELECT 1 FROM sqlite_master WHERE name = 'half'", {});
        EXPECT_TRUE(rows && rows->empty());
        return {};
    }));
}

TEST_F(SqliteOpenTest, APathThatCannotBeWrittenIsAnInputOutputErrorThatNamesIt) {
    ASSERT_TRUE(files_.create_directories(directory_.path() / "occupied"));
    for (const Path& path : {directory_.path() / "occupied", directory_.path() / "none/test.db",
                             Path("/proc/cloison.db")}) {
        const Error error = open_error(path, {kPeople});
        EXPECT_EQ(error.code, ErrorCode::kIo);
        EXPECT_THAT(error.message, HasSubstr(path.string()));
    }
}

TEST_F(SqliteOpenTest, FilesThatAreNoDatabaseOrDamagedAreCorrupt) {
    ASSERT_TRUE(files_.write_file_atomically(path_, Bytes(8192, 'x'), 0600));
    EXPECT_EQ(open_error(path_, {kPeople}).code, ErrorCode::kCorrupt);
    ASSERT_TRUE(files_.remove(path_));
    ASSERT_TRUE(open_sqlite(path_, {kPeople, kTowns}));
    Bytes content = files_.read_file(path_, 1 << 20).value();
    std::fill(content.begin() + 100, content.begin() + 4096, std::uint8_t{0xff});
    ASSERT_TRUE(files_.write_file_atomically(path_, content, 0600));
    EXPECT_EQ(open_error(path_, {kPeople, kTowns}).code, ErrorCode::kCorrupt);
}

TEST_F(SqliteOpenTest, AFullDiskIsAnInputOutputErrorAndChangesNothing) {
    auto database = open_sqlite(path_, {kPeople, kTowns}).value();
    const auto fill = [](const std::string& limit) {
        return [limit](Transaction& transaction) -> Status {
            // The page limit makes SQLite report a full disk.
            CLOISON_TRY_STATUS(transaction.query("PRAGMA max_page_count = " + limit, {}));
            CLOISON_TRY_STATUS(transaction.execute(
                "INSERT INTO people (id, name) VALUES (x'01', hex(zeroblob(200000)))", {}));
            return {};
        };
    };
    const auto full = database->write(fill("20"));
    ASSERT_FALSE(full);
    EXPECT_EQ(full.error().code, ErrorCode::kIo);
    EXPECT_THAT(full.error().message, HasSubstr("disk is full"));
    EXPECT_TRUE(database->write(fill("1000000")));
}

TEST(RowTest, AColumnIsReadAsItsTypeOnly) {
    const Row row({std::int64_t{1}, std::string("x")});
    EXPECT_EQ(row.integer(0), 1);
    EXPECT_THROW((void)row.text(0), WrongColumn);
    EXPECT_THROW((void)row.integer(1), WrongColumn);
    EXPECT_THROW((void)row.is_null(2), WrongColumn);
}

}  // namespace
}  // namespace cloison::storage
