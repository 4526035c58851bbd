#include "base/bytes.h"

#include <array>

namespace cloison {
namespace {

constexpr std::string_view kHexDigits = "0123456789abcdef";
constexpr std::string_view kBase64Digits =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
constexpr std::string_view kBase64UrlDigits =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
constexpr std::string_view kBase32Digits = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";

constexpr std::uint8_t kNoDigit = 0xff;
using DigitValues = std::array<std::uint8_t, 256>;

constexpr DigitValues values_of(std::string_view digits) {
    DigitValues values{};
    values.fill(kNoDigit);
    for (std::size_t i = 0; i < digits.size(); ++i)
        values[static_cast<std::uint8_t>(digits[i])] = static_cast<std::uint8_t>(i);
    return values;
}

constexpr DigitValues with_upper_case(DigitValues values) {
    for (std::size_t c = 'a'; c <= 'f'; ++c) values[c - 'a' + 'A'] = values[c];
    return values;
}

constexpr DigitValues kHexValues = with_upper_case(values_of(kHexDigits));
constexpr DigitValues kBase64Values = values_of(kBase64Digits);
constexpr DigitValues kBase64UrlValues = values_of(kBase64UrlDigits);
constexpr DigitValues kBase32Values = values_of(kBase32Digits);

/// Regroups 8-bit bytes into digits of `bits`, most significant first, without padding.
std::string encode_digits(ByteView bytes, std::string_view digits, unsigned bits) {
    std::string out;
    out.reserve((bytes.size() * 8 + bits - 1) / bits);
    const std::uint32_t mask = (1U << bits) - 1;
    std::uint32_t pending = 0;
    unsigned pending_bits = 0;
    for (const std::uint8_t byte : bytes) {
        pending = pending << 8 | byte;
        pending_bits += 8;
        while (pending_bits >= bits) {
            pending_bits -= bits;
            out.push_back(digits[pending >> pending_bits & mask]);
        }
        pending &= (1U << pending_bits) - 1;
    }
    if (pending_bits > 0) out.push_back(digits[pending << (bits - pending_bits) & mask]);
    return out;
}

/// The reverse, refusing digits that encode_digits would not have written.
Result<Bytes> decode_digits(std::string_view text, const DigitValues& values, unsigned bits,
                            std::string_view what) {
    const auto invalid = [&](std::string_view why) {
        return fail(ErrorCode::kInvalidArgument, std::string(what) + std::string(why));
    };
    Bytes out;
    out.reserve(text.size() * bits / 8);
    std::uint32_t pending = 0;
    unsigned pending_bits = 0;
    for (const char c : text) {
        const std::uint8_t value = values[static_cast<std::uint8_t>(c)];
        if (value == kNoDigit) return invalid(" text holds a character that is not a digit.");
        pending = pending << bits | value;
        pending_bits += bits;
        if (pending_bits >= 8) {
            pending_bits -= 8;
            out.push_back(static_cast<std::uint8_t>(pending >> pending_bits));
            pending &= (1U << pending_bits) - 1;
        }
    }
    if (pending_bits >= bits) return invalid(" text has an impossible length.");
    if (pending != 0) return invalid(" text ends in bits that are not zero.");
    return out;
}

}  // namespace

std::string hex_encode(ByteView bytes) {
    return encode_digits(bytes, kHexDigits, 4);
}

Result<Bytes> hex_decode(std::string_view text) {
    return decode_digits(text, kHexValues, 4, "Hexadecimal");
}

std::string base64_encode(ByteView bytes) {
    std::string out = encode_digits(bytes, kBase64Digits, 6);
    out.append((4 - out.size() % 4) % 4, '=');
    return out;
}

Result<Bytes> base64_decode(std::string_view text) {
    if (text.size() % 4 != 0)
        return fail(ErrorCode::kInvalidArgument,
                    "Base64 text is not padded to a multiple of four.");
    for (int padding = 0; padding < 2 && text.ends_with('='); ++padding) text.remove_suffix(1);
    return decode_digits(text, kBase64Values, 6, "Base64");
}

std::string base64url_encode(ByteView bytes) {
    return encode_digits(bytes, kBase64UrlDigits, 6);
}

Result<Bytes> base64url_decode(std::string_view text) {
    return decode_digits(text, kBase64UrlValues, 6, "Base64url");
}

std::string base32_encode(ByteView bytes) {
    return encode_digits(bytes, kBase32Digits, 5);
}

Result<Bytes> base32_decode(std::string_view text) {
    return decode_digits(text, kBase32Values, 5, "Base32");
}

void put_u16(Bytes& out, std::uint16_t value) {
    out.push_back(static_cast<std::uint8_t>(value >> 8));
    out.push_back(static_cast<std::uint8_t>(value));
}

void put_u32(Bytes& out, std::uint32_t value) {
    put_u16(out, static_cast<std::uint16_t>(value >> 16));
    put_u16(out, static_cast<std::uint16_t>(value));
}

void put_u64(Bytes& out, std::uint64_t value) {
    put_u32(out, static_cast<std::uint32_t>(value >> 32));
    put_u32(out, static_cast<std::uint32_t>(value));
}

std::uint16_t get_u16(ByteView in) {
    return static_cast<std::uint16_t>(std::uint32_t{in[0]} << 8 | in[1]);
}

std::uint32_t get_u32(ByteView in) {
    return std::uint32_t{get_u16(in)} << 16 | get_u16(in.subspan(2));
}

std::uint64_t get_u64(ByteView in) {
    return std::uint64_t{get_u32(in)} << 32 | get_u32(in.subspan(4));
}

bool equal_constant_time(ByteView a, ByteView b) {
    if (a.size() != b.size()) return false;
    // Volatile keeps the compiler from leaving the loop at the first difference.
    volatile std::uint8_t difference = 0;
    for (std::size_t i = 0; i < a.size(); ++i)
        difference = static_cast<std::uint8_t>(difference | (a[i] ^ b[i]));
    return difference == 0;
}

}  // namespace cloison
