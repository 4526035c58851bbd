#pragma once

#include "journal/journal.h"
#include "keeper/allowance.h"
#include "keeper/budget.h"
#include "keeper/refusals.h"
#include "keeper/revocations.h"

namespace cloison::keeper {

/// What the keeper knows from the journal's lines and from nowhere else, so that nobody resets it
/// without visibly cutting the journal.
struct KnownFromLines {
    Budgets& budgets;
    Refusals& refusals;
    Revocations& revocations;
    Allowances& allowances;
};

/// The time of the journal's last line; 1970 if there is none.
Result<Time> last_time(const journal::Journal& journal);

/// Brings `known` to what it was when the journal's last line, of the time `last`, was written:
/// reads the lines of the day and the hour before.
Status read_back(const journal::Journal& journal, const registry::Registry& registry, Time last,
                 const KnownFromLines& known);

}  // namespace cloison::keeper
