#include "journal/note.h"

#include <algorithm>
#include <charconv>

#include "journal/note_lines.h"

namespace cloison::journal {

Result<NoteVerifier> NoteVerifier::parse(std::string_view vkey) {
    CLOISON_TRY(auto typed, parse_vkey(vkey, kNoteEd25519));
    return NoteVerifier{std::move(typed.name), typed.key_id, typed.key};
}

std::string note_vkey(std::string_view name, const crypto::VerifyKey& key) {
    return format_vkey(name, kNoteEd25519, key);
}

std::string sign_note(std::string_view text, std::string_view name, const crypto::SigningKey& key) {
    const crypto::Signature signature = key.sign(as_bytes(text));
    return std::string(text) + '\n' +
           format_signature_line(name, note_key_id(name, kNoteEd25519, key.verify_key()),
                                 signature);
}

Result<std::string> open_note(std::string_view note, const NoteVerifier& verifier) {
    CLOISON_TRY(const auto parts, split_note(note));
    bool verified = false;
    for (const SignatureLine& line : parts.signatures) {
        if (line.name != verifier.name || line.key_id != verifier.key_id) continue;
        if (!verifier.key.verify(as_bytes(parts.text), line.signature))
            return fail(ErrorCode::kUnauthenticated,
                        "The signature of " + verifier.name + " does not fit the note.");
        verified = true;
    }
    if (!verified)
        return fail(ErrorCode::kUnauthenticated, "The note is not signed with the key " +
                                                     key_label(verifier.name, verifier.key_id) +
                                                     '.');
    return std::string(parts.text);
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

Result<Checkpoint> open_checkpoint(std::string_view note, const NoteVerifier& verifier) {
    CLOISON_TRY(const auto text, open_note(note, verifier));
    CLOISON_TRY(auto checkpoint, Checkpoint::parse(text));
    if (checkpoint.origin != verifier.name)
        return fail(ErrorCode::kUnauthenticated,
                    "The checkpoint is that of another log, not of " + verifier.name + '.');
    return checkpoint;
}

}  // namespace cloison::journal
