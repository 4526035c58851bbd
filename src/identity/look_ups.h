#pragma once

#include <map>
#include <mutex>
#include <string>

#include "base/id.h"
#include "base/result.h"
#include "base/time.h"
#include "registry/registry.h"

namespace cloison::identity {

/// Bounds how many addresses a member of staff or a professional may look up, known or not: the
/// keeper's budget counts persons who are opened, and would let anybody try out without end who has
/// an account. Distinct addresses per actor and purpose, at most kPerPerson times as many as the
/// purpose's budget has persons, over a rolling hour and day; in memory. Any thread may call.
class LookUps {
  public:
    /// Some addresses are mistyped or given up.
    static constexpr std::size_t kPerPerson = 2;

    /// kExhausted beyond the bound; what is refused is not counted.
    Status count(const ActorId& actor, const registry::Purpose& purpose,
                 const std::string& email_index, Time now);

  private:
    std::mutex mutex_;
    /// Last look-up of each address. Actors are bounded by kMaxStaff, addresses by the day's bound.
    std::map<std::pair<ActorId, std::uint8_t>, std::map<std::string, Time>> seen_;
};

}  // namespace cloison::identity
