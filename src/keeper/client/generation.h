#pragma once

#include <cstdint>

namespace cloison::keeper {

/// The highest generation of a compartment's database (docs/formats/store-generation.md): 2^62.
inline constexpr std::uint64_t kMaxGeneration = std::uint64_t{1} << 62U;

}  // namespace cloison::keeper
