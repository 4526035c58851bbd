#pragma once

#include <mutex>
#include <string_view>

#include "keeper/alarms.h"
#include "keeper/client/generation.h"
#include "keeper/key_ring.h"
#include "keeper/person_store.h"

namespace cloison::keeper {

/// What the keeper remembers of the compartments' databases, so that an older copy of one that was
/// put back is noticed (docs/formats/store-generation.md). Any thread may call.
class Generations {
  public:
    /// All must outlive it.
    struct Parts {
        PersonStore& persons;
        const KeyRing& keys;
        Alarms& alarms;
        Random& random;
    };
    explicit Generations(const Parts& parts) : parts_(parts) {}

    struct Answer {
        bool put_back = false;      ///< The alarm's line is durable.
        std::uint64_t highest = 0;  ///< That the compartment ever told, this one among them.
    };
    /// What a compartment says of its own database, 0 for none that is authentic. Lower than what
    /// it said last is an alarm, once for each time; so is a memory of it that was changed. Durable
    /// when this returns. kInvalidArgument beyond kMaxGeneration.
    Result<Answer> report(std::string_view compartment, std::uint64_t generation);

  private:
    struct Known {
        std::uint64_t last = 0;
        std::uint64_t highest = 0;
        bool operator==(const Known&) const = default;
    };
    Result<Known> recall(std::string_view compartment) const;
    Status remember(std::string_view compartment, const Known& known);

    const Parts parts_;
    std::mutex mutex_;
};

}  // namespace cloison::keeper
