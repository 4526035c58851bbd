#pragma once

#include <vector>

#include "keeper/budget.h"
#include "keeper/canaries.h"
#include "keeper/erased_persons.h"
#include "keeper/grant_checker.h"
#include "keeper/history.h"
#include "keeper/journal_mark.h"
#include "keeper/person_store.h"
#include "keeper/recorder.h"
#include "keeper/refusals.h"

namespace cloison::keeper {

/// Whom the journal says are erased and whose row came back by itself: somebody put an older one in
/// its place. Each is an alarm's worth. For the start.
Result<std::vector<Person>> find_returned(const PersonStore& persons, History& history);

/// Destroys the key of a person, so that nothing that was sealed for them opens any more. The line
/// is durable first; an erasure that a crash cut short is finished at the next start. Any thread
/// may call.
class Eraser {
  public:
    Eraser(GrantChecker& grants, PersonStore& persons, Budgets& budgets, Recorder& recorder,
           JournalMark& mark, ErasedPersons& erased, Canaries& canaries, Refusals& refusals,
           Alarms& alarms, Random& random)
        : grants_(grants),
          persons_(persons),
          budgets_(budgets),
          recorder_(recorder),
          mark_(mark),
          erased_(erased),
          canaries_(canaries),
          refusals_(refusals),
          alarms_(alarms),
          random_(random) {}

    /// Under a grant to erase that names the person. kNotFound if the key is gone already. For a
    /// canary there is an alarm beside the line, also if the budget refuses. What the budget
    /// refuses leaves a line as a disclosure does.
    Status erase(std::string_view door, std::string_view grant);

  private:
    GrantChecker& grants_;
    PersonStore& persons_;
    Budgets& budgets_;  ///< Used inside the recorder's compose only.
    Recorder& recorder_;
    JournalMark& mark_;
    ErasedPersons& erased_;  ///< Used inside the recorder's compose only.
    Canaries& canaries_;
    Refusals& refusals_;  ///< Used inside the recorder's compose only.
    Alarms& alarms_;
    Random& random_;
};

}  // namespace cloison::keeper
