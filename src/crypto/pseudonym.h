#pragma once

#include <array>
#include <memory>

#include "base/bytes.h"
#include "crypto/keys.h"

namespace cloison::crypto {

using Block = std::array<std::uint8_t, 16>;

/// AES-256 on one block: a keyed permutation of 128-bit ids. Safe to use from several threads.
class BlockPermutation {
  public:
    explicit BlockPermutation(const PseudonymKey& key);
    ~BlockPermutation();
    BlockPermutation(BlockPermutation&&) noexcept;
    Block forward(const Block& block) const;
    Block backward(const Block& block) const;

  private:
    struct Schedules;
    std::unique_ptr<Schedules> schedules_;
};

}  // namespace cloison::crypto
