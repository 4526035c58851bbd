#pragma once

#include <map>
#include <mutex>
#include <optional>

#include "base/secret.h"
#include "base/time.h"
#include "keeper/budget.h"
#include "keeper/key_ring.h"

namespace cloison::keeper {

/// The one form of a value that all its spellings share, for exact look-up: an e-mail address
/// (fields "email" and "…_email") is trimmed, brought to NFKC and lower case; anything else gets
/// NFKC case folding, and its runs of white space become single spaces. kInvalidArgument for what
/// is no UTF-8, empty, or longer than 1,024 bytes.
Result<Secret> normalise_for_index(std::string_view field, ByteView value);
inline constexpr std::size_t kMaxIndexedValue = 1'024;

/// The operator, who makes staff accounts from the command line, looks up a few addresses only.
inline constexpr registry::Budget kOperatorLookUps{100, 200};

/// Keyed hashes of normalised values, within the budget of the door that asks: whoever can ask
/// without bound can try all values. The budget counts distinct values per rolling hour and day, in
/// memory; look-ups release nothing and leave no line. Any thread may call.
class BlindIndex {
  public:
    BlindIndex(const registry::Registry& registry, const KeyRing& keys, const Clock& clock,
               std::optional<registry::Budget> budget)
        : registry_(registry), keys_(keys), clock_(clock), budget_(budget) {}

    /// 32 bytes. kInvalidArgument for an undeclared field; kExhausted beyond the budget.
    Result<Bytes> look_up(std::string_view door, std::string_view field, ByteView value);

  private:
    const registry::Registry& registry_;
    const KeyRing& keys_;
    const Clock& clock_;
    const std::optional<registry::Budget> budget_;

    std::mutex mutex_;
    Time last_{};
    std::map<std::uint8_t, RollingDistinct> seen_;
};

}  // namespace cloison::keeper
