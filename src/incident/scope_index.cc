#include "incident/scope_index.h"

#include <algorithm>
#include <array>
#include <limits>
#include <map>
#include <set>
#include <string_view>
#include <unordered_map>

#include "incident/scope_tally.h"

namespace cloison::incident {
namespace {

using Row = std::uint32_t;

/// Numbers values in the order in which they are first seen.
template <class Value, class Hash = std::hash<Value>>
class Dictionary {
  public:
    std::uint32_t number(const Value& value) {
        const auto [at, is_new] = numbers_.try_emplace(value, values_.size());
        if (is_new) values_.push_back(value);
        return at->second;
    }
    std::optional<std::uint32_t> find(const Value& value) const {
        const auto at = numbers_.find(value);
        if (at == numbers_.end()) return std::nullopt;
        return at->second;
    }
    const Value& operator[](std::uint32_t number) const { return values_[number]; }
    const std::vector<Value>& values() const { return values_; }
    std::size_t size() const { return values_.size(); }

  private:
    std::vector<Value> values_;
    std::unordered_map<Value, std::uint32_t, Hash> numbers_;
};

struct OriginHash {
    std::size_t operator()(const journal::Origin& origin) const {
        return std::hash<std::string_view>()(as_text(origin));
    }
};

struct Day {
    std::vector<Row> rows;
    /// [is self]: lines of residents about themselves apart from all others.
    std::array<std::map<std::uint32_t, Cell>, 2> by_field_set;
};
struct SessionPart {
    std::int64_t first = std::numeric_limits<std::int64_t>::max();
    std::int64_t last = std::numeric_limits<std::int64_t>::min();
    Cell cell;
    void see(std::int64_t time, bool disclosed, std::uint32_t person) {
        first = std::min(first, time);
        last = std::max(last, time);
        cell.add(person, disclosed);
    }
    void merge(const SessionPart& other) {
        first = std::min(first, other.first);
        last = std::max(last, other.last);
        cell.merge(other.cell);
    }
};
struct Session {
    std::uint32_t actor;
    registry::Role role;
    std::uint8_t door;
    std::vector<Row> rows;
    std::array<SessionPart, 2> parts;  ///< [is self]
};

/// A query in the index's own numbers.
struct Conditions {
    std::int64_t from = std::numeric_limits<std::int64_t>::min();
    std::int64_t to =
        std::numeric_limits<std::int64_t>::max();  ///< Inclusive if it is the maximum.
    std::optional<std::uint32_t> actor, session, origin;
    std::optional<std::uint8_t> door, purpose, field;
    std::uint64_t up_to = std::numeric_limits<std::uint64_t>::max();
    bool counts_self = false;
    bool impossible = false;  ///< Names somebody of whom there is no line.

    bool only_period() const {
        return !actor && !session && !origin && !door && !purpose && !field &&
               up_to == std::numeric_limits<std::uint64_t>::max();
    }
    bool in_period(std::int64_t time) const { return time >= from && time < to; }
};

}  // namespace

struct ScopeIndex::Impl {
    explicit Impl(std::uint8_t self) : self_service(self) {}

    std::uint8_t self_service;
    // Columns: row i is entry i of the journal.
    std::vector<std::int64_t> times;
    std::vector<std::uint32_t> actors, sessions, origins, persons, field_sets, reasons;
    std::vector<std::uint8_t> kinds, roles, doors, purposes;
    Dictionary<ActorId> actor_names;
    Dictionary<SessionId> session_names;
    Dictionary<journal::Origin, OriginHash> origin_names;
    Dictionary<registry::FieldSet> field_set_names;
    Dictionary<std::string> reason_names;
    std::vector<std::vector<Row>> rows_of_actor;
    std::vector<Session> session_rows;
    std::map<std::int64_t, Day> days;  ///< By days since 1970.
    std::int64_t earliest = std::numeric_limits<std::int64_t>::max();
    std::int64_t latest = std::numeric_limits<std::int64_t>::min();

