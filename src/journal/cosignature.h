#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/time.h"
#include "crypto/sign.h"
#include "journal/note.h"

namespace cloison::journal {

/// C2SP tlog-cosignature, cosignature/v1: a witness's word that it saw a checkpoint at a time, and
/// that every checkpoint of the log that it saw before is a prefix of it. A signature line of the
/// checkpoint's note, type 04: key id over name ‖ 0A ‖ 04 ‖ public key, signature
/// u64-BE seconds ‖ Ed25519 over "cosignature/v1\ntime <seconds>\n" ‖ text of the note.
inline constexpr std::uint8_t kNoteCosignature = 0x04;

/// The key of a witness. Like NoteVerifier, for signatures of the other type.
struct WitnessVerifier {
    std::string name;
    std::uint32_t key_id = 0;
    crypto::VerifyKey key;
    /// Parses a vkey of type 04; kInvalidArgument.
    static Result<WitnessVerifier> parse(std::string_view vkey);
    std::string vkey() const;
    bool operator==(const WitnessVerifier&) const = default;
};
std::string witness_vkey(std::string_view name, const crypto::VerifyKey& key);

/// A signature line (with its newline) over the text of a note, which ends in a newline.
std::string cosign(std::string_view text, std::string_view name, const crypto::SigningKey& key,
                   Time now);

/// When the witness cosigned the note. kUnauthenticated if there is no signature of its or it does
/// not fit; those of unknown keys are ignored.
Result<Time> cosigned_at(std::string_view note, const WitnessVerifier& witness);

}  // namespace cloison::journal
