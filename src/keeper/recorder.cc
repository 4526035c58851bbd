#include "keeper/recorder.h"

#include <algorithm>

namespace cloison::keeper {

struct Recorder::Batch {
    std::vector<Bytes> entries;
    std::optional<Result<std::uint64_t>> outcome;  ///< Index of the first.
};

Recorder::Recorder(journal::Journal& journal, const Clock& clock, Random& random, Time last,
                   Hooks hooks, std::size_t max_waiting)
    : journal_(journal),
      clock_(clock),
      random_(random),
      hooks_(std::move(hooks)),
      max_waiting_(max_waiting),
      last_(last) {}

Time Recorder::now_locked() const {
    return std::max(clock_.now(), last_);
}

Time Recorder::now() const {
    std::lock_guard lock(mutex_);
    return now_locked();
}

Result<Recorder::Pending> Recorder::queue(std::size_t max_lines, const Compose& compose) {
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
    pending.batch->entries.insert(pending.batch->entries.end(), pending.lines.entries.begin(),
                                  pending.lines.entries.end());
    return pending;
}

Result<Recorder::Lines> Recorder::wait(Pending pending) {
    if (!pending.batch) return std::move(pending.lines);
    std::unique_lock lock(mutex_);
    while (!pending.batch->outcome) {
        if (appending_)
            done_.wait(lock);
        else
            append_front(lock);
    }
    const auto& outcome = *pending.batch->outcome;
    if (!outcome) return fail(outcome.error());
    pending.lines.first = *outcome + pending.offset;
    return std::move(pending.lines);
}

void Recorder::append_front(std::unique_lock<std::mutex>& lock) {
    const auto batch = queue_.front();
    queue_.pop_front();
    appending_ = true;
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
    if (!outcome && !failed_before) failure_ = outcome.error();
    const bool first_failure = !outcome && !failed_before;
    batch->outcome = std::move(outcome);
    done_.notify_all();
    const auto failure = first_failure ? failure_ : std::nullopt;
    lock.unlock();
    if (failure && hooks_.on_failure) hooks_.on_failure(*failure);
    if (!failed_before && !failure && hooks_.on_durable) hooks_.on_durable();
    lock.lock();
}

Result<Recorder::Lines> Recorder::write(std::vector<journal::Entry> entries) {
    const std::size_t count = entries.size();
    CLOISON_TRY(auto pending, queue(count, [&](Time) { return std::move(entries); }));
    return wait(std::move(pending));
}

}  // namespace cloison::keeper
