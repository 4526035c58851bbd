// A bundle of entries: its width (u16), then its bytes. Beyond not crashing: entries that come out
// lie within the bundle, are as many as its width, and put together again give the bundle.
#include "journal/tiles.h"
#include "target.h"

namespace cloison::fuzz {
namespace {

bool run(ByteView input) {
    Input in(input);
    const std::size_t width = in.u16();
    const ByteView bundle = in.rest();
    require(journal::split_hashes(bundle).size() == bundle.size() / 32, "hashes have 32 bytes");
    const auto entries = journal::split_bundle(bundle, width);
    if (entries.empty()) return false;
    require(entries.size() == width, "a bundle has as many entries as its width");
    Bytes again;
    for (const ByteView entry : entries) {
        require(!entry.empty(), "no entry is empty");
        require(entry.data() >= bundle.data() &&
                    entry.data() + entry.size() <= bundle.data() + bundle.size(),
                "an entry lies within its bundle");
        put_sized(again, entry);
    }
    require(std::ranges::equal(again, bundle), "the entries are the whole bundle");
    return true;
}

std::vector<Seed> seeds() {
    std::vector<Seed> seeds;
    for (const std::uint16_t width : {1, 2, 255, 256}) {
        Bytes seed;
        put_u16(seed, width);
        for (std::uint16_t i = 0; i < width; ++i) put_sized(seed, Bytes(1 + i % 5, 'e'));
        seeds.push_back({"width-" + std::to_string(width), seed});
    }
    return seeds;
}

const Registration registration({"entry_bundle", run, seeds});

}  // namespace
}  // namespace cloison::fuzz
