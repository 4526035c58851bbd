#include "drill/link_records.h"

#include <SQLiteCpp/Database.h>
#include <SQLiteCpp/Statement.h>
#include <sqlite3.h>
#include <sys/stat.h>

#include <algorithm>
#include <array>
#include <fstream>
#include <map>
#include <numeric>
#include <optional>

namespace cloison::drill {
namespace {

constexpr std::size_t kTie = 8;        ///< Byte strings from this length on tie rows together.
constexpr std::size_t kFewWords = 48;  ///< So many different values are words, not values.
constexpr std::size_t kWalHeader = 32;
constexpr std::size_t kWalFrameHeader = 24;

struct Cell {
    enum class Kind : std::uint8_t { kNull, kInteger, kText, kBytes } kind = Kind::kNull;
    std::int64_t integer = 0;
    std::string bytes;  ///< Of text and byte strings.
};
struct Table {
    std::string name;
    std::vector<std::string> columns;
    std::vector<std::vector<Cell>> rows;  ///< In the order in which they lie on disk.
};

std::uint64_t hash_of(const std::string& bytes) {
    return std::hash<std::string>{}(bytes);
}

bool is_own_business(const std::string& table) {
    return table.starts_with("sqlite_") || table == "schema_migrations" || table == "progress" ||
           table == "setting" || table == "epoch";
}

/// The keeper's number of a person ties rows together as a byte string would.
bool names_person(const std::string& column) {
    return column == "person" || column == "ordinal";
}
std::string number_name(std::int64_t number) {
    return "person " + std::to_string(number);
}

Cell read_cell(const SQLite::Column& column) {
    Cell cell;
    if (column.isInteger()) {
        cell.kind = Cell::Kind::kInteger;
        cell.integer = column.getInt64();
    } else if (column.isText() || column.isBlob()) {
        cell.kind = column.isText() ? Cell::Kind::kText : Cell::Kind::kBytes;
        cell.bytes.assign(static_cast<const char*>(column.getBlob()),
                          static_cast<std::size_t>(column.getBytes()));
    }
    return cell;
}

Result<std::vector<Table>> read_tables(const std::vector<Path>& databases) {
    std::vector<Table> tables;
    try {
        for (const Path& path : databases) {
            SQLite::Database file(path.string(), SQLite::OPEN_READWRITE);
            SQLite::Statement names(file, "SELECT name FROM sqlite_master WHERE type = 'table'");
            while (names.executeStep()) {
                Table table{names.getColumn(0).getString(), {}, {}};
                if (is_own_business(table.name) || table.name.find('"') != std::string::npos)
                    continue;
                SQLite::Statement all(file, "SELECT * FROM \"" + table.name + '"');
                for (int i = 0; i < all.getColumnCount(); ++i)
                    table.columns.emplace_back(all.getColumnName(i));
                while (all.executeStep()) {
                    std::vector<Cell> row;
                    row.reserve(static_cast<std::size_t>(all.getColumnCount()));
                    for (int i = 0; i < all.getColumnCount(); ++i)
                        row.push_back(read_cell(all.getColumn(i)));
                    table.rows.push_back(std::move(row));
                }
                tables.push_back(std::move(table));
            }
        }
    } catch (const std::exception&) {
        return fail(ErrorCode::kCorrupt, "A stolen database cannot be read.");
    }
    return tables;
}

/// Sets that grow together.
class Sets {
  public:
    std::size_t add() {
        parents_.push_back(parents_.size());
        return parents_.size() - 1;
    }
    std::size_t root(std::size_t i) {
        while (parents_[i] != i) i = parents_[i] = parents_[parents_[i]];
        return i;
    }
    void join(std::size_t a, std::size_t b) { parents_[root(a)] = root(b); }
    std::size_t size() const { return parents_.size(); }

