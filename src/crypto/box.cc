#include "crypto/box.h"

#include <sodium.h>

#include <cstdlib>

namespace cloison::crypto {
namespace {

constexpr std::size_t kNonceSize = crypto_aead_xchacha20poly1305_ietf_NPUBBYTES;
constexpr std::size_t kTagSize = crypto_aead_xchacha20poly1305_ietf_ABYTES;
static_assert(kBoxOverhead == kNonceSize + kTagSize);
static_assert(kKeySize == crypto_aead_xchacha20poly1305_ietf_KEYBYTES);

tl::unexpected<Error> does_not_open() {
    return fail(ErrorCode::kCorrupt, "An encrypted value does not open.");
}

}  // namespace

Bytes box_encrypt(const BoxKey& key, ByteView plaintext, ByteView associated,
                  cloison::Random& random) {
    initialize();
    Bytes box(kBoxOverhead + plaintext.size());
    const std::span<std::uint8_t> nonce(box.data(), kNonceSize);
    random.fill(nonce);
    crypto_aead_xchacha20poly1305_ietf_encrypt(
        box.data() + kNonceSize, nullptr, plaintext.data(), plaintext.size(), associated.data(),
        associated.size(), nullptr, nonce.data(), key.view().data());
    return box;
}

Result<Secret> box_decrypt(const BoxKey& key, ByteView box, ByteView associated) {
    initialize();
    if (box.size() < kBoxOverhead) return does_not_open();
    Secret plaintext{Bytes(box.size() - kBoxOverhead)};
    const ByteView ciphertext = box.subspan(kNonceSize);
    if (crypto_aead_xchacha20poly1305_ietf_decrypt(
            plaintext.data(), nullptr, nullptr, ciphertext.data(), ciphertext.size(),
            associated.data(), associated.size(), box.data(), key.view().data()) != 0)
        return does_not_open();
    return plaintext;
}

Result<SealedBoxPublicKey> SealedBoxPublicKey::from_bytes(ByteView bytes) {
    initialize();
    SealedBoxPublicKey key;
    if (bytes.size() != key.bytes.size())
        return fail(ErrorCode::kInvalidArgument, "A public encryption key has 32 bytes.");
    std::copy(bytes.begin(), bytes.end(), key.bytes.begin());
    // Multiplying by any scalar tells a point of small order: the product is zero.
    const std::array<std::uint8_t, crypto_scalarmult_SCALARBYTES> scalar{1};
    std::array<std::uint8_t, crypto_scalarmult_BYTES> product;
    if (crypto_scalarmult(product.data(), scalar.data(), key.bytes.data()) != 0)
        return fail(ErrorCode::kInvalidArgument, "A public encryption key is of small order.");
    return key;
}

SealedBoxKeyPair SealedBoxKeyPair::from_seed(ByteView seed32) {
    initialize();
    if (seed32.size() != crypto_box_SEEDBYTES) std::abort();
    SealedBoxKeyPair pair;
    pair.secret_ = Secret(Bytes(crypto_box_SECRETKEYBYTES));
    crypto_box_seed_keypair(pair.public_.bytes.data(), pair.secret_.data(), seed32.data());
    return pair;
}

Result<Secret> SealedBoxKeyPair::open(ByteView box) const {
    if (box.size() < crypto_box_SEALBYTES) return does_not_open();
    Secret plaintext{Bytes(box.size() - crypto_box_SEALBYTES)};
    if (crypto_box_seal_open(plaintext.data(), box.data(), box.size(), public_.bytes.data(),
                             secret_.view().data()) != 0)
        return does_not_open();
    return plaintext;
}

Bytes sealed_box(const SealedBoxPublicKey& to, ByteView plaintext) {
    initialize();
    Bytes box(crypto_box_SEALBYTES + plaintext.size());
    if (crypto_box_seal(box.data(), plaintext.data(), plaintext.size(), to.bytes.data()) != 0)
        std::abort();
    return box;
}

}  // namespace cloison::crypto
