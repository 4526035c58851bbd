#include "journal/proof.h"

#include <algorithm>
#include <bit>
#include <charconv>

#include "journal/merkle.h"

namespace cloison::journal {
namespace {

constexpr std::string_view kHeader = "c2sp.org/tlog-proof@v1";
constexpr std::string_view kExtra = "extra ";
constexpr std::string_view kIndex = "index ";
constexpr std::size_t kMaxProofBytes = 256 * 1024;  ///< An entry of 65,535 bytes, and a note.
constexpr std::size_t kMaxPath = 63;

tl::unexpected<Error> malformed(const std::string& what) {
    return fail(ErrorCode::kCorrupt, "A proof is malformed: " + what + '.');
}

Result<crypto::Hash> parse_hash(std::string_view line) {
    auto bytes = base64_decode(line);
    crypto::Hash hash;
    if (!bytes || bytes->size() != hash.size()) return malformed("a line of its path is no hash");
    std::copy(bytes->begin(), bytes->end(), hash.begin());
    return hash;
}

}  // namespace

std::string Proof::text() const {
    std::string text = std::string(kHeader) + '\n';
    if (!entry.empty()) text += std::string(kExtra) + base64_encode(entry) + '\n';
    text += std::string(kIndex) + std::to_string(index) + '\n';
    for (const crypto::Hash& hash : path) text += base64_encode(hash) + '\n';
    return text + '\n' + checkpoint;
}

Result<Proof> Proof::parse(std::string_view text) {
    if (text.size() > kMaxProofBytes)
        return fail(ErrorCode::kTooLarge, "A proof is larger than 256 KiB.");
    std::string_view line;
    const auto next_line = [&text, &line] {
        const std::size_t end = text.find('\n');
        if (end == std::string_view::npos) return false;
        line = text.substr(0, end);
        text.remove_prefix(end + 1);
        return true;
    };
    Proof proof;
    if (!next_line() || line != kHeader) return malformed("its first line is not that of a proof");
    if (!next_line()) return malformed("it ends early");
    if (line.starts_with(kExtra)) {
        auto entry = base64_decode(line.substr(kExtra.size()));
        if (!entry || entry->empty()) return malformed("its entry is not base64");
        proof.entry = std::move(*entry);
        if (!next_line()) return malformed("it ends early");
    }
    if (!line.starts_with(kIndex)) return malformed("it has no index");
    line.remove_prefix(kIndex.size());
    const auto [end, error] = std::from_chars(line.data(), line.data() + line.size(), proof.index);
    if (error != std::errc() || std::to_string(proof.index) != line)
        return malformed("its index is no number");
    while (true) {
        if (!next_line()) return malformed("it ends early");
        if (line.empty()) break;
        if (proof.path.size() == kMaxPath) return malformed("its path is too long");
        CLOISON_TRY(auto hash, parse_hash(line));
        proof.path.push_back(hash);
    }
    if (text.empty()) return malformed("it has no checkpoint");
    proof.checkpoint = text;
    return proof;
}

Result<Checkpoint> verify_proof(const Proof& proof, const NoteVerifier& verifier) {
    CLOISON_TRY(auto checkpoint, open_checkpoint(proof.checkpoint, verifier));
    if (proof.entry.empty()) return fail(ErrorCode::kCorrupt, "The proof holds no entry.");
    CLOISON_TRY(auto root,
                inclusion_root(hash_leaf(proof.entry), proof.index, checkpoint.size, proof.path));
    if (root != checkpoint.root)
        return fail(ErrorCode::kCorrupt,
                    "The entry is not in the tree of the checkpoint: the roots differ.");
    return checkpoint;
}

Result<crypto::Hash> inclusion_root(const crypto::Hash& leaf, std::uint64_t index,
                                    std::uint64_t size, const std::vector<crypto::Hash>& path) {
    if (index >= size)
        return fail(ErrorCode::kCorrupt, "The index of the proof is beyond the checkpoint.");
    std::uint64_t node = index;
    std::uint64_t last = size - 1;
    crypto::Hash root = leaf;
    const auto wrong_length = [] {
        return fail(ErrorCode::kCorrupt, "The path of the proof has not the length of its tree.");
    };
    for (const crypto::Hash& sibling : path) {
        if (last == 0) return wrong_length();
        if ((node & 1) != 0 || node == last) {
            root = hash_node(sibling, root);
            // A rightmost node without a sibling moves up until it is a right child.
            while (node != 0 && (node & 1) == 0) {
                node >>= 1;
                last >>= 1;
            }
        } else {
            root = hash_node(root, sibling);
        }
        node >>= 1;
        last >>= 1;
    }
    if (last != 0) return wrong_length();
    return root;
}

Status verify_consistency(std::uint64_t old_size, const crypto::Hash& old_root,
                          std::uint64_t new_size, const crypto::Hash& new_root,
                          const std::vector<crypto::Hash>& path) {
    const auto wrong = [](const std::string& what) {
        return fail(ErrorCode::kCorrupt, "The consistency proof does not fit: " + what + '.');
    };
    if (old_size > new_size) return wrong("the tree has shrunk");
    if (old_size == new_size || old_size == 0) {
        if (!path.empty()) return wrong("it should be empty");
        if (old_size == new_size && old_root != new_root) return wrong("the roots differ");
        if (old_size == 0 && old_root != empty_root()) return wrong("the old root is not empty");
        return {};
    }
    // Where the old size is a power of two, the proof leaves out its first node: the old root.
    std::vector<crypto::Hash> nodes;
    if (std::has_single_bit(old_size)) nodes.push_back(old_root);
    nodes.insert(nodes.end(), path.begin(), path.end());
    if (path.empty()) return wrong("it is empty");

    std::uint64_t node = old_size - 1;
    std::uint64_t last = new_size - 1;
    while ((node & 1) != 0) {
        node >>= 1;
        last >>= 1;
    }
    crypto::Hash from_old = nodes[0];
    crypto::Hash from_new = nodes[0];
    for (std::size_t i = 1; i < nodes.size(); ++i) {
        if (last == 0) return wrong("it is too long");
        if ((node & 1) != 0 || node == last) {
            from_old = hash_node(nodes[i], from_old);
            from_new = hash_node(nodes[i], from_new);
            while (node != 0 && (node & 1) == 0) {
                node >>= 1;
                last >>= 1;
            }
        } else {
            from_new = hash_node(from_new, nodes[i]);
        }
        node >>= 1;
        last >>= 1;
    }
    if (last != 0) return wrong("it is too short");
    if (from_old != old_root) return wrong("it does not give the old root");
    if (from_new != new_root) return wrong("it does not give the new root");
    return {};
}

}  // namespace cloison::journal
