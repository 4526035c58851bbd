// Proofs. The first byte says what the input is:
//   'i'  index, path, entry: made into a proof with a checkpoint that is signed over whatever root
//        they give, so that the arithmetic behind the signature is reached
//   't'  a tree of 1 to 300 known entries, an index, a path: verifies only with the one true path
//   'g'  two sizes of that tree and a path: consistent only with the one true path
//   else a proof file as it is, of an entry or of growth
// Beyond not crashing: a file that is read is written again byte for byte, and a path verifies for
// no other index, entry or size than its own.
#include "journal/proof.h"

#include "crypto/keys.h"
#include "journal/growth_proof.h"
#include "tree.h"

namespace cloison::fuzz {
namespace {

using journal::GrowthProof;
using journal::Proof;

constexpr std::string_view kName = "example.org/keeper";

const crypto::SigningKey& key() {
    static const auto signing = [] {
        crypto::initialize();
        return crypto::SigningKey::from_seed(Bytes(32, 1));
    }();
    return signing;
}

const journal::NoteVerifier& verifier() {
    static const auto known =
        *journal::NoteVerifier::parse(journal::note_vkey(kName, key().verify_key()));
    return known;
}

const KnownTree& tree() {
    static const KnownTree known;
    return known;
}

std::string checkpoint(std::uint64_t size, const crypto::Hash& root) {
    return journal::sign_note(journal::Checkpoint{std::string(kName), size, root}.text(), kName,
                              key());
}

bool run_free(Input& in) {
    Proof proof;
    proof.index = in.u64();
    const std::uint64_t size = in.u64();
    proof.entry = to_bytes(in.sized());
    proof.path = tree().read_path(in, {});
    const auto root =
        journal::inclusion_root(journal::hash_leaf(proof.entry), proof.index, size, proof.path);
    proof.checkpoint = checkpoint(size, root.value_or(crypto::Hash{}));
    const auto read = Proof::parse(proof.text());
    if (!read) {
        require(proof.path.size() > 63, "a proof that was written is read");
        return false;
    }
    const auto verified = journal::verify_proof(*read, verifier());
    require(verified.has_value() == (root.has_value() && !proof.entry.empty()),
            "a proof holds exactly if its path gives the root");
    if (!verified) return false;
    require(proof.index < size && verified->size == size, "an index is within its tree");
    const crypto::Hash leaf = journal::hash_leaf(proof.entry);
    const auto other = journal::inclusion_root(leaf, proof.index ^ 1, size, proof.path);
    // Only where the sibling is the same entry do two neighbours share their proof.
    require(proof.path.empty() || proof.path.front() == leaf || !other || *other != *root,
            "a path is for one index");
    Proof changed = *read;
    changed.entry[0] ^= 1;
    require(!journal::verify_proof(changed, verifier()), "a path is for one entry");
    return true;
}

bool run_tree(Input& in) {
    const std::uint64_t size = 1 + in.u16() % kMaxTree;
    const std::uint64_t index = in.u16() % size;
    const auto truth = *journal::inclusion_path(tree(), index, size);
    Proof proof;
    proof.index = index;
    proof.path = tree().read_path(in, truth);
    proof.entry = in.empty() ? tree().entry(index) : to_bytes(in.rest());
    proof.checkpoint = checkpoint(size, tree().root(size));
    const bool holds = journal::verify_proof(proof, verifier()).has_value();
    require(holds == (proof.path == truth && proof.entry == tree().entry(index)),
            "only the true path proves only the true entry");
    return holds;
}

bool run_consistency(Input& in) {
    const std::uint64_t new_size = 1 + in.u16() % kMaxTree;
    const std::uint64_t old_size = 1 + in.u16() % new_size;
    const auto truth = *journal::consistency_path(tree(), old_size, new_size);
    const auto path = tree().read_path(in, truth);
    const bool holds = journal::verify_consistency(old_size, tree().root(old_size), new_size,
                                                   tree().root(new_size), path)
                           .has_value();
    require(holds == (path == truth), "only the true path shows that a tree grew");
    require(
        old_size == new_size || !journal::verify_consistency(old_size, tree().root(new_size),
                                                             new_size, tree().root(new_size), path),
        "no path leads from another root");
    return holds;
}

bool run_growth(std::string_view text) {
    const auto proof = GrowthProof::parse(text);
    if (!proof) return false;
    require(proof->text() == text, "a proof of growth has one form");
    require(proof->path.size() <= 63, "a path is bounded");
    return journal::verify_growth(*proof, verifier()).has_value();
}

bool run_file(std::string_view text) {
    if (GrowthProof::is_one(text)) return run_growth(text);
    const auto proof = Proof::parse(text);
    if (!proof) return false;
    require(proof->text() == text, "a proof has one form");
    require(proof->path.size() <= 63, "a path is bounded");
    const auto verified = journal::verify_proof(*proof, verifier());
    return verified.has_value();
}

bool run(ByteView input) {
    Input in(input);
    switch (in.byte()) {
        case 'i':
            return run_free(in);
        case 't':
            return run_tree(in);
        case 'g':
            return run_consistency(in);
        default:
            return run_file(as_text(input));
    }
}

std::vector<Seed> seeds() {
    std::vector<Seed> seeds;
    for (const std::uint64_t size : {1U, 2U, 7U, 256U, 257U, 300U}) {
        const std::uint64_t index = size / 2;
        const auto path = *journal::inclusion_path(tree(), index, size);
        Bytes inclusion{'t'};
        put_u16(inclusion, static_cast<std::uint16_t>(size - 1));
        put_u16(inclusion, static_cast<std::uint16_t>(index));
        KnownTree::put_true_path(inclusion, path.size());
        seeds.push_back({"inclusion-" + std::to_string(size), inclusion});
        Bytes consistency{'g'};
        put_u16(consistency, static_cast<std::uint16_t>(size - 1));
        put_u16(consistency, static_cast<std::uint16_t>(index == 0 ? 0 : index - 1));
        KnownTree::put_true_path(
            consistency, journal::consistency_path(tree(), index == 0 ? 1 : index, size)->size());
        seeds.push_back({"consistency-" + std::to_string(size), consistency});
        const Proof proof{index, path, checkpoint(size, tree().root(size)), tree().entry(index)};
        seeds.push_back({"file-" + std::to_string(size), to_bytes(proof.text())});
        const std::uint64_t before = (size + 1) / 2;
        const GrowthProof growth{*journal::consistency_path(tree(), before, size),
                                 checkpoint(before, tree().root(before)),
                                 checkpoint(size, tree().root(size))};
        seeds.push_back({"growth-" + std::to_string(size), to_bytes(growth.text())});
    }
    Bytes free{'i'};
    put_u64(free, 5);
    put_u64(free, 8);
    put_sized(free, "entry");
    free.push_back(3);
    for (int i = 0; i < 3; ++i) free.insert(free.end(), {0, 0, 1});
    seeds.push_back({"free", free});
    return seeds;
}

const Registration registration({"proof", run, seeds});

}  // namespace
}  // namespace cloison::fuzz
