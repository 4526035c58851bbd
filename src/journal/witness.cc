#include "journal/witness.h"

#include <algorithm>

#include "base/log.h"
#include "crypto/keys.h"
#include "journal/cosignature.h"
#include "journal/merkle.h"
#include "journal/note_lines.h"
#include "journal/proof.h"
#include "journal/witness_request.h"

namespace cloison::journal {
namespace {

constexpr std::size_t kMaxKeysFile = 64 * 1024;

Path key_path(const Path& directory) {
    return directory / "witness.key";
}
Path vkey_path(const Path& directory) {
    return directory / "witness.vkey";
}
/// Files of a log are named by a hash: an origin may hold any character.
Path log_path(const Path& directory, std::string_view origin, const char* kind) {
    return directory / "logs" / (hex_encode(crypto::sha256({as_bytes(origin)})) + kind);
}
Path keys_path(const Path& directory, std::string_view origin) {
    return log_path(directory, origin, ".keys");
}
Path latest_path(const Path& directory, std::string_view origin) {
    return log_path(directory, origin, ".latest");
}

Status require_witness(FileSystem& files, const Path& directory) {
    CLOISON_TRY(const bool exists, files.exists(key_path(directory)));
    if (exists) return {};
    return fail(ErrorCode::kNotFound,
                directory.string() + " has no witness: make one with \"cloison witness init\".");
}

/// The vkey lines of a file of keys.
Result<std::vector<NoteVerifier>> parse_keys(ByteView bytes) {
    std::vector<NoteVerifier> keys;
    std::string_view rest = as_text(bytes);
    std::string_view line;
    while (take_line(rest, line)) {
        CLOISON_TRY(auto key, NoteVerifier::parse(line));
        keys.push_back(std::move(key));
    }
    return keys;
}

/// The keys of a log, none if it is not known.
Result<std::vector<NoteVerifier>> read_keys(FileSystem& files, const Path& directory,
                                            std::string_view origin) {
    const auto bytes = files.read_file(keys_path(directory, origin), kMaxKeysFile);
    if (!bytes && bytes.error().code == ErrorCode::kNotFound) return std::vector<NoteVerifier>();
    if (!bytes) return fail(bytes.error());
    return parse_keys(*bytes);
}

Status write_keys(FileSystem& files, const Path& directory, const std::vector<NoteVerifier>& keys) {
    std::string lines;
    for (const NoteVerifier& key : keys) lines += note_vkey(key.name, key.key) + "\n";
    return files.write_file_atomically(keys_path(directory, keys.front().name), as_bytes(lines),
                                       0600);
}

bool same_key(const NoteVerifier& a, const NoteVerifier& b) {
    return a.key_id == b.key_id && a.key == b.key;
}

/// Opened with any of the keys.
Result<Checkpoint> open_checkpoint(std::string_view note, const std::vector<NoteVerifier>& keys) {
    Error error{ErrorCode::kUnauthenticated, "The log has no key."};
    for (const NoteVerifier& key : keys) {
        const auto text = open_note(note, key);
        if (text) return Checkpoint::parse(*text);
        error = text.error();
    }
    return fail(std::move(error));
}

std::string empty_state(std::string_view origin) {
    return Checkpoint{std::string(origin), 0, empty_root()}.text();
}

/// What was cosigned last, as it was submitted; before the first time the text of an empty log.
/// kCorrupt rather than a guess where it is missing or does not fit.
Result<Checkpoint> read_latest(FileSystem& files, const Path& directory, const std::string& origin,
                               const std::vector<NoteVerifier>& keys) {
    const Path path = latest_path(directory, origin);
    const auto corrupt = [&path](const std::string& why) {
        return fail(ErrorCode::kCorrupt, path.string() + ": " + why);
    };
    const auto bytes = files.read_file(path, WitnessRequest::kMaxBytes);
    if (!bytes) return corrupt(bytes.error().message);
    if (as_text(*bytes) == empty_state(origin)) return Checkpoint{origin, 0, empty_root()};
    auto checkpoint = open_checkpoint(as_text(*bytes), keys);
    if (!checkpoint) return corrupt(checkpoint.error().message);
    if (checkpoint->origin != origin) return corrupt("It is the checkpoint of another log.");
    return checkpoint;
}

Witness::Answer refuse(int status, std::string words) {
    return {status, "text/plain; charset=utf-8", std::move(words) + "\n"};
}

Witness::Answer conflict(std::uint64_t size) {
    return {409, "text/x.tlog.size", std::to_string(size) + "\n"};
}

/// Nothing was cosigned; the operator reads why.
Witness::Answer cannot(const Error& error) {
    log_error(error.message);
    return refuse(503, "This witness cannot read or store what it has seen. Nothing was cosigned.");
}

}  // namespace

/// A request whose signature is good.
struct Witness::Submitted {
    WitnessRequest request;
    std::string_view text;
    Checkpoint checkpoint;
    std::vector<NoteVerifier> keys;
};

Status Witness::create(FileSystem& files, const Path& directory, std::string_view name,
                       Random& random) {
    crypto::initialize();
    CLOISON_TRY(const bool exists, files.exists(key_path(directory)));
    if (exists)
        return fail(ErrorCode::kConflict,
                    key_path(directory).string() + " exists already; nothing was changed.");
    Bytes any_seed(crypto::kKeySize, 1);
    const auto any_key = crypto::SigningKey::from_seed(any_seed).verify_key();
    if (name.size() > kMaxName || !WitnessVerifier::parse(witness_vkey(name, any_key)))
        return fail(ErrorCode::kInvalidArgument,
                    "A witness's name is like \"example.org/w1\": 1 to 128 bytes without spaces "
                    "and '+'.");
    CLOISON_TRY_STATUS(files.create_directories(directory / "logs"));
    CLOISON_TRY_STATUS(crypto::create_key_file(files, key_path(directory), random));
    CLOISON_TRY(const auto seed, crypto::load_key_file(files, key_path(directory)));
    const auto key = crypto::SigningKey::from_seed(seed.view()).verify_key();
    return files.write_file_atomically(vkey_path(directory),
                                       as_bytes(witness_vkey(name, key) + "\n"), 0644);
}

Result<Witness::AddedLog> Witness::add_log(FileSystem& files, const Path& directory,
                                           std::string_view vkey, Keys allowed) {
    crypto::initialize();
    CLOISON_TRY(const auto added, NoteVerifier::parse(vkey));
    CLOISON_TRY_STATUS(require_witness(files, directory));
    CLOISON_TRY(const auto alone, files.lock_file(directory / "add-log.lock"));
    CLOISON_TRY(auto keys, read_keys(files, directory, added.name));
    const auto same = [&added](const NoteVerifier& key) { return same_key(key, added); };
    if (std::any_of(keys.begin(), keys.end(), same)) return AddedLog{added.name, true};
    if (!keys.empty() && allowed == Keys::kOne)
        return fail(ErrorCode::kConflict,
                    "This witness knows " + added.name +
                        " with another key. If it is the journal of another body, it needs an "
                        "origin of its own; if it is the same with one key more, say --also.");
    if (keys.size() == kMaxKeys) return fail(ErrorCode::kTooLarge, "The log has 16 keys already.");
    keys.push_back(added);
    // The state first: a log that is known always has one, so a missing one is never an empty log.
    CLOISON_TRY(const bool has_state, files.exists(latest_path(directory, added.name)));
    if (!has_state)
        CLOISON_TRY_STATUS(files.write_file_atomically(latest_path(directory, added.name),
                                                       as_bytes(empty_state(added.name)), 0600));
    else if (!read_latest(files, directory, added.name, keys))
        return fail(ErrorCode::kConflict,
                    "This witness has cosigned a checkpoint of " + added.name +
                        " before, under another key: a log with this key needs another origin.");
    CLOISON_TRY_STATUS(write_keys(files, directory, keys));
    return AddedLog{added.name, false};
}

Result<std::vector<Witness::KnownLog>> Witness::logs(FileSystem& files, const Path& directory) {
    CLOISON_TRY_STATUS(require_witness(files, directory));
    CLOISON_TRY(const auto names, files.list(directory / "logs"));
    std::vector<KnownLog> known;
    for (const std::string& name : names) {
        if (name.starts_with('.') || !name.ends_with(".keys")) continue;
        CLOISON_TRY(const auto bytes, files.read_file(directory / "logs" / name, kMaxKeysFile));
        CLOISON_TRY(const auto keys, parse_keys(bytes));
        if (keys.empty()) continue;
        const std::string& origin = keys.front().name;
        const auto latest = read_latest(files, directory, origin, keys);
        KnownLog log{origin, {}, 0};
        if (latest)
            log.cosigned = latest->size;
        else
            log.cosigned = fail(latest.error());
        for (const NoteVerifier& key : keys) log.vkeys.push_back(note_vkey(key.name, key.key));
        known.push_back(std::move(log));
    }
    std::sort(known.begin(), known.end(),
              [](const KnownLog& a, const KnownLog& b) { return a.origin < b.origin; });
    return known;
}

Result<std::string> Witness::remove_log(FileSystem& files, const Path& directory,
                                        std::string_view origin_or_vkey) {
    crypto::initialize();
    CLOISON_TRY_STATUS(require_witness(files, directory));
    CLOISON_TRY(const auto alone, files.lock_file(directory / "add-log.lock"));
    const auto one = NoteVerifier::parse(origin_or_vkey);
    const std::string origin = one ? one->name : std::string(origin_or_vkey);
    CLOISON_TRY(auto keys, read_keys(files, directory, origin));
    const std::size_t before = keys.size();
    std::erase_if(keys, [&one](const NoteVerifier& key) { return !one || same_key(key, *one); });
    if (keys.size() == before)
        return fail(ErrorCode::kNotFound,
                    one ? "This witness does not know that key."
                        : "This witness does not know a log " + origin +
                              ": \"cloison witness list-logs\" says which it knows.");
    if (!keys.empty()) {
        if (!read_latest(files, directory, origin, keys))
            return fail(ErrorCode::kConflict,
                        "The checkpoint of " + origin +
                            " that was cosigned last is signed with that key alone: it cannot be "
                            "removed before the log has shown one with another key.");
        CLOISON_TRY_STATUS(write_keys(files, directory, keys));
        return origin;
    }
    CLOISON_TRY_STATUS(files.remove(keys_path(directory, origin)));
    CLOISON_TRY_STATUS(files.sync_directory(directory / "logs"));
    return origin;
}

Result<std::string> Witness::vkey(FileSystem& files, const Path& directory) {
    CLOISON_TRY_STATUS(require_witness(files, directory));
    CLOISON_TRY(const auto bytes, files.read_file(vkey_path(directory), 4096));
    std::string_view rest = as_text(bytes);
    std::string_view line;
    if (!take_line(rest, line) || !rest.empty())
        return fail(ErrorCode::kCorrupt, vkey_path(directory).string() + " is not one line.");
    return std::string(line);
}

Witness::Witness(FileSystem& files, Path directory, const Clock& clock, std::string name,
                 crypto::SigningKey key, std::unique_ptr<FileLock> file_lock)
    : files_(files),
      directory_(std::move(directory)),
      clock_(clock),
      name_(std::move(name)),
      key_(std::move(key)),
      file_lock_(std::move(file_lock)) {}

Result<std::unique_ptr<Witness>> Witness::open(FileSystem& files, const Path& directory,
                                               const Clock& clock) {
    crypto::initialize();
    CLOISON_TRY_STATUS(require_witness(files, directory));
    CLOISON_TRY(const auto seed, crypto::load_key_file(files, key_path(directory)));
    auto key = crypto::SigningKey::from_seed(seed.view());
    CLOISON_TRY(const auto line, vkey(files, directory));
    CLOISON_TRY(const auto verifier, WitnessVerifier::parse(line));
    if (verifier.key != key.verify_key())
        return fail(ErrorCode::kCorrupt,
                    "witness.vkey in " + directory.string() + " is not that of the key beside it.");
    auto file_lock = files.lock_file(directory / "lock");
    if (!file_lock && file_lock.error().code == ErrorCode::kConflict)
        return fail(ErrorCode::kConflict, "A witness runs in " + directory.string() + " already.");
    if (!file_lock) return fail(file_lock.error());
    return std::unique_ptr<Witness>(
        new Witness(files, directory, clock, verifier.name, std::move(key), std::move(*file_lock)));
}

Witness::Answer Witness::add_checkpoint(std::string_view body) {
    Submitted submitted;
    auto request = WitnessRequest::parse(body);
    if (!request && request.error().code == ErrorCode::kTooLarge)
        return refuse(413, request.error().message);
    if (!request) return refuse(400, request.error().message);
    submitted.request = std::move(*request);
    const auto note = split_note(submitted.request.note);
    if (!note) return refuse(400, note.error().message);
    submitted.text = note->text;
    const auto claimed = Checkpoint::parse(note->text);
    if (!claimed) return refuse(400, claimed.error().message);

    auto keys = read_keys(files_, directory_, claimed->origin);
    if (!keys) return cannot(keys.error());
    if (keys->empty()) return refuse(404, "This witness does not know a log of that origin.");
    submitted.keys = std::move(*keys);
    auto checkpoint = open_checkpoint(submitted.request.note, submitted.keys);
    if (!checkpoint) return refuse(403, checkpoint.error().message);
    submitted.checkpoint = std::move(*checkpoint);
    if (submitted.request.old_size > submitted.checkpoint.size)
        return refuse(400, "The old size is beyond that of the checkpoint.");

    const std::lock_guard lock(mutex_);
    return take(submitted);
}

Witness::Answer Witness::take(const Submitted& submitted) {
    const Checkpoint& checkpoint = submitted.checkpoint;
    const auto latest = read_latest(files_, directory_, checkpoint.origin, submitted.keys);
    if (!latest) return cannot(latest.error());
    if (submitted.request.old_size != latest->size) return conflict(latest->size);
    if (checkpoint.size == latest->size && checkpoint.root != latest->root) {
        log_warning("A log shows two trees of one size: " + checkpoint.origin + '.');
        return conflict(latest->size);
    }
    if (auto fits = verify_consistency(latest->size, latest->root, checkpoint.size, checkpoint.root,
                                       submitted.request.proof);
        !fits) {
        log_warning("A log shows a tree that does not fit the last one: " + checkpoint.origin +
                    '.');
        return refuse(422, fits.error().message);
    }
    // Also where it is what was stored before: what was read back need not be on the disk yet.
    const auto stored = files_.write_file_atomically(latest_path(directory_, checkpoint.origin),
                                                     as_bytes(submitted.request.note), 0600);
    if (!stored) return cannot(stored.error());
    return {200, "text/plain; charset=utf-8", cosign(submitted.text, name_, key_, clock_.now())};
}

}  // namespace cloison::journal
