#include "crypto/sign.h"

#include <gtest/gtest.h>

#include "base/seeded_random.h"

namespace cloison::crypto {
namespace {

struct Ed25519Vector {
    std::string_view seed;
    std::string_view public_key;
    std::string_view message;
    std::string_view signature;
};

/// RFC 8032 §7.1: tests 1, 2, 3 and SHA(abc).
constexpr std::array kRfc8032Vectors{
    Ed25519Vector{"9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60",
                  "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a", "",
                  "e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e065224901555fb8821590a33bac"
                  "c61e39701cf9b46bd25bf5f0595bbe24655141438e7a100b"},
    Ed25519Vector{"4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb",
                  "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c", "72",
                  "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da085ac1e43e15996e"
                  "458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00"},
    Ed25519Vector{"c5aa8df43f9f837bedb7442f31dcb7b166d38535076f094b85ce3a2e0b4458f7",
                  "fc51cd8e6218a1a38da47ed00230f0580816ed13ba3303ac5deb911548908025", "af82",
                  "6291d657deec24024827e69c3abe01a30ce548a284743a445e3680d7db5ac3ac18ff9b538d16f290"
                  "ae67f760984dc6594a7c15e9716ed28dc027beceea1ec40a"},
    Ed25519Vector{"833fe62409237b9d62ec77587520911e9a759cec1d19755b7da901b96dca3d42",
                  "ec172b93ad5e563bf4932c70e1245034c35467ef2efd4d64ebf819683467e2bf",
                  "ddaf35a193617abacc417349ae20413112e6fa4e89a97ea20a9eeee64b55d39a2192992a274fc1a8"
                  "36ba3c23a3feebbd454d4423643ce80e2a9ac94fa54ca49f",
                  "dc2a4459e7369633a52b1bf277839a00201009a3efbf3ecb69bea2186c26b58909351fc9ac90b3ec"
                  "fdfbc7c66431e0303dca179c138ac17ad9bef1177331a704"},
};

TEST(Ed25519Test, Rfc8032Vectors) {
    for (const auto& vector : kRfc8032Vectors) {
        const auto key = SigningKey::from_seed(hex_decode(vector.seed).value());
        const Bytes message = hex_decode(vector.message).value();
        EXPECT_EQ(hex_encode(key.verify_key().bytes), vector.public_key);
        EXPECT_EQ(hex_encode(key.sign(message)), vector.signature);
        const auto verify_key = VerifyKey::from_bytes(hex_decode(vector.public_key).value());
        ASSERT_TRUE(verify_key);
        EXPECT_TRUE(verify_key->verify(message, hex_decode(vector.signature).value()));
    }
}

TEST(Ed25519Test, EveryFlippedBitIsRefused) {
    const auto key = SigningKey::from_seed(Bytes(32, 7));
    const Bytes message = to_bytes("the message");
    const Signature signature = key.sign(message);
    for (std::size_t bit = 0; bit < 8 * signature.size(); ++bit) {
        Signature changed = signature;
        changed[bit / 8] ^= static_cast<std::uint8_t>(1 << bit % 8);
        EXPECT_FALSE(key.verify_key().verify(message, changed)) << bit;
    }
    for (std::size_t bit = 0; bit < 8 * message.size(); ++bit) {
        Bytes changed = message;
        changed[bit / 8] ^= static_cast<std::uint8_t>(1 << bit % 8);
        EXPECT_FALSE(key.verify_key().verify(changed, signature)) << bit;
    }
    EXPECT_FALSE(key.verify_key().verify(message, ByteView(signature).first(63)));
    EXPECT_FALSE(SigningKey::from_seed(Bytes(32, 8)).verify_key().verify(message, signature));
}

TEST(Ed25519Test, SmallOrderNonCanonicalAndOffCurveKeysAreRefused) {
    for (const std::string_view hex :
         {// Small order: the neutral element, and a point of order 8.
          "0100000000000000000000000000000000000000000000000000000000000000",
          "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05",
          // The field's prime plus one: another spelling of the neutral element.
          "eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
          // No point of the curve has this y.
          "0200000000000000000000000000000000000000000000000000000000000000"}) {
        const auto key = VerifyKey::from_bytes(hex_decode(hex).value());
        ASSERT_FALSE(key) << hex;
        EXPECT_EQ(key.error().code, ErrorCode::kInvalidArgument);
    }
    EXPECT_FALSE(VerifyKey::from_bytes(Bytes(31)));
    EXPECT_FALSE(VerifyKey::from_bytes(Bytes(33)));
}

TEST(Ed25519Test, AKeyOfZerosVerifiesNothing) {
    EXPECT_FALSE(VerifyKey().verify(as_bytes("x"), Bytes(64)));
}

}  // namespace
}  // namespace cloison::crypto
