#include "casework/status.h"

#include <algorithm>
#include <array>

namespace cloison::casework {
namespace {

struct Entry {
    RequestStatus status;
    std::string_view code;
    registry::Label label;
};

/// In the order of the enumeration.
const std::array<Entry, 10>& entries() {
    static const std::array<Entry, 10> kEntries{{
        {RequestStatus::kDraft, "draft", {"Brouillon", "Draft"}},
        {RequestStatus::kSubmitted, "submitted", {"Déposée", "Submitted"}},
        {RequestStatus::kInReview, "in_review", {"En instruction", "Under review"}},
        {RequestStatus::kActionRequired, "action_required", {"À corriger", "To be corrected"}},
        {RequestStatus::kApproved, "approved", {"Acceptée", "Accepted"}},
        {RequestStatus::kRefused, "refused", {"Refusée", "Refused"}},
        {RequestStatus::kInProduction, "in_production", {"En production", "In production"}},
        {RequestStatus::kReady, "ready", {"Disponible au guichet", "Ready to collect"}},
        {RequestStatus::kDelivered, "delivered", {"Remise", "Delivered"}},
        {RequestStatus::kWithdrawn, "withdrawn", {"Retirée", "Withdrawn"}},
    }};
    return kEntries;
}

const Entry& entry(RequestStatus status) {
    return entries().at(static_cast<std::size_t>(status));
}

struct Step {
    RequestStatus from;
    RequestStatus to;
    Party party;
};

constexpr std::array kSteps{
    Step{RequestStatus::kDraft, RequestStatus::kSubmitted, Party::kResident},
    Step{RequestStatus::kDraft, RequestStatus::kWithdrawn, Party::kResident},
    Step{RequestStatus::kSubmitted, RequestStatus::kWithdrawn, Party::kResident},
    Step{RequestStatus::kSubmitted, RequestStatus::kInReview, Party::kOfficer},
    Step{RequestStatus::kInReview, RequestStatus::kActionRequired, Party::kOfficer},
    Step{RequestStatus::kInReview, RequestStatus::kApproved, Party::kOfficer},
    Step{RequestStatus::kInReview, RequestStatus::kRefused, Party::kOfficer},
    Step{RequestStatus::kInReview, RequestStatus::kWithdrawn, Party::kResident},
    Step{RequestStatus::kActionRequired, RequestStatus::kInReview, Party::kResident},
    Step{RequestStatus::kActionRequired, RequestStatus::kWithdrawn, Party::kResident},
    Step{RequestStatus::kActionRequired, RequestStatus::kRefused, Party::kOfficer},
    Step{RequestStatus::kApproved, RequestStatus::kInProduction, Party::kOfficer},
    Step{RequestStatus::kApproved, RequestStatus::kInProduction, Party::kSystem},
    Step{RequestStatus::kInProduction, RequestStatus::kReady, Party::kOfficer},
    Step{RequestStatus::kInProduction, RequestStatus::kReady, Party::kSystem},
    Step{RequestStatus::kReady, RequestStatus::kDelivered, Party::kOfficer},
};

}  // namespace

std::string_view status_code(RequestStatus status) {
    return entry(status).code;
}

Result<RequestStatus> status_from_code(std::string_view code) {
    for (const Entry& candidate : entries())
        if (candidate.code == code) return candidate.status;
    return fail(ErrorCode::kInvalidArgument, "There is no such status of a request.");
}

const registry::Label& status_label(RequestStatus status) {
    return entry(status).label;
}

std::vector<RequestStatus> next_statuses(RequestStatus from, Party party) {
    std::vector<RequestStatus> next;
    for (const Step& step : kSteps)
        if (step.from == from && step.party == party) next.push_back(step.to);
    return next;
}

bool is_final(RequestStatus status) {
    return std::none_of(kSteps.begin(), kSteps.end(),
                        [&](const Step& step) { return step.from == status; });
}

bool is_editable(RequestStatus status) {
    return status == RequestStatus::kDraft || status == RequestStatus::kActionRequired;
}

}  // namespace cloison::casework
