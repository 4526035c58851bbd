#pragma once

#include <condition_variable>
#include <mutex>
#include <string>

#include "base/random.h"
#include "base/thread_pool.h"
#include "base/time.h"
#include "identity/accounts.h"
#include "identity/limits.h"
#include "keeper/client/keeper_client.h"
#include "storage/database.h"

#include "cloison/identity/v1/identity.pb.h"

namespace cloison::identity {

enum class SignInOutcome { kSuccess, kWrongPassword, kWrongCode };

/// A trace as it is stored: only the keeper can say what is in it.
struct SealedTrace {
    Bytes record;
    AccountId account;
    Time at;
    Bytes sealed;
};

/// What residents see as "my sign-ins": docs/formats/sign-in-trace.md. Staff have no person in the
/// keeper to seal for, so their sign-ins leave no trace here.
class SignInTraces {
  public:
    SignInTraces(storage::Database& database, const keeper::KeeperClient& keeper, Clock& clock,
                 Random& random, int retention_days);

    /// Seals a trace for a resident; nothing for anybody else.
    Result<std::optional<SealedTrace>> seal(const Account& account, SignInOutcome outcome,
                                            const v1::Client& client) const;
    /// Stores it in the caller's transaction and forgets what is too old or too much.
    Status store(storage::Transaction& transaction, const SealedTrace& trace) const;

    /// Seals and stores beside the caller, so that the time of an answer does not tell whether
    /// there is somebody to seal for. With kMaxQueuedTraces waiting it is done at once instead.
    void record_later(const Account& account, SignInOutcome outcome, const v1::Client& client);
    /// Waits, at most five seconds, until what was to be recorded later is recorded.
    void settle();

  private:
    void record(const Account& account, SignInOutcome outcome, const v1::Client& client) const;

    storage::Database& database_;
    const keeper::KeeperClient& keeper_;
    Clock& clock_;
    Random& random_;
    const int retention_days_;
    std::mutex mutex_;
    std::condition_variable idle_;
    std::size_t unrecorded_ = 0;
    ThreadPool pool_;
};

}  // namespace cloison::identity
