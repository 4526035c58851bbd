#include "journal/cosignature.h"

#include <gtest/gtest.h>

#include "journal/merkle.h"
#include "journal/note_lines.h"
#include "journal/support_for_test.h"

namespace cloison::journal {
namespace {

constexpr std::string_view kWitness = "witness.example.net";
const Time kNow = from_unix_ms(1'776'000'000'999);

std::string text() {
    return Checkpoint{"example.org/keeper", 20'852'163, hash_leaf(as_bytes("x"))}.text();
}
crypto::SigningKey witness_key() {
    return test_key(9);
}
WitnessVerifier verifier() {
    return *WitnessVerifier::parse(witness_vkey(kWitness, witness_key().verify_key()));
}
std::string note() {
    return sign_note(text(), kTestOrigin, test_key());
}
std::string line() {
    return cosign(text(), kWitness, witness_key(), kNow);
}
ErrorCode code_of(std::string_view cosigned) {
    const auto time = cosigned_at(cosigned, verifier());
    EXPECT_FALSE(time.has_value());
    return time ? ErrorCode::kInternal : time.error().code;
}

TEST(CosignatureTest, SignedMessageIsThatOfTheSpecification) {
    const std::string whole = line();
    const auto parsed = parse_signature_line(std::string_view(whole).substr(0, whole.size() - 1));
    ASSERT_TRUE(parsed.has_value());
    EXPECT_EQ(parsed->name, kWitness);
    EXPECT_EQ(parsed->key_id, verifier().key_id);
    ASSERT_EQ(parsed->signature.size(), 72U);
    EXPECT_EQ(get_u64(parsed->signature), 1'776'000'000U);
    EXPECT_TRUE(
        witness_key().verify_key().verify(as_bytes("cosignature/v1\ntime 1776000000\n" + text()),
                                          ByteView(parsed->signature).subspan(8)));
}

TEST(CosignatureTest, KeyIdDependsOnTheType) {
    const auto key = witness_key().verify_key();
    EXPECT_NE(verifier().key_id, NoteVerifier::parse(note_vkey(kWitness, key))->key_id);
    EXPECT_FALSE(NoteVerifier::parse(witness_vkey(kWitness, key)).has_value());
    EXPECT_EQ(WitnessVerifier::parse(note_vkey(kWitness, key)).error().code,
              ErrorCode::kInvalidArgument);
}

TEST(CosignatureTest, EveryManglingOfAVerifyKeyIsRefused) {
    const std::string vkey = witness_vkey(kWitness, witness_key().verify_key());
    for (std::size_t at = 0; at < vkey.size(); ++at) {
        EXPECT_FALSE(WitnessVerifier::parse(std::string_view(vkey).substr(0, at)).has_value());
        std::string mangled = vkey;
        ++mangled[at];
        EXPECT_FALSE(WitnessVerifier::parse(mangled).has_value()) << mangled;
    }
}

TEST(CosignatureTest, SaysWhenToTheSecond) {
    EXPECT_EQ(cosigned_at(note() + line(), verifier()), from_unix_ms(1'776'000'000'000));
    // The log's own signature is as good with the witness's beside it.
    const auto log = *NoteVerifier::parse(note_vkey(kTestOrigin, test_key().verify_key()));
    EXPECT_EQ(*open_note(note() + line(), log), text());
    // Times before 1970 do not exist on the wire.
    const std::string early = cosign(text(), kWitness, witness_key(), from_unix_ms(-5));
    EXPECT_EQ(cosigned_at(note() + early, verifier()), from_unix_ms(0));
}

TEST(CosignatureTest, TheLatestOfSeveralCounts) {
    const std::string earlier = cosign(text(), kWitness, witness_key(), from_unix_ms(1'000'000));
    for (const std::string& lines : {line() + earlier, earlier + line()})
        EXPECT_EQ(cosigned_at(note() + lines, verifier()), from_unix_ms(1'776'000'000'000));
}

TEST(CosignatureTest, MustBeThereAndFit) {
    EXPECT_EQ(code_of(note()), ErrorCode::kUnauthenticated);
    const std::string other = cosign(text(), "other.example.net", witness_key(), kNow);
    const std::string other_key = cosign(text(), kWitness, test_key(8), kNow);
    EXPECT_EQ(code_of(note() + other + other_key), ErrorCode::kUnauthenticated);
    EXPECT_TRUE(cosigned_at(note() + other + line() + other_key, verifier()).has_value());
    // Of another checkpoint, and one that does not fit beside one that does.
    const std::string wrong = cosign("o\n1\n" + text(), kWitness, witness_key(), kNow);
    EXPECT_EQ(code_of(note() + wrong), ErrorCode::kUnauthenticated);
    EXPECT_EQ(code_of(note() + line() + wrong), ErrorCode::kUnauthenticated);
    EXPECT_EQ(code_of("no note"), ErrorCode::kCorrupt);
}

TEST(CosignatureTest, EveryFlippedBitIsRefused) {
    const std::string whole = line();
    const auto parsed = *parse_signature_line(std::string_view(whole).substr(0, whole.size() - 1));
    const auto with = [&](ByteView signature) {
        return note() + format_signature_line(kWitness, parsed.key_id, signature);
    };
    ASSERT_TRUE(cosigned_at(with(parsed.signature), verifier()).has_value());
    for (std::size_t bit = 0; bit < 8 * parsed.signature.size(); ++bit) {
        Bytes changed = parsed.signature;
        changed[bit / 8] ^= static_cast<std::uint8_t>(1 << bit % 8);
        EXPECT_EQ(code_of(with(changed)), ErrorCode::kUnauthenticated) << bit;
    }
    for (std::size_t size = 1; size < parsed.signature.size(); ++size)
        EXPECT_EQ(code_of(with(ByteView(parsed.signature).first(size))),
                  ErrorCode::kUnauthenticated);
    Bytes longer = parsed.signature;
    longer.push_back(0);
    EXPECT_EQ(code_of(with(longer)), ErrorCode::kUnauthenticated);
}

TEST(CosignatureTest, TimesThatNoCalendarShowsAreRefused) {
    const auto signed_at = [](std::uint64_t seconds) {
        Bytes bytes;
        put_u64(bytes, seconds);
        const auto signature = witness_key().sign(
            as_bytes("cosignature/v1\ntime " + std::to_string(seconds) + '\n' + text()));
        bytes.insert(bytes.end(), signature.begin(), signature.end());
        return note() + format_signature_line(kWitness, verifier().key_id, bytes);
    };
    EXPECT_TRUE(cosigned_at(signed_at(253'402'300'799), verifier()).has_value());
    EXPECT_EQ(code_of(signed_at(253'402'300'800)), ErrorCode::kUnauthenticated);
    EXPECT_EQ(code_of(signed_at(~std::uint64_t{0})), ErrorCode::kUnauthenticated);
}

}  // namespace
}  // namespace cloison::journal
