#pragma once

#include <functional>
#include <memory>
#include <string>

#include "base/file_system.h"
#include "base/result.h"
#include "crypto/keys.h"

namespace cloison::journal {

struct FsckReport {
    std::uint64_t entries = 0;  ///< Read, decoded and hashed, every one.
    std::uint64_t tiles = 0;    ///< Compared with what the entries give.
    std::uint64_t checkpoint_size = 0;
    std::uint64_t unpublished_entries = 0;  ///< Durable in the write-ahead file, not in tiles yet.
    bool torn_tail = false;                 ///< An unacknowledged write was cut short; harmless.
};

struct FsckOptions {
    std::string verify_key;                                     ///< A vkey line.
    std::shared_ptr<const crypto::BoxKey> entry_key = nullptr;  ///< As in Journal::Options.
    /// What is remembered elsewhere, so that an older copy of a whole journal, in itself sound, is
    /// found out: that many entries were durable once;
    std::uint64_t at_least = 0;
    /// and a checkpoint of it (a signed note) that was kept. Empty for none.
    std::string against = {};
    /// Told entries done and in all.
    std::function<void(std::uint64_t, std::uint64_t)> progress = nullptr;
};

/// Re-reads every entry and every tile of a journal, without trusting any of them, and holds them
/// against the signed checkpoint. kCorrupt names the first thing wrong (file, index, what was
/// expected); kInvalidArgument for a verify key that is none or a kept checkpoint not signed by it.
/// May run while the journal is written to.
Result<FsckReport> fsck(FileSystem& files, const Path& directory, const FsckOptions& options);
inline Result<FsckReport> fsck(FileSystem& files, const Path& directory,
                               const std::string& verify_key,
                               std::function<void(std::uint64_t, std::uint64_t)> progress) {
    return fsck(files, directory,
                FsckOptions{.verify_key = verify_key, .progress = std::move(progress)});
}

}  // namespace cloison::journal
