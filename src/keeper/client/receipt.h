#pragma once

#include <string_view>
#include <vector>

#include "crypto/hash.h"
#include "journal/note.h"

#include "cloison/keeper/v1/keeper.pb.h"

namespace cloison::keeper {

/// One receipt as it is signed, docs/formats/receipt.md.
struct ReceiptRecord {
    std::uint32_t position = 0;  ///< Of the disclosure in the call, from 0.
    std::uint64_t index = 0;     ///< Of the line in the journal.
    crypto::Hash leaf{};
    std::int64_t time_ms = 0;
};
/// What the journal's key signs for all receipts of one call. No note begins like it.
Bytes encode_receipts(std::string_view origin, const std::vector<ReceiptRecord>& receipts);

/// Checks the one signature over the receipts of all that was released in an answer of Open, and
/// that nothing was released without one. kUnauthenticated otherwise. `journal` is the journal's
/// verify key, which must come from elsewhere than the keeper.
Status verify_receipts(const v1::OpenResponse& response, const journal::NoteVerifier& journal);

}  // namespace cloison::keeper
