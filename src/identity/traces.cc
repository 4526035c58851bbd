#include "identity/traces.h"

#include <chrono>
#include <nlohmann/json.hpp>

#include "base/log.h"
#include "identity/validate.h"

namespace cloison::identity {
namespace {

using storage::blob;
using storage::Transaction;

std::string_view outcome_name(SignInOutcome outcome) {
    switch (outcome) {
        case SignInOutcome::kSuccess:
            return "success";
        case SignInOutcome::kWrongPassword:
            return "wrong_password";
        case SignInOutcome::kWrongCode:
            return "wrong_code";
    }
    return "unknown";
}

std::int64_t period_of(Time time) {
    return to_unix_ms(time) / kPeriod.count();
}

}  // namespace

SignInTraces::SignInTraces(storage::Database& database, const keeper::KeeperClient& keeper,
                           Clock& clock, Random& random, int retention_days)
    : database_(database),
      keeper_(keeper),
      clock_(clock),
      random_(random),
      retention_days_(retention_days),
      pool_(1, kMaxQueuedTraces) {}

Result<std::optional<SealedTrace>> SignInTraces::seal(const Account& account, SignInOutcome outcome,
                                                      const v1::Client& client) const {
    if (!account.pseudonym) return std::nullopt;
    const Time now = clock_.now();
    const nlohmann::json content = {{"v", 1},
                                    {"time", format_rfc3339(now)},
                                    {"outcome", outcome_name(outcome)},
                                    {"origin", client.origin()},
                                    {"user_agent", kept_user_agent(client.user_agent())},
                                    {"door", client.door()}};
    Bytes record(RecordId::kSize);
    random_.fill(record);
    keeper::v1::SealRequest request;
    request.mutable_subject()->set_pseudonym(account.pseudonym->bytes());
    auto* item = request.add_items();
    item->set_field("sign_in_trace");
    item->set_record(to_string(record));
    item->set_schema_version(kTraceSchemaVersion);
    // What a browser calls itself may be no UTF-8; it is shown with replacement characters.
    item->set_value(content.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace));
    CLOISON_TRY(const auto response, keeper_.seal(request));
    if (response.sealed_size() != 1)
        return fail(ErrorCode::kInternal, "The keeper sealed another number of values than asked.");
    return SealedTrace{std::move(record), account.id, now, to_bytes(response.sealed(0))};
}

Status SignInTraces::store(Transaction& transaction, const SealedTrace& trace) const {
    // Only periods that are over retention as a whole go.
    const std::int64_t oldest = period_of(trace.at - retention_days_ * kDay);
    CLOISON_TRY_STATUS(
        transaction.execute("DELETE FROM sign_in_trace WHERE period < $1", {oldest}));
    CLOISON_TRY_STATUS(transaction.execute(
        "DELETE FROM sign_in_trace WHERE record IN (SELECT record FROM sign_in_trace WHERE "
        "account = $1 ORDER BY number DESC LIMIT $2 OFFSET $3)",
        {blob(trace.account.view()), std::int64_t{kMaxTraces}, std::int64_t{kMaxTraces - 1}}));
    CLOISON_TRY_STATUS(transaction.execute(
        "INSERT INTO sign_in_trace (record, account, number, period, sealed) VALUES ($1, $2, "
        "(SELECT COALESCE(MAX(number), 0) + 1 FROM sign_in_trace WHERE account = $2), $3, $4)",
        {blob(trace.record), blob(trace.account.view()), period_of(trace.at), blob(trace.sealed)}));
    return {};
}

void SignInTraces::record(const Account& account, SignInOutcome outcome,
                          const v1::Client& client) const {
    auto trace = seal(account, outcome, client);
    if (trace && !*trace) return;
    const Status stored =
        trace
            ? database_.write([&](Transaction& transaction) { return store(transaction, **trace); })
            : Status(fail(trace.error()));
    if (!stored) log_warning("A sign-in trace was not stored: " + stored.error().message);
}

void SignInTraces::record_later(const Account& account, SignInOutcome outcome,
                                const v1::Client& client) {
    {
        std::lock_guard lock(mutex_);
        ++unrecorded_;
    }
    auto work = [this, account, outcome, client] {
        record(account, outcome, client);
        std::lock_guard lock(mutex_);
        if (--unrecorded_ == 0) idle_.notify_all();
    };
    if (!pool_.try_submit(work)) work();
}

void SignInTraces::settle() {
    std::unique_lock lock(mutex_);
    idle_.wait_for(lock, std::chrono::seconds(5), [&] { return unrecorded_ == 0; });
}

}  // namespace cloison::identity
