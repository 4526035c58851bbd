#include "crypto/unlinkable_list.h"

#include "crypto/box.h"
#include "crypto/hash.h"

namespace cloison::crypto {
namespace {

constexpr std::size_t kLengthSize = 4;
constexpr std::size_t kNextClass = 1024;

Bytes list_secret(ByteView secret, std::string_view list, std::string_view use) {
    return derive_bytes(secret, "cloison/list/v1/" + std::string(use) + '/' + std::string(list));
}

template <class AnyKey>
AnyKey list_key(ByteView secret, std::string_view list, std::string_view use) {
    const Secret derived(list_secret(secret, list, use));
    return std::move(*AnyKey::from_bytes(derived.view()));
}

}  // namespace

ListKey::ListKey(ByteView secret, std::string_view list)
    : tags_(list_key<HashKey>(secret, list, "tags")),
      box_key_(list_key<BoxKey>(secret, list, "rows")) {}

Bytes ListKey::place(std::uint64_t number) const {
    Bytes data{'p'};
    put_u64(data, number);
    return keyed_hash(tags_.view(), data, kTagSize);
}

Bytes ListKey::mark(ByteView id) const {
    Bytes data{'m'};
    data.insert(data.end(), id.begin(), id.end());
    return keyed_hash(tags_.view(), data, kTagSize);
}

Bytes box_row(const BoxKey& key, ByteView plaintext, ByteView associated, std::size_t size,
              cloison::Random& random) {
    while (size < plaintext.size() + kLengthSize) size += kNextClass;
    Bytes padded;
    padded.reserve(size);
    put_u32(padded, static_cast<std::uint32_t>(plaintext.size()));
    padded.insert(padded.end(), plaintext.begin(), plaintext.end());
    padded.resize(size);
    return box_encrypt(key, padded, associated, random);
}

Result<Bytes> open_row(const BoxKey& key, ByteView box, ByteView associated) {
    CLOISON_TRY(const Secret padded, box_decrypt(key, box, associated));
    const ByteView view = padded.view();
    if (view.size() < kLengthSize || get_u32(view) > view.size() - kLengthSize)
        return fail(ErrorCode::kCorrupt, "A row's content is malformed.");
    return to_bytes(view.subspan(kLengthSize, get_u32(view)));
}

}  // namespace cloison::crypto
