// A write-ahead segment. The first byte says what the input is: 'f' makes frames of entries with
// good digests, then changes the file; 'b' is the body of one frame in any form, under a good
// digest where it has one; anything else is a segment file as it is. Beyond not crashing: frames
// follow each other without a gap and hold the entries that were written, up to a torn tail.
#include "frame.h"
#include "journal/simulated_disk_for_test.h"

namespace cloison::fuzz {
namespace {

using journal::Chunk;

constexpr std::uint64_t kFirst = 512;
const Path kDirectory = "/journal";

Bytes segment_file(const std::vector<std::vector<Bytes>>& frames) {
    journal::SimulatedDisk disk;
    auto segment = *journal::WalSegment::create(disk, kDirectory, kFirst, crypto::Hash{});
    std::uint64_t next = kFirst;
    for (const auto& entries : frames) {
        require(segment.append(make_frame(next, entries, crypto::Hash{})).has_value(),
                "a simulated disk takes a frame");
        next += entries.size();
    }
    return *disk.read_file(kDirectory / journal::segment_path(kFirst), 1 << 24);
}

Result<journal::WalContent> read(ByteView file) {
    journal::SimulatedDisk disk;
    const Path path = kDirectory / journal::segment_path(kFirst);
    require(disk.write_file_atomically(path, file, 0600).has_value(), "a disk takes a file");
    auto opened = *disk.open(path, false);
    auto content = journal::read_segment(*opened, kFirst);
    if (!content) require(content.error().code == ErrorCode::kCorrupt, "a bad segment is corrupt");
    return content;
}

/// The entries of all frames, which must follow each other.
std::vector<Bytes> entries_of(const journal::WalContent& content) {
    std::vector<Bytes> entries;
    std::uint64_t next = kFirst;
    for (const Chunk& chunk : content.frames) {
        require(chunk.first == next && chunk.count() > 0, "frames follow each other");
        require(chunk.offsets.size() == chunk.leaves.size(), "every entry has its hash");
        for (std::size_t i = 0; i < chunk.count(); ++i) {
            entries.push_back(to_bytes(chunk.entry(i)));
            require(journal::hash_leaf(entries.back()) == chunk.leaves[i], "a hash is its entry's");
        }
        next = chunk.end();
    }
    return entries;
}

bool run_frames(Input& in) {
    std::vector<std::vector<Bytes>> frames(in.byte() % 4);
    std::vector<Bytes> written;
    for (auto& frame : frames) {
        frame.resize(1 + in.byte() % 8);
        for (Bytes& entry : frame) {
            entry = to_bytes(in.take(1 + in.byte()));
            if (entry.empty()) entry.push_back(1);
            written.push_back(entry);
        }
    }
    Bytes file = segment_file(frames);
    const std::size_t cut = in.u16();
    file.resize(file.size() - std::min(cut, file.size()));
    const bool changed = alter(file, in) || cut > 0;
    const auto content = read(file);
    if (!content) {
        require(changed, "a whole segment is read");
        return false;
    }
    const auto found = entries_of(*content);
    require(
        found.size() <= written.size() && std::equal(found.begin(), found.end(), written.begin()),
        "no entry is read that was not written");
    require(changed || (found.size() == written.size() && !content->torn),
            "a whole segment has no torn tail");
    return !changed;
}

bool run_body(Input& in) {
    const auto count = in.u32();
    const ByteView body = in.rest();
    Chunk chunk;
    chunk.first = kFirst;
    chunk.bytes.resize(journal::kFrameHeaderBytes);
    chunk.bytes.insert(chunk.bytes.end(), body.begin(), body.end());
    for (const ByteView entry : journal::split_bundle(body, count % 65'536))
        chunk.leaves.push_back(journal::hash_leaf(entry));
    const bool whole = !chunk.leaves.empty();
    journal::seal_frame(chunk, crypto::Hash{});
    const auto content = read(join({segment_file({}), chunk.bytes}));
    require(content || !whole, "a whole frame is a segment");
    if (content)
        require(entries_of(*content).size() == chunk.leaves.size(), "only a whole frame is read");
    return whole;
}

bool run(ByteView input) {
    Input in(input);
    switch (in.byte()) {
        case 'f':
            return run_frames(in);
        case 'b':
            return run_body(in);
        default: {
            const auto content = read(input);
            if (content) entries_of(*content);
            return content.has_value();
        }
    }
}

std::vector<Seed> seeds() {
    Bytes frames{'f', 2, 0, 3, 'o', 'n', 'e', '!', 1, 2, 't', 'w', 'o', 2, 't', 'h', 'r', 0, 0};
    Bytes body{'b'};
    put_u32(body, 2);
    put_sized(body, "one");
    put_sized(body, "two");
    const Bytes file = segment_file({{to_bytes("one")}, {to_bytes("two"), to_bytes("three")}});
    return {{"frames", frames}, {"body", body}, {"empty-file", segment_file({})}, {"file", file}};
}

const Registration registration({"write_ahead", run, seeds});

}  // namespace
}  // namespace cloison::fuzz
