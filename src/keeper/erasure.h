#pragma once

#include "keeper/budget.h"
#include "keeper/grant_checker.h"
#include "keeper/person_store.h"
#include "keeper/recorder.h"

namespace cloison::keeper {

/// Destroys the key of a person, so that nothing that was sealed for them opens any more. The line
/// is durable first; an erasure that a crash cut short is finished at the next start. Any thread
/// may call.
class Eraser {
  public:
    Eraser(GrantChecker& grants, PersonStore& persons, Budgets& budgets, Recorder& recorder,
           Random& random)
        : grants_(grants),
          persons_(persons),
          budgets_(budgets),
          recorder_(recorder),
          random_(random) {}

    /// Under a grant to erase that names the person. kNotFound if the key is gone already.
    Status erase(std::string_view door, std::string_view grant);

  private:
    GrantChecker& grants_;
    PersonStore& persons_;
    Budgets& budgets_;  ///< Used inside the recorder's compose only.
    Recorder& recorder_;
    Random& random_;
};

}  // namespace cloison::keeper
