#include "keeper/root_key.h"

#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>

#include "crypto/pae.h"
#include "crypto/pkcs11.h"

namespace cloison::keeper {
namespace {

using Kind = RootKeySource::Kind;

constexpr std::string_view kHeader = "cloison-root v1\n";
constexpr std::size_t kWrappedSize = kHeader.size() + crypto::kKeySize + crypto::kTokenOverhead;
constexpr std::size_t kMaxPin = 256;
constexpr std::size_t kMaxKeyFile = 256;  ///< More than either form has.

Path file_path(const Path& directory) {
    return directory / "root.key";
}
Path wrapped_path(const Path& directory) {
    return directory / "root.wrapped";
}
Path path_of(const Path& directory, Kind kind) {
    return kind == Kind::kFile ? file_path(directory) : wrapped_path(directory);
}

Bytes context() {
    return crypto::pre_auth_encode({as_bytes("cloison/keeper/v1/root")});
}

crypto::TokenKey token_key(const RootKeySource& source) {
    return {source.module, source.token, source.key};
}

Result<Secret> load_pin(FileSystem& files, const Path& path) {
    auto mode = files.mode(path);
    if (!mode)
        return fail(mode.error().code,
                    "The PIN file " + path.string() + " cannot be read: is pkcs11_pin_file right?");
    if ((*mode & 077) != 0)
        return fail(ErrorCode::kPermissionDenied,
                    "The PIN file " + path.string() +
                        " may be read by others: only its owner may have access (chmod 600).");
    CLOISON_TRY(auto bytes, files.read_file(path, kMaxPin));
    const Secret text(std::move(bytes));
    std::size_t size = text.size();
    while (size > 0 && (text.view()[size - 1] == '\n' || text.view()[size - 1] == '\r')) --size;
    if (size == 0)
        return fail(ErrorCode::kInvalidArgument, "The PIN file " + path.string() + " is empty.");
    return Secret(text.view().first(size));
}

Result<crypto::RootKey> load_from_file(FileSystem& files, const Path& directory) {
    auto bytes = crypto::load_key_file(files, file_path(directory));
    if (!bytes && bytes.error().code == ErrorCode::kNotFound)
        return fail(ErrorCode::kNotFound,
                    "The root key " + file_path(directory).string() +
                        " is missing: restore it from keys.escrow, or set keeper.root_key = "
                        "\"pkcs11\" if it is in a token.");
    if (!bytes) return fail(bytes.error());
    return crypto::RootKey::from_bytes(bytes->view());
}

Result<crypto::RootKey> load_from_token(FileSystem& files, const Path& directory,
                                        const RootKeySource& source) {
    const Path path = wrapped_path(directory);
    auto wrapped = files.read_file(path, kWrappedSize);
    const auto changed = [&] {
        return fail(ErrorCode::kCorrupt,
                    path.string() + " was changed, or was made with another key than \"" +
                        source.key + "\" of the token \"" + source.token +
                        "\": restore the file, or name the right token and key.");
    };
    if (!wrapped) {
        if (wrapped.error().code == ErrorCode::kTooLarge) return changed();
        if (wrapped.error().code != ErrorCode::kNotFound) return fail(wrapped.error());
        return fail(ErrorCode::kNotFound,
                    path.string() +
                        " is missing: restore it, or set keeper.root_key = \"file\" if the root "
                        "key is in root.key.");
    }
    if (wrapped->size() != kWrappedSize ||
        as_text(ByteView(*wrapped).first(kHeader.size())) != kHeader)
        return changed();
    CLOISON_TRY(const auto pin, load_pin(files, source.pin_file));
    auto root = crypto::token_decrypt(token_key(source), pin,
                                      ByteView(*wrapped).subspan(kHeader.size()), context());
    if (!root && root.error().code == ErrorCode::kCorrupt) return changed();
    if (!root) return fail(root.error());
    return crypto::RootKey::from_bytes(root->view());
}

/// What there is without a look at what else lies there.
Result<crypto::RootKey> load_from(FileSystem& files, const Path& directory,
                                  const RootKeySource& source) {
    if (source.kind == Kind::kFile) return load_from_file(files, directory);
    return load_from_token(files, directory, source);
}

/// Whether a crash came between overwriting the file and removing it: it holds nothing any more.
Result<bool> is_overwritten(FileSystem& files, const Path& path) {
    auto content = files.read_file(path, kMaxKeyFile);
    if (!content) {
        if (content.error().code == ErrorCode::kTooLarge) return false;
        return fail(content.error());
    }
    const Secret held(std::move(*content));
    const ByteView bytes = held.view();
    return std::all_of(bytes.begin(), bytes.end(), [](std::uint8_t byte) { return byte == 0; });
}

Status write(FileSystem& files, const Path& directory, const crypto::RootKey& root,
             const RootKeySource& target, Random& random) {
    if (target.kind == Kind::kFile) {
        std::string text = hex_encode(root.view()) + '\n';
        auto written = files.write_file_atomically(file_path(directory), as_bytes(text), 0600);
        wipe(text);
        return written;
    }
    CLOISON_TRY(const auto pin, load_pin(files, target.pin_file));
    CLOISON_TRY_STATUS(crypto::create_token_key(token_key(target), pin));
    CLOISON_TRY(const auto box,
                crypto::token_encrypt(token_key(target), pin, root.view(), context(), random));
    Bytes content = to_bytes(kHeader);
    content.insert(content.end(), box.begin(), box.end());
    return files.write_file_atomically(wrapped_path(directory), content, 0600);
}

/// The caller syncs the directory.
Status shred(FileSystem& files, const Path& path) {
    CLOISON_TRY(auto file, files.open(path, false));
    CLOISON_TRY(const auto size, file->size());
    CLOISON_TRY_STATUS(file->write_at(0, Bytes(static_cast<std::size_t>(size))));
    CLOISON_TRY_STATUS(file->sync_data());
    return files.remove(path);
}

}  // namespace

LockedRootKey::LockedRootKey(crypto::RootKey key) : key_(std::move(key)) {
    const auto page = static_cast<std::uintptr_t>(::sysconf(_SC_PAGESIZE));
    const ByteView bytes = key_.view();
    // Advice is for whole pages: from the beginning of the one in which the key begins.
    const std::size_t before = reinterpret_cast<std::uintptr_t>(bytes.data()) % page;
    void* const at = const_cast<std::uint8_t*>(bytes.data()) - before;
    // A limit of nought on locked memory is no reason not to start.
    (void)::mlock(at, before + bytes.size());
    (void)::madvise(at, before + bytes.size(), MADV_DONTDUMP);
}

LockedRootKey::~LockedRootKey() = default;

Status create_root_key(FileSystem& files, const Path& directory, const RootKeySource& source,
                       Random& random) {
    for (const Kind kind : {Kind::kFile, Kind::kPkcs11}) {
        CLOISON_TRY(const bool exists, files.exists(path_of(directory, kind)));
        if (exists)
            return fail(ErrorCode::kConflict,
                        "The key file " + path_of(directory, kind).string() + " exists already.");
    }
    const LockedRootKey root(crypto::RootKey::random(random));
    return write(files, directory, root.key(), source, random);
}

Result<LockedRootKey> load_root_key(FileSystem& files, const Path& directory,
                                    const RootKeySource& source) {
    if (source.kind == Kind::kFile) {
        CLOISON_TRY(auto root, load_from_file(files, directory));
        return LockedRootKey(std::move(root));
    }
    CLOISON_TRY(const bool in_clear, files.exists(file_path(directory)));
    if (in_clear)
        return fail(ErrorCode::kConflict,
                    "The root key is to be in a token, but " + file_path(directory).string() +
                        " is still there: run \"cloison keeper move-root --to pkcs11\".");
    CLOISON_TRY(auto root, load_from_token(files, directory, source));
    return LockedRootKey(std::move(root));
}

Status copy_root_key(FileSystem& files, const Path& directory, const RootKeySource& from,
                     const RootKeySource& to, Random& random) {
    CLOISON_TRY(auto taken, load_from(files, directory, from));
    const LockedRootKey root(std::move(taken));
    const Path target = path_of(directory, to.kind);
    CLOISON_TRY(const bool exists, files.exists(target));
    bool is_there = exists;
    if (exists) {
        CLOISON_TRY(const bool overwritten, is_overwritten(files, target));
        is_there = !overwritten;
    }
    if (!is_there) CLOISON_TRY_STATUS(write(files, directory, root.key(), to, random));
    CLOISON_TRY(const auto copy, load_from(files, directory, to));
    if (equal_constant_time(copy.view(), root.key().view())) return {};
    return fail(ErrorCode::kConflict, target.string() + " holds another root key: move it away.");
}

Status end_root_key_move(FileSystem& files, const Path& directory, const RootKeySource& from,
                         const RootKeySource& to, Random& random) {
    CLOISON_TRY(const bool overwritten, is_overwritten(files, path_of(directory, from.kind)));
    if (overwritten) {
        // There is nothing left to compare with; that the new form opens must do.
        const auto opened = load_from(files, directory, to);
        if (!opened) return fail(opened.error());
    } else {
        CLOISON_TRY_STATUS(copy_root_key(files, directory, from, to, random));
    }
    return forget_root_key(files, directory, from.kind);
}

Status forget_root_key(FileSystem& files, const Path& directory, Kind kind) {
    const Path path = path_of(directory, kind);
    // A crash while the key was written may have left a copy beside it, under a passing name.
    const std::string beside = '.' + path.filename().string() + '.';
    CLOISON_TRY(const auto names, files.list(directory));
    for (const auto& name : names)
        if (name.starts_with(beside) && name.ends_with(".tmp"))
            CLOISON_TRY_STATUS(shred(files, directory / name));
    CLOISON_TRY_STATUS(shred(files, path));
    return files.sync_directory(directory);
}

}  // namespace cloison::keeper
