#include "crypto/password.h"

#include <gtest/gtest.h>

namespace cloison::crypto {
namespace {

struct Argon2Vector {
    std::string_view password;
    std::string_view salt_hex;
    PasswordCost cost;
    std::string_view hash;
};

/// One lane and a salt of 16 bytes, as libsodium fixes them; computed with the reference
/// implementation (libargon2 20171227), which also gives its own published value for p = 1:
/// argon2id, t=2, m=256, "password", "somesalt" → 9dfeb910e80bad03….
const std::vector<Argon2Vector> kVectors{
    {"password",
     "736f6d6573616c74736f6d6573616c74",
     {},
     "2b5dc4054886ec957ef59c73b661c54dd6fb274590b278f657c6d96aac8fa6d1"},
    {"",
     "000102030405060708090a0b0c0d0e0f",
     {8, 1},
     "31ed41e2d73f27fdfe4eb4bec651341e58ba43477051c6fe4adad735d82ee08a"},
    {"Mot de passe \xc3\xa0 v\xc3\xa9rifier",
     "000102030405060708090a0b0c0d0e0f",
     {256, 3},
     "55a4dc0ac16a883588f03d73c132caf338d0f762e9124a4c62fef5ec7e12c48b"},
};

TEST(PasswordTest, Argon2idReferenceVectors) {
    for (const auto& vector : kVectors) {
        const auto stretched = stretch_password(Secret::from_text(vector.password),
                                                hex_decode(vector.salt_hex).value(), vector.cost);
        ASSERT_TRUE(stretched);
        EXPECT_EQ(hex_encode(stretched->view()), vector.hash);
    }
}

TEST(PasswordTest, CostsAndSaltsBeyondTheBoundsAreRefused) {
    const Secret password = Secret::from_text("x");
    const Bytes salt(kPasswordSaltSize);
    for (const PasswordCost cost :
         {PasswordCost{kMinPasswordMemoryKib - 1, 1}, PasswordCost{kMaxPasswordMemoryKib + 1, 1},
          PasswordCost{8, 0}, PasswordCost{8, kMaxPasswordPasses + 1}})
        EXPECT_EQ(stretch_password(password, salt, cost).error().code, ErrorCode::kInvalidArgument);
    for (const std::size_t size : {0, 15, 17})
        EXPECT_EQ(stretch_password(password, Bytes(size), {8, 1}).error().code,
                  ErrorCode::kInvalidArgument);
    EXPECT_TRUE(stretch_password(password, salt, {8, kMaxPasswordPasses}));
}

}  // namespace
}  // namespace cloison::crypto
