#include "keeper/budget.h"

namespace cloison::keeper {
namespace {

constexpr Duration kHour{60 * 60 * 1000};
constexpr Duration kDay{24 * 60 * 60 * 1000};

tl::unexpected<Error> exhausted(const char* which) {
    return fail(ErrorCode::kExhausted,
                std::string("The disclosure budget of ") + which + " is used up.");
}

}  // namespace

void RollingDistinct::advance(Time now) {
    for (; hour_begin_ != by_time_.end() && hour_begin_->at + kHour <= now; ++hour_begin_) {
        hour_begin_->in_hour = false;
        --in_hour_;
    }
    while (!by_time_.empty() && by_time_.front().at + kDay <= now) {
        where_.erase(by_time_.front().thing);
        by_time_.pop_front();
    }
}

bool RollingDistinct::has_room_in_hour(std::uint64_t thing, std::uint32_t bound) const {
    const auto found = where_.find(thing);
    return (found != where_.end() && found->second->in_hour) || in_hour_ < bound;
}

bool RollingDistinct::has_room_in_day(std::uint64_t thing, std::uint32_t bound) const {
    return where_.count(thing) != 0 || by_time_.size() < bound;
}

void RollingDistinct::see(std::uint64_t thing, Time at) {
    auto [found, added] = where_.try_emplace(thing);
    if (added) {
        by_time_.push_back({thing, at, true});
        found->second = std::prev(by_time_.end());
        ++in_hour_;
    } else {
        const Position position = found->second;
        if (!position->in_hour) ++in_hour_;
        if (position == hour_begin_) ++hour_begin_;
        position->at = at;
        position->in_hour = true;
        by_time_.splice(by_time_.end(), by_time_, position);
    }
    if (hour_begin_ == by_time_.end()) hour_begin_ = std::prev(by_time_.end());
}

Status Budgets::check(const Charge& charge, Time now) {
    sweep(now);
    auto& actor = actors_[{charge.actor, charge.purpose->number}];
    actor.advance(now);
    if (!actor.has_room_in_hour(charge.person, charge.purpose->budget.per_hour))
        return exhausted("this actor and purpose for this hour");
    if (!actor.has_room_in_day(charge.person, charge.purpose->budget.per_day))
        return exhausted("this actor and purpose for this day");
    auto& door = doors_[charge.door->number];
    door.advance(now);
    if (!door.has_room_in_hour(charge.person, charge.door->budget.per_hour))
        return exhausted("this door for this hour");
    if (!door.has_room_in_day(charge.person, charge.door->budget.per_day))
        return exhausted("this door for this day");
    return {};
}

void Budgets::charge(const Charge& charge, Time at) {
    auto& actor = actors_[{charge.actor, charge.purpose->number}];
    actor.advance(at);
    actor.see(charge.person, at);
    auto& door = doors_[charge.door->number];
    door.advance(at);
    door.see(charge.person, at);
}

void Budgets::sweep(Time now) {
    if (now - swept_ < kHour) return;
    swept_ = now;
    for (auto entry = actors_.begin(); entry != actors_.end();) {
        entry->second.advance(now);
        entry = entry->second.in_day() == 0 ? actors_.erase(entry) : std::next(entry);
    }
}

}  // namespace cloison::keeper
