#pragma once

#include <mutex>
#include <shared_mutex>
#include <vector>

#include "keeper/budget.h"
#include "keeper/canaries.h"
#include "keeper/erased_persons.h"
#include "keeper/grant_checker.h"
#include "keeper/history.h"
#include "keeper/person_store.h"
#include "keeper/recorder.h"
#include "keeper/refusals.h"

namespace cloison::keeper {

/// Holds the person store against the journal: how many entries there are whose erasures are all
/// applied, and the leaf hash of the last of them. So an older store under a newer journal erases
/// again, and an older or another journal under a newer store is refused. Any thread may call.
class AppliedErasures {
  public:
    /// Both must outlive it.
    AppliedErasures(PersonStore& persons, const journal::Journal& journal)
        : persons_(persons), journal_(journal) {}

    /// At start, before anything is served: erases whom the journal says are erased, from what the
    /// store remembers to the journal's end. kCorrupt if the journal is not the one that the store
    /// remembers, or was rolled back.
    Status replay();

    /// Held from before a line of kind erased is queued until its key is gone.
    std::shared_lock<std::shared_mutex> begin() { return std::shared_lock(under_way_); }
    /// An erasure whose line is durable but whose key is still there: remember() tries again.
    void add_unfinished(const Person& person);

    /// Remembers the journal as it is now, unless an erasure is under way; cheap if nothing is new.
    Status remember();

  private:
    Status check(std::uint64_t applied, ByteView leaf) const;
    Status replay_from(std::uint64_t first);
    Status finish();

    PersonStore& persons_;
    const journal::Journal& journal_;
    std::shared_mutex under_way_;
    std::mutex mutex_;  ///< Guards the rest.
    std::uint64_t remembered_ = 0;
    std::vector<Person> unfinished_;
};

/// Whom the journal says are erased and whose row came back by itself: somebody put an older one in
/// its place. Each is an alarm's worth. For the start.
Result<std::vector<Person>> find_returned(const PersonStore& persons, History& history);

/// Destroys the key of a person, so that nothing that was sealed for them opens any more. The line
/// is durable first; an erasure that a crash cut short is finished at the next start. Any thread
/// may call.
class Eraser {
  public:
    Eraser(GrantChecker& grants, PersonStore& persons, Budgets& budgets, Recorder& recorder,
           AppliedErasures& applied, ErasedPersons& erased, Canaries& canaries, Refusals& refusals,
           Alarms& alarms, Random& random)
        : grants_(grants),
          persons_(persons),
          budgets_(budgets),
          recorder_(recorder),
          applied_(applied),
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
    AppliedErasures& applied_;
    ErasedPersons& erased_;  ///< Used inside the recorder's compose only.
    Canaries& canaries_;
    Refusals& refusals_;  ///< Used inside the recorder's compose only.
    Alarms& alarms_;
    Random& random_;
};

}  // namespace cloison::keeper
