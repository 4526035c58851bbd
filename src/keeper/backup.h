#pragma once

#include <functional>
#include <optional>
#include <string>

#include "base/file_system.h"
#include "base/random.h"
#include "base/time.h"
#include "crypto/box.h"
#include "keeper/root_key.h"

namespace cloison::keeper {

/// Backups of a keeper, docs/formats/backup.md: an archive of persons, journal, trust and settings,
/// and beside it the keys that it needs, both readable with the recovery key alone. A header that
/// others may include.

/// "cloison-recovery+<4 bytes of SHA-256, hexadecimal>+<base64>": a mistyped one is noticed, since
/// nobody could open what is encrypted to it.
std::string recipient_text(const crypto::SealedBoxPublicKey& key);
Result<crypto::SealedBoxPublicKey> parse_recipient(std::string_view text);
/// Makes a recovery key in a new key file and returns its public half.
Result<crypto::SealedBoxPublicKey> create_recovery_key(FileSystem& files, const Path& file,
                                                       Random& random);
Result<crypto::SealedBoxKeyPair> load_recovery_key(FileSystem& files, const Path& file);

using BackupProgress = std::function<void(const std::string& what, std::uint64_t, std::uint64_t)>;

/// What is backed up: the parts of a directory that `cloison init` made.
struct BackupSource {
    Path keeper;         ///< The keeper's directory; a keeper may run in it.
    Path trust;          ///< All files in it.
    Path configuration;  ///< One file.
    std::string origin;  ///< Of the journal.
    RootKeySource root_key;
    /// How many entries the running keeper has made durable; nothing if none runs.
    std::function<Result<std::optional<std::uint64_t>>()> entries;
};

struct Backup {
    Path archive;
    Path escrow;
    std::uint64_t bytes = 0;
    std::uint64_t persons = 0;
    std::uint64_t entries = 0;
    std::uint32_t epoch = 0;
};
/// Writes `keeper-<time>-<entries>.backup` into the directory `to`, which is made if missing, and
/// replaces `keys.escrow` there: keys that were destroyed since are in neither. Nothing is left of
/// one that fails, and the earlier ones stay.
Result<Backup> create_backup(const BackupSource& source, const Path& to,
                             const crypto::SealedBoxPublicKey& recipient, FileSystem& files,
                             Clock& clock, Random& random, const BackupProgress& progress);

/// At the start of a keeper: overwrites and removes what a backup that was killed left behind.
Status discard_unfinished_backup(FileSystem& files, const Path& keeper);

struct RestoreOptions {
    Path archive;
    Path escrow;
    /// A newer copy of the journal's directory, whose erasures are applied; empty: the archive's.
    Path journal;
    /// The vkey line of the journal that it must be of; empty: any. An archive vouches for its own
    /// key only: whoever can put another backup in its place brings a key of theirs.
    std::string verify_key{};
    /// Persons under a destroyed epoch key are erased for good instead of refusing all.
    bool accept_lost = false;
};
struct Restored {
    Time backup_time;           ///< When the backup was made.
    std::uint64_t persons = 0;  ///< Whose keys were all opened.
    std::uint64_t lost = 0;     ///< Under a destroyed epoch key; erased.
    std::uint64_t erased_again = 0;
    std::uint64_t entries = 0;
    std::string verify_key;  ///< Of its journal, a vkey line.
};
/// Makes `var` (which must be empty or missing) what was backed up: keeper, trust and settings.
/// Checks everything: signatures, every entry and tile of the journal, every person's key. Nothing
/// is left of one that fails. kCorrupt if persons are under an epoch key that was destroyed, unless
/// accept_lost: nobody can open these. kInvalidArgument if it is not of the journal that was named.
Result<Restored> restore_backup(const RestoreOptions& options, const Path& var,
                                const crypto::SealedBoxKeyPair& recovery, FileSystem& files,
                                Clock& clock, Random& random, const BackupProgress& progress);

}  // namespace cloison::keeper
