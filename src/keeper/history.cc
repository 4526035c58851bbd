#include "keeper/history.h"

#include <limits>

#include "base/log.h"
#include "journal/entry.h"

namespace cloison::keeper {
namespace {

using storage::Transaction;

constexpr std::size_t kChunk = 10'000;
/// The thread waits for so many lines, so that it does not write a file for each of them.
constexpr std::uint64_t kWorthWaking = 1'000;
static_assert(kChunk <= journal::Journal::kMaxRead);

Status save_progress(Transaction& transaction, std::uint64_t entries, ByteView last_leaf) {
    CLOISON_TRY_STATUS(
        transaction.execute("UPDATE progress SET entries = $1, last_leaf = $2 WHERE id = 1",
                            {static_cast<std::int64_t>(entries), storage::blob(last_leaf)}));
    return {};
}

/// `before` as an index that the database can compare with; checks `limit`.
Result<std::int64_t> end_of(std::uint64_t before, std::size_t limit) {
    if (limit < 1 || limit > History::kMaxLines)
        return fail(ErrorCode::kInvalidArgument, "A call reads 1 to 200 lines.");
    constexpr std::int64_t kEnd = std::numeric_limits<std::int64_t>::max();
    if (before == 0 || before > static_cast<std::uint64_t>(kEnd)) return kEnd;
    return static_cast<std::int64_t>(before);
}

}  // namespace

History::History(std::unique_ptr<storage::Database> database, const journal::Journal& journal)
    : database_(std::move(database)), journal_(journal) {}

History::~History() {
    {
        std::lock_guard lock(wake_mutex_);
        stopping_ = true;
    }
    wake_.notify_all();
    if (thread_.joinable()) thread_.join();
}

Result<std::unique_ptr<History>> History::open(std::unique_ptr<storage::Database> database,
                                               const journal::Journal& journal) {
    std::unique_ptr<History> history(new History(std::move(database), journal));
    CLOISON_TRY_STATUS(history->load());
    CLOISON_TRY_STATUS(history->catch_up());
    history->thread_ = std::thread([raw = history.get()] { raw->keep_up(); });
    return history;
}

Status History::load() {
    std::uint64_t entries = 0;
    Bytes last_leaf;
    const auto loaded = database_->read([&](Transaction& transaction) -> Status {
        CLOISON_TRY(auto row, transaction.query_one(
                                  "SELECT entries, last_leaf FROM progress WHERE id = 1", {}));
        entries = static_cast<std::uint64_t>(row.integer(0));
        last_leaf = row.bytes(1);
        return {};
    });
    CLOISON_TRY_STATUS(loaded);
    bool fits = entries == 0;
    if (entries > 0 && entries <= journal_.size()) {
        CLOISON_TRY(auto last, journal_.read(entries - 1, 1));
        const auto leaf = journal::Journal::leaf_hash(last.at(0));
        fits = equal_constant_time(leaf, last_leaf);
    }
    next_ = fits ? entries : 0;
    if (fits) return {};
    log_warning("The history does not fit the journal and is built anew.");
    return database_->write([](Transaction& transaction) -> Status {
        CLOISON_TRY_STATUS(transaction.execute("DELETE FROM line", {}));
        CLOISON_TRY_STATUS(transaction.execute("DELETE FROM alarm", {}));
        CLOISON_TRY_STATUS(transaction.execute("DELETE FROM erased", {}));
        return save_progress(transaction, 0, {});
    });
}

Status History::catch_up() {
    std::lock_guard lock(catching_up_);
    while (next_ < journal_.size()) CLOISON_TRY_STATUS(index_next());
    return {};
}

Status History::index_next() {
    const std::uint64_t first = next_;
    CLOISON_TRY(auto entries, journal_.read(first, kChunk));
    if (entries.empty()) return fail(ErrorCode::kCorrupt, "The journal gives no entries.");
    const auto indexed = database_->write([&](Transaction& transaction) -> Status {
        for (std::size_t i = 0; i < entries.size(); ++i) {
            CLOISON_TRY(auto entry, journal::decode_entry(entries[i]));
            const auto index = static_cast<std::int64_t>(first + i);
            if (entry.kind == journal::EntryKind::kAlarm)
                CLOISON_TRY_STATUS(
                    transaction.execute("INSERT INTO alarm (entry) VALUES ($1)", {index}));
            if (entry.person == 0) continue;
            if (entry.kind == journal::EntryKind::kErased)
                CLOISON_TRY_STATUS(transaction.execute(
                    "INSERT INTO erased (person) VALUES ($1) ON CONFLICT (person) DO NOTHING",
                    {std::int64_t{entry.person}}));
            CLOISON_TRY_STATUS(
                transaction.execute("INSERT INTO line (person, entry) VALUES ($1, $2)",
                                    {std::int64_t{entry.person}, index}));
        }
        return save_progress(transaction, first + entries.size(),
                             journal::Journal::leaf_hash(entries.back()));
    });
    CLOISON_TRY_STATUS(indexed);
    next_ = first + entries.size();
    return {};
}

void History::nudge() {
    if (journal_.size() < next_ + kWorthWaking) return;
    wake_.notify_one();
}

void History::keep_up() {
    std::unique_lock lock(wake_mutex_);
    while (!stopping_) {
        wake_.wait(lock);
        if (stopping_) return;
        lock.unlock();
        if (auto status = catch_up(); !status)
            log_error("The history does not catch up: " + status.error().message);
        lock.lock();
    }
}

Result<std::vector<History::Line>> History::lines(std::uint32_t person, std::uint64_t before,
                                                  std::size_t limit) {
    CLOISON_TRY(const auto end, end_of(before, limit));
    CLOISON_TRY_STATUS(catch_up());
    const auto rows = database_->read_result<storage::Rows>([&](Transaction& transaction) {
        return transaction.query(
            "SELECT entry FROM line WHERE person = $1 AND entry < $2 "
            "ORDER BY entry DESC LIMIT $3",
            {std::int64_t{person}, end, static_cast<std::int64_t>(limit)});
    });
    if (!rows) return fail(rows.error());
    return read_lines(*rows);
}

Result<std::vector<History::Line>> History::alarms(std::uint64_t before, std::size_t limit) {
    CLOISON_TRY(const auto end, end_of(before, limit));
    CLOISON_TRY_STATUS(catch_up());
    const auto rows = database_->read_result<storage::Rows>([&](Transaction& transaction) {
        return transaction.query(
            "SELECT entry FROM alarm WHERE entry < $1 ORDER BY entry DESC LIMIT $2",
            {end, static_cast<std::int64_t>(limit)});
    });
    if (!rows) return fail(rows.error());
    return read_lines(*rows);
}

Result<std::uint64_t> History::alarm_count() {
    CLOISON_TRY_STATUS(catch_up());
    return database_->read_result<std::uint64_t>(
        [](Transaction& transaction) -> Result<std::uint64_t> {
            CLOISON_TRY(auto row, transaction.query_one("SELECT COUNT(*) FROM alarm", {}));
            return static_cast<std::uint64_t>(row.integer(0));
        });
}

Result<std::vector<std::uint32_t>> History::erased(std::uint32_t after, std::size_t limit) const {
    const auto rows = database_->read_result<storage::Rows>([&](Transaction& transaction) {
        return transaction.query(
            "SELECT person FROM erased WHERE person > $1 ORDER BY person LIMIT $2",
            {std::int64_t{after}, static_cast<std::int64_t>(limit)});
    });
    if (!rows) return fail(rows.error());
    std::vector<std::uint32_t> persons;
    for (const auto& row : *rows) persons.push_back(static_cast<std::uint32_t>(row.integer(0)));
    return persons;
}

Result<std::vector<History::Line>> History::read_lines(const storage::Rows& indexes) {
    std::vector<Line> lines;
    for (const auto& row : indexes) {
        const auto index = static_cast<std::uint64_t>(row.integer(0));
        CLOISON_TRY(auto entry, journal_.read(index, 1));
        lines.push_back({index, std::move(entry.at(0))});
    }
    return lines;
}

}  // namespace cloison::keeper
