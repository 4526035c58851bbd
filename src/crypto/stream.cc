#include "crypto/stream.h"

#include <sodium.h>

#include <cstdlib>

namespace cloison::crypto {
namespace {

static_assert(kStreamHeaderSize == crypto_secretstream_xchacha20poly1305_HEADERBYTES);
static_assert(kStreamChunkOverhead == crypto_secretstream_xchacha20poly1305_ABYTES);
static_assert(kKeySize == crypto_secretstream_xchacha20poly1305_KEYBYTES);

/// The state holds the key: wiped when it goes.
struct StreamState {
    crypto_secretstream_xchacha20poly1305_state sodium{};
    bool finished = false;

    StreamState() = default;
    StreamState(const StreamState&) = delete;
    StreamState& operator=(const StreamState&) = delete;
    ~StreamState() { sodium_memzero(&sodium, sizeof sodium); }
};

tl::unexpected<Error> does_not_open() {
    return fail(ErrorCode::kCorrupt, "An encrypted file does not open.");
}

}  // namespace

struct StreamEncryptor::State : StreamState {
    std::array<std::uint8_t, kStreamHeaderSize> header{};
};

StreamEncryptor::StreamEncryptor(const FileKey& key) : state_(std::make_unique<State>()) {
    initialize();
    crypto_secretstream_xchacha20poly1305_init_push(&state_->sodium, state_->header.data(),
                                                    key.view().data());
}

StreamEncryptor::~StreamEncryptor() = default;
StreamEncryptor::StreamEncryptor(StreamEncryptor&&) noexcept = default;

ByteView StreamEncryptor::header() const {
    return state_->header;
}

Bytes StreamEncryptor::encrypt(ByteView plaintext, bool last) {
    const bool full = plaintext.size() == kStreamChunkSize;
    if (state_->finished || plaintext.size() > kStreamChunkSize || (!last && !full)) std::abort();
    state_->finished = last;
    Bytes ciphertext(plaintext.size() + kStreamChunkOverhead);
    crypto_secretstream_xchacha20poly1305_push(
        &state_->sodium, ciphertext.data(), nullptr, plaintext.data(), plaintext.size(), nullptr, 0,
        last ? crypto_secretstream_xchacha20poly1305_TAG_FINAL
             : crypto_secretstream_xchacha20poly1305_TAG_MESSAGE);
    return ciphertext;
}

struct StreamDecryptor::State : StreamState {};

StreamDecryptor::StreamDecryptor(std::unique_ptr<State> state) : state_(std::move(state)) {}
StreamDecryptor::StreamDecryptor(StreamDecryptor&&) noexcept = default;
StreamDecryptor::~StreamDecryptor() = default;

Result<StreamDecryptor> StreamDecryptor::create(const FileKey& key, ByteView header) {
    initialize();
    if (header.size() != kStreamHeaderSize) return does_not_open();
    auto state = std::make_unique<State>();
    crypto_secretstream_xchacha20poly1305_init_pull(&state->sodium, header.data(),
                                                    key.view().data());
    return StreamDecryptor(std::move(state));
}

Result<StreamDecryptor::Chunk> StreamDecryptor::decrypt(ByteView ciphertext) {
    if (state_->finished || ciphertext.size() < kStreamChunkOverhead ||
        ciphertext.size() > kStreamChunkSize + kStreamChunkOverhead)
        return does_not_open();
    Secret plaintext{Bytes(ciphertext.size() - kStreamChunkOverhead)};
    unsigned char tag = 0;
    if (crypto_secretstream_xchacha20poly1305_pull(&state_->sodium, plaintext.data(), nullptr, &tag,
                                                   ciphertext.data(), ciphertext.size(), nullptr,
                                                   0) != 0)
        return does_not_open();
    const bool last = tag == crypto_secretstream_xchacha20poly1305_TAG_FINAL;
    const bool full = plaintext.size() == kStreamChunkSize;
    if (!last && (!full || tag != crypto_secretstream_xchacha20poly1305_TAG_MESSAGE))
        return does_not_open();
    state_->finished = last;
    return Chunk{std::move(plaintext), last};
}

}  // namespace cloison::crypto
