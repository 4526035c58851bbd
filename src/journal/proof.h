#pragma once

#include <string>
#include <vector>

#include "base/result.h"
#include "crypto/hash.h"
#include "journal/note.h"

namespace cloison::journal {

/// C2SP tlog-proof of one entry: index, sibling hashes from leaf to root, signed checkpoint, and
/// the entry itself as extra data.
struct Proof {
    std::uint64_t index = 0;
    std::vector<crypto::Hash> path;
    std::string checkpoint;  ///< The signed note.
    Bytes entry;
    std::string text() const;
    static Result<Proof> parse(std::string_view text);
};

/// Checks signature, inclusion (RFC 9162 §2.1.3.2) and entry; returns the checkpoint that it holds
/// against. kUnauthenticated or kCorrupt saying what does not fit.
Result<Checkpoint> verify_proof(const Proof& proof, const NoteVerifier& verifier);

/// Root of an inclusion path; kCorrupt if the path's length does not fit index and size.
Result<crypto::Hash> inclusion_root(const crypto::Hash& leaf, std::uint64_t index,
                                    std::uint64_t size, const std::vector<crypto::Hash>& path);
/// RFC 9162 §2.1.4.2.
Status verify_consistency(std::uint64_t old_size, const crypto::Hash& old_root,
                          std::uint64_t new_size, const crypto::Hash& new_root,
                          const std::vector<crypto::Hash>& path);

}  // namespace cloison::journal
