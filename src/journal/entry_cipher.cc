#include "journal/entry_cipher.h"

#include <algorithm>
#include <atomic>

#include "crypto/pae.h"

namespace cloison::journal {
namespace {

/// Nonces of 24 bytes: 16 that are drawn once, and a count. None comes twice as long as no two
/// draws of 128 bits are the same, and a nonce costs no call to the system.
class Nonces : public Random {
  public:
    explicit Nonces(Random& random) { random.fill(prefix_); }
    void fill(std::span<std::uint8_t> out) override {
        Bytes count;
        put_u64(count, count_.fetch_add(1));
        if (out.size() != prefix_.size() + count.size()) std::abort();
        std::copy(prefix_.begin(), prefix_.end(), out.begin());
        std::copy(count.begin(), count.end(), out.subspan(prefix_.size()).begin());
    }

  private:
    std::array<std::uint8_t, 16> prefix_{};
    std::atomic<std::uint64_t> count_{0};
};

}  // namespace

struct EntryCipher::Keys {
    Keys(const crypto::BoxKey& key, std::string log, Random& random)
        : box(crypto::derive_key<crypto::BoxKey>(key, "entries")),
          digest(crypto::derive_bytes(key.view(), "digests")),
          origin(std::move(log)),
          run_context(crypto::pre_auth_encode({as_bytes("journal-run/v1"), as_bytes(origin)})),
          nonces(random) {}

    const crypto::BoxKey box;
    const Secret digest;
    const std::string origin;
    const Bytes run_context;
    mutable Nonces nonces;

    Bytes bundle_context(std::uint64_t index, std::uint64_t width) const {
        Bytes place;
        put_u64(place, index);
        put_u16(place, static_cast<std::uint16_t>(width));
        return crypto::pre_auth_encode({as_bytes("journal-bundle/v1"), as_bytes(origin), place});
    }
    Result<Secret> open(ByteView content, ByteView context) const {
        auto opened = crypto::box_decrypt(box, content, context);
        if (opened) return opened;
        return fail(ErrorCode::kCorrupt, "it does not open: it is damaged, or belongs elsewhere");
    }
};

EntryCipher::EntryCipher(const std::shared_ptr<const crypto::BoxKey>& key, std::string origin,
                         Random& random) {
    if (key) keys_ = std::make_shared<const Keys>(*key, std::move(origin), random);
}

Bytes EntryCipher::seal_bundle(std::uint64_t index, std::uint64_t width, ByteView bundle) const {
    if (!keys_) return to_bytes(bundle);
    return crypto::box_encrypt(keys_->box, bundle, keys_->bundle_context(index, width),
                               keys_->nonces);
}

Result<Bytes> EntryCipher::open_bundle(std::uint64_t index, std::uint64_t width,
                                       Bytes content) const {
    if (!keys_) return content;
    CLOISON_TRY(const auto bundle, keys_->open(content, keys_->bundle_context(index, width)));
    return to_bytes(bundle.view());
}

Bytes EntryCipher::seal_run(ByteView run) const {
    if (!keys_) return to_bytes(run);
    const Bytes box = crypto::box_encrypt(keys_->box, run, keys_->run_context, keys_->nonces);
    Bytes sealed;
    sealed.reserve(kRunOverhead + run.size());
    put_u32(sealed, static_cast<std::uint32_t>(box.size()));
    sealed.insert(sealed.end(), box.begin(), box.end());
    return sealed;
}

Result<Bytes> EntryCipher::open_body(ByteView body) const {
    if (!keys_) return to_bytes(body);
    Bytes entries;
    while (!body.empty()) {
        if (body.size() < 4 || body.size() - 4 < get_u32(body))
            return fail(ErrorCode::kCorrupt, "it ends within a run of entries");
        const ByteView box = body.subspan(4, get_u32(body));
        CLOISON_TRY(const auto run, keys_->open(box, keys_->run_context));
        entries.insert(entries.end(), run.view().begin(), run.view().end());
        body = body.subspan(4 + box.size());
    }
    return entries;
}

crypto::Hash EntryCipher::digest(std::initializer_list<ByteView> parts) const {
    if (!keys_) return crypto::sha256(parts);
    Bytes all;
    for (const ByteView part : parts) all.insert(all.end(), part.begin(), part.end());
    const Bytes keyed = crypto::keyed_hash(keys_->digest.view(), all);
    crypto::Hash digest;
    std::copy(keyed.begin(), keyed.end(), digest.begin());
    return digest;
}

}  // namespace cloison::journal
