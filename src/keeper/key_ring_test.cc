#include "keeper/key_ring.h"

#include <gtest/gtest.h>

#include <set>

#include "base/seeded_random.h"

namespace cloison::keeper {
namespace {

using registry::Compartment;
constexpr std::array<Compartment, 3> kAll{Compartment::kIdentity, Compartment::kCasework,
                                          Compartment::kDocuments};

crypto::RootKey root_key(std::uint8_t seed) {
    return *crypto::RootKey::from_bytes(Bytes(32, seed));
}

Person example(const KeyRing& keys, std::uint32_t ordinal, Random& random) {
    std::array<std::uint8_t, 12> noise;
    random.fill(noise);
    return {ordinal, keys.make_root(ordinal, noise)};
}

TEST(KeyRingTest, RootIdsCarryTheOrdinalForTheKeeperAlone) {
    const KeyRing keys(root_key(1));
    const KeyRing other(root_key(2));
    SeededRandom random(1);
    int coincidences = 0;
    for (std::uint32_t ordinal : {0u, 1u, 2u, 77u, 0xffffffffu}) {
        const Person person = example(keys, ordinal, random);
        EXPECT_EQ(keys.person_of(person.root), person);
        coincidences += other.person_of(person.root).ordinal == ordinal;
    }
    EXPECT_EQ(coincidences, 0);
}

TEST(KeyRingTest, PseudonymsDifferAndTranslateConsistently) {
    const KeyRing keys(root_key(1));
    SeededRandom random(2);
    std::set<crypto::Block> seen;
    for (std::uint32_t ordinal = 1; ordinal <= 1000; ++ordinal) {
        const Person person = example(keys, ordinal, random);
        for (const auto compartment : kAll) {
            const auto pseudonym = keys.pseudonym(compartment, person);
            EXPECT_TRUE(seen.insert(pseudonym).second);
            EXPECT_EQ(keys.person_of(compartment, pseudonym), person);
            for (const auto other : kAll)
                EXPECT_EQ(keys.person_of(other, pseudonym) == person, other == compartment);
        }
    }
    EXPECT_EQ(seen.size(), 3000u);
}

TEST(KeyRingTest, OnlyCaseworkKnowsACaseByItsId) {
    const KeyRing keys(root_key(1));
    SeededRandom random(3);
    const auto reference = RequestId::random(random);
    EXPECT_EQ(keys.case_tag(Compartment::kCasework, reference), to_bytes(reference.view()));
    const Bytes documents = keys.case_tag(Compartment::kDocuments, reference);
    const Bytes identity = keys.case_tag(Compartment::kIdentity, reference);
    EXPECT_EQ(documents.size(), 16u);
    EXPECT_NE(documents, to_bytes(reference.view()));
    EXPECT_NE(documents, identity);
    EXPECT_EQ(documents, keys.case_tag(Compartment::kDocuments, reference));
}

TEST(KeyRingTest, HardeningDependsOnKeyRecordAndPassword) {
    const KeyRing keys(root_key(1));
    const Bytes record(16, 1), stretched(32, 2);
    const Bytes hardened = *keys.harden(record, stretched);
    EXPECT_EQ(hardened.size(), 32u);
    EXPECT_EQ(*keys.harden(record, stretched), hardened);
    EXPECT_NE(*keys.harden(Bytes(16, 3), stretched), hardened);
    EXPECT_NE(*keys.harden(record, Bytes(32, 3)), hardened);
    EXPECT_NE(*KeyRing(root_key(2)).harden(record, stretched), hardened);
    for (const auto& [record_size, stretched_size] :
         {std::pair{15, 32}, {17, 32}, {16, 31}, {16, 33}, {0, 0}})
        EXPECT_EQ(keys.harden(Bytes(record_size), Bytes(stretched_size)).error().code,
                  ErrorCode::kInvalidArgument);
}

TEST(KeyRingTest, BlindIndexesOfTwoFieldsCannotBeCompared) {
    const KeyRing keys(root_key(1));
    const auto value = as_bytes("camille@example.org");
    EXPECT_EQ(keys.blind_index("email", value).size(), 32u);
    EXPECT_EQ(keys.blind_index("email", value), keys.blind_index("email", value));
    EXPECT_NE(keys.blind_index("email", value), keys.blind_index("contact_email", value));
    EXPECT_NE(keys.blind_index("email", value), KeyRing(root_key(2)).blind_index("email", value));
}

}  // namespace
}  // namespace cloison::keeper
