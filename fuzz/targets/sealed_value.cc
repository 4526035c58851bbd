// A sealed value. The first byte says how the input becomes one: 's' seals a plaintext and changes
// the result, 'c' swaps where it belongs, 'p' encrypts a padded plaintext of any form under the
// right key and commitment, so that the padding behind the cipher is reached; anything else is a
// sealed value as it is. Beyond not crashing: what opens is, byte for byte, what seal_field returns
// for that plaintext, place and nonce, and nothing else opens.
#include <sodium.h>

#include "crypto/hash.h"
#include "crypto/pae.h"
#include "crypto/seal.h"
#include "target.h"

namespace cloison::fuzz {
namespace {

constexpr std::uint32_t kEpoch = 3;
constexpr std::size_t kNonceAt = 5;
constexpr std::size_t kNonceSize = 24;

/// Gives the nonce that it is told.
class FixedNonce : public Random {
  public:
    explicit FixedNonce(ByteView nonce) : nonce_(to_bytes(nonce)) {}
    void fill(std::span<std::uint8_t> out) override {
        for (std::size_t i = 0; i < out.size(); ++i)
            out[i] = i < nonce_.size() ? nonce_[i] : std::uint8_t{0};
    }

  private:
    Bytes nonce_;
};

const crypto::PersonKey& person_key() {
    static const auto key = *crypto::PersonKey::from_bytes(Bytes(32, 7));
    return key;
}

const Bytes kPseudonym(16, 1);
const Bytes kRecord(16, 2);

crypto::SealContext context() {
    return {"identity", kPseudonym, "email", kRecord, 1, kEpoch};
}

/// Holds whatever opens against what sealing gives.
bool open_and_check(ByteView sealed) {
    const auto opened = crypto::open_field(person_key(), context(), sealed);
    if (!opened) {
        require(opened.error().code == ErrorCode::kCorrupt, "a bad sealed value is corrupt");
        return false;
    }
    FixedNonce nonce(sealed.subspan(kNonceAt, kNonceSize));
    const auto again = crypto::seal_field(person_key(), context(), opened->view(), nonce);
    require(again && std::ranges::equal(*again, sealed), "only what was sealed opens");
    return true;
}

Bytes seal(ByteView plaintext) {
    FixedNonce nonce(Bytes(kNonceSize, 0x5a));
    return *crypto::seal_field(person_key(), context(), plaintext, nonce);
}

bool run_changed(Input& in) {
    const ByteView plaintext = in.sized();
    Bytes sealed = seal(plaintext);
    const std::size_t cut = in.u16();
    bool changed = cut > 0;
    sealed.resize(sealed.size() - std::min(cut, sealed.size()));
    changed = alter(sealed, in) || changed;
    const bool opens = open_and_check(sealed);
    require(opens == !changed, "a sealed value opens exactly if it is whole");
    return opens;
}

bool run_moved(Input& in) {
    const Bytes sealed = seal(as_bytes("camille@example.org"));
    const std::string compartment = to_string(in.sized());
    const ByteView pseudonym = in.sized();
    const std::string field = to_string(in.sized());
    const ByteView record = in.sized();
    const std::uint32_t schema_version = in.u32();
    const std::uint32_t epoch = in.u32();
    const crypto::SealContext own = context();
    const bool home = compartment == own.compartment && field == own.field &&
                      std::ranges::equal(pseudonym, own.pseudonym) &&
                      std::ranges::equal(record, own.record) &&
                      schema_version == own.schema_version && epoch == own.epoch;
    const auto opened = crypto::open_field(
        person_key(), {compartment, pseudonym, field, record, schema_version, epoch}, sealed);
    require(opened.has_value() == home, "a sealed value opens in its own place alone");
    return home;
}

/// As seal_field does, but for the padding.
Bytes encrypt_padded(ByteView padded) {
    const crypto::SealContext own = context();
    Bytes schema_version;
    put_u32(schema_version, own.schema_version);
    Bytes epoch;
    put_u32(epoch, own.epoch);
    const Bytes associated = crypto::pre_auth_encode(
        {as_bytes("cloison/sealed-field/v1"), as_bytes(own.compartment), own.pseudonym,
         as_bytes(own.field), own.record, schema_version, epoch});
    const Bytes nonce(kNonceSize, 0x5a);
    const Bytes keys = crypto::keyed_hash(
        person_key().view(),
        crypto::pre_auth_encode({as_bytes("cloison/sealed-field/v1/keys"), nonce, associated}), 64);
    Bytes sealed = join({Bytes{1}, epoch, nonce, ByteView(keys).subspan(32)});
    Bytes ciphertext(padded.size() + 16);
    crypto_aead_xchacha20poly1305_ietf_encrypt(ciphertext.data(), nullptr, padded.data(),
                                               padded.size(), associated.data(), associated.size(),
                                               nullptr, nonce.data(), keys.data());
    return join({sealed, ciphertext});
}

bool run(ByteView input) {
    crypto::initialize();
    Input in(input);
    switch (in.byte()) {
        case 's':
            return run_changed(in);
        case 'c':
            return run_moved(in);
        case 'p':
            return open_and_check(encrypt_padded(in.rest()));
        default:
            (void)crypto::sealed_epoch(in.rest());
            return open_and_check(input);
    }
}

std::vector<Seed> seeds() {
    crypto::initialize();
    std::vector<Seed> seeds;
    for (const std::size_t size : {0U, 20U, 31U, 32U, 600U}) {
        Bytes sealing{'s'};
        put_sized(sealing, Bytes(size, 'x'));
        put_u16(sealing, 0);
        seeds.push_back({"sealing-" + std::to_string(size), sealing});
    }
    Bytes moved{'c'};
    put_sized(moved, "identity");
    put_sized(moved, kPseudonym);
    put_sized(moved, "email");
    put_sized(moved, kRecord);
    put_u32(moved, 1);
    put_u32(moved, kEpoch);
    seeds.push_back({"in-place", moved});
    Bytes padded{'p', 'x', 0x80};
    padded.resize(33);
    seeds.push_back({"padded", padded});
    seeds.push_back({"sealed", seal(as_bytes("camille@example.org"))});
    return seeds;
}

const Registration registration({"sealed_value", run, seeds});

}  // namespace
}  // namespace cloison::fuzz
