#include "keeper/journal_mark.h"

#include <algorithm>
#include <charconv>
#include <unordered_set>

#include "crypto/box.h"
#include "journal/entry.h"

namespace cloison::keeper {
namespace {

static_assert(journal::Journal::kMaxRead <= PersonStore::kMaxEnrolment);

/// Name of the setting, and associated data of its box.
constexpr std::string_view kMark = "journal mark";
constexpr std::size_t kNumberSize = 8;
constexpr std::size_t kLeafSize = crypto::Hash{}.size();
constexpr std::string_view kPlanted = "canaries planted: ";
constexpr std::string_view kLost = "canaries lost: ";

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

/// By how many a line changes the number of canaries.
Result<std::int64_t> canaries_in(const journal::Entry& entry) {
    if (entry.kind != journal::EntryKind::kConfigured) return 0;
    const std::string_view reason = entry.reason;
    const bool planted = reason.starts_with(kPlanted);
    if (!planted && !reason.starts_with(kLost)) return 0;
    const auto number = reason.substr((planted ? kPlanted : kLost).size());
    std::uint32_t count = 0;
    const char* const end = number.data() + number.size();
    const auto read = std::from_chars(number.data(), end, count);
    if (read.ec != std::errc() || read.ptr != end)
        return fail(ErrorCode::kCorrupt, "A line about canaries does not say how many.");
    return planted ? std::int64_t{count} : -std::int64_t{count};
}

Result<std::uint64_t> changed_by(std::uint64_t count, std::int64_t more) {
    if (more < 0 && static_cast<std::uint64_t>(-more) > count)
        return fail(ErrorCode::kCorrupt,
                    "The journal says that more canaries were lost than made.");
    return count + static_cast<std::uint64_t>(more);
}

}  // namespace

std::string canaries_planted_line(std::uint64_t count) {
    return std::string(kPlanted) + std::to_string(count);
}

std::string canaries_lost_line(std::uint64_t count) {
    return std::string(kLost) + std::to_string(count);
}

Status JournalMark::check(std::uint64_t size, ByteView leaf) const {
    if (journal_.size() < size)
        return fail(ErrorCode::kCorrupt,
                    "The journal was rolled back: it has " + std::to_string(journal_.size()) +
                        " entries, and persons.sqlite remembers " + std::to_string(size) +
                        ". Put the newest copy of the journal in its place.");
    if (size == 0) return {};
    CLOISON_TRY(const auto found, leaf_at(journal_, size - 1));
    if (equal_constant_time(found, leaf)) return {};
    return fail(ErrorCode::kCorrupt,
                "The journal is not the one that persons.sqlite remembers: entry " +
                    std::to_string(size - 1) + " is another.");
}

Result<bool> JournalMark::replay() {
    CLOISON_TRY(const auto stored, persons_.setting(kMark));
    std::uint64_t marked = 0;
    std::uint64_t canaries = 0;
    if (!stored.empty()) {
        const auto mark = crypto::box_decrypt(key_, stored, as_bytes(kMark));
        if (!mark || mark->view().size() != 2 * kNumberSize + kLeafSize)
            return fail(ErrorCode::kCorrupt,
                        "persons.sqlite does not say what it remembers of the journal: its mark "
                        "was changed. Put the newest copy of persons.sqlite in place.");
        marked = get_u64(mark->view());
        canaries = get_u64(mark->view().subspan(kNumberSize + kLeafSize));
        CLOISON_TRY_STATUS(check(marked, mark->view().subspan(kNumberSize, kLeafSize)));
    }
    {
        const std::lock_guard lock(mutex_);
        remembered_ = marked;
        canaries_ = canaries;
    }
    return replay_from(marked);
}

Result<bool> JournalMark::replay_from(std::uint64_t first) {
    std::uint32_t highest = 0;
    bool unknown = false;
    Time begin;
    Time end;
    const std::uint64_t marked = first;
    // Ordinals come in no order: that the highest is known says nothing of the others.
    std::unordered_set<std::uint32_t> looked_up;
    while (first < journal_.size()) {
        CLOISON_TRY(const auto entries, journal_.read(first, journal::Journal::kMaxRead));
        if (entries.empty()) return fail(ErrorCode::kCorrupt, "The journal gives no entries.");
        std::vector<std::uint32_t> erased;
        for (const auto& bytes : entries) {
            CLOISON_TRY(const auto entry, journal::decode_entry(bytes));
            if (first == marked && &bytes == &entries.front()) begin = entry.time;
            end = entry.time;
            if (entry.kind == journal::EntryKind::kErased) erased.push_back(entry.person);
            CLOISON_TRY(const auto more, canaries_in(entry));
            CLOISON_TRY(canaries_, changed_by(canaries_, more));
            highest = std::max(highest, entry.person);
            if (entry.person == 0 || unknown || !looked_up.insert(entry.person).second) continue;
            CLOISON_TRY(const bool known, persons_.knows(entry.person));
            unknown = !known;
        }
        CLOISON_TRY(const auto living, find_living(persons_, erased));
        if (!living.empty()) CLOISON_TRY_STATUS(persons_.erase(living));
        first += entries.size();
    }
    // Lines speak of persons whom the store never made.
    if (unknown) CLOISON_TRY_STATUS(persons_.retire(highest));
    return unknown || end - begin > kMostBehind;
}

std::shared_lock<std::shared_mutex> JournalMark::begin() {
    const std::lock_guard turn(turn_);
    return std::shared_lock(under_way_);
}

void JournalMark::add_unfinished(const Person& person) {
    const std::lock_guard lock(mutex_);
    unfinished_.push_back(person);
}

void JournalMark::count_canaries(std::int64_t more) {
    const std::lock_guard lock(mutex_);
    canaries_ += static_cast<std::uint64_t>(more);
}

std::uint64_t JournalMark::canaries() const {
    const std::lock_guard lock(mutex_);
    return canaries_;
}

/// Requires mutex_.
Status JournalMark::finish() {
    while (!unfinished_.empty()) {
        auto status = persons_.erase(unfinished_.back());
        if (!status && status.error().code != ErrorCode::kNotFound) return status;
        unfinished_.pop_back();
    }
    return {};
}

Status JournalMark::remember() {
    const std::lock_guard turn(turn_);
    std::unique_lock nobody_under_way(under_way_, std::try_to_lock);
    if (!nobody_under_way.owns_lock()) {
        if (++deferrals_ <= kMostDeferrals) return {};
        nobody_under_way.lock();
    }
    deferrals_ = 0;
    const std::lock_guard lock(mutex_);
    CLOISON_TRY_STATUS(finish());
    const std::uint64_t size = journal_.size();
    if (size == remembered_) return {};
    CLOISON_TRY(const auto leaf, leaf_at(journal_, size - 1));
    Bytes mark;
    put_u64(mark, size);
    mark.insert(mark.end(), leaf.begin(), leaf.end());
    put_u64(mark, canaries_);
    CLOISON_TRY_STATUS(
        persons_.set_setting(kMark, crypto::box_encrypt(key_, mark, as_bytes(kMark), random_)));
    remembered_ = size;
    return {};
}

}  // namespace cloison::keeper
