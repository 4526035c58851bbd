#pragma once

#include <list>
#include <map>
#include <unordered_map>

#include "base/id.h"
#include "base/time.h"
#include "registry/registry.h"

namespace cloison::keeper {

/// How many distinct things were seen over the last rolling hour and day: exact, in memory in
/// proportion to the distinct things of a day. Something seen at t counts until, not at, t +
/// period. Times never go back.
class RollingDistinct {
  public:
    /// Forgets what is older than a day.
    void advance(Time now);
    /// Whether `thing` fits: it is counted already, or there is room for one more.
    bool has_room_in_hour(std::uint64_t thing, std::uint32_t bound) const;
    bool has_room_in_day(std::uint64_t thing, std::uint32_t bound) const;
    void see(std::uint64_t thing, Time at);

    std::size_t in_hour() const { return in_hour_; }
    std::size_t in_day() const { return by_time_.size(); }

  private:
    struct Seen {
        std::uint64_t thing;
        Time at;
        bool in_hour;
    };
    using Position = std::list<Seen>::iterator;

    std::list<Seen> by_time_;               ///< Oldest first.
    Position hour_begin_ = by_time_.end();  ///< The oldest of the last hour.
    std::size_t in_hour_ = 0;
    std::unordered_map<std::uint64_t, Position> where_;

  public:
    RollingDistinct() = default;
    RollingDistinct(const RollingDistinct&) = delete;  ///< hour_begin_ points into by_time_.
    RollingDistinct& operator=(const RollingDistinct&) = delete;
};

/// What one line of the journal is charged to.
struct Charge {
    ActorId actor;
    const registry::Purpose* purpose;
    const registry::Door* door;
    std::uint32_t person;
};

/// The disclosure budgets: distinct persons per actor and purpose, and per door, per rolling hour
/// and day. They hold what the journal's lines of the last day say, nothing else: the recorder
/// charges while it writes a line (recorder.h), and Keeper::open charges the lines that it reads
/// back. Not safe to share between threads.
class Budgets {
  public:
    /// kExhausted naming the budget that has no room for the person.
    Status check(const Charge& charge, Time now);
    void charge(const Charge& charge, Time at);

    std::size_t actors() const { return actors_.size(); }  ///< Pairs of actor and purpose.

  private:
    void sweep(Time now);

    std::map<std::pair<ActorId, std::uint8_t>, RollingDistinct> actors_;
    std::map<std::uint8_t, RollingDistinct> doors_;
    Time swept_{};
};

}  // namespace cloison::keeper
