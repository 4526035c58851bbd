#include "journal/cosignature.h"

#include <algorithm>
#include <optional>

#include "journal/note_lines.h"

namespace cloison::journal {
namespace {

constexpr std::size_t kTimeBytes = 8;
/// The end of the year 9999; a later time cannot be shown, and is no time anybody signed at.
constexpr std::uint64_t kMaxSeconds = 253'402'300'799;

std::string signed_text(std::uint64_t seconds, std::string_view text) {
    return "cosignature/v1\ntime " + std::to_string(seconds) + '\n' + std::string(text);
}

}  // namespace

Result<WitnessVerifier> WitnessVerifier::parse(std::string_view vkey) {
    CLOISON_TRY(auto typed, parse_vkey(vkey, kNoteCosignature));
    return WitnessVerifier{std::move(typed.name), typed.key_id, typed.key};
}

std::string WitnessVerifier::vkey() const {
    return witness_vkey(name, key);
}

std::string witness_vkey(std::string_view name, const crypto::VerifyKey& key) {
    return format_vkey(name, kNoteCosignature, key);
}

std::string cosign(std::string_view text, std::string_view name, const crypto::SigningKey& key,
                   Time now) {
    const auto seconds =
        static_cast<std::uint64_t>(std::max<std::int64_t>(0, to_unix_seconds(now)));
    const crypto::Signature signature = key.sign(as_bytes(signed_text(seconds, text)));
    Bytes bytes;
    put_u64(bytes, seconds);
    bytes.insert(bytes.end(), signature.begin(), signature.end());
    return format_signature_line(name, note_key_id(name, kNoteCosignature, key.verify_key()),
                                 bytes);
}

Result<Time> cosigned_at(std::string_view note, const WitnessVerifier& witness) {
    CLOISON_TRY(const auto parts, split_note(note));
    std::optional<std::uint64_t> latest;
    for (const SignatureLine& line : parts.signatures) {
        if (line.name != witness.name || line.key_id != witness.key_id) continue;
        const ByteView bytes(line.signature);
        const bool whole = bytes.size() == kTimeBytes + crypto::Signature{}.size();
        const std::uint64_t seconds = whole ? get_u64(bytes) : kMaxSeconds + 1;
        if (seconds > kMaxSeconds || !witness.key.verify(as_bytes(signed_text(seconds, parts.text)),
                                                         bytes.subspan(kTimeBytes)))
            return fail(ErrorCode::kUnauthenticated,
                        "The cosignature of " + witness.name + " does not fit the note.");
        latest = std::max(latest.value_or(0), seconds);
    }
    if (!latest)
        return fail(ErrorCode::kUnauthenticated, "The note is not cosigned with the key " +
                                                     key_label(witness.name, witness.key_id) + '.');
    return from_unix_ms(static_cast<std::int64_t>(*latest) * 1000);
}

}  // namespace cloison::journal
