#pragma once

#include <atomic>
#include <map>
#include <optional>
#include <string>
#include <tuple>

#include "base/id.h"
#include "base/time.h"
#include "journal/entry.h"
#include "keeper/recorder.h"

namespace cloison::keeper {

/// Raises alarms: lines of kind alarm in the journal, whose reason says what is wrong ("canary
/// casework copy-1", "budget refusals", "look-ups portal", "journal rolled back", "identity store
/// put back", "witness disagrees"), each with a warning in the log that names nobody.
///
/// The same cause by the same actor for the same purpose leaves at most one line a minute, which
/// says how many went unwritten since ("…, 17 more"), so that nobody can flood the journal with
/// them.
class Alarms {
  public:
    static constexpr std::size_t kMaxRemembered = 10'000;  ///< Then the longest unwritten one goes.

    /// `recorder` must outlive it.
    explicit Alarms(Recorder& recorder) : recorder_(recorder) {}

    /// The line to append beside what sets the alarm off, or nothing: not to be written now. Only
    /// inside the recorder's compose. `about` gives door, purpose, role, actor, session, origin,
    /// person, fields, case and request; its kind and reason do not count. A cause has at most 40
    /// bytes, so that the number fits beside it.
    std::optional<journal::Entry> compose(std::string_view cause, const journal::Entry& about,
                                          Time at);

    /// Writes the line by itself; it is durable when this returns. Any thread may call.
    Status raise(std::string_view cause, const journal::Entry& about = {});

    /// Alarms since the start, also those that left no line.
    std::uint64_t raised() const { return raised_; }

  private:
    struct Last {
        Time written;
        std::uint64_t unwritten = 0;
    };
    void make_room(Time now);

    Recorder& recorder_;
    std::map<std::tuple<std::string, ActorId, std::uint8_t>, Last> last_;  ///< In compose only.
    std::atomic<std::uint64_t> raised_{0};
};

}  // namespace cloison::keeper
