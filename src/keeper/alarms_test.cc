#include "keeper/alarms.h"

#include "keeper/support_for_test.h"

namespace cloison::keeper {
namespace {

constexpr Duration kMinute{60'000};

class AlarmsTest : public testing::Test {
  protected:
    AlarmsTest() { about.actor = ActorId::random(random); }
    std::vector<journal::Entry> lines() const {
        std::vector<journal::Entry> entries;
        for (const auto& bytes : journal.entries) entries.push_back(*journal::decode_entry(bytes));
        return entries;
    }
    std::string reason_of(const std::optional<journal::Entry>& entry) const {
        return entry ? entry->reason : "";
    }

    MemoryJournal journal;
    ManualClock clock{from_unix_ms(1'776'000'000'000)};
    SeededRandom random{1};
    Recorder recorder{journal, clock, random, Time{}, {}};
    Alarms alarms{recorder};
    journal::Entry about;
};

TEST_F(AlarmsTest, ALineSaysWhatAndByWhom) {
    about.kind = journal::EntryKind::kDisclosed;
    about.door = 2;
    about.purpose = 3;
    about.session = SessionId::random(random);
    about.origin = journal::parse_origin("203.0.113.5");
    about.person = 17;
    about.reason = "examine";
    ASSERT_TRUE(alarms.raise("canary casework copy-1", about));
    ASSERT_EQ(lines().size(), 1U);
    const auto line = lines()[0];
    EXPECT_EQ(line.kind, journal::EntryKind::kAlarm);
    EXPECT_EQ(line.reason, "canary casework copy-1");
    EXPECT_EQ(line.time, clock.now());
    EXPECT_EQ(line.door, 2);
    EXPECT_EQ(line.purpose, 3);
    EXPECT_EQ(line.actor, about.actor);
    EXPECT_EQ(line.session, about.session);
    EXPECT_EQ(line.origin, about.origin);
    EXPECT_EQ(line.person, 17U);
}

TEST_F(AlarmsTest, TheSameCauseLeavesOneLineAMinute) {
    const Time start = clock.now();
    EXPECT_EQ(reason_of(alarms.compose("look-ups", about, start)), "look-ups");
    EXPECT_FALSE(alarms.compose("look-ups", about, start));
    EXPECT_FALSE(alarms.compose("look-ups", about, start + kMinute - Duration(1)));
    EXPECT_EQ(reason_of(alarms.compose("look-ups", about, start + kMinute)), "look-ups, 2 more");
    EXPECT_EQ(reason_of(alarms.compose("look-ups", about, start + 2 * kMinute)), "look-ups");
    EXPECT_EQ(alarms.raised(), 5U);
}

TEST_F(AlarmsTest, OtherCausesAndActorsHaveTheirOwn) {
    const Time start = clock.now();
    EXPECT_TRUE(alarms.compose("look-ups", about, start));
    EXPECT_TRUE(alarms.compose("budget refusals", about, start));
    about.purpose = 4;
    EXPECT_TRUE(alarms.compose("budget refusals", about, start));
    about.actor = ActorId::random(random);
    EXPECT_TRUE(alarms.compose("look-ups", about, start));
    EXPECT_FALSE(alarms.compose("look-ups", about, start));
}

TEST_F(AlarmsTest, AtTheBoundTheOldestGoes) {
    const Time start = clock.now();
    const auto first = about;
    EXPECT_TRUE(alarms.compose("look-ups", first, start));
    for (std::size_t i = 0; i < Alarms::kMaxRemembered - 1; ++i) {
        about.actor = ActorId::random(random);
        EXPECT_TRUE(alarms.compose("look-ups", about, start + Duration(1)));
    }
    EXPECT_FALSE(alarms.compose("look-ups", first, start + Duration(2))) << "not at the bound yet";
    about.actor = ActorId::random(random);
    EXPECT_TRUE(alarms.compose("look-ups", about, start + Duration(3)));
    EXPECT_TRUE(alarms.compose("look-ups", first, start + Duration(4))) << "it was forgotten";
}

TEST_F(AlarmsTest, AnAlarmThatCannotBeWrittenIsAnError) {
    journal.failing = true;
    EXPECT_FALSE(alarms.raise("witness disagrees"));
}

}  // namespace
}  // namespace cloison::keeper
