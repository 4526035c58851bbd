#pragma once

#include <string_view>

#include "base/bytes.h"
#include "base/random.h"
#include "base/secret.h"
#include "crypto/keys.h"

namespace cloison::crypto {

/// Where a sealed value belongs. A value that is moved to another compartment, person, field,
/// record, schema version or key epoch does not open.
struct SealContext {
    std::string_view compartment;
    ByteView pseudonym;  ///< 16 bytes, of that compartment.
    std::string_view field;
    ByteView record;  ///< 16 bytes: the row's id.
    std::uint32_t schema_version;
    std::uint32_t epoch;
};

/// Sealed field v1, docs/formats/sealed-field.md:
///   version(1)=01 ‖ epoch(4) ‖ nonce(24) ‖ commitment(32) ‖ XChaCha20-Poly1305(padded plaintext)
/// The commitment makes the cipher key-committing; it is checked first, in constant time. Short
/// values are padded (one byte 80, then 00) to classes of length: 32, 64, 128, 256, 512, then
/// multiples of 1024; a value always leaves room for one byte of padding.
inline constexpr std::size_t kMaxSealedPlaintext = 65536;
/// What version, epoch, nonce, commitment and tag add to the padded plaintext.
constexpr std::size_t sealed_overhead() {
    return 1 + 4 + 24 + 32 + 16;
}
/// The length of a sealed field for a plaintext of that length.
std::size_t sealed_size(std::size_t plaintext_size);
/// kTooLarge beyond kMaxSealedPlaintext.
Result<Bytes> seal_field(const PersonKey& key, const SealContext& context, ByteView plaintext,
                         cloison::Random& random);
/// kCorrupt for anything but exactly what seal_field returned for the same key and context.
Result<Secret> open_field(const PersonKey& key, const SealContext& context, ByteView sealed);

/// The epoch that a sealed field names, to choose the key; kCorrupt if it is no sealed field v1.
Result<std::uint32_t> sealed_epoch(ByteView sealed);

}  // namespace cloison::crypto
