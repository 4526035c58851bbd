#pragma once

#include <atomic>
#include <condition_variable>
#include <memory>
#include <mutex>
#include <thread>
#include <unordered_map>
#include <utility>
#include <vector>

#include "base/random.h"
#include "crypto/unlinkable_list.h"
#include "journal/journal.h"
#include "storage/database.h"

namespace cloison::keeper {

/// Which journal lines concern a person, which are alarms, and who is erased: an index in a file of
/// its own, derived from the journal. Stolen alone it does not say how many lines anybody has, nor
/// which (docs/formats/unlinkable-list.md). It catches up by itself, and an index that does not fit
/// the journal (restored, cut short) is built anew. Any thread may call.
class History {
  public:
    static constexpr std::size_t kMaxLines = 200;
    /// The thread waits for so many lines: they lie all over the file, and the more are written at
    /// once, the fewer of its pages are written for each.
    static constexpr std::uint64_t kWorthWaking = 4'000;

    /// Catches up, then keeps up on a thread of its own. `journal`, `key` (of the persons' lists)
    /// and `random` must outlive it.
    static Result<std::unique_ptr<History>> open(std::unique_ptr<storage::Database> database,
                                                 const journal::Journal& journal,
                                                 const crypto::HashKey& key, Random& random);
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

    /// At most `limit` persons beyond `after` whom the journal says are erased, by ordinal.
    Result<std::vector<std::uint32_t>> erased(std::uint32_t after, std::size_t limit) const;

    /// Tells the thread that there are new lines; cheap.
    void nudge();
    /// Brings the index up to all that is durable.
    Status catch_up();

  private:
    History(std::unique_ptr<storage::Database> database, const journal::Journal& journal,
            const crypto::HashKey& key, Random& random);
    /// A person's list while the index is written: where its next line goes.
    struct End {
        crypto::ListKey list;
        std::uint64_t number;
    };
    class ForgetUnlessCommitted;
    crypto::ListKey list_of(std::uint32_t person) const;
    Result<End*> end_of_list(storage::Transaction& transaction, std::uint32_t person);
    Status load();
    Status index_next();
    Result<std::vector<Line>> read_lines(const std::vector<std::uint64_t>& indexes);
    void keep_up();

    std::unique_ptr<storage::Database> database_;
    const journal::Journal& journal_;
    const crypto::HashKey& key_;
    Random& random_;
    std::mutex catching_up_;  ///< Held while the index is written; guards ends_.
    /// Of those who had lines of late, as committed or as the transaction under way leaves them.
    std::unordered_map<std::uint32_t, End> ends_;
    std::atomic<std::uint64_t> next_{0};  ///< The first entry that is not in the index.

    std::mutex wake_mutex_;
    std::condition_variable wake_;
    bool stopping_ = false;
    std::thread thread_;
};

}  // namespace cloison::keeper
