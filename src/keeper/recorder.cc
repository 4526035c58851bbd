#include "keeper/recorder.h"

#include <algorithm>
#include <atomic>

#include "keeper/client/receipt.h"

namespace cloison::keeper {
namespace {

constexpr int kThreads = 2;  ///< One tells callers while the other appends.

}  // namespace

/// Who waits does so on `state` and not on the recorder's mutex, so that the end of an append wakes
/// those whose lines it wrote and nobody else.
struct Recorder::Batch {
    enum State : int {
        kWaiting,  ///< For an append before it.
        kOffered,  ///< Whoever comes first appends it: a caller of wait(), or a thread of the
                   ///< recorder's if there is a call of then().
        kTaken,
        kDone,  ///< `outcome` is there and does not change any more.
    };
    struct Deferred {
        Pending pending;
        Done done;
    };
    std::vector<Bytes> entries;
    std::size_t calls = 0;
    std::atomic<int> state{kWaiting};
    Result<std::uint64_t> outcome = 0;   ///< Index of the first.
    std::vector<crypto::Hash> receipts;  ///< Of each call that has some.
    std::optional<ReceiptTree> tree;     ///< Over them, once they are durable.
    crypto::Signature signature{};       ///< Of its root.
    std::vector<Deferred> deferred;      ///< Calls of then(). Under the recorder's mutex.

