#include "crypto/pae.h"

namespace cloison::crypto {
namespace {

/// The format clears the top bit for languages without unsigned integers.
void put_le64(Bytes& out, std::uint64_t value) {
    value &= ~(std::uint64_t{1} << 63);
    for (int shift = 0; shift < 64; shift += 8)
        out.push_back(static_cast<std::uint8_t>(value >> shift));
}

}  // namespace

Bytes pre_auth_encode(std::initializer_list<ByteView> pieces) {
    std::size_t size = 8;
    for (const ByteView piece : pieces) size += 8 + piece.size();
    Bytes out;
    out.reserve(size);
    put_le64(out, pieces.size());
    for (const ByteView piece : pieces) {
        put_le64(out, piece.size());
        out.insert(out.end(), piece.begin(), piece.end());
    }
    return out;
}

}  // namespace cloison::crypto
