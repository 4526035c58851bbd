// Load on a running keeper, and the judge of what it answered.
//
//   keeper_load VAR SEED THREADS LOG
//
// Opens sealed values of many persons for several actors and purposes, reads histories and proofs,
// journal lines and blind indexes, enrols, erases and rotates, from THREADS threads, while somebody
// else kills the keeper or fails its disk. It calls as the services do, with their keys from VAR.
// LOG gets "index leaf-hash actor person" for every plaintext that was released.
//
// Each line of standard input is answered with one line of JSON:
//
//   check   waits until nothing is under way, then holds all that was ever answered against the
//           journal as it is now; goes on afterwards
//   pause, go   stop the load, and let it go on
//   stop    as check, and ends
//
// Whatever a keeper may never do ends the program at once with exit code 3 and a line on standard
// error that begins with "VIOLATION:".

#include <atomic>
#include <cstdio>
#include <cstdlib>
#include <deque>
#include <fstream>
#include <iostream>
#include <map>
#include <mutex>
#include <set>
#include <thread>

#include "base/log.h"
#include "base/seeded_random.h"
#include "crypto/hash.h"
#include "journal/entry.h"
#include "journal/journal.h"
#include "journal/note.h"
#include "journal/proof.h"
#include "keeper_calls.h"
#include "load_gate.h"

using namespace cloison;
using faults::Person;
using faults::Way;

