#include "casework/queue.h"

#include "casework/casework.h"
#include "casework/requests.h"

namespace cloison::casework {
namespace {

/// Statements of one filter: conditions that are always there or not at all, values as parameters.
struct Where {
    std::string sql = "status <> 'draft'";
    std::vector<storage::Value> parameters;

    void add(std::string_view column, storage::Value value) {
        parameters.push_back(std::move(value));
        sql += " AND " + std::string(column) + " = $" + std::to_string(parameters.size());
    }
};

Result<Where> to_where(const Store& store, const ActorId& officer, const QueueFilter& filter) {
    Where where;
    if (filter.status == RequestStatus::kDraft)
        return fail(ErrorCode::kInvalidArgument, "Drafts are nobody's but their author's.");
    if (!filter.type.empty()) {
        if (!store.types.contains(filter.type))
            return fail(ErrorCode::kInvalidArgument, "There is no such type of request.");
        where.add("type", filter.type);
    }
    if (!filter.reference.empty()) {
        CLOISON_TRY(auto reference, read_reference(filter.reference));
        where.add("reference", std::move(reference));
    }
    if (filter.mine) where.add("assigned_to", storage::blob(officer.view()));
    if (filter.status)
        where.add("status", std::string(status_code(*filter.status)));
    else if (!filter.mine && filter.reference.empty())
        where.sql += " AND status IN ('submitted', 'in_review')";
    return where;
}

}  // namespace

Result<QueuePage> read_queue(const Store& store, const ActorId& officer,
                             const QueueFilter& filter) {
    if (filter.limit < 1 || filter.limit > kMaxQueuePage)
        return fail(ErrorCode::kInvalidArgument, "A page of the queue has 1 to 100 lines.");
    CLOISON_TRY(const auto where, to_where(store, officer, filter));
    return store.database.read_result<QueuePage>(
        [&](storage::Transaction& transaction) -> Result<QueuePage> {
            QueuePage page;
            CLOISON_TRY(const auto count,
                        transaction.query_one("SELECT count(*) FROM request WHERE " + where.sql,
                                              where.parameters));
            page.total = static_cast<std::uint32_t>(count.integer(0));
            auto parameters = where.parameters;
            parameters.emplace_back(std::int64_t{filter.limit});
            parameters.emplace_back(std::int64_t{filter.offset});
            const std::string limit = std::to_string(parameters.size() - 1);
            const std::string offset = std::to_string(parameters.size());
            CLOISON_TRY(
                const auto rows,
                transaction.query(
                    "SELECT " + std::string(kRequestColumns) + " FROM request WHERE " + where.sql +
                        " ORDER BY submitted_ms, reference LIMIT $" + limit + " OFFSET $" + offset,
                    std::move(parameters)));
            for (const auto& row : rows) {
                CLOISON_TRY(auto request, to_request(row));
                page.requests.push_back(std::move(request));
            }
            return page;
        });
}

Status take_case(const Store& store, const ActorId& officer, const RequestId& request) {
    const Time now = store.clock.now();
    const Reach reach{
        "(assigned_to IS NULL OR assigned_to = $2) AND status IN ('submitted', 'in_review', "
        "'action_required', 'approved', 'in_production', 'ready')",
        [&](const RequestId&) { return to_bytes(officer.view()); }};
    return store.database.write([&](storage::Transaction& transaction) -> Status {
        CLOISON_TRY(auto row, find_request(transaction, request, reach));
        if (row.assigned_to) return {};
        CLOISON_TRY_STATUS(
            transaction.execute("UPDATE request SET assigned_to = $2 WHERE request = $1",
                                {storage::blob(request.view()), storage::blob(officer.view())}));
        CLOISON_TRY_STATUS(record_assignment(transaction, request, "taken", officer, now));
        if (row.status != RequestStatus::kSubmitted) return {};
        return change_status(transaction, row, RequestStatus::kInReview, {Party::kOfficer, officer},
                             now);
    });
}

Status release_case(const Store& store, const ActorId& officer, const RequestId& request) {
    const Time now = store.clock.now();
    return store.database.write([&](storage::Transaction& transaction) -> Status {
        CLOISON_TRY_STATUS(find_request(transaction, request, Reach::of_officer(officer)));
        CLOISON_TRY_STATUS(transaction.execute(
            "UPDATE request SET assigned_to = NULL WHERE request = $1 AND assigned_to = $2",
            {storage::blob(request.view()), storage::blob(officer.view())}));
        return record_assignment(transaction, request, "released", officer, now);
    });
}

Status decide_case(const Store& store, const ActorId& officer, const RequestId& request,
                   const Decision& decision) {
    const Time now = store.clock.now();
    const By by{Party::kOfficer, officer};
    return store.database.write([&](storage::Transaction& transaction) -> Status {
        CLOISON_TRY(const auto row, find_request(transaction, request, Reach::of_officer(officer),
                                                 decision.version));
        if (!decision.message && (decision.status == RequestStatus::kActionRequired ||
                                  decision.status == RequestStatus::kRefused))
            return fail(ErrorCode::kInvalidArgument,
                        "This decision needs a message to the resident.");
        CLOISON_TRY_STATUS(change_status(transaction, row, decision.status, by, now));
        if (!decision.message) return {};
        return add_decision_message(transaction, request, *decision.message, by, now);
    });
}

}  // namespace cloison::casework
