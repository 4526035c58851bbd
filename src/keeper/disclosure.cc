#include "keeper/disclosure.h"

#include <algorithm>
#include <map>

#include "keeper/client/receipt.h"
#include "keeper/tokens.h"

namespace cloison::keeper {

/// One request on its way.
struct Discloser::Work {
    std::optional<Error> error;
    GrantPointer grant;
    Person person;
    std::optional<crypto::PersonKey> key;
    registry::FieldSet fields;
    std::vector<Secret> values;
    std::size_t line = 0;
};

/// What one person's values under one grant are charged and journaled as.
struct Discloser::Line {
    GrantPointer grant;
    std::uint32_t person = 0;
    registry::FieldSet fields;
    std::string alarm;  ///< Its cause, if the person is a canary.
    std::optional<Error> refusal;
    bool too_many_refusals = false;
    std::size_t offset = 0;  ///< Among the lines written.
    crypto::Hash leaf{};

    journal::Entry entry() const;  ///< Without kind and reason.
};

journal::Entry Discloser::Line::entry() const {
    journal::Entry entry;
    entry.door = grant->door->number;
    entry.purpose = grant->purpose->number;
    entry.role = grant->grant.role;
    entry.actor = grant->grant.actor;
    entry.session = grant->grant.session;
    entry.origin = journal::parse_origin(grant->grant.origin);
    entry.person = person;
    entry.fields = fields;
    entry.case_reference = grant->case_reference;
    return entry;
}

/// One call, from when its lines are queued.
struct Discloser::Opening {
    std::vector<Work> works;
    std::vector<Line> lines;
    Done done;
};

void Discloser::open(std::string_view door, const std::vector<DisclosureRequest>& requests,
                     Done done) {
    if (requests.empty() || requests.size() > kMaxDisclosures)
        return done(fail(ErrorCode::kInvalidArgument, "A call has 1 to 1,000 disclosures."));
    const auto opening = std::make_shared<Opening>();
    std::vector<Work>& works = opening->works;
    works.resize(requests.size());

    for (std::size_t i = 0; i < works.size(); ++i) verify(door, requests[i], works[i]);
    take_keys(works);
    step(DisclosureStep::kVerified);

    for (std::size_t i = 0; i < works.size(); ++i) unseal(requests[i], works[i]);
    step(DisclosureStep::kUnsealed);

    opening->lines = group(works);
    std::vector<Line>& lines = opening->lines;
    const std::vector<Line> failed = failed_canaries(works, lines);
    const auto alarming = std::count_if(lines.begin(), lines.end(),
                                        [](const Line& line) { return !line.alarm.empty(); });
    // A line for each person, an alarm for each canary, and one where refusals become too many.
    const std::size_t most = 2 * lines.size() + static_cast<std::size_t>(alarming) + failed.size();
    static_assert(3 * kMaxDisclosures <= Recorder::kMaxBatch);
    const auto compose = [&](Time at) {
        auto entries = charge(lines, at);
        for (auto& alarm : alarms(lines, failed, at)) entries.push_back(std::move(alarm));
        const auto call = decltype(journal::Entry::request)::random(parts_.random);
        for (auto& entry : entries) entry.request = call;
        step(DisclosureStep::kCharged);
        return entries;
    };
    const auto receipt = [&](const Recorder::Lines& composed, std::size_t offset) {
        return receipts(works, lines, composed, offset);
    };
    auto pending = parts_.recorder.queue(most, compose, receipt);
    if (!pending) return done(fail(std::move(pending).error()));
    step(DisclosureStep::kQueued);

    opening->done = std::move(done);
    parts_.recorder.then(std::move(*pending), [this, opening](Result<Recorder::Lines> written) {
        if (!written) return opening->done(fail(std::move(written).error()));
        step(DisclosureStep::kDurable);
        auto released = release(std::move(opening->works), opening->lines, std::move(*written));
        step(DisclosureStep::kReleased);
        opening->done(std::move(released));
    });
}

void Discloser::verify(std::string_view door, const DisclosureRequest& request, Work& work) const {
    if (auto status = permit(door, request, work); !status) work.error = status.error();
}

Status Discloser::permit(std::string_view door, const DisclosureRequest& request,
                         Work& work) const {
    CLOISON_TRY(work.grant, parts_.grants.check(request.grant));
    const CheckedGrant& grant = *work.grant;
    // Before the door is looked at: whoever asks for a canary is an alarm at any door.
    CLOISON_TRY(work.person, person_of(grant, request.handle));
    CLOISON_TRY_STATUS(require_door(grant, door));
    if (request.values.empty() || request.values.size() > kMaxItems)
        return fail(ErrorCode::kInvalidArgument, "A disclosure has 1 to 200 values.");
    for (const auto& value : request.values) {
        CLOISON_TRY(const auto* field, parts_.sealer.field(value.field, value.record));
        if (!grant.fields.test(field->number))
            return fail(ErrorCode::kPermissionDenied, "The grant does not name a field.");
        if (!parts_.registry.may_open(*field, *grant.purpose))
            return fail(ErrorCode::kPermissionDenied,
                        "The register does not open a field for this purpose.");
        work.fields.set(field->number);
    }
    return {};
}

/// Of all who may be opened, in one reading of the store.
void Discloser::take_keys(std::vector<Work>& works) const {
    std::vector<Work*> asking;
    std::vector<Person> persons;
    for (auto& work : works) {
        if (work.error) continue;
        asking.push_back(&work);
        persons.push_back(work.person);
    }
    if (asking.empty()) return;
    auto keys = parts_.persons.keys(persons);
    for (std::size_t i = 0; i < asking.size(); ++i) {
        if (!keys)
            asking[i]->error = keys.error();
        else if (!keys->at(i))
            asking[i]->error = std::move(keys->at(i).error());
        else
            asking[i]->key = std::move(*keys->at(i));
    }
}

Result<Person> Discloser::person_of(const CheckedGrant& grant, ByteView handle) const {
    if (!grant.purpose->bulk) {
        if (!handle.empty())
            return fail(ErrorCode::kInvalidArgument, "Only a bulk grant takes a handle.");
        return require_person(grant);
    }
    CLOISON_TRY_STATUS(require_approval(grant));
    if (grant.person)
        return fail(ErrorCode::kPermissionDenied, "A bulk grant names no person of its own.");
    return open_bulk_handle(parts_.keys, handle, grant.grant.actor, grant.purpose->number,
                            grant.grant.list, parts_.clock.now());
}

void Discloser::unseal(const DisclosureRequest& request, Work& work) const {
    if (work.error) return;
    for (const auto& value : request.values) {
        auto opened = parts_.sealer.open(work.person, *work.key, value);
        if (!opened) {
            work.error = opened.error();
            work.values.clear();
            return;
        }
        work.values.push_back(std::move(*opened));
    }
}

std::vector<Discloser::Line> Discloser::group(std::vector<Work>& works) const {
    std::vector<Line> lines;
    std::map<std::pair<crypto::Hash, std::uint32_t>, std::size_t> known;
    for (auto& work : works) {
        if (work.error) continue;
        const auto [found, added] =
            known.try_emplace({work.grant->hash, work.person.ordinal}, lines.size());
        if (added)
            lines.push_back({work.grant,
                             work.person.ordinal,
                             {},
                             parts_.canaries.alarm_of(work.person),
                             std::nullopt,
                             false,
                             0});
        work.line = found->second;
        lines[work.line].fields |= work.fields;
    }
    return lines;
}

std::vector<journal::Entry> Discloser::charge(std::vector<Line>& lines, Time at) {
    std::vector<journal::Entry> entries;
    for (auto& line : lines) {
        const CheckedGrant& grant = *line.grant;
        const Charge charge{grant.grant.actor, grant.purpose, grant.door, line.person};
        journal::Entry entry = line.entry();
        entry.kind = journal::EntryKind::kDisclosed;
        entry.reason = grant.grant.reason;
        if (auto status = parts_.grants.require_live(grant, at); !status) {
            line.refusal = status.error();
            continue;
        }
        if (parts_.erased.contains(line.person)) {
            line.refusal = no_such_person().value();
            continue;
        }
        if (auto status = parts_.budgets.check(charge, at); !status) {
            line.refusal = status.error();
            auto outcome = parts_.refusals.note(charge.actor, grant.purpose->number, at);
            line.too_many_refusals = outcome.alarm;
            if (!outcome.line) continue;
            entry.kind = journal::EntryKind::kRefused;
            entry.reason = std::move(*outcome.line);
        } else {
            parts_.budgets.charge(charge, at);
        }
        line.offset = entries.size();
        entries.push_back(std::move(entry));
    }
    return entries;
}

/// Those who are canaries among the persons whose values were asked for, but for whom there is
/// nothing to disclose.
std::vector<Discloser::Line> Discloser::failed_canaries(const std::vector<Work>& works,
                                                        const std::vector<Line>& lines) const {
    std::vector<Line> failed;
    for (const auto& work : works) {
        if (!work.error || !work.grant || work.person.ordinal == 0) continue;
        auto alarm = parts_.canaries.alarm_of(work.person);
        if (alarm.empty()) continue;
        const auto same = [&](const Line& line) {
            return line.grant->hash == work.grant->hash && line.person == work.person.ordinal;
        };
        if (std::any_of(lines.begin(), lines.end(), same) ||
            std::any_of(failed.begin(), failed.end(), same))
            continue;
        failed.push_back(
            {work.grant, work.person.ordinal, work.fields, std::move(alarm), work.error, false, 0});
    }
    return failed;
}

std::vector<journal::Entry> Discloser::alarms(const std::vector<Line>& lines,
                                              const std::vector<Line>& failed, Time at) {
    std::vector<journal::Entry> entries;
    const auto add = [&](const Line& line) {
        if (line.alarm.empty()) return;
        if (!line.refusal) {
            entries.push_back(Canaries::opened(line.alarm, line.entry()));
        } else if (auto entry = parts_.canaries.refused(line.alarm, line.entry(), at)) {
            entries.push_back(std::move(*entry));
        }
    };
    for (const auto& line : lines) add(line);
    for (const auto& line : failed) add(line);
    for (const auto& line : lines) {
        if (!line.too_many_refusals) continue;
        if (auto entry = Refusals::alarm(line.entry(), at, parts_.alarms))
            entries.push_back(std::move(*entry));
    }
    return entries;
}

/// Takes the leaf hashes of the lines as they will be appended, and the digest over the receipts of
/// all that is going to be released.
std::optional<crypto::Hash> Discloser::receipts(const std::vector<Work>& works,
                                                std::vector<Line>& lines,
                                                const Recorder::Lines& composed,
                                                std::size_t offset) {
    for (auto& line : lines)
        if (!line.refusal)
            line.leaf = journal::Journal::leaf_hash(composed.entries.at(line.offset));
    std::vector<ReceiptRecord> records;
    for (std::size_t i = 0; i < works.size(); ++i) {
        if (works[i].error || lines[works[i].line].refusal) continue;
        const Line& line = lines[works[i].line];
        records.push_back({static_cast<std::uint32_t>(i),
                           static_cast<std::uint32_t>(offset + line.offset), line.leaf,
                           to_unix_ms(composed.at)});
    }
    if (records.empty()) return std::nullopt;
    return hash_receipts(records);
}

Disclosures Discloser::release(std::vector<Work> works, const std::vector<Line>& lines,
                               Recorder::Lines written) const {
    Disclosures released;
    released.each.resize(works.size());
    released.signature = std::move(written.receipts);
    for (std::size_t i = 0; i < works.size(); ++i) {
        Work& work = works[i];
        Disclosure& disclosure = released.each[i];
        if (!work.error) work.error = lines[work.line].refusal;
        if (work.error) {
            disclosure.error = std::move(work.error);
            continue;
        }
        const Line& line = lines[work.line];
        disclosure.receipt = {written.first + line.offset, line.leaf, written.at};
        disclosure.values = std::move(work.values);
    }
    return released;
}

}  // namespace cloison::keeper
