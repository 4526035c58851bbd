#pragma once

#include <mutex>
#include <string>
#include <vector>

#include "crypto/sign.h"
#include "journal/head.h"
#include "journal/tiles.h"

namespace cloison::journal {

/// Signs the head of a tree.
std::string sign_checkpoint(const TreeHead& head, const std::string& origin,
                            const crypto::SigningKey& key);

/// Writes what is durable in the write-ahead segments into tiles, then the checkpoint over them,
/// then drops the segments that are covered. Each step is on stable storage before the next begins.
class Publisher {
  public:
    Publisher(const TileFiles& tiles, Head& head, const std::string& origin,
              const crypto::SigningKey& key, std::uint64_t published)
        : tiles_(tiles), head_(head), origin_(origin), key_(key), published_(published) {}

    /// One round over all that is durable now; rounds wait for each other. With `always`, as at the
    /// start: writes the checkpoint also where nothing is new, and trusts no directory that is
    /// there.
    Status publish(bool always = false);

    /// Tells of a segment, oldest first. The last one is in use and is never dropped.
    void add_segment(std::uint64_t first_index);
    Status drop_segments();

  private:
    Status write_tiles(std::uint64_t size);
    /// Directories that a process made which died before it had synced their names.
    Status sync_directories(std::uint64_t size);
    Status remove_partials(std::uint64_t size);

    const TileFiles& tiles_;
    Head& head_;
    const std::string& origin_;
    const crypto::SigningKey& key_;

    std::mutex round_mutex_;
    std::uint64_t published_;

    std::mutex segments_mutex_;
    std::vector<std::uint64_t> segments_;
    std::uint64_t droppable_ = 0;  ///< Entries below are in durable tiles.
};

}  // namespace cloison::journal
