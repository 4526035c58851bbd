#pragma once

#include <deque>
#include <memory>
#include <mutex>
#include <optional>
#include <vector>

#include "journal/merkle.h"
#include "journal/tiles.h"
#include "journal/wal.h"

namespace cloison::journal {

/// A size of the tree and its root.
struct TreeHead {
    std::uint64_t size = 0;
    crypto::Hash root{};
};

/// All that is durable: what is not in published full tiles yet is held in memory, the rest is read
/// from the tiles. The tree is brought up to date when it is asked for, not on the commit path.
/// Safe to use from several threads; one thread at a time may push, one may release.
class Head : public TileHashSource {
  public:
    /// `edge` and `bundle` are the partial tiles of the published tree of `published` entries.
    Head(const TileFiles& tiles, std::uint64_t published,
         const std::vector<std::vector<crypto::Hash>>& edge, std::optional<Chunk> bundle);

    /// Takes in the entries that follow.
    void push(Chunk chunk);
    std::uint64_t size() const;
    bool too_much_unpublished() const;  ///< Memory is bounded: commits wait for the publisher.
    std::uint64_t unpublished() const;

    /// Hashes what was pushed since, and returns the head of the whole.
    TreeHead advance();

    Result<std::vector<Bytes>> read(std::uint64_t first, std::size_t count) const;
    Result<std::vector<crypto::Hash>> hashes(int level, std::uint64_t first,
                                             std::size_t count) const override;

    /// Content of a tile that is not released, for a tree of `size` entries.
    Bytes tile_content(const TileId& tile, std::uint64_t size) const;
    /// Forgets what full tiles hold now.
    void release(std::uint64_t published);

  private:
    struct Level {
        std::uint64_t first = 0;  ///< Index of the first hash in memory; a multiple of 256.
        std::vector<crypto::Hash> hashes;
    };
    using Chunks = std::deque<std::shared_ptr<const Chunk>>;

    /// The first chunk that ends beyond `index`. Requires chunks_mutex_.
    Chunks::const_iterator find(std::uint64_t index) const;

    const TileFiles& tiles_;

    // Where both are needed, the tree's mutex is taken first.
    mutable std::mutex tree_mutex_;
    TreeEdge edge_;
    std::vector<Level> levels_;

    mutable std::mutex chunks_mutex_;
    Chunks chunks_;
    std::uint64_t memory_first_;  ///< Entries from here are in memory; a multiple of 256.
    std::uint64_t size_;
    std::uint64_t published_;
    std::size_t memory_bytes_ = 0;
};

}  // namespace cloison::journal
