#include "keeper/investigation.h"

#include <set>
#include <utility>

#include "keeper/tokens.h"

namespace cloison::keeper {
namespace {

constexpr std::string_view kInvestigate = "investigate";
constexpr std::size_t kMaxReadings = 10'000;

Status require_nobody(const CheckedGrant& grant) {
    if (grant.person)
        return fail(ErrorCode::kPermissionDenied, "The grant must not name a person.");
    return {};
}

/// The page must be that page of the list that the grant names.
Status require_listed(const CheckedGrant& grant, const Investigation::ListPage& page) {
    if (!equal_constant_time(list_digest(page.digests), grant.grant.list) ||
        list_page_digest(page.persons) != page.digests[page.number])
        return fail(ErrorCode::kPermissionDenied,
                    "These persons are not the list that was approved.");
    return {};
}

}  // namespace

journal::Entry Investigation::line_of(const CheckedGrant& grant) const {
    journal::Entry entry;
    entry.kind = journal::EntryKind::kListRead;
    entry.door = grant.door->number;
    entry.purpose = grant.purpose->number;
    entry.role = grant.grant.role;
    entry.actor = grant.grant.actor;
    entry.session = grant.grant.session;
    entry.origin = journal::parse_origin(grant.grant.origin);
    entry.request = decltype(entry.request)::random(parts_.random);
    return entry;
}

/// Not behind the line that ends the grant, nor once it has expired.
Status Investigation::write_under(const CheckedGrant& grant, std::vector<journal::Entry> entries) {
    Status live;
    CLOISON_TRY(auto pending,
                parts_.recorder.queue(entries.size(), [&](Time at) -> std::vector<journal::Entry> {
                    live = parts_.grants.require_live(grant, at);
                    if (!live) return {};
                    return std::move(entries);
                }));
    CLOISON_TRY_STATUS(parts_.recorder.wait(std::move(pending)));
    return live;
}

Status Investigation::journal_reading(const CheckedGrant& grant, std::string reason) {
    journal::Entry entry = line_of(grant);
    entry.reason = std::move(reason);
    return write_under(grant, {std::move(entry)});
}

Status Investigation::raise_canaries(const CheckedGrant& grant,
                                     const std::vector<std::optional<Person>>& persons) {
    std::vector<journal::Entry> entries;
    std::set<std::uint32_t> seen;
    for (const auto& person : persons) {
        if (!person || !seen.insert(person->ordinal).second) continue;
        const std::string alarm = parts_.canaries.alarm_of(*person);
        if (alarm.empty()) continue;
        journal::Entry about = line_of(grant);
        about.person = person->ordinal;
        entries.push_back(Canaries::opened(alarm, std::move(about)));
        if (entries.size() < Recorder::kMaxBatch) continue;
        CLOISON_TRY_STATUS(write_under(grant, std::exchange(entries, {})));
    }
    return entries.empty() ? Status{} : write_under(grant, std::move(entries));
}

bool Investigation::is_journaled(const CheckedGrant& grant) {
    std::lock_guard lock(mutex_);
    return readings_.count(grant.hash) != 0;
}

void Investigation::remember_journaled(const CheckedGrant& grant) {
    const Time now = parts_.clock.now();
    std::lock_guard lock(mutex_);
    std::erase_if(readings_, [&](const auto& reading) { return reading.second <= now; });
    // At the bound a grant is not remembered, and its next page leaves a line again.
    if (readings_.size() < kMaxReadings) readings_.emplace(grant.hash, grant.grant.expires);
}

Result<Investigation::Entries> Investigation::read(std::string_view door, std::string_view token,
                                                   std::uint64_t first, std::size_t count) {
    if (count < 1 || count > kMaxEntries)
        return fail(ErrorCode::kInvalidArgument, "A call reads 1 to 10,000 lines.");
    CLOISON_TRY(auto grant, parts_.grants.check(token));
    CLOISON_TRY_STATUS(require_door(*grant, door));
    CLOISON_TRY_STATUS(require_purpose(*grant, kInvestigate));
    CLOISON_TRY_STATUS(require_nobody(*grant));
    if (!is_journaled(*grant)) {
        CLOISON_TRY_STATUS(journal_reading(*grant, "lines"));
        remember_journaled(*grant);
    }
    Entries read;
    read.size = parts_.journal.size();
    if (first < read.size) {
        CLOISON_TRY(read.entries, parts_.journal.read(first, count));
    }
    CLOISON_TRY(read.checkpoint, parts_.journal.checkpoint());
    return read;
}

Result<std::vector<Bytes>> Investigation::handles(std::string_view door, std::string_view token,
                                                  const ListPage& page) {
    const auto& ordinals = page.persons;
    if (!is_list_page(ordinals) || page.number >= page.digests.size() ||
        page.digests.size() > kMaxListPages)
        return fail(ErrorCode::kInvalidArgument,
                    "A call asks for one page of a list: 1 to 10,000 persons, ascending.");
    CLOISON_TRY(auto grant, parts_.grants.check(token));
    CLOISON_TRY_STATUS(require_door(*grant, door));
    CLOISON_TRY_STATUS(require_approval(*grant));
    CLOISON_TRY_STATUS(require_nobody(*grant));
    CLOISON_TRY_STATUS(require_listed(*grant, page));
    CLOISON_TRY(auto persons, parts_.persons.find(ordinals));
    CLOISON_TRY_STATUS(journal_reading(*grant, std::to_string(ordinals.size()) + " persons"));
    CLOISON_TRY_STATUS(raise_canaries(*grant, persons));
    std::vector<Bytes> handles;
    const Time expires = parts_.clock.now() + kBulkHandleLifetime;
    for (const auto& person : persons) {
        if (!person) {
            handles.emplace_back();
            continue;
        }
        handles.push_back(make_bulk_handle(
            parts_.keys,
            {*person, grant->grant.actor, grant->purpose->number, grant->grant.list, expires},
            parts_.random));
    }
    return handles;
}

}  // namespace cloison::keeper