  private:
    std::vector<std::size_t> parents_;
};

struct StolenFile {
    std::string name;  ///< Its stem as bytes, if that is hexadecimal, or as it is.
    std::int64_t size = 0;
    std::int64_t modified_ms = 0;
};

std::optional<StolenFile> look_at(const Path& path) {
    struct stat status {};
    if (::stat(path.c_str(), &status) != 0) return std::nullopt;
    StolenFile file;
    const std::string stem = path.stem().string();
    const auto bytes = hex_decode(stem);
    file.name = bytes ? to_string(*bytes) : stem;
    file.size = status.st_size;
    file.modified_ms =
        std::int64_t{status.st_mtim.tv_sec} * 1000 + status.st_mtim.tv_nsec / 1000000;
    return file;
}

/// In which frame of the write-ahead log each of these first stands: the order of late writes.
std::unordered_map<std::uint64_t, std::int64_t> frames_of(
    const std::vector<Path>& databases,
    const std::unordered_map<std::uint64_t, std::string>& keys) {
    std::unordered_map<std::uint64_t, std::int64_t> frames;
    for (const Path& path : databases) {
        std::ifstream in(path.string() + "-wal.raw", std::ios::binary);
        const std::string log((std::istreambuf_iterator<char>(in)), {});
        if (log.size() < kWalHeader) continue;
        const std::size_t page =
            static_cast<std::uint8_t>(log[8]) << 24 | static_cast<std::uint8_t>(log[9]) << 16 |
            static_cast<std::uint8_t>(log[10]) << 8 | static_cast<std::uint8_t>(log[11]);
        for (std::size_t at = kWalHeader; at + kTie <= log.size(); ++at) {
            std::uint64_t head = 0;
            std::copy_n(log.data() + at, kTie, reinterpret_cast<char*>(&head));
            const auto key = keys.find(head);
            if (key == keys.end() || log.compare(at, key->second.size(), key->second) != 0)
                continue;
            frames.emplace(hash_of(key->second),
                           static_cast<std::int64_t>((at - kWalHeader) / (page + kWalFrameHeader)));
        }
    }
    return frames;
}

/// Which of a few words, numbered in alphabetical order; nothing if there are too many.
std::map<std::string, std::int64_t> words_of(const Table& table, std::size_t column) {
    std::map<std::string, std::int64_t> words;
    for (const auto& row : table.rows) {
        const Cell& cell = row[column];
        if (cell.kind == Cell::Kind::kText)
            words.emplace(cell.bytes, 0);
        else if (cell.kind == Cell::Kind::kInteger)
            words.emplace(std::to_string(cell.integer), 0);
        else
            return {};
        if (words.size() > kFewWords) return {};
    }
    std::int64_t number = 0;
    for (auto& [word, code] : words) code = number++;
    return words;
}
std::string word_in(const Cell& cell) {
    return cell.kind == Cell::Kind::kInteger ? std::to_string(cell.integer) : cell.bytes;
}

/// First, last and sum of what was added, a record each.
class Summary {
  public:
    Summary(std::string name, std::size_t records)
        : name_(std::move(name)),
          first_(records, kNothing),
          last_(records, kNothing),
          sum_(records, kNothing) {}
    void add(std::size_t record, std::int64_t value) {
        if (first_[record] == kNothing) {
            first_[record] = last_[record] = sum_[record] = value;
            return;
        }
        several_ = true;
        first_[record] = std::min(first_[record], value);
        last_[record] = std::max(last_[record], value);
        sum_[record] = static_cast<std::int64_t>(static_cast<std::uint64_t>(sum_[record]) +
                                                 static_cast<std::uint64_t>(value));
    }
    void store(std::vector<Trait>& traits, bool with_sum) && {
        keep(traits, several_ ? name_ + ", first" : name_, std::move(first_));
        if (!several_) return;
        keep(traits, name_ + ", last", std::move(last_));
        if (with_sum) keep(traits, name_ + ", sum", std::move(sum_));
    }

  private:
    /// What is the same everywhere tells nothing.
    static void keep(std::vector<Trait>& traits, std::string name,
                     std::vector<std::int64_t> values) {
        const bool same = std::all_of(values.begin(), values.end(),
                                      [&](std::int64_t value) { return value == values[0]; });
        if (!same) traits.push_back({std::move(name), std::move(values)});
    }

    std::string name_;
    std::vector<std::int64_t> first_;
    std::vector<std::int64_t> last_;
    std::vector<std::int64_t> sum_;
    bool several_ = false;
};

/// Ties rows and files to records, and reads the traits off them.
class Reader {
  public:
    Reader(std::vector<Table> tables, std::vector<StolenFile> files,
           const std::set<std::string>& staff, const Truth& truth)
        : tables_(std::move(tables)), files_(std::move(files)), staff_(staff), truth_(truth) {}

    std::vector<Records> read(const std::vector<Path>& databases);

  private:
    struct Item {
        std::size_t table;  ///< tables_.size(): a file.
        std::size_t row;
    };
    void tie();
    void tie_value(std::size_t item, const std::string& value);
    void sort_out();
    Records make(std::size_t sort);
    void read_table(const Table& table, std::size_t number, const std::vector<std::size_t>& items,
                    Records& out);
    void read_files(const std::vector<std::size_t>& items, Records& out);
    void read_frames(Records& out);
    template <class Visit>
    void each_value(std::size_t item, Visit visit) const;

