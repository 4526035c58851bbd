#include "keeper/backup.h"

#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <thread>

#include "journal/journal.h"
#include "journal/note.h"
#include "journal/tiles.h"
#include "keeper/backup_archive.h"
#include "keeper/backup_manifest.h"
#include "keeper/cosigner.h"
#include "keeper/keeper.h"
#include "keeper/persons_schema.h"
#include "storage/database.h"

namespace cloison::keeper {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view kRecipientPrefix = "cloison-recovery+";
constexpr const char* kEscrow = "keys.escrow";
constexpr const char* kSnapshot = "snapshot.sqlite";
constexpr const char* kLock = "backup.lock";
constexpr std::size_t kMaxSmallFile = 1 << 20;
constexpr int kAttempts = 5;
/// For a running keeper to publish what it has: it does so each second.
constexpr std::chrono::seconds kPublishPatience{60};
constexpr std::chrono::milliseconds kPublishPoll{20};

std::string recipient_id(const crypto::SealedBoxPublicKey& key) {
    return hex_encode(
        ByteView(crypto::sha256({as_bytes("cloison/recovery/v1"), key.bytes})).first(4));
}

/// Removes a file or directory on every way out but the good one.
class RemoveUnlessKept {
  public:
    explicit RemoveUnlessKept(Path path) : path_(std::move(path)) {}
    ~RemoveUnlessKept() {
        std::error_code ignored;
        if (!kept_) fs::remove_all(path_, ignored);
    }
    RemoveUnlessKept(const RemoveUnlessKept&) = delete;
    RemoveUnlessKept& operator=(const RemoveUnlessKept&) = delete;
    void keep() { kept_ = true; }

  private:
    const Path path_;
    bool kept_ = false;
};

Status move_file(const Path& from, const Path& to) {
    std::error_code error;
    fs::rename(from, to, error);
    if (error)
        return fail(ErrorCode::kIo, "Cannot replace " + to.string() + ": " + error.message());
    return {};
}

/// Overwrites what is there before it goes: it may hold keys of persons who are erased one day.
Status shred(FileSystem& files, const Path& path) {
    CLOISON_TRY(const bool exists, files.exists(path));
    if (!exists) return {};
    CLOISON_TRY(auto file, files.open(path, false));
    CLOISON_TRY(const auto size, file->size());
    const Bytes zeros(1 << 20);
    for (std::uint64_t at = 0; at < size; at += zeros.size())
        CLOISON_TRY_STATUS(file->write_at(
            at, ByteView(zeros).first(std::min<std::uint64_t>(zeros.size(), size - at))));
    CLOISON_TRY_STATUS(file->sync_data());
    CLOISON_TRY_STATUS(files.remove(path));
    return files.sync_directory(path.parent_path());
}

Status shred_snapshot(FileSystem& files, const Path& snapshot) {
    for (const char* suffix : {"", "-wal", "-shm", "-journal"})
        CLOISON_TRY_STATUS(shred(files, snapshot.string() + suffix));
    return {};
}

/// Where the copy of the persons lies while it is read.
class Snapshot {
  public:
    Snapshot(const Path& keeper, FileSystem& files) : path_(keeper / kSnapshot), files_(files) {}
    ~Snapshot() { static_cast<void>(shred_snapshot(files_, path_)); }
    Snapshot(const Snapshot&) = delete;
    Snapshot& operator=(const Snapshot&) = delete;
    const Path& path() const { return path_; }

  private:
    const Path path_;
    FileSystem& files_;
};

struct KeyFile {
    std::string name;
    Secret content;
};

/// One backup on its way.
class Maker {
  public:
    Maker(const BackupSource& source, const Path& to, const crypto::SealedBoxPublicKey& recipient,
          FileSystem& files, Clock& clock, Random& random, const BackupProgress& progress)
        : source_(source),
          to_(to),
          recipient_(recipient),
          files_(files),
          clock_(clock),
          random_(random),
          progress_(progress) {}

