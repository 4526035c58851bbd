#include "keeper/erasure.h"

#include <algorithm>

namespace cloison::keeper {
namespace {

constexpr std::string_view kErase = "erase";

}  // namespace

Result<std::vector<Person>> find_returned(const PersonStore& persons, History& history) {
    CLOISON_TRY(const auto erased, history.erased());
    std::vector<Person> returned;
    for (auto from = erased.begin(); from != erased.end();) {
        const auto count =
            std::min<std::ptrdiff_t>(erased.end() - from, PersonStore::kMaxEnrolment);
        CLOISON_TRY(const auto found, persons.find({from, from + count}));
        for (const auto& person : found)
            if (person) returned.push_back(*person);
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
    const auto under_way = mark_.begin();
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
    if (!erased && erased.error().code != ErrorCode::kNotFound) mark_.add_unfinished(person);
    return erased;
}

}  // namespace cloison::keeper