    bool is_disclosed(Row row) const {
        return kinds[row] == static_cast<std::uint8_t>(journal::EntryKind::kDisclosed);
    }
    /// Lines of other kinds concern no disclosure: they are kept so that rows are journal indexes.
    bool is_in_scope(Row row) const {
        return is_disclosed(row) ||
               kinds[row] == static_cast<std::uint8_t>(journal::EntryKind::kRefused);
    }
    bool is_self(Row row) const { return purposes[row] == self_service; }

    void add(const journal::Entry& entry);
    Conditions resolve(const ScopeQuery& query) const;
    bool matches(Row row, const Conditions& c, bool with_self) const;
    template <class Function>
    void each_candidate(const Conditions& c, Function function) const;
    std::vector<Row> matching(const Conditions& c, std::uint64_t* self_left_out) const;

    ScopeCounts count_rows(const Conditions& c) const;
    ScopeCounts count_days(const Conditions& c, std::int64_t width) const;
    SessionCount describe(std::uint32_t session, const SessionPart& part) const;
    std::int64_t period_width(const Conditions& c) const;
};

void ScopeIndex::Impl::add(const journal::Entry& entry) {
    const Row row = static_cast<Row>(times.size());
    const std::int64_t time = to_unix_ms(entry.time);
    times.push_back(time);
    kinds.push_back(static_cast<std::uint8_t>(entry.kind));
    roles.push_back(static_cast<std::uint8_t>(entry.role));
    doors.push_back(entry.door);
    purposes.push_back(entry.purpose);
    persons.push_back(entry.person);
    actors.push_back(actor_names.number(entry.actor));
    sessions.push_back(session_names.number(entry.session));
    origins.push_back(origin_names.number(entry.origin));
    field_sets.push_back(field_set_names.number(entry.fields));
    reasons.push_back(reason_names.number(entry.reason));
    rows_of_actor.resize(actor_names.size());
    if (session_rows.size() < session_names.size())
        session_rows.push_back({actors[row], entry.role, entry.door, {}, {}});
    if (!is_in_scope(row)) return;
    earliest = std::min(earliest, time);
    latest = std::max(latest, time);
    rows_of_actor[actors[row]].push_back(row);
    const bool self = is_self(row);
    Session& session = session_rows[sessions[row]];
    session.rows.push_back(row);
    session.parts[self].see(time, is_disclosed(row), entry.person);
    Day& day = days[floor_divide(time, kDayMs)];
    day.rows.push_back(row);
    day.by_field_set[self][field_sets[row]].add(entry.person, is_disclosed(row));
}

Conditions ScopeIndex::Impl::resolve(const ScopeQuery& query) const {
    Conditions c;
    if (query.from) c.from = to_unix_ms(*query.from);
    if (query.to) c.to = to_unix_ms(*query.to);
    c.door = query.door;
    c.purpose = query.purpose;
    c.field = query.field;
    if (query.up_to) c.up_to = *query.up_to;
    c.counts_self = query.counts_self();
    const auto find = [&c](const auto& names, const auto& value, auto& out) {
        if (!value) return;
        out = names.find(*value);
        if (!out) c.impossible = true;
    };
    find(actor_names, query.actor, c.actor);
    find(session_names, query.session, c.session);
    find(origin_names, query.origin, c.origin);
    return c;
}

bool ScopeIndex::Impl::matches(Row row, const Conditions& c, bool with_self) const {
    return is_in_scope(row) && c.in_period(times[row]) && row < c.up_to &&
           (with_self || !is_self(row)) && (!c.door || doors[row] == *c.door) &&
           (!c.purpose || purposes[row] == *c.purpose) && (!c.actor || actors[row] == *c.actor) &&
           (!c.session || sessions[row] == *c.session) &&
           (!c.origin || origins[row] == *c.origin) &&
           (!c.field || field_set_names[field_sets[row]].test(*c.field));
}

/// Calls `function` with every row that may match, in journal order.
template <class Function>
void ScopeIndex::Impl::each_candidate(const Conditions& c, Function function) const {
    if (c.impossible) return;
    if (c.session || c.actor) {
        const auto& rows = c.session ? session_rows[*c.session].rows : rows_of_actor[*c.actor];
        for (const Row row : rows) function(row);
        return;
    }
    for (std::size_t row = 0; row < times.size(); ++row) function(static_cast<Row>(row));
}

std::vector<Row> ScopeIndex::Impl::matching(const Conditions& c,
                                            std::uint64_t* self_left_out) const {
    std::vector<Row> rows;
    each_candidate(c, [&](Row row) {
        if (!matches(row, c, true)) return;
        if (c.counts_self || !is_self(row))
            rows.push_back(row);
        else if (self_left_out != nullptr)
            ++*self_left_out;
    });
    return rows;
}

SessionCount ScopeIndex::Impl::describe(std::uint32_t session, const SessionPart& part) const {
    const Session& known = session_rows[session];
    return {session_names[session],
            actor_names[known.actor],
            known.role,
            known.door,
            from_unix_ms(part.first),
            from_unix_ms(part.last),
            part.cell.lines,
            part.cell.refused,
            part.cell.persons.bitmap().cardinality()};
}

/// Line by line: for questions that name somebody or something, and for short periods.
ScopeCounts ScopeIndex::Impl::count_rows(const Conditions& c) const {
    ScopeCounts counts;
    const std::vector<Row> rows = matching(c, &counts.self_left_out);
    std::int64_t first = 0;
    std::int64_t last = 0;
    for (std::size_t i = 0; i < rows.size(); ++i) {
        const std::int64_t time = times[rows[i]];
        first = i == 0 ? time : std::min(first, time);
        last = i == 0 ? time : std::max(last, time);
    }
    Tally tally(choose_width(first, last));
    std::unordered_map<std::uint32_t, SessionPart> parts;
    for (const Row row : rows) {
        tally.line(field_sets[row], times[row], persons[row], is_disclosed(row));
        parts[sessions[row]].see(times[row], is_disclosed(row), persons[row]);
    }
    tally.finish(field_set_names.values(), c.field, counts);
    std::vector<SessionCount> described;
    described.reserve(parts.size());
    for (const auto& [session, part] : parts) described.push_back(describe(session, part));
    finish_sessions(std::move(described), counts);
    return counts;
}

/// Whole days from their bitmaps, cut days line by line.
ScopeCounts ScopeIndex::Impl::count_days(const Conditions& c, std::int64_t width) const {
    ScopeCounts counts;
    Tally tally(width);
    for (const auto& [number, day] : days) {
        const std::int64_t begin = number * kDayMs;
        if (begin + kDayMs <= c.from || begin >= c.to) continue;
        const bool whole = c.from <= begin && begin + kDayMs <= c.to;
        if (!whole) {
            for (const Row row : day.rows) {
                if (!c.in_period(times[row])) continue;
                if (c.counts_self || !is_self(row))
                    tally.line(field_sets[row], times[row], persons[row], is_disclosed(row));
                else
                    ++counts.self_left_out;
            }
            continue;
        }
        for (const auto& [field_set, cell] : day.by_field_set[false])
            tally.day(field_set, begin, cell);
        for (const auto& [field_set, cell] : day.by_field_set[true]) {
            if (c.counts_self)
                tally.day(field_set, begin, cell);
            else
                counts.self_left_out += cell.lines + cell.refused;
        }
    }
    tally.finish(field_set_names.values(), c.field, counts);

    std::vector<SessionCount> described;
    for (std::uint32_t number = 0; number < session_rows.size(); ++number) {
        const Session& session = session_rows[number];
        SessionPart part = session.parts[false];
        if (c.counts_self) part.merge(session.parts[true]);
        if (part.first >= c.to || part.last < c.from) continue;
        if (part.first < c.from || part.last >= c.to) {
            part = SessionPart();
            for (const Row row : session.rows)
                if (matches(row, c, c.counts_self))
                    part.see(times[row], is_disclosed(row), persons[row]);
        }
        if (part.cell.lines + part.cell.refused > 0) described.push_back(describe(number, part));
    }
    finish_sessions(std::move(described), counts);
    return counts;
}

/// The width that the timeline of a period would have.
std::int64_t ScopeIndex::Impl::period_width(const Conditions& c) const {
    if (days.empty()) return kHourMs;
    const std::int64_t first = std::max(c.from, earliest);
    const std::int64_t last = std::min(c.to, latest);
    return first < last ? choose_width(first, last) : kHourMs;
}

ScopeIndex::ScopeIndex(std::uint8_t self_service) : impl_(std::make_unique<Impl>(self_service)) {}
ScopeIndex::~ScopeIndex() = default;
ScopeIndex::ScopeIndex(ScopeIndex&&) noexcept = default;
ScopeIndex& ScopeIndex::operator=(ScopeIndex&&) noexcept = default;

std::uint64_t ScopeIndex::size() const {
    return impl_->times.size();
}

Status ScopeIndex::add(std::uint64_t index, const journal::Entry& entry) {
    if (index != size())
        return fail(
            ErrorCode::kInvalidArgument,
            "Entry " + std::to_string(size()) + " is the next, not " + std::to_string(index) + ".");
    if (index >= std::numeric_limits<Row>::max())
        return fail(ErrorCode::kTooLarge, "The scope index holds at most 2^32 - 1 lines.");
    impl_->add(entry);
    return {};
}

ScopeCounts ScopeIndex::count(const ScopeQuery& query) const {
    const Conditions c = impl_->resolve(query);
    if (c.impossible || !c.only_period()) return impl_->count_rows(c);
    const std::int64_t width = impl_->period_width(c);
    return width < kDayMs ? impl_->count_rows(c) : impl_->count_days(c, width);
}

std::vector<PersonExposure> ScopeIndex::persons(const ScopeQuery& query) const {
    const Conditions c = impl_->resolve(query);
    std::map<std::uint32_t, PersonExposure> found;
    for (const Row row : impl_->matching(c, nullptr)) {
        if (!impl_->is_disclosed(row)) continue;
        const Time time = from_unix_ms(impl_->times[row]);
        registry::FieldSet fields = impl_->field_set_names[impl_->field_sets[row]];
        if (c.field) fields = registry::FieldSet().set(*c.field);
        const auto [at, is_new] = found.try_emplace(impl_->persons[row]);
        PersonExposure& person = at->second;
        if (is_new) person = {impl_->persons[row], {}, 0, time, time};
        person.fields |= fields;
        ++person.lines;
        person.first = std::min(person.first, time);
        person.last = std::max(person.last, time);
    }
    std::vector<PersonExposure> persons;
    persons.reserve(found.size());
    for (const auto& [ordinal, person] : found) persons.push_back(person);
    return persons;
}

ScopeIndex::Page ScopeIndex::lines(const ScopeQuery& query, std::uint64_t offset,
                                   std::size_t limit) const {
    const std::vector<Row> rows = impl_->matching(impl_->resolve(query), nullptr);
    Page page{{}, rows.size()};
    for (std::size_t at = std::min<std::uint64_t>(offset, rows.size());
         at < rows.size() && page.lines.size() < limit; ++at) {
        const Row row = rows[at];
        page.lines.push_back({row, from_unix_ms(impl_->times[row]),
                              static_cast<journal::EntryKind>(impl_->kinds[row]),
                              static_cast<registry::Role>(impl_->roles[row]), impl_->doors[row],
                              impl_->purposes[row], impl_->actor_names[impl_->actors[row]],
                              impl_->session_names[impl_->sessions[row]],
                              impl_->origin_names[impl_->origins[row]], impl_->persons[row],
                              impl_->field_set_names[impl_->field_sets[row]],
                              impl_->reason_names[impl_->reasons[row]]});
    }
    return page;
}

std::vector<registry::Role> ScopeIndex::roles(const ScopeQuery& query) const {
    ScopeQuery who;
    who.actor = query.actor;
    who.session = query.session;
    who.origin = query.origin;
    if (!who.actor && !who.session && !who.origin) return {};
    std::set<registry::Role> found;
    for (const Row row : impl_->matching(impl_->resolve(who), nullptr))
        found.insert(static_cast<registry::Role>(impl_->roles[row]));
    return {found.begin(), found.end()};
}

}  // namespace cloison::incident
