#include "journal/note.h"

#include <algorithm>
#include <charconv>
#include <optional>

namespace cloison::journal {
namespace {

constexpr std::string_view kSignaturePrefix = "\xe2\x80\x94 ";  // U+2014 and a space.
constexpr std::size_t kMaxNoteBytes = 1 << 20;
constexpr int kMaxSignatures = 64;

std::uint32_t compute_key_id(std::string_view name, const crypto::VerifyKey& key) {
    const std::array<std::uint8_t, 2> separator_and_type{'\n', kNoteEd25519};
    return get_u32(crypto::sha256({as_bytes(name), separator_and_type, key.bytes}));
}

bool is_valid_name(std::string_view name) {
    return !name.empty() && std::none_of(name.begin(), name.end(), [](unsigned char c) {
        return c <= ' ' || c == '+' || c == 0x7f;
    });
}

std::string typed_key(const crypto::VerifyKey& key) {
    Bytes bytes{kNoteEd25519};
    bytes.insert(bytes.end(), key.bytes.begin(), key.bytes.end());
    return base64_encode(bytes);
}

std::string hex_of(std::uint32_t key_id) {
    Bytes bytes;
    put_u32(bytes, key_id);
    return hex_encode(bytes);
}

/// One signature line without its newline.
struct SignatureLine {
    std::string_view name;
    std::uint32_t key_id;
    Bytes signature;
};

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

tl::unexpected<Error> malformed(const std::string& what) {
    return fail(ErrorCode::kCorrupt, "A signed note is malformed: " + what + '.');
}

/// Takes one line off the front; false if no newline is left.
bool take_line(std::string_view& rest, std::string_view& line) {
    const std::size_t end = rest.find('\n');
    if (end == std::string_view::npos) return false;
    line = rest.substr(0, end);
    rest.remove_prefix(end + 1);
    return true;
}

}  // namespace

Result<NoteVerifier> NoteVerifier::parse(std::string_view vkey) {
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
    if (bytes->front() != kNoteEd25519) return wrong("has a key type other than Ed25519");
    CLOISON_TRY(auto key, crypto::VerifyKey::from_bytes(ByteView(*bytes).subspan(1)));
    NoteVerifier verifier{std::string(name), compute_key_id(name, key), key};
    if (vkey.substr(first + 1, second - first - 1) != hex_of(verifier.key_id))
        return wrong("has an id that does not fit its key");
    return verifier;
}

std::string note_vkey(std::string_view name, const crypto::VerifyKey& key) {
    return std::string(name) + '+' + hex_of(compute_key_id(name, key)) + '+' + typed_key(key);
}

std::string sign_note(std::string_view text, std::string_view name, const crypto::SigningKey& key) {
    const crypto::Signature signature = key.sign(as_bytes(text));
    Bytes bytes;
    put_u32(bytes, compute_key_id(name, key.verify_key()));
    bytes.insert(bytes.end(), signature.begin(), signature.end());
    return std::string(text) + '\n' + std::string(kSignaturePrefix) + std::string(name) + ' ' +
           base64_encode(bytes) + '\n';
}

Result<std::string> open_note(std::string_view note, const NoteVerifier& verifier) {
    if (note.size() > kMaxNoteBytes) return malformed("larger than a mebibyte");
    const bool control = std::any_of(note.begin(), note.end(), [](unsigned char c) {
        return (c < ' ' && c != '\n') || c == 0x7f;
    });
    if (control) return malformed("it contains control characters");
    const std::size_t blank = note.rfind("\n\n");
    if (blank == std::string_view::npos) return malformed("no blank line before the signatures");
    const std::string_view text = note.substr(0, blank + 1);
    std::string_view rest = note.substr(blank + 2);
    if (rest.empty()) return malformed("no signatures");

    bool verified = false;
    std::string_view line;
    for (int lines = 0; !rest.empty(); ++lines) {
        if (lines == kMaxSignatures) return malformed("more than 64 signatures");
        if (!take_line(rest, line)) return malformed("the last line does not end");
        const auto signature = parse_signature_line(line);
        if (!signature) return malformed("a signature line is none");
        if (signature->name != verifier.name || signature->key_id != verifier.key_id) continue;
        if (!verifier.key.verify(as_bytes(text), signature->signature))
            return fail(ErrorCode::kUnauthenticated,
                        "The signature of " + verifier.name + " does not fit the note.");
        verified = true;
    }
    if (!verified)
        return fail(ErrorCode::kUnauthenticated, "The note is not signed with the key " +
                                                     verifier.name + '+' + hex_of(verifier.key_id) +
                                                     '.');
    return std::string(text);
}

std::string Checkpoint::text() const {
    return origin + '\n' + std::to_string(size) + '\n' + base64_encode(root) + '\n';
}

Result<Checkpoint> Checkpoint::parse(std::string_view text) {
    const auto wrong = [](const std::string& what) {
        return fail(ErrorCode::kCorrupt, "A checkpoint " + what + '.');
    };
    std::string_view origin;
    std::string_view size;
    std::string_view root;
    if (!take_line(text, origin) || !take_line(text, size) || !take_line(text, root))
        return wrong("has fewer than three lines");
    Checkpoint checkpoint;
    if (origin.empty()) return wrong("has no origin");
    checkpoint.origin = origin;
    const auto [end, error] =
        std::from_chars(size.data(), size.data() + size.size(), checkpoint.size);
    if (error != std::errc() || std::to_string(checkpoint.size) != size)
        return wrong("has a size that is no number");
    auto hash = base64_decode(root);
    if (!hash || hash->size() != checkpoint.root.size()) return wrong("has a root that is no hash");
    std::copy(hash->begin(), hash->end(), checkpoint.root.begin());
    // Extension lines are allowed and none is known here.
    for (std::string_view line; !text.empty();)
        if (!take_line(text, line) || line.empty()) return wrong("has a malformed extension line");
    return checkpoint;
}

}  // namespace cloison::journal
