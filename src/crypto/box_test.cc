#include "crypto/box.h"

#include <gtest/gtest.h>

#include "base/seeded_random.h"

namespace cloison::crypto {
namespace {

/// Gives out the bytes of a published nonce.
class GivenRandom : public Random {
  public:
    explicit GivenRandom(Bytes bytes) : bytes_(std::move(bytes)) {}
    void fill(std::span<std::uint8_t> out) override {
        ASSERT_EQ(out.size(), bytes_.size());
        std::copy(bytes_.begin(), bytes_.end(), out.begin());
    }

  private:
    Bytes bytes_;
};

TEST(BoxTest, XChaCha20Poly1305DraftVectorA31) {
    // draft-irtf-cfrg-xchacha-03 §A.3.1
    const auto key = BoxKey::from_bytes(
        hex_decode("808182838485868788898a8b8c8d8e8f909192939495969798999a9b9c9d9e9f").value());
    const Bytes associated = hex_decode("50515253c0c1c2c3c4c5c6c7").value();
    const std::string nonce = "404142434445464748494a4b4c4d4e4f5051525354555657";
    const std::string_view plaintext =
        "Ladies and Gentlemen of the class of '99: If I could offer you only one tip for the "
        "future, sunscreen would be it.";
    GivenRandom random(hex_decode(nonce).value());
    const Bytes box = box_encrypt(*key, as_bytes(plaintext), associated, random);
    EXPECT_EQ(hex_encode(box),
              nonce +
                  "bd6d179d3e83d43b9576579493c0e939572a1700252bfaccbed2902c21396cbb"
                  "731c7f1b0b4aa6440bf3a82f4eda7e39ae64c6708c54c216cb96b72e1213b452"
                  "2f8c9ba40db5d945b11b69b982c1bb9e3f3fac2bc369488f76b2383565d3fff9"
                  "21f9664c97637da9768812f615c68b13b52e"
                  "c0875924c1c7987947deafd8780acf49");
    const auto opened = box_decrypt(*key, box, associated);
    ASSERT_TRUE(opened);
    EXPECT_EQ(opened->text(), plaintext);
}

TEST(BoxTest, EveryFlippedBitAndEveryCutIsRefused) {
    SeededRandom random(1);
    const auto key = BoxKey::random(random);
    const Bytes box = box_encrypt(key, as_bytes("secret"), as_bytes("context"), random);
    EXPECT_EQ(box.size(), 6 + kBoxOverhead);
    for (std::size_t bit = 0; bit < 8 * box.size(); ++bit) {
        Bytes changed = box;
        changed[bit / 8] ^= static_cast<std::uint8_t>(1 << bit % 8);
        EXPECT_FALSE(box_decrypt(key, changed, as_bytes("context"))) << bit;
    }
    for (std::size_t size = 0; size < box.size(); ++size)
        EXPECT_EQ(box_decrypt(key, ByteView(box).first(size), as_bytes("context")).error().code,
                  ErrorCode::kCorrupt);
    EXPECT_FALSE(box_decrypt(key, box, as_bytes("contexts")));
    EXPECT_FALSE(box_decrypt(BoxKey::random(random), box, as_bytes("context")));
}

TEST(BoxTest, EmptyValuesOpenAndNoncesDiffer) {
    SeededRandom random(1);
    const auto key = BoxKey::random(random);
    const Bytes first = box_encrypt(key, {}, {}, random);
    EXPECT_NE(box_encrypt(key, {}, {}, random), first);
    EXPECT_TRUE(box_decrypt(key, first, {})->empty());
}

TEST(SealedBoxTest, OnlyTheHolderOfTheSecretHalfReads) {
    const auto pair = SealedBoxKeyPair::from_seed(Bytes(32, 1));
    const auto other = SealedBoxKeyPair::from_seed(Bytes(32, 2));
    const Bytes box = sealed_box(pair.public_key(), as_bytes("secret"));
    EXPECT_EQ(box.size(), 6U + 48U);
    EXPECT_EQ(pair.open(box)->text(), "secret");
    EXPECT_EQ(other.open(box).error().code, ErrorCode::kCorrupt);
    EXPECT_NE(sealed_box(pair.public_key(), as_bytes("secret")), box);
    for (std::size_t bit = 0; bit < 8 * box.size(); ++bit) {
        Bytes changed = box;
        changed[bit / 8] ^= static_cast<std::uint8_t>(1 << bit % 8);
        // X25519 ignores the top bit of the ephemeral key, which is hashed into the nonce.
        EXPECT_FALSE(pair.open(changed)) << bit;
    }
    for (std::size_t size = 0; size < box.size(); ++size)
        EXPECT_FALSE(pair.open(ByteView(box).first(size)));
}

TEST(SealedBoxTest, PublicKeysOfSmallOrderAreRefused) {
    const auto pair = SealedBoxKeyPair::from_seed(Bytes(32, 1));
    EXPECT_TRUE(SealedBoxPublicKey::from_bytes(pair.public_key().bytes));
    EXPECT_FALSE(SealedBoxPublicKey::from_bytes(Bytes(32)));
    Bytes one(32);
    one[0] = 1;
    EXPECT_FALSE(SealedBoxPublicKey::from_bytes(one));
    EXPECT_FALSE(SealedBoxPublicKey::from_bytes(Bytes(31, 9)));
}

}  // namespace
}  // namespace cloison::crypto
