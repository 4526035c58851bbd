#include "keeper/hardening.h"

#include <algorithm>
#include <cstring>
#include <numeric>

namespace cloison::keeper {
namespace {

constexpr std::int64_t kSlotMs = 5 * 60 * 1000;

}  // namespace

std::size_t Hardener::HashOfRecord::operator()(const Record& record) const {
    std::size_t value;
    std::memcpy(&value, record.data(), sizeof value);
    return value;
}

Result<Bytes> Hardener::harden(ByteView record, ByteView stretched) {
    Record account{};
    if (record.size() != account.size())
        return fail(ErrorCode::kInvalidArgument, "A record id has 16 bytes.");
    std::copy(record.begin(), record.end(), account.begin());
    if (!count(account)) {
        CLOISON_TRY_STATUS(alarms_.raise("hardenings of one account"));
        return fail(ErrorCode::kExhausted, "Too many passwords were tried on one account.");
    }
    CLOISON_TRY_STATUS(allowance_.use());
    return keys_.harden(record, stretched);
}

/// Whether there is room for one more.
bool Hardener::count(const Record& record) {
    const std::int64_t now = to_unix_ms(recorder_.now()) / kSlotMs;
    const std::lock_guard lock(mutex_);
    auto found = by_record_.find(record);
    if (found == by_record_.end()) {
        if (by_use_.size() >= max_accounts_) {
            by_record_.erase(by_use_.back().record);
            by_use_.pop_back();
        }
        by_use_.push_front({record, {}, now});
        found = by_record_.emplace(record, by_use_.begin()).first;
    } else {
        by_use_.splice(by_use_.begin(), by_use_, found->second);
    }
    Account& account = by_use_.front();
    constexpr auto kSlots = static_cast<std::int64_t>(Account::kSlots);
    for (; account.slot < now; ++account.slot) {
        if (now - account.slot > kSlots) account.slot = now - kSlots;
        account.used[static_cast<std::size_t>((account.slot + 1) % kSlots)] = 0;
    }
    const auto used = std::accumulate(account.used.begin(), account.used.end(), std::uint32_t{0});
    if (used >= per_account_) return false;
    ++account.used[static_cast<std::size_t>(now % kSlots)];
    return true;
}

}  // namespace cloison::keeper
