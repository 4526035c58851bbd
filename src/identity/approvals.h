#pragma once

#include "identity/core.h"

namespace cloison::identity {

using ApprovalId = Id<struct ApprovalTag>;

/// What one member of staff asks for and another allows.
struct ApprovalRecord {
    ApprovalId id;
    std::string purpose;
    Bytes digest;
    std::string summary;
    ActorId requested_by;
    std::optional<ActorId> approved_by;
    Time requested;
    Time approved;
    Time expires;  ///< Until then it waits; once allowed, until then it opens.
};

/// kNotFound if there is none.
Result<ApprovalRecord> find_approval(storage::Transaction& transaction, const ApprovalId& id);

}  // namespace cloison::identity
