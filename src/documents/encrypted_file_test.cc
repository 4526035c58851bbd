#include "documents/encrypted_file.h"

#include <gtest/gtest.h>

#include "base/seeded_random.h"

namespace cloison::documents {
namespace {

crypto::FileKey key() {
    SeededRandom random(3);
    return crypto::FileKey::random(random);
}

Bytes sample(std::size_t size) {
    SeededRandom random(size + 1);
    Bytes bytes(size);
    random.fill(bytes);
    return bytes;
}

struct Encrypted {
    Bytes header;
    std::vector<Bytes> chunks;
};

Encrypted encrypt(ByteView file, std::size_t piece = 100'000) {
    FileEncryptor encryptor(key());
    Encrypted out{to_bytes(encryptor.header()), {}};
    for (std::size_t at = 0; at < file.size(); at += piece) {
        auto chunks = encryptor.feed(file.subspan(at, std::min(piece, file.size() - at)));
        EXPECT_TRUE(chunks);
        for (auto& chunk : *chunks) out.chunks.push_back(std::move(chunk));
    }
    auto rest = encryptor.finish();
    EXPECT_TRUE(rest);
    for (auto& chunk : *rest) out.chunks.push_back(std::move(chunk));
    return out;
}

Result<Bytes> decrypt(const Encrypted& encrypted) {
    CLOISON_TRY(auto decryptor, FileDecryptor::create(key(), encrypted.header));
    Bytes file;
    for (const Bytes& chunk : encrypted.chunks) {
        CLOISON_TRY(const auto part, decryptor.feed(chunk));
        EXPECT_LE(part.size(), crypto::kStreamChunkSize + kMaxPadding);
        file.insert(file.end(), part.view().begin(), part.view().end());
    }
    CLOISON_TRY_STATUS(decryptor.finish());
    return file;
}

TEST(LengthClassTest, RoundsUpAsPadmeDoes) {
    // ceil to a multiple of 2^(E - S), E = floor(log2 L), S = floor(log2 E) + 1.
    EXPECT_EQ(length_class(100'000), 100'352U);      // E 16, S 5: multiples of 2048
    EXPECT_EQ(length_class(1'000'000), 1'015'808U);  // E 19, S 5: multiples of 16384
    EXPECT_EQ(length_class(0), kSmallestClass);
    EXPECT_EQ(length_class(1), kSmallestClass);
    EXPECT_EQ(length_class(kSmallestClass), kSmallestClass);
    EXPECT_GT(length_class(kSmallestClass + 1), kSmallestClass);
}

TEST(LengthClassTest, ClassesAreTheirOwnAndAddAtMostAnEighth) {
    std::uint64_t before = 0;
    for (std::uint64_t size = 1; size <= kMaxDocumentSize + 1; size += 7'919) {
        const std::uint64_t rounded = length_class(size);
        EXPECT_GE(rounded, size);
        EXPECT_GE(rounded, before);
        EXPECT_EQ(length_class(rounded), rounded);
        if (size > kSmallestClass) {
            EXPECT_LE((rounded - size) * 8, size);
        }
        EXPECT_LE(rounded - size, std::max(kMaxPadding, kSmallestClass));
        before = rounded;
    }
}

TEST(LengthClassTest, LargestDocumentHasAsManyChunksAsStated) {
    EXPECT_EQ(chunk_count(padded_size(kMaxDocumentSize)), kMaxDocumentChunks);
    EXPECT_LE(padded_size(kMaxDocumentSize) - kMaxDocumentSize, kMaxPadding);
}

TEST(EncryptedFileTest, EveryLengthReadsBack) {
    for (const std::size_t size :
         {1UL, 2UL, 16'383UL, 16'384UL, 16'385UL, 65'534UL, 65'535UL, 65'536UL, 65'537UL, 131'071UL,
          131'072UL, 200'000UL, 1'000'000UL}) {
        const Bytes file = sample(size);
        const auto encrypted = encrypt(file);
        EXPECT_EQ(encrypted.chunks.size(), chunk_count(padded_size(size))) << size;
        std::uint64_t padded = 0;
        for (const Bytes& chunk : encrypted.chunks)
            padded += chunk.size() - crypto::kStreamChunkOverhead;
        EXPECT_EQ(padded, padded_size(size)) << size;
        const auto back = decrypt(encrypted);
        ASSERT_TRUE(back) << size << back.error().message;
        EXPECT_EQ(*back, file) << size;
    }
}

TEST(EncryptedFileTest, FilesThatLookLikePaddingReadBack) {
    for (const std::size_t zeros : {0UL, 1UL, 65'535UL, 65'536UL, 200'000UL, 600'000UL}) {
        Bytes file(zeros + 2, 0);
        file[0] = 0x80;
        EXPECT_EQ(decrypt(encrypt(file)).value(), file) << zeros;
        file.back() = 0x80;
        EXPECT_EQ(decrypt(encrypt(file)).value(), file) << zeros;
        file.back() = 1;
        EXPECT_EQ(decrypt(encrypt(file)).value(), file) << zeros;
        EXPECT_EQ(decrypt(encrypt(Bytes(zeros + 1, 0))).value(), Bytes(zeros + 1, 0)) << zeros;
        EXPECT_EQ(decrypt(encrypt(Bytes(zeros + 1, 0x80))).value(), Bytes(zeros + 1, 0x80));
    }
}

TEST(EncryptedFileTest, PiecesMakeNoDifferenceToTheLengths) {
    const Bytes file = sample(70'000);
    for (const std::size_t piece : {1'000UL, 65'536UL, 70'000UL}) {
        const auto encrypted = encrypt(file, piece);
        EXPECT_EQ(encrypted.chunks.size(), 2U);
        EXPECT_EQ(decrypt(encrypted).value(), file);
    }
}

TEST(EncryptedFileTest, EmptyAndTooLargeAreRefused) {
    FileEncryptor empty(key());
    EXPECT_EQ(empty.finish().error().code, ErrorCode::kInvalidArgument);
    FileEncryptor large(key());
    const Bytes megabyte(1 << 20);
    for (int i = 0; i < 20; ++i) ASSERT_TRUE(large.feed(megabyte));
    EXPECT_EQ(large.feed(Bytes(1)).error().code, ErrorCode::kTooLarge);
    EXPECT_TRUE(large.finish());
}

TEST(EncryptedFileTest, CutReorderedAndForeignFilesAreCorrupt) {
    const auto good = encrypt(sample(200'000));
    auto cut = good;
    cut.chunks.pop_back();
    EXPECT_EQ(decrypt(cut).error().code, ErrorCode::kCorrupt);
    auto swapped = good;
    std::swap(swapped.chunks[0], swapped.chunks[1]);
    EXPECT_EQ(decrypt(swapped).error().code, ErrorCode::kCorrupt);
    auto changed = good;
    changed.chunks[1][5] ^= 1;
    EXPECT_EQ(decrypt(changed).error().code, ErrorCode::kCorrupt);
    auto other = good;
    other.header[0] ^= 1;
    EXPECT_EQ(decrypt(other).error().code, ErrorCode::kCorrupt);
}

TEST(EncryptedFileTest, FileWithoutPaddingIsCorrupt) {
    crypto::StreamEncryptor stream(key());
    Encrypted bare{to_bytes(stream.header()), {}};
    bare.chunks.push_back(stream.encrypt(sample(16'384), true));
    EXPECT_EQ(decrypt(bare).error().code, ErrorCode::kCorrupt);
    crypto::StreamEncryptor wrong(key());
    Encrypted too_much{to_bytes(wrong.header()), {}};
    Bytes padded(32'768, 0);  // class of a file of 16 KiB and more, but the file has one byte
    padded[0] = 'x';
    padded[1] = 0x80;
    too_much.chunks.push_back(wrong.encrypt(padded, true));
    EXPECT_EQ(decrypt(too_much).error().code, ErrorCode::kCorrupt);
}

}  // namespace
}  // namespace cloison::documents
