#pragma once

#include <cstdint>
#include <unordered_set>

namespace cloison::keeper {

/// Whose line of kind erased was queued since the start. Their key may be in a caller's hands by
/// then, and goes from the store only after the line is durable; what is asked here is exact, so
/// that no line that discloses them comes behind the one that erases them. Used inside the
/// recorder's compose only. A few bytes an erasure, until the process ends.
class ErasedPersons {
  public:
    void add(std::uint32_t person) { persons_.insert(person); }
    bool contains(std::uint32_t person) const { return persons_.contains(person); }

  private:
    std::unordered_set<std::uint32_t> persons_;
};

}  // namespace cloison::keeper
