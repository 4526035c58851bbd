#include "crypto/unlinkable_list.h"

#include <gtest/gtest.h>

#include <set>

#include "base/seeded_random.h"
#include "crypto/box.h"
#include "crypto/hash.h"

namespace cloison::crypto {
namespace {

const Bytes kSecret(16, 7);

TEST(ListKeyTest, PlacesAndMarksAreAllDifferent) {
    std::set<Bytes> tags;
    for (const Bytes& secret : {kSecret, Bytes(16, 8), Bytes(32, 7)})
        for (const char* list : {"requests", "documents"}) {
            const ListKey key(secret, list);
            for (std::uint64_t i = 0; i < 50; ++i) {
                EXPECT_TRUE(tags.insert(key.place(i)).second);
                Bytes id;
                put_u64(id, i);
                EXPECT_TRUE(tags.insert(key.mark(id)).second) << "a mark is no place";
            }
        }
    for (const Bytes& tag : tags) EXPECT_EQ(tag.size(), ListKey::kTagSize);
}

TEST(ListKeyTest, IsTheSameEveryTime) {
    // Stored rows depend on it: BLAKE2b-128 under BLAKE2b-256(secret, "cloison/list/v1/tags/…").
    const Bytes tags = derive_bytes(kSecret, "cloison/list/v1/tags/requests");
    const ListKey key(kSecret, "requests");
    EXPECT_EQ(key.place(3), keyed_hash(tags, Bytes{'p', 0, 0, 0, 0, 0, 0, 0, 3}, 16));
    EXPECT_EQ(key.mark(Bytes{1, 2}), keyed_hash(tags, Bytes{'m', 1, 2}, 16));
}

TEST(BoxRowTest, RowsOfOneClassAreEquallyLong) {
    SeededRandom random(1);
    const ListKey key(kSecret, "requests");
    for (const std::size_t size : {0UL, 1UL, 60UL}) {
        const Bytes box = box_row(key.box_key(), Bytes(size, 9), kSecret, 64, random);
        EXPECT_EQ(box.size(), 64 + kBoxOverhead);
        EXPECT_EQ(open_row(key.box_key(), box, kSecret), Bytes(size, 9));
    }
    EXPECT_EQ(box_row(key.box_key(), Bytes(61), kSecret, 64, random).size(),
              64 + 1024 + kBoxOverhead);
    EXPECT_EQ(box_row(key.box_key(), Bytes(64 + 1024 - 3), kSecret, 64, random).size(),
              64 + 2048 + kBoxOverhead);
}

TEST(BoxRowTest, OpensOnlyWhereItBelongs) {
    SeededRandom random(1);
    const ListKey key(kSecret, "requests");
    Bytes box = box_row(key.box_key(), Bytes{1, 2, 3}, kSecret, 64, random);
    EXPECT_FALSE(open_row(key.box_key(), box, Bytes(16, 8)));
    EXPECT_FALSE(open_row(ListKey(kSecret, "others").box_key(), box, kSecret));
    box[40] ^= 1;
    EXPECT_EQ(open_row(key.box_key(), box, kSecret).error().code, ErrorCode::kCorrupt);
    Bytes lying;
    put_u32(lying, 100);
    EXPECT_EQ(open_row(key.box_key(), box_encrypt(key.box_key(), lying, kSecret, random), kSecret)
                  .error()
                  .code,
              ErrorCode::kCorrupt);
}

}  // namespace
}  // namespace cloison::crypto
