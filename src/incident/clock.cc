#include "incident/clock.h"

namespace cloison::incident {

const std::vector<DeadlineRule>& deadline_rules() {
    static const std::vector<DeadlineRule> rules = {
        {"gdpr_33",
         "GDPR Art. 33(1)",
         std::chrono::hours(72),
         {"Notification à l’autorité de contrôle", "Notification of the supervisory authority"}},
    };
    return rules;
}

std::string_view deadline_state_code(DeadlineState state) {
    switch (state) {
        case DeadlineState::kRunning:
            return "running";
        case DeadlineState::kOverdue:
            return "overdue";
        case DeadlineState::kStopped:
            return "stopped";
    }
    return "";
}

Deadline deadline(const DeadlineRule& rule, Time aware, std::optional<Time> stopped, Time now) {
    const Time due = aware + rule.after;
    if (stopped) return {&rule, due, DeadlineState::kStopped, due - *stopped};
    const Duration remaining = due - now;
    const bool is_over = remaining < Duration(0);
    return {&rule, due, is_over ? DeadlineState::kOverdue : DeadlineState::kRunning, remaining};
}

}  // namespace cloison::incident
