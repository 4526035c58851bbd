#include <gtest/gtest.h>

#include <fstream>
#include <nlohmann/json.hpp>

#include "crypto/pae.h"
#include "crypto/paseto.h"

namespace cloison::crypto {
namespace {

TEST(PreAuthEncodeTest, PasetoSpecificationExamples) {
    // Common.md of the specification, "PAE Definition".
    EXPECT_EQ(hex_encode(pre_auth_encode({})), "0000000000000000");
    EXPECT_EQ(hex_encode(pre_auth_encode({ByteView()})), "01000000000000000000000000000000");
    EXPECT_EQ(hex_encode(pre_auth_encode({as_bytes("test")})),
              "0100000000000000040000000000000074657374");
}

TEST(PreAuthEncodeTest, WhereThePiecesAreCutMatters) {
    EXPECT_NE(pre_auth_encode({as_bytes("ab"), as_bytes("c")}),
              pre_auth_encode({as_bytes("a"), as_bytes("bc")}));
    EXPECT_NE(pre_auth_encode({as_bytes("a"), as_bytes("")}), pre_auth_encode({as_bytes("a")}));
}

TEST(PasetoTest, PublishedVectors) {
    std::ifstream file(CLOISON_SOURCE_DIR "/tests/vectors/paseto-v4-public.json");
    const auto vectors = nlohmann::json::parse(file);
    const auto key = SigningKey::from_seed(hex_decode(vectors["seed"].get<std::string>()).value());
    ASSERT_EQ(hex_encode(key.verify_key().bytes), vectors["public_key"].get<std::string>());
    // All that concern v4.public: 4-S-1 to 4-S-3, and 4-F-1 to 4-F-3. The others are of v4.local.
    ASSERT_EQ(vectors["tests"].size(), 6U);
    int valid = 0;
    int invalid = 0;
    for (const auto& test : vectors["tests"]) {
        SCOPED_TRACE(test["name"].get<std::string>());
        const auto token = test["token"].get<std::string>();
        const auto footer = test["footer"].get<std::string>();
        const auto implicit = test["implicit_assertion"].get<std::string>();
        const auto payload = paseto_verify(key.verify_key(), token, footer, implicit);
        if (test["expect_fail"].get<bool>()) {
            ASSERT_FALSE(payload);
            EXPECT_EQ(payload.error().code, ErrorCode::kUnauthenticated);
            ++invalid;
        } else {
            EXPECT_EQ(payload, test["payload"].get<std::string>());
            EXPECT_EQ(paseto_sign(key, *payload, footer, implicit), token);
            ++valid;
        }
    }
    // tests/interop reads how many ran.
    RecordProperty("valid", valid);
    RecordProperty("invalid", invalid);
}

class PasetoRefusalTest : public testing::Test {
  protected:
    bool accepted(std::string_view token, std::string_view footer = "foot",
                  std::string_view implicit = "implied") const {
        const auto payload = paseto_verify(key_.verify_key(), token, footer, implicit);
        EXPECT_TRUE(payload || payload.error().code == ErrorCode::kUnauthenticated);
        return payload.has_value();
    }

    const SigningKey key_ = SigningKey::from_seed(Bytes(32, 1));
    const std::string token_ = paseto_sign(key_, "payload", "foot", "implied");
};

TEST_F(PasetoRefusalTest, EveryChangedCharacterAndEveryCut) {
    ASSERT_TRUE(accepted(token_));
    for (std::size_t i = 0; i < token_.size(); ++i) {
        std::string changed = token_;
        changed[i] = changed[i] == 'A' ? 'B' : 'A';
        EXPECT_FALSE(accepted(changed)) << i;
        EXPECT_FALSE(accepted(token_.substr(0, i))) << i;
    }
    EXPECT_FALSE(accepted(token_ + "A"));
    EXPECT_FALSE(accepted(token_ + "."));
    EXPECT_FALSE(accepted(token_ + "\n"));
}

TEST_F(PasetoRefusalTest, AnotherKeyFooterOrAssertion) {
    EXPECT_FALSE(accepted(token_, "feet"));
    EXPECT_FALSE(accepted(token_, ""));
    EXPECT_FALSE(accepted(token_, "foot", ""));
    EXPECT_FALSE(accepted(token_, "foot", "implies"));
    EXPECT_FALSE(
        accepted(paseto_sign(SigningKey::from_seed(Bytes(32, 2)), "payload", "foot", "implied")));
    const std::string without_footer = paseto_sign(key_, "payload", "", "implied");
    EXPECT_TRUE(accepted(without_footer, ""));
    EXPECT_FALSE(accepted(without_footer));
    EXPECT_FALSE(accepted(without_footer + '.', ""));
}

}  // namespace
}  // namespace cloison::crypto
