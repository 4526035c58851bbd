#pragma once

#include <array>
#include <mutex>
#include <string_view>

#include "base/random.h"

namespace cloison {

/// A reproducible generator (xoshiro256**) for tests and the demo population. Its output is
/// predictable: never a key, nonce, token or id of a real person. Safe to call from any thread,
/// but reproducible only where the order of calls is.
class SeededRandom : public Random {
  public:
    explicit SeededRandom(std::uint64_t seed);
    SeededRandom(const SeededRandom& other);
    SeededRandom& operator=(const SeededRandom&) = delete;

    void fill(std::span<std::uint8_t> out) override;

    /// A generator of its own for one part of the work. It depends on the seed and the label, not
    /// on what was drawn before, so that a part added elsewhere changes nothing here.
    SeededRandom split(std::string_view label) const;
    SeededRandom split(std::uint64_t number) const;

  private:
    using State = std::array<std::uint64_t, 4>;
    explicit SeededRandom(const State& origin);
    std::uint64_t next();

    const State origin_;
    std::mutex mutex_;
    State state_;
};

}  // namespace cloison
