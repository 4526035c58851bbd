#include "identity/revocations.h"

#include <algorithm>
#include <chrono>

#include "base/log.h"
#include "identity/limits.h"

namespace cloison::identity {
namespace {

using storage::blob;
using storage::Transaction;

constexpr std::size_t kIdSize = 16;
constexpr std::int64_t kToldAtOnce = 100;
constexpr std::chrono::milliseconds kFirstPause{200};
constexpr std::chrono::milliseconds kLongestPause{10'000};

storage::Value blob_or_null(const auto& id) {
    return id ? blob(id->view()) : storage::Value{};
}

}  // namespace

Revocations::Revocations(storage::Database& database, const keeper::KeeperClient& keeper,
                         Clock& clock, Random& random)
    : database_(database), keeper_(keeper), clock_(clock), random_(random), thread_([this] {
          keep_telling();
      }) {}

Revocations::~Revocations() {
    {
        const std::lock_guard lock(mutex_);
        stopping_ = true;
    }
    wake_.notify_all();
    thread_.join();
}

Status Revocations::end(Transaction& transaction, const SessionId& session, Batch& batch) {
    return insert(transaction, {{}, session, std::nullopt, {}}, batch);
}

Status Revocations::end(Transaction& transaction, const ActorId& actor, Batch& batch) {
    return insert(transaction, {{}, std::nullopt, actor, {}}, batch);
}

Status Revocations::insert(Transaction& transaction, Ended ended, Batch& batch) {
    ended.revocation.resize(kIdSize);
    random_.fill(ended.revocation);
    ended.at = clock_.now();
    CLOISON_TRY_STATUS(transaction.execute(
        "INSERT INTO revocation_pending (revocation, session, actor, ended_ms) VALUES ($1, $2, $3, "
        "$4)",
        {blob(ended.revocation), blob_or_null(ended.session), blob_or_null(ended.actor),
         to_unix_ms(ended.at)}));
    batch.push_back(std::move(ended));
    return {};
}

void Revocations::tell(const Batch& batch) {
    const bool told = std::all_of(batch.begin(), batch.end(), [&](const Ended& ended) {
        return tell_keeper(ended).has_value();
    });
    if (told) return;
    {
        const std::lock_guard lock(mutex_);
        waiting_ = true;
    }
    wake_.notify_all();
}

/// One call of the keeper; the row goes when it has said yes.
Status Revocations::tell_keeper(const Ended& ended) {
    keeper::v1::RevokeRequest request;
    if (ended.session) request.set_session(ended.session->bytes());
    if (ended.actor) request.set_actor(ended.actor->bytes());
    request.set_issued_until_ms(to_unix_ms(ended.at));
    CLOISON_TRY_STATUS(keeper_.revoke(request));
    return database_.write([&](Transaction& transaction) -> Status {
        CLOISON_TRY_STATUS(transaction.execute(
            "DELETE FROM revocation_pending WHERE revocation = $1", {blob(ended.revocation)}));
        return {};
    });
}

/// The oldest rows that count.
Result<Revocations::Batch> Revocations::waiting() {
    const std::int64_t oldest = to_unix_ms(clock_.now() - kRevocationKept);
    CLOISON_TRY_STATUS(database_.write([&](Transaction& transaction) -> Status {
        CLOISON_TRY_STATUS(
            transaction.execute("DELETE FROM revocation_pending WHERE ended_ms < $1", {oldest}));
        return {};
    }));
    return database_.read_result<Batch>([&](Transaction& transaction) -> Result<Batch> {
        CLOISON_TRY(const auto rows,
                    transaction.query("SELECT revocation, session, actor, ended_ms FROM "
                                      "revocation_pending ORDER BY ended_ms, revocation LIMIT $1",
                                      {kToldAtOnce}));
        Batch batch;
        for (const auto& row : rows) {
            Ended ended{row.bytes(0), {}, {}, from_unix_ms(row.integer(3))};
            if (!row.is_null(1)) {
                CLOISON_TRY(ended.session, SessionId::from_bytes(row.bytes(1)));
            }
            if (!row.is_null(2)) {
                CLOISON_TRY(ended.actor, ActorId::from_bytes(row.bytes(2)));
            }
            batch.push_back(std::move(ended));
        }
        return batch;
    });
}

/// Whether nothing is left to tell.
bool Revocations::tell_waiting() {
    for (;;) {
        const auto batch = waiting();
        if (!batch) {
            log_error("Ended sessions cannot be read: " + batch.error().message);
            return false;
        }
        if (batch->empty()) return true;
        for (const Ended& ended : *batch) {
            if (const auto status = tell_keeper(ended); !status) {
                log_warning("The keeper was not told yet that sessions ended: " +
                            status.error().message);
                return false;
            }
        }
    }
}

void Revocations::keep_telling() {
    auto pause = kFirstPause;
    std::unique_lock lock(mutex_);
    while (!stopping_) {
        if (!waiting_) {
            pause = kFirstPause;
            wake_.wait(lock, [&] { return stopping_ || waiting_; });
            continue;
        }
        waiting_ = false;
        lock.unlock();
        const bool done = tell_waiting();
        lock.lock();
        if (done) continue;
        waiting_ = true;
        wake_.wait_for(lock, pause, [&] { return stopping_; });
        pause = std::min(2 * pause, kLongestPause);
    }
}

}  // namespace cloison::identity
