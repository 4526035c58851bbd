#include "journal/published.h"

#include "journal/recovery.h"

namespace cloison::journal {
namespace {

/// The tree of `size` entries out of the tiles of a larger one.
Result<TreeEdge> tree_of(const PublishedJournal& journal, std::uint64_t size) {
    TreeEdge tree;
    for (int level = 0; level < kTileLevels; ++level) {
        const std::uint64_t there = hashes_at_level(size, level);
        const std::size_t wanted = there % kTileWidth;
        if (wanted == 0) continue;
        CLOISON_TRY(const auto hashes, journal.hashes(level, there - wanted, wanted));
        tree.load_level(level, hashes);
    }
    return tree;
}

}  // namespace

Result<PublishedJournal> PublishedJournal::open(
    FileSystem& files, const Path& directory, const NoteVerifier& verifier,
    const std::shared_ptr<const crypto::BoxKey>& entry_key) {
    const Path path = directory / "checkpoint";
    auto note = files.read_file(path, kMaxCheckpointBytes);
    if (!note) {
        if (note.error().code != ErrorCode::kNotFound) return fail(std::move(note).error());
        return fail(ErrorCode::kNotFound, "There is no journal in " + directory.string() + '.');
    }
    auto checkpoint = open_checkpoint(as_text(*note), verifier);
    if (!checkpoint)
        return fail(ErrorCode::kCorrupt, path.string() + ": " + checkpoint.error().message);
    return PublishedJournal(
        TileFiles(files, directory, {entry_key, verifier.name, system_random()}),
        std::move(*checkpoint), to_string(*note));
}

Result<std::vector<crypto::Hash>> PublishedJournal::hashes(int level, std::uint64_t first,
                                                           std::size_t count) const {
    const TileId tile{level, first / kTileWidth};
    const std::size_t begin = first % kTileWidth;
    CLOISON_TRY(const auto content, tiles_.read(tile, tile_width(tile, checkpoint_.size)));
    const auto all = split_hashes(content);
    if (begin + count > all.size())
        return fail(ErrorCode::kInternal, "A hash beyond the published tree was asked for.");
    const auto from = all.begin() + static_cast<std::ptrdiff_t>(begin);
    return std::vector<crypto::Hash>(from, from + static_cast<std::ptrdiff_t>(count));
}

Result<Checkpoint> PublishedJournal::checkpoint_at(std::uint64_t size) const {
    if (size > checkpoint_.size)
        return fail(ErrorCode::kInvalidArgument, "The journal has published " +
                                                     std::to_string(checkpoint_.size) +
                                                     " entries, not " + std::to_string(size) + '.');
    CLOISON_TRY(const TreeEdge tree, tree_of(*this, size));
    Checkpoint then{checkpoint_.origin, size, tree.root()};
    CLOISON_TRY(const auto path, consistency_path(*this, size, checkpoint_.size));
    const auto fits = verify_consistency(size, then.root, checkpoint_.size, checkpoint_.root, path);
    if (!fits)
        return fail(ErrorCode::kCorrupt,
                    "The tiles of the journal do not give the root of its checkpoint.");
    return then;
}

Result<std::vector<crypto::Hash>> PublishedJournal::prove_consistency(
    std::uint64_t old_size, std::uint64_t new_size) const {
    if (old_size > new_size)
        return fail(ErrorCode::kInvalidArgument,
                    "A consistency proof goes from a smaller size of the journal to a larger one.");
    CLOISON_TRY(const auto after, checkpoint_at(new_size));
    CLOISON_TRY(const auto before, checkpoint_at(old_size));
    CLOISON_TRY(auto path, consistency_path(*this, old_size, new_size));
    CLOISON_TRY_STATUS(verify_consistency(old_size, before.root, new_size, after.root, path));
    return path;
}

Result<Proof> PublishedJournal::prove(std::uint64_t index, const Checkpoint& head,
                                      std::string note) const {
    CLOISON_TRY(const auto ours, checkpoint_at(head.size));
    if (ours.root != head.root)
        return fail(ErrorCode::kInvalidArgument, "The checkpoint over " +
                                                     std::to_string(head.size) +
                                                     " entries is of another journal than this.");
    if (index >= head.size)
        return fail(ErrorCode::kNotFound, "The checkpoint is over " + std::to_string(head.size) +
                                              " entries: there is no entry " +
                                              std::to_string(index) + " in it.");
    const TileId bundle{TileId::kEntries, index / kTileWidth};
    CLOISON_TRY(auto entries, tiles_.entries(bundle.index, tile_width(bundle, checkpoint_.size)));
    Proof proof;
    proof.index = index;
    proof.entry = std::move(entries[index % kTileWidth]);
    proof.checkpoint = std::move(note);
    CLOISON_TRY(proof.path, inclusion_path(*this, index, head.size));
    // A damaged tile is found here, not by whoever is handed the proof.
    CLOISON_TRY(const auto root,
                inclusion_root(hash_leaf(proof.entry), index, head.size, proof.path));
    if (root != head.root)
        return fail(ErrorCode::kCorrupt,
                    "The tiles of the journal do not prove entry " + std::to_string(index) + '.');
    return proof;
}

}  // namespace cloison::journal
