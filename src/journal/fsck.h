#pragma once

#include <functional>
#include <optional>
#include <string>

#include "base/file_system.h"
#include "base/result.h"

namespace cloison::journal {

struct FsckReport {
    std::uint64_t entries = 0;  ///< Read, decoded and hashed, every one.
    std::uint64_t tiles = 0;    ///< Compared with what the entries give.
    std::uint64_t checkpoint_size = 0;
    std::uint64_t unpublished_entries = 0;  ///< Durable in the write-ahead file, not in tiles yet.
    bool torn_tail = false;                 ///< An unacknowledged write was cut short; harmless.
};

/// Re-reads every entry and every tile of a journal, without trusting any of them, and holds them
/// against the signed checkpoint. `verify_key` is a vkey line. kCorrupt names the first thing wrong
/// (file, index, what was expected). `progress` is told entries done and in all.
Result<FsckReport> fsck(FileSystem& files, const Path& directory, const std::string& verify_key,
                        const std::function<void(std::uint64_t, std::uint64_t)>& progress);

}  // namespace cloison::journal
