#include "keeper/key_ring.h"

#include <algorithm>

#include "crypto/hash.h"
#include "crypto/pae.h"

namespace cloison::keeper {
namespace {

using registry::Compartment;

constexpr std::size_t kRecordSize = 16;
constexpr std::size_t kStretchedSize = 32;

template <class Derived>
Derived derive(const crypto::RootKey& root, std::string_view context) {
    return crypto::derive_key<Derived>(root, "cloison/keeper/v1/" + std::string(context));
}

template <class Derived>
Derived derive(const crypto::RootKey& root, std::string_view context, Compartment compartment) {
    return derive<Derived>(
        root, std::string(context) + "/" + std::string(registry::compartment_name(compartment)));
}

crypto::BlockPermutation permutation_for(const crypto::RootKey& root, Compartment compartment) {
    return crypto::BlockPermutation(derive<crypto::PseudonymKey>(root, "pseudonym", compartment));
}

crypto::Block to_block(ByteView bytes) {
    crypto::Block block;
    std::copy_n(bytes.begin(), block.size(), block.begin());
    return block;
}

std::size_t slot(Compartment compartment) {
    return static_cast<std::size_t>(compartment) - 1;
}

}  // namespace

KeyRing::KeyRing(const crypto::RootKey& root)
    : roots_(derive<crypto::PseudonymKey>(root, "root-id")),
      pseudonyms_{permutation_for(root, Compartment::kIdentity),
                  permutation_for(root, Compartment::kCasework),
                  permutation_for(root, Compartment::kDocuments)},
      case_tags_{derive<crypto::HashKey>(root, "case-tag", Compartment::kIdentity),
                 derive<crypto::HashKey>(root, "case-tag", Compartment::kCasework),
                 derive<crypto::HashKey>(root, "case-tag", Compartment::kDocuments)},
      blind_index_(derive<crypto::HashKey>(root, "blind-index")),
      harden_(derive<crypto::HashKey>(root, "harden")),
      handle_keys_(
          crypto::SealedBoxKeyPair::from_seed(derive<crypto::HashKey>(root, "handle").view())),
      epoch_wrap_(derive<crypto::BoxKey>(root, "epoch-wrap")),
      enrolment_(derive<crypto::BoxKey>(root, "enrolment")),
      bulk_handle_(derive<crypto::BoxKey>(root, "bulk-handle")),
      canaries_(derive<crypto::BoxKey>(root, "canaries")),
      history_(derive<crypto::BoxKey>(root, "history-index")),
      journal_mark_(derive<crypto::BoxKey>(root, "journal-mark")),
      generations_(derive<crypto::BoxKey>(root, "generations")) {}

RootId KeyRing::make_root(std::uint32_t ordinal, const std::array<std::uint8_t, 12>& random) const {
    Bytes plain;
    put_u32(plain, ordinal);
    plain.insert(plain.end(), random.begin(), random.end());
    return *RootId::from_bytes(roots_.forward(to_block(plain)));
}

Person KeyRing::person_of(const RootId& root) const {
    const crypto::Block plain = roots_.backward(to_block(root.view()));
    return {get_u32(plain), root};
}

const crypto::BlockPermutation& KeyRing::permutation(Compartment compartment) const {
    return pseudonyms_.at(slot(compartment));
}

crypto::Block KeyRing::pseudonym(Compartment compartment, const Person& person) const {
    return permutation(compartment).forward(to_block(person.root.view()));
}

Person KeyRing::person_of(Compartment compartment, const crypto::Block& pseudonym) const {
    return person_of(*RootId::from_bytes(permutation(compartment).backward(pseudonym)));
}

Bytes KeyRing::case_tag(Compartment compartment, const RequestId& reference) const {
    if (compartment == Compartment::kCasework) return to_bytes(reference.view());
    return crypto::keyed_hash(case_tags_.at(slot(compartment)).view(), reference.view(), 16);
}

Bytes KeyRing::blind_index(std::string_view field, ByteView normalised) const {
    const Bytes key = crypto::derive_bytes(blind_index_.view(), field);
    return crypto::keyed_hash(key, normalised);
}

Result<Bytes> KeyRing::harden(ByteView record, ByteView stretched) const {
    if (record.size() != kRecordSize || stretched.size() != kStretchedSize)
        return fail(ErrorCode::kInvalidArgument,
                    "A stretched password has 32 bytes and its record id 16.");
    return crypto::keyed_hash(harden_.view(), crypto::pre_auth_encode({record, stretched}));
}

}  // namespace cloison::keeper
