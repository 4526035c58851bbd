#pragma once

#include <algorithm>
#include <chrono>
#include <cstddef>

namespace cloison::keeper {

/// How long an append may wait for more calls to share it. Where calls come seldom, not at all:
/// nobody waits who is alone. Where a wait is expected to gather several, an append, a signature
/// and a sync are saved for each, which lets all of them be answered sooner. Not thread-safe.
class Gathering {
  public:
    using Clock = std::chrono::steady_clock;
    static constexpr std::chrono::microseconds kLongest{1'000};
    /// Fewer calls than this in kLongest are not waited for.
    static constexpr std::size_t kWorthwhile = 6;

    /// A call came. Moments do not go back.
    void note(Clock::time_point now) {
        const auto gap = std::min<Clock::duration>(now - last_, kIdle);
        last_ = now;
        gap_ += (gap - gap_) / kMemory;
    }
    /// How many calls to wait for, at most kLongest; 0: none.
    std::size_t expected() const {
        const auto calls = static_cast<std::size_t>(
            kLongest / std::max<Clock::duration>(gap_, std::chrono::nanoseconds(100)));
        return calls < kWorthwhile ? 0 : calls;
    }
    /// Whether none is likely to come while another is appended.
    bool are_seldom() const { return gap_ >= kLongest; }

  private:
    static constexpr Clock::duration kIdle = std::chrono::milliseconds(10);
    static constexpr int kMemory = 64;  ///< Calls that the average gap is over, about.

    Clock::time_point last_{};
    Clock::duration gap_ = kIdle;
};

}  // namespace cloison::keeper
