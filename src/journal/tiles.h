#pragma once

#include <string>
#include <vector>

#include "base/file_system.h"
#include "journal/entry_cipher.h"
#include "journal/merkle.h"

namespace cloison::journal {

inline constexpr std::size_t kMaxEntryBytes = 65'535;
/// A bundle of 256 entries, each with its length before it.
inline constexpr std::size_t kMaxBundleBytes = kTileWidth * (2 + kMaxEntryBytes);

/// Which file of a tlog-tiles log: a tile of hashes of a level, or a bundle of entries.
struct TileId {
    static constexpr int kEntries = -1;
    int level = kEntries;
    std::uint64_t index = 0;
    /// "tile/0/x001/x234/067", with ".p/<width>" where width < 256.
    std::string path(std::uint64_t width) const;
    std::string partial_directory() const;  ///< Where the partial forms of it lie.
};

/// Whether it is what an atomic write that a crash cut short leaves (base/file_system.h).
bool is_temporary(std::string_view name);

/// Width of a tile in a tree of `size` entries: 0 (not there) to 256.
std::uint64_t tile_width(const TileId& tile, std::uint64_t size);

/// Takes a bundle of exactly `width` entries apart; the views point into `bundle`. Empty if it is
/// malformed.
std::vector<ByteView> split_bundle(ByteView bundle, std::uint64_t width);

std::vector<crypto::Hash> split_hashes(ByteView tile);

/// The tile files of a journal. Safe to use from several threads. Errors name the file.
class TileFiles {
  public:
    TileFiles(FileSystem& files, Path directory, EntryCipher cipher = {})
        : files_(files), directory_(std::move(directory)), cipher_(std::move(cipher)) {}

    /// The content for `width` entries or hashes: from the file of that width, or from the full one
    /// where the partial one has gone. A tile of hashes comes cut to the width; a bundle comes
    /// decrypted and may hold more entries.
    Result<Bytes> read(const TileId& tile, std::uint64_t width) const;
    /// The content of the file of exactly that width; kNotFound if there is none.
    Result<Bytes> read_exactly(const TileId& tile, std::uint64_t width) const;
    /// `count` hashes of one tile. kCorrupt if they are not there.
    Result<std::vector<crypto::Hash>> hashes(int level, std::uint64_t first,
                                             std::size_t count) const;
    /// Entries of one bundle that has `width` of them.
    Result<std::vector<Bytes>> entries(std::uint64_t bundle, std::uint64_t width) const;

    /// Writes without syncing, over what a crash may have left. What is complete once never
    /// changes, and no checkpoint covers it before it is synced.
    Status write(const TileId& tile, std::uint64_t width, ByteView content, bool sync) const;
    /// Makes sure that the partial forms that a tree of `size` entries needs are durable. Writes
    /// them where only full tiles serve in their place, as in a copy that was made while they gave
    /// way: a full tile that no checkpoint covers is written over in place, which a crash may cut
    /// short. Where they are there, their names are synced: a process that died before it had done
    /// that may have written them.
    Status ensure_partials(std::uint64_t size) const;
    /// Removes the partial forms of a tile that is now full.
    Status remove_partials(const TileId& tile) const;
    /// Removes, durably, the partial tiles beyond a tree of `size` entries: no checkpoint covers
    /// what a process that died was writing, and it may have been cut short. So do temporaries.
    Status remove_partials_beyond(std::uint64_t size) const;

    FileSystem& files() const { return files_; }
    const Path& directory() const { return directory_; }
    const EntryCipher& cipher() const { return cipher_; }

  private:
    /// The content as it lies on the disk, encrypted where it is to be.
    Bytes sealed(const TileId& tile, std::uint64_t width, ByteView content) const;

    FileSystem& files_;
    const Path directory_;
    const EntryCipher cipher_;
};

/// The hashes at the right edge of the published tree of `size` entries, level by level.
Result<std::vector<std::vector<crypto::Hash>>> read_edge(const TileFiles& tiles,
                                                         std::uint64_t size);

}  // namespace cloison::journal
