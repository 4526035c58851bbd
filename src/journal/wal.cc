#include "journal/wal.h"

#include <algorithm>
#include <charconv>

#include "base/bytes.h"

namespace cloison::journal {
namespace {

constexpr std::string_view kSegmentMagic = "cloison-wal v1\n\n";
constexpr std::string_view kEncryptedMagic = "cloison-wal v1e\n";
constexpr std::string_view kFrameMagic = "CLJF";
constexpr std::size_t kDigestBytes = sizeof(crypto::Hash);
constexpr std::size_t kSegmentHeaderBytes = 16 + 8 + 2 * kDigestBytes;
constexpr std::size_t kCheckBytes = 4;
constexpr std::size_t kNameDigits = 20;
/// A segment is begun anew once it is full, so it holds at most one frame more.
constexpr std::size_t kMaxSegmentFileBytes =
    kSegmentBytes + kFrameHeaderBytes + kMaxBodyOnDisk + kDigestBytes;
/// What a disk writes whole or not at all.
constexpr std::size_t kSectorBytes = 512;

std::string_view segment_magic(const EntryCipher& cipher) {
    return cipher.encrypts() ? kEncryptedMagic : kSegmentMagic;
}

Bytes segment_header(std::uint64_t first_index, const crypto::Hash& root,
                     const EntryCipher& cipher) {
    Bytes header = to_bytes(segment_magic(cipher));
    put_u64(header, first_index);
    header.insert(header.end(), root.begin(), root.end());
    const crypto::Hash digest = cipher.digest({header});
    header.insert(header.end(), digest.begin(), digest.end());
    return header;
}

/// Of a frame header, over all of it before; bound to the segment.
crypto::Hash header_check(ByteView header, const crypto::Hash& segment_root) {
    return crypto::sha256({segment_root, header.first(kFrameHeaderBytes - kCheckBytes)});
}

Bytes frame_header(std::size_t body_bytes, const Chunk& chunk, const crypto::Hash& segment_root) {
    Bytes header = to_bytes(kFrameMagic);
    put_u32(header, static_cast<std::uint32_t>(body_bytes));
    put_u64(header, chunk.first);
    put_u32(header, static_cast<std::uint32_t>(chunk.count()));
    header.resize(kFrameHeaderBytes);
    const crypto::Hash check = header_check(header, segment_root);
    std::copy_n(check.begin(), kCheckBytes, header.end() - kCheckBytes);
    return header;
}

bool is_frame_header(ByteView header, const crypto::Hash& segment_root) {
    if (header.size() < kFrameHeaderBytes) return false;
    if (as_text(header.first(kFrameMagic.size())) != kFrameMagic) return false;
    const crypto::Hash check = header_check(header, segment_root);
    return std::equal(check.begin(), check.begin() + kCheckBytes,
                      header.begin() + kFrameHeaderBytes - kCheckBytes);
}

std::size_t frame_bytes(ByteView header) {
    return kFrameHeaderBytes + get_u32(header.subspan(4)) + kDigestBytes;
}

/// Bound to the segment by its root, so that a frame of another one does not pass.
crypto::Hash frame_digest(const crypto::Hash& segment_root, ByteView header,
                          const std::vector<crypto::Hash>& leaves, const EntryCipher& cipher) {
    const ByteView hashes(reinterpret_cast<const std::uint8_t*>(leaves.data()),
                          leaves.size() * sizeof(crypto::Hash));
    return cipher.digest({segment_root, header, hashes});
}

/// Reads the frame at the beginning of `bytes`; false if there is no whole and valid one.
bool parse_frame(ByteView bytes, const crypto::Hash& segment_root, const EntryCipher& cipher,
                 Chunk& chunk) {
    if (!is_frame_header(bytes, segment_root)) return false;
    const ByteView header = bytes.first(kFrameHeaderBytes);
    const std::size_t body_bytes = get_u32(header.subspan(4));
    const std::size_t count = get_u32(header.subspan(16));
    if (body_bytes > kMaxBodyOnDisk || count == 0 || count > body_bytes) return false;
    if (bytes.size() < frame_bytes(header)) return false;
    const auto body = cipher.open_body(bytes.subspan(kFrameHeaderBytes, body_bytes));
    if (!body) return false;
    const auto entries = split_bundle(*body, count);
    if (entries.empty()) return false;
    chunk = Chunk{};
    chunk.first = get_u64(header.subspan(8));
    chunk.bytes = to_bytes(header);
    chunk.bytes.insert(chunk.bytes.end(), body->begin(), body->end());
    for (const ByteView entry : entries) {
        chunk.offsets.push_back(
            static_cast<std::uint32_t>(kFrameHeaderBytes + (entry.data() - body->data()) - 2));
        chunk.leaves.push_back(hash_leaf(entry));
    }
    const crypto::Hash digest = frame_digest(segment_root, header, chunk.leaves, cipher);
    return std::ranges::equal(digest, bytes.subspan(kFrameHeaderBytes + body_bytes, kDigestBytes));
}

/// Where the next valid frame begins after a broken one, or the size if there is none.
std::size_t find_frame(ByteView bytes, std::size_t from, const crypto::Hash& segment_root,
                       const EntryCipher& cipher) {
    const std::string_view text = as_text(bytes);
    Chunk chunk;
    for (std::size_t at = text.find(kFrameMagic, from); at != std::string_view::npos;
         at = text.find(kFrameMagic, at + 1))
        if (parse_frame(bytes.subspan(at), segment_root, cipher, chunk)) return at;
    return bytes.size();
}

/// Whether a sector's worth of bytes from `begin` to `end` of the file was never written.
bool has_unwritten_sector(ByteView file, std::size_t begin, std::size_t end) {
    while (begin < end) {
        const std::size_t sector_end = std::min(end, (begin / kSectorBytes + 1) * kSectorBytes);
        const ByteView part = file.subspan(begin, sector_end - begin);
        if (std::ranges::all_of(part, [](std::uint8_t byte) { return byte == 0; })) return true;
        begin = sector_end;
    }
    return false;
}

/// Whether a write that was cut short explains the broken frame at `at`. What a disk has not
/// written is missing from the end of the file, or reads as zeros.
bool is_torn(ByteView file, std::size_t at, const crypto::Hash& segment_root) {
    const ByteView rest = file.subspan(at);
    if (rest.size() < kFrameHeaderBytes) return true;
    if (!is_frame_header(rest, segment_root))
        return has_unwritten_sector(file, at, at + kFrameHeaderBytes);
    if (rest.size() < frame_bytes(rest)) return true;
    return has_unwritten_sector(file, at, at + frame_bytes(rest));
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

void seal_frame(Bytes& frame, const Chunk& chunk, const crypto::Hash& segment_root,
                const EntryCipher& cipher) {
    const Bytes header = frame_header(frame.size() - kFrameHeaderBytes, chunk, segment_root);
    std::copy(header.begin(), header.end(), frame.begin());
    const crypto::Hash digest = frame_digest(segment_root, header, chunk.leaves, cipher);
    frame.insert(frame.end(), digest.begin(), digest.end());
}

Result<WalSegment> WalSegment::create(FileSystem& files, const Path& directory,
                                      std::uint64_t first_index, const crypto::Hash& root,
                                      const EntryCipher& cipher) {
    const Path path = directory / segment_path(first_index);
    const Bytes header = segment_header(first_index, root, cipher);
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

Status check_encryption(FileSystem& files, const Path& directory, const EntryCipher& cipher) {
    CLOISON_TRY(const auto segments, list_segments(files, directory));
    if (segments.empty()) return {};
    auto file = files.open(directory / segment_path(segments.back()), false);
    // A running journal may have dropped it: then the next error is as good.
    if (!file) return file.error().code == ErrorCode::kNotFound ? Status() : fail(file.error());
    Bytes magic(kSegmentMagic.size());
    CLOISON_TRY(const std::size_t got, (*file)->read_at(0, magic));
    magic.resize(got);
    if (as_text(magic) == kEncryptedMagic && !cipher.encrypts())
        return fail(ErrorCode::kCorrupt,
                    "the entries are encrypted, and no key of theirs is given.");
    if (as_text(magic) == kSegmentMagic && cipher.encrypts())
        return fail(ErrorCode::kCorrupt, "the entries are not encrypted, as they should be.");
    return {};
}

Result<WalContent> read_segment(File& file, std::uint64_t first_index, const EntryCipher& cipher) {
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
    if (!std::ranges::equal(segment_header(first_index, content.root, cipher),
                            all.first(kSegmentHeaderBytes)))
        return fail(ErrorCode::kCorrupt, name + " has a header that is not valid for it" +
                                             (cipher.encrypts() ? " and the key given." : "."));

    std::size_t at = kSegmentHeaderBytes;
    Chunk chunk;
    while (at < bytes.size() && parse_frame(all.subspan(at), content.root, cipher, chunk)) {
        if (chunk.first != content.end())
            return fail(ErrorCode::kCorrupt, name + " has a frame for entry " +
                                                 std::to_string(chunk.first) + " at offset " +
                                                 std::to_string(at) + ", where entry " +
                                                 std::to_string(content.end()) + " is expected.");
        at += frame_bytes(all.subspan(at));
        content.frames.push_back(std::move(chunk));
    }
    content.torn = at < bytes.size();
    content.torn_offset = at;
    if (!content.torn) return content;
    const std::string damaged = name + " is damaged at offset " + std::to_string(at);
    if (find_frame(all, at + 1, content.root, cipher) < bytes.size())
        return fail(ErrorCode::kCorrupt, damaged + ", before frames that are whole.");
    if (!is_torn(all, at, content.root))
        return fail(ErrorCode::kCorrupt,
                    damaged + ": the last frame is there, changed, and not a write cut short.");
    return content;
}

}  // namespace cloison::journal
