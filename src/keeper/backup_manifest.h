#pragma once

#include <string>

#include "base/time.h"
#include "keeper/root_key.h"

namespace cloison::keeper {

enum class ManifestKind { kKeeper, kEscrow };
inline constexpr const char* kManifestName = "manifest.json";

/// What a backup says of itself; docs/formats/backup.md.
struct BackupManifest {
    Time time;
    std::string origin;  ///< Of the journal.
    std::uint64_t entries = 0;
    std::uint64_t persons = 0;
    std::uint32_t epoch = 0;
    RootKeySource root_key;

    std::string json(ManifestKind kind) const;
    /// kCorrupt for anything but what json() writes for that kind.
    static Result<BackupManifest> parse(std::string_view json, ManifestKind kind);
};

}  // namespace cloison::keeper
