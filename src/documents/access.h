#pragma once

#include <string>

#include "base/id.h"
#include "base/time.h"
#include "crypto/sign.h"
#include "keeper/client/keeper_client.h"
#include "net/rpc.h"

namespace cloison::documents {

/// What the keeper says of a grant: whose documents, of which case. A tag that follows from both
/// stands in the WHERE clause of every look-up.
struct Reach {
    DocumentsPseudonym pseudonym;
    Bytes case_tag;  ///< Empty: no case is named, all of the person's own.
};

/// Who calls, by the grant: decided here alone. Safe to use from any thread.
class Access {
  public:
    Access(crypto::VerifyKey identity_grants, keeper::KeeperClient keeper, Clock& clock);

    /// A resident's grant for self_service that names a case: to add and remove.
    Result<Reach> owner(const net::Caller& caller, const std::string& grant) const;
    /// A resident's own, or an officer's grant for process_request that names the case.
    Result<Reach> reader(const net::Caller& caller, const std::string& grant) const;

    /// The person of an enrolment that the keeper gave for a canary; the case is the caller's.
    Result<Reach> enrolled(const std::string& enrolment, const std::string& case_tag) const;

  private:
    crypto::VerifyKey identity_grants_;
    keeper::KeeperClient keeper_;
    Clock& clock_;
};

}  // namespace cloison::documents
