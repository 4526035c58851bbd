#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "crypto/hash.h"
#include "journal/note.h"

namespace cloison::journal {

/// Proof that a log only grew between two of its checkpoints, with both of them, so that it and the
/// verify key are all that is needed. docs/formats/checkpoint.md, "Proof of growth".
struct GrowthProof {
    static constexpr std::size_t kMaxBytes = 256 * 1024;

    std::vector<crypto::Hash> path;  ///< RFC 9162 §2.1.4.
    std::string before;              ///< The signed note over the smaller size.
    std::string after;
    std::string text() const;
    /// Whether a text begins like one.
    static bool is_one(std::string_view text);
    /// kCorrupt for what text() does not write.
    static Result<GrowthProof> parse(std::string_view text);
};

struct Growth {
    Checkpoint before;
    Checkpoint after;
};
/// Checks both signatures and the path. kUnauthenticated or kCorrupt saying what does not fit.
Result<Growth> verify_growth(const GrowthProof& proof, const NoteVerifier& verifier);

}  // namespace cloison::journal
