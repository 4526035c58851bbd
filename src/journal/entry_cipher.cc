#include "journal/entry_cipher.h"

#include <algorithm>

#include "crypto/box.h"
#include "crypto/pae.h"

namespace cloison::journal {

struct EntryCipher::Keys {
    crypto::BoxKey box;
    Secret header;
    std::string origin;
    Random& random;

    Bytes bundle_context(std::uint64_t index, std::uint64_t width) const {
        Bytes place;
        put_u64(place, index);
        put_u16(place, static_cast<std::uint16_t>(width));
        return crypto::pre_auth_encode({as_bytes("journal-bundle/v1"), as_bytes(origin), place});
    }
    Bytes body_context(const crypto::Hash& segment_root, ByteView frame_header) const {
        return crypto::pre_auth_encode(
            {as_bytes("journal-frame/v1"), as_bytes(origin), segment_root, frame_header});
    }
    Result<Bytes> open(ByteView content, ByteView context) const {
        auto opened = crypto::box_decrypt(box, content, context);
        if (!opened)
            return fail(ErrorCode::kCorrupt,
                        "it does not open: it is damaged, or belongs elsewhere");
        return to_bytes(opened->view());
    }
};

EntryCipher::EntryCipher(const std::shared_ptr<const crypto::BoxKey>& key, std::string origin,
                         Random& random) {
    if (!key) return;
    keys_ = std::make_shared<const Keys>(Keys{
        crypto::derive_key<crypto::BoxKey>(*key, "entries"),
        Secret(crypto::derive_bytes(key->view(), "segment-header")), std::move(origin), random});
}

Bytes EntryCipher::seal_bundle(std::uint64_t index, std::uint64_t width, ByteView bundle) const {
    if (!keys_) return to_bytes(bundle);
    return crypto::box_encrypt(keys_->box, bundle, keys_->bundle_context(index, width),
                               keys_->random);
}

Result<Bytes> EntryCipher::open_bundle(std::uint64_t index, std::uint64_t width,
                                       Bytes content) const {
    if (!keys_) return content;
    return keys_->open(content, keys_->bundle_context(index, width));
}

Bytes EntryCipher::seal_body(const crypto::Hash& segment_root, ByteView header,
                             ByteView body) const {
    if (!keys_) return to_bytes(body);
    return crypto::box_encrypt(keys_->box, body, keys_->body_context(segment_root, header),
                               keys_->random);
}

Result<Bytes> EntryCipher::open_body(const crypto::Hash& segment_root, ByteView header,
                                     ByteView content) const {
    if (!keys_) return to_bytes(content);
    return keys_->open(content, keys_->body_context(segment_root, header));
}

crypto::Hash EntryCipher::header_digest(ByteView header) const {
    if (!keys_) return crypto::sha256({header});
    const Bytes keyed = crypto::keyed_hash(keys_->header.view(), header);
    crypto::Hash digest;
    std::copy(keyed.begin(), keyed.end(), digest.begin());
    return digest;
}

}  // namespace cloison::journal
