#pragma once

#include <cstdint>
#include <string_view>

#include "base/bytes.h"
#include "base/random.h"
#include "crypto/keys.h"

namespace cloison::crypto {

/// The key of one list (the requests of a person, the documents of a case) in a store that must not
/// show which of its rows belong together. Rows lie under places, which only who holds the list's
/// secret can name: 0, 1, 2 … until there is none. Whoever holds the store alone cannot tell how
/// long a list is, nor that two rows are on the same one. docs/formats/unlinkable-list.md.
///
/// Immutable: any thread may use it.
class ListKey {
  public:
    static constexpr std::size_t kTagSize = 16;

    /// `secret` has 16 to 64 bytes and is in no row of the store; `list` keeps the lists of one
    /// secret apart.
    ListKey(ByteView secret, std::string_view list);

    /// What the row with this number lies under.
    Bytes place(std::uint64_t number) const;
    /// What a row with this id carries to show that it is on the list: a look-up by id names it,
    /// too, and finds nothing on somebody else's.
    Bytes mark(ByteView id) const;
    /// For what else stands in the row.
    const BoxKey& box_key() const { return box_key_; }

  private:
    HashKey tags_;
    BoxKey box_key_;
};

/// Encrypts what a row holds so that rows are alike: filled up with zeros to the first of `size`,
/// `size` + 1024, `size` + 2048 … that it fits, four bytes of length before it; kBoxOverhead more.
Bytes box_row(const BoxKey& key, ByteView plaintext, ByteView associated, std::size_t size,
              cloison::Random& random);
/// kCorrupt for anything that box_row did not make with the same key and associated data.
Result<Bytes> open_row(const BoxKey& key, ByteView box, ByteView associated);

}  // namespace cloison::crypto
