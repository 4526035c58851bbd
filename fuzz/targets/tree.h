#pragma once

#include <vector>

#include "journal/merkle.h"
#include "target.h"

namespace cloison::fuzz {

inline constexpr std::uint64_t kMaxTree = 300;

/// A log of kMaxTree known entries, in memory. Two of them with different `fork` share the entries
/// before the smaller one.
class KnownTree : public journal::TileHashSource {
  public:
    explicit KnownTree(std::uint64_t fork = kMaxTree) : fork_(fork), levels_(journal::kTileLevels) {
        for (std::uint64_t i = 0; i < kMaxTree; ++i) {
            edge_.append(journal::hash_leaf(entry(i)), [this](int level, const crypto::Hash& hash) {
                levels_[static_cast<std::size_t>(level)].push_back(hash);
            });
            roots_.push_back(edge_.root());
        }
    }
    Bytes entry(std::uint64_t index) const {
        return to_bytes((index < fork_ ? "entry " : "other ") + std::to_string(index));
    }
    Result<std::vector<crypto::Hash>> hashes(int level, std::uint64_t first,
                                             std::size_t count) const override {
        const auto& all = levels_[static_cast<std::size_t>(level)];
        require(first + count <= all.size(), "a path asks for hashes that exist");
        const auto begin = all.begin() + static_cast<std::ptrdiff_t>(first);
        return std::vector<crypto::Hash>(begin, begin + static_cast<std::ptrdiff_t>(count));
    }
    crypto::Hash root(std::uint64_t size) const {
        return size == 0 ? journal::empty_root() : roots_[size - 1];
    }

    /// A path that an input describes: a count, then for each hash 0 and the number of a leaf, or 1
    /// and a position in the true path, or any other byte and 32 bytes.
    std::vector<crypto::Hash> read_path(Input& in, const std::vector<crypto::Hash>& truth) const {
        std::vector<crypto::Hash> path(in.byte() % 70);
        for (auto& hash : path) {
            const std::uint8_t kind = in.byte();
            if (kind == 0)
                hash = journal::hash_leaf(entry(in.u16()));
            else if (kind == 1 && !truth.empty())
                hash = truth[in.byte() % truth.size()];
            else
                std::ranges::copy(in.take(hash.size()), hash.begin());
        }
        return path;
    }
    /// The true path of that length, as read_path takes it.
    static void put_true_path(Bytes& seed, std::size_t length) {
        seed.push_back(static_cast<std::uint8_t>(length));
        for (std::size_t i = 0; i < length; ++i) {
            seed.push_back(1);
            seed.push_back(static_cast<std::uint8_t>(i));
        }
    }

  private:
    std::uint64_t fork_;
    journal::TreeEdge edge_;
    std::vector<std::vector<crypto::Hash>> levels_;
    std::vector<crypto::Hash> roots_;
};

}  // namespace cloison::fuzz
