#pragma once

#include <condition_variable>
#include <deque>
#include <functional>
#include <mutex>
#include <thread>
#include <vector>

namespace cloison {

/// A fixed number of threads behind a queue of fixed length. At the bound `try_submit` refuses,
/// and the caller answers "unavailable" at once instead of waiting in line.
class ThreadPool {
  public:
    ThreadPool(std::size_t threads, std::size_t queue_bound);
    ~ThreadPool();  ///< Finishes what is queued, then joins.
    ThreadPool(const ThreadPool&) = delete;
    ThreadPool& operator=(const ThreadPool&) = delete;

    /// False when the queue is full or the pool is stopping. `task` must not throw.
    [[nodiscard]] bool try_submit(std::function<void()> task);

  private:
    void run();

    const std::size_t queue_bound_;
    std::mutex mutex_;
    std::condition_variable wake_;
    std::deque<std::function<void()>> queue_;
    bool stopping_ = false;
    std::vector<std::thread> threads_;
};

}  // namespace cloison