namespace {

constexpr std::size_t kBasePersons = 70;
constexpr std::size_t kShortLived = 500;         ///< Persons that are made to be erased, at most.
constexpr std::size_t kErasuresOfOneActor = 40;  ///< Below the budget of an hour.
constexpr Duration kPatience{60'000};
constexpr Duration kHour{60 * 60 * 1000};

[[noreturn]] void violation(const std::string& what) {
    std::fprintf(stderr, "VIOLATION: %s\n", what.c_str());
    std::_Exit(3);
}

[[noreturn]] void no_line(const std::string& how) {
    violation("plaintext was released without its line: " + how);
}

/// An error that a keeper may give while it is killed, or while its disk fails.
bool is_away(const Error& error) {
    return error.retryable() || error.code == ErrorCode::kIo;
}

struct Subject {
    enum State { kAlive, kErasing, kErased };
    Person person;
    State state = kAlive;
    std::uint32_t ordinal = 0;            ///< As the journal calls them; 0: not known yet.
    std::uint64_t last_acknowledged = 0;  ///< Index of the newest line that was acknowledged.
    bool acknowledged = false;
};

/// Somebody of the staff, who opens a few persons only, or more than the budget has room for.
struct StaffMember {
    Way way;
    std::uint32_t per_hour;  ///< The budget, registry/fields.toml.
    std::size_t persons;     ///< Whom they ask for: as many base persons from `first`.
    std::size_t first;
    std::size_t others = 0;  ///< Whom they saw beyond these, in checks.
};

struct Acknowledged {
    std::uint64_t index;
    crypto::Hash leaf;
    ActorId actor;
    std::size_t subject;
};

struct Line {
    journal::EntryKind kind;
    Time time;
    crypto::Hash leaf;
    ActorId actor;
    std::uint32_t person;
};

struct Counts {
    std::atomic<std::uint64_t> released{0}, away{0}, refused{0}, histories{0}, proofs{0},
        lines_read{0}, look_ups{0}, enrolled{0}, erased{0}, rotations{0}, disk_refused{0};
};

class Load {
  public:
    Load(const Path& var, std::uint64_t seed, int threads, const Path& log)
        : calls_(var), seed_(seed), gate_(threads), log_(log, std::ios::app) {}

    void prepare();
    void start();
    std::string check();
    void pause() { gate_.close(); }
    void go() { gate_.open(); }
    void stop();

  private:
    using Lines = std::vector<Line>;

    template <class Call>
    auto insist(const char* what, Call call);
    void work(std::uint64_t seed);
    void one_call(SeededRandom& random);

    Status open(std::size_t which, const Way& way);
    void judge_refusal(const Error& error, Subject::State before, std::size_t which);
    Status ask_as_staff(SeededRandom& random);
    Status ask_for_erased(SeededRandom& random);
    Status read_history(SeededRandom& random);
    Status read_proof(SeededRandom& random);
    Status read_lines(SeededRandom& random);
    Status look_up(SeededRandom& random);
    Status enrol();
    Status erase(SeededRandom& random);
    Status rotate();

    Lines read_journal();
    void check_acknowledged(const Lines& lines);
    void check_persons(const Lines& lines);
    void check_budget(const Lines& lines, StaffMember& member);
    std::string report(const Lines& lines) const;
    std::size_t base(SeededRandom& random) { return random.uniform(kBasePersons); }
    Way own_way(std::size_t which);

    faults::KeeperCalls calls_;
    const std::uint64_t seed_;
    faults::LoadGate gate_;
    std::vector<std::thread> threads_;
    std::vector<StaffMember> staff_;
    Counts counts_;

    std::mutex mutex_;  ///< For all below.
    std::ofstream log_;
    std::deque<Subject> subjects_;  ///< Base persons first; the others are there to be erased.
    std::vector<Acknowledged> acknowledged_;
    std::map<std::string, std::string> look_ups_;
    ActorId dpo_;
    std::size_t erasures_of_dpo_ = kErasuresOfOneActor;
};

/// Calls again while the keeper is away.
template <class Call>
auto Load::insist(const char* what, Call call) {
    const Time deadline = system_clock().now() + kPatience;
    auto result = call();
    while (!result && is_away(result.error()) && system_clock().now() < deadline) {
        gate_.breathe();
        result = call();
    }
    if (!result && is_away(result.error()))
        violation(std::string("the keeper does not come back: ") + what + ": " +
                  result.error().message);
    if (!result) violation(std::string(what) + ": " + result.error().message);
    return result;
}

void Load::prepare() {
    insist("describe", [&] { return calls_.describe(); });
    for (std::size_t i = 0; i < kBasePersons; ++i) {
        auto person = insist("enrol", [&] { return calls_.make_person(i); });
        subjects_.push_back({std::move(*person)});
    }
    SeededRandom random(seed_);
    const auto add_staff = [&](const char* purpose, std::uint32_t per_hour) {
        // From a few persons to more than the budget has room for.
        for (std::size_t persons = per_hour / 2; persons < per_hour + 10; persons += 4)
            staff_.push_back({{purpose, ActorId::random(random), SessionId::random(random)},
                              per_hour,
                              std::min(persons, kBasePersons),
                              random.uniform(kBasePersons)});
    };
    add_staff("support_call", 30);
    add_staff("process_request", 60);
}

void Load::start() {
    for (int i = 0; i < gate_.callers(); ++i)
        threads_.emplace_back([this, i] { work(seed_ * 1000 + static_cast<std::uint64_t>(i)); });
}

void Load::stop() {
    gate_.finish();
    for (auto& thread : threads_) thread.join();
}

void Load::work(std::uint64_t seed) {
    SeededRandom random(seed);
    while (gate_.pass()) one_call(random);
}

void Load::one_call(SeededRandom& random) {
    const std::uint64_t lot = random.uniform(1000);
    const std::size_t which = base(random);
    const Status status = lot < 550   ? open(which, own_way(which))
                          : lot < 720 ? ask_as_staff(random)
                          : lot < 780 ? ask_for_erased(random)
                          : lot < 860 ? read_history(random)
                          : lot < 900 ? read_proof(random)
                          : lot < 930 ? read_lines(random)
                          : lot < 950 ? look_up(random)
                          : lot < 975 ? enrol()
                          : lot < 995 ? erase(random)
                                      : rotate();
    if (status) return;
    if (!is_away(status.error())) violation("unexpected answer: " + status.error().message);
    ++(status.error().retryable() ? counts_.away : counts_.disk_refused);
    gate_.breathe();
}

Way Load::own_way(std::size_t which) {
    const std::lock_guard lock(mutex_);
    const Person& person = subjects_[which].person;
    return {"self_service", person.actor, person.session};
}

/// One disclosure. What is released has to be the person's own value; it is remembered for ever.
Status Load::open(std::size_t which, const Way& way) {
    const Person* person = nullptr;
    Subject::State before{};
    {
        const std::lock_guard lock(mutex_);
        person = &subjects_[which].person;  // A deque moves nothing.
        before = subjects_[which].state;
    }
    const auto disclosed = calls_.open(*person, way);
    if (!disclosed) {
        if (is_away(disclosed.error())) return fail(disclosed.error());
        judge_refusal(disclosed.error(), before, which);
        return fail(disclosed.error());
    }
    if (disclosed->values_size() != 1 ||
        disclosed->values(0) != faults::KeeperCalls::value_of(*person, way))
        violation("a wrong plaintext was released");
    if (before == Subject::kErased) violation("a person opens who was erased");
    Acknowledged acknowledged{disclosed->receipt().index(), {}, way.actor, which};
    const ByteView leaf = as_bytes(disclosed->receipt().leaf_hash());
    if (leaf.size() != acknowledged.leaf.size()) violation("a receipt has no leaf hash");
    std::copy(leaf.begin(), leaf.end(), acknowledged.leaf.begin());
    ++counts_.released;
    const std::lock_guard lock(mutex_);
    acknowledged_.push_back(acknowledged);
    Subject& subject = subjects_[which];
    subject.acknowledged = true;
    subject.last_acknowledged = std::max(subject.last_acknowledged, acknowledged.index);
    log_ << acknowledged.index << ' ' << hex_encode(leaf) << ' ' << way.actor.hex() << ' '
         << person->number << std::endl;
    if (!log_) {
        std::fprintf(stderr, "The load cannot write down what it was told.\n");
        std::_Exit(1);
    }
    return {};
}

void Load::judge_refusal(const Error& error, Subject::State before, std::size_t which) {
    if (error.code == ErrorCode::kExhausted) return;
    if (error.code == ErrorCode::kNotFound) {
        const std::lock_guard lock(mutex_);
        if (before != Subject::kAlive || subjects_[which].state != Subject::kAlive) return;
        violation("a person who was not erased does not open: " + error.message);
    }
    violation("unexpected answer: " + error.message);
}

Status Load::ask_as_staff(SeededRandom& random) {
    const StaffMember& member = staff_[random.uniform(staff_.size())];
    const std::size_t which = (member.first + random.uniform(member.persons)) % kBasePersons;
    auto status = open(which, member.way);
    if (status || status.error().code != ErrorCode::kExhausted) return status;
    if (member.persons + member.others <= member.per_hour)
        violation("a budget that has room refuses: " + status.error().message);
    ++counts_.refused;
    return {};
}

Status Load::ask_for_erased(SeededRandom& random) {
    std::size_t which = 0;
    {
        const std::lock_guard lock(mutex_);
        if (subjects_.size() == kBasePersons) return {};
        which = kBasePersons + random.uniform(subjects_.size() - kBasePersons);
    }
    auto status = open(which, own_way(which));
    if (status || status.error().code != ErrorCode::kNotFound) return status;
    return {};
}

Status Load::read_history(SeededRandom& random) {
    const std::size_t which = base(random);
    Subject subject;
    {
        const std::lock_guard lock(mutex_);
        subject = subjects_[which];
    }
    constexpr std::uint32_t kLimit = 200;
    CLOISON_TRY(const auto history, calls_.history(subject.person, kLimit));
    std::set<std::uint64_t> indexes;
    for (const auto& line : history.lines()) {
        const auto entry = journal::decode_entry(as_bytes(line.entry()));
        if (!entry) violation("a history has a line that is none");
        if (subject.ordinal != 0 && entry->person != subject.ordinal)
            violation("a history has a line about somebody else");
        indexes.insert(line.index());
    }
    const bool reaches_back =
        indexes.size() < kLimit || *indexes.begin() < subject.last_acknowledged;
    if (subject.acknowledged && reaches_back && !indexes.contains(subject.last_acknowledged))
        no_line("a history lacks it");
    ++counts_.histories;
    return {};
}

Status Load::read_proof(SeededRandom& random) {
    Acknowledged one{};
    Person person;
    {
        const std::lock_guard lock(mutex_);
        if (acknowledged_.empty()) return {};
        one = acknowledged_[random.uniform(acknowledged_.size())];
        person = subjects_[one.subject].person;
    }
    const auto text = calls_.prove(person, one.index);
    if (!text && is_away(text.error())) return fail(text.error());
    if (!text)
        no_line("line " + std::to_string(one.index) + " is not proved: " + text.error().message);
    const auto proof = journal::Proof::parse(*text);
    const auto verifier = journal::NoteVerifier::parse(calls_.verify_key());
    if (!proof || !verifier || !journal::verify_proof(*proof, *verifier))
        violation("a proof does not verify");
    if (journal::Journal::leaf_hash(proof->entry) != one.leaf)
        violation("a proof is of another line than the one that was acknowledged");
    ++counts_.proofs;
    return {};
}

Status Load::read_lines(SeededRandom& random) {
    std::uint64_t newest = 0;
    {
        const std::lock_guard lock(mutex_);
        if (acknowledged_.empty()) return {};
        newest = acknowledged_.back().index;
    }
    CLOISON_TRY(const auto read, calls_.read_entries(random.uniform(newest + 1), 50));
    if (read.size() <= newest) no_line("the journal is shorter than that");
    for (const auto& bytes : read.entries())
        if (!journal::decode_entry(as_bytes(bytes)))
            violation("the journal gives a line that is none");
    ++counts_.lines_read;
    return {};
}

/// The same question has the same answer, for ever. Look-ups have a budget too.
Status Load::look_up(SeededRandom& random) {
    const std::size_t which = base(random);
    const bool hardens = random.uniform(2) == 0;
    const Person* person = nullptr;
    {
        const std::lock_guard lock(mutex_);
        person = &subjects_[which].person;
    }
    const auto found =
        hardens ? calls_.harden(person->email_record) : calls_.blind_index(person->email);
    if (!found && found.error().code == ErrorCode::kExhausted) return {};
    if (!found) return fail(found.error());
    const std::lock_guard lock(mutex_);
    const auto [known, added] =
        look_ups_.try_emplace((hardens ? "h" : "b") + std::to_string(which), *found);
    if (!added && known->second != *found) violation("a look-up has another answer than before");
    ++counts_.look_ups;
    return {};
}

Status Load::enrol() {
    std::size_t number = 0;
    {
        const std::lock_guard lock(mutex_);
        number = subjects_.size();
        if (number >= kBasePersons + kShortLived) return {};
    }
    CLOISON_TRY(auto person, calls_.make_person(number));
    ++counts_.enrolled;
    const std::lock_guard lock(mutex_);
    subjects_.push_back({std::move(person)});
    return {};
}

Status Load::erase(SeededRandom& random) {
    const Person* person = nullptr;
    std::size_t which = 0;
    ActorId dpo;
    {
        const std::lock_guard lock(mutex_);
        if (subjects_.size() == kBasePersons) return {};
        which = kBasePersons + random.uniform(subjects_.size() - kBasePersons);
        if (subjects_[which].state != Subject::kAlive) return {};
        subjects_[which].state = Subject::kErasing;
        person = &subjects_[which].person;
        if (++erasures_of_dpo_ > kErasuresOfOneActor) {
            dpo_ = ActorId::random(system_random());
            erasures_of_dpo_ = 1;
        }
        dpo = dpo_;
    }
    CLOISON_TRY_STATUS(calls_.erase(*person, dpo));
    ++counts_.erased;
    const std::lock_guard lock(mutex_);
    subjects_[which].state = Subject::kErased;
    return {};
}

Status Load::rotate() {
    const auto state = calls_.rotate(keeper::v1::RotateRequest::START);
    if (state) ++counts_.rotations;
    if (!state && !is_away(state.error())) violation("rotation: " + state.error().message);
    // It may stand still where the disk fails, and says why; check() wants it to have gone on.
    return {};
}

Load::Lines Load::read_journal() {
    Lines lines;
    for (;;) {
        const auto page = insist("read", [&] { return calls_.read_entries(lines.size(), 10'000); });
        for (const auto& bytes : page->entries()) {
            const auto entry = journal::decode_entry(as_bytes(bytes));
            if (!entry) violation("the journal gives a line that is none");
            lines.push_back({entry->kind, entry->time, journal::Journal::leaf_hash(as_bytes(bytes)),
                             entry->actor, entry->person});
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
    auto text = report(lines);
    for (auto& member : staff_) check_budget(lines, member);
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
    }
}

/// A budget is exactly what the journal says: full for whom it is full, and no earlier.
void Load::check_budget(const Lines& lines, StaffMember& member) {
    std::set<std::uint32_t> seen;
    const Time since = system_clock().now() - kHour;
    for (const Line& line : lines)
        if (line.kind == journal::EntryKind::kDisclosed && line.actor == member.way.actor &&
            line.time > since)
            seen.insert(line.person);
    if (seen.size() > member.per_hour)
        violation("a budget of " + std::to_string(member.per_hour) + " persons let " +
                  std::to_string(seen.size()) + " through");
    for (const bool known : {true, false}) {
        for (std::size_t i = 0; i < kBasePersons; ++i) {
            if (seen.contains(subjects_[i].ordinal) != known) continue;
            const auto allowed = insist("open", [&]() -> Result<bool> {
                auto status = open(i, member.way);
                if (status) return true;
                if (status.error().code == ErrorCode::kExhausted) return false;
                return fail(status.error());
            });
            const bool room = known || seen.size() < member.per_hour;
            if (*allowed && !room) violation("a budget was reset: it was used up and has room");
            if (!*allowed && room) violation("a budget refuses what the journal leaves room for");
            if (!known && *allowed) ++member.others;
            break;
        }
    }
}

std::string Load::report(const Lines& lines) const {
    std::size_t erased = 0;
    for (const auto& subject : subjects_) erased += subject.state == Subject::kErased ? 1 : 0;
    const std::map<std::string, std::uint64_t> figures = {{"released", counts_.released},
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
                                                          {"disk_refused", counts_.disk_refused}};
    std::string text = "{";
    for (const auto& [name, number] : figures)
        text += (text.size() > 1 ? ", \"" : "\"") + name + "\": " + std::to_string(number);
    return text + "}";
}

}  // namespace

int main(int argc, char** argv) {
    crypto::initialize();
    set_log_level(LogLevel::kError);
    if (argc != 5) {
        std::fprintf(stderr, "usage: keeper_load VAR SEED THREADS LOG\n");
        return 2;
    }
    Load load(argv[1], std::stoull(argv[2]), std::stoi(argv[3]), argv[4]);
    load.prepare();
    load.start();
    std::cout << "running" << std::endl;
    std::string command;
    while (std::getline(std::cin, command)) {
        if (command == "check") {
            std::cout << load.check() << std::endl;
        } else if (command == "pause") {
            load.pause();
            std::cout << "{}" << std::endl;
        } else if (command == "go") {
            load.go();
            std::cout << "{}" << std::endl;
        } else if (command == "stop") {
            const std::string report = load.check();
            load.stop();
            std::cout << report << std::endl;
            return 0;
        }
    }
    load.stop();
    return 0;
}
