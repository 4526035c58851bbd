#pragma once

#include <condition_variable>
#include <functional>
#include <mutex>

#include "base/id.h"
#include "base/random.h"
#include "base/secret.h"
#include "crypto/password.h"
#include "keeper/client/keeper_client.h"

namespace cloison::identity {

/// Names the account towards the doors and the keeper: sealed values and verifiers are bound to it.
using RecordId = Id<struct AccountRecordTag>;

/// What is stored of a password: Argon2id, then a keyed hash that only the keeper can compute. A
/// stolen identity database gives nothing to guess against.
struct Verifier {
    Bytes hardened;  ///< 32 bytes.
    Bytes salt;
    crypto::PasswordCost cost;
    RecordId record;
};

/// Lets a fixed number of callers through at once and a fixed number wait for their turn.
class Gate {
  public:
    Gate(std::size_t capacity, std::size_t queue_bound)
        : capacity_(capacity), queue_bound_(queue_bound) {}
    /// Runs `work` when it is this caller's turn; kUnavailable at once if the queue is full.
    Status pass(const std::function<Status()>& work);

  private:
    const std::size_t capacity_;
    const std::size_t queue_bound_;
    std::mutex mutex_;
    std::condition_variable turn_;
    std::size_t inside_ = 0;
    std::size_t waiting_ = 0;
};

/// Makes and checks verifiers. Memory is bounded by the gate: 19 MiB for each stretch under way.
class Passwords {
  public:
    struct Options {
        crypto::PasswordCost cost;
        std::size_t threads;
        std::size_t queue_bound;
        std::function<void()> on_stretch;
    };
    Passwords(Options options, const keeper::KeeperClient& keeper, Random& random);

    Result<Verifier> make(std::string_view password, const RecordId& record);
    /// Compares in constant time. One stretch and one call of the keeper, whatever the outcome.
    Result<bool> matches(std::string_view password, const Verifier& verifier);
    /// A verifier of nobody's password, to do the same work where there is no account.
    const Verifier& decoy() const { return decoy_; }

  private:
    Result<Bytes> harden(std::string_view password, const Verifier& verifier);

    const Options options_;
    const keeper::KeeperClient& keeper_;
    Random& random_;
    Gate gate_;
    Verifier decoy_;
};

}  // namespace cloison::identity
