#include "identity/traces.h"

#include <chrono>
#include <nlohmann/json.hpp>

#include "base/log.h"
#include "crypto/box.h"
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

/// Most traces fit: a browser calls itself something of 100 to 200 bytes.
constexpr std::size_t kRowSize = 448;
constexpr std::int64_t kSweptAtOnce = 16;

/// When it was, to thirty days; record id; sealed value.
Bytes encode(const SealedTrace& trace) {
    Bytes content;
    put_u64(content, static_cast<std::uint64_t>(to_unix_ms(truncate(trace.at, kPeriod))));
    content.insert(content.end(), trace.record.begin(), trace.record.end());
    content.insert(content.end(), trace.sealed.begin(), trace.sealed.end());
    return content;
}

Result<SealedTrace> decode(const AccountId& account, ByteView content) {
    constexpr std::size_t kHead = 8 + RecordId::kSize;
    if (content.size() < kHead) return fail(ErrorCode::kCorrupt, "A sign-in trace is malformed.");
    return SealedTrace{to_bytes(content.subspan(8, RecordId::kSize)), account,
                       from_unix_ms(static_cast<std::int64_t>(get_u64(content))),
                       to_bytes(content.subspan(kHead))};
}

}  // namespace

SignInTraces::SignInTraces(storage::Database& database, const keeper::KeeperClient& keeper,
                           Clock& clock, Random& random, const crypto::HashKey& lists,
                           int retention_days)
    : database_(database),
      keeper_(keeper),
      clock_(clock),
      random_(random),
      lists_(lists.clone()),
      rows_(crypto::derive_key<crypto::BoxKey>(lists_, "sign-in traces")),
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

crypto::ListKey SignInTraces::list_of(const AccountId& account) const {
    return {lists_.view(), "traces/" + account.bytes()};
}

/// Only periods that are over retention as a whole go.
bool SignInTraces::is_too_old(Time at) const {
    return at < truncate(clock_.now() - retention_days_ * kDay, kPeriod);
}

Result<std::uint64_t> SignInTraces::next_number(Transaction& transaction,
                                                const AccountId& account) const {
    CLOISON_TRY(const auto row,
                transaction.query_one("SELECT traces FROM account WHERE account = $1",
                                      {blob(account.view())}));
    if (row.is_null(0)) return std::uint64_t{0};
    CLOISON_TRY(const auto number, crypto::box_decrypt(rows_, row.bytes(0), account.view()));
    if (number.view().size() != 8)
        return fail(ErrorCode::kCorrupt, "A number of sign-in traces is malformed.");
    return get_u64(number.view());
}

Status SignInTraces::forget_old(Transaction& transaction) {
    const std::lock_guard lock(sweep_mutex_);
    CLOISON_TRY(const auto rows,
                transaction.query("SELECT place, content FROM sign_in_trace WHERE place > $1 "
                                  "ORDER BY place LIMIT $2",
                                  {swept_, kSweptAtOnce}));
    swept_ = rows.size() < kSweptAtOnce ? Bytes() : rows.back().bytes(0);
    for (const auto& row : rows) {
        CLOISON_TRY(const auto content, crypto::open_row(rows_, row.bytes(1), row.bytes(0)));
        CLOISON_TRY(const auto trace, decode({}, content));
        if (!is_too_old(trace.at)) continue;
        CLOISON_TRY_STATUS(
            transaction.execute("DELETE FROM sign_in_trace WHERE place = $1", {row.bytes(0)}));
    }
    return {};
}

Status SignInTraces::store(Transaction& transaction, const SealedTrace& trace) {
    CLOISON_TRY_STATUS(forget_old(transaction));
    CLOISON_TRY(const auto number, next_number(transaction, trace.account));
    const auto list = list_of(trace.account);
    if (number >= kMaxTraces)
        CLOISON_TRY_STATUS(transaction.execute("DELETE FROM sign_in_trace WHERE place = $1",
                                               {list.place(number - kMaxTraces)}));
    const Bytes place = list.place(number);
    CLOISON_TRY_STATUS(transaction.execute(
        "INSERT INTO sign_in_trace (place, content) VALUES ($1, $2)",
        {place, crypto::box_row(rows_, encode(trace), place, kRowSize, random_)}));
    Bytes next;
    put_u64(next, number + 1);
    CLOISON_TRY_STATUS(
        transaction.execute("UPDATE account SET traces = $1 WHERE account = $2",
                            {crypto::box_encrypt(rows_, next, trace.account.view(), random_),
                             blob(trace.account.view())}));
    return {};
}

Result<std::vector<SealedTrace>> SignInTraces::list(Transaction& transaction,
                                                    const AccountId& account,
                                                    std::size_t limit) const {
    CLOISON_TRY(auto number, next_number(transaction, account));
    const auto list = list_of(account);
    std::vector<SealedTrace> traces;
    for (int looked = 0; number > 0 && looked < kMaxTraces && traces.size() < limit; ++looked) {
        const Bytes place = list.place(--number);
        CLOISON_TRY(
            const auto rows,
            transaction.query("SELECT content FROM sign_in_trace WHERE place = $1", {place}));
        if (rows.empty()) continue;  // too old, and gone
        CLOISON_TRY(const auto content, crypto::open_row(rows_, rows[0].bytes(0), place));
        CLOISON_TRY(auto trace, decode(account, content));
        if (!is_too_old(trace.at)) traces.push_back(std::move(trace));
    }
    return traces;
}

void SignInTraces::record(const Account& account, SignInOutcome outcome, const v1::Client& client) {
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
