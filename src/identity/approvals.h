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

/// Every row has a proof of all that is in it, under a key that is not in the database. kNotFound
/// if there is none, kCorrupt if somebody changed it.
Result<ApprovalRecord> find_approval(const crypto::HashKey& proofs,
                                     storage::Transaction& transaction, const ApprovalId& id);

/// kPermissionDenied unless somebody else than who asked has approved, and still has an account.
Status require_second(const crypto::HashKey& proofs, storage::Transaction& transaction,
                      const ApprovalRecord& approval);

}  // namespace cloison::identity
