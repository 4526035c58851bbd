#include "net/call_room.h"

#include <algorithm>
#include <condition_variable>

namespace cloison::net {
namespace {

class WaitingThread final : public CallRoom::Waiting {
  public:
    void enter_now() override {
        const std::lock_guard lock(mutex_);
        entered_ = true;
        changed_.notify_one();  // Under the lock: afterwards there may be nothing to notify.
    }
    bool wait_until(std::chrono::system_clock::time_point latest) {
        std::unique_lock lock(mutex_);
        return changed_.wait_until(lock, latest, [this] { return entered_; });
    }
    void wait() {
        std::unique_lock lock(mutex_);
        changed_.wait(lock, [this] { return entered_; });
    }

  private:
    std::mutex mutex_;
    std::condition_variable changed_;
    bool entered_ = false;
};

}  // namespace

CallRoom::Entry CallRoom::enter(Waiting& who) {
    const std::lock_guard lock(mutex_);
    if (free_ > 0) {
        --free_;
        return Entry::kEntered;
    }
    if (waiting_.size() >= max_waiting_) return Entry::kRefused;
    waiting_.push_back(&who);
    return Entry::kWaiting;
}

bool CallRoom::forget(Waiting& who) {
    const std::lock_guard lock(mutex_);
    const auto found = std::find(waiting_.begin(), waiting_.end(), &who);
    if (found == waiting_.end()) return false;
    waiting_.erase(found);
    return true;
}

bool CallRoom::enter_until(std::chrono::system_clock::time_point latest) {
    WaitingThread thread;
    const Entry entry = enter(thread);
    if (entry != Entry::kWaiting) return entry == Entry::kEntered;
    if (thread.wait_until(latest)) return true;
    if (forget(thread)) return false;
    thread.wait();  // Whoever left has chosen this one already.
    return true;
}

void CallRoom::leave() {
    Waiting* next = nullptr;
    {
        const std::lock_guard lock(mutex_);
        if (waiting_.empty()) {
            ++free_;
            return;
        }
        next = waiting_.front();
        waiting_.pop_front();
    }
    next->enter_now();
}

}  // namespace cloison::net
