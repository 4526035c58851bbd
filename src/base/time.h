#pragma once

#include <atomic>
#include <chrono>
#include <string>
#include <string_view>

#include "base/result.h"

namespace cloison {

/// UTC, in milliseconds since 1970-01-01.
using Time = std::chrono::sys_time<std::chrono::milliseconds>;
using Duration = std::chrono::milliseconds;

inline std::int64_t to_unix_ms(Time time) {
    return time.time_since_epoch().count();
}
inline Time from_unix_ms(std::int64_t ms) {
    return Time(Duration(ms));
}
inline std::int64_t to_unix_seconds(Time time) {
    return to_unix_ms(time) / 1000;
}

/// RFC 3339 in UTC, to the second or the millisecond: 2026-04-13T09:30:00Z.
std::string format_rfc3339(Time time, bool with_ms = false);
/// Accepts what format_rfc3339 writes, with any offset; kInvalidArgument otherwise.
Result<Time> parse_rfc3339(std::string_view text);

/// Rounds down to a multiple of `unit` (for stores that must not betray who is who).
inline Time truncate(Time time, Duration unit) {
    const Duration since = time.time_since_epoch();
    const Duration rest = since % unit;
    return Time(since - (rest < Duration(0) ? rest + unit : rest));
}

/// Passed in wherever the time matters, so that expiry is tested without sleeping.
/// Implementations are safe to call from any thread.
class Clock {
  public:
    virtual ~Clock() = default;
    virtual Time now() const = 0;
};

Clock& system_clock();

/// A clock that stands still until it is told to move.
class ManualClock : public Clock {
  public:
    explicit ManualClock(Time start) : ms_(to_unix_ms(start)) {}
    Time now() const override { return from_unix_ms(ms_.load()); }
    void set(Time time) { ms_.store(to_unix_ms(time)); }
    void advance(Duration by) { ms_.fetch_add(by.count()); }

  private:
    std::atomic<std::int64_t> ms_;
};

}  // namespace cloison
