#include "keeper/erasure.h"

#include <algorithm>
#include <unordered_set>

namespace cloison::keeper {
namespace {

static_assert(journal::Journal::kMaxRead <= PersonStore::kMaxEnrolment);
constexpr std::string_view kErase = "erase";
/// Number of entries (8 bytes) and leaf hash of the last of them.
constexpr std::string_view kApplied = "erasures applied";
constexpr std::size_t kNumberSize = 8;

Result<crypto::Hash> leaf_at(const journal::Journal& journal, std::uint64_t index) {
    CLOISON_TRY(const auto entries, journal.read(index, 1));
    if (entries.empty()) return fail(ErrorCode::kCorrupt, "The journal gives no entries.");
    return journal::Journal::leaf_hash(entries[0]);
}

/// Of at most as many as find() takes.
Result<std::vector<Person>> find_living(const PersonStore& persons,
                                        const std::vector<std::uint32_t>& ordinals) {
    CLOISON_TRY(const auto found, persons.find(ordinals));
    std::vector<Person> living;
    for (const auto& person : found)
        if (person) living.push_back(*person);
    return living;
}

}  // namespace

Status AppliedErasures::check(std::uint64_t applied, ByteView leaf) const {
    if (journal_.size() < applied)
        return fail(ErrorCode::kCorrupt,
                    "The journal was rolled back: it has " + std::to_string(journal_.size()) +
                        " entries, and persons.sqlite remembers " + std::to_string(applied) +
                        ". Put the newest copy of the journal in its place.");
    if (applied == 0) return {};
    CLOISON_TRY(const auto found, leaf_at(journal_, applied - 1));
    if (equal_constant_time(found, leaf)) return {};
    return fail(ErrorCode::kCorrupt,
                "The journal is not the one that persons.sqlite remembers: entry " +
                    std::to_string(applied - 1) + " is another.");
}

Status AppliedErasures::replay() {
    CLOISON_TRY(const auto known, persons_.setting(kApplied));
    std::uint64_t applied = 0;
    if (!known.empty()) {
        if (known.size() != kNumberSize + crypto::Hash{}.size())
            return fail(ErrorCode::kCorrupt, "persons.sqlite does not say what it remembers.");
        applied = get_u64(known);
        CLOISON_TRY_STATUS(check(applied, ByteView(known).subspan(kNumberSize)));
    }
    CLOISON_TRY_STATUS(replay_from(applied));
    {
        const std::lock_guard lock(mutex_);
        remembered_ = applied;
    }
    return remember();
}

Status AppliedErasures::replay_from(std::uint64_t first) {
    std::uint32_t highest = 0;
    bool older = false;
    // Ordinals come in no order: that the highest is known says nothing of the others.
    std::unordered_set<std::uint32_t> looked_up;
    while (first < journal_.size()) {
        CLOISON_TRY(const auto entries, journal_.read(first, journal::Journal::kMaxRead));
        if (entries.empty()) return fail(ErrorCode::kCorrupt, "The journal gives no entries.");
        std::vector<std::uint32_t> erased;
        for (const auto& bytes : entries) {
            CLOISON_TRY(const auto entry, journal::decode_entry(bytes));
            if (entry.kind == journal::EntryKind::kErased) erased.push_back(entry.person);
            highest = std::max(highest, entry.person);
            if (entry.person == 0 || older || !looked_up.insert(entry.person).second) continue;
            CLOISON_TRY(const bool known, persons_.knows(entry.person));
            older = !known;
        }
        CLOISON_TRY(const auto living, find_living(persons_, erased));
        if (!living.empty()) CLOISON_TRY_STATUS(persons_.erase(living));
        first += entries.size();
    }
    // Lines speak of persons whom the store never made: it was restored from before them.
    if (older) return persons_.retire(highest);
    return {};
}

void AppliedErasures::add_unfinished(const Person& person) {
    const std::lock_guard lock(mutex_);
    unfinished_.push_back(person);
}

/// Requires mutex_.
Status AppliedErasures::finish() {
    while (!unfinished_.empty()) {
        auto status = persons_.erase(unfinished_.back());
        if (!status && status.error().code != ErrorCode::kNotFound) return status;
        unfinished_.pop_back();
    }
    return {};
}

Status AppliedErasures::remember() {
    const std::unique_lock nothing_under_way(under_way_, std::try_to_lock);
    if (!nothing_under_way.owns_lock()) return {};
    const std::lock_guard lock(mutex_);
    CLOISON_TRY_STATUS(finish());
    const std::uint64_t size = journal_.size();
    if (size == remembered_) return {};
    CLOISON_TRY(const auto leaf, leaf_at(journal_, size - 1));
    Bytes content;
    put_u64(content, size);
    content.insert(content.end(), leaf.begin(), leaf.end());
    CLOISON_TRY_STATUS(persons_.set_setting(kApplied, content));
    remembered_ = size;
    return {};
}

Result<std::vector<Person>> find_returned(const PersonStore& persons, History& history) {
    CLOISON_TRY(const auto erased, history.erased());
    std::vector<Person> returned;
    for (auto from = erased.begin(); from != erased.end();) {
        const auto count =
            std::min<std::ptrdiff_t>(erased.end() - from, PersonStore::kMaxEnrolment);
        CLOISON_TRY(const auto living, find_living(persons, {from, from + count}));
        returned.insert(returned.end(), living.begin(), living.end());
        from += count;
    }
    return returned;
}

Status Eraser::erase(std::string_view door, std::string_view token) {
    CLOISON_TRY(auto grant, grants_.check(token));
    CLOISON_TRY_STATUS(require_door(*grant, door));
    CLOISON_TRY_STATUS(require_purpose(*grant, kErase));
    CLOISON_TRY(auto person, require_person(*grant));
    const std::string alarm = canaries_.alarm_of(person);
    const auto key = persons_.key(person);
    journal::Entry entry;
    entry.kind = journal::EntryKind::kErased;
    entry.door = grant->door->number;
    entry.purpose = grant->purpose->number;
    entry.role = grant->grant.role;
    entry.actor = grant->grant.actor;
    entry.session = grant->grant.session;
    entry.origin = journal::parse_origin(grant->grant.origin);
    entry.person = person.ordinal;
    entry.case_reference = grant->case_reference;
    entry.request = decltype(entry.request)::random(random_);
    entry.reason = grant->grant.reason;

    const Charge charge{entry.actor, grant->purpose, grant->door, person.ordinal};
    Status room;
    const auto under_way = applied_.begin();
    CLOISON_TRY(auto pending, recorder_.queue(3, [&](Time at) -> std::vector<journal::Entry> {
        std::vector<journal::Entry> entries;
        room = grants_.require_live(*grant, at);
        if (!room) return entries;
        if (!key) {
            room = fail(key.error());
            if (auto asked = alarm.empty() ? std::nullopt : canaries_.refused(alarm, entry, at))
                entries.push_back(std::move(*asked));
            return entries;
        }
        room = budgets_.check(charge, at);
        if (room) {
            budgets_.charge(charge, at);
            erased_.add(person.ordinal);
            entries.push_back(entry);
            if (!alarm.empty()) entries.push_back(Canaries::opened(alarm, entry));
            return entries;
        }
        refusals_.add_lines(entry, at, alarms_, entries);
        if (alarm.empty()) return entries;
        if (auto refused = canaries_.refused(alarm, entry, at))
            entries.push_back(std::move(*refused));
        return entries;
    }));
    CLOISON_TRY_STATUS(recorder_.wait(std::move(pending)));
    CLOISON_TRY_STATUS(room);
    auto erased = persons_.erase(person);
    if (!erased && erased.error().code != ErrorCode::kNotFound) applied_.add_unfinished(person);
    return erased;
}

}  // namespace cloison::keeper
