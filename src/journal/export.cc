#include "journal/export.h"

#include <algorithm>

#include "journal/wal.h"

namespace cloison::journal {
namespace {

constexpr std::string_view kMarker = ".cloison-export";
constexpr std::size_t kMaxMarkerBytes = 64 * 1024;
constexpr std::uint64_t kBundlesPerProgress = 256;

std::string marker_text(const NoteVerifier& verifier) {
    return "Export of the journal " + note_vkey(verifier.name, verifier.key) + '\n';
}

/// Makes the directory an export of this log, unless it is one already.
Status claim(FileSystem& files, const Path& to, const NoteVerifier& verifier) {
    CLOISON_TRY_STATUS(files.create_directories(to));
    const auto marker = files.read_file(to / kMarker, kMaxMarkerBytes);
    if (marker) {
        if (as_text(*marker) == marker_text(verifier)) return {};
        return fail(ErrorCode::kConflict, to.string() + " is the export of another log.");
    }
    if (marker.error().code != ErrorCode::kNotFound) return fail(marker.error());
    CLOISON_TRY(const auto names, files.list(to));
    const bool foreign = std::ranges::any_of(names, [](const std::string& name) {
        // What an interrupted beginning of this very function leaves.
        return !(name.starts_with('.') && name.ends_with(".tmp"));
    });
    if (foreign)
        return fail(ErrorCode::kConflict,
                    to.string() + " is not empty and is no export of this journal.");
    return files.write_file_atomically(to / kMarker, as_bytes(marker_text(verifier)), 0600);
}

/// The checkpoint that the export has so far; of no entries if it has none.
Result<Checkpoint> exported_so_far(FileSystem& files, const Path& to,
                                   const NoteVerifier& verifier) {
    const auto note = files.read_file(to / "checkpoint", kMaxCheckpointBytes);
    if (!note && note.error().code == ErrorCode::kNotFound)
        return Checkpoint{verifier.name, 0, empty_root()};
    if (!note) return fail(note.error());
    auto checkpoint = open_checkpoint(as_text(*note), verifier);
    if (!checkpoint)
        return fail(ErrorCode::kConflict,
                    (to / "checkpoint").string() + ": " + checkpoint.error().message);
    return checkpoint;
}

/// Grows the tiles of an export bundle by bundle.
class Exporter {
  public:
    Exporter(const PublishedJournal& journal, FileSystem& files, const Path& to)
        : journal_(journal), out_(files, to), levels_(kTileLevels) {}

    /// Begins behind the full tiles of the first `exported` entries, which the export has.
    Status resume(std::uint64_t exported);
    Status take_bundle(std::uint64_t index, std::uint64_t width);
    /// Writes what is left of partial tiles. On return, all tiles are on stable storage.
    Status finish();
    /// The partial forms of the tiles that were filled: for when no checkpoint needs them.
    Status remove_partials() const;
    crypto::Hash root() const { return tree_.root(); }

  private:
    struct Level {
        std::uint64_t tile = 0;
        Bytes content;
    };
    void keep(int level, const crypto::Hash& hash);
    /// Whatever is there, also the same: that it can be read does not say that it is on the disk.
    Status write(const TileId& tile, std::uint64_t width, ByteView content) const {
        return out_.write(tile, width, content, false);
    }

