#pragma once

#include <array>
#include <string_view>

#include "base/id.h"
#include "crypto/box.h"
#include "crypto/keys.h"
#include "crypto/pseudonym.h"
#include "registry/registry.h"

namespace cloison::keeper {

/// A person's true name, which exists only in the keeper: 32 bits of ordinal and 96 random bits
/// under a permutation of the keeper's. Whoever lacks the root key sees 128 random bits; the keeper
/// finds the row without an index over random values.
using RootId = Id<struct RootIdTag>;

/// Who somebody is. Holding one does not say that the person is still there.
struct Person {
    std::uint32_t ordinal = 0;  ///< Dense, from 1; names the person in the journal.
    RootId root;
    bool operator==(const Person&) const = default;
};

/// Every key that the root key gives rise to, derived once. Immutable: any thread may use it.
/// docs/formats/keeper-store.md lists the contexts.
class KeyRing {
  public:
    explicit KeyRing(const crypto::RootKey& root);

    RootId make_root(std::uint32_t ordinal, const std::array<std::uint8_t, 12>& random) const;
    /// The person that a root id stands for; anything gives some ordinal.
    Person person_of(const RootId& root) const;

    crypto::Block pseudonym(registry::Compartment compartment, const Person& person) const;
    Person person_of(registry::Compartment compartment, const crypto::Block& pseudonym) const;

    /// A compartment's own name for a case: casework's is the case id itself.
    Bytes case_tag(registry::Compartment compartment, const RequestId& reference) const;
    Bytes blind_index(std::string_view field, ByteView normalised) const;
    /// Keyed hash over a stretched password of 32 bytes and the 16 bytes of the account's record
    /// id; kInvalidArgument for other lengths.
    Result<Bytes> harden(ByteView record, ByteView stretched) const;

    const crypto::SealedBoxKeyPair& handle_keys() const { return handle_keys_; }
    const crypto::BoxKey& epoch_wrap() const { return epoch_wrap_; }
    const crypto::BoxKey& enrolment() const { return enrolment_; }
    const crypto::BoxKey& bulk_handle() const { return bulk_handle_; }
    const crypto::BoxKey& canaries() const { return canaries_; }
    const crypto::BoxKey& history() const { return history_; }
    const crypto::BoxKey& journal_mark() const { return journal_mark_; }
    const crypto::BoxKey& generations() const { return generations_; }

  private:
    const crypto::BlockPermutation& permutation(registry::Compartment compartment) const;

    crypto::BlockPermutation roots_;
    std::array<crypto::BlockPermutation, 3> pseudonyms_;
    std::array<crypto::HashKey, 3> case_tags_;
    crypto::HashKey blind_index_;
    crypto::HashKey harden_;
    crypto::SealedBoxKeyPair handle_keys_;
    crypto::BoxKey epoch_wrap_;
    crypto::BoxKey enrolment_;
    crypto::BoxKey bulk_handle_;
    crypto::BoxKey canaries_;
    crypto::BoxKey history_;
    crypto::BoxKey journal_mark_;
    crypto::BoxKey generations_;
};

}  // namespace cloison::keeper