    Result<Backup> make() {
        CLOISON_TRY_STATUS(files_.create_directories(to_));
        CLOISON_TRY(const auto one_at_a_time, files_.lock_file(source_.keeper / "backup.lock"));
        CLOISON_TRY(const auto journal_key, journal_signing_key(files_, source_.keeper));
        const Snapshot snapshot(source_.keeper, files_);
        CLOISON_TRY_STATUS(take_persons(snapshot.path()));
        // The journal after the persons, so that it is never the older one.
        CLOISON_TRY_STATUS(wait_for_checkpoint());
        CLOISON_TRY_STATUS(read_checkpoint(journal_key));
        Backup backup;
        backup.entries = manifest_.entries;
        backup.persons = manifest_.persons;
        backup.epoch = manifest_.epoch;
        manifest_.time = clock_.now();
        std::string time = format_rfc3339(manifest_.time);
        std::erase_if(time, [](char c) { return c == '-' || c == ':'; });
        backup.archive =
            to_ / ("keeper-" + time + '-' + std::to_string(manifest_.entries) + ".backup");
        CLOISON_TRY(const bool exists, files_.exists(backup.archive));
        if (exists) return fail(ErrorCode::kConflict, backup.archive.string() + " exists already.");
        CLOISON_TRY(backup.bytes, write_archive(snapshot.path(), backup.archive, journal_key));
        // Only now: until the new archive is there, the old ones may need the old keys.
        backup.escrow = to_ / kEscrow;
        CLOISON_TRY_STATUS(replace_escrow(backup.escrow, journal_key));
        return backup;
    }

  private:
    Path epochs() const { return source_.keeper / "epochs"; }
    Path journal() const { return journal_directory(source_.keeper); }

    /// Snapshot and epoch keys that belong together: a rotation may end in between.
    Status take_persons(const Path& snapshot) {
        for (int attempt = 0; attempt < kAttempts; ++attempt) {
            // Of the attempt before, or of a backup that was killed.
            CLOISON_TRY_STATUS(shred_snapshot(files_, snapshot));
            CLOISON_TRY(const auto before, files_.list(epochs()));
            CLOISON_TRY_STATUS(
                storage::snapshot_sqlite(source_.keeper / "persons.sqlite", snapshot));
            keys_.clear();
            const auto read = read_epoch_keys(before);
            CLOISON_TRY(const auto after, files_.list(epochs()));
            if (read && before == after) return describe(snapshot);
        }
        return fail(ErrorCode::kUnavailable,
                    "The epoch keys change while they are backed up: try again.");
    }

    Status read_epoch_keys(const std::vector<std::string>& names) {
        for (const auto& name : names) {
            if (name.starts_with('.')) continue;
            CLOISON_TRY(auto content, files_.read_file(epochs() / name, kMaxSmallFile));
            if (std::all_of(content.begin(), content.end(), [](auto byte) { return byte == 0; }))
                return fail(ErrorCode::kUnavailable, "An epoch key is being destroyed.");
            keys_.push_back({"keeper/epochs/" + name, Secret(std::move(content))});
        }
        return {};
    }

    Status describe(const Path& snapshot) {
        CLOISON_TRY(auto database, storage::open_sqlite(snapshot, persons_schema()));
        CLOISON_TRY_STATUS(database->read([&](storage::Transaction& transaction) -> Status {
            CLOISON_TRY(const auto row,
                        transaction.query_one("SELECT epoch, persons FROM tally WHERE id = 1", {}));
            manifest_.epoch = static_cast<std::uint32_t>(row.integer(0));
            manifest_.persons = static_cast<std::uint64_t>(row.integer(1));
            return {};
        }));
        // The copy alone is what is read: nothing of it stays in a log.
        return database->compact_log();
    }

    Status wait_for_checkpoint() {
        CLOISON_TRY(const auto durable, source_.entries());
        if (!durable) return publish();
        const auto deadline = std::chrono::steady_clock::now() + kPublishPatience;
        for (;;) {
            CLOISON_TRY(const auto note,
                        files_.read_file(journal() / "checkpoint", journal::kMaxCheckpointBytes));
            CLOISON_TRY(const auto checkpoint, journal::Checkpoint::parse(body_of(as_text(note))));
            if (checkpoint.size >= *durable) return {};
            if (std::chrono::steady_clock::now() > deadline)
                return fail(ErrorCode::kDeadline, "The keeper does not publish its journal.");
            std::this_thread::sleep_for(kPublishPoll);
        }
    }

    static std::string_view body_of(std::string_view note) {
        return note.substr(0, note.find("\n\n") + 1);
    }

    /// Nobody runs the keeper: what is in its write-ahead file is published here.
    Status publish() {
        CLOISON_TRY(auto key, journal_signing_key(files_, source_.keeper));
        journal::Journal::Options options;
        options.directory = journal();
        options.origin = source_.origin;
        CLOISON_TRY(options.entry_key, journal_entry_key(files_, source_.keeper, source_.root_key));
        CLOISON_TRY(auto opened,
                    journal::Journal::open(std::move(options), files_, clock_, std::move(key)));
        return opened->publish();
    }

