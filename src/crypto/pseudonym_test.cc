#include "crypto/pseudonym.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <set>
#include <thread>

#include "base/seeded_random.h"

namespace cloison::crypto {
namespace {

Block block(std::string_view hex) {
    const Bytes bytes = hex_decode(hex).value();
    Block out{};
    std::copy(bytes.begin(), bytes.end(), out.begin());
    return out;
}

PseudonymKey fips_197_key() {
    return PseudonymKey::from_bytes(
               hex_decode("000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f")
                   .value())
        .value();
}

const Block kPlain = block("00112233445566778899aabbccddeeff");
const Block kCipher = block("8ea2b7ca516745bfeafc49904b496089");

TEST(BlockPermutationTest, Fips197AppendixC3) {
    const BlockPermutation permutation(fips_197_key());
    EXPECT_EQ(permutation.forward(kPlain), kCipher);
    EXPECT_EQ(permutation.backward(kCipher), kPlain);
}

TEST(BlockPermutationTest, BackwardUndoesForwardAndKeysDiffer) {
    SeededRandom random(1);
    const BlockPermutation first(PseudonymKey::random(random));
    const BlockPermutation second(PseudonymKey::random(random));
    std::set<Block> images;
    for (int i = 0; i < 1000; ++i) {
        Block in;
        random.fill(in);
        const Block out = first.forward(in);
        EXPECT_EQ(first.backward(out), in);
        EXPECT_NE(second.forward(in), out);
        images.insert(out);
    }
    EXPECT_EQ(images.size(), 1000U);
}

TEST(BlockPermutationTest, ThreadsDoNotDisturbEachOther) {
    const BlockPermutation permutation(fips_197_key());
    std::vector<std::thread> threads;
    threads.reserve(4);
    for (int i = 0; i < 4; ++i)
        threads.emplace_back([&] {
            for (int j = 0; j < 2000; ++j) {
                ASSERT_EQ(permutation.forward(kPlain), kCipher);
                ASSERT_EQ(permutation.backward(kCipher), kPlain);
            }
        });
    for (auto& thread : threads) thread.join();
}

}  // namespace
}  // namespace cloison::crypto
