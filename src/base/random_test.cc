#include "base/random.h"

#include <gtest/gtest.h>

#include <set>

#include "base/bytes.h"
#include "base/id.h"
#include "base/seeded_random.h"

namespace cloison {
namespace {

Bytes draw(Random& random, std::size_t size) {
    Bytes bytes(size);
    random.fill(bytes);
    return bytes;
}

/// Returns the words that it was given, big-endian.
class ScriptedRandom : public Random {
  public:
    explicit ScriptedRandom(const std::vector<std::uint64_t>& words) {
        for (const auto word : words) put_u64(bytes_, word);
    }
    void fill(std::span<std::uint8_t> out) override {
        ASSERT_GE(bytes_.size() - at_, out.size());
        for (auto& byte : out) byte = bytes_[at_++];
    }

  private:
    Bytes bytes_;
    std::size_t at_ = 0;
};

TEST(RandomTest, UniformDrawsAgainBelowTheRemainder) {
    // 2^64 mod 10 is 6: the words 0 to 5 would favour small results.
    ScriptedRandom random({0, 5, 6});
    EXPECT_EQ(random.uniform(10), 6U);
    ScriptedRandom highest({~std::uint64_t{0}});
    EXPECT_EQ(highest.uniform(10), 5U);
}

TEST(RandomTest, UniformReachesEveryValueBelowTheBound) {
    SeededRandom random(7);
    std::set<std::uint64_t> seen;
    for (int i = 0; i < 2000; ++i) seen.insert(random.uniform(6));
    EXPECT_EQ(seen, (std::set<std::uint64_t>{0, 1, 2, 3, 4, 5}));
    EXPECT_EQ(random.uniform(1), 0U);
}

TEST(RandomDeathTest, UniformWithoutValuesAborts) {
    SeededRandom random(7);
    EXPECT_DEATH(random.uniform(0), "");
}

TEST(SystemRandomTest, FillsEveryByte) {
    // A byte that stays zero in 64 draws would be left out (chance 2^-512 each).
    Bytes seen(1000);
    for (int i = 0; i < 64; ++i) {
        const Bytes bytes = draw(system_random(), seen.size());
        for (std::size_t j = 0; j < seen.size(); ++j) seen[j] |= bytes[j];
    }
    EXPECT_EQ(std::count(seen.begin(), seen.end(), 0), 0);
}

TEST(SeededRandomTest, SameSeedSameBytesOtherSeedOtherBytes) {
    SeededRandom first(42);
    SeededRandom again(42);
    SeededRandom other(43);
    const Bytes bytes = draw(first, 100);
    EXPECT_EQ(draw(again, 100), bytes);
    EXPECT_NE(draw(other, 100), bytes);
    EXPECT_NE(draw(first, 100), bytes);
}

TEST(SeededRandomTest, PartsDependOnTheLabelAndNotOnWhatWasDrawn) {
    SeededRandom untouched(42);
    SeededRandom used(42);
    draw(used, 1000);
    SeededRandom names = untouched.split("names");
    SeededRandom same_names = used.split("names");
    SeededRandom streets = used.split("streets");
    const Bytes bytes = draw(names, 64);
    EXPECT_EQ(draw(same_names, 64), bytes);
    EXPECT_NE(draw(streets, 64), bytes);
    EXPECT_NE(draw(untouched, 64), bytes);
}

TEST(SeededRandomTest, NumberedPartsOfPartsAreAllDifferent) {
    const SeededRandom root(42);
    std::set<Bytes> seen;
    for (std::uint64_t i = 0; i < 100; ++i) {
        const SeededRandom part = root.split(i);
        for (std::uint64_t j = 0; j < 100; ++j) {
            SeededRandom leaf = part.split(j);
            seen.insert(draw(leaf, 16));
        }
    }
    EXPECT_EQ(seen.size(), 10000U);
}

TEST(IdTest, HexAndBytesComeBackAndOtherLengthsAreRefused) {
    SeededRandom random(3);
    const auto id = AccountId::random(random);
    EXPECT_EQ(AccountId::from_hex(id.hex()), id);
    EXPECT_EQ(AccountId::from_bytes(id.bytes()), id);
    EXPECT_FALSE(id.is_none());
    EXPECT_TRUE(AccountId().is_none());
    for (const std::size_t size : {0, 15, 17, 32})
        EXPECT_FALSE(AccountId::from_bytes(Bytes(size))) << size;
    EXPECT_FALSE(AccountId::from_hex(id.hex().substr(1)));
    EXPECT_FALSE(AccountId::from_hex(id.hex() + "0"));
    EXPECT_FALSE(AccountId::from_hex(std::string(32, 'g')));
}

}  // namespace
}  // namespace cloison
