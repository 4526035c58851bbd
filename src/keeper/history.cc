#include "keeper/history.h"

#include <limits>
#include <optional>

#include "base/log.h"
#include "crypto/box.h"
#include "journal/entry.h"

namespace cloison::keeper {
namespace {

using storage::Transaction;

constexpr std::size_t kChunk = 10'000;
constexpr std::size_t kIndexSize = 8;
/// Beyond it the ends of lists are forgotten and looked for anew: a few megabytes.
constexpr std::size_t kMaxEnds = 20'000;
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

/// The index of the list's line with this number; nothing beyond its end.
Result<std::optional<std::uint64_t>> line_at(Transaction& transaction, const crypto::ListKey& list,
                                             std::uint64_t number) {
    const Bytes place = list.place(number);
    CLOISON_TRY(const auto rows,
                transaction.query("SELECT entry FROM line WHERE place = $1", {place}));
    if (rows.empty()) return std::optional<std::uint64_t>();
    CLOISON_TRY(const auto entry, crypto::box_decrypt(list.box_key(), rows[0].bytes(0), place));
    if (entry.view().size() != kIndexSize)
        return fail(ErrorCode::kCorrupt, "A line of the history is malformed.");
    return std::optional(get_u64(entry.view()));
}

Status add_line(Transaction& transaction, const crypto::ListKey& list, std::uint64_t number,
                std::uint64_t index, Random& random) {
    const Bytes place = list.place(number);
    Bytes entry;
    put_u64(entry, index);
    CLOISON_TRY_STATUS(
        transaction.execute("INSERT INTO line (place, entry) VALUES ($1, $2)",
                            {place, crypto::box_encrypt(list.box_key(), entry, place, random)}));
    return {};
}

/// By doubling, then halving: the first number without a line.
Result<std::uint64_t> count_lines(Transaction& transaction, const crypto::ListKey& list) {
    const auto is_there = [&](std::uint64_t number) -> Result<bool> {
        CLOISON_TRY(const auto rows,
                    transaction.query("SELECT 1 FROM line WHERE place = $1", {list.place(number)}));
        return !rows.empty();
    };
    std::uint64_t low = 0;   // all before it are there
    std::uint64_t high = 0;  // is not
    for (;; high = 2 * high + 1) {
        CLOISON_TRY(const bool there, is_there(high));
        if (!there) break;
        low = high + 1;
    }
    while (low < high) {
        const std::uint64_t middle = low + (high - low) / 2;
        CLOISON_TRY(const bool there, is_there(middle));
        (there ? low : high) = there ? middle + 1 : middle;
    }
    return low;
}

/// Of `count` lines in order, the number of the first whose index is `end` or more.
Result<std::uint64_t> first_not_before(Transaction& transaction, const crypto::ListKey& list,
                                       std::uint64_t count, std::uint64_t end) {
    std::uint64_t low = 0;
    std::uint64_t high = count;
    while (low < high) {
        const std::uint64_t middle = low + (high - low) / 2;
        CLOISON_TRY(const auto index, line_at(transaction, list, middle));
        const bool before = index && *index < end;
        (before ? low : high) = before ? middle + 1 : middle;
    }
    return low;
}

}  // namespace

History::History(std::unique_ptr<storage::Database> database, const journal::Journal& journal,
                 const crypto::HashKey& key, Random& random)
    : database_(std::move(database)), journal_(journal), key_(key), random_(random) {}

crypto::ListKey History::list_of(std::uint32_t person) const {
    Bytes name = to_bytes("person/");
    put_u32(name, person);
    return {key_.view(), as_text(name)};
}

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
                                               const crypto::HashKey& key, Random& random) {
    std::unique_ptr<History> history(new History(std::move(database), journal, key, random));
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

/// The work of a transaction changes the ends of lists; unless it is committed they say too much.
class History::ForgetUnlessCommitted {
  public:
    explicit ForgetUnlessCommitted(std::unordered_map<std::uint32_t, End>& ends) : ends_(ends) {}
    ~ForgetUnlessCommitted() {
        if (armed_) ends_.clear();
    }
    ForgetUnlessCommitted(const ForgetUnlessCommitted&) = delete;
    ForgetUnlessCommitted& operator=(const ForgetUnlessCommitted&) = delete;
    /// At the beginning of the work, which a database may run more than once.
    void again() {
        if (std::exchange(ran_, true)) ends_.clear();
    }
    void disarm() { armed_ = false; }

  private:
    std::unordered_map<std::uint32_t, End>& ends_;
    bool ran_ = false;
    bool armed_ = true;
};

Status History::index_next() {
    const std::uint64_t first = next_;
    CLOISON_TRY(auto entries, journal_.read(first, kChunk));
    if (entries.empty()) return fail(ErrorCode::kCorrupt, "The journal gives no entries.");
    ForgetUnlessCommitted undo(ends_);
    const auto indexed = database_->write([&](Transaction& transaction) -> Status {
        undo.again();
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
            CLOISON_TRY(auto* const end, end_of_list(transaction, entry.person));
            CLOISON_TRY_STATUS(add_line(transaction, end->list, end->number++, first + i, random_));
        }
        return save_progress(transaction, first + entries.size(),
                             journal::Journal::leaf_hash(entries.back()));
    });
    CLOISON_TRY_STATUS(indexed);
    undo.disarm();
    next_ = first + entries.size();
    return {};
}

Result<History::End*> History::end_of_list(Transaction& transaction, std::uint32_t person) {
    if (const auto known = ends_.find(person); known != ends_.end()) return &known->second;
    if (ends_.size() >= kMaxEnds) ends_.clear();
    auto list = list_of(person);
    CLOISON_TRY(const auto length, count_lines(transaction, list));
    return &ends_.emplace(person, End{std::move(list), length}).first->second;
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
    const auto list = list_of(person);
    CLOISON_TRY(const auto indexes,
                database_->read_result<std::vector<std::uint64_t>>(
                    [&](Transaction& transaction) -> Result<std::vector<std::uint64_t>> {
                        CLOISON_TRY(auto number, count_lines(transaction, list));
                        CLOISON_TRY(number, first_not_before(transaction, list, number,
                                                             static_cast<std::uint64_t>(end)));
                        std::vector<std::uint64_t> found;
                        while (number > 0 && found.size() < limit) {
                            CLOISON_TRY(const auto index, line_at(transaction, list, --number));
                            if (!index)
                                return fail(ErrorCode::kCorrupt, "A list of lines has a gap.");
                            found.push_back(*index);
                        }
                        return found;
                    }));
    CLOISON_TRY(auto found, read_lines(indexes));
    for (const Line& line : found) {
        CLOISON_TRY(const auto entry, journal::decode_entry(line.entry));
        if (entry.person != person)
            return fail(ErrorCode::kCorrupt, "The history names a line of somebody else.");
    }
    return found;
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
    std::vector<std::uint64_t> indexes;
    for (const auto& row : *rows) indexes.push_back(static_cast<std::uint64_t>(row.integer(0)));
    return read_lines(indexes);
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

Result<std::vector<History::Line>> History::read_lines(const std::vector<std::uint64_t>& indexes) {
    std::vector<Line> lines;
    for (const auto index : indexes) {
        CLOISON_TRY(auto entry, journal_.read(index, 1));
        lines.push_back({index, std::move(entry.at(0))});
    }
    return lines;
}

}  // namespace cloison::keeper
