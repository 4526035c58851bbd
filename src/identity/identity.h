#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "base/file_system.h"
#include "base/random.h"
#include "base/time.h"
#include "crypto/box.h"
#include "crypto/password.h"
#include "crypto/sign.h"
#include "keeper/client/keeper_client.h"
#include "net/rpc.h"
#include "registry/registry.h"

namespace cloison::identity {

/// Makes the files that identity starts from, mode 0600, in a directory of mode 0700: grant.key
/// signs grants, service.key signs caller tokens, data.key encrypts one-time-code secrets at rest.
/// kConflict if one of them exists: a key is never overwritten.
Status create_identity_directory(FileSystem& files, const Path& directory, Random& random);

/// The public halves for the trust directory: `grants` as "identity-grants", which the keeper and
/// the compartments need, and `service` as "identity", which the services need that identity calls.
struct VerifyKeys {
    crypto::VerifyKey grants;
    crypto::VerifyKey service;
};
Result<VerifyKeys> identity_verify_keys(FileSystem& files, const Path& directory);
/// service.key, for net::CallerIdentity("identity", …).
Result<crypto::SigningKey> identity_service_key(FileSystem& files, const Path& directory);

/// Accounts, credentials, sessions, sign-in traces, grants and approvals.
///
/// It promises that an account is found by session token or blind index alone, never by an id from
/// outside; that a sign-in takes the same work and ends in the same words whether or not the
/// account exists; and that every limit on guessing is counted before the guess is looked at
/// (docs/formats/identity-store.md has the tables, their limits and what a thief would learn).
/// One process per directory; safe to call from any thread.
class Identity {
  public:
    struct Options {
        Path directory;                      ///< As create_identity_directory made it.
        crypto::PasswordCost password_cost;  ///< Of new passwords; existing ones keep theirs.
        /// Passwords stretched at once (0: one a processor), and callers that wait for their turn:
        /// beyond, kUnavailable at once.
        std::size_t stretch_threads = 0;
        std::size_t stretch_queue = 64;
        std::string totp_issuer = "Cloison";  ///< What code applications show.
        /// The keeper's handle key; without it, the keeper is asked when it is first needed.
        std::optional<crypto::SealedBoxPublicKey> handle_key;
        /// How often the keeper is told which generation the database is of
        /// (keeper/client/store_generation.h); none: never, for who only fills it.
        std::optional<Duration> generation_interval;
        /// Called each time that a password is stretched; for tests.
        std::function<void()> on_stretch;
    };

    /// Opens the keys and the database, applying missing migrations. `casework` signs tickets.
    /// `files`, `clock` and `random` must outlive the object. Does not wait for the keeper; what it
    /// was not told yet of sessions that ended, it is told in the background.
    static Result<std::unique_ptr<Identity>> open(Options options, registry::Registry registry,
                                                  keeper::KeeperClient keeper,
                                                  crypto::VerifyKey casework, FileSystem& files,
                                                  Clock& clock, Random& random);
    ~Identity();
    Identity(const Identity&) = delete;
    Identity& operator=(const Identity&) = delete;

    /// The methods of proto/cloison/identity/v1. The object must outlive every call.
    std::shared_ptr<net::RpcService> service() const { return service_; }

  private:
    struct Parts;
    explicit Identity(std::unique_ptr<Parts> parts);
    std::unique_ptr<Parts> parts_;
    std::shared_ptr<net::RpcService> service_;
};

}  // namespace cloison::identity
