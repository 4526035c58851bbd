#pragma once

#include <array>
#include <initializer_list>
#include <memory>

#include "base/bytes.h"
#include "crypto/keys.h"

namespace cloison::crypto {

using Hash = std::array<std::uint8_t, 32>;

/// SHA-256 (FIPS 180-4) of the parts one after another.
Hash sha256(std::initializer_list<ByteView> parts);

/// SHA-256 over a stream.
class Sha256 {
  public:
    Sha256();
    ~Sha256();
    void update(ByteView data);
    Hash finish();  ///< Once; nothing follows it.

  private:
    struct State;
    std::unique_ptr<State> state_;
};

/// BLAKE2b (RFC 7693) of `size` bytes, keyed. `size` and the length of `key` are 16 to 64;
/// anything else is a bug and aborts.
Bytes keyed_hash(ByteView key, ByteView data, std::size_t size = 32);

}  // namespace cloison::crypto
