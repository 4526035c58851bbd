#pragma once

#include "base/time.h"
#include "identity/limits.h"
#include "storage/database.h"

namespace cloison::identity {

/// A try that was counted, as a failure until it is forgiven.
struct Try {
    Bytes subject;
    Time at;
};

/// Limits guessing of one secret: five free failures, then a wait of a minute that doubles with
/// each further one, and never more than 25 failures in any 24 hours. A success ends the row of
/// consecutive failures but does not empty the 24 hours.
///
/// A try is counted, durably, before the guess is looked at: parallel tries cannot pass the limit.
/// E-mail indexes without an account are counted in the same way, so that the limit does not tell
/// whether an account exists; beyond `max_unknown` of them the oldest are forgotten.
class Throttle {
  public:
    Throttle(storage::Database& database, Clock& clock, int max_unknown = kMaxUnknownSubjects)
        : database_(database), clock_(clock), max_unknown_(max_unknown) {}

    /// kExhausted, naming the wait, if the subject is out of tries; the refusal counts for nothing.
    /// `known`: an account stands behind the subject.
    Result<Try> count(ByteView subject, bool known);
    /// Takes a try back because the guess was right. Part of the caller's transaction.
    static Status forgive(storage::Transaction& transaction, const Try& attempt);

  private:
    storage::Database& database_;
    Clock& clock_;
    const int max_unknown_;
};

}  // namespace cloison::identity
