#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <roaring/roaring.hh>
#include <vector>

#include "incident/scope_index.h"

namespace cloison::incident {

// What scope_index.cc adds up with; of no use elsewhere.

inline constexpr std::int64_t kHourMs = 3'600'000;
inline constexpr std::int64_t kDayMs = 24 * kHourMs;

/// Integer division that rounds down, also below zero.
std::int64_t floor_divide(std::int64_t value, std::int64_t by);
/// The begin of the bucket that a time falls into: weeks begin on Monday.
std::int64_t bucket_begin(std::int64_t ms, std::int64_t width);
/// The narrowest width that needs no more than kMaxBuckets: an hour, a day, a week, multiples of
/// four weeks.
std::int64_t choose_width(std::int64_t first, std::int64_t last);

/// Distinct persons. They are gathered and put into the bitmap many at once, in order: one by one,
/// a bitmap takes them several times slower.
class PersonSet {
  public:
    void add(std::uint32_t person) {
        waiting_.push_back(person);
        if (waiting_.size() >= kMaxWaiting) settle();
    }
    void merge(const PersonSet& other) {
        settle();
        bitmap_ |= other.bitmap();
    }
    const Roaring& bitmap() const {
        settle();
        return bitmap_;
    }

  private:
    static constexpr std::size_t kMaxWaiting = 65'536;
    void settle() const;

    mutable Roaring bitmap_;
    mutable std::vector<std::uint32_t> waiting_;
};

/// Persons disclosed, lines and refusals.
struct Cell {
    PersonSet persons;
    std::uint64_t lines = 0;
    std::uint64_t refused = 0;
    void add(std::uint32_t person, bool disclosed) {
        if (!disclosed) {
            ++refused;
            return;
        }
        persons.add(person);
        ++lines;
    }
    void merge(const Cell& other);
};

/// Adds up lines one by one, and whole days from their bitmaps, into the counts of an answer.
class Tally {
  public:
    explicit Tally(std::int64_t width) : width_(width) {}

    void line(std::uint32_t field_set, std::int64_t time, std::uint32_t person, bool disclosed);
    void day(std::uint32_t field_set, std::int64_t day_begin, const Cell& cell);
    /// `names` are the field sets by number; `only` restricts the counts by field to one.
    void finish(const std::vector<registry::FieldSet>& names,
                const std::optional<std::uint8_t>& only, ScopeCounts& counts);

  private:
    void finish_timeline(ScopeCounts& counts);

    std::int64_t width_;
    std::map<std::int64_t, Cell> buckets_;
    std::map<std::uint32_t, Cell> field_sets_;
};

/// Sorts by persons, keeps kMaxListedSessions, counts all.
void finish_sessions(std::vector<SessionCount> sessions, ScopeCounts& counts);

}  // namespace cloison::incident
