#include "keeper/refusals.h"

#include <algorithm>
#include <charconv>

namespace cloison::keeper {
namespace {

constexpr Duration kMinute{60'000};
constexpr Duration kHour = 60 * kMinute;
constexpr std::string_view kBudget = "budget";
constexpr std::string_view kCause = "budget refusals";

/// How many refusals a line stands for: itself and those of ", 17 more".
std::uint64_t refusals_of(std::string_view reason) {
    reason.remove_prefix(kBudget.size());
    if (!reason.starts_with(", ")) return 1;
    std::uint64_t more = 0;
    std::from_chars(reason.data() + 2, reason.data() + reason.size(), more);
    return 1 + more;
}

}  // namespace

Refusals::Outcome Refusals::note(const ActorId& actor, std::uint8_t purpose, Time now) {
    Seen& seen = this->seen({actor, purpose}, now);
    Outcome outcome;
    if (seen.written && now - *seen.written < kMinute) {
        ++seen.unwritten;
    } else {
        outcome.line = kBudget;
        if (seen.unwritten > 0) *outcome.line += ", " + std::to_string(seen.unwritten) + " more";
        seen.written = now;
        seen.unwritten = 0;
    }
    count(seen, 1, now);
    outcome.alarm =
        seen.last.size() > threshold_ && (!seen.alarmed || *seen.alarmed + kHour <= now);
    if (outcome.alarm) seen.alarmed = now;
    return outcome;
}

void Refusals::add_lines(const journal::Entry& about, Time now, Alarms& alarms,
                         std::vector<journal::Entry>& lines) {
    auto outcome = note(about.actor, about.purpose, now);
    if (outcome.line) {
        lines.push_back(about);
        lines.back().kind = journal::EntryKind::kRefused;
        lines.back().reason = std::move(*outcome.line);
    }
    if (!outcome.alarm) return;
    if (auto entry = alarm(about, now, alarms)) lines.push_back(std::move(*entry));
}

std::optional<journal::Entry> Refusals::alarm(journal::Entry about, Time now, Alarms& alarms) {
    about.person = 0;
    about.fields.reset();
    about.case_reference = {};
    return alarms.compose(kCause, about, now);
}

void Refusals::replay(const journal::Entry& entry) {
    const Key key{entry.actor, entry.purpose};
    if (entry.kind == journal::EntryKind::kAlarm && entry.reason.starts_with(kCause)) {
        seen(key, entry.time).alarmed = entry.time;
    } else if (entry.kind == journal::EntryKind::kRefused && entry.reason.starts_with(kBudget)) {
        Seen& seen = this->seen(key, entry.time);
        seen.written = entry.time;
        count(seen, refusals_of(entry.reason), entry.time);
    }
}

void Refusals::count(Seen& seen, std::uint64_t refusals, Time now) const {
    const std::size_t kept = std::size_t{threshold_} + 1;
    seen.last.insert(seen.last.end(), std::min<std::uint64_t>(refusals, kept), now);
    while (seen.last.size() > kept || (!seen.last.empty() && seen.last.front() + kHour <= now))
        seen.last.pop_front();
}

Refusals::Seen& Refusals::seen(const Key& key, Time now) {
    const auto found = seen_.find(key);
    if (found != seen_.end()) return found->second;
    make_room(now);
    return seen_[key];
}

void Refusals::make_room(Time now) {
    if (seen_.size() < kMaxRemembered) return;
    std::erase_if(seen_, [&](const auto& entry) {
        const Seen& seen = entry.second;
        return (!seen.written || now - *seen.written >= kHour) && seen.unwritten == 0 &&
               (!seen.alarmed || now - *seen.alarmed >= kHour);
    });
    if (seen_.size() < kMaxRemembered) return;
    seen_.erase(std::min_element(seen_.begin(), seen_.end(), [](const auto& a, const auto& b) {
        return a.second.written < b.second.written;
    }));
}

}  // namespace cloison::keeper
