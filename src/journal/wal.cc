#include "journal/wal.h"

#include <algorithm>
#include <charconv>

#include "base/bytes.h"

namespace cloison::journal {
namespace {

constexpr std::string_view kSegmentMagic = "cloison-wal v1\n\n";
constexpr std::string_view kFrameMagic = "CLJF";
constexpr std::size_t kDigestBytes = sizeof(crypto::Hash);
constexpr std::size_t kSegmentHeaderBytes = 16 + 8 + 2 * kDigestBytes;
constexpr std::size_t kNameDigits = 20;
/// A segment is begun anew once it is full, so it holds at most one frame more.
constexpr std::size_t kMaxSegmentFileBytes =
    kSegmentBytes + kFrameHeaderBytes + kMaxFrameBodyBytes + kDigestBytes;

Bytes segment_header(std::uint64_t first_index, const crypto::Hash& root) {
    Bytes header = to_bytes(kSegmentMagic);
    put_u64(header, first_index);
    header.insert(header.end(), root.begin(), root.end());
    const crypto::Hash digest = crypto::sha256({header});
    header.insert(header.end(), digest.begin(), digest.end());
    return header;
}

Bytes frame_header(std::size_t body_bytes, std::uint64_t first, std::uint64_t count) {
    Bytes header = to_bytes(kFrameMagic);
    put_u32(header, static_cast<std::uint32_t>(body_bytes));
    put_u64(header, first);
    put_u32(header, static_cast<std::uint32_t>(count));
    return header;
}

/// Bound to the segment by its root, so that a frame of another one does not pass.
crypto::Hash frame_digest(const crypto::Hash& segment_root, ByteView header,
                          const std::vector<crypto::Hash>& leaves) {
    const ByteView hashes(reinterpret_cast<const std::uint8_t*>(leaves.data()),
                          leaves.size() * sizeof(crypto::Hash));
    return crypto::sha256({segment_root, header, hashes});
}

/// Reads the frame at the beginning of `bytes`; false if there is no whole and valid one.
bool parse_frame(ByteView bytes, const crypto::Hash& segment_root, Chunk& chunk) {
    if (bytes.size() < kFrameHeaderBytes + kDigestBytes) return false;
    if (as_text(bytes.first(kFrameMagic.size())) != kFrameMagic) return false;
    const std::size_t body_bytes = get_u32(bytes.subspan(4));
    const std::size_t count = get_u32(bytes.subspan(16));
    if (body_bytes > kMaxFrameBodyBytes || count == 0 || count > body_bytes) return false;
    const std::size_t frame_bytes = kFrameHeaderBytes + body_bytes + kDigestBytes;
    if (bytes.size() < frame_bytes) return false;
    const auto entries = split_bundle(bytes.subspan(kFrameHeaderBytes, body_bytes), count);
    if (entries.empty()) return false;
    chunk = Chunk{};
    chunk.first = get_u64(bytes.subspan(8));
    chunk.bytes = to_bytes(bytes.first(frame_bytes));
    for (const ByteView entry : entries) {
        chunk.offsets.push_back(static_cast<std::uint32_t>(entry.data() - bytes.data() - 2));
        chunk.leaves.push_back(hash_leaf(entry));
    }
    const crypto::Hash digest =
        frame_digest(segment_root, bytes.first(kFrameHeaderBytes), chunk.leaves);
    return std::ranges::equal(digest, bytes.subspan(frame_bytes - kDigestBytes, kDigestBytes));
}

/// Where the next valid frame begins after a broken one, or the size if there is none.
std::size_t find_frame(ByteView bytes, std::size_t from, const crypto::Hash& segment_root) {
    const std::string_view text = as_text(bytes);
    Chunk chunk;
    for (std::size_t at = text.find(kFrameMagic, from); at != std::string_view::npos;
         at = text.find(kFrameMagic, at + 1))
        if (parse_frame(bytes.subspan(at), segment_root, chunk)) return at;
    return bytes.size();
}

}  // namespace

ByteView Chunk::run(std::size_t from, std::size_t to) const {
    const auto begin_of = [this](std::size_t i) -> std::size_t {
        return i < offsets.size()
                   ? offsets[i]
                   : offsets.back() + 2 + get_u16(ByteView(bytes).subspan(offsets.back()));
    };
    const std::size_t begin = begin_of(from);
    return ByteView(bytes).subspan(begin, begin_of(to) - begin);
}

void seal_frame(Chunk& chunk, const crypto::Hash& segment_root) {
    const Bytes header =
        frame_header(chunk.bytes.size() - kFrameHeaderBytes, chunk.first, chunk.count());
    std::copy(header.begin(), header.end(), chunk.bytes.begin());
    const crypto::Hash digest = frame_digest(segment_root, header, chunk.leaves);
    chunk.bytes.insert(chunk.bytes.end(), digest.begin(), digest.end());
}

Result<WalSegment> WalSegment::create(FileSystem& files, const Path& directory,
                                      std::uint64_t first_index, const crypto::Hash& root) {
    const Path path = directory / segment_path(first_index);
    const Bytes header = segment_header(first_index, root);
    CLOISON_TRY_STATUS(files.write_file_atomically(path, header, 0600));
    CLOISON_TRY(auto file, files.open(path, false));
    return WalSegment(std::move(file), header.size(), first_index, root);
}

Status WalSegment::append(ByteView frame) {
    CLOISON_TRY_STATUS(file_->write_at(end_, frame));
    CLOISON_TRY_STATUS(file_->sync_data());
    end_ += frame.size();
    return {};
}

std::string segment_path(std::uint64_t first_index) {
    const std::string digits = std::to_string(first_index);
    return "wal/" + std::string(kNameDigits - digits.size(), '0') + digits;
}

Path segments_directory(const Path& directory) {
    return directory / "wal";
}

Result<std::vector<std::uint64_t>> list_segments(FileSystem& files, const Path& directory) {
    CLOISON_TRY(auto names, files.list(segments_directory(directory)));
    std::vector<std::uint64_t> segments;
    for (const std::string& name : names) {
        if (name.starts_with('.') && name.ends_with(".tmp")) continue;
        std::uint64_t first = 0;
        const auto [end, error] = std::from_chars(name.data(), name.data() + name.size(), first);
        if (error != std::errc() || segment_path(first) != "wal/" + name)
            return fail(ErrorCode::kCorrupt, "wal/" + name + " is not the name of a segment.");
        segments.push_back(first);
    }
    return segments;
}

Result<WalContent> read_segment(File& file, std::uint64_t first_index) {
    const std::string name = segment_path(first_index);
    CLOISON_TRY(const std::uint64_t size, file.size());
    if (size > kMaxSegmentFileBytes)
        return fail(ErrorCode::kCorrupt, name + " is larger than a segment can be.");
    Bytes bytes(static_cast<std::size_t>(size));
    CLOISON_TRY(const std::size_t got, file.read_at(0, bytes));
    bytes.resize(got);

    WalContent content;
    content.first_index = first_index;
    if (bytes.size() < kSegmentHeaderBytes)
        return fail(ErrorCode::kCorrupt, name + " has no whole header.");
    const ByteView all(bytes);
    std::ranges::copy(all.subspan(kSegmentMagic.size() + 8, kDigestBytes), content.root.begin());
    if (!std::ranges::equal(segment_header(first_index, content.root),
                            all.first(kSegmentHeaderBytes)))
        return fail(ErrorCode::kCorrupt, name + " has a header that is not valid for it.");

    std::size_t at = kSegmentHeaderBytes;
    Chunk chunk;
    while (at < bytes.size() && parse_frame(all.subspan(at), content.root, chunk)) {
        if (chunk.first != content.end())
            return fail(ErrorCode::kCorrupt, name + " has a frame for entry " +
                                                 std::to_string(chunk.first) + " at offset " +
                                                 std::to_string(at) + ", where entry " +
                                                 std::to_string(content.end()) + " is expected.");
        at += chunk.bytes.size();
        content.frames.push_back(std::move(chunk));
    }
    content.torn = at < bytes.size();
    content.torn_offset = at;
    if (content.torn && find_frame(all, at + 1, content.root) < bytes.size())
        return fail(ErrorCode::kCorrupt, name + " is damaged at offset " + std::to_string(at) +
                                             ", before frames that are whole.");
    return content;
}

}  // namespace cloison::journal
