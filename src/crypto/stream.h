#pragma once

#include <array>
#include <memory>

#include "base/bytes.h"
#include "crypto/keys.h"

namespace cloison::crypto {

/// A file as libsodium secretstream (XChaCha20-Poly1305), docs/formats/encrypted-file.md: header
/// (24 bytes), then chunks of 64 KiB of plaintext, each 17 bytes longer as ciphertext; the last is
/// tagged final. Reordered, dropped, repeated or cut chunks do not decrypt.
inline constexpr std::size_t kStreamChunkSize = 65536;
inline constexpr std::size_t kStreamChunkOverhead = 17;
inline constexpr std::size_t kStreamHeaderSize = 24;

class StreamEncryptor {
  public:
    explicit StreamEncryptor(const FileKey& key);
    ~StreamEncryptor();
    StreamEncryptor(StreamEncryptor&&) noexcept;
    ByteView header() const;
    /// At most kStreamChunkSize of plaintext; all but the last must be exactly that, and nothing
    /// follows the last. Anything else is a bug and aborts.
    Bytes encrypt(ByteView plaintext, bool last);

  private:
    struct State;
    std::unique_ptr<State> state_;
};

class StreamDecryptor {
  public:
    /// kCorrupt for a header of the wrong length.
    static Result<StreamDecryptor> create(const FileKey& key, ByteView header);
    StreamDecryptor(StreamDecryptor&&) noexcept;
    ~StreamDecryptor();
    struct Chunk {
        Secret plaintext;
        bool last;
    };
    /// The next chunk; kCorrupt if it is not that, or if the last has been read. The caller must
    /// refuse a file that ends before a chunk with `last` set: it was cut.
    Result<Chunk> decrypt(ByteView ciphertext);

  private:
    struct State;
    explicit StreamDecryptor(std::unique_ptr<State> state);
    std::unique_ptr<State> state_;
};

}  // namespace cloison::crypto
