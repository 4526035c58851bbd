#include <algorithm>
#include <map>

#include "journal/entry_cipher.h"
#include "journal/fsck.h"
#include "journal/journal.h"
#include "journal/note.h"
#include "journal/wal.h"
#include "keeper/backup.h"
#include "keeper/backup_archive.h"
#include "keeper/backup_manifest.h"
#include "keeper/journal_mark.h"
#include "keeper/keeper.h"
#include "keeper/persons_schema.h"

namespace cloison::keeper {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t kMaxManifest = 64 * 1024;

/// Writes the files of an archive below a directory; keeps the manifest for itself.
class DirectorySink : public ArchiveSink {
  public:
    DirectorySink(FileSystem& files, Path root) : files_(files), root_(std::move(root)) {}

    Status begin(const std::string& name, std::uint64_t size) override {
        in_manifest_ = name == kManifestName;
        if (in_manifest_) {
            if (size > kMaxManifest) return fail(ErrorCode::kCorrupt, "A manifest is too long.");
            return {};
        }
        const Path path = root_ / name;
        if (path.parent_path() != parent_) {
            parent_ = path.parent_path();
            CLOISON_TRY_STATUS(files_.create_directories(parent_));
        }
        CLOISON_TRY(const bool exists, files_.exists(path));
        if (exists) return fail(ErrorCode::kCorrupt, "A backup holds " + name + " twice.");
        CLOISON_TRY(file_, files_.open(path, true));
        at_ = 0;
        return {};
    }
    Status take(ByteView piece) override {
        if (in_manifest_) {
            manifest_.append(as_text(piece));
            return {};
        }
        CLOISON_TRY_STATUS(file_->write_at(at_, piece));
        at_ += piece.size();
        return {};
    }
    Status end() override {
        file_.reset();
        return {};
    }
    const std::string& manifest() const { return manifest_; }

  private:
    FileSystem& files_;
    const Path root_;
    Path parent_;
    bool in_manifest_ = false;
    std::string manifest_;
    std::unique_ptr<File> file_;
    std::uint64_t at_ = 0;
};

/// A directory that goes unless everything went well.
class Staging {
  public:
    explicit Staging(Path path) : path_(std::move(path)) { clear(); }
    ~Staging() { clear(); }
    Staging(const Staging&) = delete;
    Staging& operator=(const Staging&) = delete;
    const Path& path() const { return path_; }

  private:
    void clear() {
        std::error_code ignored;
        fs::remove_all(path_, ignored);
    }
    const Path path_;
};

Status require_empty(const Path& var) {
    std::error_code error;
    if (!fs::exists(var, error)) return {};
    if (fs::is_directory(var, error) && fs::is_empty(var, error)) return {};
    return fail(ErrorCode::kConflict,
                var.string() + " is not empty: a backup is restored into a new directory.");
}

Status copy_journal(FileSystem& files, const Path& from, const Path& to) {
    CLOISON_TRY(const bool exists, files.exists(from / "checkpoint"));
    if (!exists)
        return fail(ErrorCode::kNotFound,
                    from.string() + " holds no journal: name the directory with its checkpoint.");
    std::error_code error;
    fs::remove_all(to, error);
    if (!error) fs::copy(from, to, fs::copy_options::recursive, error);
    if (!error) fs::remove(to / "lock", error);
    if (error)
        return fail(ErrorCode::kIo,
                    "The journal " + from.string() + " cannot be copied: " + error.message() + ".");
    return {};
}

/// One restoration on its way, in a staging directory that is there.
class Restorer {
  public:
    Restorer(const RestoreOptions& options, const Path& staging, FileSystem& files, Clock& clock,
             Random& random, const BackupProgress& progress)
        : options_(options),
          staging_(staging),
          keeper_(staging / "keeper"),
          files_(files),
          clock_(clock),
          random_(random),
          progress_(progress) {}

    Result<Restored> run(const crypto::SealedBoxKeyPair& recovery) {
        CLOISON_TRY_STATUS(unpack(recovery));
        if (options_.journal.empty()) {
            CLOISON_TRY_STATUS(begin_segment());
        } else {
            CLOISON_TRY_STATUS(copy_journal(files_, options_.journal, journal_directory(keeper_)));
        }
        CLOISON_TRY_STATUS(check_journal());
        CLOISON_TRY_STATUS(settle_lost());
        CLOISON_TRY_STATUS(check_persons());
        CLOISON_TRY_STATUS(files_.create_directories(staging_ / "run"));
        return restored_;
    }

