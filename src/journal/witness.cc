#include "journal/witness.h"

#include <algorithm>
#include <chrono>
#include <optional>
#include <thread>

#include "base/log.h"
#include "crypto/keys.h"
#include "journal/merkle.h"
#include "journal/note_lines.h"
#include "journal/proof.h"
#include "journal/witness_request.h"

namespace cloison::journal {
namespace {

constexpr std::size_t kMaxKeysFile = 64 * 1024;
constexpr std::size_t kMaxVkeyFile = 4096;
/// A note as it was submitted, and a line of the witness's own, which begins with its name.
constexpr std::size_t kMaxLatest = WitnessRequest::kMaxBytes + 2 * kMaxVkeyFile;

/// The lock is held for one request or one change of keys, a few milliseconds.
constexpr int kLockTries = 1'000;
constexpr std::chrono::milliseconds kLockNap{1};

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
    CLOISON_TRY(const bool has_key, files.exists(key_path(directory)));
    if (!has_key)
        return fail(
            ErrorCode::kNotFound,
            directory.string() + " has no witness: make one with \"cloison witness init\".");
    CLOISON_TRY(const bool has_vkey, files.exists(vkey_path(directory)));
    if (!has_vkey)
        return fail(ErrorCode::kNotFound, directory.string() +
                                              " has a key, but the witness has no name yet: "
                                              "\"cloison witness init\" gives it one.");
    return {};
}

/// Whoever has it is alone, in all processes, to change which keys are trusted or to judge a
/// request by them. kConflict if it does not become free.
Result<std::unique_ptr<FileLock>> lock_keys(FileSystem& files, const Path& directory) {
    for (int tries = 1;; ++tries) {
        auto lock = files.lock_file(directory / "keys.lock");
        if (lock || lock.error().code != ErrorCode::kConflict || tries == kLockTries) return lock;
        std::this_thread::sleep_for(kLockNap);
    }
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

/// Whether one of the keys signed the note. kUnauthenticated also where a line has the name and id
/// of one and does not fit, whatever the other lines say (C2SP signed-note).
Status authenticate(const NoteParts& note, const std::vector<NoteVerifier>& keys) {
    bool verified = false;
    for (const SignatureLine& line : note.signatures) {
        bool known = false;
        bool fits = false;
        for (const NoteVerifier& key : keys) {
            if (line.name != key.name || line.key_id != key.key_id) continue;
            known = true;
            fits = fits || key.key.verify(as_bytes(note.text), line.signature);
        }
        if (known && !fits)
            return fail(ErrorCode::kUnauthenticated, "The signature of " +
                                                         key_label(line.name, line.key_id) +
                                                         " does not fit the note.");
        verified = verified || fits;
    }
    if (verified) return {};
    return fail(ErrorCode::kUnauthenticated,
                "The note is not signed with a key that this witness knows.");
}

std::string empty_state(std::string_view origin) {
    return Checkpoint{std::string(origin), 0, empty_root()}.text();
}

/// What was cosigned last; before the first time a log of no entries.
struct Latest {
    Checkpoint checkpoint;
    std::string note;  ///< As it was submitted; empty before the first time.
};

/// The content of a file .latest: the witness's own signature is over the whole note. No log can
/// have it sign that in an answer: the text of a checkpoint has no empty line.
std::string latest_text(const std::string& note, const WitnessVerifier& own,
                        const crypto::SigningKey& key, Time now) {
    return note + '\n' + cosign(note, own.name, key, now);
}

Result<Latest> parse_latest(std::string_view text, const WitnessVerifier& own) {
    const auto nothing = Checkpoint::parse(text);
    if (nothing && text == empty_state(nothing->origin)) return Latest{*nothing, {}};
    CLOISON_TRY_STATUS(cosigned_at(text, own));
    CLOISON_TRY(const auto whole, split_note(text));
    CLOISON_TRY(const auto submitted, split_note(whole.text));
    CLOISON_TRY(auto checkpoint, Checkpoint::parse(submitted.text));
    return Latest{std::move(checkpoint), std::string(whole.text)};
}

/// By the witness's own key, so that it knows what it has seen whichever keys of the log it trusts.
/// kCorrupt rather than a guess where it is missing or does not fit.
Result<Latest> read_latest(FileSystem& files, const Path& directory, const std::string& origin,
                           const WitnessVerifier& own) {
    const Path path = latest_path(directory, origin);
    const auto corrupt = [&path](const std::string& why) {
        return fail(ErrorCode::kCorrupt, path.string() + ": " + why);
    };
    const auto bytes = files.read_file(path, kMaxLatest);
    if (!bytes) return corrupt(bytes.error().message);
    auto latest = parse_latest(as_text(*bytes), own);
    if (!latest) return corrupt(latest.error().message);
    if (latest->checkpoint.origin != origin) return corrupt("It is the checkpoint of another log.");
    return latest;
}

Result<WitnessVerifier> read_own(FileSystem& files, const Path& directory) {
    CLOISON_TRY(const auto line, Witness::vkey(files, directory));
    return WitnessVerifier::parse(line);
}

/// kConflict if a witness of another key or name has seen logs there: this one could read nothing
/// of it. `own` is none if there is no key yet.
Status require_own_memory(FileSystem& files, const Path& directory,
                          const std::optional<WitnessVerifier>& own) {
    CLOISON_TRY(const auto names, files.list(directory / "logs"));
    for (const std::string& name : names) {
        if (name.starts_with('.') || !name.ends_with(".latest")) continue;
        CLOISON_TRY(const auto bytes, files.read_file(directory / "logs" / name, kMaxLatest));
        if (own && parse_latest(as_text(bytes), *own)) continue;
        return fail(ErrorCode::kConflict,
                    (directory / "logs").string() +
                        (own ? " cannot be read under this name: the witness had another."
                             : " is of a witness whose key is not there: put that back, or make a "
                               "new witness in a directory of its own."));
    }
    return {};
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

/// A request that is well-formed; the note is a part of it.
struct Witness::Submitted {
    WitnessRequest request;
    NoteParts note;
    Checkpoint checkpoint;
};

Result<Witness::Made> Witness::create(FileSystem& files, const Path& directory,
                                      std::string_view name, Random& random) {
    crypto::initialize();
    Bytes any_seed(crypto::kKeySize, 1);
    const auto any_key = crypto::SigningKey::from_seed(any_seed).verify_key();
    if (name.size() > kMaxName || !WitnessVerifier::parse(witness_vkey(name, any_key)))
        return fail(ErrorCode::kInvalidArgument,
                    "A witness's name is like \"example.org/w1\": 1 to 128 bytes without spaces "
                    "and '+'.");
    CLOISON_TRY_STATUS(files.create_directories(directory / "logs"));
    // They may be there since a process that died before it had synced their names.
    CLOISON_TRY_STATUS(files.sync_directory(directory));
    if (directory.has_parent_path())
        CLOISON_TRY_STATUS(files.sync_directory(directory.parent_path()));
    CLOISON_TRY(const auto alone, lock_keys(files, directory));
    CLOISON_TRY(const bool has_key, files.exists(key_path(directory)));
    CLOISON_TRY(const bool has_vkey, files.exists(vkey_path(directory)));
    if (has_key && has_vkey)
        return fail(ErrorCode::kConflict,
                    key_path(directory).string() + " exists already; nothing was changed.");
    if (!has_key) {
        CLOISON_TRY_STATUS(require_own_memory(files, directory, std::nullopt));
        CLOISON_TRY_STATUS(crypto::create_key_file(files, key_path(directory), random));
    }
    CLOISON_TRY(const auto seed, crypto::load_key_file(files, key_path(directory)));
    const auto key = crypto::SigningKey::from_seed(seed.view()).verify_key();
    const std::string line = witness_vkey(name, key);
    if (has_key) {
        CLOISON_TRY(const auto own, WitnessVerifier::parse(line));
        CLOISON_TRY_STATUS(require_own_memory(files, directory, own));
        // The key that was found need not be on the disk yet, and nobody may be told of it before.
        CLOISON_TRY_STATUS(files.sync_directory(directory));
    }
    CLOISON_TRY_STATUS(
        files.write_file_atomically(vkey_path(directory), as_bytes(line + "\n"), 0644));
    return has_key ? Made::kWithTheKeyThatWasThere : Made::kWithANewKey;
}

Result<Witness::AddedLog> Witness::add_log(FileSystem& files, const Path& directory,
                                           std::string_view vkey, Keys allowed) {
    crypto::initialize();
    CLOISON_TRY(const auto added, NoteVerifier::parse(vkey));
    CLOISON_TRY(const auto own, read_own(files, directory));
    CLOISON_TRY(const auto alone, lock_keys(files, directory));
    CLOISON_TRY(auto keys, read_keys(files, directory, added.name));
    const auto same = [&added](const NoteVerifier& key) { return same_key(key, added); };
    if (std::any_of(keys.begin(), keys.end(), same)) return AddedLog{added.name, true};
    if (!keys.empty() && allowed == Keys::kOne)
        return fail(ErrorCode::kConflict,
                    "This witness knows " + added.name +
                        " with another key. If it is the journal of another body, it needs an "
                        "origin of its own; if it is the same with one key more, say --also.");
    if (keys.size() == kMaxKeys) return fail(ErrorCode::kTooLarge, "The log has 16 keys already.");
    // The state first: a log that is known always has one, so a missing one is never an empty log.
    CLOISON_TRY(const bool has_state, files.exists(latest_path(directory, added.name)));
    if (!has_state && keys.empty()) {
        CLOISON_TRY_STATUS(files.write_file_atomically(latest_path(directory, added.name),
                                                       as_bytes(empty_state(added.name)), 0600));
    } else {
        CLOISON_TRY(const auto latest, read_latest(files, directory, added.name, own));
        const bool its_own = latest.note.empty() || open_note(latest.note, added);
        if (keys.empty() && !its_own && allowed == Keys::kOne)
            return fail(ErrorCode::kConflict,
                        "This witness has cosigned a checkpoint of " + added.name +
                            " before, under another key. If this is the journal of another body, "
                            "it needs an origin of its own; if it is the same with a new key, say "
                            "--also.");
    }
    keys.push_back(added);
    CLOISON_TRY_STATUS(write_keys(files, directory, keys));
    return AddedLog{added.name, false};
}

Result<std::vector<Witness::KnownLog>> Witness::logs(FileSystem& files, const Path& directory) {
    CLOISON_TRY(const auto own, read_own(files, directory));
    CLOISON_TRY(const auto names, files.list(directory / "logs"));
    std::vector<KnownLog> known;
    for (const std::string& name : names) {
        if (name.starts_with('.') || !name.ends_with(".keys")) continue;
        CLOISON_TRY(const auto bytes, files.read_file(directory / "logs" / name, kMaxKeysFile));
        CLOISON_TRY(const auto keys, parse_keys(bytes));
        if (keys.empty()) continue;
        const std::string& origin = keys.front().name;
        const auto latest = read_latest(files, directory, origin, own);
        KnownLog log{origin, {}, 0};
        if (latest)
            log.cosigned = latest->checkpoint.size;
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
    CLOISON_TRY(const auto alone, lock_keys(files, directory));
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
        CLOISON_TRY_STATUS(write_keys(files, directory, keys));
        return origin;
    }
    CLOISON_TRY_STATUS(files.remove(keys_path(directory, origin)));
    CLOISON_TRY_STATUS(files.sync_directory(directory / "logs"));
    return origin;
}

Result<std::string> Witness::vkey(FileSystem& files, const Path& directory) {
    CLOISON_TRY_STATUS(require_witness(files, directory));
    CLOISON_TRY(const auto bytes, files.read_file(vkey_path(directory), kMaxVkeyFile));
    std::string_view rest = as_text(bytes);
    std::string_view line;
    if (!take_line(rest, line) || !rest.empty())
        return fail(ErrorCode::kCorrupt, vkey_path(directory).string() + " is not one line.");
    return std::string(line);
}

Witness::Witness(FileSystem& files, Path directory, const Clock& clock, WitnessVerifier own,
                 crypto::SigningKey key, std::unique_ptr<FileLock> file_lock)
    : files_(files),
      directory_(std::move(directory)),
      clock_(clock),
      own_(std::move(own)),
      key_(std::move(key)),
      file_lock_(std::move(file_lock)) {}

Result<std::unique_ptr<Witness>> Witness::open(FileSystem& files, const Path& directory,
                                               const Clock& clock) {
    crypto::initialize();
    CLOISON_TRY_STATUS(require_witness(files, directory));
    CLOISON_TRY(const auto seed, crypto::load_key_file(files, key_path(directory)));
    auto key = crypto::SigningKey::from_seed(seed.view());
    CLOISON_TRY(auto own, read_own(files, directory));
    if (own.key != key.verify_key())
        return fail(ErrorCode::kCorrupt,
                    "witness.vkey in " + directory.string() + " is not that of the key beside it.");
    auto file_lock = files.lock_file(directory / "lock");
    if (!file_lock && file_lock.error().code == ErrorCode::kConflict)
        return fail(ErrorCode::kConflict, "A witness runs in " + directory.string() + " already.");
    if (!file_lock) return fail(file_lock.error());
    return std::unique_ptr<Witness>(new Witness(files, directory, clock, std::move(own),
                                                std::move(key), std::move(*file_lock)));
}

Witness::Answer Witness::add_checkpoint(std::string_view body) {
    Submitted submitted;
    auto request = WitnessRequest::parse(body);
    if (!request && request.error().code == ErrorCode::kTooLarge)
        return refuse(413, request.error().message);
    if (!request) return refuse(400, request.error().message);
    submitted.request = std::move(*request);
    auto note = split_note(submitted.request.note);
    if (!note) return refuse(400, note.error().message);
    submitted.note = std::move(*note);
    auto checkpoint = Checkpoint::parse(submitted.note.text);
    if (!checkpoint) return refuse(400, checkpoint.error().message);
    submitted.checkpoint = std::move(*checkpoint);

    const std::lock_guard lock(mutex_);
    // A key that was removed judges nothing afterwards, however long the request waited.
    const auto alone = lock_keys(files_, directory_);
    if (!alone) return cannot(alone.error());
    const auto keys = read_keys(files_, directory_, submitted.checkpoint.origin);
    if (!keys) return cannot(keys.error());
    if (keys->empty()) return refuse(404, "This witness does not know a log of that origin.");
    if (const auto known = authenticate(submitted.note, *keys); !known)
        return refuse(403, known.error().message);
    if (submitted.request.old_size > submitted.checkpoint.size)
        return refuse(400, "The old size is beyond that of the checkpoint.");
    return take(submitted);
}

Witness::Answer Witness::take(const Submitted& submitted) {
    const Checkpoint& checkpoint = submitted.checkpoint;
    const auto stored_last = read_latest(files_, directory_, checkpoint.origin, own_);
    if (!stored_last) return cannot(stored_last.error());
    const Checkpoint& latest = stored_last->checkpoint;
    if (submitted.request.old_size != latest.size) return conflict(latest.size);
    if (checkpoint.size == latest.size && checkpoint.root != latest.root) {
        log_warning("A log shows two trees of one size: " + checkpoint.origin + '.');
        return conflict(latest.size);
    }
    if (auto fits = verify_consistency(latest.size, latest.root, checkpoint.size, checkpoint.root,
                                       submitted.request.proof);
        !fits) {
        log_warning("A log shows a tree that does not fit the last one: " + checkpoint.origin +
                    '.');
        return refuse(422, fits.error().message);
    }
    // Also where it is what was stored before: what was read back need not be on the disk yet.
    const Time now = clock_.now();
    const auto stored = files_.write_file_atomically(
        latest_path(directory_, checkpoint.origin),
        as_bytes(latest_text(submitted.request.note, own_, key_, now)), 0600);
    if (!stored) return cannot(stored.error());
    return {200, "text/plain; charset=utf-8", cosign(submitted.note.text, own_.name, key_, now)};
}

}  // namespace cloison::journal
