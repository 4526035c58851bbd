#include "casework/canaries.h"

#include <algorithm>

#include "casework/requests.h"

namespace cloison::casework {
namespace {

using storage::Transaction;

struct AssignmentEvent {
    std::string event;
    ActorId actor;
    Time at;
};

/// What became of a request, and when.
struct Course {
    Time begun;                        ///< As a draft.
    std::vector<StatusEvent> history;  ///< What followed.
    std::vector<AssignmentEvent> assignments;
    std::uint32_t version = 0;  ///< In the end.
};

/// A finished request drawn by lot, with the values that it was decided on and without messages,
/// which a canary has none of.
Result<std::optional<RequestRow>> draw(Transaction& transaction, Random& random) {
    const auto lot = RequestId::random(random);
    for (const char* side : {">= $1", "< $1"}) {
        CLOISON_TRY(
            const auto rows,
            transaction.query(
                "SELECT " + std::string(kRequestColumns) +
                    " FROM request WHERE status IN ('delivered', 'refused', 'withdrawn') AND "
                    "EXISTS (SELECT 1 FROM request_value WHERE request_value.request = "
                    "request.request) AND NOT EXISTS (SELECT 1 FROM message WHERE "
                    "message.request = request.request) AND request " +
                    side + " ORDER BY request LIMIT 1",
                {storage::blob(lot.view())}));
        if (rows.empty()) continue;
        CLOISON_TRY(auto row, to_request(rows.front()));
        return std::optional<RequestRow>(std::move(row));
    }
    return std::optional<RequestRow>();
}

/// The course of another, whole weeks earlier: at hours and on days at which an office works.
Result<Course> course_like(Transaction& transaction, RequestRow model, Random& random) {
    const auto earlier = std::chrono::days(7 * (1 + random.uniform(8)));
    Course course;
    course.version = model.version;
    CLOISON_TRY(const auto rows,
                transaction.query("SELECT event, actor, at_ms FROM assignment_history WHERE "
                                  "request = $1 ORDER BY sequence",
                                  {storage::blob(model.request.view())}));
    for (const auto& row : rows) {
        CLOISON_TRY(const auto actor, ActorId::from_bytes(row.bytes(1)));
        course.assignments.push_back({row.text(0), actor, from_unix_ms(row.integer(2)) - earlier});
    }
    CLOISON_TRY(const auto details, read_details(transaction, std::move(model)));
    for (auto event : details.history) {
        event.at -= earlier;
        if (event.status == RequestStatus::kDraft)
            course.begun = event.at;
        else
            course.history.push_back(event);
    }
    return course;
}

Course withdrawn_course(Time now, Random& random) {
    Course course;
    const Time withdrawn = now - std::chrono::hours(24 + random.uniform(24 * 20));
    const Time submitted = withdrawn - std::chrono::hours(1 + random.uniform(24 * 5));
    course.begun = submitted - std::chrono::hours(random.uniform(24));
    course.history = {{2, RequestStatus::kSubmitted, Party::kResident, std::nullopt, submitted},
                      {3, RequestStatus::kWithdrawn, Party::kResident, std::nullopt, withdrawn}};
    return course;
}

Status follow(Transaction& transaction, const RequestId& request, const Course& course) {
    const auto id = storage::blob(request.view());
    for (const auto& event : course.history) {
        CLOISON_TRY(const auto rows, transaction.query("SELECT " + std::string(kRequestColumns) +
                                                           " FROM request WHERE request = $1",
                                                       {id}));
        CLOISON_TRY(const auto row, to_request(rows.at(0)));
        CLOISON_TRY_STATUS(
            change_status(transaction, row, event.status, {event.party, event.actor}, event.at));
    }
    for (const auto& event : course.assignments)
        CLOISON_TRY_STATUS(
            record_assignment(transaction, request, event.event, event.actor, event.at));
    if (course.version == 0) return {};
    CLOISON_TRY_STATUS(transaction.execute("UPDATE request SET version = $2 WHERE request = $1",
                                           {id, std::int64_t{course.version}}));
    return {};
}

}  // namespace

Status plant_canary(const Store& store, const CanaryRequest& canary) {
    const auto type = store.types.find(canary.type);
    if (type == store.types.end())
        return fail(ErrorCode::kInvalidArgument, "There is no such type of request.");
    CLOISON_TRY_STATUS(check_values(type->second, canary.values));
    const Time now = store.clock.now();
    Status stored = store.database.write([&](Transaction& transaction) -> Status {
        CLOISON_TRY(auto model, draw(transaction, store.random));
        Course course = withdrawn_course(now, store.random);
        if (model) {
            CLOISON_TRY(course, course_like(transaction, std::move(*model), store.random));
        }
        CLOISON_TRY_STATUS(insert_draft(transaction, store, canary.request, canary.applicant,
                                        canary.type, course.begun));
        CLOISON_TRY_STATUS(write_values(transaction, canary.request, canary.values));
        CLOISON_TRY_STATUS(check_presence(transaction, canary.request, type->second));
        return follow(transaction, canary.request, course);
    });
    if (!stored && stored.error().code == ErrorCode::kConflict)
        return fail(ErrorCode::kConflict, "The request's id is taken: choose another.");
    return stored;
}

}  // namespace cloison::casework
