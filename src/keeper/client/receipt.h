#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "crypto/hash.h"
#include "crypto/sign.h"
#include "journal/note.h"

#include "cloison/keeper/v1/keeper.pb.h"

namespace cloison::keeper {

/// One receipt as it is signed, docs/formats/receipt.md.
struct ReceiptRecord {
    std::uint32_t position = 0;  ///< Of the disclosure in the call, from 0.
    std::uint32_t offset = 0;    ///< Of the line among those that were appended with it.
    crypto::Hash leaf{};
    std::int64_t time_ms = 0;
};
/// The leaf that stands for the receipts of one call in the tree of an append.
crypto::Hash hash_receipts(const std::vector<ReceiptRecord>& receipts);

/// One signature of the journal's key over the receipts of all calls whose lines went to the disk
/// together, and the way from one of the calls to it.
struct ReceiptSignature {
    static constexpr std::size_t kMaxPath = 16;

    std::uint64_t first = 0;   ///< Index of the first line of the append.
    std::uint32_t calls = 0;   ///< Leaves of the tree.
    std::uint32_t number = 0;  ///< Of this call among them, from 0.
    std::vector<crypto::Hash> path;
    crypto::Signature signature{};

    Bytes encode() const;
    /// kCorrupt for anything that encode does not write.
    static Result<ReceiptSignature> parse(ByteView bytes);
};
/// What the journal's key signs for an append. No note begins like it.
Bytes receipts_message(std::string_view origin, std::uint64_t first, std::uint32_t calls,
                       const crypto::Hash& root);

/// Checks the signature over the receipts of all that was released in an answer of Open, and that
/// nothing was released without one. kUnauthenticated otherwise. `journal` is the journal's verify
/// key, which must come from elsewhere than the keeper.
Status verify_receipts(const v1::OpenResponse& response, const journal::NoteVerifier& journal);

}  // namespace cloison::keeper
