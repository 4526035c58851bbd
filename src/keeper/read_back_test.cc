#include "keeper/read_back.h"

#include <set>

#include "keeper/support_for_test.h"

namespace cloison::keeper {
namespace {

constexpr Duration kHour{60 * 60 * 1000};
constexpr Duration kDay = 24 * kHour;

/// The register with budgets that a test reaches.
registry::Registry small_register() {
    std::string text = to_string(*local_file_system().read_file(register_path(), 1 << 20));
    const auto set = [&](const std::string& from, const std::string& to) {
        const auto at = text.find(from);
        EXPECT_NE(at, std::string::npos) << from;
        text.replace(at, from.size(), to);
    };
    set("per_hour = 60\nper_day = 240", "per_hour = 4\nper_day = 9");           // process_request
    set("per_hour = 30\nper_day = 120", "per_hour = 3\nper_day = 6");           // support_call
    set("per_hour = 50000\nper_day = 300000", "per_hour = 8\nper_day = 20");    // desk
    set("per_hour = 200000\nper_day = 2000000", "per_hour = 5\nper_day = 12");  // portal
    return *registry::Registry::parse(text, "small");
}

/// What the budgets are meant to be, counted anew each time.
class NaiveBudgets {
  public:
    bool allows(const Charge& charge, Time now) const {
        return fits(charge, now, kHour, charge.purpose->budget.per_hour,
                    charge.door->budget.per_hour) &&
               fits(charge, now, kDay, charge.purpose->budget.per_day, charge.door->budget.per_day);
    }
    void charge(const Charge& charge, Time at) { all_.emplace_back(charge, at); }

  private:
    bool fits(const Charge& charge, Time now, Duration period, std::uint32_t of_actor,
              std::uint32_t of_door) const {
        std::set<std::uint32_t> by_actor{charge.person};
        std::set<std::uint32_t> by_door{charge.person};
        for (const auto& [each, at] : all_) {
            if (at + period <= now) continue;
            if (each.actor == charge.actor && each.purpose == charge.purpose)
                by_actor.insert(each.person);
            if (each.door == charge.door) by_door.insert(each.person);
        }
        return by_actor.size() <= of_actor && by_door.size() <= of_door;
    }
    std::vector<std::pair<Charge, Time>> all_;
};

/// A keeper's memory and the journal that it comes from.
struct Memory {
    Memory(const registry::Registry& registry, Recorder& recorder, Alarms& alarms)
        : allowances(*Allowances::create(registry, recorder, alarms)) {}
    KnownFromLines known() { return {budgets, refusals, revocations, *allowances}; }
    Budgets budgets;
    Refusals refusals{20};
    Revocations revocations;
    std::unique_ptr<Allowances> allowances;
};

TEST(ReadBackTest, BudgetsDecideAsCountingAnewDoesAlsoAfterRestarts) {
    const auto registry = small_register();
    SeededRandom random(11);
    MemoryJournal journal;
    ManualClock clock(from_unix_ms(TestBed::kStartMs));
    Recorder recorder(journal, clock, random, Time{}, {});
    Alarms alarms(recorder);
    auto memory = std::make_unique<Memory>(registry, recorder, alarms);
    NaiveBudgets naive;

    const std::vector<ActorId> actors{ActorId::random(random), ActorId::random(random),
                                      ActorId::random(random)};
    const std::vector<const registry::Purpose*> purposes{registry.purpose("process_request"),
                                                         registry.purpose("support_call")};
    const std::vector<const registry::Door*> doors{registry.door("portal"), registry.door("desk")};
    const auto pick = [&](const auto& list) {
        return list[random.uniform(static_cast<std::uint32_t>(list.size()))];
    };
    int allowed = 0;
    int refused = 0;
    int restarts = 0;
    for (int step = 0; step < 8'000; ++step) {
        const auto what = random.uniform(100);
        if (what < 20) {
            const std::uint32_t range = what < 1   ? 30 * 60 * 60 * 1000U
                                        : what < 6 ? 60 * 60 * 1000U
                                                   : 5 * 60 * 1000U;
            clock.advance(Duration(random.uniform(range)));
        } else if (what < 22) {
            ++restarts;
            memory = std::make_unique<Memory>(registry, recorder, alarms);
            const auto last = last_time(journal);
            ASSERT_TRUE(last);
            ASSERT_TRUE(read_back(journal, registry, *last, memory->known()));
        } else {
            const Charge charge{pick(actors), pick(purposes), pick(doors),
                                static_cast<std::uint32_t>(1 + random.uniform(15))};
            const Time now = clock.now();
            const bool allows = memory->budgets.check(charge, now).has_value();
            ASSERT_EQ(allows, naive.allows(charge, now)) << "step " << step;
            ++(allows ? allowed : refused);
            if (!allows) continue;
            memory->budgets.charge(charge, now);
            naive.charge(charge, now);
            journal::Entry line;
            line.kind = random.uniform(10) == 0 ? journal::EntryKind::kErased
                                                : journal::EntryKind::kDisclosed;
            line.actor = charge.actor;
            line.purpose = charge.purpose->number;
            line.door = charge.door->number;
            line.person = charge.person;
            ASSERT_TRUE(recorder.write({line}));
        }
    }
    EXPECT_GT(allowed, 500);
    EXPECT_GT(refused, 500);
    EXPECT_GT(restarts, 50);
}

TEST(ReadBackTest, LinesThatChargeNothingAreLeftAlone) {
    const auto registry = small_register();
    SeededRandom random(11);
    MemoryJournal journal;
    ManualClock clock(from_unix_ms(TestBed::kStartMs));
    Recorder recorder(journal, clock, random, Time{}, {});
    Alarms alarms(recorder);
    Memory memory(registry, recorder, alarms);
    EXPECT_EQ(*last_time(journal), Time{});
    EXPECT_TRUE(read_back(journal, registry, Time{}, memory.known()));
    journal::Entry line;
    line.actor = ActorId::random(random);
    line.purpose = registry.purpose("support_call")->number;
    line.door = registry.door("desk")->number;
    for (const auto kind : {journal::EntryKind::kRefused, journal::EntryKind::kConfigured,
                            journal::EntryKind::kKeyChanged, journal::EntryKind::kListRead,
                            journal::EntryKind::kAlarm}) {
        line.kind = kind;
        line.person = 7;
        ASSERT_TRUE(recorder.write({line}));
    }
    line.kind = journal::EntryKind::kDisclosed;
    line.purpose = 250;
    ASSERT_TRUE(recorder.write({line}));
    ASSERT_TRUE(read_back(journal, registry, *last_time(journal), memory.known()));
    EXPECT_EQ(memory.budgets.actors(), 0u);
}

}  // namespace
}  // namespace cloison::keeper
