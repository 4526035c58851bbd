#pragma once

#include <array>
#include <functional>
#include <span>
#include <vector>

#include "base/bytes.h"
#include "base/result.h"
#include "crypto/hash.h"

namespace cloison::journal {

/// RFC 6962 §2.1 (SHA-256): leaf H(00 ‖ entry), node H(01 ‖ left ‖ right), empty tree H("").
crypto::Hash hash_leaf(ByteView entry);
crypto::Hash hash_node(const crypto::Hash& left, const crypto::Hash& right);
crypto::Hash empty_root();

/// Root over any number of hashes of one level. Requires at least one.
crypto::Hash subtree_root(std::span<const crypto::Hash> hashes);

/// C2SP tlog-tiles: a tile holds 256 hashes, and each level of tiles is 8 levels of the tree.
inline constexpr std::uint64_t kTileWidth = 256;
inline constexpr int kTileHeight = 8;
inline constexpr int kTileLevels = 8;

/// How many hashes a tree of `size` entries has at one level of tiles.
constexpr std::uint64_t hashes_at_level(std::uint64_t size, int level) {
    return size >> (kTileHeight * level);
}

/// The roots of the perfect subtrees that a tree of some size consists of: all that is needed to
/// append to it. One node hash per leaf, spread evenly. Not synchronised.
class TreeEdge {
  public:
    /// Told of each hash that belongs into a tile, level by level, in order of index.
    using TileHashSink = std::function<void(int level, const crypto::Hash& hash)>;

    void append(const crypto::Hash& leaf, const TileHashSink& sink);
    /// Puts the hashes of the last, partial tile of a level in place (fewer than 256).
    void load_level(int level, std::span<const crypto::Hash> hashes);

    std::uint64_t size() const { return size_; }
    crypto::Hash root() const;

  private:
    std::uint64_t size_ = 0;
    std::array<crypto::Hash, 64> nodes_{};  ///< Valid where size_ has the bit.
};

/// Hands out hashes of one level of tiles that already exist; never more than one tile holds.
class TileHashSource {
  public:
    virtual ~TileHashSource() = default;
    virtual Result<std::vector<crypto::Hash>> hashes(int level, std::uint64_t first,
                                                     std::size_t count) const = 0;
};

/// Sibling hashes of an entry in the tree of `size` entries, from the leaf to the root
/// (RFC 6962 §2.1.1). Requires index < size.
Result<std::vector<crypto::Hash>> inclusion_path(const TileHashSource& source, std::uint64_t index,
                                                 std::uint64_t size);

/// The proof that the tree of `old_size` entries is a prefix of that of `size` (RFC 6962 §2.1.2);
/// empty if the sizes are the same or the old one is 0. Requires old_size ≤ size.
Result<std::vector<crypto::Hash>> consistency_path(const TileHashSource& source,
                                                   std::uint64_t old_size, std::uint64_t size);

}  // namespace cloison::journal
