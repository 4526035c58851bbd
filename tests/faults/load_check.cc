#include <algorithm>

#include "journal/journal.h"
#include "load.h"
#include "load_clock.h"

namespace cloison::faults {
namespace {

constexpr Duration kHour{60 * 60 * 1000};
constexpr Duration kDay{24 * 60 * 60 * 1000};

/// When the budget last saw the person: within the hour, within the day, or not.
int age_class(const BudgetWindow& window, std::uint32_t person) {
    return window.hour.contains(person) ? 0 : window.day.contains(person) ? 1 : 2;
}

/// What lines that `counts` holds true of charge to a budget now. More than it allows is a
/// violation.
template <class Lines, class Counted>
BudgetWindow window(const Lines& lines, const registry::Budget& budget, const Counted& counts) {
    BudgetWindow found{budget, {}, {}};
    const Time now = load_clock().now();
    for (const Line& line : lines) {
        if (!counts(line) || line.time <= now - kDay) continue;
        found.day.insert(line.person);
        if (line.time > now - kHour) found.hour.insert(line.person);
    }
    if (found.hour.size() > budget.per_hour || found.day.size() > budget.per_day)
        violation("more was let through than a budget allows: " + found.text());
    return found;
}

}  // namespace

Load::Lines Load::read_journal() {
    Lines lines;
    for (;;) {
        const auto page = insist("read", [&] { return calls_.read_entries(lines.size(), 10'000); });
        for (const auto& bytes : page->entries()) {
            const auto entry = journal::decode_entry(as_bytes(bytes));
            if (!entry) violation("the journal gives a line that is none");
            lines.push_back({entry->kind, entry->time, journal::Journal::leaf_hash(as_bytes(bytes)),
                             entry->actor, entry->door, entry->person});
        }
        if (page->entries_size() == 0 || lines.size() >= page->size()) return lines;
    }
}

std::string Load::check() {
    gate_.close();
    // Everybody who lives opens; who was erased does not. Thereby every person's ordinal is known.
    for (std::size_t i = 0; i < subjects_.size(); ++i) {
        if (subjects_[i].state == Subject::kErasing) continue;
        const Way way = own_way(i);
        const bool erased = subjects_[i].state == Subject::kErased;
        insist("open", [&]() -> Status {
            auto status = open(i, way);
            if (status) return status;
            if (erased && status.error().code == ErrorCode::kNotFound) return {};
            return status;
        });
    }
    const auto rotation =
        insist("rotation", [&] { return calls_.rotate(keeper::v1::RotateRequest::STATUS); });
    if (!rotation->failure().empty()) violation("rotation: " + rotation->failure());
    const Lines lines = read_journal();
    check_acknowledged(lines);
    check_persons(lines);
    check_budgets(lines);
    auto text = report(lines);
    gate_.open();
    return text;
}

/// No released plaintext without its line, and the line says who saw whom.
void Load::check_acknowledged(const Lines& lines) {
    std::map<std::uint32_t, std::size_t> owners;
    std::set<std::uint64_t> indexes;
    for (const auto& one : acknowledged_) {
        const std::string name = "line " + std::to_string(one.index);
        if (one.index >= lines.size())
            no_line(name + " was acknowledged, and the journal ends at " +
                    std::to_string(lines.size()));
        const Line& line = lines[one.index];
        if (line.kind != journal::EntryKind::kDisclosed || line.leaf != one.leaf ||
            line.actor != one.actor)
            no_line(name + " was acknowledged, and another one stands there");
        if (!indexes.insert(one.index).second) violation(name + " was acknowledged twice");
        const auto [owner, added] = owners.try_emplace(line.person, one.subject);
        if (owner->second != one.subject) violation(name + " names another person");
        Subject& subject = subjects_[one.subject];
        if (subject.ordinal != 0 && subject.ordinal != line.person)
            violation(name + " gives a person another number than before");
        subject.ordinal = line.person;
    }
}

/// Erasures whose answer was lost: where the line is there, the person is erased.
void Load::check_persons(const Lines& lines) {
    std::set<std::uint32_t> erased;
    for (const Line& line : lines)
        if (line.kind == journal::EntryKind::kErased) erased.insert(line.person);
    for (std::size_t i = 0; i < subjects_.size(); ++i) {
        Subject& subject = subjects_[i];
        if (subject.state == Subject::kErased && subject.ordinal != 0 &&
            !erased.contains(subject.ordinal))
            violation("an erasure that was acknowledged has no line");
        if (subject.state == Subject::kAlive && erased.contains(subject.ordinal))
            violation("the journal says of a person that they were erased, which nobody asked for");
        if (subject.state != Subject::kErasing) continue;
        const auto opened = insist("open", [&]() -> Result<bool> {
            auto status = open(i, own_way(i));
            if (status) return true;
            if (status.error().code == ErrorCode::kNotFound) return false;
            return fail(status.error());
        });
        if (subject.ordinal != 0 && *opened == erased.contains(subject.ordinal))
            violation(*opened ? "a person opens whose erasure has its line"
                              : "a person does not open whose erasure has no line");
        subject.state = *opened ? Subject::kAlive : Subject::kErased;
        if (*opened) living_.push_back(i);
    }
}

/// Budgets are exactly what the journal says: full where it says so, and no earlier.
void Load::check_budgets(const Lines& lines) {
    const registry::Door* desk = registry_.door("desk");
    if (desk == nullptr) violation("the register has no desk");
    BudgetWindow door = window(lines, desk->budget, [&](const Line& line) {
        return line.door == desk->number && (line.kind == journal::EntryKind::kDisclosed ||
                                             line.kind == journal::EntryKind::kErased);
    });
    for (StaffMember& member : staff_)
        check_actor(member,
                    window(lines, member.budget,
                           [&](const Line& line) {
                               return line.kind == journal::EntryKind::kDisclosed &&
                                      line.actor == member.way.actor;
                           }),
                    door);
    check_door(door);
}

/// Somebody the budgets have seen within the hour, within the day only, and never.
void Load::check_actor(StaffMember& member, BudgetWindow actor, BudgetWindow& door) {
    const auto ask = [&](std::size_t which) {
        const bool known = actor.hour.contains(subjects_[which].ordinal);
        const bool allowed = probe(which, member.way, actor, door);
        if (!known && allowed) ++member.others;
    };
    for (std::size_t i = 0; member.fills && i < kBasePersons && actor.room() > 0; ++i)
        if (!actor.day.contains(subjects_[i].ordinal)) ask(i);
    std::set<int> asked;
    for (std::size_t i = 0; i < kBasePersons; ++i)
        if (asked.insert(age_class(actor, subjects_[i].ordinal)).second) ask(i);
}

/// The same of the door, which counts over all actors. Where that can be done it is filled before.
void Load::check_door(BudgetWindow& door) {
    std::vector<std::size_t> living;
    for (std::size_t i = 0; i < subjects_.size(); ++i)  // Without those whom no line has named yet.
        if (subjects_[i].state == Subject::kAlive && subjects_[i].ordinal != 0) living.push_back(i);
    const auto unknown = std::partition(living.begin(), living.end(), [&](std::size_t i) {
        return door.day.contains(subjects_[i].ordinal);
    });
    Way way{"support_call", {}, {}};
    BudgetWindow nobody;  // An actor whom no budget knows yet.
    const auto ask = [&](std::size_t which) {
        if (nobody.room() == 0) {
            way.actor = ActorId::random(system_random());
            way.session = SessionId::random(system_random());
            nobody = BudgetWindow{registry_.purpose("support_call")->budget, {}, {}};
        }
        probe(which, way, nobody, door);
    };
    if (static_cast<std::size_t>(living.end() - unknown) > door.room())
        for (auto one = unknown; one != living.end() && door.room() > 0; ++one) ask(*one);
    std::set<int> asked;
    for (const std::size_t i : living)
        if (asked.insert(age_class(door, subjects_[i].ordinal)).second) ask(i);
}

/// Asks for a person, who has to be released if both budgets have room, and only then.
bool Load::probe(std::size_t which, const Way& way, BudgetWindow& actor, BudgetWindow& door) {
    const std::uint32_t person = subjects_[which].ordinal;
    const bool room = actor.fits(person) && door.fits(person);
    std::string refusal;
    const auto allowed = insist("open", [&]() -> Result<bool> {
        auto status = open(which, way);
        if (status) return true;
        refusal = status.error().message;
        if (status.error().code == ErrorCode::kExhausted) return false;
        return fail(status.error());
    });
    const std::string told = "(actor " + actor.text() + "; door " + door.text() + ")";
    if (*allowed && !room) violation("a budget was reset: it was used up and has room " + told);
    if (!*allowed && room)
        violation("a budget refuses what the journal leaves room for " + told + ": " + refusal);
    counts_.full_actor_hour += actor.hour_fits(person) ? 0 : 1;
    counts_.full_actor_day += actor.hour_fits(person) && !actor.day_fits(person) ? 1 : 0;
    if (actor.fits(person)) {
        counts_.full_door_hour += door.hour_fits(person) ? 0 : 1;
        counts_.full_door_day += door.hour_fits(person) && !door.day_fits(person) ? 1 : 0;
    }
    if (*allowed) {
        actor.see(person);
        door.see(person);
    }
    return *allowed;
}

std::string Load::figures() {
    const std::lock_guard lock(mutex_);
    return figures_text({{"acknowledged", acknowledged_.size()}, {"erased", counts_.erased}});
}

std::string Load::mark() {
    gate_.close();
    const std::lock_guard lock(mutex_);
    marks_.clear();
    for (const auto& [caller, last] : last_of_caller_) marks_.push_back(last);
    std::sort(marks_.begin(), marks_.end(),
              [](const auto& a, const auto& b) { return a.index < b.index; });
    gate_.open();
    return figures_text({{"marks", marks_.size()}});
}

std::string Load::recovered() {
    std::uint64_t read_from = 0;
    std::uint64_t read_to = 0;
    std::vector<std::string> read;
    for (const Acknowledged& mark : marks_) {
        if (mark.index >= read_to) {
            const auto page =
                insist("read", [&] { return calls_.read_entries(mark.index, 1'000); });
            if (page->size() <= marks_.back().index)
                no_line("line " + std::to_string(marks_.back().index) +
                        " was acknowledged, and after the restart the journal ends at " +
                        std::to_string(page->size()));
            read.assign(page->entries().begin(), page->entries().end());
            read_from = mark.index;
            read_to = read_from + read.size();
        }
        if (mark.index >= read_to ||
            journal::Journal::leaf_hash(as_bytes(read[mark.index - read_from])) != mark.leaf)
            no_line("line " + std::to_string(mark.index) +
                    " was acknowledged, and after the restart another one stands there");
    }
    return figures_text({{"marks", marks_.size()}});
}

std::string Load::report(const Lines& lines) const {
    std::size_t erased = 0;
    for (const auto& subject : subjects_) erased += subject.state == Subject::kErased ? 1 : 0;
    return figures_text({{"released", counts_.released},
                         {"acknowledged", acknowledged_.size()},
                         {"lines", lines.size()},
                         {"away", counts_.away},
                         {"refused", counts_.refused},
                         {"histories", counts_.histories},
                         {"proofs", counts_.proofs},
                         {"lines_read", counts_.lines_read},
                         {"look_ups", counts_.look_ups},
                         {"persons", subjects_.size()},
                         {"erased", erased},
                         {"rotations", counts_.rotations},
                         {"disk_refused", counts_.disk_refused},
                         {"full_actor_hour", counts_.full_actor_hour},
                         {"full_actor_day", counts_.full_actor_day},
                         {"full_door_hour", counts_.full_door_hour},
                         {"full_door_day", counts_.full_door_day}});
}

std::string figures_text(const std::map<std::string, std::uint64_t>& figures) {
    std::string text = "{";
    for (const auto& [name, number] : figures)
        text += (text.size() > 1 ? ", \"" : "\"") + name + "\": " + std::to_string(number);
    return text + "}";
}

}  // namespace cloison::faults
