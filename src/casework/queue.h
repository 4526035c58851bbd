#pragma once

#include "casework/messages.h"
#include "casework/store.h"

namespace cloison::casework {

/// What officers do. The queue shows no personal data; a case is reached through its assignment.

struct QueueFilter {
    std::optional<RequestStatus> status;
    std::string type;       ///< Empty: all.
    std::string reference;  ///< Empty: all.
    bool mine = false;
    std::uint32_t offset = 0;
    std::uint32_t limit = 0;  ///< 1 to kMaxQueuePage.
};
struct QueuePage {
    std::vector<RequestRow> requests;  ///< Oldest submission first.
    std::uint32_t total = 0;
};
Result<QueuePage> read_queue(const Store& store, const ActorId& officer, const QueueFilter& filter);

/// Taking a case that is submitted moves it to in_review. Taking one's own again changes nothing;
/// another's is NOT_FOUND, like one that is finished or does not exist.
Status take_case(const Store& store, const ActorId& officer, const RequestId& request);
Status release_case(const Store& store, const ActorId& officer, const RequestId& request);

struct Decision {
    std::uint32_t version = 0;  ///< That the officer saw.
    RequestStatus status = RequestStatus::kInReview;
    std::optional<NewMessage> message;  ///< Required with action_required and refused.
};
Status decide_case(const Store& store, const ActorId& officer, const RequestId& request,
                   const Decision& decision);

}  // namespace cloison::casework
