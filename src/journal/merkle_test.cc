#include "journal/merkle.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <map>

#include "journal/proof.h"
#include "journal/support_for_test.h"
#include "journal/tiles.h"

namespace cloison::journal {
namespace {

using Hashes = std::vector<crypto::Hash>;

// The reference tree of eight leaves of the Certificate Transparency project.
const std::vector<std::string> kLeaves = {"",
                                          "00",
                                          "10",
                                          "2021",
                                          "3031",
                                          "40414243",
                                          "5051525354555657",
                                          "606162636465666768696a6b6c6d6e6f"};
const std::vector<std::string> kRoots = {
    "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
    "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
    "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
    "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
    "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
    "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
    "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328"};

crypto::Hash from_hex(const std::string& hex) {
    crypto::Hash hash;
    std::ranges::copy(*hex_decode(hex), hash.begin());
    return hash;
}
Hashes from_hex(const std::vector<std::string>& lines) {
    Hashes hashes;
    for (const std::string& line : lines) hashes.push_back(from_hex(line));
    return hashes;
}
Hashes reference_leaves() {
    Hashes leaves;
    for (const std::string& leaf : kLeaves) leaves.push_back(hash_leaf(*hex_decode(leaf)));
    return leaves;
}
Hashes numbered_leaves(std::size_t count) {
    Hashes leaves;
    for (std::size_t i = 0; i < count; ++i) leaves.push_back(hash_leaf(test_entry(i)));
    return leaves;
}

/// MTH and PROOF as RFC 6962 §2.1 writes them, for comparison.
crypto::Hash plain_root(std::span<const crypto::Hash> leaves) {
    if (leaves.size() == 1) return leaves[0];
    std::size_t k = 1;
    while (k * 2 < leaves.size()) k *= 2;
    return hash_node(plain_root(leaves.first(k)), plain_root(leaves.subspan(k)));
}
Hashes plain_consistency(std::size_t old_size, std::span<const crypto::Hash> leaves, bool whole) {
    if (old_size == leaves.size()) return whole ? Hashes{} : Hashes{plain_root(leaves)};
    std::size_t k = 1;
    while (k * 2 < leaves.size()) k *= 2;
    Hashes path;
    if (old_size <= k) {
        path = plain_consistency(old_size, leaves.first(k), whole);
        path.push_back(plain_root(leaves.subspan(k)));
    } else {
        path = plain_consistency(old_size - k, leaves.subspan(k), false);
        path.push_back(plain_root(leaves.first(k)));
    }
    return path;
}

/// Tile hashes of a tree in memory.
class Levels : public TileHashSource {
  public:
    explicit Levels(const Hashes& leaves) : levels_(kTileLevels) {
        for (const crypto::Hash& leaf : leaves)
            edge.append(leaf, [this](int level, const crypto::Hash& hash) {
                levels_[level].push_back(hash);
            });
    }
    Result<Hashes> hashes(int level, std::uint64_t first, std::size_t count) const override {
        EXPECT_EQ(first / kTileWidth, (first + count - 1) / kTileWidth);
        EXPECT_LE(first + count, levels_[level].size());
        return Hashes(levels_[level].begin() + static_cast<std::ptrdiff_t>(first),
                      levels_[level].begin() + static_cast<std::ptrdiff_t>(first + count));
    }
    const Hashes& level(int number) const { return levels_[number]; }
    TreeEdge edge;

