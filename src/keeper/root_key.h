#pragma once

#include <string>

#include "base/file_system.h"
#include "base/random.h"
#include "crypto/keys.h"

namespace cloison::keeper {

/// Where a keeper's root key is: in the file root.key, or wrapped (root.wrapped) by a key that
/// never leaves a PKCS#11 token. docs/formats/key-file.md. A header that others may include.
struct RootKeySource {
    enum class Kind { kFile, kPkcs11 };
    Kind kind = Kind::kFile;
    Path module;        ///< The token's PKCS#11 library.
    std::string token;  ///< Label of the token.
    std::string key;    ///< Label of the key in it.
    Path pin_file;      ///< Holds the PIN; mode 0600.
};

/// A root key in memory that is not swapped out (as far as the system's limit on locked memory
/// allows) nor written to a core file, for as long as the object lives.
class LockedRootKey {
  public:
    explicit LockedRootKey(crypto::RootKey key);
    ~LockedRootKey();
    LockedRootKey(LockedRootKey&& other) noexcept = default;
    LockedRootKey& operator=(LockedRootKey&&) = delete;
    const crypto::RootKey& key() const { return key_; }

  private:
    crypto::RootKey key_;
};

/// Draws a root key and puts it where `source` says; with PKCS#11, the token's key is made if it is
/// not there. kConflict if the directory has a root key already.
Status create_root_key(FileSystem& files, const Path& directory, const RootKeySource& source,
                       Random& random);

/// Takes the root key once, at start. Without the file or the token there is none, and the error
/// says what to do.
Result<LockedRootKey> load_root_key(FileSystem& files, const Path& directory,
                                    const RootKeySource& source);

/// Writes the root key of `from` where `to` says and checks that it can be read from there. The old
/// one stays: forget_root_key takes it away once the settings name the new one. For a keeper that
/// does not run. Goes on where a crash cut it short; kConflict if another key is there.
Status copy_root_key(FileSystem& files, const Path& directory, const RootKeySource& from,
                     const RootKeySource& to, Random& random);
/// Ends a move that a crash cut short once the settings named `to`: takes the old form away as soon
/// as the new one opens with the same key. An old form that was overwritten already and not yet
/// removed holds no key to compare: then it is enough that the new one opens.
Status end_root_key_move(FileSystem& files, const Path& directory, const RootKeySource& from,
                         const RootKeySource& to, Random& random);
/// Overwrites and removes what `kind` keeps in the directory; the token's own key stays.
Status forget_root_key(FileSystem& files, const Path& directory, RootKeySource::Kind kind);

}  // namespace cloison::keeper
