#include "journal/publisher.h"

#include <algorithm>
#include <set>

#include "journal/note.h"

namespace cloison::journal {
namespace {

/// Up to here files are synced one by one; beyond, the whole file system at once is cheaper.
constexpr std::uint64_t kMaxSyncedOneByOne = 32;

/// Calls `visit(tile)` for each tile that differs between the two sizes of the tree.
template <class Visit>
Status for_each_changed_tile(std::uint64_t old_size, std::uint64_t new_size, Visit visit) {
    for (int level = TileId::kEntries; level < kTileLevels; ++level) {
        const std::uint64_t before = hashes_at_level(old_size, std::max(level, 0));
        const std::uint64_t after = hashes_at_level(new_size, std::max(level, 0));
        if (before == after) continue;
        for (std::uint64_t index = before / kTileWidth; index * kTileWidth < after; ++index)
            CLOISON_TRY_STATUS(visit(TileId{level, index}));
    }
    return {};
}

}  // namespace

std::string sign_checkpoint(const TreeHead& head, const std::string& origin,
                            const crypto::SigningKey& key) {
    return sign_note(Checkpoint{origin, head.size, head.root}.text(), origin, key);
}

Status Publisher::publish(bool always) {
    const std::lock_guard round(round_mutex_);
    const TreeHead head = head_.advance();
    if (head.size == published_ && !always) return {};
    CLOISON_TRY_STATUS(write_tiles(head.size));
    if (always) CLOISON_TRY_STATUS(sync_directories(head.size));
    const std::string note = sign_checkpoint(head, origin_, key_);
    CLOISON_TRY_STATUS(tiles_.files().write_file_atomically(tiles_.directory() / "checkpoint",
                                                            as_bytes(note), 0600));
    CLOISON_TRY_STATUS(remove_partials(head.size));
    published_ = head.size;
    head_.release(head.size);
    {
        const std::lock_guard lock(segments_mutex_);
        droppable_ = head.size;
    }
    return drop_segments();
}

Status Publisher::write_tiles(std::uint64_t size) {
    std::uint64_t count = 0;
    CLOISON_TRY_STATUS(for_each_changed_tile(published_, size, [&](const TileId&) -> Status {
        ++count;
        return {};
    }));
    const bool one_by_one = count <= kMaxSyncedOneByOne;
    std::unique_ptr<FileSystemSync> together;
    if (!one_by_one) {
        CLOISON_TRY(together, tiles_.files().begin_sync(tiles_.directory()));
    }
    CLOISON_TRY_STATUS(for_each_changed_tile(published_, size, [&](const TileId& tile) {
        return tiles_.write(tile, tile_width(tile, size), head_.tile_content(tile, size),
                            one_by_one);
    }));
    return one_by_one ? Status() : together->sync();
}

Status Publisher::sync_directories(std::uint64_t size) {
    std::set<Path> directories;
    CLOISON_TRY_STATUS(for_each_changed_tile(published_, size, [&](const TileId& tile) -> Status {
        Path below = Path(tile.path(tile_width(tile, size))).parent_path();
        for (; !below.empty(); below = below.parent_path())
            directories.insert((tiles_.directory() / below).parent_path());
        return {};
    }));
    for (const Path& directory : directories)
        CLOISON_TRY_STATUS(tiles_.files().sync_directory(directory));
    return {};
}

Status Publisher::remove_partials(std::uint64_t size) {
    return for_each_changed_tile(published_, size, [&](const TileId& tile) -> Status {
        const bool was_partial = tile_width(tile, published_) > 0;
        if (!was_partial || tile_width(tile, size) < kTileWidth) return {};
        return tiles_.remove_partials(tile);
    });
}

void Publisher::add_segment(std::uint64_t first_index) {
    const std::lock_guard lock(segments_mutex_);
    segments_.push_back(first_index);
}

Status Publisher::drop_segments() {
    const std::lock_guard lock(segments_mutex_);
    while (segments_.size() > 1 && segments_[1] <= droppable_) {
        CLOISON_TRY_STATUS(
            tiles_.files().remove(tiles_.directory() / segment_path(segments_.front())));
        segments_.erase(segments_.begin());
    }
    return {};
}

}  // namespace cloison::journal
