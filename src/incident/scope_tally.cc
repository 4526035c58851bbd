#include "incident/scope_tally.h"

#include <algorithm>
#include <array>
#include <tuple>

namespace cloison::incident {
namespace {

/// Widths of the timeline; beyond the last, its doubles.
constexpr std::array<std::int64_t, 4> kWidths = {kHourMs, kDayMs, 7 * kDayMs, 28 * kDayMs};
constexpr std::size_t kFields = registry::FieldSet().size();

}  // namespace

std::int64_t floor_divide(std::int64_t value, std::int64_t by) {
    return value / by - (value % by < 0 ? 1 : 0);
}

std::int64_t bucket_begin(std::int64_t ms, std::int64_t width) {
    // 1970-01-01 was a Thursday.
    const std::int64_t shift = width >= 7 * kDayMs ? 3 * kDayMs : 0;
    return floor_divide(ms + shift, width) * width - shift;
}

std::int64_t choose_width(std::int64_t first, std::int64_t last) {
    const auto fits = [&](std::int64_t width) {
        const auto span = bucket_begin(last, width) - bucket_begin(first, width);
        return span / width < static_cast<std::int64_t>(kMaxBuckets);
    };
    for (const std::int64_t width : kWidths)
        if (fits(width)) return width;
    std::int64_t width = 2 * kWidths.back();
    while (!fits(width)) width *= 2;
    return width;
}

void Cell::merge(const Cell& other) {
    persons.merge(other.persons);
    lines += other.lines;
    refused += other.refused;
}

void PersonSet::settle() const {
    if (waiting_.empty()) return;
    std::sort(waiting_.begin(), waiting_.end());
    bitmap_.addMany(waiting_.size(), waiting_.data());
    waiting_.clear();
    waiting_.shrink_to_fit();
}

void Tally::line(std::uint32_t field_set, std::int64_t time, std::uint32_t person, bool disclosed) {
    buckets_[bucket_begin(time, width_)].add(person, disclosed);
    field_sets_[field_set].add(person, disclosed);
}

void Tally::day(std::uint32_t field_set, std::int64_t day_begin, const Cell& cell) {
    buckets_[bucket_begin(day_begin, width_)].merge(cell);
    field_sets_[field_set].merge(cell);
}

void Tally::finish(const std::vector<registry::FieldSet>& names,
                   const std::optional<std::uint8_t>& only, ScopeCounts& counts) {
    std::array<Roaring, kFields> by_field;
    Roaring all;
    counts.fields.assign(kFields, {});
    for (const auto& [number, cell] : field_sets_) {
        counts.lines += cell.lines;
        counts.refused += cell.refused;
        all |= cell.persons.bitmap();
        for (std::size_t field = 0; field < kFields; ++field) {
            if (!names[number].test(field) || (only && *only != field)) continue;
            by_field[field] |= cell.persons.bitmap();
            counts.fields[field].lines += cell.lines;
        }
    }
    counts.persons = all.cardinality();
    for (std::size_t field = 0; field < kFields; ++field)
        counts.fields[field].persons = by_field[field].cardinality();
    finish_timeline(counts);
}

void Tally::finish_timeline(ScopeCounts& counts) {
    counts.bucket_width = Duration(width_);
    if (buckets_.empty()) return;
    const std::int64_t last = buckets_.rbegin()->first;
    for (std::int64_t begin = buckets_.begin()->first; begin <= last; begin += width_) {
        Bucket bucket{from_unix_ms(begin), 0, 0, 0};
        if (const auto at = buckets_.find(begin); at != buckets_.end()) {
            bucket.lines = at->second.lines;
            bucket.refused = at->second.refused;
            bucket.persons = at->second.persons.bitmap().cardinality();
        }
        counts.timeline.push_back(bucket);
    }
}

void finish_sessions(std::vector<SessionCount> sessions, ScopeCounts& counts) {
    counts.sessions_in_all = sessions.size();
    std::sort(sessions.begin(), sessions.end(), [](const auto& a, const auto& b) {
        return std::tie(b.persons, b.lines, b.refused, a.session) <
               std::tie(a.persons, a.lines, a.refused, b.session);
    });
    if (sessions.size() > kMaxListedSessions) sessions.resize(kMaxListedSessions);
    counts.sessions = std::move(sessions);
}

}  // namespace cloison::incident
