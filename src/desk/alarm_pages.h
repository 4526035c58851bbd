#pragma once

#include "desk/core.h"

namespace cloison::desk {

/// Alarms are for the data-protection officer and for administrators.
bool may_see_alarms(const web::Context& context);

/// Alarms that nobody has acknowledged; 0 for whoever may not see them, or while the keeper does
/// not answer: its silence must not take the other pages along.
std::uint64_t waiting_alarms(const Core& core, const web::Context& context);

/// What the first page of a role says about them: `text` and `link`; nothing if none waits.
web::Json alarm_notice(const Core& core, const web::Context& context);

}  // namespace cloison::desk
