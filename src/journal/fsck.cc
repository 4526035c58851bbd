#include "journal/fsck.h"

#include <algorithm>
#include <atomic>
#include <charconv>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <thread>

#include "journal/entry.h"
#include "journal/recovery.h"
#include "journal/tiles.h"
#include "journal/wal.h"

namespace cloison::journal {
namespace {

using Hashes = std::vector<crypto::Hash>;
constexpr unsigned kMaxThreads = 8;
constexpr std::uint64_t kBundlesPerProgress = 256;

tl::unexpected<Error> corrupt(std::string message) {
    return fail(ErrorCode::kCorrupt, std::move(message));
}

/// Segments held open, so that they can be read although a running journal drops them.
using OpenSegments = std::map<std::uint64_t, std::unique_ptr<File>>;

class Fsck {
  public:
    Fsck(FileSystem& files, const Path& directory, NoteVerifier verifier,
         const FsckOptions& options, std::optional<Checkpoint> kept)
        : tiles_(files, directory, {options.entry_key, verifier.name, system_random()}),
          verifier_(std::move(verifier)),
          options_(options),
          progress_(options.progress),
          kept_(std::move(kept)) {}

    Result<FsckReport> run();

  private:
    Status open_all();
    Status check_bundles();
    void check_bundles_until_done(std::atomic<std::uint64_t>& next);
    Result<crypto::Hash> check_bundle(std::uint64_t index);
    Status check_level(int level, const Hashes& hashes);
    Status check_partials(const TileId& tile, ByteView content,
                          const std::vector<std::size_t>& ends) const;
    Status check_root();
    Status check_segments();
    Status check_kept(const TreeEdge& tree);
    Result<Hashes> leaves_of(const WalContent& content) const;
    Result<TreeEdge> tree_at(std::uint64_t size) const;
    Status check_entry(ByteView entry, std::uint64_t index, const std::string& file) const;

    const TileFiles tiles_;
    const NoteVerifier verifier_;
    const FsckOptions& options_;
    const std::function<void(std::uint64_t, std::uint64_t)>& progress_;
    const std::optional<Checkpoint> kept_;

    OpenSegments segments_;
    Checkpoint checkpoint_;
    FsckReport report_;

    /// Root of every full bundle: 32 bytes for 256 entries, the only thing that grows.
    Hashes bundle_roots_;
    Hashes last_leaves_;  ///< Of the partial bundle.

