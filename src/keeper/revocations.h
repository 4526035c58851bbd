#pragma once

#include <optional>
#include <shared_mutex>
#include <unordered_map>

#include "base/id.h"
#include "base/time.h"
#include "journal/entry.h"
#include "keeper/alarms.h"
#include "keeper/client/grant.h"
#include "keeper/recorder.h"

namespace cloison::keeper {

/// Grants that ended before their time: those of a session, and those of an actor that were issued
/// until a moment. They hold what the journal's lines of kind revoked say, nothing else, and each
/// is kept until no grant that it ends can still be valid. Any thread may call.
class Revocations {
  public:
    /// At the bound everything that was issued before then is revoked at once, and the set begins
    /// anew: whoever acts needs a new grant, and nobody keeps an old one.
    static constexpr std::size_t kMaxLive = 100'000;
    /// How far identity's clock may be ahead of the journal's.
    static constexpr Duration kMaxAhead = kMaxGrantLifetime;

    explicit Revocations(std::size_t max_live = kMaxLive) : max_live_(max_live) {}

    /// Ends all grants of the session, also those issued later. `until` is the time of the one who
    /// ends it; without it, the line's. When it returns, the line is durable and no check that
    /// begins later passes.
    Status revoke(const SessionId& session, std::optional<Time> until, Recorder& recorder,
                  Alarms& alarms);
    /// Ends the actor's grants that were issued at `until` or before. kInvalidArgument if that is
    /// more than kMaxAhead ahead.
    Status revoke(const ActorId& actor, Time until, Recorder& recorder, Alarms& alarms);

    /// kUnauthenticated for a grant that was revoked, or that has surely expired by now.
    Status check(const Grant& grant) const;

    /// What a line of the journal says, at its time; lines in their order. For the start.
    Status replay(const journal::Entry& entry);

    std::size_t live() const;

  private:
    Status write(journal::Entry entry, Recorder& recorder, Alarms& alarms);
    bool apply(const journal::Entry& entry, Time until, Time at);
    void forget(Time at);
    bool revoke_all(Time at);

    const std::size_t max_live_;
    mutable std::shared_mutex mutex_;
    std::unordered_map<SessionId, Time> sessions_;  ///< Until when grants were issued.
    std::unordered_map<ActorId, Time> actors_;
    Time all_until_{};      ///< Everything issued until then is revoked.
    Time expired_until_{};  ///< What ends grants that expired before then may be forgotten.
    Time swept_{};
};

}  // namespace cloison::keeper