    std::vector<Table> tables_;
    std::vector<StolenFile> files_;
    const std::set<std::string>& staff_;
    const Truth& truth_;
    std::vector<Item> items_;
    Sets sets_;
    std::unordered_map<std::string, std::size_t> tied_;
    std::vector<std::size_t> record_of_;           ///< Within its sort, by item.
    std::vector<std::vector<std::size_t>> sorts_;  ///< Items.
    std::vector<std::size_t> records_in_;          ///< By sort.
    std::unordered_map<std::uint64_t, std::int64_t> frames_;
};

template <class Visit>
void Reader::each_value(std::size_t item, Visit visit) const {
    const Item& at = items_[item];
    if (at.table == tables_.size()) {
        visit(files_[at.row].name);
        return;
    }
    const Table& table = tables_[at.table];
    for (std::size_t i = 0; i < table.columns.size(); ++i) {
        const Cell& cell = table.rows[at.row][i];
        if (cell.kind == Cell::Kind::kBytes && cell.bytes.size() >= kTie)
            visit(cell.bytes);
        else if (cell.kind == Cell::Kind::kInteger && names_person(table.columns[i]))
            visit(number_name(cell.integer));
    }
}

void Reader::tie_value(std::size_t item, const std::string& value) {
    if (staff_.contains(value)) return;
    const auto [found, added] = tied_.emplace(value, item);
    if (!added) sets_.join(item, found->second);
}

void Reader::tie() {
    for (std::size_t table = 0; table < tables_.size(); ++table)
        for (std::size_t row = 0; row < tables_[table].rows.size(); ++row)
            items_.push_back({table, row});
    for (std::size_t file = 0; file < files_.size(); ++file)
        items_.push_back({tables_.size(), file});
    for (std::size_t item = 0; item < items_.size(); ++item) sets_.add();
    for (std::size_t item = 0; item < items_.size(); ++item)
        each_value(item, [&](const std::string& value) { tie_value(item, value); });
}

/// Tables whose rows are tied together anywhere are of one sort.
void Reader::sort_out() {
    Sets tables;
    for (std::size_t i = 0; i <= tables_.size(); ++i) tables.add();
    for (std::size_t item = 0; item < items_.size(); ++item)
        tables.join(items_[item].table, items_[sets_.root(item)].table);
    std::map<std::size_t, std::size_t> number;
    std::vector<std::unordered_map<std::size_t, std::size_t>> records;
    record_of_.resize(items_.size());
    for (std::size_t item = 0; item < items_.size(); ++item) {
        const auto [found, added] = number.emplace(tables.root(items_[item].table), sorts_.size());
        if (added) {
            sorts_.emplace_back();
            records.emplace_back();
        }
        sorts_[found->second].push_back(item);
        auto& known = records[found->second];
        record_of_[item] = known.emplace(sets_.root(item), known.size()).first->second;
    }
    for (const auto& known : records) records_in_.push_back(known.size());
}

void Reader::read_table(const Table& table, std::size_t number,
                        const std::vector<std::size_t>& items, Records& out) {
    Summary rows(table.name + ", rows", out.size());
    Summary place(table.name + ", place", out.size());
    std::vector<std::int64_t> counts(out.size(), 0);
    for (const std::size_t item : items) {
        if (items_[item].table != number) continue;
        ++counts[record_of_[item]];
        place.add(record_of_[item], static_cast<std::int64_t>(items_[item].row));
    }
    for (std::size_t record = 0; record < out.size(); ++record) rows.add(record, counts[record]);
    std::move(rows).store(out.traits, false);
    std::move(place).store(out.traits, false);
    const bool several = std::any_of(counts.begin(), counts.end(), [](auto n) { return n > 1; });

    std::vector<std::map<std::string, std::int64_t>> words;
    for (std::size_t i = 0; i < table.columns.size(); ++i) words.push_back(words_of(table, i));
    const auto number_in = [&](const Cell& cell, std::size_t column) -> std::int64_t {
        if (cell.kind == Cell::Kind::kInteger) return cell.integer;
        if (cell.kind == Cell::Kind::kNull) return kNothing;
        if (cell.kind == Cell::Kind::kText && !words[column].empty())
            return words[column].at(cell.bytes);
        return static_cast<std::int64_t>(cell.bytes.size());
    };
    for (std::size_t column = 0; column < table.columns.size(); ++column) {
        const std::string name = table.name + '.' + table.columns[column];
        Summary all(name, out.size());
        // What stands beside each word: the length of each field, the time of each status.
        std::map<std::string, Summary> beside;
        for (const std::size_t item : items) {
            if (items_[item].table != number) continue;
            const auto& row = table.rows[items_[item].row];
            const std::int64_t value = number_in(row[column], column);
            if (value == kNothing) continue;
            all.add(record_of_[item], value);
            for (std::size_t other = 0; several && other < table.columns.size(); ++other) {
                if (other == column || words[other].size() < 2) continue;
                const std::string word = word_in(row[other]);
                beside
                    .try_emplace(table.columns[other] + ' ' + word,
                                 name + " where " + table.columns[other] + " is " + word,
                                 out.size())
                    .first->second.add(record_of_[item], value);
            }
        }
        std::move(all).store(out.traits, true);
        for (auto& [word, summary] : beside) std::move(summary).store(out.traits, false);
    }
}

void Reader::read_files(const std::vector<std::size_t>& items, Records& out) {
    Summary size("file size", out.size());
    Summary modified("file time", out.size());
    std::vector<std::int64_t> counts(out.size(), 0);
    for (const std::size_t item : items) {
        if (items_[item].table != tables_.size()) continue;
        size.add(record_of_[item], files_[items_[item].row].size);
        modified.add(record_of_[item], files_[items_[item].row].modified_ms);
        ++counts[record_of_[item]];
    }
    Summary files("files", out.size());
    for (std::size_t record = 0; record < out.size(); ++record) files.add(record, counts[record]);
    std::move(files).store(out.traits, false);
    std::move(size).store(out.traits, true);
    std::move(modified).store(out.traits, false);
}

void Reader::read_frames(Records& out) {
    Summary frames("write-ahead log, frame", out.size());
    for (std::size_t record = 0; record < out.size(); ++record)
        for (const std::uint64_t mark : out.marks[record])
            if (const auto found = frames_.find(mark); found != frames_.end())
                frames.add(record, found->second);
    std::move(frames).store(out.traits, false);
}

Records Reader::make(std::size_t sort) {
    Records out;
    out.persons.resize(records_in_[sort]);
    out.marks.resize(records_in_[sort]);
    std::set<std::size_t> tables;
    for (const std::size_t item : sorts_[sort]) {
        const std::size_t record = record_of_[item];
        tables.insert(items_[item].table);
        each_value(item, [&](const std::string& value) {
            if (!staff_.contains(value)) out.marks[record].push_back(hash_of(value));
            const auto known = truth_.find(value);
            if (known != truth_.end()) out.persons[record] = known->second;
        });
    }
    for (auto& marks : out.marks) {
        std::sort(marks.begin(), marks.end());
        marks.erase(std::unique(marks.begin(), marks.end()), marks.end());
    }
    for (const std::size_t table : tables) {
        out.name += out.name.empty() ? "" : "+";
        out.name += table == tables_.size() ? "files" : tables_[table].name;
        if (table == tables_.size())
            read_files(sorts_[sort], out);
        else
            read_table(tables_[table], table, sorts_[sort], out);
    }
    read_frames(out);
    return out;
}

std::vector<Records> Reader::read(const std::vector<Path>& databases) {
    tie();
    sort_out();
    std::unordered_map<std::uint64_t, std::string> keys;
    for (const auto& [value, item] : tied_) {
        if (value.size() < kTie) continue;
        std::uint64_t head = 0;
        std::copy_n(value.data(), kTie, reinterpret_cast<char*>(&head));
        keys.emplace(head, value);
    }
    frames_ = frames_of(databases, keys);
    std::vector<Records> all;
    for (std::size_t sort = 0; sort < sorts_.size(); ++sort) all.push_back(make(sort));
    return all;
}

}  // namespace

Result<std::vector<Records>> read_records(const std::vector<Path>& databases,
                                          const std::vector<Path>& files,
                                          const std::set<std::string>& staff, const Truth& truth) {
    CLOISON_TRY(auto tables, read_tables(databases));
    std::vector<StolenFile> looked_at;
    for (const Path& path : files)
        if (const auto file = look_at(path)) looked_at.push_back(*file);
    return Reader(std::move(tables), std::move(looked_at), staff, truth).read(databases);
}

Result<std::set<std::string>> read_staff(const Path& identity) {
    std::set<std::string> staff;
    try {
        SQLite::Database file(identity.string(), SQLite::OPEN_READWRITE);
        SQLite::Statement rows(file, "SELECT account, actor FROM account WHERE role <> 1");
        while (rows.executeStep())
            for (int i = 0; i < 2; ++i) staff.insert(read_cell(rows.getColumn(i)).bytes);
    } catch (const std::exception&) {
        return fail(ErrorCode::kCorrupt, "The copy of identity's database cannot be read.");
    }
    return staff;
}

Result<std::set<std::string>> read_byte_strings(const std::vector<Path>& databases) {
    CLOISON_TRY(const auto tables, read_tables(databases));
    std::set<std::string> strings;
    for (const Table& table : tables)
        for (const auto& row : table.rows)
            for (const Cell& cell : row)
                if (cell.kind == Cell::Kind::kBytes && cell.bytes.size() >= kTie)
                    strings.insert(cell.bytes);
    return strings;
}

}  // namespace cloison::drill
