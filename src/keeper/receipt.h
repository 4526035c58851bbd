#pragma once

#include <string>
#include <vector>

#include "crypto/sign.h"
#include "keeper/disclosure.h"

namespace cloison::keeper {

/// Signs the receipts of a call with the journal's key: one signature for all of them
/// (docs/formats/receipt.md). Any thread may call.
class ReceiptSigner {
  public:
    ReceiptSigner(std::string origin, crypto::SigningKey journal_key)
        : origin_(std::move(origin)), key_(std::move(journal_key)) {}

    /// Empty if nothing was released.
    std::string sign(const std::vector<Disclosure>& disclosed) const;

  private:
    const std::string origin_;
    const crypto::SigningKey key_;
};

}  // namespace cloison::keeper
