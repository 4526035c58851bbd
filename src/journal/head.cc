#include "journal/head.h"

#include <algorithm>
#include <utility>

namespace cloison::journal {
namespace {

constexpr std::uint64_t kMaxUnpublishedEntries = 262'144;
constexpr std::size_t kMaxMemoryBytes = 128 << 20;

std::uint64_t round_down_to_tile(std::uint64_t index) {
    return index / kTileWidth * kTileWidth;
}

}  // namespace

Head::Head(const TileFiles& tiles, std::uint64_t published,
           const std::vector<std::vector<crypto::Hash>>& edge, std::optional<Chunk> bundle)
    : tiles_(tiles),
      levels_(kTileLevels),
      memory_first_(round_down_to_tile(published)),
      size_(published),
      published_(published) {
    for (int level = 0; level < kTileLevels; ++level) {
        edge_.load_level(level, edge[level]);
        levels_[level] = {round_down_to_tile(hashes_at_level(published, level)), edge[level]};
    }
    if (bundle) chunks_.push_back(std::make_shared<const Chunk>(std::move(*bundle)));
}

void Head::push(Chunk chunk) {
    auto shared = std::make_shared<const Chunk>(std::move(chunk));
    const std::lock_guard lock(chunks_mutex_);
    size_ = shared->end();
    memory_bytes_ += shared->bytes.size();
    chunks_.push_back(std::move(shared));
}

std::uint64_t Head::size() const {
    const std::lock_guard lock(chunks_mutex_);
    return size_;
}

std::uint64_t Head::unpublished() const {
    const std::lock_guard lock(chunks_mutex_);
    return size_ - published_;
}

bool Head::too_much_unpublished() const {
    const std::lock_guard lock(chunks_mutex_);
    return size_ - published_ >= kMaxUnpublishedEntries ||
           (memory_bytes_ >= kMaxMemoryBytes && size_ > published_);
}

Head::Chunks::const_iterator Head::find(std::uint64_t index) const {
    return std::upper_bound(
        chunks_.begin(), chunks_.end(), index,
        [](std::uint64_t wanted, const auto& chunk) { return wanted < chunk->end(); });
}

TreeHead Head::advance() {
    const std::lock_guard tree_lock(tree_mutex_);
    Chunks fresh;
    {
        const std::lock_guard lock(chunks_mutex_);
        fresh.assign(find(edge_.size()), chunks_.cend());
    }
    const auto keep = [this](int level, const crypto::Hash& hash) {
        levels_[level].hashes.push_back(hash);
    };
    for (const auto& chunk : fresh)
        for (std::size_t i = edge_.size() - chunk->first; i < chunk->count(); ++i)
            edge_.append(chunk->leaves[i], keep);
    return {edge_.size(), edge_.root()};
}

Result<std::vector<Bytes>> Head::read(std::uint64_t first, std::size_t count) const {
    std::vector<Bytes> in_memory;
    std::uint64_t end = 0;
    std::uint64_t memory_first = 0;
    {
        const std::lock_guard lock(chunks_mutex_);
        if (first >= size_) return in_memory;
        end = std::min<std::uint64_t>(size_, first + std::min<std::uint64_t>(count, size_ - first));
        memory_first = memory_first_;
        std::uint64_t index = std::max(first, memory_first);
        for (auto chunk = find(index); index < end; ++chunk)
            for (; index < std::min(end, (*chunk)->end()); ++index)
                in_memory.push_back(to_bytes((*chunk)->entry(index - (*chunk)->first)));
    }
    std::vector<Bytes> entries;
    entries.reserve(end - first);
    for (std::uint64_t index = first; index < std::min(end, memory_first);) {
        CLOISON_TRY(auto bundle, tiles_.entries(index / kTileWidth, kTileWidth));
        do {
            entries.push_back(std::move(bundle[index % kTileWidth]));
        } while (++index % kTileWidth != 0 && index < end);
    }
    std::move(in_memory.begin(), in_memory.end(), std::back_inserter(entries));
    return entries;
}

Result<std::vector<crypto::Hash>> Head::hashes(int level, std::uint64_t first,
                                               std::size_t count) const {
    {
        const std::lock_guard lock(tree_mutex_);
        const Level& in_memory = levels_[level];
        if (first >= in_memory.first) {
            const std::size_t begin = first - in_memory.first;
            if (begin + count > in_memory.hashes.size())
                return fail(ErrorCode::kInternal, "A hash beyond the tree was asked for.");
            const auto from = in_memory.hashes.begin() + static_cast<std::ptrdiff_t>(begin);
            return std::vector<crypto::Hash>(from, from + static_cast<std::ptrdiff_t>(count));
        }
    }
    return tiles_.hashes(level, first, count);
}

Bytes Head::tile_content(const TileId& tile, std::uint64_t size) const {
    Bytes content;
    const std::uint64_t begin = tile.index * kTileWidth;
    const std::uint64_t end = begin + tile_width(tile, size);
    if (tile.level == TileId::kEntries) {
        const std::lock_guard lock(chunks_mutex_);
        std::uint64_t index = begin;
        for (auto chunk = find(index); index < end; ++chunk) {
            const std::uint64_t until = std::min(end, (*chunk)->end());
            const ByteView run = (*chunk)->run(index - (*chunk)->first, until - (*chunk)->first);
            content.insert(content.end(), run.begin(), run.end());
            index = until;
        }
        return content;
    }
    const std::lock_guard lock(tree_mutex_);
    const Level& level = levels_[tile.level];
    for (std::uint64_t index = begin; index < end; ++index) {
        const crypto::Hash& hash = level.hashes[index - level.first];
        content.insert(content.end(), hash.begin(), hash.end());
    }
    return content;
}

void Head::release(std::uint64_t published) {
    {
        const std::lock_guard lock(tree_mutex_);
        for (int number = 0; number < kTileLevels; ++number) {
            Level& level = levels_[number];
            const std::uint64_t first = round_down_to_tile(hashes_at_level(published, number));
            const auto full = static_cast<std::ptrdiff_t>(first - level.first);
            level.hashes.erase(level.hashes.begin(), level.hashes.begin() + full);
            level.first = first;
        }
    }
    const std::lock_guard lock(chunks_mutex_);
    published_ = published;
    memory_first_ = round_down_to_tile(published);
    while (!chunks_.empty() && chunks_.front()->end() <= memory_first_) chunks_.pop_front();
    memory_bytes_ = 0;
    for (const auto& chunk : chunks_) memory_bytes_ += chunk->bytes.size();
}

}  // namespace cloison::journal
