#include "load.h"

#include "journal/journal.h"
#include "journal/note.h"
#include "journal/proof.h"

namespace cloison::faults {
namespace {

/// Actors' budgets are spoken of in other words.
bool is_of_door(const Error& error) {
    return error.message.find("of this door") != std::string::npos;
}

}  // namespace

void Load::prepare() {
    insist("describe", [&] { return calls_.describe(); });
    for (std::size_t i = 0; i < kBasePersons; ++i) {
        auto person = insist("enrol", [&] { return calls_.make_person(i); });
        subjects_.push_back({std::move(*person)});
    }
    while (living_.size() < kShortLived) insist("enrol", [&] { return add_short_lived(); });
    SeededRandom random(seed_);
    for (const char* purpose : {"support_call", "process_request"}) {
        const registry::Purpose* known = registry_.purpose(purpose);
        if (known == nullptr) violation("the register has no purpose " + std::string(purpose));
        const registry::Budget budget = known->budget;
        // From a few persons to more than the budget has room for.
        for (std::size_t persons = budget.per_hour / 2; persons < budget.per_hour + 10;
             persons += 4)
            staff_.push_back({{purpose, ActorId::random(random), SessionId::random(random)},
                              budget,
                              std::min(persons, kBasePersons),
                              random.uniform(kBasePersons)});
        staff_.back().fills = true;
    }
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
        disclosed->values(0) != KeeperCalls::value_of(*person, way))
        violation("a wrong plaintext was released");
    if (before == Subject::kErased) violation("a person opens who was erased");
    Acknowledged acknowledged{disclosed->receipt().index(), {}, way.actor, which};
    const ByteView leaf = as_bytes(disclosed->receipt().leaf_hash());
    if (leaf.size() != acknowledged.leaf.size()) violation("a receipt has no leaf hash");
    std::copy(leaf.begin(), leaf.end(), acknowledged.leaf.begin());
    ++counts_.released;
    const std::lock_guard lock(mutex_);
    acknowledged_.push_back(acknowledged);
    last_of_caller_[std::this_thread::get_id()] = acknowledged;
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
    if (is_of_door(status.error()))
        judge_door_refusal(status.error());
    else if (member.persons + member.others <= member.budget.per_hour)
        violation("a budget that has room refuses: " + status.error().message);
    ++counts_.refused;
    return {};
}

/// The desk may refuse only if there are more persons than it may see.
void Load::judge_door_refusal(const Error& error) {
    const registry::Door* desk = registry_.door("desk");
    const std::lock_guard lock(mutex_);
    if (desk == nullptr || subjects_.size() <= desk->budget.per_hour)
        violation("a door's budget that has room refuses: " + error.message);
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

Status Load::add_short_lived() {
    std::size_t number = 0;
    {
        const std::lock_guard lock(mutex_);
        number = subjects_.size();
    }
    CLOISON_TRY(auto person, calls_.make_person(number));
    const std::lock_guard lock(mutex_);
    living_.push_back(subjects_.size());
    subjects_.push_back({std::move(person)});
    return {};
}

Status Load::enrol() {
    {
        const std::lock_guard lock(mutex_);
        if (living_.size() >= kShortLived) return {};
    }
    CLOISON_TRY_STATUS(add_short_lived());
    ++counts_.enrolled;
    return {};
}

Status Load::erase(SeededRandom& random) {
    const Person* person = nullptr;
    std::size_t which = 0;
    ActorId dpo;
    {
        const std::lock_guard lock(mutex_);
        if (living_.empty()) return {};
        std::swap(living_[random.uniform(living_.size())], living_.back());
        which = living_.back();
        living_.pop_back();
        subjects_[which].state = Subject::kErasing;
        person = &subjects_[which].person;
        if (++erasures_of_dpo_ > kErasuresOfOneActor) {
            dpo_ = ActorId::random(system_random());
            erasures_of_dpo_ = 1;
        }
        dpo = dpo_;
    }
    auto status = calls_.erase(*person, dpo);
    const bool refused = !status && status.error().code == ErrorCode::kExhausted;
    if (refused) judge_door_refusal(status.error());
    if (!status && !refused) return status;  // Whether they are erased the next check finds out.
    const std::lock_guard lock(mutex_);
    subjects_[which].state = refused ? Subject::kAlive : Subject::kErased;
    if (refused) living_.push_back(which);
    ++(refused ? counts_.refused : counts_.erased);
    return {};
}

Status Load::rotate() {
    const auto state = calls_.rotate(keeper::v1::RotateRequest::START);
    if (state) ++counts_.rotations;
    if (!state && !is_away(state.error())) violation("rotation: " + state.error().message);
    // It may stand still where the disk fails, and says why; check() wants it to have gone on.
    return {};
}

}  // namespace cloison::faults