  private:
    Status unpack(const crypto::SealedBoxKeyPair& recovery) {
        const auto shows = [this](const char* what) {
            return
                [this, what](std::uint64_t done, std::uint64_t all) { progress_(what, done, all); };
        };
        DirectorySink archive(files_, staging_);
        CLOISON_TRY(const auto archive_signature,
                    read_archive(files_, options_.archive, recovery, archive, shows("bytes")));
        CLOISON_TRY(manifest_, BackupManifest::parse(archive.manifest(), ManifestKind::kKeeper));
        DirectorySink escrow(files_, staging_);
        CLOISON_TRY(const auto escrow_signature,
                    read_archive(files_, options_.escrow, recovery, escrow));
        CLOISON_TRY(const auto escrowed,
                    BackupManifest::parse(escrow.manifest(), ManifestKind::kEscrow));
        restored_.backup_time = manifest_.time;
        // The keys may have moved since the archive was made.
        manifest_.root_key = escrowed.root_key;
        CLOISON_TRY(const auto key, journal_signing_key(files_, keeper_));
        CLOISON_TRY_STATUS(archive_signature.check(key.verify_key()));
        CLOISON_TRY_STATUS(escrow_signature.check(key.verify_key()));
        CLOISON_TRY(restored_.verify_key, journal_verify_key(files_, keeper_, manifest_.origin));
        if (options_.verify_key.empty() || options_.verify_key == restored_.verify_key) return {};
        return fail(ErrorCode::kInvalidArgument,
                    "This is a backup of another keeper: its journal's verify key is " +
                        restored_.verify_key + ", not " + options_.verify_key + '.');
    }

    /// An archive holds what is published; what is to come goes into a segment behind it.
    Status begin_segment() {
        const Path journal = journal_directory(keeper_);
        CLOISON_TRY_STATUS(files_.create_directories(journal::segments_directory(journal)));
        CLOISON_TRY(const auto vkey, journal_verify_key(files_, keeper_, manifest_.origin));
        CLOISON_TRY(const auto verifier, journal::NoteVerifier::parse(vkey));
        CLOISON_TRY(const auto note,
                    files_.read_file(journal / "checkpoint", journal::kMaxCheckpointBytes));
        CLOISON_TRY(const auto checkpoint, journal::open_checkpoint(as_text(note), verifier));
        CLOISON_TRY(const auto entry_key, journal_entry_key(files_, keeper_, manifest_.root_key));
        CLOISON_TRY_STATUS(journal::WalSegment::create(
            files_, journal, checkpoint.size, checkpoint.root,
            journal::EntryCipher(entry_key, manifest_.origin, random_)));
        return {};
    }

    Status check_journal() {
        journal::FsckOptions options;
        CLOISON_TRY(options.verify_key, journal_verify_key(files_, keeper_, manifest_.origin));
        CLOISON_TRY(options.entry_key, journal_entry_key(files_, keeper_, manifest_.root_key));
        options.progress = [this](std::uint64_t done, std::uint64_t all) {
            progress_("journal", done, all);
        };
        CLOISON_TRY(const auto report, journal::fsck(files_, journal_directory(keeper_), options));
        restored_.entries = report.entries;
        if (report.entries >= manifest_.entries) return {};
        return fail(ErrorCode::kCorrupt,
                    "The journal has " + std::to_string(report.entries) + " entries, the backup " +
                        std::to_string(manifest_.entries) + ": it is older than the backup.");
    }

    /// Persons whose epoch key is not there any more.
    Status settle_lost() {
        CLOISON_TRY(auto database,
                    storage::open_sqlite(keeper_ / "persons.sqlite", persons_schema()));
        CLOISON_TRY(const auto root, load_root_key(files_, keeper_, manifest_.root_key));
        const KeyRing keys(root.key());
        CLOISON_TRY(const auto epochs,
                    Epochs::open(files_, keeper_ / "epochs", keys.epoch_wrap(), random_));
        const auto living = epochs->living();
        std::string condition = "wrapped IS NOT NULL AND substr(wrapped, 1, 4) <> $1";
        std::vector<storage::Value> parameters{Bytes(4)};
        for (const std::uint32_t number : living) {
            Bytes bytes;
            put_u32(bytes, number);
            parameters.emplace_back(std::move(bytes));
            condition += " AND substr(wrapped, 1, 4) <> $" + std::to_string(parameters.size());
        }
        const auto lost = database->read_result<std::uint64_t>(
            [&](storage::Transaction& transaction) -> Result<std::uint64_t> {
                CLOISON_TRY(const auto row,
                            transaction.query_one("SELECT count(*) FROM person WHERE " + condition,
                                                  parameters));
                return static_cast<std::uint64_t>(row.integer(0));
            });
        if (!lost) return fail(lost.error());
        restored_.lost = *lost;
        if (*lost == 0) return {};
        if (!options_.accept_lost)
            return fail(ErrorCode::kCorrupt,
                        std::to_string(*lost) + " of " + std::to_string(manifest_.persons) +
                            " persons in this backup are under an epoch key that a rotation "
                            "destroyed since: they open for nobody. Restore a backup that was made "
                            "after the rotation, or give these persons up with --accept-lost.");
        return give_up(*database, condition, parameters, living.empty() ? 0 : living.back());
    }

