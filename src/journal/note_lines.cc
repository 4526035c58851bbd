#include "journal/note_lines.h"

#include <algorithm>

#include "crypto/hash.h"

namespace cloison::journal {
namespace {

constexpr std::string_view kSignaturePrefix = "\xe2\x80\x94 ";  // U+2014 and a space.
constexpr std::size_t kMaxNoteBytes = 1 << 20;
constexpr std::size_t kMaxSignatures = 64;

bool is_valid_name(std::string_view name) {
    return !name.empty() && std::none_of(name.begin(), name.end(), [](unsigned char c) {
        return c <= ' ' || c == '+' || c == 0x7f;
    });
}

std::string hex_of(std::uint32_t key_id) {
    Bytes bytes;
    put_u32(bytes, key_id);
    return hex_encode(bytes);
}

tl::unexpected<Error> malformed(const std::string& what) {
    return fail(ErrorCode::kCorrupt, "A signed note is malformed: " + what + '.');
}

}  // namespace

std::uint32_t note_key_id(std::string_view name, std::uint8_t type, const crypto::VerifyKey& key) {
    const std::array<std::uint8_t, 2> separator_and_type{'\n', type};
    return get_u32(crypto::sha256({as_bytes(name), separator_and_type, key.bytes}));
}

std::string key_label(std::string_view name, std::uint32_t key_id) {
    return std::string(name) + '+' + hex_of(key_id);
}

std::string format_vkey(std::string_view name, std::uint8_t type, const crypto::VerifyKey& key) {
    Bytes typed{type};
    typed.insert(typed.end(), key.bytes.begin(), key.bytes.end());
    return key_label(name, note_key_id(name, type, key)) + '+' + base64_encode(typed);
}

Result<TypedKey> parse_vkey(std::string_view vkey, std::uint8_t type) {
    const auto wrong = [](const std::string& what) {
        return fail(ErrorCode::kInvalidArgument, "A verify key line " + what + '.');
    };
    const std::size_t first = vkey.find('+');
    const std::size_t second = first == std::string_view::npos ? first : vkey.find('+', first + 1);
    if (second == std::string_view::npos) return wrong("has not the form name+id+key");
    const std::string_view name = vkey.substr(0, first);
    if (!is_valid_name(name)) return wrong("names no one");
    auto bytes = base64_decode(vkey.substr(second + 1));
    if (!bytes || bytes->size() != 33) return wrong("holds no key of 32 bytes");
    if (bytes->front() != type)
        return wrong("has a key of type " + std::to_string(bytes->front()) + " where type " +
                     std::to_string(type) + " is expected");
    CLOISON_TRY(auto key, crypto::VerifyKey::from_bytes(ByteView(*bytes).subspan(1)));
    TypedKey typed{std::string(name), note_key_id(name, type, key), key};
    if (vkey.substr(first + 1, second - first - 1) != hex_of(typed.key_id))
        return wrong("has an id that does not fit its key");
    return typed;
}

std::string format_signature_line(std::string_view name, std::uint32_t key_id, ByteView signature) {
    Bytes bytes;
    put_u32(bytes, key_id);
    bytes.insert(bytes.end(), signature.begin(), signature.end());
    return std::string(kSignaturePrefix) + std::string(name) + ' ' + base64_encode(bytes) + '\n';
}

std::optional<SignatureLine> parse_signature_line(std::string_view line) {
    if (!line.starts_with(kSignaturePrefix)) return std::nullopt;
    line.remove_prefix(kSignaturePrefix.size());
    const std::size_t space = line.find(' ');
    if (space == std::string_view::npos) return std::nullopt;
    const std::string_view name = line.substr(0, space);
    auto bytes = base64_decode(line.substr(space + 1));
    if (!is_valid_name(name) || !bytes || bytes->size() < 5) return std::nullopt;
    return SignatureLine{name, get_u32(*bytes), Bytes(bytes->begin() + 4, bytes->end())};
}

bool take_line(std::string_view& rest, std::string_view& line) {
    const std::size_t end = rest.find('\n');
    if (end == std::string_view::npos) return false;
    line = rest.substr(0, end);
    rest.remove_prefix(end + 1);
    return true;
}

Result<NoteParts> split_note(std::string_view note) {
    if (note.size() > kMaxNoteBytes) return malformed("larger than a mebibyte");
    const bool control = std::any_of(note.begin(), note.end(), [](unsigned char c) {
        return (c < ' ' && c != '\n') || c == 0x7f;
    });
    if (control) return malformed("it contains control characters");
    const std::size_t blank = note.rfind("\n\n");
    if (blank == std::string_view::npos) return malformed("no blank line before the signatures");
    std::string_view rest = note.substr(blank + 2);
    if (rest.empty()) return malformed("no signatures");
    NoteParts parts;
    parts.text = note.substr(0, blank + 1);
    std::string_view line;
    while (!rest.empty()) {
        if (parts.signatures.size() == kMaxSignatures) return malformed("more than 64 signatures");
        if (!take_line(rest, line)) return malformed("the last line does not end");
        auto signature = parse_signature_line(line);
        if (!signature) return malformed("a signature line is none");
        parts.signatures.push_back(std::move(*signature));
    }
    return parts;
}

}  // namespace cloison::journal
