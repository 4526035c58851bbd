#pragma once

#include <optional>
#include <vector>

#include "journal/note.h"
#include "journal/tiles.h"
#include "journal/wal.h"

namespace cloison::journal {

/// What a journal's directory holds.
struct Recovered {
    std::uint64_t published = 0;                  ///< Size of the checkpoint.
    std::vector<std::vector<crypto::Hash>> edge;  ///< Partial tiles of hashes, by level.
    std::optional<Chunk> bundle;                  ///< The partial bundle of entries.
    std::vector<Chunk> frames;                    ///< Durable entries beyond the checkpoint.
    std::vector<std::uint64_t> segments;          ///< Write-ahead segments, oldest first.
    std::vector<Bytes> unpublished;  ///< Whole frames of the last segments, which hold `frames`.
    bool torn = false;               ///< A write that nobody was told of was cut short.
};

/// Reads a journal back without changing anything: the checkpoint, the right edge of its tree and
/// the write-ahead segments. kCorrupt naming the first thing wrong. A directory with neither
/// checkpoint nor segments nor tiles is an empty journal.
Result<Recovered> recover(const TileFiles& tiles, const NoteVerifier& verifier);

inline constexpr std::uint64_t kNoSegment = ~std::uint64_t{0};

/// Holds the end of a segment against the beginning of the next one, or, in the last one
/// (kNoSegment), against the checkpoint. A torn tail is allowed where nothing is missing after it.
/// A gap is allowed below the checkpoint: segments are removed there, in an order that a crash may
/// not keep.
Status check_segment_end(const WalContent& content, std::uint64_t next, std::uint64_t published);

/// Opens the signed checkpoint; none if there is no such file.
Result<std::optional<Checkpoint>> read_checkpoint(const TileFiles& tiles,
                                                  const NoteVerifier& verifier);

}  // namespace cloison::journal
