#pragma once

#include <map>
#include <memory>
#include <shared_mutex>
#include <vector>

#include "base/file_system.h"
#include "base/random.h"
#include "crypto/box.h"

namespace cloison::keeper {

/// The epoch keys, each in a file of its own (docs/formats/keeper-store.md), so that destroying the
/// file destroys the key and no copy of the person store holds one. Any thread may call.
class Epochs {
  public:
    /// Reads all keys of the directory, which is made if missing, and ends a destruction that a
    /// crash cut short. kCorrupt naming a file that does not open under `wrap`; kPermissionDenied
    /// for one that others may read. `files`, `wrap` and `random` must outlive it.
    static Result<std::unique_ptr<Epochs>> open(FileSystem& files, Path directory,
                                                const crypto::BoxKey& wrap, Random& random);

    /// What wraps person keys in this epoch; nothing if there is no such key.
    std::shared_ptr<const crypto::BoxKey> wrapping(std::uint32_t number) const;
    std::vector<std::uint32_t> living() const;  ///< Ascending.
    std::uint32_t newest() const;               ///< 0 if there is none.

    /// Makes a key that is on stable storage on return. kConflict unless it is newer than all.
    Status create(std::uint32_t number);
    /// Writes the key's file anew, with the same key, and overwrites the old copy. For a key that
    /// was read back before anything was wrapped under it: whether whoever made it brought it to
    /// stable storage is not known, and a failed sync is not made good by another.
    Status write_again(std::uint32_t number);
    /// Overwrites the key's file, syncs, removes it and syncs the directory; then forgets the key.
    /// kNotFound if there is none.
    Status destroy(std::uint32_t number);

    /// "7.key".
    static std::string file_name(std::uint32_t number);

  private:
    Epochs(FileSystem& files, Path directory, const crypto::BoxKey& wrap, Random& random);
    Status load();
    Status load_file(const std::string& name);
    Status shred(const Path& path);
    static Status overwrite(File& file);

    FileSystem& files_;
    const Path directory_;
    const crypto::BoxKey& wrap_;
    Random& random_;
    mutable std::shared_mutex mutex_;
    std::map<std::uint32_t, std::shared_ptr<const crypto::BoxKey>> keys_;
};

}  // namespace cloison::keeper
