#include "documents/encrypted_file.h"

#include <algorithm>
#include <bit>

namespace cloison::documents {
namespace {

constexpr std::uint8_t kPaddingMark = 0x80;

void append(Bytes& out, ByteView piece) {
    out.insert(out.end(), piece.begin(), piece.end());
}

}  // namespace

std::uint64_t length_class(std::uint64_t size) {
    if (size <= kSmallestClass) return kSmallestClass;
    const auto exponent = static_cast<unsigned>(std::bit_width(size)) - 1;
    const auto significant = static_cast<unsigned>(std::bit_width(exponent));
    const std::uint64_t step = std::uint64_t{1} << (exponent - significant);
    return (size + step - 1) / step * step;
}

struct FileEncryptor::State {
    explicit State(const crypto::FileKey& key) : stream(key) {
        pending.reserve(crypto::kStreamChunkSize);
    }
    ~State() { wipe(pending); }

    /// Takes from `data` what still fits into the pending chunk.
    void fill(ByteView& data) {
        const auto room = crypto::kStreamChunkSize - pending.size();
        const auto taken = data.first(std::min(room, data.size()));
        append(pending, taken);
        data = data.subspan(taken.size());
    }
    Bytes take_chunk(bool last) {
        Bytes chunk = stream.encrypt(pending, last);
        wipe(pending);
        pending.clear();
        return chunk;
    }

    crypto::StreamEncryptor stream;
    Bytes pending;
    std::uint64_t size = 0;
};

FileEncryptor::FileEncryptor(const crypto::FileKey& key) : state_(std::make_unique<State>(key)) {}
FileEncryptor::FileEncryptor(FileEncryptor&&) noexcept = default;
FileEncryptor::~FileEncryptor() = default;

ByteView FileEncryptor::header() const {
    return state_->stream.header();
}

Result<std::vector<Bytes>> FileEncryptor::feed(ByteView plaintext) {
    if (plaintext.size() > kMaxDocumentSize - state_->size)
        return fail(ErrorCode::kTooLarge, "A document has at most 20 MiB.");
    state_->size += plaintext.size();
    std::vector<Bytes> chunks;
    while (!plaintext.empty()) {
        state_->fill(plaintext);
        // Padding follows the last byte, so a chunk that is full here is never the last.
        if (state_->pending.size() == crypto::kStreamChunkSize)
            chunks.push_back(state_->take_chunk(false));
    }
    return chunks;
}

Result<std::vector<Bytes>> FileEncryptor::finish() {
    if (state_->size == 0) return fail(ErrorCode::kInvalidArgument, "The document is empty.");
    Bytes padding(padded_size(state_->size) - state_->size);
    padding.front() = kPaddingMark;
    std::vector<Bytes> chunks;
    for (ByteView rest = padding; !rest.empty();) {
        state_->fill(rest);
        if (rest.empty() || state_->pending.size() == crypto::kStreamChunkSize)
            chunks.push_back(state_->take_chunk(rest.empty()));
    }
    return chunks;
}

struct FileDecryptor::State {
    explicit State(crypto::StreamDecryptor decryptor) : stream(std::move(decryptor)) {}

    /// What was held back turns out to be part of the file.
    void release(Bytes& out) {
        if (!marked) return;
        out.push_back(kPaddingMark);
        out.insert(out.end(), zeros, 0);
        marked = false;
        zeros = 0;
    }

    crypto::StreamDecryptor stream;
    std::uint64_t padded = 0;    ///< Bytes decrypted.
    std::uint64_t released = 0;  ///< Bytes of the file given out.
    bool marked = false;         ///< A padding mark is held back, followed by `zeros`.
    std::uint64_t zeros = 0;
    bool last = false;
};

FileDecryptor::FileDecryptor(std::unique_ptr<State> state) : state_(std::move(state)) {}
FileDecryptor::FileDecryptor(FileDecryptor&&) noexcept = default;
FileDecryptor::~FileDecryptor() = default;

Result<FileDecryptor> FileDecryptor::create(const crypto::FileKey& key, ByteView header) {
    CLOISON_TRY(auto stream, crypto::StreamDecryptor::create(key, header));
    return FileDecryptor(std::make_unique<State>(std::move(stream)));
}

Result<Secret> FileDecryptor::feed(ByteView chunk) {
    CLOISON_TRY(const auto decrypted, state_->stream.decrypt(chunk));
    const ByteView plain = decrypted.plaintext.view();
    state_->last = decrypted.last;
    state_->padded += plain.size();

    Bytes out;
    const auto last_set =
        std::find_if(plain.rbegin(), plain.rend(), [](std::uint8_t byte) { return byte != 0; });
    const auto used = static_cast<std::size_t>(plain.rend() - last_set);
    const std::size_t zeros_at_end = plain.size() - used;
    if (used == 0) {
        if (state_->marked)
            state_->zeros += zeros_at_end;
        else
            append(out, plain);
    } else {
        state_->release(out);
        state_->marked = plain[used - 1] == kPaddingMark;
        append(out, state_->marked ? plain.first(used - 1) : plain);
        state_->zeros = state_->marked ? zeros_at_end : 0;
    }
    // No padding is that long: it is a file with many zeros.
    if (state_->marked && state_->zeros >= kMaxPadding) state_->release(out);
    state_->released += out.size();
    return Secret(std::move(out));
}

Status FileDecryptor::finish() const {
    if (!state_->last) return fail(ErrorCode::kCorrupt, "The document ends too early.");
    if (!state_->marked || padded_size(state_->released) != state_->padded)
        return fail(ErrorCode::kCorrupt, "The document's padding is wrong.");
    return {};
}

}  // namespace cloison::documents
