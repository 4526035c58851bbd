#pragma once

#include <atomic>
#include <cstdio>
#include <cstdlib>
#include <deque>
#include <fstream>
#include <map>
#include <mutex>
#include <set>
#include <thread>

#include "base/seeded_random.h"
#include "crypto/hash.h"
#include "journal/entry.h"
#include "keeper_calls.h"
#include "load_gate.h"
#include "registry/registry.h"

namespace cloison::faults {

inline constexpr std::size_t kBasePersons = 70;
inline constexpr std::size_t kShortLived = 100;         ///< Persons who wait to be erased, at most.
inline constexpr std::size_t kErasuresOfOneActor = 40;  ///< Below the budget of an hour.
inline constexpr Duration kPatience{60'000};

/// Ends the program: a keeper did what none may ever do.
[[noreturn]] inline void violation(const std::string& what) {
    std::fprintf(stderr, "VIOLATION: %s\n", what.c_str());
    std::_Exit(3);
}

[[noreturn]] inline void no_line(const std::string& how) {
    violation("plaintext was released without its line: " + how);
}

/// An error that a keeper may give while it is killed, or while its disk fails.
inline bool is_away(const Error& error) {
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
    registry::Budget budget;  ///< Of the purpose, as the register has it.
    std::size_t persons;      ///< Whom they ask for: as many base persons from `first`.
    std::size_t first;
    bool fills = false;      ///< Checks let this one use the budget up.
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
    std::uint8_t door;
    std::uint32_t person;
};

/// Whom a budget counts, as the journal's lines of the last hour and day have it. Ordinals.
struct BudgetWindow {
    registry::Budget budget;
    std::set<std::uint32_t> hour;
    std::set<std::uint32_t> day;

    bool hour_fits(std::uint32_t person) const {
        return hour.contains(person) || hour.size() < budget.per_hour;
    }
    bool day_fits(std::uint32_t person) const {
        return day.contains(person) || day.size() < budget.per_day;
    }
    bool fits(std::uint32_t person) const { return hour_fits(person) && day_fits(person); }
    /// How many more fit whom it does not know.
    std::size_t room() const {
        const auto left = [](std::size_t bound, std::size_t used) {
            return bound > used ? bound - used : 0;
        };
        return std::min(left(budget.per_hour, hour.size()), left(budget.per_day, day.size()));
    }
    std::string text() const {
        return std::to_string(hour.size()) + " of " + std::to_string(budget.per_hour) +
               " in the hour, " + std::to_string(day.size()) + " of " +
               std::to_string(budget.per_day) + " in the day";
    }
    void see(std::uint32_t person) {
        hour.insert(person);
        day.insert(person);
    }
};

struct Counts {
    std::atomic<std::uint64_t> released{0}, away{0}, refused{0}, histories{0}, proofs{0},
        lines_read{0}, look_ups{0}, enrolled{0}, erased{0}, rotations{0}, disk_refused{0};
    /// Budgets that were used up when a check asked them for one person more, who was refused.
    std::uint64_t full_actor_hour = 0, full_actor_day = 0, full_door_hour = 0, full_door_day = 0;
};

/// Many callers of a running keeper, and what they were answered. prepare(), then start(); the
/// other public functions are for one thread, between these and stop().
class Load {
  public:
    /// `registry` is the register that the keeper runs with.
    Load(const Path& var, const registry::Registry& registry, std::uint64_t seed, int threads,
         const Path& log)
        : calls_(var), registry_(registry), seed_(seed), gate_(threads), log_(log, std::ios::app) {}

    void prepare();
    void start();
    /// Holds all that was ever answered against the journal as it is now; figures.
    std::string check();
    std::string figures();
    /// Remembers the last line that each caller was told of, all calls having ended; figures. For a
    /// keeper that was just killed.
    std::string mark();
    /// Holds what mark() remembered against the keeper that was started anew, under load.
    std::string recovered();
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
    void judge_door_refusal(const Error& error);
    Status ask_for_erased(SeededRandom& random);
    Status read_history(SeededRandom& random);
    Status read_proof(SeededRandom& random);
    Status read_lines(SeededRandom& random);
    Status look_up(SeededRandom& random);
    Status add_short_lived();
    Status enrol();
    Status erase(SeededRandom& random);
    Status rotate();

    Lines read_journal();
    void check_acknowledged(const Lines& lines);
    void check_persons(const Lines& lines);
    void check_budgets(const Lines& lines);
    void check_actor(StaffMember& member, BudgetWindow actor, BudgetWindow& door);
    void check_door(BudgetWindow& door);
    bool probe(std::size_t which, const Way& way, BudgetWindow& actor, BudgetWindow& door);
    std::string report(const Lines& lines) const;
    std::size_t base(SeededRandom& random) { return random.uniform(kBasePersons); }
    Way own_way(std::size_t which);

    KeeperCalls calls_;
    const registry::Registry& registry_;
    const std::uint64_t seed_;
    LoadGate gate_;
    std::vector<std::thread> threads_;
    std::vector<StaffMember> staff_;
    Counts counts_;
    std::vector<Acknowledged> marks_;  ///< Of the last mark(); the highest index last.

    std::mutex mutex_;  ///< For all below.
    std::ofstream log_;
    std::deque<Subject> subjects_;     ///< Base persons first; the others are there to be erased.
    std::vector<std::size_t> living_;  ///< Of those, who is not erased nor about to be.
    std::vector<Acknowledged> acknowledged_;
    std::map<std::thread::id, Acknowledged> last_of_caller_;
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

/// A flat object of numbers.
std::string figures_text(const std::map<std::string, std::uint64_t>& figures);

}  // namespace cloison::faults
