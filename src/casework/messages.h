#pragma once

#include "casework/store.h"

namespace cloison::casework {

struct NewMessage {
    MessageId message;  ///< Chosen by the door; what the text is sealed for.
    Bytes sealed;
};

/// A message of the resident or of the officer in charge. kConflict while the request is a draft
/// and when it is finished; kExhausted at kMaxMessages.
Status post_message(const Store& store, const Reach& reach, const RequestId& request,
                    const NewMessage& message, const By& by);
/// The message that goes with a decision: counted apart, so that a full correspondence does not
/// keep an officer from deciding. kExhausted at kMaxDecisionMessages.
Status add_decision_message(storage::Transaction& transaction, const RequestId& request,
                            const NewMessage& message, const By& by, Time now);

}  // namespace cloison::casework
