#pragma once

#include "casework/requests.h"

namespace cloison::casework {

/// The request of an invented person, docs/formats/canaries.md.
struct CanaryRequest {
    RequestId request;
    Applicant applicant;
    std::string type;
    std::vector<SealedValue> values;  ///< All that the type requires, and others of it.
};
/// Stores it in a final status, in one transaction: no officer ever meets it. Its history follows
/// that of a finished request drawn by lot, some weeks earlier; where there is none yet, it was
/// submitted and withdrawn. kInvalidArgument for an unknown type, or values that it could not have
/// been submitted with; kConflict for an id that is taken.
Status plant_canary(const Store& store, const CanaryRequest& canary);

}  // namespace cloison::casework
