#include "journal/merkle.h"

#include <bit>

namespace cloison::journal {
namespace {

constexpr std::uint8_t kLeafPrefix[] = {0x00};
constexpr std::uint8_t kNodePrefix[] = {0x01};

/// The root over the entries from `begin` to `end`, where `begin` is a multiple of the largest
/// power of two that fits between them.
Result<crypto::Hash> range_root(const TileHashSource& source, std::uint64_t begin,
                                std::uint64_t end) {
    const std::uint64_t count = end - begin;
    if (std::has_single_bit(count)) {
        const int height = static_cast<int>(std::bit_width(count)) - 1;
        const int level = height / kTileHeight;
        const int within = height % kTileHeight;
        const std::uint64_t first = begin >> (level * kTileHeight);
        CLOISON_TRY(auto hashes, source.hashes(level, first, std::size_t{1} << within));
        return subtree_root(hashes);
    }
    const std::uint64_t left = std::bit_floor(count);
    CLOISON_TRY(auto left_root, range_root(source, begin, begin + left));
    CLOISON_TRY(auto right_root, range_root(source, begin + left, end));
    return hash_node(left_root, right_root);
}

}  // namespace

crypto::Hash hash_leaf(ByteView entry) {
    return crypto::sha256({kLeafPrefix, entry});
}

crypto::Hash hash_node(const crypto::Hash& left, const crypto::Hash& right) {
    return crypto::sha256({kNodePrefix, left, right});
}

crypto::Hash empty_root() {
    return crypto::sha256({});
}

crypto::Hash subtree_root(std::span<const crypto::Hash> hashes) {
    if (hashes.size() == 1) return hashes[0];
    const std::size_t left = std::bit_floor(hashes.size() - 1);
    return hash_node(subtree_root(hashes.first(left)), subtree_root(hashes.subspan(left)));
}

void TreeEdge::append(const crypto::Hash& leaf, const TileHashSink& sink) {
    if (sink) sink(0, leaf);
    crypto::Hash hash = leaf;
    int height = 0;
    for (; (size_ >> height & 1) != 0; ++height) {
        hash = hash_node(nodes_[height], hash);
        if (sink && (height + 1) % kTileHeight == 0) sink((height + 1) / kTileHeight, hash);
    }
    nodes_[height] = hash;
    ++size_;
}

void TreeEdge::load_level(int level, std::span<const crypto::Hash> hashes) {
    size_ |= static_cast<std::uint64_t>(hashes.size()) << (level * kTileHeight);
    for (int bit = kTileHeight - 1; bit >= 0; --bit) {
        const std::size_t count = std::size_t{1} << bit;
        if (hashes.size() < count) continue;
        nodes_[level * kTileHeight + bit] = subtree_root(hashes.first(count));
        hashes = hashes.subspan(count);
    }
}

crypto::Hash TreeEdge::root() const {
    if (size_ == 0) return empty_root();
    int height = std::countr_zero(size_);
    crypto::Hash hash = nodes_[height];
    for (++height; height < 64; ++height)
        if ((size_ >> height & 1) != 0) hash = hash_node(nodes_[height], hash);
    return hash;
}

Result<std::vector<crypto::Hash>> inclusion_path(const TileHashSource& source, std::uint64_t index,
                                                 std::uint64_t size) {
    std::vector<crypto::Hash> path;
    std::uint64_t begin = 0;
    std::uint64_t end = size;
    while (end - begin > 1) {
        const std::uint64_t middle = begin + std::bit_floor(end - begin - 1);
        const bool on_left = index < middle;
        CLOISON_TRY(auto sibling,
                    on_left ? range_root(source, middle, end) : range_root(source, begin, middle));
        path.insert(path.begin(), sibling);
        (on_left ? end : begin) = middle;
    }
    return path;
}

Result<std::vector<crypto::Hash>> consistency_path(const TileHashSource& source,
                                                   std::uint64_t old_size, std::uint64_t size) {
    std::vector<crypto::Hash> path;
    if (old_size == 0 || old_size == size) return path;
    std::uint64_t begin = 0;
    std::uint64_t end = size;
    bool is_old_root = true;  // What is left is the whole old tree, which the verifier knows.
    while (end != old_size) {
        const std::uint64_t middle = begin + std::bit_floor(end - begin - 1);
        const bool ends_on_left = old_size <= middle;
        CLOISON_TRY(auto sibling, ends_on_left ? range_root(source, middle, end)
                                               : range_root(source, begin, middle));
        path.insert(path.begin(), sibling);
        if (!ends_on_left) is_old_root = false;
        (ends_on_left ? end : begin) = middle;
    }
    if (!is_old_root) {
        CLOISON_TRY(auto node, range_root(source, begin, end));
        path.insert(path.begin(), node);
    }
    return path;
}

}  // namespace cloison::journal
