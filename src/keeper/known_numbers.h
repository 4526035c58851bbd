#pragma once

#include "base/result.h"
#include "keeper/person_store.h"
#include "registry/registry.h"

namespace cloison::keeper {

/// Fields, purposes and doors stand in the journal, and fields in every sealed value, as numbers
/// that the register gives them (docs/formats/register.md). The store remembers which number ever
/// meant what. kConflict naming the first that the register now gives another meaning; nothing is
/// changed then. A number that the register does not have any more stays taken. For the start.
Status keep_numbers(const registry::Registry& registry, PersonStore& persons);

}  // namespace cloison::keeper