    Status give_up(storage::Database& database, const std::string& condition,
                   const std::vector<storage::Value>& parameters, std::uint32_t newest) {
        Bytes label;
        put_u32(label, newest);
        CLOISON_TRY_STATUS(database.write([&](storage::Transaction& transaction) -> Status {
            CLOISON_TRY_STATUS(transaction.execute(
                "UPDATE person SET wrapped = NULL WHERE " + condition, parameters));
            CLOISON_TRY_STATUS(transaction.execute(
                "UPDATE tally SET epoch = $1, passed = 0, "
                "persons = (SELECT count(*) FROM person WHERE wrapped IS NOT NULL "
                "AND substr(wrapped, 1, 4) <> $2), "
                "renewed = (SELECT count(*) FROM person WHERE substr(wrapped, 1, 4) = $3) "
                "WHERE id = 1",
                {std::int64_t{newest}, Bytes(4), label}));
            return {};
        }));
        return database.compact_log();
    }

    /// Opens every person's key, then applies what the journal says of erasures.
    Status check_persons() {
        CLOISON_TRY(const auto root, load_root_key(files_, keeper_, manifest_.root_key));
        const KeyRing keys(root.key());
        CLOISON_TRY(const auto epochs,
                    Epochs::open(files_, keeper_ / "epochs", keys.epoch_wrap(), random_));
        CLOISON_TRY(auto database,
                    storage::open_sqlite(keeper_ / "persons.sqlite", persons_schema()));
        CLOISON_TRY(const auto persons,
                    PersonStore::open(std::move(database), *epochs, keys, random_));
        CLOISON_TRY(restored_.persons,
                    persons->check_all([this](std::uint64_t done, std::uint64_t all) {
                        progress_("persons", done, all);
                    }));
        if (restored_.persons + restored_.lost != manifest_.persons ||
            restored_.persons != persons->count())
            return fail(ErrorCode::kCorrupt,
                        "The backup says " + std::to_string(manifest_.persons) +
                            " persons and holds " +
                            std::to_string(restored_.persons + restored_.lost) + '.');
        journal::Journal::Options options;
        options.directory = journal_directory(keeper_);
        options.origin = manifest_.origin;
        CLOISON_TRY(options.entry_key, journal_entry_key(files_, keeper_, manifest_.root_key));
        CLOISON_TRY(auto key, journal_signing_key(files_, keeper_));
        CLOISON_TRY(const auto journal,
                    journal::Journal::open(std::move(options), files_, clock_, std::move(key)));
        // Whether the store is older than the journal, the keeper finds and reports when it starts.
        JournalMark mark(*persons, *journal, keys.journal_mark(), random_);
        if (const auto replayed = mark.replay(); !replayed) return fail(replayed.error());
        restored_.erased_again = restored_.persons - persons->count();
        restored_.persons = persons->count();
        return persons->compact();
    }

    const RestoreOptions& options_;
    const Path& staging_;
    const Path keeper_;
    FileSystem& files_;
    Clock& clock_;
    Random& random_;
    const BackupProgress& progress_;
    BackupManifest manifest_;
    Restored restored_;
};

}  // namespace

Result<Restored> restore_backup(const RestoreOptions& options, const Path& var,
                                const crypto::SealedBoxKeyPair& recovery, FileSystem& files,
                                Clock& clock, Random& random, const BackupProgress& progress) {
    CLOISON_TRY_STATUS(require_empty(var));
    CLOISON_TRY_STATUS(files.create_directories(var.parent_path()));
    const Staging staging(var.parent_path() / ('.' + var.filename().string() + ".restoring"));
    CLOISON_TRY_STATUS(files.create_directories(staging.path()));
    CLOISON_TRY(const auto all_of_it, files.begin_sync(staging.path()));
    Restorer restorer(options, staging.path(), files, clock, random, progress);
    CLOISON_TRY(const auto restored, restorer.run(recovery));
    CLOISON_TRY_STATUS(all_of_it->sync());
    std::error_code error;
    fs::remove(var, error);
    if (!error) fs::rename(staging.path(), var, error);
    if (error)
        return fail(ErrorCode::kIo, var.string() + " cannot be made: " + error.message() + ".");
    CLOISON_TRY_STATUS(files.sync_directory(var.parent_path()));
    return restored;
}

}  // namespace cloison::keeper
