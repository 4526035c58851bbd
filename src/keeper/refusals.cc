#include "keeper/refusals.h"

#include <algorithm>

namespace cloison::keeper {
namespace {

constexpr Duration kMinute{60'000};

}  // namespace

std::optional<std::string> Refusals::note(const ActorId& actor, std::uint8_t purpose, Time now) {
    const auto found = last_.find({actor, purpose});
    if (found == last_.end()) {
        make_room(now);
        last_[{actor, purpose}] = {now, 0};
        return "budget";
    }
    Last& last = found->second;
    if (now - last.written < kMinute) {
        ++last.unwritten;
        return std::nullopt;
    }
    std::string reason = "budget";
    if (last.unwritten > 0) reason += ", " + std::to_string(last.unwritten) + " more";
    last = {now, 0};
    return reason;
}

void Refusals::make_room(Time now) {
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
