#pragma once

#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

#include "base/file_system.h"
#include "base/random.h"
#include "base/time.h"
#include "crypto/sign.h"
#include "journal/cosignature.h"
#include "journal/note.h"

namespace cloison::journal {

/// A witness, C2SP tlog-witness: it cosigns a checkpoint of a log only if every checkpoint of that
/// log that it cosigned before is a prefix of it. docs/formats/witness.md has its directory.
///
/// It never gives its word for two trees that do not fit each other, also after a crash: what it
/// cosigns is on stable storage before it answers, and whatever of that cannot be read back is an
/// error, never an empty log. It knows that by its own signature, whichever keys of the log it
/// trusts at the time. One process has a directory open; any thread may call. Keys are added and
/// removed by any process: no request is judged meanwhile, and none afterwards by what was before.
class Witness {
  public:
    static constexpr std::size_t kMaxKeys = 16;   ///< Of one log.
    static constexpr std::size_t kMaxName = 128;  ///< Bytes of its own.

    enum class Made { kWithANewKey, kWithTheKeyThatWasThere };
    /// Makes the directory, its key and the vkey line, which holds the name. Where the vkey line is
    /// missing, as after a call that was cut short, the key that is there gets the name. kConflict,
    /// and nothing is changed, if both are there, or if the directory holds what was cosigned with
    /// another key or name; kInvalidArgument for a name that no key can have.
    static Result<Made> create(FileSystem& files, const Path& directory, std::string_view name,
                               Random& random);
    /// Whether add_log may give a log that has a key a second one.
    enum class Keys { kOne, kAlso };
    struct AddedLog {
        std::string origin;
        bool was_known = false;  ///< With this key: nothing was changed.
    };
    /// Trusts a log by a vkey line, whose name is the log's origin. A running witness sees it at
    /// the next request. kConflict for another key of an origin that is known, unless `keys` says
    /// kAlso: whoever holds it can then sign for that origin. The same if the origin was removed
    /// and the key did not sign the checkpoint of it that was cosigned last, which the log has to
    /// fit. kCorrupt if that cannot be read. kConflict if the lock is not free for a second.
    static Result<AddedLog> add_log(FileSystem& files, const Path& directory, std::string_view vkey,
                                    Keys keys = Keys::kOne);
    struct KnownLog {
        std::string origin;
        std::vector<std::string> vkeys;
        Result<std::uint64_t> cosigned;  ///< The size that was cosigned last; 0 if none was.
    };
    /// Sorted by origin.
    static Result<std::vector<KnownLog>> logs(FileSystem& files, const Path& directory);
    /// No longer trusts a log, named by its origin, or one key of it, named by its vkey line. What
    /// was cosigned last stays known, so that a log that is added again has to fit it. On return no
    /// request is cosigned any more for that key. kNotFound; kConflict if the lock is not free for
    /// a second. Returns the origin.
    static Result<std::string> remove_log(FileSystem& files, const Path& directory,
                                          std::string_view origin_or_vkey);
    /// The witness's own vkey line.
    static Result<std::string> vkey(FileSystem& files, const Path& directory);

    /// kConflict if another process has the directory open. `files` and `clock` must outlive it.
    static Result<std::unique_ptr<Witness>> open(FileSystem& files, const Path& directory,
                                                 const Clock& clock);

    /// An HTTP answer.
    struct Answer {
        int status = 200;
        std::string content_type = "text/plain; charset=utf-8";
        std::string body;
    };
    /// POST add-checkpoint: 200 with a cosignature line; 400 malformed, or the old size is beyond
    /// the checkpoint's; 403 not signed by a key of the log, or a signature by the name and id of
    /// one does not fit; 404 unknown origin; 409 with the size that was cosigned last, if `old` is
    /// another one, or if the checkpoint has that size and another root; 413 too large; 422 the
    /// proof does not fit; 503 what was seen cannot be read or stored, or the lock was not free.
    Answer add_checkpoint(std::string_view body);

    const std::string& name() const { return own_.name; }

  private:
    Witness(FileSystem& files, Path directory, const Clock& clock, WitnessVerifier own,
            crypto::SigningKey key, std::unique_ptr<FileLock> file_lock);

    struct Submitted;
    /// Compares with what was cosigned last and takes its place. Requires mutex_ and the lock of
    /// the keys.
    Answer take(const Submitted& submitted);

    FileSystem& files_;
    const Path directory_;
    const Clock& clock_;
    const WitnessVerifier own_;
    const crypto::SigningKey key_;
    const std::unique_ptr<FileLock> file_lock_;
    std::mutex mutex_;  ///< Comparing and storing are one step.
};

}  // namespace cloison::journal
