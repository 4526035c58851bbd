#include "identity/throttle.h"

#include <algorithm>

namespace cloison::identity {
namespace {

using storage::blob;
using storage::Transaction;

constexpr int kForgottenAtOnce = 1000;

struct Record {
    std::int64_t consecutive = 0;
    Time last{};
    std::vector<Time> failures;  ///< Oldest first.
};

Bytes encode(const std::vector<Time>& times) {
    Bytes out;
    for (const Time time : times) put_u64(out, static_cast<std::uint64_t>(to_unix_ms(time)));
    return out;
}

std::vector<Time> decode(ByteView bytes) {
    std::vector<Time> times;
    for (; bytes.size() >= 8; bytes = bytes.subspan(8))
        times.push_back(from_unix_ms(static_cast<std::int64_t>(get_u64(bytes))));
    return times;
}

Result<std::optional<Record>> find(Transaction& transaction, ByteView subject) {
    CLOISON_TRY(
        const auto rows,
        transaction.query("SELECT consecutive, last_ms, failed_ms FROM attempt WHERE subject = $1",
                          {blob(subject)}));
    if (rows.empty()) return std::nullopt;
    return Record{rows[0].integer(0), from_unix_ms(rows[0].integer(1)), decode(rows[0].bytes(2))};
}

/// When the next try is allowed.
Time next_try(const Record& record) {
    Time next{};
    if (record.consecutive >= kFreeTries) {
        const auto doublings = std::min<std::int64_t>(record.consecutive - kFreeTries, 11);
        next = record.last + std::min(kFirstWait * (std::int64_t{1} << doublings), kDay);
    }
    if (record.failures.size() >= kMaxFailuresPerDay)
        next = std::max(next, record.failures[record.failures.size() - kMaxFailuresPerDay] + kDay);
    return next;
}

tl::unexpected<Error> refusal(Duration wait) {
    const auto minutes = (wait + kMinute - Duration(1)) / kMinute;
    return fail(ErrorCode::kExhausted, "Too many tries. Try again in " + std::to_string(minutes) +
                                           (minutes == 1 ? " minute." : " minutes."));
}

Status make_room(Transaction& transaction, int max_unknown) {
    CLOISON_TRY(const auto count,
                transaction.query_one("SELECT COUNT(*) FROM attempt WHERE known = 0", {}));
    if (count.integer(0) < max_unknown) return {};
    const std::int64_t forgotten = std::min(kForgottenAtOnce, std::max(1, max_unknown / 10));
    CLOISON_TRY_STATUS(
        transaction.execute("DELETE FROM attempt WHERE subject IN (SELECT subject FROM attempt "
                            "WHERE known = 0 ORDER BY last_ms LIMIT $1)",
                            {forgotten}));
    return {};
}

Status store(Transaction& transaction, ByteView subject, bool known, const Record& record) {
    CLOISON_TRY_STATUS(transaction.execute(
        "INSERT INTO attempt (subject, known, consecutive, last_ms, failed_ms) VALUES ($1, $2, "
        "$3, $4, $5) ON CONFLICT (subject) DO UPDATE SET known = "
        "CASE WHEN attempt.known = 1 THEN 1 ELSE $2 END, consecutive = $3, "
        "last_ms = $4, failed_ms = $5",
        {blob(subject), std::int64_t{known}, record.consecutive, to_unix_ms(record.last),
         encode(record.failures)}));
    return {};
}

}  // namespace

Result<Try> Throttle::count(ByteView subject, bool known) {
    const Time now = clock_.now();
    CLOISON_TRY_STATUS(database_.write([&](Transaction& transaction) -> Status {
        CLOISON_TRY_STATUS(transaction.execute("DELETE FROM attempt WHERE last_ms <= $1",
                                               {to_unix_ms(now - kDay)}));
        CLOISON_TRY(auto found, find(transaction, subject));
        if (!found && !known) CLOISON_TRY_STATUS(make_room(transaction, max_unknown_));
        Record record = found.value_or(Record{});
        std::erase_if(record.failures, [&](Time time) { return time <= now - kDay; });
        if (const Time next = next_try(record); now < next) return refusal(next - now);
        ++record.consecutive;
        record.last = now;
        record.failures.push_back(now);
        return store(transaction, subject, known, record);
    }));
    return Try{to_bytes(subject), now};
}

Status Throttle::forgive(Transaction& transaction, const Try& attempt) {
    CLOISON_TRY(auto found, find(transaction, attempt.subject));
    if (!found) return {};
    auto& failures = found->failures;
    const auto own = std::find(failures.begin(), failures.end(), attempt.at);
    if (own != failures.end()) failures.erase(own);
    found->consecutive = 0;
    if (!failures.empty()) return store(transaction, attempt.subject, true, *found);
    CLOISON_TRY_STATUS(
        transaction.execute("DELETE FROM attempt WHERE subject = $1", {blob(attempt.subject)}));
    return {};
}

}  // namespace cloison::identity
