#include "identity/look_ups.h"

#include <algorithm>

#include "identity/limits.h"

namespace cloison::identity {

Status LookUps::count(const ActorId& actor, const registry::Purpose& purpose,
                      const std::string& email_index, Time now) {
    const std::lock_guard lock(mutex_);
    auto& seen = seen_[{actor, purpose.number}];
    std::erase_if(seen, [&](const auto& one) { return one.second + kDay <= now; });
    const auto is_recent = [&](const auto& one) { return one.second + kHour > now; };
    const auto found = seen.find(email_index);
    const auto in_hour =
        static_cast<std::size_t>(std::count_if(seen.begin(), seen.end(), is_recent));
    const bool fits_hour = (found != seen.end() && is_recent(*found)) ||
                           in_hour < kPerPerson * purpose.budget.per_hour;
    const bool fits_day = found != seen.end() || seen.size() < kPerPerson * purpose.budget.per_day;
    if (!fits_hour || !fits_day)
        return fail(ErrorCode::kExhausted, "Too many addresses were looked up. Try again later.");
    seen[email_index] = now;
    return {};
}

}  // namespace cloison::identity
