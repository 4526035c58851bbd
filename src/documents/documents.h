#pragma once

#include <memory>
#include <optional>

#include "base/file_system.h"
#include "base/random.h"
#include "base/time.h"
#include "crypto/sign.h"
#include "keeper/client/keeper_client.h"
#include "net/rpc.h"

namespace cloison::documents {

/// Makes the file that documents starts from, mode 0600, in a directory of mode 0700: service.key,
/// which signs caller tokens. kConflict if it exists: a key is never overwritten.
Status create_documents_directory(FileSystem& files, const Path& directory, Random& random);
/// service.key, for net::CallerIdentity("documents", …) and, its public half, for the trust
/// directory as "documents".
Result<crypto::SigningKey> documents_service_key(FileSystem& files, const Path& directory);

/// Bounds; at each, the call is refused and nothing changes.
inline constexpr std::int64_t kMaxDocumentsPerCase = 20;
inline constexpr std::size_t kMaxUploads = 256;        ///< Under way at once; kUnavailable beyond.
inline constexpr Duration kUploadLifetime{3'600'000};  ///< From Begin to Finish.

/// Supporting documents: metadata in an SQLite database, ciphertext in one file a document.
///
/// It promises that a document is looked up with the pseudonym, and for staff the case, that the
/// keeper resolves from the caller's grant; that nobody can read it before Finish has made it
/// durable; and that an upload that fails, stalls or is interrupted leaves nothing behind
/// (docs/formats/documents-store.md). One process per directory; safe to call from any thread.
class Documents {
  public:
    struct Options {
        Path directory;  ///< As create_documents_directory made it.
        /// How often the keeper is told which generation the database is of
        /// (keeper/client/store_generation.h); none: never, for who only fills it.
        std::optional<Duration> generation_interval{};
    };
    /// Opens the database, applying missing migrations, and removes what uploads that were under
    /// way left behind. `identity_grants` verifies grants. `files`, `clock` and `random`
    /// must outlive the object. Does not wait for the keeper.
    static Result<std::unique_ptr<Documents>> open(const Options& options,
                                                   crypto::VerifyKey identity_grants,
                                                   keeper::KeeperClient keeper, FileSystem& files,
                                                   Clock& clock, Random& random = system_random());
    ~Documents();
    Documents(const Documents&) = delete;
    Documents& operator=(const Documents&) = delete;

    /// The methods of proto/cloison/documents/v1. The object must outlive every call.
    std::shared_ptr<net::RpcService> service() const { return service_; }

  private:
    struct Parts;
    explicit Documents(std::unique_ptr<Parts> parts);
    std::unique_ptr<Parts> parts_;
    std::shared_ptr<net::RpcService> service_;
};

}  // namespace cloison::documents
