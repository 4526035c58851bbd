#include "journal/journal.h"

#include <unistd.h>

#include <condition_variable>
#include <deque>
#include <mutex>
#include <optional>
#include <thread>

#include "base/log.h"
#include "journal/head.h"
#include "journal/note.h"
#include "journal/proof.h"
#include "journal/publisher.h"
#include "journal/recovery.h"

namespace cloison::journal {
namespace {

/// The publisher waits for one of the two, so that a busy journal does not write a partial tile for
/// every commit, and a quiet one is not left unpublished.
constexpr std::chrono::seconds kPublishInterval{1};
constexpr std::uint64_t kPublishEntries = 65'536;
constexpr std::size_t kMaxLockFileBytes = 256;

/// What one caller appends, ready to be joined to others.
struct Run {
    explicit Run(const std::vector<Bytes>& entries);

    Bytes bytes;                         ///< As in a bundle.
    std::vector<std::uint32_t> offsets;  ///< Of each entry's length within `bytes`.
    std::vector<crypto::Hash> leaves;
    Bytes sealed;  ///< The same, encrypted; empty if it is not to be.
};

Run::Run(const std::vector<Bytes>& entries) {
    offsets.reserve(entries.size());
    leaves.reserve(entries.size());
    for (const Bytes& entry : entries) {
        offsets.push_back(static_cast<std::uint32_t>(bytes.size()));
        put_u16(bytes, static_cast<std::uint16_t>(entry.size()));
        bytes.insert(bytes.end(), entry.begin(), entry.end());
        leaves.push_back(hash_leaf(entry));
    }
}

/// Entries of the callers that wait together, one frame.
struct Batch {
    Batch() {
        chunk.bytes.resize(kFrameHeaderBytes);
        sealed.resize(kFrameHeaderBytes);
    }

    Chunk chunk;
    Bytes sealed;  ///< The frame as it is written, where entries are encrypted.

    std::mutex mutex;
    std::condition_variable finished;
    bool done = false;
    Status status;
    std::uint64_t first_index = 0;

    void finish(Status outcome) {
        {
            const std::lock_guard lock(mutex);
            status = std::move(outcome);
            done = true;
        }
        finished.notify_all();
    }
    Status wait() {
        std::unique_lock lock(mutex);
        finished.wait(lock, [this] { return done; });
        return status;
    }
};

EntryCipher cipher_of(const Journal::Options& options) {
    return {options.entry_key, options.origin, *options.random};
}

class TiledJournal : public Journal {
  public:
    TiledJournal(Options options, FileSystem& files, crypto::SigningKey key,
                 std::unique_ptr<FileLock> file_lock, Recovered recovered)
        : options_(std::move(options)),
          key_(std::move(key)),
          file_lock_(std::move(file_lock)),
          tiles_(files, options_.directory, cipher_of(options_)),
          head_(tiles_, recovered.published, recovered.edge, std::move(recovered.bundle)),
          publisher_(tiles_, head_, options_.origin, key_, recovered.published) {
        for (Chunk& frame : recovered.frames) head_.push(std::move(frame));
        for (const std::uint64_t segment : recovered.segments)
            if (segment != head_.size()) publisher_.add_segment(segment);
    }
    ~TiledJournal() override;

    Status start();

    Result<std::uint64_t> append(const std::vector<Bytes>& entries) override;
    std::uint64_t size() const override { return head_.size(); }
    Result<std::vector<Bytes>> read(std::uint64_t first, std::size_t count) const override;
    Result<std::string> checkpoint() const override;
    Result<std::string> prove(std::uint64_t index) const override;
    Result<std::string> prove(std::uint64_t index, const std::string& note) const override;
    Result<std::vector<crypto::Hash>> prove_consistency(std::uint64_t old_size,
                                                        std::uint64_t new_size) const override;
    Status publish() override;
    std::string verify_key() const override {
        return note_vkey(options_.origin, key_.verify_key());
    }

  private:
    Status check(const std::vector<Bytes>& entries) const;
    Result<std::shared_ptr<Batch>> join(const Run& run, std::size_t& offset, bool& leads);
    void lead(const std::shared_ptr<Batch>& batch, std::unique_lock<std::mutex>& lock);
    Status commit(Batch& batch);
    Status begin_segment();
    std::string sign(const TreeHead& head) const;
    Result<std::string> prove_in(std::uint64_t index, const TreeHead& head, std::string note) const;
    void stop_after(const Error& error);
    void publish_in_background();

    const Options options_;
    const crypto::SigningKey key_;
    const std::unique_ptr<FileLock> file_lock_;
    const TileFiles tiles_;
    mutable Head head_;
    Publisher publisher_;
    std::optional<WalSegment> segment_;  ///< Of the thread that commits.

