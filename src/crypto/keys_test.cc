#include "crypto/keys.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include "base/seeded_random.h"
#include "base/temporary_directory.h"

namespace cloison::crypto {
namespace {

using testing::HasSubstr;

TEST(KeyTest, DerivedKeysDifferByRootAndContext) {
    SeededRandom random(1);
    const auto root = RootKey::random(random);
    const auto other = RootKey::random(random);
    const auto key = derive_key<PseudonymKey>(root, "identity");
    EXPECT_EQ(to_bytes(derive_key<PseudonymKey>(root, "identity").view()), to_bytes(key.view()));
    EXPECT_NE(to_bytes(derive_key<PseudonymKey>(root, "casework").view()), to_bytes(key.view()));
    EXPECT_NE(to_bytes(derive_key<PseudonymKey>(other, "identity").view()), to_bytes(key.view()));
    EXPECT_EQ(derive_bytes(root.view(), "identity"), to_bytes(key.view()));
}

TEST(KeyTest, OtherLengthsAreRefused) {
    EXPECT_TRUE(RootKey::from_bytes(Bytes(32)));
    for (const std::size_t size : {0, 31, 33})
        EXPECT_EQ(RootKey::from_bytes(Bytes(size)).error().code, ErrorCode::kInvalidArgument);
}

class KeyFileTest : public testing::Test {
  protected:
    void write(std::string_view content, unsigned mode = 0600) {
        ASSERT_TRUE(files_.write_file_atomically(path_, as_bytes(content), mode));
    }
    Error load_error() {
        const auto key = load_key_file(files_, path_);
        EXPECT_FALSE(key);
        Error error = key ? Error{} : key.error();
        EXPECT_THAT(error.message, HasSubstr(path_.string()));
        return error;
    }

    TemporaryDirectory directory_;
    FileSystem& files_ = local_file_system();
    const Path path_ = directory_.path() / "keeper.key";
    const std::string digits_ = std::string(32, '0') + std::string(32, 'f');
};

TEST_F(KeyFileTest, CreatedFilesArePrivateAndLoad) {
    SeededRandom random(1);
    SeededRandom again(1);
    ASSERT_TRUE(create_key_file(files_, path_, random));
    EXPECT_EQ(files_.mode(path_), 0600U);
    EXPECT_EQ(files_.read_file(path_, 100)->size(), 65U);
    Bytes expected(32);
    again.fill(expected);
    EXPECT_EQ(to_bytes(load_key_file(files_, path_)->view()), expected);
}

TEST_F(KeyFileTest, AnExistingFileIsNeverReplaced) {
    SeededRandom random(1);
    write(digits_ + '\n');
    const auto created = create_key_file(files_, path_, random);
    ASSERT_FALSE(created);
    EXPECT_EQ(created.error().code, ErrorCode::kConflict);
    EXPECT_THAT(created.error().message, HasSubstr(path_.string()));
    EXPECT_EQ(hex_encode(load_key_file(files_, path_)->view()), digits_);
}

TEST_F(KeyFileTest, EveryRightOfGroupOrOthersIsRefused) {
    for (const unsigned extra : {040, 020, 010, 04, 02, 01}) {
        write(digits_ + '\n', 0600 | extra);
        const Error error = load_error();
        EXPECT_EQ(error.code, ErrorCode::kPermissionDenied);
        EXPECT_THAT(error.message, HasSubstr("chmod 600"));
    }
    write(digits_ + '\n', 0644);
    EXPECT_THAT(load_error().message, HasSubstr("0644"));
    write(digits_ + '\n', 0400);
    EXPECT_TRUE(load_key_file(files_, path_));
}

TEST_F(KeyFileTest, MalformedFilesAreRefusedWithoutQuotingThem) {
    for (const std::string& content :
         {std::string(), digits_, digits_ + "\n\n", digits_.substr(1) + "\n", digits_ + "0\n",
          digits_.substr(1) + "g\n", digits_ + "\r\n", std::string(1000, 'a')}) {
        write(content);
        const Error error = load_error();
        EXPECT_EQ(error.code, ErrorCode::kCorrupt);
        EXPECT_THAT(error.message, testing::Not(HasSubstr("ffff")));
    }
}

TEST_F(KeyFileTest, AMissingFileIsNotFound) {
    EXPECT_EQ(load_error().code, ErrorCode::kNotFound);
}

}  // namespace
}  // namespace cloison::crypto
