#pragma once

#include <cstdint>
#include <mutex>
#include <shared_mutex>
#include <vector>

#include "base/random.h"
#include "base/time.h"
#include "journal/journal.h"
#include "keeper/person_store.h"

namespace cloison::keeper {

/// Holds persons.sqlite against the journal: the store bears a mark, boxed under the root key, of
/// how many entries of the journal it has, and the leaf hash of the last of them. So an older store
/// under a newer journal erases again and is reported, and an older or another journal under a
/// newer store is refused. With the mark stands how many canaries the journal's lines say there
/// are, so that a register that lost some is reported, whatever else was taken out with them.
///
/// docs/formats/keeper-store.md. Any thread may call.
class JournalMark {
  public:
    /// What the journal may have been written for without the mark, after a crash: the mark is
    /// brought up to date every two seconds.
    static constexpr Duration kMostBehind{60'000};
    /// How often in a row remember() lets those who are under way go first.
    static constexpr int kMostDeferrals = 5;

    /// All must outlive it. `key` is the key ring's journal_mark().
    JournalMark(PersonStore& persons, const journal::Journal& journal, const crypto::BoxKey& key,
                Random& random)
        : persons_(persons), journal_(journal), key_(key), random_(random) {}

    /// At start, before anything is served: erases whom the journal says are erased, from the mark
    /// to the journal's end, and counts canaries. True if the store is an earlier one: it lacks
    /// more than kMostBehind of lines, or persons whom they name. The mark stays as it is until
    /// remember(), so that a crash before the alarm does not lose it. kCorrupt if the journal is
    /// not the one of the mark, or was rolled back, or the mark does not open.
    Result<bool> replay();

    /// Held from before a line of kind erased, or one about canaries, is queued until the store has
    /// what it says.
    std::shared_lock<std::shared_mutex> begin();
    /// An erasure whose line is durable but whose key is still there: remember() tries again.
    void add_unfinished(const Person& person);
    /// The line said so and is durable; within begin().
    void count_canaries(std::int64_t more);

    /// How many canaries the lines say that there are.
    std::uint64_t canaries() const;

    /// Marks the journal as it is now, unless somebody is under way, for kMostDeferrals times;
    /// cheap if nothing is new.
    Status remember();

  private:
    Status check(std::uint64_t size, ByteView leaf) const;
    Result<bool> replay_from(std::uint64_t first);
    Status finish();

    PersonStore& persons_;
    const journal::Journal& journal_;
    const crypto::BoxKey& key_;
    Random& random_;
    std::mutex
        turn_;  ///< Taken before under_way_, so that those who begin do not keep it for good.
    std::shared_mutex under_way_;
    mutable std::mutex mutex_;  ///< Guards the rest.
    std::uint64_t remembered_ = 0;
    std::uint64_t canaries_ = 0;
    int deferrals_ = 0;
    std::vector<Person> unfinished_;
};

/// The lines about canaries, of kind configured: "canaries planted: 20", "canaries lost: 3".
std::string canaries_planted_line(std::uint64_t count);
std::string canaries_lost_line(std::uint64_t count);

}  // namespace cloison::keeper
