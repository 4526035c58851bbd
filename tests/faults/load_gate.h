#pragma once

#include <chrono>
#include <condition_variable>
#include <mutex>

namespace cloison::faults {

/// Where the callers of a load stand while it is paused. Every caller calls pass() before each
/// call that it makes; one other thread opens and closes.
class LoadGate {
  public:
    explicit LoadGate(int callers) : callers_(callers) {}
    int callers() const { return callers_; }

    /// Waits while the gate is closed; false once the load is over.
    bool pass() {
        std::unique_lock lock(mutex_);
        if (closed_) {
            ++waiting_;
            changed_.notify_all();
            changed_.wait(lock, [this] { return !closed_ || finished_; });
            --waiting_;
        }
        return !finished_;
    }
    /// Returns when all callers stand before the gate: nothing is under way.
    void close() {
        std::unique_lock lock(mutex_);
        closed_ = true;
        changed_.wait(lock, [this] { return waiting_ == callers_; });
    }
    void open() {
        const std::lock_guard lock(mutex_);
        closed_ = false;
        changed_.notify_all();
    }
    void finish() {
        const std::lock_guard lock(mutex_);
        finished_ = true;
        changed_.notify_all();
    }
    /// Leaves the processor to the keeper that is starting.
    void breathe() {
        std::unique_lock lock(mutex_);
        changed_.wait_for(lock, std::chrono::milliseconds(2), [this] { return finished_; });
    }

  private:
    const int callers_;
    std::mutex mutex_;
    std::condition_variable changed_;
    bool closed_ = false;
    bool finished_ = false;
    int waiting_ = 0;
};

}  // namespace cloison::faults
