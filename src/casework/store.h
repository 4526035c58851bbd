#pragma once

#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "base/id.h"
#include "base/random.h"
#include "base/time.h"
#include "casework/request_type.h"
#include "casework/status.h"
#include "crypto/unlinkable_list.h"
#include "storage/database.h"

namespace cloison::casework {

/// What the domain functions of casework work with (requests.h, queue.h, messages.h).
struct Store {
    storage::Database& database;
    const std::map<std::string, RequestType>& types;
    Clock& clock;
    Random& random;
};

/// The list of a person's requests: the store holds no pseudonym, only what the list says of a row.
crypto::ListKey list_of(const CaseworkPseudonym& pseudonym);

/// Who may reach a request: it stands in the WHERE clause of every look-up.
struct Reach {
    std::string_view condition;                    ///< With $2 for the value.
    std::function<Bytes(const RequestId&)> value;  ///< By the request that is looked up.

    static Reach of_resident(const CaseworkPseudonym& pseudonym);
    static Reach of_officer(const ActorId& officer);
};

/// One line of the table of requests.
struct RequestRow {
    RequestId request;
    Bytes subject;  ///< A handle of the person and the case, which only the keeper can read.
    std::string type;
    std::string reference;
    RequestStatus status = RequestStatus::kDraft;
    std::uint32_t version = 0;
    Time created;
    std::optional<ActorId> assigned_to;
};
inline constexpr std::string_view kRequestColumns =
    "request, subject, type, reference, status, version, created_ms, assigned_to";
Result<RequestRow> to_request(const storage::Row& row);

struct SealedValue {
    std::string field;
    Bytes sealed;
};
struct StatusEvent {
    std::uint32_t sequence = 0;
    RequestStatus status = RequestStatus::kDraft;
    Party party = Party::kResident;
    std::optional<ActorId> actor;
    Time at;
};
struct StoredMessage {
    MessageId message;
    Bytes sealed;
    Party sender = Party::kResident;
    std::optional<ActorId> actor;
    Time at;
};
struct RequestDetails {
    RequestRow row;
    std::vector<SealedValue> values;
    std::vector<StatusEvent> history;
    std::vector<StoredMessage> messages;
};

/// Who does something, for the histories.
struct By {
    Party party;
    std::optional<ActorId> actor;
};
std::string_view party_name(Party party);

/// The one answer for a request that does not exist and for one that is somebody else's.
Error no_such_request();
/// kInvalidArgument unless it has the form of a sealed field; kTooLarge beyond kMaxSealedValue.
Status check_sealed(ByteView sealed);

Result<RequestRow> find_request(storage::Transaction& transaction, const RequestId& request,
                                const Reach& reach);
/// The same, for a write that names the version that its writer saw; kConflict if it changed.
Result<RequestRow> find_request(storage::Transaction& transaction, const RequestId& request,
                                const Reach& reach, std::uint32_t version);
Result<RequestDetails> read_details(storage::Transaction& transaction, RequestRow row);

/// Moves the request on, adds the line to its history, counts the version up; a final status ends
/// the assignment. kConflict unless the life cycle lets that party do so.
Status change_status(storage::Transaction& transaction, const RequestRow& row, RequestStatus to,
                     const By& by, Time now);
/// A line of the history of assignments: taken, released, ended.
Status record_assignment(storage::Transaction& transaction, const RequestId& request,
                         std::string_view event, const ActorId& officer, Time now);
Status add_history(storage::Transaction& transaction, const RequestId& request,
                   RequestStatus status, const By& by, Time now);

inline Time to_hour(Time time) {
    return truncate(time, std::chrono::hours(1));
}
inline Time to_day(Time time) {
    return truncate(time, std::chrono::days(1));
}

}  // namespace cloison::casework
