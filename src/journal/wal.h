#pragma once

#include <memory>
#include <string>
#include <vector>

#include "base/file_system.h"
#include "crypto/hash.h"
#include "journal/entry_cipher.h"
#include "journal/tiles.h"

namespace cloison::journal {

/// The write-ahead file (docs/formats/journal.md, "Write-ahead segments"): segments named after
/// the index of their first entry, each a header and frames. One frame is one group commit, written
/// at once and synced before the next one is begun: so only the last frame can be torn.
inline constexpr std::size_t kFrameHeaderBytes = 24;
inline constexpr std::size_t kMaxFrameBodyBytes = 8 << 20;  ///< Of entries, with their lengths.
inline constexpr std::size_t kMaxBodyOnDisk = 2 * kMaxFrameBodyBytes;  ///< With what encrypts them.
inline constexpr std::size_t kSegmentBytes = 16 << 20;  ///< A fuller one is not begun anew.

/// Durable entries that are held in memory: a frame's body is a run of a bundle.
struct Chunk {
    std::uint64_t first = 0;
    Bytes bytes;
    std::vector<std::uint32_t> offsets;  ///< Of each entry's length within `bytes`.
    std::vector<crypto::Hash> leaves;

    std::uint64_t count() const { return leaves.size(); }
    std::uint64_t end() const { return first + count(); }
    /// Entries from `from` to `to` (counted within the chunk) as they stand in a bundle.
    ByteView run(std::size_t from, std::size_t to) const;
    ByteView entry(std::size_t i) const { return run(i, i + 1).subspan(2); }
};

/// Fills in header and digest of a frame: `frame` begins with kFrameHeaderBytes of room, its body
/// follows as it lies on the disk. `chunk` has the leaf hashes, and `first` set.
void seal_frame(Bytes& frame, const Chunk& chunk, const crypto::Hash& segment_root,
                const EntryCipher& cipher);
/// The same without encryption: the chunk's own bytes are the frame.
inline void seal_frame(Chunk& chunk, const crypto::Hash& segment_root) {
    seal_frame(chunk.bytes, chunk, segment_root, {});
}

/// Appends frames to one segment. One thread at a time.
class WalSegment {
  public:
    /// A new, empty segment, durable on return; one of the same name is replaced.
    static Result<WalSegment> create(FileSystem& files, const Path& directory,
                                     std::uint64_t first_index, const crypto::Hash& root,
                                     const EntryCipher& cipher = {});

    /// Writes a frame in one piece and syncs it.
    Status append(ByteView frame);
    std::uint64_t bytes() const { return end_; }
    std::uint64_t first_index() const { return first_index_; }
    const crypto::Hash& root() const { return root_; }

  private:
    WalSegment(std::unique_ptr<File> file, std::uint64_t end, std::uint64_t first_index,
               const crypto::Hash& root)
        : file_(std::move(file)), end_(end), first_index_(first_index), root_(root) {}

    std::unique_ptr<File> file_;
    std::uint64_t end_;
    std::uint64_t first_index_;
    crypto::Hash root_;
};

/// What one segment holds.
struct WalContent {
    std::uint64_t first_index = 0;
    crypto::Hash root{};  ///< Of the tree of first_index entries.
    std::vector<Chunk> frames;
    bool torn = false;              ///< Bytes follow the last whole frame.
    std::uint64_t torn_offset = 0;  ///< Where the last whole frame ends.

    std::uint64_t end() const { return frames.empty() ? first_index : frames.back().end(); }
};

/// "wal/00000000000000000000".
std::string segment_path(std::uint64_t first_index);
Path segments_directory(const Path& directory);
/// First indexes of the segments that are there, ascending. Files with other names are kCorrupt,
/// but for leftovers of atomic writes.
Result<std::vector<std::uint64_t>> list_segments(FileSystem& files, const Path& directory);
/// kCorrupt naming the file and the offset. A torn tail is not an error here: a last frame that the
/// file does not hold whole, or of which a sector was never written and reads as zeros. A last
/// frame that is there whole and does not fit was changed, not torn, and is an error.
Result<WalContent> read_segment(File& file, std::uint64_t first_index,
                                const EntryCipher& cipher = {});
/// kCorrupt, saying so, if the segments of a journal are encrypted and `cipher` is not, or the
/// other way round: every other error would be misleading then.
Status check_encryption(FileSystem& files, const Path& directory, const EntryCipher& cipher);

}  // namespace cloison::journal
