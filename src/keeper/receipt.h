#pragma once

#include <string>
#include <vector>

#include "crypto/hash.h"
#include "crypto/sign.h"

namespace cloison::keeper {

/// Signs, with the journal's key, the receipts of all calls that one append made durable
/// (docs/formats/receipt.md). Any thread may call.
class ReceiptSigner {
  public:
    ReceiptSigner(std::string origin, crypto::SigningKey journal_key)
        : origin_(std::move(origin)), key_(std::move(journal_key)) {}

    crypto::Signature sign(std::uint64_t first, std::uint32_t calls,
                           const crypto::Hash& root) const;

  private:
    const std::string origin_;
    const crypto::SigningKey key_;
};

/// The tree over the calls of one append, as RFC 6962 has it, each node hashed once.
class ReceiptTree {
  public:
    /// At least one leaf.
    explicit ReceiptTree(std::vector<crypto::Hash> leaves);
    const crypto::Hash& root() const { return levels_.back().front(); }
    /// Sibling hashes from the leaf to the root.
    std::vector<crypto::Hash> path(std::size_t leaf) const;

  private:
    std::vector<std::vector<crypto::Hash>> levels_;
};

}  // namespace cloison::keeper