    Status read_checkpoint(const crypto::SigningKey& journal_key) {
        // The cosigned one first: it never covers more than the other.
        auto cosigned = files_.read_file(journal() / kCosignedFile, journal::kMaxCheckpointBytes);
        if (cosigned)
            cosigned_ = std::move(*cosigned);
        else if (cosigned.error().code != ErrorCode::kNotFound)
            return fail(cosigned.error());
        CLOISON_TRY(checkpoint_,
                    files_.read_file(journal() / "checkpoint", journal::kMaxCheckpointBytes));
        CLOISON_TRY(const auto verifier, journal::NoteVerifier::parse(journal::note_vkey(
                                             source_.origin, journal_key.verify_key())));
        CLOISON_TRY(const auto checkpoint,
                    journal::open_checkpoint(as_text(checkpoint_), verifier));
        manifest_.entries = checkpoint.size;
        manifest_.origin = source_.origin;
        manifest_.root_key = source_.root_key;
        return {};
    }

    Result<std::uint64_t> write_archive(const Path& snapshot, const Path& archive,
                                        const crypto::SigningKey& journal_key) {
        const Path partial = to_ / ('.' + archive.filename().string() + ".partial");
        CLOISON_TRY_STATUS(remove_killed());
        RemoveUnlessKept remove_partial(partial);
        CLOISON_TRY(auto writer, ArchiveWriter::create(files_, partial, recipient_, random_));
        CLOISON_TRY_STATUS(
            writer.add(kManifestName, as_bytes(manifest_.json(ManifestKind::kKeeper))));
        progress_("persons", 0, manifest_.persons);
        CLOISON_TRY_STATUS(writer.add_file("keeper/persons.sqlite", snapshot));
        progress_("persons", manifest_.persons, manifest_.persons);
        CLOISON_TRY_STATUS(writer.add("keeper/journal/checkpoint", checkpoint_));
        if (!cosigned_.empty())
            CLOISON_TRY_STATUS(
                writer.add(std::string("keeper/journal/") + kCosignedFile, cosigned_));
        CLOISON_TRY_STATUS(add_tiles(writer));
        CLOISON_TRY(const auto trusted, files_.list(source_.trust));
        for (const auto& name : trusted)
            if (!name.starts_with('.'))
                CLOISON_TRY_STATUS(writer.add_file("trust/" + name, source_.trust / name));
        CLOISON_TRY_STATUS(writer.add_file("cloison.toml", source_.configuration));
        CLOISON_TRY_STATUS(writer.finish(journal_key));
        CLOISON_TRY_STATUS(move_file(partial, archive));
        remove_partial.keep();
        CLOISON_TRY_STATUS(files_.sync_directory(to_));
        return writer.bytes();
    }

    /// What a backup that was killed left.
    Status remove_killed() {
        CLOISON_TRY(const auto names, files_.list(to_));
        for (const auto& name : names)
            if (name.starts_with(".keeper-") && name.ends_with(".partial"))
                CLOISON_TRY_STATUS(files_.remove(to_ / name));
        return {};
    }

    Status add_tiles(ArchiveWriter& writer) {
        for (int level = journal::TileId::kEntries;; ++level) {
            journal::TileId tile{level, 0};
            std::uint64_t width = journal::tile_width(tile, manifest_.entries);
            if (width == 0) return {};
            for (; width > 0; width = journal::tile_width(tile, manifest_.entries)) {
                CLOISON_TRY_STATUS(add_tile(writer, tile, width));
                if (level == journal::TileId::kEntries)
                    progress_("journal",
                              std::min<std::uint64_t>((tile.index + 1) * 256, manifest_.entries),
                              manifest_.entries);
                ++tile.index;
            }
        }
    }

    Status add_tile(ArchiveWriter& writer, const journal::TileId& tile, std::uint64_t width) {
        // A partial tile goes when the full one is there, which then serves in its place.
        for (const std::uint64_t wide : {width, std::uint64_t{256}}) {
            const std::string name = tile.path(wide);
            auto content = files_.read_file(journal() / name, 2 * journal::kMaxBundleBytes);
            if (!content && content.error().code == ErrorCode::kNotFound) continue;
            if (!content) return fail(content.error());
            return writer.add("keeper/journal/" + name, *content);
        }
        return fail(ErrorCode::kCorrupt, (journal() / tile.path(width)).string() +
                                             " is missing: run \"cloison journal fsck\".");
    }

