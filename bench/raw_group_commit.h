#pragma once

#include <fcntl.h>
#include <unistd.h>

#include <condition_variable>
#include <cstdlib>
#include <mutex>

#include "base/bytes.h"
#include "base/file_system.h"

namespace cloison::bench {

/// The reference for everything durable: an append-only file where callers that wait together share
/// one write and one fdatasync, and nothing else is done. Safe from any thread.
class RawGroupCommit {
  public:
    explicit RawGroupCommit(const Path& path)
        : fd_(::open(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600)) {
        if (fd_ < 0) std::exit(1);
    }
    ~RawGroupCommit() { ::close(fd_); }
    RawGroupCommit(const RawGroupCommit&) = delete;
    RawGroupCommit& operator=(const RawGroupCommit&) = delete;

    /// Returns when `entry` is on stable storage.
    void append(ByteView entry) {
        std::unique_lock lock(mutex_);
        waiting_.insert(waiting_.end(), entry.begin(), entry.end());
        const std::uint64_t mine = open_batch_;
        done_.wait(lock, [&] { return durable_batches_ > mine || !writing_; });
        if (durable_batches_ > mine) return;
        // This caller leads: it writes for everybody who waits now.
        writing_ = true;
        const std::uint64_t taken = open_batch_++;
        Bytes batch;
        batch.swap(waiting_);
        lock.unlock();
        const auto written = ::pwrite(fd_, batch.data(), batch.size(), offset_);
        if (written != static_cast<ssize_t>(batch.size()) || ::fdatasync(fd_) != 0) std::exit(1);
        offset_ += written;
        lock.lock();
        writing_ = false;
        durable_batches_ = taken + 1;
        done_.notify_all();
    }

  private:
    int fd_;
    off_t offset_ = 0;
    std::mutex mutex_;
    std::condition_variable done_;
    Bytes waiting_;
    std::uint64_t open_batch_ = 0;
    std::uint64_t durable_batches_ = 0;
    bool writing_ = false;
};

}  // namespace cloison::bench
