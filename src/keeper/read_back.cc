#include "keeper/read_back.h"

#include "journal/entry.h"

namespace cloison::keeper {
namespace {

using journal::EntryKind;

/// Budgets look back a day; what was set aside of an allowance may be used for an hour.
constexpr Duration kLookBack{25 * 60 * 60 * 1000};

Result<journal::Entry> read_entry(const journal::Journal& journal, std::uint64_t index) {
    CLOISON_TRY(auto entries, journal.read(index, 1));
    return journal::decode_entry(entries.at(0));
}

/// The first line that is younger than `since`. Times never go back, so halving finds it.
Result<std::uint64_t> first_after(const journal::Journal& journal, Time since) {
    std::uint64_t low = 0;
    std::uint64_t high = journal.size();
    while (low < high) {
        const std::uint64_t middle = low + (high - low) / 2;
        CLOISON_TRY(auto entry, read_entry(journal, middle));
        if (entry.time > since)
            high = middle;
        else
            low = middle + 1;
    }
    return low;
}

void charge(const journal::Entry& entry, const registry::Registry& registry, Budgets& budgets) {
    const auto* purpose = registry.purpose(entry.purpose);
    const auto* door = registry.door(entry.door);
    // A purpose or door that the register no longer has can grant nothing either.
    if (purpose && door) budgets.charge({entry.actor, purpose, door, entry.person}, entry.time);
}

Status replay(const journal::Entry& entry, const registry::Registry& registry,
              const KnownFromLines& known) {
    switch (entry.kind) {
        case EntryKind::kDisclosed:
        case EntryKind::kErased:
            charge(entry, registry, known.budgets);
            return {};
        case EntryKind::kRevoked:
            return known.revocations.replay(entry);
        case EntryKind::kRefused:
        case EntryKind::kAlarm:
            known.refusals.replay(entry);
            return {};
        case EntryKind::kLookUps:
            return known.allowances.replay(entry);
        case EntryKind::kConfigured:
        case EntryKind::kKeyChanged:
        case EntryKind::kListRead:
            break;
    }
    return {};
}

}  // namespace

Result<Time> last_time(const journal::Journal& journal) {
    if (journal.size() == 0) return Time{};
    CLOISON_TRY(auto entry, read_entry(journal, journal.size() - 1));
    return entry.time;
}

Status read_back(const journal::Journal& journal, const registry::Registry& registry, Time last,
                 const KnownFromLines& known) {
    CLOISON_TRY(auto next, first_after(journal, last - kLookBack));
    while (next < journal.size()) {
        CLOISON_TRY(auto entries, journal.read(next, journal::Journal::kMaxRead));
        if (entries.empty()) return fail(ErrorCode::kCorrupt, "The journal gives no entries.");
        for (const auto& bytes : entries) {
            CLOISON_TRY(auto entry, journal::decode_entry(bytes));
            CLOISON_TRY_STATUS(replay(entry, registry, known));
        }
        next += entries.size();
    }
    return {};
}

}  // namespace cloison::keeper
