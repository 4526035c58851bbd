#pragma once

#include <memory>
#include <string>
#include <vector>

#include "base/bytes.h"
#include "base/file_system.h"
#include "base/random.h"
#include "base/time.h"
#include "crypto/hash.h"
#include "crypto/keys.h"
#include "crypto/sign.h"

namespace cloison::journal {

/// An append-only log in C2SP tlog-tiles form (docs/formats/journal.md) with a signed checkpoint.
///
/// Durability: `append` returns after its entries are on stable storage. They go to one write-ahead
/// file first (one write and one fdatasync for all callers that wait together: group commit), then
/// in the background into entry bundles and tiles, then the checkpoint. After a crash, `open`
/// completes from the write-ahead file what was acknowledged and cuts a torn tail that was not.
///
/// Only one process may have a journal open for writing (a lock file says who). All functions are
/// safe to call from any thread.
class Journal {
  public:
    struct Options {
        Path directory;
        std::string origin;  ///< The log's name in checkpoints: "example.org/keeper".
        std::size_t max_batch_entries = 4096;     ///< Entries in one group commit.
        std::size_t max_waiting_entries = 65536;  ///< Beyond, append is kUnavailable at once.
        /// Entries lie on the disk encrypted with it; as they are, if there is none. It stays what
        /// it was when the journal was made.
        std::shared_ptr<const crypto::BoxKey> entry_key = nullptr;
        Random* random = &system_random();  ///< For the nonces of that.
    };

    /// kCorrupt naming the first thing wrong; kConflict if another process has it open.
    static Result<std::unique_ptr<Journal>> open(Options options, FileSystem& files, Clock& clock,
                                                 crypto::SigningKey key);
    virtual ~Journal() = default;

    /// Appends entries one after another and returns the index of the first. All or none. An entry
    /// has 1 to 65,535 bytes. After an I/O failure the journal refuses every further append (kIo)
    /// until it is opened anew: what reached the disk is then read back, not guessed.
    virtual Result<std::uint64_t> append(const std::vector<Bytes>& entries) = 0;

    /// Entries that are durable.
    virtual std::uint64_t size() const = 0;
    /// `count` entries from `first`, fewer at the end; at most kMaxRead.
    virtual Result<std::vector<Bytes>> read(std::uint64_t first, std::size_t count) const = 0;
    static constexpr std::size_t kMaxRead = 10'000;

    /// A signed note over the current durable size and root.
    virtual Result<std::string> checkpoint() const = 0;
    /// A tlog-proof of one entry against checkpoint(), with the entry itself as its extra data, so
    /// that whoever holds the file and the verify key needs nothing else.
    virtual Result<std::string> prove(std::uint64_t index) const = 0;
    /// The same against an older checkpoint of this journal: a signed note, which the proof carries
    /// as it is, with the cosignatures that it may have. kNotFound where it does not cover the
    /// entry, kCorrupt where it does not fit the journal.
    virtual Result<std::string> prove(std::uint64_t index, const std::string& note) const = 0;
    /// What consistency_path (merkle.h) gives for two sizes up to size(); kInvalidArgument for
    /// sizes out of order or beyond.
    virtual Result<std::vector<crypto::Hash>> prove_consistency(std::uint64_t old_size,
                                                                std::uint64_t new_size) const = 0;
    /// Leaf hash of an entry: SHA-256(00 ‖ entry).
    static crypto::Hash leaf_hash(ByteView entry);

    /// Publishes tiles and checkpoint for all that is durable and returns when that is done.
    virtual Status publish() = 0;
    /// The verify key as a vkey line (C2SP signed-note).
    virtual std::string verify_key() const = 0;
};

}  // namespace cloison::journal
