#include "target.h"

#include <algorithm>
#include <cstdio>
#include <cstdlib>

namespace cloison::fuzz {
namespace {

std::vector<Target>& registered() {
    static std::vector<Target> all;
    return all;
}

}  // namespace

Registration::Registration(Target target) {
    registered().push_back(target);
}

const std::vector<Target>& targets() {
    return registered();
}

void require(bool holds, const char* property) {
    if (holds) return;
    std::fprintf(stderr, "The property does not hold: %s\n", property);
    std::abort();
}

ByteView Input::take(std::size_t count) {
    const ByteView taken = rest_.first(std::min(count, rest_.size()));
    rest_ = rest_.subspan(taken.size());
    return taken;
}

ByteView Input::rest() {
    return take(rest_.size());
}

std::uint8_t Input::byte() {
    const ByteView taken = take(1);
    return taken.empty() ? std::uint8_t{0} : taken[0];
}

std::uint16_t Input::u16() {
    const unsigned high = byte();
    return static_cast<std::uint16_t>(high << 8 | byte());
}

std::uint32_t Input::u32() {
    const std::uint32_t high = u16();
    return high << 16 | u16();
}

std::uint64_t Input::u64() {
    const std::uint64_t high = u32();
    return high << 32 | u32();
}

ByteView Input::sized() {
    const std::size_t size = u16();
    return take(size);
}

void put_sized(Bytes& out, ByteView bytes) {
    put_u16(out, static_cast<std::uint16_t>(bytes.size()));
    out.insert(out.end(), bytes.begin(), bytes.end());
}

Bytes join(std::initializer_list<ByteView> pieces) {
    Bytes joined;
    for (const ByteView piece : pieces) joined.insert(joined.end(), piece.begin(), piece.end());
    return joined;
}

bool alter(Bytes& bytes, Input& input) {
    const Bytes before = bytes;
    while (!input.empty() && !bytes.empty()) {
        const std::size_t at = input.u16() % bytes.size();
        bytes[at] = static_cast<std::uint8_t>(bytes[at] ^ input.byte());
    }
    return bytes != before;
}

}  // namespace cloison::fuzz
