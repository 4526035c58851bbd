#include "journal/growth_proof.h"

#include <algorithm>

#include "journal/note_lines.h"
#include "journal/proof.h"

namespace cloison::journal {
namespace {

constexpr std::string_view kHeader = "cloison/journal-growth@v1";
constexpr std::size_t kMaxPath = 63;

tl::unexpected<Error> malformed(const std::string& what) {
    return fail(ErrorCode::kCorrupt, "A proof of growth is malformed: " + what + '.');
}

Result<crypto::Hash> parse_hash(std::string_view line) {
    const auto bytes = base64_decode(line);
    crypto::Hash hash;
    if (!bytes || bytes->size() != hash.size()) return malformed("a line of its path is no hash");
    std::copy(bytes->begin(), bytes->end(), hash.begin());
    return hash;
}

/// Bytes of the note at the front, up to the empty line behind its signatures; npos if none ends.
std::size_t note_size(std::string_view text) {
    const std::size_t signatures = text.find("\n\n");
    if (signatures == std::string_view::npos) return signatures;
    const std::size_t end = text.find("\n\n", signatures + 2);
    return end == std::string_view::npos ? end : end + 1;
}

}  // namespace

bool GrowthProof::is_one(std::string_view text) {
    return text.starts_with(kHeader);
}

std::string GrowthProof::text() const {
    std::string text = std::string(kHeader) + '\n';
    for (const crypto::Hash& hash : path) text += base64_encode(hash) + '\n';
    return text + '\n' + before + '\n' + after;
}

Result<GrowthProof> GrowthProof::parse(std::string_view text) {
    if (text.size() > kMaxBytes) return malformed("it is too long");
    std::string_view line;
    if (!take_line(text, line) || line != kHeader)
        return malformed("its first line is not that of such a proof");
    GrowthProof proof;
    for (;;) {
        if (!take_line(text, line)) return malformed("it ends early");
        if (line.empty()) break;
        if (proof.path.size() == kMaxPath) return malformed("its path is too long");
        CLOISON_TRY(const auto hash, parse_hash(line));
        proof.path.push_back(hash);
    }
    const std::size_t size = note_size(text);
    if (size == std::string_view::npos) return malformed("it has not two checkpoints");
    proof.before = text.substr(0, size);
    proof.after = text.substr(size + 1);
    if (proof.after.empty()) return malformed("it has not two checkpoints");
    return proof;
}

Result<Growth> verify_growth(const GrowthProof& proof, const NoteVerifier& verifier) {
    CLOISON_TRY(auto before, open_checkpoint(proof.before, verifier));
    CLOISON_TRY(auto after, open_checkpoint(proof.after, verifier));
    CLOISON_TRY_STATUS(
        verify_consistency(before.size, before.root, after.size, after.root, proof.path));
    return Growth{std::move(before), std::move(after)};
}

}  // namespace cloison::journal