    Status replace_escrow(const Path& escrow, const crypto::SigningKey& journal_key) {
        const Path partial = to_ / (std::string(".") + kEscrow + ".partial");
        const Path old = to_ / (std::string(".") + kEscrow + ".old");
        std::error_code error;
        fs::remove(partial, error);
        CLOISON_TRY_STATUS(discard_old(escrow, old));
        RemoveUnlessKept remove_partial(partial);
        CLOISON_TRY(auto writer, ArchiveWriter::create(files_, partial, recipient_, random_));
        CLOISON_TRY_STATUS(
            writer.add(kManifestName, as_bytes(manifest_.json(ManifestKind::kEscrow))));
        for (const auto& key : keys_) CLOISON_TRY_STATUS(writer.add(key.name, key.content.view()));
        CLOISON_TRY_STATUS(writer.add_file("keeper/journal.key", source_.keeper / "journal.key"));
        const std::string root =
            source_.root_key.kind == RootKeySource::Kind::kFile ? "root.key" : "root.wrapped";
        CLOISON_TRY_STATUS(writer.add_file("keeper/" + root, source_.keeper / root));
        CLOISON_TRY_STATUS(writer.finish(journal_key));
        // The old one is held by a second name, replaced, and then overwritten.
        CLOISON_TRY(const bool had_one, files_.exists(escrow));
        if (had_one) {
            fs::create_hard_link(escrow, old, error);
            if (error)
                return fail(ErrorCode::kIo,
                            "Cannot hold " + escrow.string() + ": " + error.message());
        }
        CLOISON_TRY_STATUS(move_file(partial, escrow));
        remove_partial.keep();
        CLOISON_TRY_STATUS(files_.sync_directory(to_));
        return shred(files_, old);
    }

    /// What a backup that was killed left beside the escrow: the one that it replaced, or, if it
    /// came to no replacement, a second name of the one that still counts.
    Status discard_old(const Path& escrow, const Path& old) {
        CLOISON_TRY(const bool left, files_.exists(old));
        if (!left) return {};
        CLOISON_TRY(const bool has_escrow, files_.exists(escrow));
        std::error_code error;
        const bool same = has_escrow && fs::equivalent(escrow, old, error);
        if (error)
            return fail(ErrorCode::kIo, "Cannot inspect " + old.string() + ": " + error.message());
        if (!same) return shred(files_, old);
        CLOISON_TRY_STATUS(files_.remove(old));
        return files_.sync_directory(to_);
    }

    const BackupSource& source_;
    const Path& to_;
    const crypto::SealedBoxPublicKey& recipient_;
    FileSystem& files_;
    Clock& clock_;
    Random& random_;
    const BackupProgress& progress_;
    BackupManifest manifest_;
    std::vector<KeyFile> keys_;
    Bytes checkpoint_;
    Bytes cosigned_;
};

}  // namespace

std::string recipient_text(const crypto::SealedBoxPublicKey& key) {
    return std::string(kRecipientPrefix) + recipient_id(key) + '+' + base64_encode(key.bytes);
}

Result<crypto::SealedBoxPublicKey> parse_recipient(std::string_view text) {
    const auto malformed = [] {
        return fail(ErrorCode::kInvalidArgument,
                    "The recipient is no public half of a recovery key: copy the whole line that "
                    "\"cloison backup keygen\" printed.");
    };
    if (!text.starts_with(kRecipientPrefix)) return malformed();
    text.remove_prefix(kRecipientPrefix.size());
    if (text.size() < 9 || text[8] != '+') return malformed();
    const auto bytes = base64_decode(text.substr(9));
    if (!bytes) return malformed();
    const auto key = crypto::SealedBoxPublicKey::from_bytes(*bytes);
    if (!key || recipient_id(*key) != text.substr(0, 8)) return malformed();
    return *key;
}

Result<crypto::SealedBoxPublicKey> create_recovery_key(FileSystem& files, const Path& file,
                                                       Random& random) {
    CLOISON_TRY_STATUS(crypto::create_key_file(files, file, random));
    CLOISON_TRY(const auto pair, load_recovery_key(files, file));
    return pair.public_key();
}

Result<crypto::SealedBoxKeyPair> load_recovery_key(FileSystem& files, const Path& file) {
    CLOISON_TRY(const auto seed, crypto::load_key_file(files, file));
    return crypto::SealedBoxKeyPair::from_seed(seed.view());
}

Status discard_unfinished_backup(FileSystem& files, const Path& keeper) {
    const auto lock = files.lock_file(keeper / kLock);
    if (!lock && lock.error().code == ErrorCode::kConflict) return {};
    if (!lock) return fail(lock.error());
    return shred_snapshot(files, keeper / kSnapshot);
}

Result<Backup> create_backup(const BackupSource& source, const Path& to,
                             const crypto::SealedBoxPublicKey& recipient, FileSystem& files,
                             Clock& clock, Random& random, const BackupProgress& progress) {
    return Maker(source, to, recipient, files, clock, random, progress).make();
}

}  // namespace cloison::keeper
