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
    // Counted once the allowance is used: what that refuses must not push accounts out.
    if (!has_room(account)) return refuse();
    CLOISON_TRY_STATUS(allowance_.use());
    if (!count(account)) return refuse();  // Others came in between.
    return keys_.harden(record, stretched);
}

tl::unexpected<Error> Hardener::refuse() {
    if (auto raised = alarms_.raise("hardenings of one account"); !raised)
        return fail(raised.error());
    return fail(ErrorCode::kExhausted, "Too many passwords were tried on one account.");
}

std::int64_t Hardener::slot_now() const {
    return to_unix_ms(recorder_.now()) / kSlotMs;
}

/// Slots that are over are emptied.
void Hardener::Account::move_to(std::int64_t now) {
    constexpr auto kCount = static_cast<std::int64_t>(kSlots);
    for (; slot < now; ++slot) {
        if (now - slot > kCount) slot = now - kCount;
        used[static_cast<std::size_t>((slot + 1) % kCount)] = 0;
    }
}

std::uint32_t Hardener::Account::total() const {
    return std::accumulate(used.begin(), used.end(), std::uint32_t{0});
}

bool Hardener::has_room(const Record& record) {
    const std::int64_t now = slot_now();
    const std::lock_guard lock(mutex_);
    const auto found = by_record_.find(record);
    if (found == by_record_.end()) return true;
    by_use_.splice(by_use_.begin(), by_use_, found->second);
    found->second->move_to(now);
    return found->second->total() < per_account_;
}

/// Whether there was room for one more.
bool Hardener::count(const Record& record) {
    const std::int64_t now = slot_now();
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
    account.move_to(now);
    if (account.total() >= per_account_) return false;
    ++account.used[static_cast<std::size_t>(now % static_cast<std::int64_t>(Account::kSlots))];
    return true;
}

}  // namespace cloison::keeper
