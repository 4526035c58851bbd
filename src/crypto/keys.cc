#include "crypto/keys.h"

#include <cstdio>

#include "crypto/hash.h"

namespace cloison::crypto {
namespace {

constexpr unsigned kKeyFileMode = 0600;
constexpr unsigned kGroupAndOthers = 0077;
constexpr std::size_t kKeyFileSize = 2 * kKeySize + 1;

std::string octal(unsigned mode) {
    char text[16];
    std::snprintf(text, sizeof text, "%04o", mode);
    return text;
}

tl::unexpected<Error> malformed(const Path& path) {
    return fail(ErrorCode::kCorrupt, "The key file " + path.string() +
                                         " does not hold 64 hexadecimal digits and a newline.");
}

}  // namespace

Bytes derive_bytes(ByteView root, std::string_view context) {
    return keyed_hash(root, as_bytes(context), kKeySize);
}

Result<Secret> load_key_file(FileSystem& files, const Path& path) {
    CLOISON_TRY(const unsigned mode, files.mode(path));
    if ((mode & kGroupAndOthers) != 0)
        return fail(ErrorCode::kPermissionDenied,
                    "The key file " + path.string() + " has mode " + octal(mode) +
                        ": only its owner may have access (chmod 600).");
    auto content = files.read_file(path, kKeyFileSize);
    if (!content && content.error().code == ErrorCode::kTooLarge) return malformed(path);
    CLOISON_TRY(const Secret text,
                content.map([](Bytes& bytes) { return Secret(std::move(bytes)); }));
    if (text.size() != kKeyFileSize || !text.text().ends_with('\n')) return malformed(path);
    auto key = hex_decode(text.text().substr(0, 2 * kKeySize));
    if (!key) return malformed(path);
    return Secret(std::move(*key));
}

Status create_key_file(FileSystem& files, const Path& path, cloison::Random& random) {
    CLOISON_TRY(const bool exists, files.exists(path));
    if (exists)
        return fail(ErrorCode::kConflict, "The key file " + path.string() + " exists already.");
    Bytes key(kKeySize);
    random.fill(key);
    const Secret secret(std::move(key));
    std::string text = hex_encode(secret.view()) + '\n';
    auto written = files.write_file_atomically(path, as_bytes(text), kKeyFileMode);
    wipe(text);
    return written;
}

}  // namespace cloison::crypto
