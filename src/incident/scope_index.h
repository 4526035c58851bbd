#pragma once

#include <memory>
#include <vector>

#include "incident/scope_query.h"
#include "journal/entry.h"

namespace cloison::incident {

/// One line of the journal as the scope sees it.
struct ScopeLine {
    std::uint64_t index = 0;  ///< In the journal.
    Time time;
    journal::EntryKind kind = journal::EntryKind::kDisclosed;
    registry::Role role = registry::Role::kResident;
    std::uint8_t door = 0;
    std::uint8_t purpose = 0;
    ActorId actor;
    SessionId session;
    journal::Origin origin{};
    std::uint32_t person = 0;
    registry::FieldSet fields;
    std::string reason;
};

/// One person within a scope.
struct PersonExposure {
    std::uint32_t person = 0;   ///< Ordinal.
    registry::FieldSet fields;  ///< Opened within the scope.
    std::uint64_t lines = 0;
    Time first;
    Time last;
};

struct FieldCount {
    std::uint64_t lines = 0;
    std::uint64_t persons = 0;
};

/// A session with a line in the scope.
struct SessionCount {
    SessionId session;
    ActorId actor;
    registry::Role role = registry::Role::kResident;
    std::uint8_t door = 0;
    Time first;
    Time last;
    std::uint64_t lines = 0;  ///< Disclosures.
    std::uint64_t refused = 0;
    std::uint64_t persons = 0;  ///< Distinct, disclosed.
};

struct Bucket {
    Time begin;
    std::uint64_t lines = 0;
    std::uint64_t refused = 0;
    std::uint64_t persons = 0;  ///< Distinct within the bucket.
};

struct ScopeCounts {
    std::uint64_t lines = 0;    ///< Disclosures.
    std::uint64_t refused = 0;  ///< Refusals by budget: nothing was released.
    std::uint64_t self_left_out =
        0;                           ///< Lines of residents about themselves that were not counted.
    std::uint64_t persons = 0;       ///< Distinct persons disclosed.
    std::vector<FieldCount> fields;  ///< By field number, 128 of them.
    std::vector<SessionCount> sessions;  ///< Most persons first; at most kMaxListedSessions.
    std::uint64_t sessions_in_all = 0;
    std::vector<Bucket> timeline;  ///< Without gaps from the first line to the last; may be empty.
    Duration bucket_width{0};
};
inline constexpr std::size_t kMaxListedSessions = 200;
inline constexpr std::size_t kMaxBuckets = 100;

/// The journal as columns in memory (about 50 bytes a line), with bitmaps of persons by day and
/// field set beside them. Every answer is exact: whole days come from the bitmaps, days that the
/// period cuts are recounted line by line.
///
/// Fed in journal order. Not for use from several threads at once.
class ScopeIndex {
  public:
    /// `self_service` is that purpose's number in the register.
    explicit ScopeIndex(std::uint8_t self_service);
    ~ScopeIndex();
    ScopeIndex(ScopeIndex&&) noexcept;
    ScopeIndex& operator=(ScopeIndex&&) noexcept;

    /// `index` must be size() (kInvalidArgument); kTooLarge beyond 2^32 - 1 lines.
    Status add(std::uint64_t index, const journal::Entry& entry);
    std::uint64_t size() const;

    ScopeCounts count(const ScopeQuery& query) const;
    /// Everybody with a disclosure in the scope, by ordinal.
    std::vector<PersonExposure> persons(const ScopeQuery& query) const;
    struct Page {
        std::vector<ScopeLine> lines;  ///< In journal order: disclosures and refusals.
        std::uint64_t total = 0;
    };
    Page lines(const ScopeQuery& query, std::uint64_t offset, std::size_t limit) const;
    /// The roles that lines of the query's actor, session and origin were written under, at any
    /// time; empty if it names none of them or there is no such line.
    std::vector<registry::Role> roles(const ScopeQuery& query) const;

  private:
    struct Impl;
    std::unique_ptr<Impl> impl_;
};

}  // namespace cloison::incident
