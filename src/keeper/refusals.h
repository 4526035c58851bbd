#pragma once

#include <map>
#include <optional>
#include <string>

#include "base/id.h"
#include "base/time.h"

namespace cloison::keeper {

/// Decides which refusals get a line of their own in the journal, so that a caller at the end of
/// its budget cannot flood it: the first of an actor and purpose, then at most one a minute, which
/// says how many went unwritten since. Not safe to share between threads.
class Refusals {
  public:
    static constexpr std::size_t kMaxRemembered = 10'000;  ///< Then the longest unwritten one goes.

    /// The reason to write, "budget" or "budget, 17 more", or nothing: not to be written now.
    std::optional<std::string> note(const ActorId& actor, std::uint8_t purpose, Time now);

  private:
    struct Last {
        Time written;
        std::uint64_t unwritten = 0;
    };
    void make_room(Time now);
    std::map<std::pair<ActorId, std::uint8_t>, Last> last_;
};

}  // namespace cloison::keeper
