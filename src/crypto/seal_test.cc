#include "crypto/seal.h"

#include <gtest/gtest.h>

#include <functional>

#include "base/seeded_random.h"

namespace cloison::crypto {
namespace {

class SealTest : public testing::Test {
  protected:
    SealContext context() const { return {"identity", pseudonym_, "email", record_, 1, 7}; }
    Bytes seal(ByteView plaintext) {
        return seal_field(key_, context(), plaintext, random_).value();
    }

    SeededRandom random_{1};
    const PersonKey key_ = PersonKey::random(random_);
    const Bytes pseudonym_ = Bytes(16, 0x11);
    const Bytes record_ = Bytes(16, 0x22);
};

TEST_F(SealTest, LayoutIsTheDocumentedOne) {
    const Bytes sealed = seal(as_bytes("ada@example.org"));
    EXPECT_EQ(sealed.size(), 1U + 4U + 24U + 32U + 32U + 16U);
    EXPECT_EQ(hex_encode(ByteView(sealed).first(5)), "0100000007");
    EXPECT_EQ(sealed_epoch(sealed), 7U);
    EXPECT_EQ(open_field(key_, context(), sealed)->text(), "ada@example.org");
}

TEST_F(SealTest, ValuesOfAllLengthsOpenAndShowOnlyTheirClass) {
    struct Class {
        std::size_t shortest;
        std::size_t longest;
        std::size_t padded;
    };
    for (const auto& [shortest, longest, padded] :
         {Class{0, 31, 32}, Class{32, 63, 64}, Class{64, 127, 128}, Class{128, 255, 256},
          Class{256, 511, 512}, Class{512, 1023, 1024}, Class{1024, 2047, 2048},
          Class{64512, 65535, 65536}, Class{65536, 65536, 66560}}) {
        for (const std::size_t size : {shortest, longest}) {
            Bytes plaintext(size);
            random_.fill(plaintext);
            const Bytes sealed = seal(plaintext);
            EXPECT_EQ(sealed.size(), sealed_overhead() + padded);
            EXPECT_EQ(sealed.size(), sealed_size(size));
            EXPECT_EQ(to_bytes(open_field(key_, context(), sealed)->view()), plaintext);
        }
    }
}

TEST_F(SealTest, ValuesThatLookLikePaddingComeBack) {
    for (const Bytes& plaintext : {Bytes{0x80}, Bytes{0}, Bytes{0x80, 0, 0}, Bytes(31, 0x80),
                                   Bytes(32, 0), Bytes(kMaxSealedPlaintext, 0)})
        EXPECT_EQ(to_bytes(open_field(key_, context(), seal(plaintext))->view()), plaintext);
}

TEST_F(SealTest, OneByteTooManyIsRefused) {
    const auto sealed = seal_field(key_, context(), Bytes(kMaxSealedPlaintext + 1), random_);
    ASSERT_FALSE(sealed);
    EXPECT_EQ(sealed.error().code, ErrorCode::kTooLarge);
}

TEST_F(SealTest, EveryFlippedBitIsRefused) {
    const Bytes sealed = seal(as_bytes("value"));
    for (std::size_t bit = 0; bit < 8 * sealed.size(); ++bit) {
        Bytes changed = sealed;
        changed[bit / 8] ^= static_cast<std::uint8_t>(1 << bit % 8);
        const auto opened = open_field(key_, context(), changed);
        ASSERT_FALSE(opened) << bit;
        EXPECT_EQ(opened.error().code, ErrorCode::kCorrupt) << bit;
    }
}

TEST_F(SealTest, EveryCutAndEveryExtensionIsRefused) {
    Bytes sealed = seal(as_bytes("value"));
    for (std::size_t size = 0; size < sealed.size(); ++size)
        EXPECT_EQ(open_field(key_, context(), ByteView(sealed).first(size)).error().code,
                  ErrorCode::kCorrupt)
            << size;
    sealed.push_back(0);
    EXPECT_EQ(open_field(key_, context(), sealed).error().code, ErrorCode::kCorrupt);
    EXPECT_FALSE(sealed_epoch(Bytes(sealed_size(kMaxSealedPlaintext) + 1, 1)));
}

TEST_F(SealTest, EveryOtherContextIsRefused) {
    const Bytes sealed = seal(as_bytes("value"));
    Bytes other_pseudonym = pseudonym_;
    other_pseudonym[15] ^= 1;
    Bytes other_record = record_;
    other_record[0] ^= 0x80;
    const std::vector<std::function<void(SealContext&)>> changes{
        [](SealContext& c) { c.compartment = "casework"; },
        [](SealContext& c) { c.compartment = ""; },
        [&](SealContext& c) { c.pseudonym = other_pseudonym; },
        [&](SealContext& c) { c.pseudonym = {}; },
        [](SealContext& c) { c.field = "phone"; },
        [](SealContext& c) { c.field = "emai"; },
        [&](SealContext& c) { c.record = other_record; },
        [](SealContext& c) { c.schema_version = 2; },
        [](SealContext& c) { c.epoch = 8; },
        [](SealContext& c) { std::swap(c.pseudonym, c.record); },
        [](SealContext& c) {
            c.compartment = "identityemail";
            c.field = "";
        },
    };
    for (std::size_t i = 0; i < changes.size(); ++i) {
        SealContext other = context();
        changes[i](other);
        const auto opened = open_field(key_, other, sealed);
        ASSERT_FALSE(opened) << i;
        EXPECT_EQ(opened.error().code, ErrorCode::kCorrupt) << i;
    }
    EXPECT_TRUE(open_field(key_, context(), sealed));
}

TEST_F(SealTest, AnotherPersonsKeyIsRefused) {
    const Bytes sealed = seal(as_bytes("value"));
    EXPECT_EQ(open_field(PersonKey::random(random_), context(), sealed).error().code,
              ErrorCode::kCorrupt);
}

TEST_F(SealTest, TheSameValueNeverLooksTheSame) {
    const Bytes first = seal(as_bytes("value"));
    const Bytes second = seal(as_bytes("value"));
    // Beyond version and epoch nothing is common, the commitment included.
    EXPECT_NE(ByteView(first)[5], ByteView(second)[5]);
    EXPECT_NE(to_bytes(ByteView(first).subspan(29, 32)),
              to_bytes(ByteView(second).subspan(29, 32)));
    EXPECT_NE(to_bytes(ByteView(first).subspan(61)), to_bytes(ByteView(second).subspan(61)));
}

TEST_F(SealTest, ContextsWithoutWholeIdsAreNotSealed) {
    SealContext without_record = context();
    without_record.record = ByteView(record_).first(15);
    EXPECT_EQ(seal_field(key_, without_record, {}, random_).error().code,
              ErrorCode::kInvalidArgument);
    SealContext without_pseudonym = context();
    without_pseudonym.pseudonym = {};
    EXPECT_EQ(seal_field(key_, without_pseudonym, {}, random_).error().code,
              ErrorCode::kInvalidArgument);
}

}  // namespace
}  // namespace cloison::crypto
