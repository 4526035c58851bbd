#include "demo/people.h"

#include <gtest/gtest.h>

#include <set>

namespace cloison::demo {
namespace {

std::shared_ptr<const Names> names() {
    Names names;
    names.female = {"Anaïs", "Zoé", "Maëlle"};
    names.male = {"Hugo", "Théo", "Côme"};
    names.surnames = {"Durand", "Moreau", "Lefebvre"};
    names.communes = {{"Lyon", "69", "69001"}, {"Ajaccio", "2A", "20000"}};
    return std::make_shared<const Names>(std::move(names));
}

TEST(PeopleTest, TheSameSeedGivesTheSamePeople) {
    const People a(names(), 7);
    const People b(names(), 7);
    // In another order: nobody depends on who was made before.
    for (const std::uint32_t number : {3U, 1U, 2U}) {
        const auto left = a.resident(number);
        const auto right = b.resident(number);
        EXPECT_EQ(left.email, right.email);
        EXPECT_EQ(left.password, right.password);
        EXPECT_EQ(left.phone, right.phone);
        EXPECT_EQ(a.application(left), b.application(right));
    }
}

TEST(PeopleTest, AnotherSeedGivesOtherPeople) {
    EXPECT_NE(People(names(), 1).resident(1).password, People(names(), 2).resident(1).password);
}

TEST(PeopleTest, AddressesAreUniqueAndReserved) {
    const People people(names(), 1);
    std::set<std::string> seen;
    for (std::uint32_t number = 1; number <= 500; ++number) {
        const auto resident = people.resident(number);
        EXPECT_TRUE(resident.email.ends_with("@demo.example")) << resident.email;
        EXPECT_TRUE(seen.insert(resident.email).second) << resident.email;
        EXPECT_TRUE(resident.phone.empty() || resident.phone.starts_with("+3363998"));
        EXPECT_EQ(resident.password.size(), 23U);
    }
}

TEST(PeopleTest, TheContactAddressIsTheAccounts) {
    const People people(names(), 1);
    const auto resident = people.resident(12);
    const auto values = people.application(resident);
    EXPECT_EQ(values.at("contact_email"), resident.email);
    EXPECT_EQ(values.at("birth_name"), resident.family_name);
    EXPECT_EQ(values.at("forenames"), resident.given_names);
}

TEST(PeopleTest, AsciiNamesHaveNoAccents) {
    EXPECT_EQ(ascii_name("Anaïs"), "anais");
    EXPECT_EQ(ascii_name("Jean-Noël"), "jeannoel");
    EXPECT_EQ(ascii_name("Çağla"), "cala");
    EXPECT_EQ(ascii_name("…"), "usager");
}

TEST(NamesTest, SaysWhatIsMissing) {
    EXPECT_EQ(parse_names("[]", "names.json").error().message, "names.json: is not a JSON object.");
    const auto none = parse_names(R"({"female":["A"],"male":[],"surnames":["B"]})", "names.json");
    EXPECT_EQ(none.error().message, "names.json: male must be a list of names.");
    const auto commune = parse_names(
        R"({"female":["A"],"male":["C"],"surnames":["B"],"communes":[{"name":"Lyon"}]})", "n");
    EXPECT_EQ(commune.error().message, "n: a commune has no department.");
}

}  // namespace
}  // namespace cloison::demo
