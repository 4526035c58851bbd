#pragma once

#include "base/secret.h"
#include "keeper/allowance.h"
#include "keeper/key_ring.h"

namespace cloison::keeper {

/// The one form of a value that all its spellings share, for exact look-up: an e-mail address
/// (fields "email" and "…_email") is trimmed, brought to NFKC and lower case; anything else gets
/// NFKC case folding, and its runs of white space become single spaces. kInvalidArgument for what
/// is no UTF-8, empty, or longer than 1,024 bytes.
Result<Secret> normalise_for_index(std::string_view field, ByteView value);
inline constexpr std::size_t kMaxIndexedValue = 1'024;

/// Keyed hashes of normalised values, within the allowance of the service that asks ("look_ups_"
/// and its name in the register): whoever can ask without bound can try all values. The same value
/// again within an hour is free. Any thread may call.
class BlindIndex {
  public:
    BlindIndex(const registry::Registry& registry, const KeyRing& keys, Allowances& allowances)
        : registry_(registry), keys_(keys), allowances_(allowances) {}

    /// 32 bytes. kInvalidArgument for an undeclared field; kExhausted beyond the allowance.
    Result<Bytes> look_up(std::string_view caller, std::string_view field, ByteView value);

  private:
    const registry::Registry& registry_;
    const KeyRing& keys_;
    Allowances& allowances_;
};

}  // namespace cloison::keeper
