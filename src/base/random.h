#pragma once

#include <cstdint>
#include <span>

namespace cloison {

/// Source of random bytes, passed in so that tests and the demo population are reproducible.
/// Implementations are safe to call from any thread.
class Random {
  public:
    virtual ~Random() = default;
    virtual void fill(std::span<std::uint8_t> out) = 0;
    /// Uniform in [0, bound); bound must be positive.
    std::uint64_t uniform(std::uint64_t bound);
};

/// The operating system's generator (getrandom). Aborts if it fails.
Random& system_random();

}  // namespace cloison
