#include "keeper/allowance.h"

#include <atomic>
#include <deque>
#include <thread>

#include "keeper/hardening.h"
#include "keeper/support_for_test.h"

namespace cloison::keeper {
namespace {

constexpr Duration kMillisecond{1};
constexpr Duration kSecond{1'000};
constexpr Duration kHour{60 * 60 * 1000};
constexpr Duration kDay = 24 * kHour;

TEST(RollingUsesTest, AUseCountsForAnHourAndADayFromItsSecond) {
    const Time start = from_unix_ms(1'776'000'000'000);
    RollingUses uses;
    uses.add(start, 2);
    uses.add(start + kMillisecond, 1);  // rounded up
    uses.advance(start + kHour - kMillisecond);
    EXPECT_EQ(uses.in_hour(), 3u);
    uses.advance(start + kHour);
    EXPECT_EQ(uses.in_hour(), 1u);
    uses.advance(start + kHour + kSecond);
    EXPECT_EQ(uses.in_hour(), 0u);
    uses.advance(start + kDay);
    EXPECT_EQ(uses.in_day(), 1u);
    uses.advance(start + kDay + kSecond);
    EXPECT_EQ(uses.in_day(), 0u);
}

/// An allowance over a journal in memory; `restart` is a new process that reads the lines.
class AllowanceTest : public testing::Test {
  protected:
    static constexpr std::uint32_t kPerHour = 20;
    static constexpr std::uint32_t kPerDay = 60;
    static constexpr std::uint32_t kBlock = 5;

    AllowanceTest() { restart(); }
    void restart() {
        Time last{};
        for (const auto& line : lines()) last = line.time;
        recorder_ = std::make_unique<Recorder>(journal_, clock_, random_, last, Recorder::Hooks{});
        alarms_ = std::make_unique<Alarms>(*recorder_);
        auto made = Allowances::create(registry_, *recorder_, *alarms_);
        ASSERT_TRUE(made) << made.error().message;
        allowances_ = std::move(*made);
        for (const auto& line : lines())
            if (line.kind == journal::EntryKind::kLookUps && line.time > last - 25 * kHour) {
                ASSERT_TRUE(allowances_->replay(line));
            }
        allowances_->finish_replay(recorder_->now());
    }
    std::vector<journal::Entry> lines() const {
        std::vector<journal::Entry> entries;
        for (const auto& bytes : journal_.entries) entries.push_back(*journal::decode_entry(bytes));
        return entries;
    }
    std::vector<std::string> reasons(journal::EntryKind kind) const {
        std::vector<std::string> found;
        for (const auto& line : lines())
            if (line.kind == kind) found.push_back(line.reason);
        return found;
    }
    Allowance& desk() { return *allowances_->look_ups("desk"); }
    bool use() { return desk().use().has_value(); }
    bool use(std::uint64_t thing) { return desk().use(thing).has_value(); }
    int use_all() {
        int used = 0;
        while (use()) ++used;
        return used;
    }

    registry::Registry registry_ = changed_register("per_hour = 10000\nper_day = 60000\nblock = 50",
                                                    "per_hour = 20\nper_day = 60\nblock = 5");
    MemoryJournal journal_;
    ManualClock clock_{from_unix_ms(TestBed::kStartMs)};
    SeededRandom random_{3};
    std::unique_ptr<Recorder> recorder_;
    std::unique_ptr<Alarms> alarms_;
    std::unique_ptr<Allowances> allowances_;
};

TEST_F(AllowanceTest, ABlockIsInTheJournalBeforeItsFirstUse) {
    EXPECT_TRUE(journal_.entries.empty());
    for (std::uint32_t i = 0; i < kBlock; ++i) EXPECT_TRUE(use());
    EXPECT_EQ(reasons(journal::EntryKind::kLookUps), std::vector<std::string>{"look_ups_desk 5"});
    EXPECT_EQ(lines()[0].door, registry_.door("desk")->number);
    EXPECT_TRUE(use());
    EXPECT_EQ(reasons(journal::EntryKind::kLookUps).size(), 2u);
    journal_.failing = true;
    for (std::uint32_t i = 1; i < kBlock; ++i) EXPECT_TRUE(use()) << "set aside already";
    EXPECT_FALSE(use()) << "no use without its line";
}

TEST_F(AllowanceTest, TheSameThingIsFreeForAnHour) {
    EXPECT_TRUE(use(7));
    for (int i = 0; i < 100; ++i) EXPECT_TRUE(use(7));
    EXPECT_EQ(desk().in_hour(), 1u);
    for (std::uint64_t thing = 100; thing < 100 + kPerHour - 1; ++thing) EXPECT_TRUE(use(thing));
    EXPECT_FALSE(use(8));
    EXPECT_TRUE(use(7)) << "also at the bound";
    clock_.advance(kHour - kMillisecond);
    EXPECT_TRUE(use(7));
    EXPECT_FALSE(use(8));
    clock_.advance(kMillisecond);
    EXPECT_TRUE(use(8));
    EXPECT_EQ(desk().in_hour(), 1u) << "nothing of an hour ago";
    EXPECT_TRUE(use(7));
    EXPECT_EQ(desk().in_hour(), 2u) << "counted again";
}

TEST_F(AllowanceTest, AtTheBoundThereIsOneLineAMinuteAndAnAlarm) {
    EXPECT_EQ(use_all(), static_cast<int>(kPerHour));
    for (int i = 0; i < 10; ++i) EXPECT_FALSE(use());
    EXPECT_EQ(desk().use().error().code, ErrorCode::kExhausted);
    EXPECT_EQ(reasons(journal::EntryKind::kRefused), std::vector<std::string>{"look_ups_desk"});
    EXPECT_EQ(reasons(journal::EntryKind::kAlarm), std::vector<std::string>{"look-ups desk"});
    clock_.advance(60 * kSecond);
    EXPECT_FALSE(use());
    EXPECT_EQ(reasons(journal::EntryKind::kRefused).back(), "look_ups_desk, 11 more");
    EXPECT_EQ(allowances_->look_ups("portal")->use().has_value(), true) << "others are unmoved";
}

TEST_F(AllowanceTest, TheDayHolds) {
    int used = 0;
    for (int hour = 0; hour < 24; ++hour) {
        used += use_all();
        clock_.advance(kHour);
    }
    EXPECT_EQ(used, static_cast<int>(kPerDay));
    EXPECT_EQ(use_all(), static_cast<int>(kPerHour)) << "the first hour's are a day old";
}

TEST_F(AllowanceTest, ARestartGivesNothingBack) {
    EXPECT_EQ(use_all(), static_cast<int>(kPerHour));
    restart();
    EXPECT_FALSE(use());
    clock_.advance(kHour);
    EXPECT_EQ(use_all(), static_cast<int>(kPerHour));
    clock_.advance(kHour);
    restart();
    EXPECT_EQ(use_all(), static_cast<int>(kPerHour - kBlock))
        << "the last block may have been used until the restart";
}

TEST_F(AllowanceTest, EachRestartCostsABlockAtMost) {
    for (std::uint32_t restarts = 0; restarts < kPerHour / kBlock; ++restarts) {
        EXPECT_TRUE(use()) << restarts;
        EXPECT_EQ(desk().in_hour(), restarts * kBlock + 1);
        restart();
        EXPECT_EQ(desk().in_hour(), (restarts + 1) * kBlock);
        restart();
        EXPECT_EQ(desk().in_hour(), (restarts + 1) * kBlock) << "nothing was used since";
    }
    EXPECT_FALSE(use());
}

TEST_F(AllowanceTest, WhatIsLeftOfABlockIsVoidAfterAnHour) {
    EXPECT_TRUE(use());
    clock_.advance(Allowance::kBlockLifetime - kMillisecond);
    EXPECT_TRUE(use());
    EXPECT_EQ(reasons(journal::EntryKind::kLookUps).size(), 1u);
    clock_.advance(kMillisecond);
    EXPECT_TRUE(use());
    EXPECT_EQ(reasons(journal::EntryKind::kLookUps).size(), 2u);
}

/// Whatever the restarts: no rolling hour or day has more uses than its bound.
TEST_F(AllowanceTest, NoSequenceOfRestartsGetsPastTheBounds) {
    std::deque<Time> used;
    std::uint64_t refused = 0;
    for (int step = 0; step < 6'000; ++step) {
        const auto what = random_.uniform(100);
        if (what < 4) {
            restart();
        } else if (what < 30) {
            const std::int64_t range = what < 6 ? 7'200'000 : what < 15 ? 600'000 : 20'000;
            clock_.advance(Duration(
                static_cast<std::int64_t>(random_.uniform(static_cast<std::uint32_t>(range)))));
        } else if (use()) {
            used.push_back(clock_.now());
        } else {
            ++refused;
        }
        while (!used.empty() && used.front() + kDay <= clock_.now()) used.pop_front();
        ASSERT_LE(used.size(), kPerDay);
        const auto in_hour = std::count_if(used.begin(), used.end(),
                                           [&](Time at) { return at + kHour > clock_.now(); });
        ASSERT_LE(in_hour, static_cast<std::int64_t>(kPerHour));
    }
    EXPECT_GT(refused, 100u);
    EXPECT_GT(lines().size(), 100u);
}

TEST_F(AllowanceTest, ManyAtOnceDoNotGetPastTheBound) {
    std::atomic<int> used{0};
    std::vector<std::thread> threads;
    for (int i = 0; i < 8; ++i)
        threads.emplace_back([&] {
            for (int n = 0; n < 20; ++n)
                if (use()) ++used;
        });
    for (auto& thread : threads) thread.join();
    EXPECT_EQ(used, static_cast<int>(kPerHour));
    EXPECT_EQ(reasons(journal::EntryKind::kLookUps).size(), kPerHour / kBlock);
}

TEST_F(AllowanceTest, LinesThatDoNotSayHowManyAreCorrupt) {
    journal::Entry line;
    line.kind = journal::EntryKind::kLookUps;
    for (const char* reason : {"", "look_ups_desk", "look_ups_desk ", "look_ups_desk x",
                               "look_ups_desk 5x", "look_ups_desk 0", "look_ups_desk -1"}) {
        line.reason = reason;
        const auto status = allowances_->replay(line);
        ASSERT_FALSE(status) << reason;
        EXPECT_EQ(status.error().code, ErrorCode::kCorrupt);
    }
    line.reason = "look_ups_kiosk 5";
    EXPECT_TRUE(allowances_->replay(line)) << "the register no longer has it";
}

TEST_F(AllowanceTest, TheRegisterMustDeclareThem) {
    for (const char* name :
         {"look_ups_portal", "look_ups_desk", "look_ups_operator", "hardenings"}) {
        const auto registry =
            changed_register("name = \"" + std::string(name) + "\"", "name = \"other\"");
        const auto made = Allowances::create(registry, *recorder_, *alarms_);
        ASSERT_FALSE(made) << name;
        EXPECT_EQ(made.error().code, ErrorCode::kInvalidArgument);
        EXPECT_NE(made.error().message.find(name), std::string::npos);
    }
}

class HardenerTest : public AllowanceTest {
  protected:
    static Bytes record(std::uint8_t number) { return Bytes(16, number); }
    ErrorCode code(Hardener& hardener, std::uint8_t number) {
        auto hardened = hardener.harden(record(number), Bytes(32, 1));
        return hardened ? ErrorCode::kInternal : hardened.error().code;
    }
    KeyRing keys_{*crypto::RootKey::from_bytes(Bytes(32, 1))};
};

TEST_F(HardenerTest, AnAccountHasSoManyInAnHour) {
    Hardener hardener(keys_, 3, *allowances_, *recorder_, *alarms_);
    for (int i = 0; i < 3; ++i) EXPECT_EQ(code(hardener, 1), ErrorCode::kInternal);
    EXPECT_EQ(code(hardener, 1), ErrorCode::kExhausted);
    EXPECT_EQ(code(hardener, 2), ErrorCode::kInternal) << "another account";
    EXPECT_EQ(reasons(journal::EntryKind::kAlarm),
              std::vector<std::string>{"hardenings of one account"});
    clock_.advance(kHour - kMillisecond);
    EXPECT_EQ(code(hardener, 1), ErrorCode::kExhausted) << "never fewer than an hour";
    clock_.advance(5 * 60 * kSecond + kMillisecond);
    EXPECT_EQ(code(hardener, 1), ErrorCode::kInternal) << "at most five minutes more";
    clock_.advance(100 * kDay);
    for (int i = 0; i < 3; ++i) EXPECT_EQ(code(hardener, 1), ErrorCode::kInternal);
    EXPECT_EQ(code(hardener, 1), ErrorCode::kExhausted);
}

TEST_F(HardenerTest, TheSlotsOfAnHourAddUp) {
    Hardener hardener(keys_, 13, *allowances_, *recorder_, *alarms_);
    for (int i = 0; i < 13; ++i) {
        EXPECT_EQ(code(hardener, 1), ErrorCode::kInternal);
        clock_.advance(4 * 60 * kSecond);
    }
    EXPECT_EQ(code(hardener, 1), ErrorCode::kExhausted) << "52 minutes later";
}

TEST_F(HardenerTest, AtTheBoundTheLeastRecentlyAskedAccountIsForgotten) {
    Hardener hardener(keys_, 1, *allowances_, *recorder_, *alarms_, 2);
    EXPECT_EQ(code(hardener, 1), ErrorCode::kInternal);
    EXPECT_EQ(code(hardener, 2), ErrorCode::kInternal);
    EXPECT_EQ(code(hardener, 1), ErrorCode::kExhausted);
    EXPECT_EQ(code(hardener, 3), ErrorCode::kInternal);
    EXPECT_EQ(code(hardener, 1), ErrorCode::kExhausted) << "asked about since";
    EXPECT_EQ(code(hardener, 2), ErrorCode::kInternal) << "forgotten";
}

TEST_F(HardenerTest, WhatTheAllowanceRefusesMakesNoAccountForgotten) {
    Hardener hardener(keys_, 1, *allowances_, *recorder_, *alarms_, 2);
    EXPECT_EQ(code(hardener, 1), ErrorCode::kInternal);
    EXPECT_EQ(code(hardener, 1), ErrorCode::kExhausted);
    while (allowances_->hardenings().use()) continue;
    for (std::uint8_t other = 2; other < 10; ++other)
        EXPECT_EQ(code(hardener, other), ErrorCode::kExhausted);
    // Exactly an hour after: all together may again, this one, in slots, not yet.
    clock_.advance(kHour);
    EXPECT_EQ(code(hardener, 1), ErrorCode::kExhausted);
    EXPECT_EQ(code(hardener, 2), ErrorCode::kInternal);
}

TEST_F(HardenerTest, AllTogetherComeOutOfTheAllowance) {
    Hardener hardener(keys_, 3, *allowances_, *recorder_, *alarms_);
    EXPECT_EQ(code(hardener, 1), ErrorCode::kInternal);
    EXPECT_EQ(reasons(journal::EntryKind::kLookUps), std::vector<std::string>{"hardenings 100"});
    EXPECT_EQ(allowances_->hardenings().in_hour(), 1u);
    EXPECT_EQ(hardener.harden(Bytes(15), Bytes(32)).error().code, ErrorCode::kInvalidArgument);
    EXPECT_EQ(allowances_->hardenings().in_hour(), 1u);
}

}  // namespace
}  // namespace cloison::keeper
