#pragma once

#include <memory>
#include <mutex>

#include "crypto/keys.h"
#include "identity/identity.h"
#include "identity/look_ups.h"
#include "identity/passwords.h"
#include "identity/revocations.h"
#include "identity/throttle.h"
#include "identity/traces.h"
#include "storage/database.h"

namespace cloison::identity {

/// The private keys of an identity directory.
struct Keys {
    crypto::SigningKey grant;
    crypto::BoxKey box;        ///< Encrypts one-time-code secrets at rest.
    crypto::HashKey hash;      ///< Hashes codes and tokens, which are stored only so.
    crypto::HashKey lists;     ///< Secret of the lists of an account's rows.
    crypto::HashKey accounts;  ///< Proves what never changes in an account's row, and approvals.
};
Result<Keys> load_keys(FileSystem& files, const Path& directory);

/// What the methods of identity work with. Safe to use from any thread.
struct Core {
    Core(Identity::Options options_, registry::Registry registry_, keeper::KeeperClient keeper_,
         crypto::VerifyKey casework_, Keys keys_, std::unique_ptr<storage::Database> database_,
         Clock& clock_, Random& random_);

    /// A new secret for a cookie: 256 bits in base64url.
    std::string new_token();
    /// What is stored of a token or code. `kind` keeps them apart.
    Bytes hash(std::string_view kind, std::string_view secret) const;
    Result<crypto::SealedBoxPublicKey> handle_key();

    Bytes encrypt_totp(const Secret& secret, const std::string& associated);
    Result<Secret> decrypt_totp(ByteView box, const std::string& associated) const;

    const Identity::Options options;
    const registry::Registry registry;
    const keeper::KeeperClient keeper;
    const crypto::VerifyKey casework;
    const Keys keys;
    const std::unique_ptr<storage::Database> database;
    Clock& clock;
    Random& random;
    Passwords passwords;
    Throttle throttle;
    SignInTraces traces;
    LookUps look_ups;
    Revocations revocations;

  private:
    std::mutex mutex_;
    std::optional<crypto::SealedBoxPublicKey> handle_key_;
};

/// The same words whatever was wrong.
inline constexpr const char* kWrongCredentials = "The e-mail address or the password is not right.";
inline constexpr const char* kWrongCode = "The code is not right.";

}  // namespace cloison::identity
