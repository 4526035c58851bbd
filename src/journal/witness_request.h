#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "crypto/hash.h"

namespace cloison::journal {

/// What a log posts to a witness, C2SP tlog-witness: "old <size>", hashes of a consistency proof,
/// an empty line, a checkpoint with its signatures. docs/formats/witness.md.
struct WitnessRequest {
    std::uint64_t old_size = 0;
    std::vector<crypto::Hash> proof;
    std::string note;

    static constexpr std::size_t kMaxProofLines = 63;
    static constexpr std::size_t kMaxBytes = 64 * 1024;

    std::string text() const;
    /// kTooLarge beyond kMaxBytes, kInvalidArgument for what is malformed. The note is not looked
    /// at.
    static Result<WitnessRequest> parse(std::string_view text);
};

}  // namespace cloison::journal