    std::mutex mutex_;
    std::optional<Error> first_error_;
    std::uint64_t first_error_at_ = ~std::uint64_t{0};
    std::uint64_t bundles_done_ = 0;
};

Result<FsckReport> Fsck::run() {
    CLOISON_TRY_STATUS(open_all());
    report_.checkpoint_size = checkpoint_.size;
    CLOISON_TRY_STATUS(check_bundles());
    CLOISON_TRY_STATUS(check_root());
    CLOISON_TRY_STATUS(check_segments());
    if (report_.entries < options_.at_least)
        return corrupt("The journal has " + std::to_string(report_.entries) +
                       " entries, where there were " + std::to_string(options_.at_least) +
                       ": it was cut, or is an older copy.");
    if (progress_) progress_(report_.entries, report_.entries);
    return report_;
}

/// The checkpoint, and all segments that there were when it was read. A running journal may begin
/// and drop segments meanwhile: then the list differs afterwards.
Status Fsck::open_all() {
    constexpr int kAttempts = 100;
    CLOISON_TRY_STATUS(check_encryption(tiles_.files(), tiles_.directory(), tiles_.cipher()));
    for (int attempt = 0; attempt < kAttempts; ++attempt) {
        segments_.clear();
        CLOISON_TRY(const auto before, list_segments(tiles_.files(), tiles_.directory()));
        bool dropped = false;
        for (const std::uint64_t first : before) {
            auto file = tiles_.files().open(tiles_.directory() / segment_path(first), false);
            if (!file && file.error().code != ErrorCode::kNotFound)
                return fail(std::move(file).error());
            dropped = dropped || !file;
            if (file) segments_[first] = std::move(*file);
        }
        CLOISON_TRY(auto checkpoint, read_checkpoint(tiles_, verifier_));
        CLOISON_TRY(const auto after, list_segments(tiles_.files(), tiles_.directory()));
        if (dropped || before != after) continue;
        if (!checkpoint) return corrupt("checkpoint is missing.");
        if (before.empty()) return corrupt("wal/ has no segment.");
        checkpoint_ = std::move(*checkpoint);
        return {};
    }
    return fail(ErrorCode::kUnavailable, "The journal is written to too quickly to be checked.");
}

Status Fsck::check_entry(ByteView entry, std::uint64_t index, const std::string& file) const {
    const auto decoded = decode_entry(entry);
    if (decoded) return {};
    return corrupt(file + ": entry " + std::to_string(index) + ": " + decoded.error().message);
}

Status Fsck::check_bundles() {
    const std::uint64_t full = checkpoint_.size / kTileWidth;
    bundle_roots_.resize(full);
    std::atomic<std::uint64_t> next{0};
    const unsigned count = std::clamp(std::thread::hardware_concurrency(), 1U, kMaxThreads);
    std::vector<std::thread> threads;
    for (unsigned i = 1; i < count; ++i)
        threads.emplace_back([&] { check_bundles_until_done(next); });
    check_bundles_until_done(next);
    for (std::thread& thread : threads) thread.join();
    if (first_error_) return fail(*first_error_);
    report_.entries = checkpoint_.size;
    return {};
}

/// One thread's part. Bundles are handed out in order, so the first one that is wrong is found
/// whichever thread is ahead.
void Fsck::check_bundles_until_done(std::atomic<std::uint64_t>& next) {
    const std::uint64_t bundles = (checkpoint_.size + kTileWidth - 1) / kTileWidth;
    for (std::uint64_t index = next++; index < bundles; index = next++) {
        auto root = check_bundle(index);
        const std::lock_guard lock(mutex_);
        if (!root && index < first_error_at_) {
            first_error_at_ = index;
            first_error_ = root.error();
        }
        if (first_error_) return;
        if (index < bundle_roots_.size()) bundle_roots_[index] = *root;
        if (progress_ && ++bundles_done_ % kBundlesPerProgress == 0)
            progress_(bundles_done_ * kTileWidth, checkpoint_.size);
    }
}

/// Entries of one bundle, against its tile of hashes; the root over them.
Result<crypto::Hash> Fsck::check_bundle(std::uint64_t index) {
    const TileId bundle{TileId::kEntries, index};
    const TileId tile{0, index};
    const std::uint64_t width = tile_width(bundle, checkpoint_.size);
    const std::string name = bundle.path(width);
    CLOISON_TRY(const auto content, tiles_.read(bundle, width));
    auto entries = split_bundle(content, width);
    if (entries.empty()) entries = split_bundle(content, kTileWidth);
    if (entries.empty())
        return corrupt(name + " is no bundle of " + std::to_string(width) + " entries.");

    Hashes leaves;
    std::vector<std::size_t> entry_ends;
    leaves.reserve(width);
    for (std::size_t i = 0; i < entries.size(); ++i) {
        CLOISON_TRY_STATUS(check_entry(entries[i], index * kTileWidth + i, name));
        entry_ends.push_back(
            static_cast<std::size_t>(entries[i].data() + entries[i].size() - content.data()));
        if (i < width) leaves.push_back(hash_leaf(entries[i]));
    }
    CLOISON_TRY(const auto stated, tiles_.read(tile, width));
    const Hashes stated_leaves = split_hashes(stated);
    const auto [ours, theirs] = std::ranges::mismatch(leaves, stated_leaves);
    if (ours != leaves.end()) {
        const auto at = index * kTileWidth + static_cast<std::uint64_t>(ours - leaves.begin());
        return corrupt(name + ": entry " + std::to_string(at) + " has not the hash that " +
                       tile.path(width) + " states.");
    }
    CLOISON_TRY_STATUS(check_partials(bundle, content, entry_ends));
    if (width < kTileWidth) last_leaves_ = leaves;
    return subtree_root(leaves);
}

/// Partial forms of a tile are beginnings of it. `ends` are the lengths that it has at each width.
Status Fsck::check_partials(const TileId& tile, ByteView content,
                            const std::vector<std::size_t>& ends) const {
    const std::string directory = tile.partial_directory();
    CLOISON_TRY(const bool there, tiles_.files().exists(tiles_.directory() / directory));
    if (!there) return {};
    auto names = tiles_.files().list(tiles_.directory() / directory);
    if (!names && names.error().code == ErrorCode::kNotFound) return {};
    if (!names) return fail(std::move(names).error());
    for (const std::string& name : *names) {
        if (is_temporary(name)) continue;
        std::size_t width = 0;
        const std::string path = directory + '/' + name;
        const auto [end, error] = std::from_chars(name.data(), name.data() + name.size(), width);
        if (error != std::errc() || std::to_string(width) != name || width == 0 ||
            width >= kTileWidth)
            return corrupt(path + " is not the name of a partial tile.");
        // A wider one belongs to a checkpoint that a crash or a moment keeps from being there.
        if (width > ends.size()) continue;
        auto partial = tiles_.read_exactly(tile, width);
        if (!partial && partial.error().code == ErrorCode::kNotFound) continue;
        if (!partial) return fail(std::move(partial).error());
        if (!std::ranges::equal(*partial, content.first(ends[width - 1])))
            return corrupt(path + " is not the beginning of what its entries give.");
    }
    return {};
}

/// Tiles of one level against hashes that were computed from the entries.
Status Fsck::check_level(int level, const Hashes& hashes) {
    for (std::uint64_t index = 0; index * kTileWidth < hashes.size(); ++index) {
        const TileId tile{level, index};
        const std::uint64_t width = tile_width(tile, checkpoint_.size);
        CLOISON_TRY(const auto content, tiles_.read(tile, width));
        const ByteView expected(
            reinterpret_cast<const std::uint8_t*>(hashes.data() + index * kTileWidth),
            width * sizeof(crypto::Hash));
        const auto [ours, theirs] = std::ranges::mismatch(expected, content);
        if (ours != expected.end()) {
            const auto at = static_cast<std::size_t>(ours - expected.begin());
            return corrupt(tile.path(width) + " is wrong at offset " + std::to_string(at) +
                           ": the entries give another hash.");
        }
        std::vector<std::size_t> ends;
        for (std::size_t i = 1; i <= width; ++i) ends.push_back(i * sizeof(crypto::Hash));
        CLOISON_TRY_STATUS(check_partials(tile, expected, ends));
        ++report_.tiles;
    }
    return {};
}

/// All levels above the leaves, and the root.
Status Fsck::check_root() {
    TreeEdge tree;
    tree.load_level(0, last_leaves_);
    // Level 0 was compared bundle by bundle, but for its leftovers.
    const std::uint64_t leaf_tiles = (checkpoint_.size + kTileWidth - 1) / kTileWidth;
    for (std::uint64_t index = 0; index < leaf_tiles; ++index) {
        const TileId tile{0, index};
        CLOISON_TRY(const bool there,
                    tiles_.files().exists(tiles_.directory() / tile.partial_directory()));
        if (!there) continue;
        CLOISON_TRY(const auto content, tiles_.read(tile, tile_width(tile, checkpoint_.size)));
        std::vector<std::size_t> ends;
        for (std::size_t end = sizeof(crypto::Hash); end <= content.size();
             end += sizeof(crypto::Hash))
            ends.push_back(end);
        CLOISON_TRY_STATUS(check_partials(tile, content, ends));
    }
    report_.tiles = leaf_tiles;
    Hashes hashes = std::move(bundle_roots_);
    for (int level = 1; level < kTileLevels && !hashes.empty(); ++level) {
        CLOISON_TRY_STATUS(check_level(level, hashes));
        const std::size_t full = hashes.size() / kTileWidth;
        Hashes roots;
        for (std::size_t i = 0; i < full; ++i)
            roots.push_back(subtree_root(std::span(hashes).subspan(i * kTileWidth, kTileWidth)));
        tree.load_level(level, std::span(hashes).subspan(full * kTileWidth));
        hashes = std::move(roots);
    }
    if (tree.root() != checkpoint_.root)
        return corrupt("checkpoint: the entries give another root than the signed one.");
    return {};
}

/// A tree of some size below the checkpoint, from tiles that were checked.
Result<TreeEdge> Fsck::tree_at(std::uint64_t size) const {
    TreeEdge tree;
    for (int level = 0; level < kTileLevels; ++level) {
        const TileId tile{level, hashes_at_level(size, level) / kTileWidth};
        const std::size_t wanted = hashes_at_level(size, level) % kTileWidth;
        if (wanted == 0) continue;
        CLOISON_TRY(const auto content, tiles_.read(tile, tile_width(tile, checkpoint_.size)));
        Hashes hashes = split_hashes(content);
        hashes.resize(wanted);
        tree.load_level(level, hashes);
    }
    return tree;
}

/// Hashes of the entries of a segment that the checkpoint covers, from tiles that were checked.
Result<Hashes> Fsck::leaves_of(const WalContent& content) const {
    Hashes leaves;
    const std::uint64_t end = std::min(content.end(), checkpoint_.size);
    for (std::uint64_t index = content.first_index; index < end;) {
        const TileId tile{0, index / kTileWidth};
        CLOISON_TRY(const auto bytes, tiles_.read(tile, tile_width(tile, checkpoint_.size)));
        const Hashes hashes = split_hashes(bytes);
        for (; index < end && index / kTileWidth == tile.index; ++index)
            leaves.push_back(hashes[index % kTileWidth]);
    }
    return leaves;
}

Status Fsck::check_segments() {
    const std::uint64_t published = checkpoint_.size;
    if (segments_.begin()->first > published)
        return corrupt(segment_path(segments_.begin()->first) + " begins beyond the checkpoint.");
    CLOISON_TRY(TreeEdge tree, tree_at(published));
    if (kept_ && kept_->size <= published) {
        CLOISON_TRY(const TreeEdge then, tree_at(kept_->size));
        CLOISON_TRY_STATUS(check_kept(then));
    }
    for (auto segment = segments_.begin(); segment != segments_.end(); ++segment) {
        const std::string name = segment_path(segment->first);
        const auto following = std::next(segment);
        CLOISON_TRY(const auto content,
                    read_segment(*segment->second, segment->first, tiles_.cipher()));
        CLOISON_TRY_STATUS(check_segment_end(
            content, following == segments_.end() ? kNoSegment : following->first, published));
        report_.torn_tail = content.torn;

        const bool beyond = content.first_index >= published;
        CLOISON_TRY(const TreeEdge before,
                    beyond ? Result<TreeEdge>(tree) : tree_at(content.first_index));
        if (before.root() != content.root)
            return corrupt(name + " states another root than its first " +
                           std::to_string(content.first_index) + " entries give.");
        CLOISON_TRY(const Hashes published_leaves, leaves_of(content));
        std::uint64_t index = content.first_index;
        for (const Chunk& frame : content.frames) {
            for (std::size_t i = 0; i < frame.count(); ++i, ++index) {
                if (index < published) {
                    if (frame.leaves[i] == published_leaves[index - content.first_index]) continue;
                    return corrupt(name + ": entry " + std::to_string(index) +
                                   " differs from the published one.");
                }
                CLOISON_TRY_STATUS(check_entry(frame.entry(i), index, name));
                tree.append(frame.leaves[i], nullptr);
                if (kept_ && kept_->size == tree.size()) CLOISON_TRY_STATUS(check_kept(tree));
                ++report_.entries;
                ++report_.unpublished_entries;
            }
        }
    }
    if (kept_ && kept_->size > tree.size())
        return corrupt("The journal has " + std::to_string(tree.size()) +
                       " entries, where the checkpoint that was kept has " +
                       std::to_string(kept_->size) + ": it was cut, or is an older copy.");
    return {};
}

/// `tree` is that of as many entries as the checkpoint that was kept has.
Status Fsck::check_kept(const TreeEdge& tree) {
    if (tree.root() == kept_->root) return {};
    return corrupt("The first " + std::to_string(kept_->size) +
                   " entries are not those of the checkpoint that was kept: the roots differ.");
}

}  // namespace

Result<FsckReport> fsck(FileSystem& files, const Path& directory, const FsckOptions& options) {
    CLOISON_TRY(auto verifier, NoteVerifier::parse(options.verify_key));
    std::optional<Checkpoint> kept;
    if (!options.against.empty()) {
        auto opened = open_checkpoint(options.against, verifier);
        if (!opened)
            return fail(
                ErrorCode::kInvalidArgument,
                "The checkpoint that was kept is none of this journal: " + opened.error().message);
        kept = std::move(*opened);
    }
    return Fsck(files, directory, std::move(verifier), options, std::move(kept)).run();
}

}  // namespace cloison::journal
