#include "journal/recovery.h"

namespace cloison::journal {
namespace {

tl::unexpected<Error> corrupt(std::string message) {
    return fail(ErrorCode::kCorrupt, std::move(message));
}

/// The partial bundle as a chunk, held against the hashes of its entries.
Result<Chunk> read_partial_bundle(const TileFiles& tiles, std::uint64_t published,
                                  const std::vector<crypto::Hash>& leaves) {
    const std::uint64_t width = published % kTileWidth;
    const TileId tile{TileId::kEntries, published / kTileWidth};
    CLOISON_TRY(auto entries, tiles.entries(tile.index, width));
    Chunk chunk;
    chunk.first = published - width;
    for (std::size_t i = 0; i < entries.size(); ++i) {
        if (hash_leaf(entries[i]) != leaves[i])
            return corrupt(tile.path(width) + ": entry " + std::to_string(chunk.first + i) +
                           " has not the hash that " + TileId{0, tile.index}.path(width) +
                           " states.");
        chunk.offsets.push_back(static_cast<std::uint32_t>(chunk.bytes.size()));
        chunk.leaves.push_back(leaves[i]);
        put_u16(chunk.bytes, static_cast<std::uint16_t>(entries[i].size()));
        chunk.bytes.insert(chunk.bytes.end(), entries[i].begin(), entries[i].end());
    }
    return chunk;
}

/// Appends to `tree` and `recovered.frames` what one segment holds beyond the checkpoint.
Status take_segment(WalContent content, TreeEdge& tree, Recovered& recovered) {
    const std::string name = segment_path(content.first_index);
    if (content.first_index >= recovered.published && content.root != tree.root())
        return corrupt(name + " states another root for its first " +
                       std::to_string(content.first_index) + " entries than the entries give.");
    for (Chunk& frame : content.frames) {
        if (frame.end() <= recovered.published) continue;
        if (frame.first < recovered.published)
            return corrupt(name + " has a frame from entry " + std::to_string(frame.first) +
                           " that the checkpoint covers in part.");
        for (const crypto::Hash& leaf : frame.leaves) tree.append(leaf, nullptr);
        recovered.frames.push_back(std::move(frame));
    }
    return {};
}

Status read_segments(const TileFiles& tiles, TreeEdge& tree, Recovered& recovered) {
    CLOISON_TRY(recovered.segments, list_segments(tiles.files(), tiles.directory()));
    const std::vector<std::uint64_t>& segments = recovered.segments;
    if (segments.empty() && recovered.published == 0) return {};
    if (segments.empty()) return corrupt("wal/ has no segment.");
    if (segments.front() > recovered.published)
        return corrupt(segment_path(segments.front()) + " begins beyond the checkpoint of " +
                       std::to_string(recovered.published) + " entries.");
    for (std::size_t i = 0; i < segments.size(); ++i) {
        const Path path = tiles.directory() / segment_path(segments[i]);
        CLOISON_TRY(auto file, tiles.files().open(path, false));
        CLOISON_TRY(auto content, read_segment(*file, segments[i], tiles.cipher()));
        const std::uint64_t next = i + 1 < segments.size() ? segments[i + 1] : kNoSegment;
        CLOISON_TRY_STATUS(check_segment_end(content, next, recovered.published));
        recovered.torn = content.torn;
        if (content.end() > recovered.published) {
            Bytes bytes(content.torn_offset);
            CLOISON_TRY(const std::size_t got, file->read_at(0, bytes));
            bytes.resize(got);
            recovered.unpublished.push_back(std::move(bytes));
        }
        CLOISON_TRY_STATUS(take_segment(std::move(content), tree, recovered));
    }
    return {};
}

}  // namespace

Status check_segment_end(const WalContent& content, std::uint64_t next, std::uint64_t published) {
    const std::uint64_t end = content.end();
    const std::string ends =
        segment_path(content.first_index) + " ends at entry " + std::to_string(end);
    const std::string at_offset =
        content.torn ? ", being damaged at offset " + std::to_string(content.torn_offset) : "";
    if (next == kNoSegment) {
        if (end >= published) return {};
        return corrupt(ends + at_offset + ", before the checkpoint of " +
                       std::to_string(published) + " entries.");
    }
    const bool superseded = next <= published && end < next && !content.torn;
    if (end == next || superseded) return {};
    return corrupt(ends + at_offset + ", but " + segment_path(next) + " follows.");
}

Result<std::optional<Checkpoint>> read_checkpoint(const TileFiles& tiles,
                                                  const NoteVerifier& verifier) {
    auto note = tiles.files().read_file(tiles.directory() / "checkpoint", kMaxCheckpointBytes);
    if (!note) {
        if (note.error().code == ErrorCode::kNotFound) return std::nullopt;
        return fail(std::move(note).error());
    }
    auto checkpoint = open_checkpoint(as_text(*note), verifier);
    if (!checkpoint) return corrupt("checkpoint: " + checkpoint.error().message);
    return std::move(*checkpoint);
}

Result<Recovered> recover(const TileFiles& tiles, const NoteVerifier& verifier) {
    Recovered recovered;
    recovered.edge.resize(kTileLevels);
    CLOISON_TRY(const auto checkpoint, read_checkpoint(tiles, verifier));
    if (!checkpoint) {
        CLOISON_TRY(const auto segments, list_segments(tiles.files(), tiles.directory()));
        CLOISON_TRY(const bool has_tiles, tiles.files().exists(tiles.directory() / "tile"));
        // A new journal gets its checkpoint, of no entries, before anything else.
        if (segments.empty() && !has_tiles) return recovered;
        return corrupt("checkpoint is missing.");
    }
    CLOISON_TRY_STATUS(check_encryption(tiles.files(), tiles.directory(), tiles.cipher()));
    TreeEdge tree;
    recovered.published = checkpoint->size;
    CLOISON_TRY(recovered.edge, read_edge(tiles, checkpoint->size));
    for (int level = 0; level < kTileLevels; ++level) tree.load_level(level, recovered.edge[level]);
    if (tree.root() != checkpoint->root)
        return corrupt("tile/ and checkpoint disagree: the last tiles give another root.");
    if (!recovered.edge[0].empty()) {
        CLOISON_TRY(recovered.bundle,
                    read_partial_bundle(tiles, checkpoint->size, recovered.edge[0]));
    }
    CLOISON_TRY_STATUS(read_segments(tiles, tree, recovered));
    return recovered;
}

}  // namespace cloison::journal
