#include "casework/messages.h"

#include "casework/casework.h"

namespace cloison::casework {
namespace {

Status insert_message(storage::Transaction& transaction, const RequestId& request,
                      const NewMessage& message, const By& by, bool with_decision, Time now) {
    CLOISON_TRY_STATUS(check_sealed(message.sealed));
    const auto id = storage::blob(request.view());
    CLOISON_TRY(
        const auto row,
        transaction.query_one("SELECT count(*), count(CASE WHEN with_decision = 1 THEN 1 END) "
                              "FROM message WHERE request = $1",
                              {id}));
    const std::int64_t all = row.integer(0);
    const std::int64_t of_decisions = row.integer(1);
    if (!with_decision && all - of_decisions >= kMaxMessages)
        return fail(ErrorCode::kExhausted, "A request has at most 100 messages.");
    if (with_decision && of_decisions >= kMaxDecisionMessages)
        return fail(ErrorCode::kExhausted,
                    "A request has at most 20 messages that go with decisions.");
    CLOISON_TRY_STATUS(transaction.execute(
        "INSERT INTO message (request, sequence, message, sealed, sender, actor, with_decision, "
        "at_ms) VALUES ($1, $2, $3, $4, $5, $6, $7, $8)",
        {id, all + 1, storage::blob(message.message.view()), message.sealed,
         std::string(party_name(by.party)),
         by.actor ? storage::blob(by.actor->view()) : storage::Value(nullptr),
         std::int64_t{with_decision ? 1 : 0}, to_unix_ms(to_hour(now))}));
    return {};
}

}  // namespace

Status post_message(const Store& store, const Reach& reach, const RequestId& request,
                    const NewMessage& message, const By& by) {
    const Time now = store.clock.now();
    return store.database.write([&](storage::Transaction& transaction) -> Status {
        CLOISON_TRY(const auto row, find_request(transaction, request, reach));
        if (row.status == RequestStatus::kDraft || is_final(row.status))
            return fail(ErrorCode::kConflict, "A request that is " +
                                                  std::string(status_code(row.status)) +
                                                  " takes no messages.");
        return insert_message(transaction, request, message, by, false, now);
    });
}

Status add_decision_message(storage::Transaction& transaction, const RequestId& request,
                            const NewMessage& message, const By& by, Time now) {
    return insert_message(transaction, request, message, by, true, now);
}

}  // namespace cloison::casework
