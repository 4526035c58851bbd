#pragma once

#include <string>
#include <vector>

#include "base/result.h"
#include "crypto/hash.h"
#include "crypto/sign.h"

namespace cloison::journal {

/// C2SP signed-note: text, blank line, signature lines "— name base64(keyID ‖ signature)".
inline constexpr std::uint8_t kNoteEd25519 = 0x01;

struct NoteVerifier {
    std::string name;
    std::uint32_t key_id;
    crypto::VerifyKey key;
    /// Parses a vkey: name+hex(keyID)+base64(type ‖ public key).
    static Result<NoteVerifier> parse(std::string_view vkey);
};
std::string note_vkey(std::string_view name, const crypto::VerifyKey& key);
std::string sign_note(std::string_view text, std::string_view name, const crypto::SigningKey& key);
/// The text, if a signature of `verifier` is there and fits (kUnauthenticated otherwise).
/// Signatures of unknown keys are ignored; at most 64 lines are read.
Result<std::string> open_note(std::string_view note, const NoteVerifier& verifier);

/// A file that holds a checkpoint with its signatures is not read beyond this.
inline constexpr std::size_t kMaxCheckpointBytes = 64 * 1024;

/// C2SP tlog-checkpoint: the text of such a note.
struct Checkpoint {
    std::string origin;
    std::uint64_t size = 0;
    crypto::Hash root{};
    std::string text() const;
    static Result<Checkpoint> parse(std::string_view text);
};
/// The checkpoint in a note that `verifier` signed, of the log that it is named after; errors as
/// for open_note, kUnauthenticated for that of another log.
Result<Checkpoint> open_checkpoint(std::string_view note, const NoteVerifier& verifier);

}  // namespace cloison::journal
