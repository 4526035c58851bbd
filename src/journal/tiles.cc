#include "journal/tiles.h"

#include <algorithm>
#include <charconv>
#include <cstring>
#include <set>

#include "crypto/box.h"

namespace cloison::journal {
namespace {

constexpr std::size_t kHashBytes = sizeof(crypto::Hash);

/// "x001/x234/067" for 1,234,067.
std::string grouped(std::uint64_t number) {
    const auto three_digits = [](std::uint64_t group) {
        std::string digits = std::to_string(group);
        return std::string(3 - digits.size(), '0') + digits;
    };
    std::string text = three_digits(number % 1000);
    for (number /= 1000; number > 0; number /= 1000)
        text = 'x' + three_digits(number % 1000) + '/' + text;
    return text;
}

}  // namespace

std::string TileId::path(std::uint64_t width) const {
    if (width < kTileWidth) return partial_directory() + '/' + std::to_string(width);
    return "tile/" + (level == kEntries ? "entries" : std::to_string(level)) + '/' + grouped(index);
}

std::string TileId::partial_directory() const {
    return path(kTileWidth) + ".p";
}

bool is_temporary(std::string_view name) {
    return name.starts_with('.') && name.ends_with(".tmp");
}

std::uint64_t tile_width(const TileId& tile, std::uint64_t size) {
    const std::uint64_t there = hashes_at_level(size, std::max(tile.level, 0));
    const std::uint64_t begin = tile.index * kTileWidth;
    return there <= begin ? 0 : std::min(kTileWidth, there - begin);
}

std::vector<ByteView> split_bundle(ByteView bundle, std::uint64_t width) {
    std::vector<ByteView> entries;
    entries.reserve(width);
    while (!bundle.empty()) {
        if (bundle.size() < 2) return {};
        const std::size_t length = get_u16(bundle);
        bundle = bundle.subspan(2);
        if (length == 0 || bundle.size() < length) return {};
        entries.push_back(bundle.first(length));
        bundle = bundle.subspan(length);
    }
    if (entries.size() != width) return {};
    return entries;
}

std::vector<crypto::Hash> split_hashes(ByteView tile) {
    std::vector<crypto::Hash> hashes(tile.size() / kHashBytes);
    if (!hashes.empty()) std::memcpy(hashes.data(), tile.data(), hashes.size() * kHashBytes);
    return hashes;
}

Result<Bytes> TileFiles::read_exactly(const TileId& tile, std::uint64_t width) const {
    const std::string path = tile.path(width);
    auto content = files_.read_file(directory_ / path, kMaxBundleBytes + crypto::kBoxOverhead);
    if (!content) {
        if (content.error().code == ErrorCode::kTooLarge)
            return fail(ErrorCode::kCorrupt, path + " is larger than a tile can be.");
        return content;
    }
    if (tile.level == TileId::kEntries) {
        auto opened = cipher_.open_bundle(tile.index, width, std::move(*content));
        if (!opened) return fail(ErrorCode::kCorrupt, path + ": " + opened.error().message + '.');
        return opened;
    }
    if (content->size() != width * kHashBytes)
        return fail(ErrorCode::kCorrupt, path + " has " + std::to_string(content->size()) +
                                             " bytes instead of " +
                                             std::to_string(width * kHashBytes) + '.');
    return content;
}

Result<Bytes> TileFiles::read(const TileId& tile, std::uint64_t width) const {
    auto content = read_exactly(tile, width);
    const auto missing = [&] { return !content && content.error().code == ErrorCode::kNotFound; };
    if (missing() && width < kTileWidth) content = read_exactly(tile, kTileWidth);
    if (missing()) return fail(ErrorCode::kCorrupt, tile.path(width) + " is missing.");
    if (content && tile.level != TileId::kEntries) content->resize(width * kHashBytes);
    return content;
}

Result<std::vector<crypto::Hash>> TileFiles::hashes(int level, std::uint64_t first,
                                                    std::size_t count) const {
    const TileId tile{level, first / kTileWidth};
    const std::size_t begin = first % kTileWidth;
    CLOISON_TRY(auto content, read(tile, kTileWidth));
    return split_hashes(ByteView(content).subspan(begin * kHashBytes, count * kHashBytes));
}

Result<std::vector<Bytes>> TileFiles::entries(std::uint64_t bundle, std::uint64_t width) const {
    const TileId tile{TileId::kEntries, bundle};
    CLOISON_TRY(auto content, read(tile, width));
    auto views = split_bundle(content, width);
    // The partial form may have given way to the full one.
    if (views.empty()) views = split_bundle(content, kTileWidth);
    if (views.empty())
        return fail(ErrorCode::kCorrupt,
                    tile.path(width) + " is no bundle of " + std::to_string(width) + " entries.");
    std::vector<Bytes> entries;
    for (std::size_t i = 0; i < width; ++i) entries.push_back(to_bytes(views[i]));
    return entries;
}

Bytes TileFiles::sealed(const TileId& tile, std::uint64_t width, ByteView content) const {
    if (tile.level != TileId::kEntries || !cipher_.encrypts()) return to_bytes(content);
    return cipher_.seal_bundle(tile.index, width, content);
}

Status TileFiles::write(const TileId& tile, std::uint64_t width, ByteView content,
                        bool sync) const {
    const Path path = directory_ / tile.path(width);
    CLOISON_TRY_STATUS(files_.create_directories(path.parent_path()));
    CLOISON_TRY(auto file, files_.open(path, true));
    const Bytes written = sealed(tile, width, content);
    CLOISON_TRY(const std::uint64_t size, file->size());
    if (size > written.size()) CLOISON_TRY_STATUS(file->truncate(written.size()));
    CLOISON_TRY_STATUS(file->write_at(0, written));
    if (!sync) return {};
    CLOISON_TRY_STATUS(file->sync_data());
    return files_.sync_directory(path.parent_path());
}

Status TileFiles::ensure_partials(std::uint64_t size) const {
    std::set<Path> directories;
    for (int level = TileId::kEntries; level < kTileLevels; ++level) {
        const TileId tile{level, hashes_at_level(size, std::max(level, 0)) / kTileWidth};
        const std::uint64_t width = tile_width(tile, size);
        if (width == 0) continue;
        const Path path = directory_ / tile.path(width);
        for (Path below = Path(tile.path(width)).parent_path(); !below.empty();
             below = below.parent_path())
            directories.insert(directory_ / below);
        CLOISON_TRY(const bool there, files_.exists(path));
        if (there) continue;
        CLOISON_TRY(auto content, read(tile, width));
        if (level == TileId::kEntries) {
            const auto entries = split_bundle(content, kTileWidth);
            if (entries.empty())
                return fail(ErrorCode::kCorrupt, tile.path(kTileWidth) + " is no full bundle.");
            const ByteView last = entries[width - 1];
            content.resize(static_cast<std::size_t>(last.data() + last.size() - content.data()));
        }
        CLOISON_TRY_STATUS(files_.create_directories(path.parent_path()));
        CLOISON_TRY_STATUS(files_.write_file_atomically(path, sealed(tile, width, content), 0600));
    }
    // A process that died may have made a file or a directory and not synced its name.
    if (!directories.empty()) directories.insert(directory_);
    for (const Path& directory : directories) CLOISON_TRY_STATUS(files_.sync_directory(directory));
    return {};
}

Status TileFiles::remove_partials(const TileId& tile) const {
    const Path directory = directory_ / tile.partial_directory();
    CLOISON_TRY(const bool there, files_.exists(directory));
    if (!there) return {};
    CLOISON_TRY(auto names, files_.list(directory));
    for (const std::string& name : names) CLOISON_TRY_STATUS(files_.remove(directory / name));
    return files_.remove(directory);
}

Status TileFiles::remove_partials_beyond(std::uint64_t size) const {
    for (int level = TileId::kEntries; level < kTileLevels; ++level) {
        TileId tile{level, hashes_at_level(size, std::max(level, 0)) / kTileWidth};
        // Tiles of a level are written one after another.
        for (bool another = true; another; ++tile.index) {
            const Path directory = directory_ / tile.partial_directory();
            CLOISON_TRY(const bool partials, files_.exists(directory));
            CLOISON_TRY(another, files_.exists(directory_ / tile.path(kTileWidth)));
            another = another || partials;
            if (!partials) continue;
            CLOISON_TRY(const auto names, files_.list(directory));
            bool removed = false;
            for (const std::string& name : names) {
                std::uint64_t width = 0;
                std::from_chars(name.data(), name.data() + name.size(), width);
                if (!is_temporary(name) && width <= tile_width(tile, size)) continue;
                CLOISON_TRY_STATUS(files_.remove(directory / name));
                removed = true;
            }
            if (removed) CLOISON_TRY_STATUS(files_.sync_directory(directory));
        }
    }
    return {};
}

Result<std::vector<std::vector<crypto::Hash>>> read_edge(const TileFiles& tiles,
                                                         std::uint64_t size) {
    std::vector<std::vector<crypto::Hash>> edge(kTileLevels);
    for (int level = 0; level < kTileLevels; ++level) {
        const std::uint64_t there = hashes_at_level(size, level);
        if (there % kTileWidth == 0) continue;
        CLOISON_TRY(auto content,
                    tiles.read(TileId{level, there / kTileWidth}, there % kTileWidth));
        edge[level] = split_hashes(content);
    }
    return edge;
}

}  // namespace cloison::journal
