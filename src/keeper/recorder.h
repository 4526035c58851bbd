#pragma once

#include <condition_variable>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <thread>
#include <vector>

#include "base/random.h"
#include "base/time.h"
#include "journal/entry.h"
#include "journal/journal.h"
#include "keeper/gathering.h"
#include "keeper/receipt.h"

namespace cloison::keeper {

/// Writes the keeper's lines in the order of their times: no line is older than the one before it,
/// also when the clock goes back. Callers that come together share one append (group commit). After
/// a failed append nothing can be written any more (kUnavailable to callers): the process has to
/// start anew and read back what reached the disk. Any thread may call.
class Recorder {
  public:
    static constexpr std::size_t kMaxWaiting = 65'536;  ///< Lines; beyond, queue is kUnavailable.
    static constexpr std::size_t kMaxBatch = 4'096;     ///< Lines in one append.

    struct Hooks {
        /// Once, when an append fails, before its callers learn of it.
        std::function<void(const Error&)> on_failure;
        std::function<void()> on_durable;  ///< After each append; must be quick.
        /// Signs the root over the receipts of the calls of one append, which began at line
        /// `first`.
        std::function<crypto::Signature(std::uint64_t first, std::uint32_t calls,
                                        const crypto::Hash& root)>
            sign_receipts{};
    };
    /// `last` is the time of the journal's last line.
    Recorder(journal::Journal& journal, const Clock& clock, Random& random, Time last, Hooks hooks,
             std::size_t max_waiting = kMaxWaiting);
    ~Recorder();  ///< Nobody calls any more. What is left for then() is appended and told.
    Recorder(const Recorder&) = delete;
    Recorder& operator=(const Recorder&) = delete;

    struct Lines {
        std::uint64_t first = 0;  ///< Index of the first.
        std::vector<Bytes> entries;
        Time at;
        Bytes receipts;  ///< A ReceiptSignature (keeper/client/receipt.h), if receipts were asked
                         ///< for.
    };
    struct Batch;
    struct Pending {
        std::shared_ptr<Batch> batch;
        std::size_t offset = 0;
        std::optional<std::size_t> call;  ///< Its number among those with receipts.
        Lines lines;
    };
    using Compose = std::function<std::vector<journal::Entry>(Time at)>;
    /// The digest of a call's receipts (hash_receipts), given its lines as they will be appended
    /// and how many lines of other calls are appended before them; nothing if there is no receipt.
    using Receipts = std::function<std::optional<crypto::Hash>(const Lines&, std::size_t offset)>;

    /// Makes room for `max_lines` (at most kMaxBatch), then calls `compose` with the time of the
    /// lines, alone: nothing else is queued meanwhile, so what it charges to a budget and the lines
    /// that it returns are one step. Fills in time and salt. The caller must call wait() or
    /// then().
    Result<Pending> queue(std::size_t max_lines, const Compose& compose,
                          const Receipts& receipts = nullptr);
    /// Returns when the lines are on stable storage.
    Result<Lines> wait(Pending pending);
    /// The same for a caller that need not wait: `done` is called when the lines are on stable
    /// storage or cannot be, by whoever appended them. Where calls come seldom that is the caller
    /// itself, before `then` returns: handing over would take longer. What it throws ends there.
    using Done = std::function<void(Result<Lines>)>;
    void then(Pending pending, Done done);
    /// queue() and wait().
    Result<Lines> write(std::vector<journal::Entry> entries);

    /// The clock's time, but never before the last line's.
    Time now() const;

  private:
    Time now_locked() const;
    void offer_front();
    void append_front() noexcept;
    void append_as_needed();
    bool front_is_needed() const;
    void gather(std::unique_lock<std::mutex>& lock, const Batch& batch);
    bool is_gathered(const Batch& batch) const;

    journal::Journal& journal_;
    const Clock& clock_;
    Random& random_;
    const Hooks hooks_;
    const std::size_t max_waiting_;

    mutable std::mutex mutex_;
    std::deque<std::shared_ptr<Batch>> queue_;
    std::size_t waiting_ = 0;
    bool appending_ = false;  ///< Or offered to be.
    Gathering gathering_;
    std::size_t gathered_for_ = 0;  ///< Calls that the batch in front waits for; 0: it does not.
    std::condition_variable gathered_;
    Time last_;
    std::optional<Error> failure_;

    std::condition_variable needed_;  ///< A batch that is offered has calls of then().
    bool stopping_ = false;
    std::vector<std::thread> threads_;
};

}  // namespace cloison::keeper
