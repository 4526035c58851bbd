#include "keeper/erasure.h"

namespace cloison::keeper {
namespace {

constexpr std::string_view kErase = "erase";

}  // namespace

Status Eraser::erase(std::string_view door, std::string_view token) {
    CLOISON_TRY(auto grant, grants_.check(token));
    CLOISON_TRY_STATUS(require_door(*grant, door));
    CLOISON_TRY_STATUS(require_purpose(*grant, kErase));
    CLOISON_TRY(auto person, require_person(*grant));
    CLOISON_TRY_STATUS(persons_.key(person));

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
    CLOISON_TRY(auto pending, recorder_.queue(1, [&](Time at) -> std::vector<journal::Entry> {
        room = budgets_.check(charge, at);
        if (!room) return {};
        budgets_.charge(charge, at);
        return {std::move(entry)};
    }));
    CLOISON_TRY_STATUS(room);
    CLOISON_TRY_STATUS(recorder_.wait(std::move(pending)));
    return persons_.erase(person);
}

}  // namespace cloison::keeper
