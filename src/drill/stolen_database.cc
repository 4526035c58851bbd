#include <algorithm>
#include <cmath>
#include <cstdio>
#include <optional>
#include <unordered_map>

#include "base/temporary_directory.h"
#include "demo/accounts.h"
#include "demo/people.h"
#include "demo/small_files.h"
#include "demo/texts.h"
#include "drill/link_search.h"
#include "drill/record.h"
#include "drill/value_search.h"

namespace cloison::drill {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t kMaxFile = std::size_t{4} << 30;
constexpr std::int64_t kDayMs = 86'400'000;
constexpr std::size_t kFewRows = 50;  ///< Below, the order of rows tells nothing either way.

/// A directory as a thief carries it off. Keys of the keeper stay behind: who has them has all.
struct Loot {
    std::string name;
    Path copy;
    std::vector<Path> files;
};

bool is_key(const Path& path) {
    return path.extension() == ".key";
}

Result<Loot> carry_off(const std::string& name, const Path& directory, const Path& to) {
    Loot loot{name, to / name, {}};
    std::error_code error;
    fs::create_directories(loot.copy, error);
    for (fs::recursive_directory_iterator at(directory, error), end; !error && at != end;
         at.increment(error)) {
        if (!at->is_regular_file(error) || is_key(at->path())) continue;
        const Path target = loot.copy / fs::relative(at->path(), directory, error);
        fs::create_directories(target.parent_path(), error);
        // A file that a running service has just removed was not there to be stolen.
        std::error_code gone;
        if (fs::copy_file(at->path(), target, gone)) loot.files.push_back(target);
    }
    if (error || loot.files.empty())
        return fail(ErrorCode::kIo, directory.string() + " cannot be copied.");
    return loot;
}

std::vector<std::string> words_of(std::string_view text) {
    std::vector<std::string> words;
    std::string word;
    for (const char c : text) {
        const bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
                            static_cast<unsigned char>(c) >= 0x80;
        if (letter) {
            word += c;
        } else if (!word.empty()) {
            words.push_back(std::move(word));
            word.clear();
        }
    }
    if (!word.empty()) words.push_back(std::move(word));
    return words;
}

void add_names(ValueSearch& search, std::string_view text, const std::string& field) {
    while (!text.empty()) {
        const auto space = text.find(' ');
        search.add(text.substr(0, space), field, true);
        if (space == std::string_view::npos) break;
        text.remove_prefix(space + 1);
    }
}

void add_phone(ValueSearch& search, const std::string& phone, const std::string& field) {
    if (phone.size() != 12) return;
    const std::string national = '0' + phone.substr(3);
    std::string spaced;
    for (std::size_t i = 0; i < national.size(); i += 2)
        spaced += (i == 0 ? "" : " ") + national.substr(i, 2);
    for (const auto& form : {phone, national, spaced}) search.add(form, field, false);
}

void add_date(ValueSearch& search, const std::string& date, const std::string& field) {
    if (date.size() != 10) return;
    search.add(date, field, false);
    search.add(date.substr(8) + '/' + date.substr(5, 2) + '/' + date.substr(0, 4), field, false);
}

/// All that there is to know about one resident.
void add_resident(ValueSearch& search, const demo::Resident& resident,
                  const demo::Values& application) {
    search.add(resident.email, "email", false);
    add_names(search, resident.family_name, "family_name");
    add_names(search, resident.given_names, "given_names");
    add_phone(search, resident.phone, "phone");
    for (const auto& [field, value] : application) {
        if (field.ends_with("_date") || field.ends_with("_issued"))
            add_date(search, value, field);
        else if (field == "contact_phone")
            add_phone(search, value, field);
        else if (field == "previous_title_number")
            search.add(value, field, false);
        else if (field.ends_with("birthplace"))
            add_names(search, value.substr(0, value.rfind(" (")), field);
        else if (field == "name_in_use" || field.starts_with("parent"))
            add_names(search, value, field);
        else if (field == "postal_address")
            for (const auto& line :
                 {value.substr(0, value.find('\n')), value.substr(value.find('\n') + 1)})
                search.add(line, field, false);
    }
}

/// A message, whole, and each of its clauses that is long enough to be nothing but itself.
void add_message(ValueSearch& search, std::string_view text) {
    constexpr std::size_t kLeast = 16;
    search.add(text, "message_text", false);
    while (!text.empty()) {
        const auto end = text.find_first_of(",;.?!");
        if (std::min(end, text.size()) >= kLeast)
            search.add(text.substr(0, end), "message_text", false);
        if (end == std::string_view::npos) break;
        text.remove_prefix(end + 1);
        text.remove_prefix(std::min(text.find_first_not_of(' '), text.size()));
    }
}

/// A file's name, and its content in pieces, so that a part of it is found, too. Pieces that are
/// little but filling are no value of anybody.
void add_file(ValueSearch& search, const demo::SmallFile& file) {
    constexpr std::size_t kPiece = 32;
    constexpr std::size_t kLeastBytes = 8;  ///< Different ones.
    search.add(file.name, "document_name", false);
    const std::string_view content(reinterpret_cast<const char*>(file.content.data()),
                                   file.content.size());
    for (std::size_t at = 0; at + kPiece <= content.size(); at += kPiece) {
        const std::string_view piece = content.substr(at, kPiece);
        if (std::set<char>(piece.begin(), piece.end()).size() >= kLeastBytes)
            search.add(piece, "document_content", false);
    }
}

/// What the town's people wrote and handed in (docs/formats/demo.md).
void add_messages_and_files(ValueSearch& search) {
    for (const auto text : demo::kQuestions) add_message(search, text);
    for (const auto text : {demo::kCorrection, demo::kRefusal}) add_message(search, text);
    search.add(demo::kDocumentTitle, "document_content", false);
    for (std::uint32_t number = 0; number < demo::kSmallFiles; ++number)
        add_file(search, demo::make_small_file(number, demo::kDocumentTitle));
}

class Theft {
  public:
    Theft(const Options& options, FileSystem& files) : options_(options), files_(files) {
        report_.drill = "stolen-database";
        report_.ok = true;
    }
    Result<Report> run();

