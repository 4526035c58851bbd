#include "drill/link_attack.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "base/seeded_random.h"

namespace cloison::drill {
namespace {

constexpr std::size_t kPersons = 2000;

/// Two stores with a record a person, in orders of their own, and what is put into them.
class LinkAttackTest : public testing::Test {
  protected:
    LinkAttackTest() {
        for (Records* side : {&a_, &b_}) {
            side->marks.resize(kPersons);
            for (std::uint32_t i = 1; i <= kPersons; ++i) side->persons.push_back(i);
            for (std::size_t i = kPersons; i > 1; --i)
                std::swap(side->persons[i - 1], side->persons[random_.uniform(i)]);
        }
    }

    /// A trait of a store; `value` says what it is by person.
    template <class Value>
    void give(Records& side, const std::string& name, Value value) {
        Trait trait{name, {}};
        for (const auto person : side.persons) trait.values.push_back(value(person));
        side.traits.push_back(std::move(trait));
    }
    std::vector<std::int64_t> draw(std::uint64_t bound) {
        std::vector<std::int64_t> values(kPersons + 1);
        for (auto& value : values) value = static_cast<std::int64_t>(random_.uniform(bound));
        return values;
    }
    Linking link() { return attack(a_, b_, 1); }

    SeededRandom random_{42};
    Records a_;
    Records b_;
};

TEST_F(LinkAttackTest, NothingInCommonIsChance) {
    for (Records* side : {&a_, &b_}) {
        for (const std::uint64_t bound : {2, 30, 100'000})
            give(*side, "noise " + std::to_string(bound),
                 [values = draw(bound)](std::uint32_t person) { return values[person]; });
        for (auto& marks : side->marks) marks.push_back(random_.uniform(1ULL << 60));
    }
    const auto linking = link();
    ASSERT_TRUE(linking.judged);
    EXPECT_EQ(linking.records, kPersons);
    EXPECT_NEAR(linking.chance, 1.0 / kPersons, 1e-9);
    EXPECT_NEAR(linking.ratio(), 1, 0.25);
    EXPECT_LE(linking.low, 1.01);
}

TEST_F(LinkAttackTest, FindsTheSameDay) {
    const auto day = draw(40);
    for (Records* side : {&a_, &b_})
        give(*side, "day", [&](std::uint32_t person) { return day[person] * 86'400'000; });
    const auto linking = link();
    EXPECT_NEAR(linking.ratio(), 40, 5) << "as many classes as there are days";
    EXPECT_GT(linking.low, 30);
    ASSERT_FALSE(linking.helped.empty());
    EXPECT_NE(linking.helped[0].find("day"), std::string::npos);
}

TEST_F(LinkAttackTest, FindsTimesThatFollowEachOther) {
    const auto minute = draw(100'000);
    const auto later = draw(20);
    give(a_, "opened", [&](std::uint32_t person) { return minute[person] * 60'000; });
    give(b_, "asked",
         [&](std::uint32_t person) { return (minute[person] + later[person]) * 60'000; });
    EXPECT_GT(link().ratio(), 200);
}

TEST_F(LinkAttackTest, FindsTheSameCounts) {
    const auto count = draw(6);
    const auto more = draw(2);
    give(a_, "rows", [&](std::uint32_t person) { return count[person]; });
    give(b_, "rows", [&](std::uint32_t person) { return count[person] + more[person]; });
    const auto linking = link();
    EXPECT_GT(linking.ratio(), 3);
    EXPECT_LT(linking.ratio(), 8);
}

TEST_F(LinkAttackTest, FindsTheSameOrder) {
    // Numbers of different scales in the same, slightly disturbed order.
    const auto shake = draw(30);
    give(a_, "place", [](std::uint32_t person) { return std::int64_t{person}; });
    give(b_, "time", [&](std::uint32_t person) {
        const auto place = std::int64_t{person} + shake[person];
        return 1'700'000'000'000 + place * place * 977;
    });
    EXPECT_GT(link().ratio(), 40);
}

TEST_F(LinkAttackTest, FindsSizesThatGoTogether) {
    const auto length = draw(3);
    const auto noise = draw(4000);
    give(a_, "length", [&](std::uint32_t person) { return 32LL << length[person]; });
    give(b_, "size", [&](std::uint32_t person) { return length[person] * 5000 + noise[person]; });
    const auto linking = link();
    EXPECT_GT(linking.ratio(), 2.5);
    EXPECT_LT(linking.ratio(), 3.5);
}

TEST_F(LinkAttackTest, FindsSeveralWeakTracesTogether) {
    for (int i = 0; i < 3; ++i) {
        const auto word = draw(4);
        for (Records* side : {&a_, &b_})
            give(*side, "word " + std::to_string(i),
                 [&](std::uint32_t person) { return word[person]; });
    }
    EXPECT_NEAR(link().ratio(), 64, 16);
}

TEST_F(LinkAttackTest, FindsByteStringsThatBothHold) {
    for (Records* side : {&a_, &b_})
        for (std::size_t i = 0; i < kPersons; ++i) side->marks[i] = {1000 + side->persons[i]};
    const auto linking = link();
    EXPECT_NEAR(linking.success, 1, 1e-9);
    EXPECT_EQ(linking.helped.at(0), "byte strings in both");
}

TEST_F(LinkAttackTest, AHeavyUserIsNoLink) {
    // Half of the persons, whom a trait of the one store gives away, have nine times as many rows
    // in the other, which name nobody: whoever holds one of these guesses better than blindly, but
    // so does who holds none.
    const auto heavy = draw(2);
    give(b_, "heavy", [&](std::uint32_t person) { return heavy[person]; });
    for (std::uint32_t person = 1; person <= kPersons; ++person)
        for (int i = 0; i < 8 && heavy[person] == 1; ++i) a_.persons.push_back(person);
    a_.marks.resize(a_.persons.size());
    EXPECT_NEAR(link().ratio(), 1, 0.05);
}

TEST_F(LinkAttackTest, RowsOfAHeavyUserThatShowItAreALink) {
    const auto heavy = draw(2);
    for (std::uint32_t person = 1; person <= kPersons; ++person)
        for (int i = 0; i < 8 && heavy[person] == 1; ++i) a_.persons.push_back(person);
    a_.marks.resize(a_.persons.size());
    for (Records* side : {&a_, &b_})
        give(*side, "heavy", [&](std::uint32_t person) { return heavy[person]; });
    EXPECT_NEAR(link().ratio(), 2, 0.1);
}

TEST_F(LinkAttackTest, WhatIsSharedByAccidentOfFewIsNotBelieved) {
    // One telling value for eight persons of 2,000 can link those at most.
    give(a_, "rare", [](std::uint32_t person) { return person <= 8 ? 1 : 0; });
    give(b_, "rare", [](std::uint32_t person) { return person <= 8 ? 1 : 0; });
    EXPECT_LT(link().ratio(), 2.5);
}

TEST_F(LinkAttackTest, TooFewPersonsAreNotJudged) {
    std::fill(b_.persons.begin() + 39, b_.persons.end(), 0U);
    EXPECT_FALSE(link().judged);
}

TEST_F(LinkAttackTest, TheSameSeedGivesTheSameAnswer) {
    const auto day = draw(10);
    for (Records* side : {&a_, &b_})
        give(*side, "day", [&](std::uint32_t person) { return day[person]; });
    EXPECT_EQ(link().success, link().success);
}

}  // namespace
}  // namespace cloison::drill
