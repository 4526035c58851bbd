#pragma once

#include <bit>
#include <string>
#include <vector>

#include "journal/merkle.h"
#include "journal/note.h"
#include "journal/support_for_test.h"
#include "journal/witness_request.h"

namespace cloison::journal {

/// A log in memory by the recursive definitions of RFC 6962 §2.1, which share nothing with
/// merkle.cc but the two hashes. Logs of different `fork` are the same up to `common` entries.
class TestLog {
  public:
    explicit TestLog(std::uint64_t size, std::uint64_t common = ~std::uint64_t{0}, int fork = 0) {
        for (std::uint64_t i = 0; i < size; ++i)
            leaves_.push_back(
                hash_leaf(as_bytes("entry " + std::to_string(i) +
                                   (i < common ? "" : " of fork " + std::to_string(fork)))));
    }

    crypto::Hash root(std::uint64_t size) const { return size == 0 ? empty_root() : mth(0, size); }
    std::string text(std::uint64_t size) const {
        return Checkpoint{std::string(kTestOrigin), size, root(size)}.text();
    }
    std::string note(std::uint64_t size) const { return sign_note(text(size), kTestOrigin, key()); }
    std::vector<crypto::Hash> proof(std::uint64_t old_size, std::uint64_t size) const {
        if (old_size == 0 || old_size == size) return {};
        return subproof(old_size, 0, size, true);
    }
    WitnessRequest request(std::uint64_t old_size, std::uint64_t size) const {
        return {old_size, proof(old_size, size), note(size)};
    }
    static std::string vkey() { return note_vkey(kTestOrigin, key().verify_key()); }
    static const crypto::SigningKey& key() {
        static const crypto::SigningKey made = test_key();
        return made;
    }

  private:
    crypto::Hash mth(std::uint64_t begin, std::uint64_t end) const {
        if (end - begin == 1) return leaves_[begin];
        const std::uint64_t k = std::bit_floor(end - begin - 1);
        return hash_node(mth(begin, begin + k), mth(begin + k, end));
    }
    std::vector<crypto::Hash> subproof(std::uint64_t m, std::uint64_t begin, std::uint64_t end,
                                       bool whole) const {
        const std::uint64_t n = end - begin;
        if (m == n)
            return whole ? std::vector<crypto::Hash>() : std::vector<crypto::Hash>{mth(begin, end)};
        const std::uint64_t k = std::bit_floor(n - 1);
        std::vector<crypto::Hash> path;
        if (m <= k) {
            path = subproof(m, begin, begin + k, whole);
            path.push_back(mth(begin + k, end));
        } else {
            path = subproof(m - k, begin + k, end, false);
            path.push_back(mth(begin, begin + k));
        }
        return path;
    }

    std::vector<crypto::Hash> leaves_;
};

}  // namespace cloison::journal
