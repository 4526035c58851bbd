#include "journal/growth_proof.h"

#include <gtest/gtest.h>

#include "journal/witness_support_for_test.h"

namespace cloison::journal {
namespace {

class GrowthProofTest : public ::testing::Test {
  protected:
    GrowthProof proof(std::uint64_t before, std::uint64_t after) const {
        return {log.proof(before, after), log.note(before), log.note(after)};
    }
    static ErrorCode code_of(const GrowthProof& proof) {
        const auto growth = verify_growth(proof, *NoteVerifier::parse(TestLog::vkey()));
        EXPECT_FALSE(growth);
        return growth ? ErrorCode::kInternal : growth.error().code;
    }

    const TestLog log{20};
};

TEST_F(GrowthProofTest, EveryPairOfSizesIsWrittenReadAndVerified) {
    for (std::uint64_t after = 0; after <= 20; ++after)
        for (std::uint64_t before = 0; before <= after; ++before) {
            const std::string text = proof(before, after).text();
            EXPECT_TRUE(GrowthProof::is_one(text));
            const auto read = GrowthProof::parse(text);
            ASSERT_TRUE(read) << read.error().message;
            EXPECT_EQ(read->text(), text);
            const auto growth = verify_growth(*read, *NoteVerifier::parse(TestLog::vkey()));
            ASSERT_TRUE(growth) << before << " to " << after << ": " << growth.error().message;
            EXPECT_EQ(growth->before.size, before);
            EXPECT_EQ(growth->after.size, after);
        }
}

TEST_F(GrowthProofTest, NothingElseIsProved) {
    const TestLog fork(20, 3, 1);
    auto forked = proof(7, 15);
    forked.after = fork.note(15);
    EXPECT_EQ(code_of(forked), ErrorCode::kCorrupt);
    auto backwards = proof(7, 15);
    std::swap(backwards.before, backwards.after);
    EXPECT_EQ(code_of(backwards), ErrorCode::kCorrupt);
    auto short_path = proof(7, 15);
    short_path.path.pop_back();
    EXPECT_EQ(code_of(short_path), ErrorCode::kCorrupt);
    auto unsigned_note = proof(7, 15);
    unsigned_note.before = sign_note(log.text(7), kTestOrigin, test_key(2));
    EXPECT_EQ(code_of(unsigned_note), ErrorCode::kUnauthenticated);
}

TEST_F(GrowthProofTest, WhatIsMalformedIsRefused) {
    const std::string good = proof(7, 15).text();
    for (std::size_t size = 0; size < good.size(); ++size) {
        const auto cut = GrowthProof::parse(std::string_view(good).substr(0, size));
        EXPECT_FALSE(cut && verify_growth(*cut, *NoteVerifier::parse(TestLog::vkey()))) << size;
    }
    EXPECT_FALSE(GrowthProof::parse("x" + good));
    auto longest = proof(7, 15);
    longest.path.resize(63);
    EXPECT_TRUE(GrowthProof::parse(longest.text()));
    longest.path.resize(64);
    EXPECT_FALSE(GrowthProof::parse(longest.text()));
    auto large = proof(7, 15);
    large.after += std::string(GrowthProof::kMaxBytes, 'x');
    EXPECT_FALSE(GrowthProof::parse(large.text()));
}

}  // namespace
}  // namespace cloison::journal
