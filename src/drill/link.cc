#include "drill/link.h"

#include <algorithm>
#include <cstdio>
#include <nlohmann/json.hpp>
#include <optional>

#include "base/temporary_directory.h"

namespace cloison::drill {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t kMaxFile = std::size_t{4} << 30;
constexpr std::size_t kNamed = 16;  ///< Bytes that name something, if they are found elsewhere.
constexpr double kScale = 10'000;   ///< Persons that the figures speak of.

/// What was carried off of one store.
struct Loot {
    std::string name;
    bool of_keeper = false;
    std::vector<Path> databases;
    std::vector<Path> files;
    std::vector<Records> sorts;
};

std::string decimal(double value, int digits) {
    char text[32];
    std::snprintf(text, sizeof text, "%.*f", digits, value);
    return text;
}
std::string percent(double value) {
    return decimal(100 * value, value < 0.001 ? 4 : 2) + " %";
}

/// Copies a database with its write-ahead log, and that once more: opening the copy merges it.
Result<Path> copy_database(const Path& from, const Path& to) {
    std::error_code error;
    fs::create_directories(to, error);
    const Path copy = to / from.filename();
    fs::copy_file(from, copy, error);
    if (error) return fail(ErrorCode::kIo, from.string() + " cannot be copied.");
    const Path log = from.string() + "-wal";
    if (!fs::exists(log, error)) return copy;
    fs::copy_file(log, copy.string() + "-wal", error);
    fs::copy_file(log, copy.string() + "-wal.raw", error);
    if (error) return fail(ErrorCode::kIo, log.string() + " cannot be copied.");
    return copy;
}

std::vector<Path> files_under(const Path& directory) {
    std::vector<Path> files;
    std::error_code error;
    for (fs::recursive_directory_iterator at(directory, error), end; !error && at != end;
         at.increment(error))
        if (at->is_regular_file(error)) files.push_back(at->path());
    std::sort(files.begin(), files.end());
    return files;
}

class Theft {
  public:
    Theft(const LinkOptions& options, FileSystem& files) : options_(options), files_(files) {}

    Result<LinkReport> run() {
        CLOISON_TRY_STATUS(carry_off());
        CLOISON_TRY_STATUS(read());
        for (std::size_t i = 0; i < loot_.size(); ++i)
            for (std::size_t j = i + 1; j < loot_.size(); ++j) {
                note(loot_[i].name + " and " + loot_[j].name);
                CLOISON_TRY(auto pair, compare(loot_[i], loot_[j]));
                report_.add(std::move(pair));
            }
        return std::move(report_);
    }

  private:
    void note(const std::string& text) const {
        if (options_.on_note) options_.on_note(text);
    }

    Status take(const std::string& name, const Path& directory, const std::string& database,
                bool of_keeper = false) {
        Loot loot;
        loot.name = name;
        loot.of_keeper = of_keeper;
        CLOISON_TRY(auto copy, copy_database(directory / database, scratch_.path() / name));
        loot.databases.push_back(std::move(copy));
        loot_.push_back(std::move(loot));
        return {};
    }

    Status carry_off() {
        note("copying the stores");
        const Stores& from = options_.stores;
        CLOISON_TRY_STATUS(take("identity", from.identity, "identity.sqlite"));
        CLOISON_TRY_STATUS(take("casework", from.casework, "casework.db"));
        CLOISON_TRY_STATUS(take("documents", from.documents, "documents.db"));
        loot_.back().files = files_under(from.documents / "objects");
        CLOISON_TRY_STATUS(take("persons", from.keeper, "persons.sqlite", true));
        CLOISON_TRY_STATUS(take("history", from.keeper, "history.sqlite", true));
        loot_.push_back({"journal", true, {}, files_under(from.keeper / "journal"), {}});
        std::error_code error;
        if (fs::exists(from.desk / "desk.db", error))
            CLOISON_TRY_STATUS(take("desk", from.desk, "desk.db"));
        else
            loot_.push_back({"desk", false, {}, {}, {}});
        return {};
    }

    const Loot& loot(std::string_view name) const {
        return *std::find_if(loot_.begin(), loot_.end(),
                             [&](const Loot& one) { return one.name == name; });
    }