  private:
    std::vector<Hashes> levels_;
};

TEST(MerkleTest, ReferenceRoots) {
    EXPECT_EQ(hex_encode(TreeEdge().root()),
              "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
    TreeEdge tree;
    const Hashes leaves = reference_leaves();
    for (std::size_t i = 0; i < leaves.size(); ++i) {
        tree.append(leaves[i], nullptr);
        EXPECT_EQ(hex_encode(tree.root()), kRoots[i]);
        EXPECT_EQ(hex_encode(subtree_root(std::span(leaves).first(i + 1))), kRoots[i]);
    }
}

TEST(MerkleTest, ReferenceInclusionPaths) {
    struct Vector {
        std::uint64_t index;
        std::uint64_t size;
        std::vector<std::string> path;
    };
    const std::vector<Vector> vectors = {
        {0, 1, {}},
        {0,
         8,
         {"96a296d224f285c67bee93c30f8a309157f0daa35dc5b87e410b78630a09cfc7",
          "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e",
          "6b47aaf29ee3c2af9af889bc1fb9254dabd31177f16232dd6aab035ca39bf6e4"}},
        {5,
         8,
         {"bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b",
          "ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0",
          "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7"}},
        {2, 3, {"fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125"}},
        {1,
         5,
         {"6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
          "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e",
          "bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b"}}};
    const Hashes leaves = reference_leaves();
    const Levels levels(leaves);
    for (const Vector& vector : vectors) {
        EXPECT_EQ(*inclusion_path(levels, vector.index, vector.size), from_hex(vector.path));
        const auto root =
            inclusion_root(leaves[vector.index], vector.index, vector.size, from_hex(vector.path));
        ASSERT_TRUE(root.has_value());
        EXPECT_EQ(hex_encode(*root), kRoots[vector.size - 1]);
    }
}

TEST(MerkleTest, ReferenceConsistencyProofs) {
    struct Vector {
        std::uint64_t old_size;
        std::uint64_t new_size;
        std::vector<std::string> path;
    };
    const std::vector<Vector> vectors = {
        {1, 1, {}},
        {1,
         8,
         {"96a296d224f285c67bee93c30f8a309157f0daa35dc5b87e410b78630a09cfc7",
          "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e",
          "6b47aaf29ee3c2af9af889bc1fb9254dabd31177f16232dd6aab035ca39bf6e4"}},
        {6,
         8,
         {"0ebc5d3437fbe2db158b9f126a1d118e308181031d0a949f8dededebc558ef6a",
          "ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0",
          "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7"}},
        {2,
         5,
         {"5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e",
          "bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b"}}};
    for (const Vector& vector : vectors) {
        const Hashes path = from_hex(vector.path);
        const crypto::Hash old_root = from_hex(kRoots[vector.old_size - 1]);
        const crypto::Hash new_root = from_hex(kRoots[vector.new_size - 1]);
        EXPECT_TRUE(verify_consistency(vector.old_size, old_root, vector.new_size, new_root, path));
    }
}

TEST(MerkleTest, EveryPathOfEverySmallTreeHoldsAndNoOtherDoes) {
    const Hashes leaves = numbered_leaves(70);
    for (std::size_t size = 1; size <= leaves.size(); ++size) {
        const Levels levels(Hashes(leaves.begin(), leaves.begin() + static_cast<long>(size)));
        const crypto::Hash root = plain_root(std::span(leaves).first(size));
        ASSERT_EQ(levels.edge.root(), root);
        for (std::size_t index = 0; index < size; ++index) {
            Hashes path = *inclusion_path(levels, index, size);
            ASSERT_EQ(*inclusion_root(leaves[index], index, size, path), root);
            const auto elsewhere = inclusion_root(leaves[index], index ^ 1, size, path);
            ASSERT_TRUE(!elsewhere || *elsewhere != root);
            path.push_back(root);
            ASSERT_FALSE(inclusion_root(leaves[index], index, size, path).has_value());
            path.pop_back();
            if (path.empty()) continue;
            path.pop_back();
            ASSERT_FALSE(inclusion_root(leaves[index], index, size, path).has_value());
        }
        ASSERT_FALSE(inclusion_root(leaves[0], size, size, {}).has_value());
    }
}

TEST(MerkleTest, EveryConsistencyProofOfSmallTreesHoldsAndNoOtherDoes) {
    const Hashes leaves = numbered_leaves(20);
    for (std::size_t new_size = 1; new_size <= leaves.size(); ++new_size) {
        const auto tree = std::span(leaves).first(new_size);
        const crypto::Hash new_root = plain_root(tree);
        ASSERT_TRUE(verify_consistency(0, empty_root(), new_size, new_root, {}));
        for (std::size_t old_size = 1; old_size <= new_size; ++old_size) {
            const crypto::Hash old_root = plain_root(tree.first(old_size));
            Hashes path = plain_consistency(old_size, tree, true);
            ASSERT_TRUE(verify_consistency(old_size, old_root, new_size, new_root, path));
            ASSERT_FALSE(verify_consistency(old_size, leaves[19], new_size, new_root, path));
            ASSERT_FALSE(verify_consistency(old_size, old_root, new_size, leaves[19], path));
            for (std::size_t i = 0; i < path.size(); ++i) {
                Hashes changed = path;
                changed[i][0] ^= 1;
                ASSERT_FALSE(verify_consistency(old_size, old_root, new_size, new_root, changed));
            }
            path.push_back(leaves[0]);
            ASSERT_FALSE(verify_consistency(old_size, old_root, new_size, new_root, path));
        }
    }
    EXPECT_FALSE(verify_consistency(2, leaves[0], 1, leaves[0], {}));
}

TEST(MerkleTest, ConsistencyPathsAreThoseOfTheStandardForAllPairsOfSizes) {
    constexpr std::size_t kMax = 300;
    const Hashes leaves = numbered_leaves(kMax);
    const Levels levels(leaves);
    std::vector<crypto::Hash> roots{empty_root()};
    TreeEdge tree;
    for (const crypto::Hash& leaf : leaves) {
        tree.append(leaf, nullptr);
        roots.push_back(tree.root());
    }
    for (std::size_t size = 1; size <= kMax; ++size)
        for (std::size_t old_size = 0; old_size <= size; ++old_size) {
            const auto path = consistency_path(levels, old_size, size);
            ASSERT_TRUE(path.has_value());
            ASSERT_LE(path->size(), 63U);
            ASSERT_TRUE(verify_consistency(old_size, roots[old_size], size, roots[size], *path))
                << old_size << " to " << size;
            if (old_size == 0 || old_size == size) {
                ASSERT_TRUE(path->empty());
            } else if (size % 7 == 0) {
                ASSERT_EQ(*path, plain_consistency(old_size, std::span(leaves).first(size), true));
            }
        }
}

TEST(MerkleTest, ConsistencyAroundTheBoundsOfTiles) {
    const Hashes leaves = numbered_leaves(66'000);
    const Levels levels(leaves);
    const std::vector<std::size_t> sizes{1,      2,      254,    255,    256,    257,    258,
                                         511,    512,    513,    65'279, 65'280, 65'281, 65'535,
                                         65'536, 65'537, 65'791, 65'792, 65'793, 66'000};
    std::map<std::size_t, crypto::Hash> roots;
    TreeEdge tree;
    for (const crypto::Hash& leaf : leaves) {
        tree.append(leaf, nullptr);
        roots[tree.size()] = tree.root();
    }
    for (const std::size_t size : sizes)
        for (const std::size_t old_size : sizes) {
            if (old_size > size) continue;
            Hashes path = *consistency_path(levels, old_size, size);
            ASSERT_TRUE(verify_consistency(old_size, roots[old_size], size, roots[size], path))
                << old_size << " to " << size;
            for (std::size_t i = 0; i < path.size(); ++i) {
                path[i][31] ^= 1;
                ASSERT_FALSE(
                    verify_consistency(old_size, roots[old_size], size, roots[size], path));
                path[i][31] ^= 1;
            }
            // Never that of a neighbour.
            if (old_size == size) continue;
            ASSERT_FALSE(
                verify_consistency(old_size, roots[old_size], size, roots[size - 1], path));
            ASSERT_FALSE(
                verify_consistency(old_size, roots[old_size + 1], size, roots[size], path));
        }
}

TEST(MerkleTest, EdgeIsLoadedFromTheHashesOfItsPartialTiles) {
    const Hashes leaves = numbered_leaves(66'000);
    for (const std::size_t size : {0, 1, 2, 255, 256, 257, 513, 65'535, 65'536, 65'537, 66'000}) {
        const Levels whole(Hashes(leaves.begin(), leaves.begin() + static_cast<long>(size)));
        TreeEdge loaded;
        for (int level = 0; level < kTileLevels; ++level) {
            const Hashes& all = whole.level(level);
            ASSERT_EQ(all.size(), hashes_at_level(size, level));
            loaded.load_level(level, std::span(all).subspan(all.size() / 256 * 256));
        }
        ASSERT_EQ(loaded.size(), size);
        ASSERT_EQ(loaded.root(), whole.edge.root());
    }
}

TEST(TilePathTest, IsGroupedByThreeDigits) {
    // The example of C2SP tlog-tiles.
    EXPECT_EQ((TileId{0, 1'234'067}.path(256)), "tile/0/x001/x234/067");
    EXPECT_EQ((TileId{0, 0}.path(256)), "tile/0/000");
    EXPECT_EQ((TileId{2, 999}.path(1)), "tile/2/999.p/1");
    EXPECT_EQ((TileId{7, 1000}.path(255)), "tile/7/x001/000.p/255");
    EXPECT_EQ((TileId{TileId::kEntries, 1'000'000}.path(256)), "tile/entries/x001/x000/000");
}

TEST(TilePathTest, WidthsFollowFromTheSize) {
    const auto widths = [](std::uint64_t size) {
        std::vector<std::uint64_t> all;
        for (int level = TileId::kEntries; level < 3; ++level)
            all.push_back(
                tile_width({level, hashes_at_level(size, std::max(level, 0)) / 256}, size));
        return all;
    };
    using Widths = std::vector<std::uint64_t>;
    EXPECT_EQ(widths(0), (Widths{0, 0, 0, 0}));
    EXPECT_EQ(widths(255), (Widths{255, 255, 0, 0}));
    EXPECT_EQ(widths(256), (Widths{0, 0, 1, 0}));
    EXPECT_EQ(widths(65'535), (Widths{255, 255, 255, 0}));
    EXPECT_EQ(widths(65'536), (Widths{0, 0, 0, 1}));
    EXPECT_EQ(tile_width({0, 0}, 65'536), 256U);
}

TEST(BundleTest, OnlyTheExactNumberOfWholeEntriesIsTakenApart) {
    const Bytes bundle{0, 1, 'a', 0, 2, 'b', 'c'};
    ASSERT_EQ(split_bundle(bundle, 2).size(), 2U);
    EXPECT_EQ(to_string(split_bundle(bundle, 2)[1]), "bc");
    EXPECT_TRUE(split_bundle(bundle, 1).empty());
    EXPECT_TRUE(split_bundle(bundle, 3).empty());
    for (std::size_t size = 0; size < bundle.size(); ++size)
        EXPECT_TRUE(split_bundle(ByteView(bundle).first(size), 2).empty());
    EXPECT_TRUE(split_bundle(Bytes{0, 0, 0, 1, 'a'}, 2).empty());
}

}  // namespace
}  // namespace cloison::journal
