#pragma once

#include <mutex>
#include <optional>
#include <string>

#include "base/id.h"
#include "base/time.h"
#include "casework/requests.h"
#include "crypto/sign.h"
#include "keeper/client/grant.h"
#include "keeper/client/keeper_client.h"
#include "net/rpc.h"

namespace cloison::casework {

/// Who calls, by the grant: decided here alone. Safe to use from any thread.
class Access {
  public:
    Access(crypto::VerifyKey identity_grants, keeper::KeeperClient keeper,
           crypto::SigningKey tickets, Clock& clock);

    /// The person of a self_service grant of a resident, shown by the door that it was issued for.
    Result<CaseworkPseudonym> resident(const net::Caller& caller, const std::string& grant) const;
    /// The officer of a process_request grant that names no person.
    Result<ActorId> officer(const net::Caller& caller, const std::string& grant) const;
    /// The person of an enrolment that the keeper gave for a canary.
    Result<CaseworkPseudonym> enrolled(const std::string& enrolment) const;
    /// The purpose of the grant, to tell which of the two it may be.
    Result<bool> is_resident(const std::string& grant) const;

    /// Makes the handle that a new request keeps in place of its person's pseudonym.
    Result<SubjectMaker> subject_maker(const CaseworkPseudonym& pseudonym) const;
    /// A ticket for the case with this subject, for the officer or, without one, for the person's
    /// own session.
    Result<std::string> ticket(ByteView subject, const std::optional<ActorId>& officer) const;

  private:
    Result<keeper::Grant> verify(const net::Caller& caller, const std::string& grant) const;
    Result<crypto::SealedBoxPublicKey> handle_key() const;

    crypto::VerifyKey identity_grants_;
    keeper::KeeperClient keeper_;
    crypto::SigningKey tickets_;
    Clock& clock_;
    mutable std::mutex mutex_;
    mutable std::optional<crypto::SealedBoxPublicKey> handle_key_;
};

}  // namespace cloison::casework
