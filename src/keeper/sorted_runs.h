#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <utility>
#include <vector>

#include "base/random.h"
#include "crypto/keys.h"
#include "storage/database.h"

namespace cloison::keeper {

/// Lists of numbers that grow with the journal, kept so that a new item costs next to nothing
/// wherever its list lies: the items of kRunEntries entries make a sorted run, written once, and
/// kFanIn runs of one size become a run of the next (a log-structured merge tree). All is encrypted
/// in blocks of one size: whoever carries the database off learns how many items there are, not of
/// which lists, nor how long any is. docs/formats/history.md.
///
/// Functions that take a transaction are as safe from any thread as that is.
class SortedRuns {
  public:
    struct Item {
        std::uint32_t list = 0;
        std::uint64_t value = 0;
    };
    static constexpr std::uint64_t kRunEntries = 4'096;  ///< Entries that a new run is of.
    static constexpr std::size_t kFanIn = 8;
    /// Runs of so many entries are not merged any more: a merge takes memory and keeps writers
    /// waiting for some tenths of a second.
    static constexpr std::uint64_t kLargestRun = kRunEntries * kFanIn * kFanIn * kFanIn;
    /// With them a block's row fills a page of the database.
    static constexpr std::size_t kBlockItems = 320;

    /// `key` and `random` must outlive it.
    SortedRuns(const crypto::BoxKey& key, Random& random) : key_(key), random_(random) {}

    /// Where the newest run ends, 0 if there is none. kCorrupt unless the runs follow one another
    /// from entry 0.
    Result<std::uint64_t> end(storage::Transaction& transaction) const;
    /// The run of the entries from `first` to before `beyond`; items of one list in the order in
    /// which they are to be found, the last one first. kCorrupt unless the newest run ends at
    /// `first`.
    Status add(storage::Transaction& transaction, std::uint64_t first, std::uint64_t beyond,
               std::vector<Item> items) const;
    /// Merges kFanIn runs of one size, if there are as many, and says whether there were.
    Result<bool> merge(storage::Transaction& transaction) const;
    /// The newest `limit` values of a list that are below `below`, newest first. kCorrupt for what
    /// was altered, moved or taken away, and unless the runs reach `end` at least.
    Result<std::vector<std::uint64_t>> find(storage::Transaction& transaction, std::uint64_t end,
                                            std::uint32_t list, std::uint64_t below,
                                            std::size_t limit) const;
    Status clear(storage::Transaction& transaction) const;

  private:
    /// In each block, the list of its first item.
    using Fences = std::vector<std::uint32_t>;
    struct Run {
        std::uint64_t first = 0;
        std::uint64_t beyond = 0;
        std::uint64_t block = 0;
        std::uint64_t items = 0;
        std::uint64_t blocks() const { return (items + kBlockItems - 1) / kBlockItems; }
        std::uint64_t entries() const { return beyond - first; }
    };
    static Bytes associated(std::string_view what, const Run& run, std::uint64_t block);
    Result<std::vector<Run>> newest_first(storage::Transaction& transaction) const;
    Status write(storage::Transaction& transaction, Run run, const std::vector<Item>& items) const;
    Status read(storage::Transaction& transaction, const Run& run, std::vector<Item>& items) const;
    Result<std::vector<Item>> open_block(const Run& run, std::uint64_t number,
                                         ByteView content) const;
    Result<std::vector<Item>> block(storage::Transaction& transaction, const Run& run,
                                    std::uint64_t number) const;
    Result<std::shared_ptr<const Fences>> fences(storage::Transaction& transaction,
                                                 const Run& run) const;
    Result<Fences> open_fences(storage::Transaction& transaction, const Run& run) const;
    Status find_in(storage::Transaction& transaction, const Run& run, std::uint32_t list,
                   std::uint64_t below, std::size_t limit, std::vector<std::uint64_t>& found) const;

    const crypto::BoxKey& key_;
    Random& random_;
    mutable std::mutex mutex_;
    /// Of runs, by first and beyond.
    mutable std::map<std::pair<std::uint64_t, std::uint64_t>, std::shared_ptr<const Fences>>
        fences_;
};

}  // namespace cloison::keeper
