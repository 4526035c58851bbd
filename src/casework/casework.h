#pragma once

#include <map>
#include <memory>
#include <optional>
#include <string>

#include "base/file_system.h"
#include "base/random.h"
#include "base/time.h"
#include "casework/request_type.h"
#include "crypto/sign.h"
#include "keeper/client/keeper_client.h"
#include "net/rpc.h"

namespace cloison::casework {

/// Makes the files that casework starts from, mode 0600, in a directory of mode 0700: service.key
/// signs caller tokens, ticket.key signs tickets. kConflict if one exists: a key is never
/// overwritten.
Status create_casework_directory(FileSystem& files, const Path& directory, Random& random);

/// The public halves for the trust directory: `service` as "casework", `tickets` as
/// "casework-tickets", which identity needs.
struct VerifyKeys {
    crypto::VerifyKey service;
    crypto::VerifyKey tickets;
};
Result<VerifyKeys> casework_verify_keys(FileSystem& files, const Path& directory);
/// service.key, for net::CallerIdentity("casework", …).
Result<crypto::SigningKey> casework_service_key(FileSystem& files, const Path& directory);

/// Bounds; at each, the call is refused and nothing changes.
inline constexpr std::int64_t kMaxOpenRequests = 20;      ///< A person, not in a final status.
inline constexpr std::int64_t kMaxRequests = 200;         ///< A person, in any status.
inline constexpr std::int64_t kMaxMessages = 100;         ///< A request.
inline constexpr std::int64_t kMaxDecisionMessages = 20;  ///< A request, beside those.
inline constexpr std::size_t kMaxSealedValue = 65'536;    ///< Bytes.
inline constexpr std::size_t kMaxQueuePage = 100;
inline constexpr Duration kTicketLifetime{10 * 60'000};

/// Requests and their life cycle (docs/formats/request.md): sealed values, statuses, assignments
/// and messages, in an SQLite database.
///
/// It promises that a resident reaches a request with the pseudonym that the keeper resolves from
/// the grant, an officer through the assignment, both in the WHERE clause; that somebody else's is
/// the same NOT_FOUND as one that does not exist; and that histories of statuses and assignments
/// are only ever added to (docs/formats/casework-store.md). One process per directory; safe to call
/// from any thread.
class Casework {
  public:
    struct Options {
        Path directory;  ///< As create_casework_directory made it.
        /// How often the keeper is told which generation the database is of
        /// (keeper/client/store_generation.h); none: never, for who only fills it.
        std::optional<Duration> generation_interval{};
    };
    /// Opens keys and database, applying missing migrations. `identity_grants` verifies grants.
    /// `files`, `clock` and `random` must outlive the object. Does not wait for the keeper.
    static Result<std::unique_ptr<Casework>> open(const Options& options,
                                                  std::map<std::string, RequestType> types,
                                                  crypto::VerifyKey identity_grants,
                                                  keeper::KeeperClient keeper, FileSystem& files,
                                                  Clock& clock, Random& random);
    ~Casework();
    Casework(const Casework&) = delete;
    Casework& operator=(const Casework&) = delete;

    /// The methods of proto/cloison/casework/v1. The object must outlive every call.
    std::shared_ptr<net::RpcService> service() const { return service_; }

  private:
    struct Parts;
    explicit Casework(std::unique_ptr<Parts> parts);
    std::unique_ptr<Parts> parts_;
    std::shared_ptr<net::RpcService> service_;
};

}  // namespace cloison::casework
