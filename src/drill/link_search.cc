#include "drill/link_search.h"

#include <SQLiteCpp/Database.h>
#include <SQLiteCpp/Statement.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <numeric>
#include <unordered_map>
#include <unordered_set>

namespace cloison::drill {
namespace {

constexpr std::int64_t kHourMs = 3'600'000;
/// 2001 to 2286 in milliseconds: what looks like a time.
constexpr std::int64_t kFirstTimeMs = 1'000'000'000'000;
constexpr std::int64_t kLastTimeMs = 9'999'999'999'999;
/// Of a long value (sealed, encrypted) the beginning and the end are looked at.
constexpr std::size_t kLookedAt = 96;

bool is_quoted_safely(const std::string& name) {
    return name.find('"') == std::string::npos;
}

void read_table(SQLite::Database& database, const std::string& table, StolenStore& store) {
    SQLite::Statement rows(database, "SELECT * FROM \"" + table + '"');
    const std::size_t first = store.columns.size();
    for (int i = 0; i < rows.getColumnCount(); ++i)
        store.columns.push_back({table, rows.getColumnName(i), {}, {}, {}});
    while (rows.executeStep()) {
        for (int i = 0; i < rows.getColumnCount(); ++i) {
            Column& column = store.columns[first + static_cast<std::size_t>(i)];
            const SQLite::Column value = rows.getColumn(i);
            if (value.isInteger()) column.integers.push_back(value.getInt64());
            if (value.isBlob())
                column.blobs.emplace_back(static_cast<const char*>(value.getBlob()),
                                          static_cast<std::size_t>(value.getBytes()));
            if (value.isText()) column.texts.push_back(value.getString());
        }
    }
}

std::uint64_t window(const char* bytes) {
    std::uint64_t value = 0;
    std::memcpy(&value, bytes, kLinkSize);
    return value;
}

/// Few different bytes are padding or a small number, not a name of anything.
bool is_telling(const char* bytes) {
    std::size_t different = 0;
    for (std::size_t i = 0; i < kLinkSize; ++i)
        if (std::memchr(bytes, bytes[i], i) == nullptr) ++different;
    return different >= 5;
}

/// A sealed field begins with version and epoch, alike in all of them
/// (docs/formats/sealed-field.md).
std::size_t header_size(const std::string& blob) {
    constexpr std::size_t kSealedHeader = 5;
    constexpr std::size_t kShortestSealed = 109;
    return blob.size() >= kShortestSealed && blob[0] == 1 ? kSealedHeader : 0;
}

template <class Visit>
void each_window(const std::string& blob, Visit visit) {
    if (blob.size() < kLinkSize) return;
    for (std::size_t at = header_size(blob); at + kLinkSize <= blob.size(); ++at) {
        if (at == kLookedAt && blob.size() > 2 * kLookedAt) at = blob.size() - kLookedAt;
        if (is_telling(blob.data() + at)) visit(window(blob.data() + at));
    }
}

std::unordered_set<std::uint64_t> windows_of(const StolenStore& store) {
    std::unordered_set<std::uint64_t> windows;
    for (const Column& column : store.columns)
        for (const auto& blob : column.blobs)
            each_window(blob, [&](std::uint64_t value) { windows.insert(value); });
    return windows;
}

/// Texts that stand once in the whole store, and where.
std::unordered_map<std::string, const Column*> single_texts(const StolenStore& store) {
    std::unordered_map<std::string, const Column*> single;
    for (const Column& column : store.columns)
        for (const auto& text : column.texts) {
            const auto [found, added] = single.emplace(text, &column);
            if (!added) found->second = nullptr;
        }
    return single;
}

std::unordered_set<std::int64_t> fine_times(const StolenStore& store) {
    std::unordered_set<std::int64_t> times;
    for (const Column& column : store.columns)
        for (const std::int64_t value : column.integers)
            if (value >= kFirstTimeMs && value <= kLastTimeMs && value % kHourMs != 0)
                times.insert(value);
    return times;
}

/// Ranks from 0, equal values sharing the mean of theirs.
std::vector<double> ranks(const std::vector<std::int64_t>& values) {
    std::vector<std::size_t> order(values.size());
    std::iota(order.begin(), order.end(), std::size_t{0});
    std::sort(order.begin(), order.end(),
              [&](std::size_t a, std::size_t b) { return values[a] < values[b]; });
    std::vector<double> ranks(values.size());
    for (std::size_t i = 0; i < order.size();) {
        std::size_t end = i;
        while (end < order.size() && values[order[end]] == values[order[i]]) ++end;
        const double mean = static_cast<double>(i + end - 1) / 2;
        for (; i < end; ++i) ranks[order[i]] = mean;
    }
    return ranks;
}

}  // namespace

Result<StolenStore> StolenStore::read(const std::string& name, const Path& database) {
    StolenStore store;
    store.name = name;
    try {
        SQLite::Database file(database.string(), SQLite::OPEN_READWRITE);
        std::vector<std::string> tables;
        SQLite::Statement master(file, "SELECT name, sql, type FROM sqlite_master");
        while (master.executeStep()) {
            if (master.getColumn(2).getString() == "table")
                tables.push_back(master.getColumn(0).getString());
            store.schema += master.getColumn(1).getString() + '\n';
        }
        for (const auto& table : tables)
            if (is_quoted_safely(table) && !table.starts_with("sqlite_") &&
                table != "schema_migrations")
                read_table(file, table, store);
    } catch (const std::exception&) {
        return fail(ErrorCode::kCorrupt, "The copy of " + name + " cannot be read.");
    }
    return store;
}

std::set<std::string> StolenStore::enumerations() const {
    constexpr std::size_t kMostWords = 32;
    constexpr std::size_t kRowsForAWord = 8;
    std::set<std::string> words;
    for (const Column& column : columns) {
        const std::set<std::string> different(column.texts.begin(), column.texts.end());
        if (different.size() <= kMostWords &&
            column.texts.size() >= kRowsForAWord * different.size())
            words.insert(different.begin(), different.end());
    }
    return words;
}

const Column* StolenStore::column(std::string_view table, std::string_view wanted) const {
    for (const Column& column : columns)
        if (column.table == table && column.name == wanted) return &column;
    return nullptr;
}

std::map<std::string, std::uint64_t> shared_values(const StolenStore& a, const StolenStore& b,
                                                   const std::set<std::string>& known) {
    auto windows = windows_of(a);
    for (const auto& value : known)
        each_window(value, [&](std::uint64_t part) { windows.erase(part); });
    std::map<std::string, std::uint64_t> shared;
    for (const Column& column : b.columns)
        for (const auto& blob : column.blobs) {
            bool found = false;
            each_window(blob, [&](std::uint64_t part) { found |= windows.contains(part); });
            if (found) ++shared[column.table + '.' + column.name];
        }
    const auto own = single_texts(a);
    for (const auto& [text, column] : single_texts(b)) {
        const auto other = own.find(text);
        if (column == nullptr || text.size() < kLinkSize || known.contains(text)) continue;
        if (other != own.end() && other->second != nullptr)
            ++shared[column->table + '.' + column->name];
    }
    return shared;
}

std::uint64_t shared_fine_times(const StolenStore& a, const StolenStore& b,
                                const std::set<std::int64_t>& known) {
    const auto times = fine_times(a);
    std::uint64_t shared = 0;
    for (const std::int64_t time : fine_times(b))
        shared += times.contains(time) && !known.contains(time) ? 1 : 0;
    return shared;
}

double order_correlation(const std::vector<std::int64_t>& times) {
    if (times.size() < 2) return 0;
    const auto by_time = ranks(times);
    const double mean = static_cast<double>(times.size() - 1) / 2;
    double both = 0;
    double of_time = 0;
    double of_order = 0;
    for (std::size_t i = 0; i < times.size(); ++i) {
        const double x = static_cast<double>(i) - mean;
        const double y = by_time[i] - mean;
        both += x * y;
        of_order += x * x;
        of_time += y * y;
    }
    return of_time == 0 ? 0 : both / std::sqrt(of_order * of_time);
}

double order_bound(std::size_t rows) {
    return rows < 2 ? 1 : 5 / std::sqrt(static_cast<double>(rows - 1));
}

double linking_success(const std::vector<std::int64_t>& of_persons,
                       const std::vector<std::int64_t>& of_others) {
    if (of_persons.empty()) return 0;
    std::map<std::int64_t, double> others;
    for (const std::int64_t value : of_others) ++others[value];
    double right = 0;
    for (const std::int64_t value : of_persons)
        if (const auto found = others.find(value); found != others.end())
            right += 1 / found->second;
    return right / static_cast<double>(of_persons.size());
}

}  // namespace cloison::drill
