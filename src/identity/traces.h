#pragma once

#include <condition_variable>
#include <mutex>
#include <string>

#include "base/random.h"
#include "base/thread_pool.h"
#include "base/time.h"
#include "crypto/unlinkable_list.h"
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
    /// `lists` is the secret of the accounts' lists.
    SignInTraces(storage::Database& database, const keeper::KeeperClient& keeper, Clock& clock,
                 Random& random, const crypto::HashKey& lists, int retention_days);

    /// Seals a trace for a resident; nothing for anybody else.
    Result<std::optional<SealedTrace>> seal(const Account& account, SignInOutcome outcome,
                                            const v1::Client& client) const;
    /// Stores it in the caller's transaction, forgets what is too much, and what is too old of the
    /// next few rows of anybody's: with each trace that is stored a part of the table is looked at.
    Status store(storage::Transaction& transaction, const SealedTrace& trace);
    /// Newest first, at most `limit`, none that is too old.
    Result<std::vector<SealedTrace>> list(storage::Transaction& transaction,
                                          const AccountId& account, std::size_t limit) const;

    /// Seals and stores beside the caller, so that the time of an answer does not tell whether
    /// there is somebody to seal for. With kMaxQueuedTraces waiting it is done at once instead.
    void record_later(const Account& account, SignInOutcome outcome, const v1::Client& client);
    /// Waits, at most five seconds, until what was to be recorded later is recorded.
    void settle();

  private:
    void record(const Account& account, SignInOutcome outcome, const v1::Client& client);
    crypto::ListKey list_of(const AccountId& account) const;
    Result<std::uint64_t> next_number(storage::Transaction& transaction,
                                      const AccountId& account) const;
    Status forget_old(storage::Transaction& transaction);
    bool is_too_old(Time at) const;

    storage::Database& database_;
    const keeper::KeeperClient& keeper_;
    Clock& clock_;
    Random& random_;
    const crypto::HashKey lists_;
    const crypto::BoxKey rows_;  ///< Of what must be read without knowing whose it is.
    const int retention_days_;
    std::mutex sweep_mutex_;
    Bytes swept_;  ///< The place that was looked at last.
    std::mutex mutex_;
    std::condition_variable idle_;
    std::size_t unrecorded_ = 0;
    ThreadPool pool_;
};

}  // namespace cloison::identity
