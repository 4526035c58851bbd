#include "incident/acknowledgements.h"

namespace cloison::incident {
namespace {

using storage::Transaction;

Status check(const std::vector<std::uint64_t>& entries) {
    if (entries.size() > Acknowledgements::kMaxEntries)
        return fail(ErrorCode::kInvalidArgument, "A call names at most 200 alarms.");
    return {};
}

}  // namespace

Status Acknowledgements::add(std::string_view origin, const std::vector<std::uint64_t>& entries,
                             ActorId by) {
    CLOISON_TRY_STATUS(check(entries));
    const auto now = to_unix_ms(clock_.now());
    return database_.write([&](Transaction& transaction) -> Status {
        for (const auto entry : entries)
            CLOISON_TRY_STATUS(transaction.execute(
                "INSERT INTO alarms_acknowledged (origin, entry, acknowledged_by, "
                "acknowledged_ms) VALUES ($1, $2, $3, $4) ON CONFLICT (origin, entry) DO NOTHING",
                {std::string(origin), static_cast<std::int64_t>(entry), storage::blob(by.view()),
                 now}));
        return {};
    });
}

Result<std::map<std::uint64_t, Acknowledgement>> Acknowledgements::find(
    std::string_view origin, const std::vector<std::uint64_t>& entries) const {
    using Found = std::map<std::uint64_t, Acknowledgement>;
    CLOISON_TRY_STATUS(check(entries));
    return database_.read_result<Found>([&](Transaction& transaction) -> Result<Found> {
        Found found;
        for (const auto entry : entries) {
            CLOISON_TRY(const auto rows,
                        transaction.query("SELECT acknowledged_by, acknowledged_ms FROM "
                                          "alarms_acknowledged WHERE origin = $1 AND entry = $2",
                                          {std::string(origin), static_cast<std::int64_t>(entry)}));
            if (rows.empty()) continue;
            CLOISON_TRY(const auto by, ActorId::from_bytes(rows[0].bytes(0)));
            found[entry] = {by, from_unix_ms(rows[0].integer(1))};
        }
        return found;
    });
}

Result<std::uint64_t> Acknowledgements::count(std::string_view origin) const {
    return database_.read_result<std::uint64_t>(
        [&](Transaction& transaction) -> Result<std::uint64_t> {
            CLOISON_TRY(
                const auto row,
                transaction.query_one("SELECT COUNT(*) FROM alarms_acknowledged WHERE origin = $1",
                                      {std::string(origin)}));
            return static_cast<std::uint64_t>(row.integer(0));
        });
}

}  // namespace cloison::incident