    Result<Lines> lines_of(Pending& pending) const {
        if (!outcome) return fail(outcome.error());
        pending.lines.first = *outcome + pending.offset;
        if (pending.call && tree) pending.lines.receipts = receipts_of(*pending.call);
        return std::move(pending.lines);
    }
    void tell(Deferred whom) const {
        try {
            whom.done(lines_of(whom.pending));
        } catch (...) {
            // The others are to be told all the same.
        }
    }
    Bytes receipts_of(std::size_t call) const {
        ReceiptSignature signed_receipts;
        signed_receipts.first = *outcome;
        signed_receipts.calls = static_cast<std::uint32_t>(receipts.size());
        signed_receipts.number = static_cast<std::uint32_t>(call);
        signed_receipts.path = tree->path(call);
        signed_receipts.signature = signature;
        return signed_receipts.encode();
    }
};

Recorder::Recorder(journal::Journal& journal, const Clock& clock, Random& random, Time last,
                   Hooks hooks, std::size_t max_waiting)
    : journal_(journal),
      clock_(clock),
      random_(random),
      hooks_(std::move(hooks)),
      max_waiting_(max_waiting),
      last_(last) {
    for (int i = 0; i < kThreads; ++i) threads_.emplace_back([this] { append_as_needed(); });
}

Recorder::~Recorder() {
    {
        const std::lock_guard lock(mutex_);
        stopping_ = true;
    }
    needed_.notify_all();
    for (auto& thread : threads_) thread.join();
}

Time Recorder::now_locked() const {
    return std::max(clock_.now(), last_);
}

Time Recorder::now() const {
    std::lock_guard lock(mutex_);
    return now_locked();
}

Result<Recorder::Pending> Recorder::queue(std::size_t max_lines, const Compose& compose,
                                          const Receipts& receipts) {
    std::lock_guard lock(mutex_);
    if (failure_) return fail(*failure_);
    if (max_lines > kMaxBatch)
        return fail(ErrorCode::kInvalidArgument, "Too many journal lines in one call.");
    if (waiting_ + max_lines > max_waiting_)
        return fail(ErrorCode::kUnavailable, "Too many journal lines are waiting.");
    Pending pending;
    pending.lines.at = now_locked();
    auto entries = compose(pending.lines.at);
    if (entries.empty()) return pending;
    gathering_.note(Gathering::Clock::now());
    for (auto& entry : entries) {
        entry.time = pending.lines.at;
        random_.fill(entry.salt);
        pending.lines.entries.push_back(journal::encode_entry(entry));
    }
    last_ = pending.lines.at;
    waiting_ += entries.size();
    if (queue_.empty() || queue_.back()->entries.size() + entries.size() > kMaxBatch)
        queue_.push_back(std::make_shared<Batch>());
    pending.batch = queue_.back();
    pending.offset = pending.batch->entries.size();
    if (const auto digest = receipts ? receipts(pending.lines, pending.offset) : std::nullopt) {
        pending.call = pending.batch->receipts.size();
        pending.batch->receipts.push_back(*digest);
    }
    pending.batch->entries.insert(pending.batch->entries.end(), pending.lines.entries.begin(),
                                  pending.lines.entries.end());
    ++pending.batch->calls;
    if (gathered_for_ > 0 && is_gathered(*queue_.front())) gathered_.notify_one();
    offer_front();
    return pending;
}

Result<Recorder::Lines> Recorder::wait(Pending pending) {
    if (!pending.batch) return std::move(pending.lines);
    Batch& batch = *pending.batch;
    for (int state = batch.state; state != Batch::kDone; state = batch.state) {
        if (state == Batch::kOffered && batch.state.compare_exchange_strong(state, Batch::kTaken))
            append_front();
        else
            batch.state.wait(state);
    }
    return batch.lines_of(pending);
}

void Recorder::then(Pending pending, Done done) {
    if (!pending.batch) return done(std::move(pending.lines));
    const auto batch = pending.batch;
    std::unique_lock lock(mutex_);
    if (batch->state == Batch::kDone) {
        lock.unlock();
        return done(batch->lines_of(pending));
    }
    pending.batch.reset();  // Which is going to hold it.
    batch->deferred.push_back({std::move(pending), std::move(done)});
    int offered = Batch::kOffered;
    const bool alone =
        gathering_.are_seldom() && batch->state.compare_exchange_strong(offered, Batch::kTaken);
    if (!alone && batch->deferred.size() == 1 && front_is_needed()) needed_.notify_one();
    lock.unlock();
    if (alone) append_front();
}

bool Recorder::front_is_needed() const {
    return !queue_.empty() && queue_.front()->state == Batch::kOffered &&
           !queue_.front()->deferred.empty();
}

void Recorder::append_as_needed() {
    std::unique_lock lock(mutex_);
    for (;;) {
        needed_.wait(lock, [this] { return stopping_ || front_is_needed(); });
        if (!front_is_needed()) return;
        int offered = Batch::kOffered;
        if (!queue_.front()->state.compare_exchange_strong(offered, Batch::kTaken)) continue;
        lock.unlock();
        append_front();
        lock.lock();
    }
}

/// Offers the batch in front, unless one is being appended.
void Recorder::offer_front() {
    if (appending_ || queue_.empty()) return;
    appending_ = true;
    queue_.front()->state = Batch::kOffered;
    queue_.front()->state.notify_one();
    if (!queue_.front()->deferred.empty()) needed_.notify_one();
}

/// The batch in front still takes calls.
void Recorder::gather(std::unique_lock<std::mutex>& lock, const Batch& batch) {
    gathered_for_ = gathering_.expected();
    if (gathered_for_ > 0)
        gathered_.wait_for(lock, Gathering::kLongest, [&] { return is_gathered(batch); });
    gathered_for_ = 0;
}

bool Recorder::is_gathered(const Batch& batch) const {
    return batch.calls >= gathered_for_ || queue_.size() > 1;
}

/// An exception ends the process: what is in memory would wait for ever, and the next process reads
/// back what reached the disk.
void Recorder::append_front() noexcept {
    std::unique_lock lock(mutex_);
    const auto batch = queue_.front();
    gather(lock, *batch);
    queue_.pop_front();
    const bool failed_before = failure_.has_value();
    Result<std::uint64_t> outcome = 0;
    if (failed_before) {
        outcome = fail(*failure_);
    } else {
        lock.unlock();
        outcome = journal_.append(batch->entries);
        lock.lock();
    }
    appending_ = false;
    waiting_ -= batch->entries.size();
    std::optional<Error> failure;
    if (!outcome && !failed_before) {
        failure = outcome.error();
        // To a caller the next process, which reads back what reached the disk, is the same keeper.
        failure_ =
            Error{ErrorCode::kUnavailable, "Nothing can be written now: " + failure->message};
        outcome = fail(*failure_);
    }
    offer_front();
    lock.unlock();
    batch->outcome = std::move(outcome);
    if (batch->outcome && !batch->receipts.empty() && hooks_.sign_receipts) {
        batch->tree.emplace(batch->receipts);
        batch->signature = hooks_.sign_receipts(*batch->outcome,
                                                static_cast<std::uint32_t>(batch->receipts.size()),
                                                batch->tree->root());
    }
    if (failure && hooks_.on_failure) hooks_.on_failure(*failure);
    if (!failed_before && !failure && hooks_.on_durable) hooks_.on_durable();
    lock.lock();
    auto deferred = std::move(batch->deferred);
    batch->state = Batch::kDone;
    lock.unlock();
    batch->state.notify_all();
    // Once the last is told, this may be gone.
    for (auto& each : deferred) batch->tell(std::move(each));
}

Result<Recorder::Lines> Recorder::write(std::vector<journal::Entry> entries) {
    const std::size_t count = entries.size();
    CLOISON_TRY(auto pending, queue(count, [&](Time) { return std::move(entries); }));
    return wait(std::move(pending));
}

}  // namespace cloison::keeper
