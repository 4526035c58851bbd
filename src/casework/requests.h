#pragma once

#include "casework/store.h"

namespace cloison::casework {

/// What residents do with their own requests: each function looks up with the pseudonym.

/// Makes the handle of a person and a case of theirs.
using SubjectMaker = std::function<Bytes(const RequestId&)>;

/// Somebody whose request is new.
struct Applicant {
    CaseworkPseudonym pseudonym;
    SubjectMaker subject;
};

/// kInvalidArgument for an unknown type; kExhausted at kMaxOpenRequests or kMaxRequests.
Result<RequestId> create_request(const Store& store, const Applicant& applicant,
                                 const std::string& type);
/// Newest first.
Result<std::vector<RequestRow>> list_requests(const Store& store,
                                              const CaseworkPseudonym& pseudonym);
Result<RequestDetails> get_request(const Store& store, const Reach& reach,
                                   const RequestId& request);

struct ValueChanges {
    std::uint32_t version = 0;  ///< That the writer saw.
    std::vector<SealedValue> written;
    std::vector<std::string> cleared;
};
/// The new version. kConflict if it changed meanwhile or is not the resident's to edit now.
Result<std::uint32_t> save_values(const Store& store, const CaseworkPseudonym& pseudonym,
                                  const RequestId& request, const ValueChanges& changes);
/// draft → submitted, action_required → in_review. kInvalidArgument while a field is missing that
/// the type always requires: what is conditional, only the door can see.
Status submit_request(const Store& store, const CaseworkPseudonym& pseudonym,
                      const RequestId& request, std::uint32_t version);
/// A draft's values go with it.
Status withdraw_request(const Store& store, const CaseworkPseudonym& pseudonym,
                        const RequestId& request);

// In a transaction, for requests that are stored whole (canaries.h).

/// A draft of that id; the person's bounds are the caller's to check.
Status insert_draft(storage::Transaction& transaction, const Store& store, const RequestId& request,
                    const Applicant& applicant, const std::string& type, Time now);
Status check_values(const RequestType& type, const std::vector<SealedValue>& values);
Status write_values(storage::Transaction& transaction, const RequestId& request,
                    const std::vector<SealedValue>& values);
/// kInvalidArgument while a field is missing that the type always requires.
Status check_presence(storage::Transaction& transaction, const RequestId& request,
                      const RequestType& type);

/// Ten characters that are hard to take for one another.
std::string random_reference(Random& random);
/// As somebody may type it: any case, with spaces. kInvalidArgument if it cannot be one.
Result<std::string> read_reference(std::string_view typed);

}  // namespace cloison::casework
