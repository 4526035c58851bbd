#pragma once

#include <condition_variable>
#include <mutex>
#include <optional>
#include <thread>
#include <vector>

#include "base/id.h"
#include "base/random.h"
#include "base/time.h"
#include "keeper/client/keeper_client.h"
#include "storage/database.h"

namespace cloison::identity {

/// Tells the keeper at once whose power has ended, so that grants that are still about open nothing
/// any more. What is to be told is a row that is written in the transaction that ends the session,
/// and goes when the keeper has acknowledged it: neither a crash nor an absent keeper loses it. A
/// row older than kRevocationKept goes untold, since every grant that it ends has expired.
/// Any thread may call.
class Revocations {
  public:
    /// Tells what an earlier process left, on a thread of its own.
    Revocations(storage::Database& database, const keeper::KeeperClient& keeper, Clock& clock,
                Random& random);
    ~Revocations();
    Revocations(const Revocations&) = delete;
    Revocations& operator=(const Revocations&) = delete;

    /// What one transaction ends. At most one session or actor is set in each.
    struct Ended {
        Bytes revocation;
        std::optional<SessionId> session;
        std::optional<ActorId> actor;
        Time at;
    };
    using Batch = std::vector<Ended>;

    /// Inside the transaction that ends them; clear `batch` where the transaction begins, since it
    /// may run more than once.
    Status end(storage::Transaction& transaction, const SessionId& session, Batch& batch);
    Status end(storage::Transaction& transaction, const ActorId& actor, Batch& batch);
    /// After the commit: tells the keeper. If that fails it is tried again in the background, soon
    /// and then less often; the caller has done what was to be done in any case.
    void tell(const Batch& batch);

  private:
    Status insert(storage::Transaction& transaction, Ended ended, Batch& batch);
    Status tell_keeper(const Ended& ended);
    Result<Batch> waiting();
    bool tell_waiting();
    void keep_telling();

    storage::Database& database_;
    const keeper::KeeperClient& keeper_;
    Clock& clock_;
    Random& random_;

    std::mutex mutex_;
    std::condition_variable wake_;
    bool waiting_ = true;  ///< Rows may be there that the keeper was not told of.
    bool stopping_ = false;
    std::thread thread_;
};

}  // namespace cloison::identity
