#include "base/bytes.h"

#include <gtest/gtest.h>

#include <utility>

#include "base/seeded_random.h"

namespace cloison {
namespace {

using Vectors = std::vector<std::pair<std::string, std::string>>;

TEST(Base64Test, Rfc4648Section10Vectors) {
    for (const auto& [plain, encoded] : Vectors{{"", ""},
                                                {"f", "Zg=="},
                                                {"fo", "Zm8="},
                                                {"foo", "Zm9v"},
                                                {"foob", "Zm9vYg=="},
                                                {"fooba", "Zm9vYmE="},
                                                {"foobar", "Zm9vYmFy"}}) {
        EXPECT_EQ(base64_encode(as_bytes(plain)), encoded);
        EXPECT_EQ(base64_decode(encoded), to_bytes(plain));
    }
}

TEST(Base32Test, Rfc4648Section10VectorsWithoutPadding) {
    for (const auto& [plain, encoded] : Vectors{{"", ""},
                                                {"f", "MY"},
                                                {"fo", "MZXQ"},
                                                {"foo", "MZXW6"},
                                                {"foob", "MZXW6YQ"},
                                                {"fooba", "MZXW6YTB"},
                                                {"foobar", "MZXW6YTBOI"}}) {
        EXPECT_EQ(base32_encode(as_bytes(plain)), encoded);
        EXPECT_EQ(base32_decode(encoded), to_bytes(plain));
    }
}

TEST(HexTest, Rfc4648Section10VectorsInEitherCase) {
    EXPECT_EQ(hex_encode(as_bytes("foobar")), "666f6f626172");
    EXPECT_EQ(hex_decode("666F6f626172"), to_bytes("foobar"));
    EXPECT_EQ(hex_decode(""), Bytes{});
}

TEST(HexTest, OddLengthAndOtherCharactersAreRefused) {
    for (const char* text : {"0", "000", "0g", "0G", " 00", "00 ", "0x00", "0\xc3\xa9"}) {
        const auto decoded = hex_decode(text);
        ASSERT_FALSE(decoded) << text;
        EXPECT_EQ(decoded.error().code, ErrorCode::kInvalidArgument);
    }
}

TEST(Base64Test, OtherSpellingsOfTheSameBytesAreRefused) {
    for (const char* text : {"Zg", "Zg=", "Zh==", "Zm9=", "Zm9v\n", "Zm 9v",
                             "Zg==Zg==", "====", "Z===", "=Zg=", "Zm9v====", "_-8="})
        EXPECT_FALSE(base64_decode(text)) << text;
    for (const char* text : {"Zg==", "Zh", "Z", "+/8", "Zm9v\n"})
        EXPECT_FALSE(base64url_decode(text)) << text;
    for (const char* text : {"my", "MZ", "M", "MZX", "MZXW6Y", "MY======", "M1", "M0", "M8"})
        EXPECT_FALSE(base32_decode(text)) << text;
}

TEST(EncodingTest, EveryLengthComesBackFromEveryEncoding) {
    SeededRandom random(1);
    for (std::size_t size = 0; size <= 70; ++size) {
        Bytes bytes(size);
        random.fill(bytes);
        EXPECT_EQ(hex_decode(hex_encode(bytes)), bytes);
        EXPECT_EQ(base64_decode(base64_encode(bytes)), bytes);
        EXPECT_EQ(base64url_decode(base64url_encode(bytes)), bytes);
        EXPECT_EQ(base32_decode(base32_encode(bytes)), bytes);
    }
}

TEST(Base64Test, UrlAlphabetDiffersInTwoDigits) {
    const Bytes bytes{0xfb, 0xff, 0xfe};
    EXPECT_EQ(base64_encode(bytes), "+//+");
    EXPECT_EQ(base64url_encode(bytes), "-__-");
}

TEST(IntegerTest, BytesAreInBigEndianOrder) {
    Bytes out;
    put_u16(out, 0x0102);
    put_u32(out, 0x03040506);
    put_u64(out, 0x0708090a0b0c0d0e);
    EXPECT_EQ(hex_encode(out), "0102030405060708090a0b0c0d0e");
    EXPECT_EQ(get_u16(out), 0x0102);
    EXPECT_EQ(get_u32(ByteView(out).subspan(2)), 0x03040506U);
    EXPECT_EQ(get_u64(ByteView(out).subspan(6)), 0x0708090a0b0c0d0eU);
    EXPECT_EQ(get_u64(Bytes(8, 0xff)), ~std::uint64_t{0});
}

TEST(EqualConstantTimeTest, EveryDifferentByteAndLengthIsSeen) {
    const Bytes reference(40, 0x5a);
    EXPECT_TRUE(equal_constant_time(reference, reference));
    EXPECT_TRUE(equal_constant_time({}, {}));
    EXPECT_FALSE(equal_constant_time(reference, ByteView(reference).first(39)));
    for (std::size_t i = 0; i < reference.size(); ++i) {
        Bytes other = reference;
        other[i] ^= 1;
        EXPECT_FALSE(equal_constant_time(reference, other)) << i;
    }
}

}  // namespace
}  // namespace cloison
