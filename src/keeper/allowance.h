#pragma once

#include <condition_variable>
#include <deque>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string_view>
#include <unordered_map>

#include "base/time.h"
#include "keeper/alarms.h"
#include "keeper/recorder.h"
#include "registry/registry.h"

namespace cloison::keeper {

/// How many uses there were over a rolling hour and day. Each counts from its time on, rounded up
/// to the second, for the hour or day after it. Times never go back. Memory: one entry for each
/// second with a use.
class RollingUses {
  public:
    void advance(Time now);
    void add(Time at, std::uint64_t count);
    std::uint64_t in_hour() const { return in_hour_; }
    std::uint64_t in_day() const { return in_day_; }

  private:
    struct Uses {
        Time at;
        std::uint64_t count;
    };
    std::deque<Uses> day_;
    std::deque<Uses> hour_;
    std::uint64_t in_day_ = 0;
    std::uint64_t in_hour_ = 0;
};

/// An allowance of the register, kept durably: uses come out of blocks, and before the first use of
/// a block the journal has a line that sets it aside ("look_ups_portal 100"). What is left of a
/// block is void kBlockLifetime later. After a restart blocks count in full, as if all of each had
/// been used when the next one was begun, or its time was over, or the restart came: never fewer
/// uses than there were. So nobody resets an allowance by restarts; each costs a block at most. Any
/// thread may call.
class Allowance {
  public:
    static constexpr Duration kBlockLifetime{60 * 60 * 1000};

    /// `door` stands in its lines; 0: none. `cause` is that of its alarm.
    Allowance(registry::Allowance declared, std::uint8_t door, std::string cause,
              Recorder& recorder, Alarms& alarms);

    /// One use. The same `thing` again is free for an hour after it was counted. kExhausted at the
    /// bound: with a line, at most once a minute, and an alarm. Waits for the journal where a block
    /// must be begun.
    Status use(std::optional<std::uint64_t> thing = std::nullopt);

    const std::string& name() const { return declared_.name; }
    /// A line of this allowance that the journal holds, in order, before the first use.
    void replay(std::uint64_t count, Time at);
    /// After the last of them.
    void finish_replay(Time now);

    std::uint64_t in_hour() const;

  private:
    struct Block {
        std::uint64_t size;
        Time at;
    };
    void close_block(Time at);
    void forget_things(Time now);
    bool is_free(std::optional<std::uint64_t> thing) const;
    void count(std::optional<std::uint64_t> thing, Time now);
    Status begin_block(std::unique_lock<std::mutex>& lock);
    Status refuse(std::unique_lock<std::mutex>& lock, Time now);

    const registry::Allowance declared_;
    const std::uint8_t door_;
    const std::string cause_;
    Recorder& recorder_;
    Alarms& alarms_;

    mutable std::mutex mutex_;
    std::condition_variable begun_;
    Time last_{};  ///< No use is counted before an earlier one.
    RollingUses uses_;
    std::optional<Block> replayed_;  ///< The last block of the lines, not counted yet.
    std::uint64_t left_ = 0;         ///< Of the block in use.
    Time block_end_{};
    bool beginning_ = false;  ///< A thread waits for the line of the next block.
    std::unordered_map<std::uint64_t, Time> things_;  ///< Counted in the last hour, and when.
    std::deque<std::pair<Time, std::uint64_t>> things_by_time_;
    std::optional<Time> refused_;  ///< When the last refusal got a line.
    std::uint64_t unwritten_ = 0;  ///< Refusals since.
};

/// Those that the keeper needs, by name: "look_ups_" and the name of a door or "operator", and
/// "hardenings".
class Allowances {
  public:
    /// kInvalidArgument naming one that the register lacks.
    static Result<std::unique_ptr<Allowances>> create(const registry::Registry& registry,
                                                      Recorder& recorder, Alarms& alarms);

    /// Null for a caller that has none.
    Allowance* look_ups(std::string_view caller);
    Allowance& hardenings();

    /// A line of kind kLookUps; one of an allowance that the register no longer has does not count.
    /// kCorrupt for one that says something else.
    Status replay(const journal::Entry& entry);
    void finish_replay(Time now);

  private:
    std::map<std::string, std::unique_ptr<Allowance>, std::less<>> by_name_;
};

}  // namespace cloison::keeper
