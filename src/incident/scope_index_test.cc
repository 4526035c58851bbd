#include "incident/scope_index.h"

#include <gtest/gtest.h>

#include <map>
#include <set>
#include <tuple>

#include "base/seeded_random.h"
#include "incident/scope.h"

namespace cloison::incident {
namespace {

using journal::Entry;
using journal::EntryKind;
using registry::Role;

constexpr std::uint8_t kSelf = 1;
constexpr std::int64_t kHour = 3'600'000;
constexpr std::int64_t kDay = 24 * kHour;
/// A Monday, midnight.
const Time kStart = *parse_rfc3339("2026-04-13T00:00:00Z");

template <class IdType>
IdType nth(std::uint64_t number) {
    Bytes bytes(8, 7);
    put_u64(bytes, number);
    return *IdType::from_bytes(bytes);
}

Entry entry(Time time, std::uint32_t person, std::initializer_list<int> fields) {
    Entry made;
    made.time = time;
    made.person = person;
    made.role = Role::kOfficer;
    made.purpose = 3;
    made.door = 2;
    made.actor = nth<ActorId>(1);
    made.session = nth<SessionId>(1);
    for (const int field : fields) made.fields.set(static_cast<std::size_t>(field));
    return made;
}

ScopeIndex index_of(const std::vector<Entry>& entries) {
    ScopeIndex index(kSelf);
    for (std::size_t i = 0; i < entries.size(); ++i) EXPECT_TRUE(index.add(i, entries[i]));
    return index;
}

/// The same answers by the plainest means.
struct Recount {
    std::set<std::uint32_t> persons;
    std::uint64_t lines = 0;
    std::uint64_t refused = 0;
    std::uint64_t self_left_out = 0;
    std::map<int, std::set<std::uint32_t>> by_field;
    std::map<int, std::uint64_t> lines_by_field;
    struct Part {
        std::set<std::uint32_t> persons;
        std::uint64_t lines = 0, refused = 0;
        Time first = Time::max(), last = Time::min();
        bool operator==(const Part&) const = default;
    };
    std::map<SessionId, Part> sessions;
    std::vector<std::uint64_t> indexes;
    std::map<std::uint32_t, registry::FieldSet> fields_of_person;
};

Recount recount(const std::vector<Entry>& entries, const ScopeQuery& query) {
    Recount found;
    for (std::size_t i = 0; i < entries.size(); ++i) {
        const Entry& line = entries[i];
        if (line.kind != EntryKind::kDisclosed && line.kind != EntryKind::kRefused) continue;
        if (query.from && line.time < *query.from) continue;
        if (query.to && line.time >= *query.to) continue;
        if (query.door && line.door != *query.door) continue;
        if (query.purpose && line.purpose != *query.purpose) continue;
        if (query.actor && line.actor != *query.actor) continue;
        if (query.session && line.session != *query.session) continue;
        if (query.origin && line.origin != *query.origin) continue;
        if (query.field && !line.fields.test(*query.field)) continue;
        if (query.up_to && i >= *query.up_to) continue;
        if (line.purpose == kSelf && !query.counts_self()) {
            ++found.self_left_out;
            continue;
        }
        found.indexes.push_back(i);
        auto& part = found.sessions[line.session];
        part.first = std::min(part.first, line.time);
        part.last = std::max(part.last, line.time);
        if (line.kind == EntryKind::kRefused) {
            ++found.refused;
            ++part.refused;
            continue;
        }
        ++found.lines;
        ++part.lines;
        part.persons.insert(line.person);
        found.persons.insert(line.person);
        for (int field = 0; field < 128; ++field) {
            if (!line.fields.test(static_cast<std::size_t>(field))) continue;
            if (query.field && *query.field != field) continue;
            found.by_field[field].insert(line.person);
            ++found.lines_by_field[field];
            found.fields_of_person[line.person].set(static_cast<std::size_t>(field));
        }
    }
    return found;
}

std::vector<Entry> random_entries(SeededRandom& random, std::size_t count, std::int64_t span) {
    std::vector<Entry> entries;
    for (std::size_t i = 0; i < count; ++i) {
        Entry made;
        // Times stumble, as they do when lines of several threads are committed together.
        const auto at = static_cast<std::int64_t>(i * static_cast<std::uint64_t>(span) / count);
        made.time =
            kStart + Duration(at + static_cast<std::int64_t>(random.uniform(5'000)) - 2'500);
        const std::uint64_t kind = random.uniform(20);
        made.kind = kind == 0   ? EntryKind::kRefused
                    : kind == 1 ? EntryKind::kListRead
                                : EntryKind::kDisclosed;
        made.person = static_cast<std::uint32_t>(1 + random.uniform(60));
        made.purpose = static_cast<std::uint8_t>(1 + random.uniform(3));
        made.door = made.purpose == 3 ? 2 : 1;
        made.role = made.purpose == kSelf ? Role::kResident : Role::kOfficer;
        const std::uint64_t actor = made.purpose == kSelf ? 1000 + made.person : random.uniform(5);
        made.actor = nth<ActorId>(actor);
        made.session = nth<SessionId>(actor * 10 + random.uniform(3));
        made.origin[15] = static_cast<std::uint8_t>(random.uniform(4));
        const std::uint64_t fields = random.uniform(16);
        for (std::size_t bit = 0; bit < 4; ++bit)
            if (fields >> bit & 1) made.fields.set(20 + bit * 30);
        entries.push_back(made);
    }
    return entries;
}

ScopeQuery random_query(SeededRandom& random, const std::vector<Entry>& entries) {
    ScopeQuery query;
    const Entry& some = entries[random.uniform(entries.size())];
    const auto perhaps = [&random] { return random.uniform(4) == 0; };
    if (random.uniform(2) == 0) query.from = some.time + Duration(random.uniform(3)) - Duration(1);
    if (random.uniform(2) == 0) {
        const Time other = entries[random.uniform(entries.size())].time;
        query.to = std::max(other, query.from.value_or(other)) + Duration(random.uniform(3));
    }
    // Whole days too, so that the bitmaps are asked alone.
    if (query.from && perhaps()) query.from = truncate(*query.from, Duration(kDay));
    if (query.to && perhaps()) query.to = truncate(*query.to, Duration(kDay)) + Duration(kDay);
    if (random.uniform(2) == 0) {
        if (perhaps()) query.door = some.door;
        if (perhaps()) query.purpose = some.purpose;
        if (perhaps()) query.actor = some.actor;
        if (perhaps()) query.session = some.session;
        if (perhaps()) query.origin = some.origin;
        if (perhaps()) query.field = static_cast<std::uint8_t>(20 + random.uniform(4) * 30);
        if (perhaps()) query.up_to = random.uniform(entries.size() + 10);
    }
    query.include_self = perhaps();
    return query;
}

void expect_same(const ScopeIndex& index, const std::vector<Entry>& entries,
                 const ScopeQuery& query) {
    const Recount expected = recount(entries, query);
    const ScopeCounts counts = index.count(query);
    EXPECT_EQ(counts.persons, expected.persons.size());
    EXPECT_EQ(counts.lines, expected.lines);
    EXPECT_EQ(counts.refused, expected.refused);
    EXPECT_EQ(counts.self_left_out, expected.self_left_out);
    for (int field = 0; field < 128; ++field) {
        const auto at = expected.by_field.find(field);
        const std::size_t persons = at == expected.by_field.end() ? 0 : at->second.size();
        ASSERT_EQ(counts.fields[static_cast<std::size_t>(field)].persons, persons) << field;
        const auto lines = expected.lines_by_field.find(field);
        ASSERT_EQ(counts.fields[static_cast<std::size_t>(field)].lines,
                  lines == expected.lines_by_field.end() ? 0 : lines->second);
    }
    ASSERT_EQ(counts.sessions_in_all, expected.sessions.size());
    for (const SessionCount& session : counts.sessions) {
        const auto& part = expected.sessions.at(session.session);
        EXPECT_EQ(std::tie(session.lines, session.refused, session.first, session.last),
                  std::tie(part.lines, part.refused, part.first, part.last));
        EXPECT_EQ(session.persons, part.persons.size());
    }
    std::uint64_t lines = 0;
    std::uint64_t refused = 0;
    for (const Bucket& bucket : counts.timeline) {
        lines += bucket.lines;
        refused += bucket.refused;
        EXPECT_LE(bucket.persons, bucket.lines);
    }
    EXPECT_EQ(lines, expected.lines);
    EXPECT_EQ(refused, expected.refused);
    EXPECT_LE(counts.timeline.size(), kMaxBuckets);

    const auto persons = index.persons(query);
    ASSERT_EQ(persons.size(), expected.persons.size());
    for (const PersonExposure& person : persons) {
        const auto at = expected.fields_of_person.find(person.person);
        EXPECT_EQ(person.fields,
                  at == expected.fields_of_person.end() ? registry::FieldSet() : at->second);
    }
    const auto page = index.lines(query, 0, entries.size());
    ASSERT_EQ(page.total, expected.indexes.size());
    for (std::size_t i = 0; i < page.lines.size(); ++i)
        ASSERT_EQ(page.lines[i].index, expected.indexes[i]);
}

TEST(ScopeIndexTest, EqualsANaiveRecountOfRandomLinesForRandomQuestions) {
    SeededRandom random(20260413);
    for (const std::int64_t span : {2 * kHour, 3 * kDay, 40 * kDay, 400 * kDay}) {
        const auto entries = random_entries(random, 1'500, span);
        const ScopeIndex index = index_of(entries);
        for (int round = 0; round < 150; ++round) {
            const ScopeQuery query = random_query(random, entries);
            expect_same(index, entries, query);
            if (HasFatalFailure()) return;
        }
    }
}

TEST(ScopeIndexTest, PeriodsAreExactToTheMillisecond) {
    std::vector<Entry> entries;
    // A month around, so that whole days come from the bitmaps.
    for (int day = 0; day < 30; ++day)
        entries.push_back(
            entry(kStart + Duration(day * kDay), static_cast<std::uint32_t>(day + 1), {20}));
    const ScopeIndex index = index_of(entries);
    const Time from = kStart + Duration(3 * kDay);
    const Time to = kStart + Duration(20 * kDay);
    ScopeQuery query;
    query.from = from;
    query.to = to;
    EXPECT_EQ(index.count(query).persons, 17U);  // Days 3 to 19: `to` is exclusive.
    query.to = to + Duration(1);
    EXPECT_EQ(index.count(query).persons, 18U);
    query.from = from + Duration(1);
    EXPECT_EQ(index.count(query).persons, 17U);  // `from` is inclusive.
    query.from = from - Duration(1);
    EXPECT_EQ(index.count(query).persons, 18U);
    query.from = from - Duration(kDay);
    EXPECT_EQ(index.count(query).persons, 19U);
}

TEST(ScopeIndexTest, ResidentsReadingTheirOwnDataCountOnlyWhenTheQuestionNamesSomebody) {
    Entry own = entry(kStart, 5, {1});
    own.purpose = kSelf;
    own.role = Role::kResident;
    own.door = 1;
    own.actor = nth<ActorId>(77);
    own.session = nth<SessionId>(77);
    own.origin[15] = 9;
    const ScopeIndex index = index_of({own, entry(kStart, 6, {20})});

    ScopeQuery query;
    EXPECT_EQ(index.count(query).persons, 1U);
    EXPECT_EQ(index.count(query).self_left_out, 1U);
    query.door = 1;
    EXPECT_EQ(index.count(query).persons, 0U);
    query.include_self = true;
    EXPECT_EQ(index.count(query).persons, 1U);
    query = {};
    query.session = own.session;
    EXPECT_EQ(index.count(query).persons, 1U);
    query = {};
    query.actor = own.actor;
    EXPECT_EQ(index.count(query).persons, 1U);
    query = {};
    query.origin = own.origin;
    EXPECT_EQ(index.count(query).persons, 1U);
    query = {};
    query.purpose = kSelf;
    EXPECT_EQ(index.count(query).persons, 1U);
}

TEST(ScopeIndexTest, RefusalsDiscloseNobody) {
    Entry refused = entry(kStart, 5, {20});
    refused.kind = EntryKind::kRefused;
    const ScopeIndex index = index_of({refused});
    const ScopeCounts counts = index.count({});
    EXPECT_EQ(counts.persons, 0U);
    EXPECT_EQ(counts.lines, 0U);
    EXPECT_EQ(counts.refused, 1U);
    EXPECT_EQ(counts.fields[20].persons, 0U);
    EXPECT_TRUE(index.persons({}).empty());
}

TEST(ScopeIndexTest, UnknownActorsHaveNoLines) {
    const ScopeIndex index = index_of({entry(kStart, 5, {20})});
    ScopeQuery query;
    query.actor = nth<ActorId>(999);
    EXPECT_EQ(index.count(query).persons, 0U);
    EXPECT_TRUE(index.count(query).timeline.empty());
    EXPECT_TRUE(index.roles(query).empty());
}

TEST(ScopeIndexTest, EntriesMustComeInOrder) {
    ScopeIndex index(kSelf);
    ASSERT_TRUE(index.add(0, entry(kStart, 1, {20})));
    EXPECT_EQ(index.add(2, entry(kStart, 1, {20})).error().code, ErrorCode::kInvalidArgument);
    EXPECT_EQ(index.add(0, entry(kStart, 1, {20})).error().code, ErrorCode::kInvalidArgument);
    EXPECT_EQ(index.size(), 1U);
}

TEST(ScopeIndexTest, TheTimelineHasNoGapsAndItsBoundHolds) {
    const auto at = [](std::int64_t ms) { return entry(kStart + Duration(ms), 1, {20}); };
    // Exactly as many hours as there may be buckets, then one more.
    auto last = static_cast<std::int64_t>(kMaxBuckets - 1) * kHour;
    ScopeCounts counts = index_of({at(0), at(last)}).count({});
    EXPECT_EQ(counts.bucket_width, Duration(kHour));
    ASSERT_EQ(counts.timeline.size(), kMaxBuckets);
    EXPECT_EQ(counts.timeline[1].lines, 0U);
    EXPECT_EQ(counts.timeline[1].begin, kStart + Duration(kHour));
    counts = index_of({at(0), at(last + kHour)}).count({});
    EXPECT_EQ(counts.bucket_width, Duration(kDay));
    counts = index_of({at(0), at(150 * kDay)}).count({});
    EXPECT_EQ(counts.bucket_width, Duration(7 * kDay));
    EXPECT_EQ(counts.timeline[0].begin, kStart);  // Weeks begin on Monday.
    counts = index_of({at(0), at(100 * 365 * kDay)}).count({});
    EXPECT_LE(counts.timeline.size(), kMaxBuckets);
}

TEST(ScopeIndexTest, ListsTheSessionsWithMostPersonsAndCountsAll) {
    std::vector<Entry> entries;
    for (std::uint64_t session = 0; session < kMaxListedSessions + 1; ++session) {
        Entry line = entry(kStart, 1, {20});
        line.session = nth<SessionId>(session);
        entries.push_back(line);
    }
    entries.push_back(entries.back());
    entries.back().person = 2;
    const ScopeCounts counts = index_of(entries).count({});
    EXPECT_EQ(counts.sessions_in_all, kMaxListedSessions + 1);
    ASSERT_EQ(counts.sessions.size(), kMaxListedSessions);
    EXPECT_EQ(counts.sessions[0].session, nth<SessionId>(kMaxListedSessions));
    EXPECT_EQ(counts.sessions[0].persons, 2U);
}

TEST(ScopeIndexTest, LinesArePaged) {
    std::vector<Entry> entries;
    for (std::uint32_t person = 1; person <= 5; ++person)
        entries.push_back(entry(kStart, person, {20}));
    const ScopeIndex index = index_of(entries);
    const auto page = index.lines({}, 3, 10);
    EXPECT_EQ(page.total, 5U);
    ASSERT_EQ(page.lines.size(), 2U);
    EXPECT_EQ(page.lines[0].person, 4U);
    EXPECT_TRUE(index.lines({}, 5, 10).lines.empty());
    EXPECT_TRUE(index.lines({}, ~std::uint64_t{0}, 10).lines.empty());
}

registry::Registry the_registry() {
    return *registry::Registry::load(local_file_system(),
                                     Path(CLOISON_SOURCE_DIR) / "registry/fields.toml");
}

Verdict verdict_of(const std::vector<FieldVerdict>& verdicts, std::uint8_t field) {
    for (const FieldVerdict& verdict : verdicts)
        if (verdict.field == field) return verdict.verdict;
    ADD_FAILURE() << "no verdict for field " << int{field};
    return Verdict::kSealed;
}

TEST(ScopeVerdictTest, SaysOpenedReachableOrSealed) {
    const auto registry = the_registry();
    const std::uint8_t birth_name = registry.field("birth_name")->number;
    const std::uint8_t height = registry.field("height")->number;
    const std::uint8_t trace = registry.field("sign_in_trace")->number;
    const ScopeIndex index = index_of({entry(kStart, 1, {birth_name})});
    ScopeQuery query;
    query.session = nth<SessionId>(1);
    const auto verdicts = judge_fields(query, index.count(query), index.roles(query), registry);
    EXPECT_EQ(verdicts.size(), registry.fields().size());
    EXPECT_EQ(verdict_of(verdicts, birth_name), Verdict::kOpened);
    EXPECT_EQ(verdict_of(verdicts, height), Verdict::kReachable);  // process_request may.
    EXPECT_EQ(verdict_of(verdicts, trace), Verdict::kSealed);      // An officer never may.
}

TEST(ScopeVerdictTest, TheDoorAndThePurposeBoundWhatIsReachable) {
    const auto registry = the_registry();
    const std::uint8_t height = registry.field("height")->number;
    const std::uint8_t email = registry.field("email")->number;
    ScopeQuery query;
    query.door = registry.door("portal")->number;
    auto verdicts = judge_fields(query, {}, {}, registry);
    EXPECT_EQ(verdict_of(verdicts, height), Verdict::kSealed);  // act_for does not cover it.
    EXPECT_EQ(verdict_of(verdicts, email), Verdict::kReachable);
    query.include_self = true;
    verdicts = judge_fields(query, {}, {}, registry);
    EXPECT_EQ(verdict_of(verdicts, height), Verdict::kReachable);
    query = {};
    query.purpose = registry.purpose("support_call")->number;
    verdicts = judge_fields(query, {}, {}, registry);
    EXPECT_EQ(verdict_of(verdicts, height), Verdict::kSealed);
    EXPECT_EQ(verdict_of(verdicts, email), Verdict::kReachable);
    query.field = email;
    EXPECT_EQ(judge_fields(query, {}, {}, registry).size(), 1U);
}

TEST(ScopeQueryTest, TextAndQueryConvertBothWays) {
    const auto registry = the_registry();
    ScopeQuery query;
    query.from = kStart + Duration(1);
    query.to = kStart + Duration(kDay);
    query.door = registry.door("desk")->number;
    query.actor = nth<ActorId>(3);
    query.session = nth<SessionId>(4);
    query.origin = journal::parse_origin("192.0.2.7");
    query.purpose = registry.purpose("process_request")->number;
    query.field = registry.field("email")->number;
    query.include_self = true;
    query.up_to = 12;
    const std::string text = format_scope_query(query, registry);
    EXPECT_EQ(*parse_scope_query(*net::Form::parse(text), registry), query);
    EXPECT_NE(text.find("from=2026-04-13T00%3A00%3A00.001Z"), std::string::npos) << text;
    EXPECT_EQ(format_scope_query({}, registry), "");
    EXPECT_EQ(*parse_scope_query(*net::Form::parse("from=&door=&page=2"), registry), ScopeQuery());
}

TEST(ScopeQueryTest, NamesWhatIsWrong) {
    const auto registry = the_registry();
    for (const auto& [text, key] : std::map<std::string, std::string>{
             {"from=yesterday", "from"},
             {"to=2026-13-01T00%3A00%3A00Z", "to"},
             {"from=2026-04-13T00:00:00Z&to=2026-04-13T00:00:00Z", "from"},
             {"door=window", "door"},
             {"purpose=curiosity", "purpose"},
             {"field=shoe_size", "field"},
             {"actor=me", "actor"},
             {"session=00", "session"},
             {"origin=here", "origin"},
             {"include_self=1", "include_self"},
             {"up_to=-1", "up_to"},
             {"up_to=99999999999999999999", "up_to"}}) {
        const auto parsed = parse_scope_query(*net::Form::parse(text), registry);
        ASSERT_FALSE(parsed) << text;
        EXPECT_EQ(parsed.error().code, ErrorCode::kInvalidArgument);
        EXPECT_NE(parsed.error().message.find('"' + key + '"'), std::string::npos)
            << parsed.error().message;
    }
}

}  // namespace
}  // namespace cloison::incident
