#include "keeper/history.h"

#include <algorithm>
#include <limits>

#include "base/log.h"
#include "journal/entry.h"

namespace cloison::keeper {
namespace {

using storage::Transaction;

/// Lists beside those of the persons, which have their ordinals.
constexpr std::uint32_t kAlarms = 0xffff'ffff;  ///< Indexes of lines.
constexpr std::uint32_t kErased = 0xffff'fffe;  ///< Ordinals of persons.
constexpr std::uint64_t kAll = std::numeric_limits<std::uint64_t>::max();
static_assert(SortedRuns::kRunEntries <= journal::Journal::kMaxRead);

Status save_progress(Transaction& transaction, std::uint64_t entries, ByteView last_leaf) {
    CLOISON_TRY_STATUS(
        transaction.execute("UPDATE progress SET entries = $1, last_leaf = $2 WHERE id = 1",
                            {static_cast<std::int64_t>(entries), storage::blob(last_leaf)}));
    return {};
}

}  // namespace

History::History(std::unique_ptr<storage::Database> database, const journal::Journal& journal,
                 const crypto::BoxKey& key, Random& random)
    : database_(std::move(database)), journal_(journal), runs_(key, random) {}

History::~History() {
    {
        std::lock_guard lock(wake_mutex_);
        stopping_ = true;
    }
    wake_.notify_all();
    if (thread_.joinable()) thread_.join();
}

Result<std::unique_ptr<History>> History::open(std::unique_ptr<storage::Database> database,
                                               const journal::Journal& journal,
                                               const crypto::BoxKey& key, Random& random) {
    std::unique_ptr<History> history(new History(std::move(database), journal, key, random));
    CLOISON_TRY_STATUS(history->load());
    CLOISON_TRY_STATUS(history->catch_up_anew());
    history->thread_ = std::thread([raw = history.get()] { raw->keep_up(); });
    return history;
}

/// Whether the runs are of this journal; takes how far they go and how many alarms they hold.
Result<bool> History::fits() {
    std::uint64_t entries = 0;
    Bytes last_leaf;
    bool whole = false;
    const auto loaded = database_->read([&](Transaction& transaction) -> Status {
        CLOISON_TRY(auto row, transaction.query_one(
                                  "SELECT entries, last_leaf FROM progress WHERE id = 1", {}));
        entries = static_cast<std::uint64_t>(row.integer(0));
        last_leaf = row.bytes(1);
        CLOISON_TRY(const auto end, runs_.end(transaction));
        CLOISON_TRY(const auto alarms, runs_.find(transaction, end, kAlarms, kAll, kAll));
        alarms_ = alarms.size();
        whole = end == entries;
        return {};
    });
    if (!loaded) {
        if (loaded.error().code != ErrorCode::kCorrupt) return fail(loaded.error());
        return false;
    }
    if (!whole || entries > journal_.size()) return false;
    if (entries > 0) {
        CLOISON_TRY(const auto last, journal_.read(entries - 1, 1));
        if (!equal_constant_time(journal::Journal::leaf_hash(last.at(0)), last_leaf)) return false;
    }
    in_runs_ = scanned_ = entries;
    return true;
}

Status History::start_anew() {
    in_runs_ = scanned_ = alarms_ = 0;
    return database_->write([&](Transaction& transaction) -> Status {
        CLOISON_TRY_STATUS(runs_.clear(transaction));
        return save_progress(transaction, 0, {});
    });
}

Status History::load() {
    CLOISON_TRY(const bool whole, fits());
    if (whole) return {};
    log_warning("The history, history.sqlite, does not fit the journal and is built anew.");
    return start_anew();
}

Status History::catch_up() {
    const std::lock_guard lock(catching_up_);
    return scan(/*merging=*/false);
}

/// Merges on the way: an index that is built anew would have more runs than a reading takes.
Status History::catch_up_anew() {
    const std::lock_guard lock(catching_up_);
    CLOISON_TRY_STATUS(scan(/*merging=*/true));
    return merge();
}

/// Where a run's entries are complete it is written; what is behind stays in memory.
Status History::scan(bool merging) {
    for (;;) {
        const std::uint64_t end = in_runs_ + SortedRuns::kRunEntries;
        if (scanned_ == end) {
            CLOISON_TRY_STATUS(write_run());
            if (merging && in_runs_ / SortedRuns::kRunEntries % SortedRuns::kFanIn == 0)
                CLOISON_TRY_STATUS(merge());
            continue;
        }
        const std::uint64_t known = std::min(journal_.size(), end);
        if (scanned_ >= known) return {};
        CLOISON_TRY(const auto entries,
                    journal_.read(scanned_, static_cast<std::size_t>(known - scanned_)));
        if (entries.empty()) return fail(ErrorCode::kCorrupt, "The journal gives no entries.");
        for (const Bytes& entry : entries) {
            CLOISON_TRY_STATUS(note(scanned_, entry));
            ++scanned_;
        }
        last_leaf_ = journal::Journal::leaf_hash(entries.back());
    }
}

Status History::note(std::uint64_t index, ByteView bytes) {
    CLOISON_TRY(const auto entry, journal::decode_entry(bytes));
    if (entry.person >= kErased)
        return fail(ErrorCode::kCorrupt, "A journal line names a person that cannot be.");
    if (entry.kind == journal::EntryKind::kAlarm) {
        pending_.push_back({kAlarms, index});
        ++alarms_;
    }
    if (entry.person == 0) return {};
    if (entry.kind == journal::EntryKind::kErased) pending_.push_back({kErased, entry.person});
    pending_.push_back({entry.person, index});
    return {};
}

Status History::write_run() {
    CLOISON_TRY_STATUS(database_->write([&](Transaction& transaction) -> Status {
        CLOISON_TRY_STATUS(runs_.add(transaction, in_runs_, scanned_, pending_));
        return save_progress(transaction, scanned_, last_leaf_);
    }));
    pending_.clear();
    in_runs_ = scanned_;
    merge_due_ = true;
    return {};
}

/// While it is served, not under catching_up_: whoever reads does not wait for it.
Status History::merge() {
    for (bool merged = true; merged;) {
        CLOISON_TRY(merged, database_->write_result<bool>([&](Transaction& transaction) {
            return runs_.merge(transaction);
        }));
    }
    return {};
}

void History::nudge() {
    if (journal_.size() >= in_runs_ + SortedRuns::kRunEntries) wake();
}

void History::wake() {
    if (woken_.exchange(true)) return;
    // The thread has seen it, or waits already.
    { const std::lock_guard lock(wake_mutex_); }
    wake_.notify_one();
}

void History::keep_up() {
    std::unique_lock lock(wake_mutex_);
    for (;;) {
        wake_.wait(lock, [&] { return stopping_ || woken_; });
        if (stopping_) return;
        woken_ = false;
        lock.unlock();
        auto status = catch_up();
        if (status && merge_due_.exchange(false)) status = merge();
        if (!status) log_error("The history does not catch up: " + status.error().message);
        lock.lock();
    }
}

/// The newest `limit` values of a list that are below `before`, newest first.
Result<std::vector<std::uint64_t>> History::find(std::uint32_t list, std::uint64_t before,
                                                 std::size_t limit) {
    std::vector<std::uint64_t> found;
    std::uint64_t in_runs = 0;
    {
        const std::lock_guard lock(catching_up_);
        CLOISON_TRY_STATUS(scan(/*merging=*/false));
        for (auto item = pending_.rbegin(); item != pending_.rend() && found.size() < limit; ++item)
            if (item->list == list && item->value < before) found.push_back(item->value);
        in_runs = in_runs_;
    }
    if (merge_due_) wake();
    // What was pending may be in a run by now.
    if (list != kErased) before = std::min(before, in_runs);
    CLOISON_TRY(const auto older,
                database_->read_result<std::vector<std::uint64_t>>([&](Transaction& transaction) {
                    return runs_.find(transaction, in_runs, list, before, limit - found.size());
                }));
    found.insert(found.end(), older.begin(), older.end());
    return found;
}

Result<std::vector<History::Line>> History::lines(std::uint32_t person, std::uint64_t before,
                                                  std::size_t limit) {
    if (limit < 1 || limit > kMaxLines)
        return fail(ErrorCode::kInvalidArgument, "A call reads 1 to 200 lines.");
    if (person == 0 || person >= kErased) return std::vector<Line>();
    CLOISON_TRY(const auto indexes, find(person, before == 0 ? kAll : before, limit));
    CLOISON_TRY(auto found, read_lines(indexes));
    for (const Line& line : found) {
        CLOISON_TRY(const auto entry, journal::decode_entry(line.entry));
        if (entry.person != person)
            return fail(ErrorCode::kCorrupt, "The history names a line of somebody else.");
    }
    return found;
}

Result<std::vector<History::Line>> History::alarms(std::uint64_t before, std::size_t limit) {
    if (limit < 1 || limit > kMaxLines)
        return fail(ErrorCode::kInvalidArgument, "A call reads 1 to 200 lines.");
    CLOISON_TRY(const auto indexes, find(kAlarms, before == 0 ? kAll : before, limit));
    return read_lines(indexes);
}

Result<std::uint64_t> History::alarm_count() {
    const std::lock_guard lock(catching_up_);
    CLOISON_TRY_STATUS(scan(/*merging=*/false));
    return alarms_;
}

Result<std::vector<std::uint32_t>> History::erased() {
    CLOISON_TRY(const auto found, find(kErased, kAll, kAll));
    std::vector<std::uint32_t> persons(found.begin(), found.end());
    std::sort(persons.begin(), persons.end());
    persons.erase(std::unique(persons.begin(), persons.end()), persons.end());
    return persons;
}

Result<std::vector<History::Line>> History::read_lines(const std::vector<std::uint64_t>& indexes) {
    std::vector<Line> lines;
    for (const auto index : indexes) {
        CLOISON_TRY(auto entry, journal_.read(index, 1));
        lines.push_back({index, std::move(entry.at(0))});
    }
    return lines;
}

}  // namespace cloison::keeper