    std::mutex mutex_;
    std::condition_variable turn_;  ///< Leaders of batches wait here for their turn.
    std::deque<std::shared_ptr<Batch>> queue_;
    std::size_t waiting_entries_ = 0;
    bool committing_ = false;
    std::optional<Error> failure_;  ///< Set once; nothing is written any more.
    bool stopping_ = false;
    std::condition_variable publisher_wakes_;

    mutable std::mutex note_mutex_;
    mutable std::uint64_t note_size_ = 0;
    mutable std::string note_;  ///< Of a tree of note_size_ entries; empty if none was signed.

    std::thread background_;
};

TiledJournal::~TiledJournal() {
    {
        const std::lock_guard lock(mutex_);
        stopping_ = true;
    }
    publisher_wakes_.notify_all();
    if (background_.joinable()) background_.join();
    // What cannot be published now is durable in the write-ahead segments all the same.
    if (segment_) static_cast<void>(TiledJournal::publish());
}

/// Publishes what was found, and begins a new segment.
Status TiledJournal::start() {
    CLOISON_TRY_STATUS(publisher_.publish(true));
    CLOISON_TRY_STATUS(begin_segment());
    CLOISON_TRY_STATUS(publisher_.drop_segments());
    background_ = std::thread([this] { publish_in_background(); });
    return {};
}

Status TiledJournal::begin_segment() {
    const TreeHead head = head_.advance();
    CLOISON_TRY(auto segment, WalSegment::create(tiles_.files(), tiles_.directory(), head.size,
                                                 head.root, tiles_.cipher()));
    segment_.emplace(std::move(segment));
    publisher_.add_segment(head.size);
    return {};
}

Status TiledJournal::check(const std::vector<Bytes>& entries) const {
    if (entries.empty()) return fail(ErrorCode::kInvalidArgument, "No journal entry was given.");
    if (entries.size() > options_.max_batch_entries)
        return fail(ErrorCode::kTooLarge, "More journal entries at once than " +
                                              std::to_string(options_.max_batch_entries) + '.');
    std::size_t bytes = 0;
    for (const Bytes& entry : entries) {
        if (entry.empty() || entry.size() > kMaxEntryBytes)
            return fail(ErrorCode::kInvalidArgument, "A journal entry has 1 to 65,535 bytes.");
        bytes += 2 + entry.size();
    }
    if (bytes > kMaxFrameBodyBytes)
        return fail(ErrorCode::kTooLarge, "Journal entries of more than 8 MiB at once.");
    return {};
}

Result<std::uint64_t> TiledJournal::append(const std::vector<Bytes>& entries) {
    CLOISON_TRY_STATUS(check(entries));
    Run run(entries);
    if (tiles_.cipher().encrypts()) run.sealed = tiles_.cipher().seal_run(run.bytes);

    std::size_t offset = 0;
    bool leads = false;
    std::unique_lock lock(mutex_);
    CLOISON_TRY(const auto batch, join(run, offset, leads));
    if (leads) {
        lead(batch, lock);
    } else {
        lock.unlock();
    }
    CLOISON_TRY_STATUS(batch->wait());
    return batch->first_index + offset;
}

/// Puts the entries into the batch that is being gathered, or begins one, which the caller leads.
/// Requires mutex_.
Result<std::shared_ptr<Batch>> TiledJournal::join(const Run& run, std::size_t& offset,
                                                  bool& leads) {
    const std::size_t count = run.leaves.size();
    if (failure_) return fail(*failure_);
    if (waiting_entries_ + count > options_.max_waiting_entries)
        return fail(ErrorCode::kUnavailable, "Too many journal entries wait to be written.");
    const auto fits = [&](const Batch& batch) {
        return batch.chunk.count() + count <= options_.max_batch_entries &&
               batch.chunk.bytes.size() - kFrameHeaderBytes + run.bytes.size() <=
                   kMaxFrameBodyBytes &&
               batch.sealed.size() - kFrameHeaderBytes + run.sealed.size() <= kMaxBodyOnDisk;
    };
    leads = queue_.empty() || !fits(*queue_.back());
    if (leads) queue_.push_back(std::make_shared<Batch>());
    Batch& batch = *queue_.back();
    Chunk& chunk = batch.chunk;
    offset = chunk.count();
    const auto begin = static_cast<std::uint32_t>(chunk.bytes.size());
    for (const std::uint32_t within : run.offsets) chunk.offsets.push_back(begin + within);
    chunk.bytes.insert(chunk.bytes.end(), run.bytes.begin(), run.bytes.end());
    chunk.leaves.insert(chunk.leaves.end(), run.leaves.begin(), run.leaves.end());
    batch.sealed.insert(batch.sealed.end(), run.sealed.begin(), run.sealed.end());
    waiting_entries_ += count;
    return queue_.back();
}

/// Waits until the batches before are done, then commits this one for all who joined meanwhile.
void TiledJournal::lead(const std::shared_ptr<Batch>& batch, std::unique_lock<std::mutex>& lock) {
    turn_.wait(lock, [&] {
        if (committing_ || queue_.front() != batch) return false;
        return failure_ || !head_.too_much_unpublished();
    });
    queue_.pop_front();
    const std::size_t count = batch->chunk.count();
    Status status;
    if (failure_) {
        status = fail(*failure_);
    } else {
        committing_ = true;
        lock.unlock();
        status = commit(*batch);
        if (!status) stop_after(status.error());
        lock.lock();
        committing_ = false;
        if (!status) status = fail(*failure_);
    }
    waiting_entries_ -= count;
    if (head_.unpublished() >= kPublishEntries) publisher_wakes_.notify_one();
    turn_.notify_all();
    lock.unlock();
    batch->finish(std::move(status));
}

Status TiledJournal::commit(Batch& batch) {
    if (segment_->bytes() >= kSegmentBytes) CLOISON_TRY_STATUS(begin_segment());
    batch.chunk.first = head_.size();
    batch.first_index = batch.chunk.first;
    Bytes& frame = tiles_.cipher().encrypts() ? batch.sealed : batch.chunk.bytes;
    seal_frame(frame, batch.chunk, segment_->root(), tiles_.cipher());
    CLOISON_TRY_STATUS(segment_->append(frame));
    batch.sealed = Bytes();
    head_.push(std::move(batch.chunk));
    return {};
}

void TiledJournal::stop_after(const Error& error) {
    const std::lock_guard lock(mutex_);
    if (failure_) return;
    failure_ = Error{ErrorCode::kIo, "The journal has stopped: " + error.message};
    log_error(failure_->message);
    turn_.notify_all();
}

void TiledJournal::publish_in_background() {
    std::unique_lock lock(mutex_);
    while (!stopping_ && !failure_) {
        publisher_wakes_.wait_for(lock, kPublishInterval, [this] {
            return stopping_ || failure_ || head_.unpublished() >= kPublishEntries;
        });
        if (stopping_ || failure_) break;
        lock.unlock();
        static_cast<void>(publish());
        lock.lock();
    }
}

Status TiledJournal::publish() {
    {
        const std::lock_guard lock(mutex_);
        if (failure_) return fail(*failure_);
    }
    auto published = publisher_.publish();
    if (!published) {
        stop_after(published.error());
        return fail(ErrorCode::kIo, published.error().message);
    }
    // Under the mutex, so that a leader who waits for room does not miss it.
    const std::lock_guard lock(mutex_);
    turn_.notify_all();
    return {};
}

Result<std::vector<Bytes>> TiledJournal::read(std::uint64_t first, std::size_t count) const {
    if (count > kMaxRead)
        return fail(ErrorCode::kTooLarge,
                    "At most " + std::to_string(kMaxRead) + " journal entries are read at once.");
    return head_.read(first, count);
}

std::string TiledJournal::sign(const TreeHead& head) const {
    const std::lock_guard lock(note_mutex_);
    if (note_.empty() || note_size_ != head.size) {
        note_ = sign_checkpoint(head, options_.origin, key_);
        note_size_ = head.size;
    }
    return note_;
}

Result<std::string> TiledJournal::checkpoint() const {
    return sign(head_.advance());
}

Result<std::string> TiledJournal::prove(std::uint64_t index) const {
    const TreeHead head = head_.advance();
    return prove_in(index, head, sign(head));
}

Result<std::string> TiledJournal::prove(std::uint64_t index, const std::string& note) const {
    CLOISON_TRY(const auto verifier, NoteVerifier::parse(verify_key()));
    CLOISON_TRY(const auto text, open_note(note, verifier));
    CLOISON_TRY(const auto checkpoint, Checkpoint::parse(text));
    if (checkpoint.size > head_.advance().size)
        return fail(ErrorCode::kCorrupt, "A checkpoint covers more than the journal has.");
    return prove_in(index, {checkpoint.size, checkpoint.root}, note);
}

Result<std::string> TiledJournal::prove_in(std::uint64_t index, const TreeHead& head,
                                           std::string note) const {
    if (index >= head.size) return fail(ErrorCode::kNotFound, "The journal has no such entry.");
    Proof proof;
    proof.index = index;
    CLOISON_TRY(proof.path, inclusion_path(head_, index, head.size));
    CLOISON_TRY(auto entries, head_.read(index, 1));
    proof.entry = std::move(entries.front());
    proof.checkpoint = std::move(note);
    // A damaged tile is found here, not by whoever is handed the proof.
    CLOISON_TRY(const auto root,
                inclusion_root(hash_leaf(proof.entry), index, head.size, proof.path));
    if (root != head.root)
        return fail(ErrorCode::kCorrupt,
                    "The tiles of the journal do not prove entry " + std::to_string(index) + '.');
    return proof.text();
}

Result<std::vector<crypto::Hash>> TiledJournal::prove_consistency(std::uint64_t old_size,
                                                                  std::uint64_t new_size) const {
    if (old_size > new_size || new_size > head_.advance().size)
        return fail(ErrorCode::kInvalidArgument,
                    "A consistency proof goes from a smaller size of the journal to a larger one.");
    return consistency_path(head_, old_size, new_size);
}

/// Takes the lock file and says in it who holds it.
Result<std::unique_ptr<FileLock>> lock_directory(const Path& directory, FileSystem& files,
                                                 const Clock& clock) {
    const Path path = directory / "lock";
    auto file_lock = files.lock_file(path);
    if (!file_lock) {
        if (file_lock.error().code != ErrorCode::kConflict) return file_lock;
        const auto holder = files.read_file(path, kMaxLockFileBytes);
        return fail(ErrorCode::kConflict, "The journal in " + directory.string() + " is open in " +
                                              (holder ? to_string(*holder) : "another process") +
                                              '.');
    }
    const std::string holder =
        "process " + std::to_string(::getpid()) + " since " + format_rfc3339(clock.now());
    CLOISON_TRY(auto file, files.open(path, true));
    CLOISON_TRY_STATUS(file->truncate(0));
    CLOISON_TRY_STATUS(file->write_at(0, as_bytes(holder)));
    return file_lock;
}

/// Removes what atomic writes that a crash cut short have left.
Status remove_temporaries(const Path& directory, FileSystem& files) {
    CLOISON_TRY(const auto names, files.list(directory));
    for (const std::string& name : names)
        if (is_temporary(name)) CLOISON_TRY_STATUS(files.remove(directory / name));
    return {};
}

/// What was read back of a process that died may have been in memory only, and a sync that has
/// failed once says nothing when it is repeated: the frames are written afresh before anything that
/// rests on them.
Status make_durable(const Recovered& recovered, const TileFiles& tiles) {
    const std::size_t first = recovered.segments.size() - recovered.unpublished.size();
    for (std::size_t i = 0; i < recovered.unpublished.size(); ++i)
        CLOISON_TRY_STATUS(tiles.files().write_file_atomically(
            tiles.directory() / segment_path(recovered.segments[first + i]),
            recovered.unpublished[i], 0600));
    CLOISON_TRY_STATUS(tiles.ensure_partials(recovered.published));
    return tiles.remove_partials_beyond(recovered.published);
}

}  // namespace

Result<std::unique_ptr<Journal>> Journal::open(Options options, FileSystem& files, Clock& clock,
                                               crypto::SigningKey key) {
    if (options.max_batch_entries == 0 || options.max_waiting_entries == 0)
        return fail(ErrorCode::kInvalidArgument, "A journal's batch and queue need room.");
    CLOISON_TRY(const auto verifier,
                NoteVerifier::parse(note_vkey(options.origin, key.verify_key())));
    const Path segments = segments_directory(options.directory);
    CLOISON_TRY_STATUS(files.create_directories(segments));
    // They may be there since a process that died before it had synced their names.
    CLOISON_TRY_STATUS(files.sync_directory(segments.parent_path()));
    if (options.directory.has_parent_path())
        CLOISON_TRY_STATUS(files.sync_directory(options.directory.parent_path()));
    CLOISON_TRY(auto file_lock, lock_directory(options.directory, files, clock));
    CLOISON_TRY_STATUS(remove_temporaries(options.directory, files));
    CLOISON_TRY_STATUS(remove_temporaries(segments, files));

    const TileFiles tiles(files, options.directory, cipher_of(options));
    auto recovered = recover(tiles, verifier);
    if (!recovered) {
        Error error = std::move(recovered).error();
        error.message = "Journal in " + options.directory.string() + ": " + error.message;
        return fail(std::move(error));
    }
    if (recovered->torn) log_warning("A torn, unacknowledged write was cut off the journal.");
    CLOISON_TRY_STATUS(make_durable(*recovered, tiles));
    auto journal = std::make_unique<TiledJournal>(std::move(options), files, std::move(key),
                                                  std::move(file_lock), std::move(*recovered));
    CLOISON_TRY_STATUS(journal->start());
    return journal;
}

crypto::Hash Journal::leaf_hash(ByteView entry) {
    return hash_leaf(entry);
}

}  // namespace cloison::journal
