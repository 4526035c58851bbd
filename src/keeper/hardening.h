#pragma once

#include <array>
#include <list>
#include <mutex>
#include <unordered_map>

#include "keeper/allowance.h"
#include "keeper/key_ring.h"

namespace cloison::keeper {

/// Hardens stretched passwords, within bounds: whoever holds identity's key and its database could
/// otherwise try passwords here without end. All together come out of the allowance "hardenings";
/// one account has so many in a rolling hour as the register's threshold says, counted in slots of
/// five minutes, a slot too many rather than one too few. The accounts' counts are in memory, of
/// kMaxAccounts at most; then the one that was not asked about for longest is forgotten. A call
/// that the allowance refuses makes none forgotten. Any thread may call.
class Hardener {
  public:
    static constexpr std::size_t kMaxAccounts = 100'000;

    Hardener(const KeyRing& keys, std::uint32_t per_account, Allowances& allowances,
             Recorder& recorder, Alarms& alarms, std::size_t max_accounts = kMaxAccounts)
        : keys_(keys),
          per_account_(per_account),
          allowance_(allowances.hardenings()),
          recorder_(recorder),
          alarms_(alarms),
          max_accounts_(max_accounts) {}

    /// As KeyRing::harden. kExhausted beyond either bound, with an alarm.
    Result<Bytes> harden(ByteView record, ByteView stretched);

  private:
    using Record = std::array<std::uint8_t, 16>;
    struct HashOfRecord {
        std::size_t operator()(const Record& record) const;
    };
    struct Account {
        static constexpr std::size_t kSlots = 13;  ///< An hour, and the slot that is under way.
        Record record{};
        std::array<std::uint16_t, kSlots> used{};
        std::int64_t slot = 0;  ///< Number of the newest.

        void move_to(std::int64_t now);
        std::uint32_t total() const;
    };
    tl::unexpected<Error> refuse();  ///< With an alarm.
    std::int64_t slot_now() const;
    bool has_room(const Record& record);
    bool count(const Record& record);

    const KeyRing& keys_;
    const std::uint32_t per_account_;
    Allowance& allowance_;
    Recorder& recorder_;
    Alarms& alarms_;
    const std::size_t max_accounts_;

    std::mutex mutex_;
    std::list<Account> by_use_;  ///< Most recent first.
    std::unordered_map<Record, std::list<Account>::iterator, HashOfRecord> by_record_;
};

}  // namespace cloison::keeper