    const PublishedJournal& journal_;
    const TileFiles out_;
    TreeEdge tree_;
    std::unique_ptr<FileSystemSync> tiles_sync_;
    std::vector<Level> levels_;  ///< Of each, the last tile, as far as it is filled.
    std::vector<TileId> filled_;
    Status status_;  ///< First failure to write a tile that was full.
};

Status Exporter::resume(std::uint64_t exported) {
    CLOISON_TRY(tiles_sync_, out_.files().begin_sync(out_.directory()));
    // No checkpoint covers what a run that was cut short was writing.
    CLOISON_TRY_STATUS(out_.remove_partials_beyond(exported));
    const std::uint64_t size = exported / kTileWidth * kTileWidth;
    for (int level = 0; level < kTileLevels; ++level) {
        const std::uint64_t there = hashes_at_level(size, level);
        const std::size_t partial = there % kTileWidth;
        levels_[level].tile = there / kTileWidth;
        if (partial == 0) continue;
        CLOISON_TRY(const auto hashes, journal_.hashes(level, there - partial, partial));
        tree_.load_level(level, hashes);
        for (const crypto::Hash& hash : hashes)
            levels_[level].content.insert(levels_[level].content.end(), hash.begin(), hash.end());
    }
    return {};
}

void Exporter::keep(int level, const crypto::Hash& hash) {
    Level& filling = levels_[level];
    filling.content.insert(filling.content.end(), hash.begin(), hash.end());
    if (filling.content.size() < kTileWidth * hash.size()) return;
    const TileId tile{level, filling.tile};
    if (status_) status_ = write(tile, kTileWidth, filling.content);
    filled_.push_back(tile);
    filling.content.clear();
    ++filling.tile;
}

Status Exporter::take_bundle(std::uint64_t index, std::uint64_t width) {
    const TileId bundle{TileId::kEntries, index};
    const std::uint64_t held = tile_width(bundle, journal_.size());
    CLOISON_TRY(auto entries, journal_.tiles().entries(index, held));
    Bytes content;
    for (std::uint64_t i = 0; i < width; ++i) {
        put_u16(content, static_cast<std::uint16_t>(entries[i].size()));
        content.insert(content.end(), entries[i].begin(), entries[i].end());
        tree_.append(hash_leaf(entries[i]),
                     [this](int level, const crypto::Hash& hash) { keep(level, hash); });
    }
    CLOISON_TRY_STATUS(status_);
    CLOISON_TRY_STATUS(write(bundle, width, content));
    if (width == kTileWidth) filled_.push_back(bundle);
    return {};
}

Status Exporter::finish() {
    for (int level = 0; level < kTileLevels; ++level) {
        const Bytes& content = levels_[level].content;
        if (content.empty()) continue;
        CLOISON_TRY_STATUS(
            write({level, levels_[level].tile}, content.size() / sizeof(crypto::Hash), content));
    }
    return tiles_sync_->sync();
}

Status Exporter::remove_partials() const {
    for (const TileId& tile : filled_) CLOISON_TRY_STATUS(out_.remove_partials(tile));
    return {};
}

}  // namespace

Result<ExportReport> export_journal(
    const PublishedJournal& journal, const Checkpoint& head, const std::string& note,
    const NoteVerifier& verifier, FileSystem& files, const Path& to,
    const std::function<void(std::uint64_t, std::uint64_t)>& progress) {
    CLOISON_TRY_STATUS(check_encryption(journal.tiles().files(), journal.tiles().directory(),
                                        journal.tiles().cipher()));
    CLOISON_TRY_STATUS(claim(files, to, verifier));
    CLOISON_TRY(const auto before, exported_so_far(files, to, verifier));
    if (before.size > head.size)
        return fail(ErrorCode::kConflict, to.string() + " holds " + std::to_string(before.size) +
                                              " entries already, more than " +
                                              std::to_string(head.size) + '.');
    CLOISON_TRY(const auto ours, journal.checkpoint_at(before.size));
    if (ours.root != before.root)
        return fail(ErrorCode::kConflict, to.string() +
                                              " holds a checkpoint that this journal does not "
                                              "continue: one of the two was changed.");
    Exporter exporter(journal, files, to);
    const std::uint64_t first = before.size / kTileWidth;
    CLOISON_TRY_STATUS(exporter.resume(before.size));
    for (std::uint64_t index = first; index * kTileWidth < head.size; ++index) {
        if (progress && index % kBundlesPerProgress == 0) progress(index * kTileWidth, head.size);
        CLOISON_TRY_STATUS(
            exporter.take_bundle(index, tile_width(TileId{TileId::kEntries, index}, head.size)));
    }
    CLOISON_TRY_STATUS(exporter.finish());
    if (exporter.root() != head.root)
        return fail(ErrorCode::kCorrupt,
                    "The entries of the journal do not give the root of its checkpoint; the export "
                    "has none.");
    CLOISON_TRY_STATUS(files.write_file_atomically(to / "checkpoint", as_bytes(note), 0600));
    CLOISON_TRY_STATUS(exporter.remove_partials());
    if (progress) progress(head.size, head.size);
    return ExportReport{head.size, before.size};
}

}  // namespace cloison::journal
