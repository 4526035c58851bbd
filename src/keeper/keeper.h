#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/file_system.h"
#include "base/random.h"
#include "base/time.h"
#include "crypto/box.h"
#include "crypto/sign.h"
#include "journal/witness_client.h"
#include "keeper/root_key.h"
#include "net/rpc.h"
#include "registry/registry.h"

namespace cloison::keeper {

/// Makes the files that a keeper starts from: the root key where `root_key` says, and journal.key,
/// mode 0600, in a directory of mode 0700. kConflict if either exists: a key is never overwritten.
Status create_keeper_directory(FileSystem& files, const Path& directory, Random& random,
                               const RootKeySource& root_key = {});

/// The verify key of the journal of a keeper directory as a vkey line, for fsck and for verifiers.
Result<std::string> journal_verify_key(FileSystem& files, const Path& directory,
                                       const std::string& origin);
/// What the entries of that journal are encrypted with, for whoever reads its files.
Result<std::shared_ptr<const crypto::BoxKey>> journal_entry_key(FileSystem& files,
                                                                const Path& directory,
                                                                const RootKeySource& root_key = {});
/// What signs its checkpoints, for checkpoints of earlier sizes.
Result<crypto::SigningKey> journal_signing_key(FileSystem& files, const Path& directory);
/// Where the journal of a keeper directory is, for fsck.
Path journal_directory(const Path& directory);

/// Where a disclosure stands, in this order. Tests stop the process at each.
enum class DisclosureStep {
    kVerified,  ///< The grant is good and permits the fields.
    kUnsealed,  ///< The values open, in memory only.
    kCharged,   ///< The budget has room and is charged.
    kQueued,    ///< The line is handed to the journal.
    kDurable,   ///< The line is on stable storage.
    kReleased,  ///< The values are in the answer.
};

/// The keeper: keys, links between compartments, grants, budgets, disclosure and the journal.
///
/// It promises that no plaintext leaves before the line that says so is durable in the journal, and
/// that a grant, the register and the budgets allow it (docs/formats/keeper-store.md has what lies
/// in the directory). One process per directory; all of it is safe to call from any thread.
class Keeper {
  public:
    /// Who cosigns the journal's checkpoints (keeper/cosigner.h): none, or at most 16.
    struct Witnesses {
        std::vector<journal::WitnessAddress> addresses;
        std::size_t quorum = 0;  ///< So many must cosign.
        Duration interval{10'000};
        Duration warn_after{300'000};
        std::string ca_file{};  ///< PEM: who vouches for those behind https; empty: the system's.
    };

    struct Options {
        Path directory;                           ///< As create_keeper_directory made it.
        RootKeySource root_key;                   ///< Read once, at start.
        std::string origin = "localhost/keeper";  ///< The journal's name in checkpoints.
        Witnesses witnesses;
        /// Called in the middle of each disclosure; for tests.
        std::function<void(DisclosureStep)> on_step;
        /// Called once when the journal refuses to be written: nothing is disclosed from then on,
        /// and the process should end so that the next one reads back what reached the disk.
        std::function<void(const Error&)> on_journal_failure;
    };

    /// Opens stores and journal, makes the first epoch key, rebuilds the budgets from the last day
    /// of the journal and catches up the history. `identity` signs grants. `files`, `clock` and
    /// `random` must outlive the keeper. kConflict if another process has the directory open,
    /// kCorrupt if witnesses have cosigned lines that the journal does not have.
    static Result<std::unique_ptr<Keeper>> open(Options options, registry::Registry registry,
                                                crypto::VerifyKey identity, FileSystem& files,
                                                Clock& clock, Random& random);
    ~Keeper();
    Keeper(const Keeper&) = delete;
    Keeper& operator=(const Keeper&) = delete;

    /// The methods of proto/cloison/keeper/v1. The keeper must outlive every call.
    std::shared_ptr<net::RpcService> service() const;

    /// For making handles (keeper/client/grant.h); also in Describe.
    const crypto::SealedBoxPublicKey& handle_key() const;
    /// The journal's verify key as a vkey line.
    std::string verify_key() const;
    /// Publishes tiles and checkpoint for all lines so far.
    Status publish();

  private:
    struct Parts;
    explicit Keeper(std::unique_ptr<Parts> parts);
    std::unique_ptr<Parts> parts_;
    std::shared_ptr<net::RpcService> service_;
};

}  // namespace cloison::keeper
