#pragma once

#include "keeper/canaries.h"

namespace cloison::keeper {

/// A row of the register of canaries, docs/formats/canaries.md: a box under a key of its own,
/// padded to a class so that its length says neither copy nor compartment.

/// Bytes before padding; what one canary's entry may have at most is Canaries::kMaxEntryBytes.
std::size_t canary_entry_size(std::string_view copy, const std::vector<PlainValue>& values);
Bytes seal_canary(const crypto::BoxKey& key, const Canary& canary, Random& random);
/// kCorrupt unless it is the box of that number.
Result<Canary> open_canary(const crypto::BoxKey& key, std::uint64_t number, ByteView box);

}  // namespace cloison::keeper
