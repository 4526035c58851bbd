#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/time.h"
#include "registry/registry.h"

namespace cloison::incident {

/// A deadline that the law sets, counted from becoming aware of an incident.
struct DeadlineRule {
    std::string_view code;
    std::string_view law;
    Duration after;
    registry::Label label;
};
/// The rules that apply. GDPR Art. 33(1): 72 hours after having become aware; weekends and public
/// holidays count (EDPB Guidelines 9/2022, paragraph 32, and Regulation 1182/71).
const std::vector<DeadlineRule>& deadline_rules();

enum class DeadlineState {
    kRunning,
    kOverdue,  ///< Passed, and nobody has stopped the clock.
    kStopped,  ///< The authority was told, in time or late: see `remaining`.
};
std::string_view deadline_state_code(DeadlineState state);  ///< running, overdue, stopped

struct Deadline {
    const DeadlineRule* rule;
    Time due;
    DeadlineState state;
    Duration
        remaining;  ///< Until `due`, from now or from when the clock was stopped; may be negative.
};
/// A clock is overdue from the millisecond after `due`: at `due` itself it is still in time.
Deadline deadline(const DeadlineRule& rule, Time aware, std::optional<Time> stopped, Time now);

}  // namespace cloison::incident
