#pragma once

#include "desk/core.h"

namespace cloison::desk {

/// What the first page of data-protection officers and administrators says of the journal's
/// witnesses: `words` (how old the last cosigned checkpoint is, how many lines wait for one) and,
/// if something is wrong, `warning`. Nothing while the keeper does not answer.
web::Json witness_view(const Core& core, const web::Context& context);

}  // namespace cloison::desk