    Status read() {
        CLOISON_TRY(truth_,
                    learn_truth(files_, options_.stores,
                                {loot("persons").databases[0], loot("identity").databases[0],
                                 loot("casework").databases[0], loot("documents").databases[0]}));
        CLOISON_TRY(staff_, read_staff(loot("identity").databases[0]));
        for (Loot& one : loot_) {
            if (one.name == "journal") continue;
            note("reading " + one.name);
            CLOISON_TRY(one.sorts, read_records(one.databases, one.files, staff_, truth_));
            std::erase_if(one.sorts, [](const Records& records) {
                return std::all_of(records.persons.begin(), records.persons.end(),
                                   [](std::uint32_t person) { return person == 0; });
            });
        }
        for (const Records& records : loot("persons").sorts)
            for (const auto person : records.persons) report_.persons += person != 0 ? 1 : 0;
        return {};
    }

    Result<LinkedPair> compare(const Loot& a, const Loot& b) {
        LinkedPair pair;
        pair.a = a.name;
        pair.b = b.name;
        pair.bounded = !(a.of_keeper && b.of_keeper);
        if (a.name == "journal" || b.name == "journal") {
            CLOISON_TRY_STATUS(search_journal(a.name == "journal" ? b : a, pair));
            return pair;
        }
        for (const Records& left : a.sorts)
            for (const Records& right : b.sorts) {
                auto linking = attack(left, right, options_.seed);
                if (!linking.judged) continue;
                if (!pair.records.empty() && linking.ratio() <= pair.linking.ratio()) continue;
                pair.linking = std::move(linking);
                pair.records = left.name + " and " + right.name;
            }
        if (a.sorts.empty() || b.sorts.empty()) {
            pair.note = (a.sorts.empty() ? a.name : b.name) + " holds no record of a person";
            return pair;
        }
        pair.too_few = pair.records.empty();
        if (pair.too_few) pair.note = "too few records of the same persons in both";
        return pair;
    }

    /// The journal's files have no rows: a thief who can read its lines knows them by the ids in
    /// them, which are those of the other store.
    Status search_journal(const Loot& other, LinkedPair& pair) {
        pair.note = "no byte string of the other store is in the journal's files";
        if (other.sorts.empty()) return {};
        CLOISON_TRY(const auto strings, read_byte_strings(other.databases));
        std::unordered_map<std::uint64_t, std::vector<const std::string*>> heads;
        for (const auto& value : strings)
            if (value.size() >= kNamed && !staff_.contains(value))
                heads[head_of(value.data())].push_back(&value);
        std::set<std::uint64_t> found;
        for (const Path& path : loot("journal").files) {
            CLOISON_TRY(const auto content, files_.read_file(path, kMaxFile));
            const auto* data = reinterpret_cast<const char*>(content.data());
            for (std::size_t at = 0; at + kNamed <= content.size(); ++at) {
                const auto values = heads.find(head_of(data + at));
                if (values == heads.end()) continue;
                for (const auto* value : values->second)
                    if (std::string_view(data, content.size()).substr(at).starts_with(*value))
                        found.insert(std::hash<std::string>{}(*value));
            }
        }
        if (found.empty()) return {};
        std::set<std::uint32_t> named;
        std::set<std::uint32_t> all;
        for (const Records& records : other.sorts)
            for (std::size_t i = 0; i < records.size(); ++i) {
                if (records.persons[i] == 0) continue;
                all.insert(records.persons[i]);
                for (const auto mark : records.marks[i])
                    if (found.contains(mark)) named.insert(records.persons[i]);
            }
        pair.note = std::to_string(named.size()) + " persons' records are named in its lines";
        Linking& linking = pair.linking;
        linking.judged = true;
        linking.records = linking.choices = all.size();
        linking.chance = 1 / static_cast<double>(all.size());
        linking.success = std::max(
            linking.chance, static_cast<double>(named.size()) / static_cast<double>(all.size()));
        linking.low = linking.high = linking.ratio();
        pair.records = "lines";
        return {};
    }
    static std::uint64_t head_of(const char* bytes) {
        std::uint64_t head = 0;
        std::copy_n(bytes, sizeof head, reinterpret_cast<char*>(&head));
        return head;
    }

