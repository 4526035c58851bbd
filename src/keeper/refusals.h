#pragma once

#include <deque>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "base/id.h"
#include "base/time.h"
#include "journal/entry.h"
#include "keeper/alarms.h"

namespace cloison::keeper {

/// What becomes of refusals: which get a line of their own in the journal, so that a caller at the
/// end of its budget cannot flood it, and when there are so many that it is an alarm. Of an actor
/// and purpose the first refusal is written, then at most one a minute, which says how many went
/// unwritten since. Beyond `threshold` refusals in a rolling hour, written or not, there is an
/// alarm, once an hour. Rebuilt from the lines, as far as they say. Not safe to share between
/// threads.
class Refusals {
  public:
    static constexpr std::size_t kMaxRemembered = 10'000;  ///< Then the longest unwritten one goes.

    explicit Refusals(std::uint32_t threshold) : threshold_(threshold) {}

    struct Outcome {
        /// The reason to write, "budget" or "budget, 17 more", or nothing: not to be written now.
        std::optional<std::string> line;
        bool alarm = false;
    };
    Outcome note(const ActorId& actor, std::uint8_t purpose, Time now);

    /// The same for one refusal of what `about` says: appends its line, and the alarm if there is
    /// one.
    void add_lines(const journal::Entry& about, Time now, Alarms& alarms,
                   std::vector<journal::Entry>& lines);
    /// The alarm about the actor of `about`, whomever it was about.
    static std::optional<journal::Entry> alarm(journal::Entry about, Time now, Alarms& alarms);

    /// A line of kind refused or alarm, in order, before the first note.
    void replay(const journal::Entry& entry);

  private:
    struct Seen {
        std::optional<Time> written;
        std::uint64_t unwritten = 0;
        std::deque<Time> last;  ///< At most threshold + 1, of the last hour.
        std::optional<Time> alarmed;
    };
    using Key = std::pair<ActorId, std::uint8_t>;
    Seen& seen(const Key& key, Time now);
    void count(Seen& seen, std::uint64_t refusals, Time now) const;
    void make_room(Time now);

    const std::uint32_t threshold_;
    std::map<Key, Seen> seen_;
};

}  // namespace cloison::keeper
