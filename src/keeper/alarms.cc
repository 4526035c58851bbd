#include "keeper/alarms.h"

#include <algorithm>

#include "base/log.h"

namespace cloison::keeper {
namespace {

constexpr Duration kMinute{60'000};

}  // namespace

std::optional<journal::Entry> Alarms::compose(std::string_view cause, const journal::Entry& about,
                                              Time at) {
    ++raised_;
    const std::tuple key{std::string(cause), about.actor, about.purpose};
    const auto found = last_.find(key);
    std::uint64_t unwritten = 0;
    if (found != last_.end()) {
        if (at - found->second.written < kMinute) {
            ++found->second.unwritten;
            return std::nullopt;
        }
        unwritten = found->second.unwritten;
        found->second = {at, 0};
    } else {
        make_room(at);
        last_[key] = {at, 0};
    }
    journal::Entry entry = about;
    entry.kind = journal::EntryKind::kAlarm;
    entry.reason = cause;
    if (unwritten > 0) entry.reason += ", " + std::to_string(unwritten) + " more";
    log_warning("Alarm in the journal: " + entry.reason + ".");
    return entry;
}

Status Alarms::raise(std::string_view cause, const journal::Entry& about) {
    CLOISON_TRY(auto pending, recorder_.queue(1, [&](Time at) -> std::vector<journal::Entry> {
        auto entry = compose(cause, about, at);
        if (!entry) return {};
        return {std::move(*entry)};
    }));
    CLOISON_TRY_STATUS(recorder_.wait(std::move(pending)));
    return {};
}

void Alarms::make_room(Time now) {
    if (last_.size() < kMaxRemembered) return;
    std::erase_if(last_, [&](const auto& entry) {
        return now - entry.second.written >= kMinute && entry.second.unwritten == 0;
    });
    if (last_.size() < kMaxRemembered) return;
    last_.erase(std::min_element(last_.begin(), last_.end(), [](const auto& a, const auto& b) {
        return a.second.written < b.second.written;
    }));
}

}  // namespace cloison::keeper
