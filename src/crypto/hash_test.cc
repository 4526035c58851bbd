#include "crypto/hash.h"

#include <gtest/gtest.h>

#include "base/seeded_random.h"

namespace cloison::crypto {
namespace {

Bytes counting(std::size_t size) {
    Bytes bytes(size);
    for (std::size_t i = 0; i < size; ++i) bytes[i] = static_cast<std::uint8_t>(i);
    return bytes;
}

struct Sha256Vector {
    std::string message;
    std::string_view hash;
};

/// FIPS 180-4 examples and NIST's "Examples with Intermediate Values".
const std::vector<Sha256Vector> kSha256Vectors{
    {"", "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"},
    {"abc", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"},
    {"abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq",
     "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1"},
    {std::string(1'000'000, 'a'),
     "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0"},
};

TEST(Sha256Test, FipsVectors) {
    for (const auto& vector : kSha256Vectors)
        EXPECT_EQ(hex_encode(sha256({as_bytes(vector.message)})), vector.hash);
}

TEST(Sha256Test, PartsAndStreamsHashAsTheWhole) {
    const Bytes data = counting(200);
    const Hash whole = sha256({data});
    for (std::size_t cut = 0; cut <= data.size(); ++cut) {
        const ByteView head = ByteView(data).first(cut);
        const ByteView tail = ByteView(data).subspan(cut);
        EXPECT_EQ(sha256({head, tail}), whole);
        Sha256 stream;
        stream.update(head);
        // Another hash on the same thread does not disturb the stream.
        sha256({tail});
        stream.update(tail);
        EXPECT_EQ(stream.finish(), whole);
    }
    EXPECT_EQ(sha256({}), sha256({ByteView()}));
}

TEST(KeyedHashTest, Blake2bReferenceVectors) {
    // blake2b-kat.txt of https://github.com/BLAKE2/BLAKE2: key 00…3f, input 00, 01, …
    const Bytes key = counting(64);
    EXPECT_EQ(hex_encode(keyed_hash(key, counting(0), 64)),
              "10ebb67700b1868efb4417987acf4690ae9d972fb7a590c2f02871799aaa4786"
              "b5e996e8f0f4eb981fc214b005f42d2ff4233499391653df7aefcbc13fc51568");
    EXPECT_EQ(hex_encode(keyed_hash(key, counting(1), 64)),
              "961f6dd1e4dd30f63901690c512e78e4b45e4742ed197c3c5e45c549fd25f2e4"
              "187b0bc9fe30492b16b0d0bc4ef9b0f34c7003fac09a5ef1532e69430234cebd");
    EXPECT_EQ(hex_encode(keyed_hash(key, counting(2), 64)),
              "da2cfbe2d8409a0f38026113884f84b50156371ae304c4430173d08a99d9fb1b"
              "983164a3770706d537f49e0c916d9f32b95cc37a95b99d857436f0232c88a965");
    EXPECT_EQ(hex_encode(keyed_hash(key, counting(255), 64)),
              "142709d62e28fcccd0af97fad0f8465b971e82201dc51070faa0372aa43e9248"
              "4be1c1e73ba10906d5d1853db6a4106e0a7bf9800d373d6dee2d46d62ef2a461");
}

TEST(KeyedHashTest, AgreesWithAnotherImplementation) {
    // Python 3.11 hashlib.blake2b(b"abc", key=bytes(range(32)), digest_size=32)
    EXPECT_EQ(hex_encode(keyed_hash(counting(32), as_bytes("abc"))),
              "d63a32d3e44738d7907f964316c241adaba0abfeabc32349677578a15a203f7f");
}

TEST(KeyedHashTest, SizesAtTheBounds) {
    for (const std::size_t size : {16, 64}) {
        EXPECT_EQ(keyed_hash(counting(size), {}, size).size(), size);
    }
}

TEST(KeyedHashDeathTest, SizesBeyondTheBoundsAbort) {
    EXPECT_DEATH(keyed_hash(counting(32), {}, 15), "");
    EXPECT_DEATH(keyed_hash(counting(32), {}, 65), "");
    EXPECT_DEATH(keyed_hash(counting(15), {}), "");
    EXPECT_DEATH(keyed_hash(counting(65), {}), "");
}

}  // namespace
}  // namespace cloison::crypto