  private:
    Status carry_all_off();
    Status look_for_values();
    void collect_doings_of_staff();
    void look_for_links();
    void look_at_order();
    void look_at_days();
    Status look_into_journal();
    void figure(std::string what, std::string value) {
        report_.figures.push_back({std::move(what), std::move(value)});
    }
    const StolenStore* store(std::string_view name) const {
        for (const StolenStore& store : stores_)
            if (store.name == name) return &store;
        return nullptr;
    }

    const Options& options_;
    FileSystem& files_;
    Report report_;
    TemporaryDirectory scratch_;
    std::vector<Loot> loot_;
    std::vector<StolenStore> stores_;
    std::set<std::string> staff_;  ///< Actor ids, which officers' doings are signed with.
    /// What the desk may know besides: approvals of two for bulk purposes. They name no data
    /// subject.
    std::set<std::string> staff_and_approvals_;
    std::set<std::int64_t> times_of_approvals_;
};

Status Theft::carry_all_off() {
    for (const auto& [name, directory] : std::initializer_list<std::pair<const char*, const Path*>>{
             {"identity", &options_.identity},
             {"casework", &options_.casework},
             {"documents", &options_.documents},
             {"keeper", &options_.keeper},
             {"desk", &options_.desk_store}}) {
        std::error_code missing;
        if (directory == &options_.desk_store && !fs::exists(*directory, missing)) {
            figure("desk: bytes searched", "none, there is no such store here");
            continue;
        }
        CLOISON_TRY(auto loot, carry_off(name, *directory, scratch_.path()));
        for (const Path& file : loot.files) {
            if (file.extension() != ".db" && file.extension() != ".sqlite") continue;
            // A copy of the copy: reading it merges its write-ahead log, which is searched raw.
            const Path opened = scratch_.path() / "opened" / name / file.filename();
            std::error_code error;
            fs::create_directories(opened.parent_path(), error);
            for (const char* tail : {"", "-wal"})
                if (fs::exists(file.string() + tail, error))
                    fs::copy_file(file.string() + tail, opened.string() + tail, error);
            CLOISON_TRY(auto store, StolenStore::read(name, opened));
            stores_.push_back(std::move(store));
        }
        loot_.push_back(std::move(loot));
    }
    for (const char* name : {"identity", "casework", "documents"})
        if (store(name) == nullptr)
            return fail(ErrorCode::kNotFound,
                        std::string("No database was found in the directory of ") + name + '.');
    return {};
}

Status Theft::look_for_values() {
    CLOISON_TRY(const auto accounts, demo::load_accounts(files_, options_.demo_file));
    CLOISON_TRY(auto names, demo::load_names(files_, options_.names_file));
    const demo::People people(std::make_shared<const demo::Names>(std::move(names)), accounts.seed);
    ValueSearch search;
    // In the open by design: names of tables, of statuses and fields, and of the staff, whom other
    // staff must know.
    for (const StolenStore& store : stores_) {
        for (const auto& word : words_of(store.schema)) search.allow(word);
        for (const auto& text : store.enumerations())
            for (const auto& word : words_of(text)) search.allow(word);
    }
    if (const auto* identity = store("identity"))
        for (const char* column : {"display_name", "unit"})
            if (const auto* texts = identity->column("account", column))
                for (const auto& text : texts->texts)
                    for (const auto& word : words_of(text)) search.allow(word);
    for (std::uint32_t number = 1; number <= accounts.residents; ++number) {
        const auto resident = people.resident(number);
        add_resident(search, resident, people.application(resident));
    }
    add_messages_and_files(search);
    figure("values looked for, in all encodings", std::to_string(search.patterns()));
    std::set<std::string> values;
    for (const Loot& loot : loot_) {
        ValueSearch::Findings findings;
        std::uint64_t bytes = 0;
        for (const Path& file : loot.files) {
            CLOISON_TRY(const auto content, files_.read_file(file, kMaxFile));
            bytes += content.size();
            search.search(content, findings);
        }
        values.insert(findings.values.begin(), findings.values.end());
        figure(loot.name + ": bytes searched", std::to_string(bytes));
        for (const auto& [field, count] : findings.by_field) {
            report_.persons_by_field[field] += count;
            add_fault(report_,
                      loot.name + " holds " + field + ", " + std::to_string(count) + " times.");
        }
        if (findings.any() && findings.certain == 0)
            add_fault(report_, loot.name + " holds more short names than chance explains.");
    }
    report_.disclosed = values.size();
    figure("readable values", std::to_string(values.size()));
    return {};
}

void Theft::collect_doings_of_staff() {
    const StolenStore* identity = store("identity");
    if (const auto* actors = identity->column("account", "actor"))
        if (const auto* roles = identity->column("account", "role"))
            for (std::size_t i = 0; i < std::min(actors->blobs.size(), roles->integers.size()); ++i)
                if (roles->integers[i] != 1) staff_.insert(actors->blobs[i]);
    figure("ids of staff that may be shared: who handled a case is no secret of the case",
           std::to_string(staff_.size()));
    staff_and_approvals_ = staff_;
    if (const auto* ids = identity->column("approval", "approval"))
        staff_and_approvals_.insert(ids->blobs.begin(), ids->blobs.end());
    if (const auto* times = identity->column("approval", "requested_ms"))
        times_of_approvals_.insert(times->integers.begin(), times->integers.end());
    figure("ids of approvals that the desk may share: they name a list, and none who is in it",
           std::to_string(staff_and_approvals_.size() - staff_.size()));
}

/// Compartments side by side: none may name what another names.
void Theft::look_for_links() {
    collect_doings_of_staff();
    std::uint64_t links = 0;
    for (std::size_t i = 0; i < stores_.size(); ++i) {
        for (std::size_t j = i + 1; j < stores_.size(); ++j) {
            if (stores_[i].name == stores_[j].name) continue;
            std::string pair = stores_[i].name;
            pair.append(" and ").append(stores_[j].name);
            const bool with_desk = stores_[i].name == "desk" || stores_[j].name == "desk";
            for (const auto& [column, count] :
                 shared_values(stores_[i], stores_[j], with_desk ? staff_and_approvals_ : staff_)) {
                links += count;
                add_fault(report_,
                          pair + " share " + std::to_string(count) + " values of " + column + '.');
            }
            if (const auto times =
                    shared_fine_times(stores_[i], stores_[j],
                                      with_desk ? times_of_approvals_ : std::set<std::int64_t>{});
                times > 0)
                add_fault(report_,
                          pair + " share " + std::to_string(times) + " times finer than an hour.");
        }
    }
    figure("byte strings that two stores share", std::to_string(links));
}

/// Rows that lie in the order in which they were written would line up side by side.
void Theft::look_at_order() {
    double highest = 0;
    for (const StolenStore& store : stores_) {
        for (const Column& column : store.columns) {
            const bool is_time = column.name.ends_with("_ms") || column.name.ends_with("_day");
            if (!is_time || column.integers.size() < kFewRows) continue;
            if (store.name == "keeper") continue;  // alone has links anyway: nothing to line up
            const double correlation = order_correlation(column.integers);
            highest = std::max(highest, std::abs(correlation));
            if (std::abs(correlation) > order_bound(column.integers.size()))
                add_fault(report_, "The rows of " + store.name + '.' + column.table +
                                       " lie in the order of " + column.name + '.');
        }
    }
    char text[32];
    std::snprintf(text, sizeof text, "%.3f", highest);
    figure("correlation of the order of rows with time, highest", text);
}

/// What remains: a day is in both stores, and many people share it.
void Theft::look_at_days() {
    const auto* created = store("identity")->column("account", "created_day");
    const auto* roles = store("identity")->column("account", "role");
    const auto* persons = store("casework")->column("request", "pseudonym");
    const auto* days = store("casework")->column("request", "created_ms");
    if (created == nullptr || roles == nullptr || persons == nullptr || days == nullptr) return;
    std::vector<std::int64_t> accounts;
    for (std::size_t i = 0; i < std::min(created->integers.size(), roles->integers.size()); ++i)
        if (roles->integers[i] == 1) accounts.push_back(created->integers[i]);
    std::unordered_map<std::string, std::int64_t> first;
    for (std::size_t i = 0; i < std::min(persons->blobs.size(), days->integers.size()); ++i) {
        const auto [found, added] = first.emplace(persons->blobs[i], days->integers[i] / kDayMs);
        if (!added) found->second = std::min(found->second, days->integers[i] / kDayMs);
    }
    std::vector<std::int64_t> applicants;
    applicants.reserve(first.size());
    for (const auto& [person, day] : first) applicants.push_back(day);
    char text[96];
    std::snprintf(text, sizeof text, "%.2f %% (chance: %.2f %%)",
                  100 * linking_success(applicants, accounts),
                  accounts.empty() ? 0.0 : 100.0 / static_cast<double>(accounts.size()));
    figure("top-1 linking of requests to accounts by their first day, at best", text);
}

/// The journal's lines are confidential: they name who acted and which case, never a pseudonym.
Status Theft::look_into_journal() {
    std::unordered_map<std::uint64_t, const Column*> ids;
    for (const StolenStore& store : stores_)
        for (const Column& column : store.columns) {
            if (store.name == "keeper") continue;
            for (const auto& blob : column.blobs) {
                if (blob.size() != 16) continue;
                std::uint64_t head = 0;
                std::copy_n(blob.data(), kLinkSize, reinterpret_cast<char*>(&head));
                ids.emplace(head, &column);
            }
        }
    std::map<std::string, std::set<std::uint64_t>> named;
    for (const Loot& loot : loot_) {
        if (loot.name != "keeper") continue;
        for (const Path& file : loot.files) {
            CLOISON_TRY(const auto content, files_.read_file(file, kMaxFile));
            for (std::size_t at = 0; at + kLinkSize <= content.size(); ++at) {
                std::uint64_t head = 0;
                std::copy_n(content.data() + at, kLinkSize, reinterpret_cast<std::uint8_t*>(&head));
                const auto found = ids.find(head);
                if (found != ids.end())
                    named[found->second->table + '.' + found->second->name].insert(head);
            }
        }
    }
    for (const auto& [column, values] : named) {
        if (column.ends_with(".pseudonym"))
            add_fault(report_, "The keeper's directory names " + std::to_string(values.size()) +
                                   " pseudonyms of " + column + '.');
        figure("journal and keeper name " + column + " (confidential lines)",
               std::to_string(values.size()));
    }
    return {};
}

Result<Report> Theft::run() {
    const auto note = [&](const char* text) {
        if (options_.on_note) options_.on_note(text);
    };
    note("Copies every store, without the keeper's keys.");
    CLOISON_TRY_STATUS(carry_all_off());
    note("Looks for readable values.");
    CLOISON_TRY_STATUS(look_for_values());
    note("Looks for links between the stores.");
    look_for_links();
    look_at_order();
    look_at_days();
    CLOISON_TRY_STATUS(look_into_journal());
    return std::move(report_);
}

}  // namespace

Result<Report> stolen_database(const Options& options, FileSystem& files) {
    return Theft(options, files).run();
}

}  // namespace cloison::drill
