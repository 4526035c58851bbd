#pragma once

#include <atomic>
#include <condition_variable>
#include <memory>
#include <mutex>
#include <thread>
#include <vector>

#include "base/random.h"
#include "journal/journal.h"
#include "keeper/sorted_runs.h"
#include "storage/database.h"

namespace cloison::keeper {

/// Which journal lines concern a person, which are alarms, and who is erased: an index in a file of
/// its own, derived from the journal. Stolen alone it says how many lines there are, nothing about
/// anybody (docs/formats/history.md). It catches up by itself, and an index that does not fit the
/// journal (restored, cut short) is built anew. Any thread may call.
class History {
  public:
    static constexpr std::size_t kMaxLines = 200;

    /// Catches up, then keeps up on a thread of its own. `journal`, `key` and `random` must outlive
    /// it. kCorrupt if the file is damaged: without it, a new one is made.
    static Result<std::unique_ptr<History>> open(std::unique_ptr<storage::Database> database,
                                                 const journal::Journal& journal,
                                                 const crypto::BoxKey& key, Random& random);
    ~History();

    struct Line {
        std::uint64_t index;
        Bytes entry;
    };
    /// At most `limit` (1 to kMaxLines) lines of the person, newest first, of those before `before`
    /// (0: all). Knows every line that was durable when it was called.
    Result<std::vector<Line>> lines(std::uint32_t person, std::uint64_t before, std::size_t limit);

    /// The same of the journal's alarms, whomever they concern.
    Result<std::vector<Line>> alarms(std::uint64_t before, std::size_t limit);
    /// How many alarms the journal holds.
    Result<std::uint64_t> alarm_count();

    /// Whom the journal says are erased, by ordinal, in order.
    Result<std::vector<std::uint32_t>> erased();

    /// Tells the thread that there are new lines; cheap.
    void nudge();
    /// Knows all lines that are durable, on disk or in memory.
    Status catch_up();

  private:
    History(std::unique_ptr<storage::Database> database, const journal::Journal& journal,
            const crypto::BoxKey& key, Random& random);
    Status load();
    Result<bool> fits();
    Status start_anew();
    Status scan(bool merging);
    Status catch_up_anew();
    Status note(std::uint64_t index, ByteView entry);
    Status write_run();
    Status merge();
    Result<std::vector<std::uint64_t>> find(std::uint32_t list, std::uint64_t before,
                                            std::size_t limit);
    Result<std::vector<Line>> read_lines(const std::vector<std::uint64_t>& indexes);
    void wake();
    void keep_up();

    std::unique_ptr<storage::Database> database_;
    const journal::Journal& journal_;
    const SortedRuns runs_;

    std::mutex catching_up_;  ///< Guards what follows, of the lines that are in no run yet.
    std::atomic<std::uint64_t> in_runs_{0};  ///< Entries that are; nudge() reads it.
    std::uint64_t scanned_ = 0;              ///< Entries that are in runs or in pending_.
    std::vector<SortedRuns::Item> pending_;  ///< In the order of the journal.
    crypto::Hash last_leaf_{};               ///< Of the last entry that was scanned.
    std::uint64_t alarms_ = 0;

    std::mutex wake_mutex_;
    std::condition_variable wake_;
    std::atomic<bool> woken_{false};
    std::atomic<bool> merge_due_{false};  ///< A run was written since.
    bool stopping_ = false;
    std::thread thread_;
};

}  // namespace cloison::keeper
