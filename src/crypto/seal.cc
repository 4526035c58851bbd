#include "crypto/seal.h"

#include <sodium.h>

#include <algorithm>

#include "crypto/hash.h"
#include "crypto/pae.h"

namespace cloison::crypto {
namespace {

constexpr std::uint8_t kVersion = 1;
constexpr std::size_t kEpochAt = 1;
constexpr std::size_t kNonceAt = 5;
constexpr std::size_t kNonceSize = crypto_aead_xchacha20poly1305_ietf_NPUBBYTES;
constexpr std::size_t kCommitmentAt = kNonceAt + kNonceSize;
constexpr std::size_t kCommitmentSize = 32;
constexpr std::size_t kCiphertextAt = kCommitmentAt + kCommitmentSize;
constexpr std::size_t kTagSize = crypto_aead_xchacha20poly1305_ietf_ABYTES;

constexpr std::string_view kAssociatedLabel = "cloison/sealed-field/v1";
constexpr std::string_view kKeysLabel = "cloison/sealed-field/v1/keys";
constexpr std::uint8_t kPaddingStart = 0x80;

/// The length of a padded plaintext: the smallest class with room for one byte of padding.
constexpr std::size_t padded_size(std::size_t plaintext_size) {
    const std::size_t least = plaintext_size + 1;
    for (const std::size_t length : {32U, 64U, 128U, 256U, 512U})
        if (least <= length) return length;
    return (least + 1023) / 1024 * 1024;
}

static_assert(sealed_overhead() == kCiphertextAt + kTagSize);

Bytes associated_data(const SealContext& context) {
    Bytes schema_version;
    put_u32(schema_version, context.schema_version);
    Bytes epoch;
    put_u32(epoch, context.epoch);
    return pre_auth_encode({as_bytes(kAssociatedLabel), as_bytes(context.compartment),
                            context.pseudonym, as_bytes(context.field), context.record,
                            schema_version, epoch});
}

/// The two halves of one keyed hash over nonce and context: the key of the cipher, and a value
/// that commits to the person key without telling anything about it.
struct FieldKeys {
    Secret both;
    const std::uint8_t* cipher_key() const { return both.view().data(); }
    ByteView commitment() const { return both.view().last(kCommitmentSize); }
};

FieldKeys field_keys(const PersonKey& key, ByteView nonce, ByteView associated) {
    const Bytes input = pre_auth_encode({as_bytes(kKeysLabel), nonce, associated});
    return {Secret(keyed_hash(key.view(), input, kKeySize + kCommitmentSize))};
}

Secret pad(ByteView plaintext) {
    Bytes padded(padded_size(plaintext.size()));
    std::copy(plaintext.begin(), plaintext.end(), padded.begin());
    padded[plaintext.size()] = kPaddingStart;
    return Secret(std::move(padded));
}

/// The length of what pad() was given, or nothing if it never returned this.
Result<std::size_t> unpadded_size(ByteView padded) {
    std::size_t size = padded.size();
    while (size > 0 && padded[size - 1] == 0) --size;
    if (size == 0 || padded[size - 1] != kPaddingStart || padded_size(size - 1) != padded.size())
        return fail(ErrorCode::kCorrupt, "A sealed field is padded in an unknown way.");
    return size - 1;
}

tl::unexpected<Error> does_not_open() {
    return fail(ErrorCode::kCorrupt, "A sealed field does not open under this key and context.");
}

}  // namespace

std::size_t sealed_size(std::size_t plaintext_size) {
    return sealed_overhead() + padded_size(plaintext_size);
}

Result<Bytes> seal_field(const PersonKey& key, const SealContext& context, ByteView plaintext,
                         cloison::Random& random) {
    initialize();
    if (plaintext.size() > kMaxSealedPlaintext)
        return fail(ErrorCode::kTooLarge, "A field to be sealed has more than 65536 bytes.");
    if (context.pseudonym.size() != 16 || context.record.size() != 16)
        return fail(ErrorCode::kInvalidArgument,
                    "A field is sealed for a pseudonym and a record of 16 bytes each.");
    Bytes sealed;
    sealed.reserve(sealed_size(plaintext.size()));
    sealed.push_back(kVersion);
    put_u32(sealed, context.epoch);
    sealed.resize(sealed_size(plaintext.size()));
    const std::span<std::uint8_t> nonce(sealed.data() + kNonceAt, kNonceSize);
    random.fill(nonce);

    const Bytes associated = associated_data(context);
    const FieldKeys keys = field_keys(key, nonce, associated);
    std::copy(keys.commitment().begin(), keys.commitment().end(), sealed.begin() + kCommitmentAt);
    const Secret padded = pad(plaintext);
    crypto_aead_xchacha20poly1305_ietf_encrypt(
        sealed.data() + kCiphertextAt, nullptr, padded.view().data(), padded.size(),
        associated.data(), associated.size(), nullptr, nonce.data(), keys.cipher_key());
    return sealed;
}

Result<Secret> open_field(const PersonKey& key, const SealContext& context, ByteView sealed) {
    initialize();
    CLOISON_TRY(const std::uint32_t epoch, sealed_epoch(sealed));
    if (epoch != context.epoch) return does_not_open();
    const ByteView nonce = sealed.subspan(kNonceAt, kNonceSize);
    const ByteView commitment = sealed.subspan(kCommitmentAt, kCommitmentSize);
    const ByteView ciphertext = sealed.subspan(kCiphertextAt);

    const Bytes associated = associated_data(context);
    const FieldKeys keys = field_keys(key, nonce, associated);
    if (!equal_constant_time(commitment, keys.commitment())) return does_not_open();
    Secret padded{Bytes(ciphertext.size() - kTagSize)};
    if (crypto_aead_xchacha20poly1305_ietf_decrypt(
            padded.data(), nullptr, nullptr, ciphertext.data(), ciphertext.size(),
            associated.data(), associated.size(), nonce.data(), keys.cipher_key()) != 0)
        return does_not_open();
    CLOISON_TRY(const std::size_t size, unpadded_size(padded.view()));
    return Secret(padded.view().first(size));
}

Result<std::uint32_t> sealed_epoch(ByteView sealed) {
    if (sealed.size() < sealed_size(0) || sealed.size() > sealed_size(kMaxSealedPlaintext) ||
        sealed[0] != kVersion)
        return fail(ErrorCode::kCorrupt, "A stored value is no sealed field of version 1.");
    return get_u32(sealed.subspan(kEpochAt, 4));
}

}  // namespace cloison::crypto
