#include "keeper/allowance.h"

#include <algorithm>
#include <charconv>

namespace cloison::keeper {
namespace {

constexpr Duration kMinute{60'000};
constexpr Duration kHour = 60 * kMinute;
constexpr Duration kDay = 24 * kHour;
constexpr std::int64_t kSecondMs = 1'000;
constexpr std::string_view kLookUps = "look_ups_";
constexpr std::string_view kOperator = "operator";
constexpr std::string_view kHardenings = "hardenings";

Time next_second(Time at) {
    return from_unix_ms((to_unix_ms(at) + kSecondMs - 1) / kSecondMs * kSecondMs);
}

}  // namespace

void RollingUses::advance(Time now) {
    for (; !hour_.empty() && hour_.front().at + kHour <= now; hour_.pop_front())
        in_hour_ -= hour_.front().count;
    for (; !day_.empty() && day_.front().at + kDay <= now; day_.pop_front())
        in_day_ -= day_.front().count;
}

void RollingUses::add(Time at, std::uint64_t count) {
    const Time second = next_second(at);
    for (auto* uses : {&hour_, &day_}) {
        if (!uses->empty() && uses->back().at == second)
            uses->back().count += count;
        else
            uses->push_back({second, count});
    }
    in_hour_ += count;
    in_day_ += count;
}

Allowance::Allowance(registry::Allowance declared, std::uint8_t door, std::string cause,
                     Recorder& recorder, Alarms& alarms)
    : declared_(std::move(declared)),
      door_(door),
      cause_(std::move(cause)),
      recorder_(recorder),
      alarms_(alarms) {}

Status Allowance::use(std::optional<std::uint64_t> thing) {
    std::unique_lock lock(mutex_);
    for (;;) {
        last_ = std::max(last_, recorder_.now());
        const Time now = last_;
        uses_.advance(now);
        forget_things(now);
        if (is_free(thing)) return {};
        if (uses_.in_hour() >= declared_.budget.per_hour ||
            uses_.in_day() >= declared_.budget.per_day)
            return refuse(lock, now);
        if (left_ > 0 && now < block_end_) {
            --left_;
            count(thing, now);
            return {};
        }
        left_ = 0;
        if (beginning_) {
            begun_.wait(lock, [&] { return !beginning_; });
            continue;
        }
        CLOISON_TRY_STATUS(begin_block(lock));
    }
}

bool Allowance::is_free(std::optional<std::uint64_t> thing) const {
    return thing && things_.contains(*thing);
}

void Allowance::count(std::optional<std::uint64_t> thing, Time now) {
    uses_.add(now, 1);
    if (!thing) return;
    things_.emplace(*thing, now);
    things_by_time_.emplace_back(now, *thing);
}

void Allowance::forget_things(Time now) {
    for (; !things_by_time_.empty() && things_by_time_.front().first + kHour <= now;
         things_by_time_.pop_front())
        things_.erase(things_by_time_.front().second);
}

Status Allowance::begin_block(std::unique_lock<std::mutex>& lock) {
    beginning_ = true;
    lock.unlock();
    journal::Entry entry;
    entry.kind = journal::EntryKind::kLookUps;
    entry.role = registry::Role::kAdministrator;
    entry.door = door_;
    entry.reason = declared_.name + " " + std::to_string(declared_.block);
    const auto written = recorder_.write({std::move(entry)});
    lock.lock();
    beginning_ = false;
    begun_.notify_all();
    if (!written) return fail(written.error());
    left_ = declared_.block;
    block_end_ = written->at + kBlockLifetime;
    return {};
}

Status Allowance::refuse(std::unique_lock<std::mutex>& lock, Time now) {
    const auto exhausted =
        fail(ErrorCode::kExhausted, "The allowance " + declared_.name + " is used up.");
    if (refused_ && now - *refused_ < kMinute) {
        ++unwritten_;
        return exhausted;
    }
    journal::Entry entry;
    entry.kind = journal::EntryKind::kRefused;
    entry.role = registry::Role::kAdministrator;
    entry.door = door_;
    entry.reason = declared_.name;
    if (unwritten_ > 0) entry.reason += ", " + std::to_string(unwritten_) + " more";
    refused_ = now;
    unwritten_ = 0;
    lock.unlock();
    CLOISON_TRY(auto pending, recorder_.queue(2, [&](Time at) {
        std::vector<journal::Entry> lines{entry};
        if (auto alarm = alarms_.compose(cause_, entry, at)) lines.push_back(std::move(*alarm));
        return lines;
    }));
    CLOISON_TRY_STATUS(recorder_.wait(std::move(pending)));
    return exhausted;
}

void Allowance::close_block(Time at) {
    if (!replayed_) return;
    uses_.add(std::min(at, replayed_->at + kBlockLifetime), replayed_->size);
    replayed_.reset();
}

void Allowance::replay(std::uint64_t count, Time at) {
    const std::lock_guard lock(mutex_);
    close_block(at);
    replayed_ = Block{count, at};
    last_ = std::max(last_, at);
}

void Allowance::finish_replay(Time now) {
    const std::lock_guard lock(mutex_);
    close_block(now);
    last_ = std::max(last_, now);
    uses_.advance(last_);
}

std::uint64_t Allowance::in_hour() const {
    const std::lock_guard lock(mutex_);
    return uses_.in_hour();
}

Result<std::unique_ptr<Allowances>> Allowances::create(const registry::Registry& registry,
                                                       Recorder& recorder, Alarms& alarms) {
    auto made = std::make_unique<Allowances>();
    const auto add = [&](std::string name, std::uint8_t door, std::string cause) -> Status {
        const auto* declared = registry.allowance(name);
        if (!declared)
            return fail(ErrorCode::kInvalidArgument, "The register has no allowance " + name + ".");
        made->by_name_.emplace(
            std::move(name),
            std::make_unique<Allowance>(*declared, door, std::move(cause), recorder, alarms));
        return {};
    };
    for (const auto& door : registry.doors())
        CLOISON_TRY_STATUS(
            add(std::string(kLookUps) + door.name, door.number, "look-ups " + door.name));
    CLOISON_TRY_STATUS(add(std::string(kLookUps) + std::string(kOperator), 0, "look-ups operator"));
    CLOISON_TRY_STATUS(add(std::string(kHardenings), 0, "hardenings"));
    return made;
}

Allowance* Allowances::look_ups(std::string_view caller) {
    const auto found = by_name_.find(std::string(kLookUps) + std::string(caller));
    return found == by_name_.end() ? nullptr : found->second.get();
}

Allowance& Allowances::hardenings() {
    return *by_name_.find(kHardenings)->second;
}

Status Allowances::replay(const journal::Entry& entry) {
    const std::string_view reason = entry.reason;
    const auto space = reason.find(' ');
    std::uint64_t count = 0;
    if (space != std::string_view::npos) {
        const char* const end = reason.data() + reason.size();
        const auto read = std::from_chars(reason.data() + space + 1, end, count);
        if (read.ec != std::errc() || read.ptr != end) count = 0;
    }
    if (count == 0) return fail(ErrorCode::kCorrupt, "A line of look-ups does not say how many.");
    const auto found = by_name_.find(reason.substr(0, space));
    if (found != by_name_.end()) found->second->replay(count, entry.time);
    return {};
}

void Allowances::finish_replay(Time now) {
    for (const auto& [name, allowance] : by_name_) allowance->finish_replay(now);
}

}  // namespace cloison::keeper
