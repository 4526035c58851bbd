#include "casework/store.h"

#include <algorithm>
#include <memory>

#include "casework/casework.h"
#include "crypto/seal.h"

namespace cloison::casework {
namespace {

Result<Party> party_from_name(std::string_view name) {
    for (const Party party : {Party::kResident, Party::kOfficer, Party::kSystem})
        if (party_name(party) == name) return party;
    return fail(ErrorCode::kCorrupt, "A history names an unknown party.");
}

Result<std::optional<ActorId>> to_actor(const storage::Row& row, std::size_t column) {
    if (row.is_null(column)) return std::optional<ActorId>();
    CLOISON_TRY(auto actor, ActorId::from_bytes(row.bytes(column)));
    return std::optional<ActorId>(actor);
}

storage::Value to_value(const std::optional<ActorId>& actor) {
    if (!actor) return nullptr;
    return storage::blob(actor->view());
}

std::int64_t next_sequence(const storage::Row& row) {
    return row.is_null(0) ? 1 : row.integer(0) + 1;
}

}  // namespace

crypto::ListKey list_of(const CaseworkPseudonym& pseudonym) {
    return {pseudonym.view(), "requests"};
}

Reach Reach::of_resident(const CaseworkPseudonym& pseudonym) {
    return {"owner = $2", [list = std::make_shared<const crypto::ListKey>(list_of(pseudonym))](
                              const RequestId& request) { return list->mark(request.view()); }};
}

Reach Reach::of_officer(const ActorId& officer) {
    return {"assigned_to = $2", [officer](const RequestId&) { return to_bytes(officer.view()); }};
}

Result<RequestRow> to_request(const storage::Row& row) {
    RequestRow request;
    CLOISON_TRY(request.request, RequestId::from_bytes(row.bytes(0)));
    request.subject = row.bytes(1);
    request.type = row.text(2);
    request.reference = row.text(3);
    CLOISON_TRY(request.status, status_from_code(row.text(4)));
    request.version = static_cast<std::uint32_t>(row.integer(5));
    request.created = from_unix_ms(row.integer(6));
    CLOISON_TRY(request.assigned_to, to_actor(row, 7));
    return request;
}

std::string_view party_name(Party party) {
    switch (party) {
        case Party::kResident:
            return "resident";
        case Party::kOfficer:
            return "officer";
        case Party::kSystem:
            return "system";
    }
    return "";
}

Error no_such_request() {
    return {ErrorCode::kNotFound, "There is no such request."};
}

Status check_sealed(ByteView sealed) {
    if (sealed.size() > kMaxSealedValue)
        return fail(ErrorCode::kTooLarge, "A sealed value has more than 65536 bytes.");
    if (!crypto::sealed_epoch(sealed))
        return fail(ErrorCode::kInvalidArgument, "A value is not sealed.");
    return {};
}

Result<RequestRow> find_request(storage::Transaction& transaction, const RequestId& request,
                                const Reach& reach) {
    CLOISON_TRY(const auto rows,
                transaction.query("SELECT " + std::string(kRequestColumns) +
                                      " FROM request WHERE request = $1 AND " +
                                      std::string(reach.condition),
                                  {storage::blob(request.view()), reach.value(request)}));
    if (rows.empty()) return fail(no_such_request());
    return to_request(rows.front());
}

Result<RequestRow> find_request(storage::Transaction& transaction, const RequestId& request,
                                const Reach& reach, std::uint32_t version) {
    CLOISON_TRY(auto row, find_request(transaction, request, reach));
    if (row.version != version)
        return fail(ErrorCode::kConflict, "The request has changed meanwhile.");
    return row;
}

Result<RequestDetails> read_details(storage::Transaction& transaction, RequestRow row) {
    RequestDetails details;
    const auto id = storage::blob(row.request.view());
    details.row = std::move(row);
    CLOISON_TRY(
        const auto values,
        transaction.query(
            "SELECT field, sealed FROM request_value WHERE request = $1 ORDER BY field", {id}));
    for (const auto& value : values) details.values.push_back({value.text(0), value.bytes(1)});

    CLOISON_TRY(const auto events,
                transaction.query("SELECT sequence, status, party, actor, at_ms FROM "
                                  "status_history WHERE request = $1 ORDER BY sequence",
                                  {id}));
    for (const auto& line : events) {
        StatusEvent event;
        event.sequence = static_cast<std::uint32_t>(line.integer(0));
        CLOISON_TRY(event.status, status_from_code(line.text(1)));
        CLOISON_TRY(event.party, party_from_name(line.text(2)));
        CLOISON_TRY(event.actor, to_actor(line, 3));
        event.at = from_unix_ms(line.integer(4));
        details.history.push_back(event);
    }

    CLOISON_TRY(const auto messages,
                transaction.query("SELECT message, sealed, sender, actor, at_ms FROM message "
                                  "WHERE request = $1 ORDER BY sequence",
                                  {id}));
    for (const auto& line : messages) {
        StoredMessage message;
        CLOISON_TRY(message.message, MessageId::from_bytes(line.bytes(0)));
        message.sealed = line.bytes(1);
        CLOISON_TRY(message.sender, party_from_name(line.text(2)));
        CLOISON_TRY(message.actor, to_actor(line, 3));
        message.at = from_unix_ms(line.integer(4));
        details.messages.push_back(std::move(message));
    }
    return details;
}

Status change_status(storage::Transaction& transaction, const RequestRow& row, RequestStatus to,
                     const By& by, Time now) {
    const auto allowed = next_statuses(row.status, by.party);
    if (std::find(allowed.begin(), allowed.end(), to) == allowed.end())
        return fail(ErrorCode::kConflict, "A request that is " +
                                              std::string(status_code(row.status)) +
                                              " cannot become " + std::string(status_code(to)) +
                                              " by its " + std::string(party_name(by.party)) + '.');
    CLOISON_TRY_STATUS(transaction.execute(
        "UPDATE request SET status = $2, version = version + 1, "
        "submitted_ms = coalesce(submitted_ms, $3) WHERE request = $1",
        {storage::blob(row.request.view()), std::string(status_code(to)),
         to == RequestStatus::kWithdrawn ? storage::Value(nullptr)
                                         : storage::Value(to_unix_ms(to_hour(now)))}));
    CLOISON_TRY_STATUS(add_history(transaction, row.request, to, by, now));
    if (!is_final(to) || !row.assigned_to) return {};
    CLOISON_TRY_STATUS(
        transaction.execute("UPDATE request SET assigned_to = NULL WHERE request = $1",
                            {storage::blob(row.request.view())}));
    return record_assignment(transaction, row.request, "ended", *row.assigned_to, now);
}

Status add_history(storage::Transaction& transaction, const RequestId& request,
                   RequestStatus status, const By& by, Time now) {
    const auto id = storage::blob(request.view());
    CLOISON_TRY(
        const auto last,
        transaction.query_one("SELECT max(sequence) FROM status_history WHERE request = $1", {id}));
    CLOISON_TRY_STATUS(transaction.execute(
        "INSERT INTO status_history (request, sequence, status, party, actor, at_ms) "
        "VALUES ($1, $2, $3, $4, $5, $6)",
        {id, next_sequence(last), std::string(status_code(status)),
         std::string(party_name(by.party)), to_value(by.actor), to_unix_ms(to_hour(now))}));
    return {};
}

Status record_assignment(storage::Transaction& transaction, const RequestId& request,
                         std::string_view event, const ActorId& officer, Time now) {
    const auto id = storage::blob(request.view());
    CLOISON_TRY(const auto last,
                transaction.query_one(
                    "SELECT max(sequence) FROM assignment_history WHERE request = $1", {id}));
    CLOISON_TRY_STATUS(transaction.execute(
        "INSERT INTO assignment_history (request, sequence, event, actor, at_ms) "
        "VALUES ($1, $2, $3, $4, $5)",
        {id, next_sequence(last), std::string(event), storage::blob(officer.view()),
         to_unix_ms(to_hour(now))}));
    return {};
}

}  // namespace cloison::casework
