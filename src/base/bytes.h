#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace cloison {

using Bytes = std::vector<std::uint8_t>;
using ByteView = std::span<const std::uint8_t>;

inline ByteView as_bytes(std::string_view text) {
    return {reinterpret_cast<const std::uint8_t*>(text.data()), text.size()};
}
inline std::string_view as_text(ByteView bytes) {
    return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}
inline Bytes to_bytes(ByteView view) {
    return {view.begin(), view.end()};
}
inline Bytes to_bytes(std::string_view text) {
    return to_bytes(as_bytes(text));
}
inline std::string to_string(ByteView view) {
    return std::string(as_text(view));
}

/// Lower-case hexadecimal.
std::string hex_encode(ByteView bytes);
/// Either case; odd length or another character is kInvalidArgument.
Result<Bytes> hex_decode(std::string_view text);

/// RFC 4648 §4 with padding.
std::string base64_encode(ByteView bytes);
/// Strict: padding required, no white space, no non-zero trailing bits.
Result<Bytes> base64_decode(std::string_view text);
/// RFC 4648 §5 without padding, as PASETO and JOSE use it; decoding is as strict.
std::string base64url_encode(ByteView bytes);
Result<Bytes> base64url_decode(std::string_view text);
/// RFC 4648 §6 without padding, as one-time-code applications show secrets.
std::string base32_encode(ByteView bytes);
Result<Bytes> base32_decode(std::string_view text);

/// Big-endian integers, appended to and read from byte strings.
void put_u16(Bytes& out, std::uint16_t value);
void put_u32(Bytes& out, std::uint32_t value);
void put_u64(Bytes& out, std::uint64_t value);
std::uint16_t get_u16(ByteView in);  ///< Requires 2 bytes.
std::uint32_t get_u32(ByteView in);  ///< Requires 4 bytes.
std::uint64_t get_u64(ByteView in);  ///< Requires 8 bytes.

/// Equal in a time that depends on the lengths alone.
bool equal_constant_time(ByteView a, ByteView b);

}  // namespace cloison
