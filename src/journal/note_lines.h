#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "crypto/sign.h"

namespace cloison::journal {

// What signatures of every type have in common (C2SP signed-note); for note.cc and cosignature.cc.

/// First four bytes of SHA-256(name ‖ 0A ‖ type ‖ public key).
std::uint32_t note_key_id(std::string_view name, std::uint8_t type, const crypto::VerifyKey& key);

/// A vkey line: name+hex(id)+base64(type ‖ public key).
struct TypedKey {
    std::string name;
    std::uint32_t key_id = 0;
    crypto::VerifyKey key;
};
std::string format_vkey(std::string_view name, std::uint8_t type, const crypto::VerifyKey& key);
/// kInvalidArgument for a line of another type or with an id that does not fit.
Result<TypedKey> parse_vkey(std::string_view vkey, std::uint8_t type);

/// "— name base64(id ‖ signature)" with its newline.
std::string format_signature_line(std::string_view name, std::uint32_t key_id, ByteView signature);

/// One signature line of a note.
struct SignatureLine {
    std::string_view name;  ///< Points into the note.
    std::uint32_t key_id = 0;
    Bytes signature;
};
/// One such line without its newline; none if it is malformed.
std::optional<SignatureLine> parse_signature_line(std::string_view line);

/// A note taken apart; the views point into it.
struct NoteParts {
    std::string_view text;  ///< With its last newline.
    std::vector<SignatureLine> signatures;
};
/// kCorrupt for what is no note, or has more than 64 signatures or a mebibyte.
Result<NoteParts> split_note(std::string_view note);

/// Takes one line off the front; false if no newline is left.
bool take_line(std::string_view& rest, std::string_view& line);

/// "name+id" as errors name a key.
std::string key_label(std::string_view name, std::uint32_t key_id);

}  // namespace cloison::journal
