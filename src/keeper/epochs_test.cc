#include "keeper/epochs.h"

#include <gtest/gtest.h>
#include <sys/stat.h>

#include "base/seeded_random.h"
#include "base/temporary_directory.h"
#include "crypto/hash.h"

namespace cloison::keeper {
namespace {

class EpochsTest : public testing::Test {
  protected:
    Result<std::unique_ptr<Epochs>> open() {
        return Epochs::open(files_, directory(), wrap_, random_);
    }
    Path directory() const { return temporary_.path() / "epochs"; }
    Path file(std::uint32_t number) const { return directory() / Epochs::file_name(number); }

    FileSystem& files_ = local_file_system();
    TemporaryDirectory temporary_;
    SeededRandom random_{1};
    crypto::BoxKey wrap_ = *crypto::BoxKey::from_bytes(Bytes(32, 3));
};

TEST_F(EpochsTest, KeysSurviveAReopeningInPrivateFiles) {
    auto epochs = *open();
    EXPECT_EQ(epochs->newest(), 0u);
    ASSERT_TRUE(epochs->create(1));
    ASSERT_TRUE(epochs->create(2));
    EXPECT_EQ(epochs->create(2).error().code, ErrorCode::kConflict);
    EXPECT_EQ(epochs->create(1).error().code, ErrorCode::kConflict);
    EXPECT_EQ(*files_.mode(file(1)), 0600u);
    EXPECT_EQ(std::filesystem::file_size(file(1)), 72u);
    auto again = *open();
    EXPECT_EQ(again->living(), (std::vector<std::uint32_t>{1, 2}));
    for (const std::uint32_t number : {1u, 2u})
        EXPECT_TRUE(
            equal_constant_time(again->wrapping(number)->view(), epochs->wrapping(number)->view()));
    EXPECT_FALSE(equal_constant_time(again->wrapping(1)->view(), again->wrapping(2)->view()));
    EXPECT_EQ(again->wrapping(3), nullptr);
}

TEST_F(EpochsTest, ADestroyedKeyIsGoneFromTheFileThatOthersStillHold) {
    auto epochs = *open();
    ASSERT_TRUE(epochs->create(1));
    ASSERT_TRUE(epochs->create(2));
    const Path held = temporary_.path() / "held";
    std::filesystem::create_hard_link(file(1), held);
    ASSERT_TRUE(epochs->destroy(1));
    EXPECT_EQ(*files_.read_file(held, 100), Bytes(72)) << "overwritten before it was removed";
    EXPECT_FALSE(*files_.exists(file(1)));
    EXPECT_EQ(epochs->wrapping(1), nullptr);
    EXPECT_EQ(epochs->destroy(1).error().code, ErrorCode::kNotFound);
    EXPECT_EQ((*open())->living(), std::vector<std::uint32_t>{2});
}

TEST_F(EpochsTest, AKeyThatIsWrittenAgainIsTheSameInAnotherFile) {
    auto epochs = *open();
    ASSERT_TRUE(epochs->create(1));
    const Path held = temporary_.path() / "held";
    std::filesystem::create_hard_link(file(1), held);
    ASSERT_TRUE(epochs->write_again(1));
    EXPECT_EQ(*files_.read_file(held, 100), Bytes(72)) << "no copy is left";
    EXPECT_EQ(*files_.mode(file(1)), 0600u);
    EXPECT_TRUE(equal_constant_time((*open())->wrapping(1)->view(), epochs->wrapping(1)->view()));
    EXPECT_EQ(epochs->write_again(2).error().code, ErrorCode::kNotFound);
}

TEST_F(EpochsTest, ADestructionThatACrashCutShortIsEnded) {
    auto epochs = *open();
    ASSERT_TRUE(epochs->create(1));
    ASSERT_TRUE(epochs->create(2));
    ASSERT_TRUE(files_.write_file_atomically(file(1), Bytes(72), 0600));
    EXPECT_EQ((*open())->living(), std::vector<std::uint32_t>{2});
    EXPECT_FALSE(*files_.exists(file(1)));
}

TEST_F(EpochsTest, WhatACrashLeftOfANewKeyIsShredded) {
    auto epochs = *open();
    ASSERT_TRUE(epochs->create(1));
    const Path left = directory() / ".2.key.99.0.tmp";
    std::filesystem::copy_file(file(1), left);
    const Path held = temporary_.path() / "held";
    std::filesystem::create_hard_link(left, held);
    ASSERT_TRUE(open());
    EXPECT_FALSE(*files_.exists(left));
    EXPECT_EQ(*files_.read_file(held, 100), Bytes(72));
}

TEST_F(EpochsTest, EveryFlippedBitAndEveryOtherFileIsRefused) {
    auto epochs = *open();
    ASSERT_TRUE(epochs->create(1));
    ASSERT_TRUE(epochs->create(2));
    const Bytes good = *files_.read_file(file(1), 100);
    const auto refused = [&](const Path& path, const Bytes& content) {
        auto file = files_.open(path, true);
        EXPECT_TRUE((*file)->truncate(content.size()));
        EXPECT_TRUE((*file)->write_at(0, content));
        auto opened = open();
        return !opened && opened.error().code == ErrorCode::kCorrupt &&
               opened.error().message.find(path.string()) != std::string::npos;
    };
    for (std::size_t bit = 0; bit < good.size() * 8; ++bit) {
        Bytes flipped = good;
        flipped[bit / 8] ^= static_cast<std::uint8_t>(1u << (bit % 8));
        EXPECT_TRUE(refused(file(1), flipped)) << bit;
    }
    EXPECT_TRUE(refused(file(1), Bytes(good.begin(), good.end() - 1)));
    EXPECT_TRUE(refused(file(1), Bytes(73, 0)));
    EXPECT_TRUE(refused(file(1), {}));
    EXPECT_TRUE(refused(file(1), *files_.read_file(file(2), 100))) << "another epoch's";
    ASSERT_TRUE(files_.write_file_atomically(file(1), good, 0600));
    EXPECT_TRUE(open());
    for (const char* name : {"0.key", "01.key", "x.key", "4294967296.key", "notes"}) {
        EXPECT_TRUE(refused(directory() / name, good)) << name;
        ASSERT_TRUE(files_.remove(directory() / name));
    }
}

TEST_F(EpochsTest, AFileThatOthersMayReadIsRefused) {
    ASSERT_TRUE((*open())->create(1));
    ASSERT_EQ(chmod(file(1).c_str(), 0640), 0);
    auto opened = open();
    ASSERT_FALSE(opened);
    EXPECT_EQ(opened.error().code, ErrorCode::kPermissionDenied);
    EXPECT_NE(opened.error().message.find("chmod 600"), std::string::npos);
}

TEST_F(EpochsTest, AnotherRootKeyIsSaid) {
    ASSERT_TRUE((*open())->create(1));
    const auto other = *crypto::BoxKey::from_bytes(Bytes(32, 4));
    auto opened = Epochs::open(files_, directory(), other, random_);
    ASSERT_FALSE(opened);
    EXPECT_EQ(opened.error().code, ErrorCode::kCorrupt);
    EXPECT_NE(opened.error().message.find("root key"), std::string::npos);
}

}  // namespace
}  // namespace cloison::keeper