    const LinkOptions& options_;
    FileSystem& files_;
    TemporaryDirectory scratch_;
    std::vector<Loot> loot_;
    Truth truth_;
    std::set<std::string> staff_;
    LinkReport report_;
};

}  // namespace

bool LinkedPair::is_fault() const {
    return bounded && linking.judged && linking.ratio() > kMostLinking && linking.low > 1;
}

bool LinkedPair::is_undecided() const {
    return bounded && linking.judged && linking.ratio() > kMostLinking && linking.low <= 1;
}

void LinkReport::add(LinkedPair pair) {
    const std::string told =
        pair.a + " and " + pair.b + " link " + decimal(pair.linking.ratio(), 1);
    if (pair.is_fault()) faults.push_back(told + " times as well as chance.");
    if (pair.is_undecided())
        undecided.push_back(told + " times as well as chance, which chance alone may do (" +
                            decimal(pair.linking.low, 2) + " to " + decimal(pair.linking.high, 2) +
                            "): more residents would tell.");
    pairs.push_back(std::move(pair));
}

bool LinkReport::tells() const {
    return std::any_of(pairs.begin(), pairs.end(),
                       [](const LinkedPair& pair) { return pair.bounded && pair.linking.judged; });
}

std::string LinkReport::text() const {
    const auto untold = std::count_if(pairs.begin(), pairs.end(),
                                      [](const LinkedPair& pair) { return pair.too_few; });
    std::string verdict = "no two stores link";
    if (untold > 0)
        verdict += " of those with records enough (" + std::to_string(untold) + " pairs without)";
    if (!tells()) verdict = "TOO FEW RECORDS to tell whether two stores link: nothing is proved";
    if (!undecided.empty()) verdict = "UNDECIDED";
    if (!faults.empty()) verdict = "NOT CLEAN";
    std::string out = "link: " + verdict + ", " + std::to_string(persons) +
                      (persons == 1 ? " person" : " persons") + "; success is that of 10,000\n";
    for (const LinkedPair& pair : pairs) {
        std::string line = "  " + pair.a + " × " + pair.b;
        line.resize(std::max<std::size_t>(line.size() + 2, 28), ' ');
        if (pair.linking.judged)
            line += decimal(pair.linking.ratio(), 2) + " × chance (" +
                    decimal(pair.linking.low, 2) + " to " + decimal(pair.linking.high, 2) + "), " +
                    percent(std::min(1.0, pair.linking.ratio() / kScale));
        if (!pair.records.empty()) line += "  " + pair.records;
        if (!pair.note.empty()) line += "  " + pair.note;
        if (!pair.bounded) line += "  (the keeper's own: not bounded)";
        out += line + '\n';
        for (const auto& clue : pair.linking.helped) out += "      " + clue + '\n';
    }
    for (const auto& fault : faults) out += "  FAULT: " + fault + '\n';
    for (const auto& pair : undecided) out += "  UNDECIDED: " + pair + '\n';
    return out;
}

std::string LinkReport::json() const {
    nlohmann::ordered_json json;
    json["drill"] = "link";
    json["ok"] = ok();
    json["tells"] = tells();
    json["persons"] = persons;
    json["bound"] = kMostLinking;
    json["pairs"] = nlohmann::ordered_json::array();
    for (const LinkedPair& pair : pairs) {
        nlohmann::ordered_json one;
        one["stores"] = {pair.a, pair.b};
        one["bounded"] = pair.bounded;
        one["judged"] = pair.linking.judged;
        one["success"] = pair.linking.success;
        one["chance"] = pair.linking.chance;
        one["ratio"] = pair.linking.ratio();
        one["interval"] = {pair.linking.low, pair.linking.high};
        one["records"] = pair.records;
        one["judged_records"] = pair.linking.records;
        one["choices"] = pair.linking.choices;
        one["helped"] = pair.linking.helped;
        one["note"] = pair.note;
        json["pairs"].push_back(std::move(one));
    }
    json["faults"] = faults;
    json["undecided"] = undecided;
    return json.dump(2) + "\n";
}

Result<LinkReport> link(const LinkOptions& options, FileSystem& files) {
    return Theft(options, files).run();
}

}  // namespace cloison::drill
