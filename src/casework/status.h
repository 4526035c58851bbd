#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "registry/registry.h"

namespace cloison::casework {

/// The life cycle of a request, docs/formats/request.md. The history of statuses is append-only.
enum class RequestStatus {
    kDraft,
    kSubmitted,
    kInReview,
    kActionRequired,
    kApproved,
    kRefused,
    kInProduction,
    kReady,
    kDelivered,
    kWithdrawn,
};

enum class Party { kResident, kOfficer, kSystem };

std::string_view status_code(RequestStatus status);  ///< draft, submitted, in_review, …
Result<RequestStatus> status_from_code(std::string_view code);
const registry::Label& status_label(RequestStatus status);
/// Where `party` may move a request from `from`; empty if nowhere.
std::vector<RequestStatus> next_statuses(RequestStatus from, Party party);
/// No further change.
bool is_final(RequestStatus status);
/// True while the resident may change the values.
bool is_editable(RequestStatus status);

}  // namespace cloison::casework
