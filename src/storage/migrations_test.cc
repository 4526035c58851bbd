#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/temporary_directory.h"
#include "storage/database.h"

namespace cloison::storage {
namespace {

using testing::HasSubstr;

class LoadMigrationsTest : public testing::Test {
  protected:
    void write(const std::string& name, std::string_view sql) {
        ASSERT_TRUE(files_.write_file_atomically(directory_.path() / name, as_bytes(sql), 0600));
    }
    Error load_error() {
        const auto migrations = load_migrations(files_, directory_.path());
        EXPECT_FALSE(migrations);
        return migrations ? Error{} : migrations.error();
    }

    TemporaryDirectory directory_;
    FileSystem& files_ = local_file_system();
};

TEST_F(LoadMigrationsTest, ReadsStepsInOrderAndLeavesOtherFilesAlone) {
    write("0002_add_b.sql", "CREATE TABLE b (x INTEGER);");
    write("0001_initial.sql", "CREATE TABLE a (x INTEGER);");
    write("README.md", "About these files.");
    const auto migrations = load_migrations(files_, directory_.path());
    ASSERT_TRUE(migrations);
    ASSERT_EQ(migrations->size(), 2U);
    EXPECT_EQ(migrations->at(0).number, 1);
    EXPECT_EQ(migrations->at(0).name, "initial");
    EXPECT_EQ(migrations->at(0).sql, "CREATE TABLE a (x INTEGER);");
    EXPECT_EQ(migrations->at(1).number, 2);
    EXPECT_EQ(migrations->at(1).name, "add_b");
}

TEST_F(LoadMigrationsTest, GapsAndRepeatedNumbersAreRefused) {
    write("0001_a.sql", "");
    write("0003_c.sql", "");
    EXPECT_EQ(load_error().code, ErrorCode::kInvalidArgument);
    EXPECT_THAT(load_error().message, HasSubstr("0003_c.sql"));
    write("0002_b.sql", "");
    EXPECT_TRUE(load_migrations(files_, directory_.path()));
    write("0002_b2.sql", "");
    EXPECT_THAT(load_error().message, HasSubstr("0002_b2.sql"));
}

TEST_F(LoadMigrationsTest, NamesOfAnotherFormAreRefused) {
    for (const char* name : {"1_a.sql", "00001_a.sql", "0001.sql", "0001_.sql", "000x_a.sql",
                             "0001-a.sql", ".sql", "a.sql"}) {
        write(name, "");
        EXPECT_EQ(load_error().code, ErrorCode::kInvalidArgument) << name;
        ASSERT_TRUE(files_.remove(directory_.path() / name));
    }
}

TEST_F(LoadMigrationsTest, AnEmptyOrMissingDirectoryIsNotFound) {
    EXPECT_EQ(load_error().code, ErrorCode::kNotFound);
    EXPECT_EQ(load_migrations(files_, directory_.path() / "none").error().code,
              ErrorCode::kNotFound);
}

}  // namespace
}  // namespace cloison::storage
