#pragma once

#include <memory>
#include <vector>

#include "base/bytes.h"
#include "base/secret.h"
#include "crypto/stream.h"

namespace cloison::documents {

/// A supporting document on its way through a door, chunk by chunk: what is uploaded becomes the
/// chunks for Append, what Read returns becomes the file again. docs/formats/documents-store.md.
///
/// The length of a file can betray which file it is, so every file is padded before it is
/// encrypted: one byte 80, then 00 up to the next class of length. The documents service refuses
/// lengths outside the classes: whatever is stored went through a FileEncryptor or the like.
inline constexpr std::uint64_t kMaxDocumentSize = 20'971'520;  ///< Bytes of plaintext: 20 MiB.
inline constexpr std::uint64_t kSmallestClass = 16'384;
/// At most what padding adds to a file of kMaxDocumentSize or less.
inline constexpr std::uint64_t kMaxPadding = 524'288;

/// The class of a length: rounded up as PADMÉ does (Nikitin et al., "Reducing Metadata Leakage
/// from Encrypted Files and Communication with PURBs", 2019, §4), which adds 12 % at most and
/// betrays O(log log n) bits; at least kSmallestClass. A class is its own class.
std::uint64_t length_class(std::uint64_t size);
/// The padded length of a file.
inline std::uint64_t padded_size(std::uint64_t plaintext_size) {
    return length_class(plaintext_size + 1);
}
/// Chunks of a padded length; each holds crypto::kStreamChunkSize but the last.
inline std::uint64_t chunk_count(std::uint64_t padded) {
    return (padded + crypto::kStreamChunkSize - 1) / crypto::kStreamChunkSize;
}
inline constexpr std::size_t kMaxDocumentChunks = 328;  ///< Of kMaxDocumentSize.
inline constexpr std::size_t kMaxChunkSize =
    crypto::kStreamChunkSize + crypto::kStreamChunkOverhead;  ///< Of ciphertext.

/// Holds 64 KiB at most. One thread at a time.
class FileEncryptor {
  public:
    explicit FileEncryptor(const crypto::FileKey& key);
    FileEncryptor(FileEncryptor&&) noexcept;
    ~FileEncryptor();
    ByteView header() const;
    /// Pieces of any length. Returns the chunks that became full, in order. kTooLarge beyond
    /// kMaxDocumentSize in all: the file is then to be given up.
    Result<std::vector<Bytes>> feed(ByteView plaintext);
    /// Pads and returns what is left, at least one chunk. kInvalidArgument for an empty file. Once.
    Result<std::vector<Bytes>> finish();

  private:
    struct State;
    std::unique_ptr<State> state_;
};

/// One thread at a time.
class FileDecryptor {
  public:
    /// kCorrupt for a header of the wrong length.
    static Result<FileDecryptor> create(const crypto::FileKey& key, ByteView header);
    FileDecryptor(FileDecryptor&&) noexcept;
    ~FileDecryptor();
    /// The next chunk, in order. Returns the part of the file that is certain not to be padding,
    /// at most 64 KiB + kMaxPadding. kCorrupt if it is not the next chunk of this file.
    Result<Secret> feed(ByteView chunk);
    /// kCorrupt unless the last chunk was seen and the padding is right: what was read before may
    /// then be cut.
    Status finish() const;

  private:
    struct State;
    explicit FileDecryptor(std::unique_ptr<State> state);
    std::unique_ptr<State> state_;
};

}  // namespace cloison::documents
