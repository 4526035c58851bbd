#include "crypto/stream.h"

#include <gtest/gtest.h>

#include "base/seeded_random.h"

namespace cloison::crypto {
namespace {

class StreamTest : public testing::Test {
  protected:
    struct Encrypted {
        Bytes header;
        std::vector<Bytes> chunks;
    };

    Encrypted encrypt(ByteView content) const {
        StreamEncryptor encryptor(key_);
        Encrypted out{to_bytes(encryptor.header()), {}};
        while (content.size() > kStreamChunkSize) {
            out.chunks.push_back(encryptor.encrypt(content.first(kStreamChunkSize), false));
            content = content.subspan(kStreamChunkSize);
        }
        out.chunks.push_back(encryptor.encrypt(content, true));
        return out;
    }

    /// The content, if every chunk opens and the last one is marked so.
    Result<Bytes> decrypt(const Encrypted& in) const {
        CLOISON_TRY(auto decryptor, StreamDecryptor::create(key_, in.header));
        Bytes content;
        bool last = false;
        for (const auto& chunk : in.chunks) {
            CLOISON_TRY(const auto opened, decryptor.decrypt(chunk));
            content.insert(content.end(), opened.plaintext.view().begin(),
                           opened.plaintext.view().end());
            last = opened.last;
        }
        if (!last) return fail(ErrorCode::kCorrupt, "The file was cut.");
        return content;
    }

    bool refused(const Encrypted& in) const {
        const auto content = decrypt(in);
        return !content && content.error().code == ErrorCode::kCorrupt;
    }

    Bytes content(std::size_t size) {
        Bytes bytes(size);
        random_.fill(bytes);
        return bytes;
    }

    SeededRandom random_{1};
    const FileKey key_ = FileKey::random(random_);
};

TEST_F(StreamTest, ContentsOfAllLengthsComeBack) {
    for (const std::size_t size :
         {std::size_t{0}, std::size_t{1}, kStreamChunkSize - 1, kStreamChunkSize,
          kStreamChunkSize + 1, 3 * kStreamChunkSize, 3 * kStreamChunkSize + 5}) {
        const Bytes plaintext = content(size);
        const Encrypted encrypted = encrypt(plaintext);
        EXPECT_EQ(encrypted.header.size(), kStreamHeaderSize);
        EXPECT_EQ(encrypted.chunks.back().size(),
                  size - (encrypted.chunks.size() - 1) * kStreamChunkSize + kStreamChunkOverhead);
        EXPECT_EQ(decrypt(encrypted), plaintext);
    }
}

TEST_F(StreamTest, ReorderedDroppedRepeatedAndCutChunksAreRefused) {
    const Encrypted good = encrypt(content(3 * kStreamChunkSize + 100));
    ASSERT_EQ(good.chunks.size(), 4U);
    for (std::size_t i = 0; i < good.chunks.size(); ++i) {
        Encrypted dropped = good;
        dropped.chunks.erase(dropped.chunks.begin() + static_cast<std::ptrdiff_t>(i));
        EXPECT_TRUE(refused(dropped)) << i;
        Encrypted repeated = good;
        repeated.chunks.insert(repeated.chunks.begin() + static_cast<std::ptrdiff_t>(i),
                               good.chunks[i]);
        EXPECT_TRUE(refused(repeated)) << i;
        Encrypted cut = good;
        cut.chunks[i].pop_back();
        EXPECT_TRUE(refused(cut)) << i;
        for (std::size_t j = i + 1; j < good.chunks.size(); ++j) {
            Encrypted swapped = good;
            std::swap(swapped.chunks[i], swapped.chunks[j]);
            EXPECT_TRUE(refused(swapped)) << i << ' ' << j;
        }
    }
    Encrypted none = good;
    none.chunks.clear();
    EXPECT_TRUE(refused(none));
}

TEST_F(StreamTest, EveryFlippedByteIsRefused) {
    const Encrypted good = encrypt(content(50));
    for (std::size_t i = 0; i < kStreamHeaderSize; ++i) {
        Encrypted changed = good;
        changed.header[i] ^= 1;
        EXPECT_TRUE(refused(changed)) << i;
    }
    for (std::size_t i = 0; i < good.chunks[0].size(); ++i) {
        Encrypted changed = good;
        changed.chunks[0][i] ^= 1;
        EXPECT_TRUE(refused(changed)) << i;
    }
}

TEST_F(StreamTest, ChunksOfOtherFilesAndKeysAreRefused) {
    const Encrypted first = encrypt(content(kStreamChunkSize + 1));
    Encrypted mixed = encrypt(content(kStreamChunkSize + 1));
    mixed.chunks[1] = first.chunks[1];
    EXPECT_TRUE(refused(mixed));
    const FileKey other = FileKey::random(random_);
    auto decryptor = StreamDecryptor::create(other, first.header);
    ASSERT_TRUE(decryptor);
    EXPECT_FALSE(decryptor->decrypt(first.chunks[0]));
}

TEST_F(StreamTest, HeadersAndChunksOfOtherLengthsAreRefused) {
    EXPECT_EQ(StreamDecryptor::create(key_, Bytes(kStreamHeaderSize - 1)).error().code,
              ErrorCode::kCorrupt);
    EXPECT_EQ(StreamDecryptor::create(key_, Bytes(kStreamHeaderSize + 1)).error().code,
              ErrorCode::kCorrupt);
    auto decryptor = StreamDecryptor::create(key_, Bytes(kStreamHeaderSize));
    EXPECT_FALSE(decryptor->decrypt(Bytes(kStreamChunkOverhead - 1)));
    EXPECT_FALSE(decryptor->decrypt(Bytes(kStreamChunkSize + kStreamChunkOverhead + 1)));
}

TEST_F(StreamTest, NothingFollowsTheLastChunk) {
    const Encrypted good = encrypt(content(10));
    auto decryptor = StreamDecryptor::create(key_, good.header);
    EXPECT_TRUE(decryptor->decrypt(good.chunks[0])->last);
    EXPECT_EQ(decryptor->decrypt(good.chunks[0]).error().code, ErrorCode::kCorrupt);
}

using StreamDeathTest = StreamTest;

TEST_F(StreamDeathTest, ShortChunksBeforeTheLastAreABug) {
    EXPECT_DEATH(StreamEncryptor(key_).encrypt(Bytes(kStreamChunkSize - 1), false), "");
    EXPECT_DEATH(StreamEncryptor(key_).encrypt(Bytes(kStreamChunkSize + 1), true), "");
}

}  // namespace
}  // namespace cloison::crypto
