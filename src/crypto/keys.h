#pragma once

#include <cstddef>
#include <string_view>
#include <utility>

#include "base/bytes.h"
#include "base/file_system.h"
#include "base/random.h"
#include "base/secret.h"

namespace cloison::crypto {

/// Prepares libsodium. Call it once at start; what needs it calls it again, at no cost. Aborts if
/// libsodium cannot start.
void initialize();

inline constexpr std::size_t kKeySize = 32;

/// A 256-bit symmetric key. `Purpose` makes keys for different uses different types.
template <class Purpose>
class Key {
  public:
    static Key random(cloison::Random& random) {
        Bytes bytes(kKeySize);
        random.fill(bytes);
        return Key(Secret(std::move(bytes)));
    }
    static Result<Key> from_bytes(ByteView bytes) {
        if (bytes.size() != kKeySize)
            return fail(ErrorCode::kInvalidArgument, "A key has 32 bytes.");
        return Key(Secret(bytes));
    }
    Key clone() const { return Key(secret_.clone()); }
    ByteView view() const { return secret_.view(); }

  private:
    explicit Key(Secret secret) : secret_(std::move(secret)) {}
    Secret secret_;
};

using RootKey = Key<struct RootKeyPurpose>;            ///< The keeper's; derives all below.
using EpochKey = Key<struct EpochKeyPurpose>;          ///< Wraps person keys.
using PersonKey = Key<struct PersonKeyPurpose>;        ///< Seals one person's fields.
using PseudonymKey = Key<struct PseudonymKeyPurpose>;  ///< One compartment's permutation.
using HashKey = Key<struct HashKeyPurpose>;            ///< Keyed hashes and blind indexes.
using BoxKey = Key<struct BoxKeyPurpose>;              ///< Authenticated encryption at rest.
using FileKey = Key<struct FileKeyPurpose>;            ///< Encrypts one uploaded file.

/// BLAKE2b-256 over `context`, keyed by `root`: independent keys for different contexts.
Bytes derive_bytes(ByteView root, std::string_view context);

template <class Derived, class Purpose>
Derived derive_key(const Key<Purpose>& root, std::string_view context) {
    const Secret derived(derive_bytes(root.view(), context));
    return std::move(*Derived::from_bytes(derived.view()));
}

/// Reads a 32-byte key file (64 hexadecimal digits and a newline), docs/formats/key-file.md.
/// Refuses a file that group or others may read, kPermissionDenied, naming the file and the mode.
Result<Secret> load_key_file(FileSystem& files, const Path& path);
/// Creates it with mode 0600; kConflict if it exists. Two processes must not create the
/// same file at once.
Status create_key_file(FileSystem& files, const Path& path, cloison::Random& random);

}  // namespace cloison::crypto
