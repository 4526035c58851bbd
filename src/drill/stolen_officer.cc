#include "drill/desk_answer.h"
#include "drill/html.h"

namespace cloison::drill {
namespace {

constexpr std::size_t kMostCases = 5'000;
constexpr std::string_view kCasePrefix = "/cases/";

/// Reads whatever an officer's account can get at, and writes down what came.
class Thief {
  public:
    Thief(const Options& options, Browser& browser) : options_(options), browser_(browser) {}

    /// Until the budget stops it, or no case is left to take.
    Status steal(Report& report);
    /// Gives the cases back: a rehearsal leaves the queue as it was.
    Status give_back();

    const Record& record() const { return record_; }
    bool budget_stopped() const { return budget_stopped_; }

  private:
    Result<std::vector<std::string>> free_cases();
    Status read_case(const std::string& path, Report& report);
    Result<std::string> write_down(const std::string& html, Report& report);
    Status read_documents(const std::string& path, const std::string& email);

    const Options& options_;
    Browser& browser_;
    Record record_;
    std::vector<std::string> taken_;
    std::uint64_t values_ = 0;
    std::uint64_t files_ = 0;
    bool budget_stopped_ = false;
};

/// Paths of the cases on the first page of the queue that offers any.
Result<std::vector<std::string>> Thief::free_cases() {
    constexpr std::string_view kTake = "/take";
    constexpr int kMostPages = 100;
    std::vector<std::string> cases;
    for (int number = 1; number <= kMostPages && cases.empty(); ++number) {
        CLOISON_TRY(const auto queue, page(browser_, "/queue?page=" + std::to_string(number)));
        for (const auto& target : targets(queue))
            if (target.starts_with(kCasePrefix) && target.ends_with(kTake))
                cases.push_back(target.substr(0, target.size() - kTake.size()));
        if (queue.find("page=" + std::to_string(number + 1)) == std::string::npos) break;
    }
    return cases;
}

Status Thief::steal(Report& report) {
    while (!budget_stopped_ && taken_.size() < kMostCases) {
        CLOISON_TRY(const auto cases, free_cases());
        if (cases.empty()) break;
        const std::size_t before = taken_.size();
        for (const auto& path : cases) {
            CLOISON_TRY(const auto taken, browser_.post(path + "/take", {}));
            if (taken.status != 303) continue;
            taken_.push_back(path);
            CLOISON_TRY_STATUS(read_case(path, report));
            if (budget_stopped_) break;
        }
        if (taken_.size() == before) break;
    }
    report.figures.push_back({"cases taken", std::to_string(taken_.size())});
    report.figures.push_back({"values read", std::to_string(values_)});
    report.figures.push_back({"files read", std::to_string(files_)});
    return {};
}

Status Thief::read_case(const std::string& path, Report& report) {
    CLOISON_TRY(const auto form_page, page(browser_, path + "/reveal"));
    net::Form form;
    for (const auto& group : input_values(form_page, "group")) form.add("group", group);
    form.add("reason", "examine");
    CLOISON_TRY(const auto revealed, browser_.post(path + "/reveal", std::move(form)));
    if (revealed.status == 429) {
        budget_stopped_ = true;
        if (!description_rows(revealed.body).empty())
            add_fault(report, "The page that says that the budget is used up shows values.");
        return {};
    }
    if (revealed.status != 200)
        return fail(ErrorCode::kUnavailable,
                    "A case was answered with status " + std::to_string(revealed.status) + ".");
    CLOISON_TRY(const auto email, write_down(revealed.body, report));
    return read_documents(path, email);
}

/// Returns whose case it is.
Result<std::string> Thief::write_down(const std::string& html, Report& report) {
    std::vector<std::string> fields;
    std::string email;
    for (const Row& row : description_rows(html)) {
        if (row.text.empty()) continue;
        ++values_;
        if (!row.note.empty()) {
            fields.emplace_back("message_text");
            continue;
        }
        const auto field = options_.field_labels.find(row.term);
        if (field == options_.field_labels.end()) {
            add_fault(report, "A page shows a value under a label that no field has.");
            continue;
        }
        fields.push_back(field->second);
        if (field->second == "contact_email") email = row.text;
    }
    if (email.empty())
        return fail(ErrorCode::kCorrupt, "A revealed case has no e-mail address to know it by.");
    for (const auto& field : fields) record_.add(email, field);
    return email;
}

Status Thief::read_documents(const std::string& path, const std::string& email) {
    CLOISON_TRY(const auto form_page, page(browser_, path + "/documents"));
    for (const auto& document : input_values(form_page, "document")) {
        net::Form form;
        form.add("document", document);
        form.add("reason", "document_check");
        CLOISON_TRY(const auto file, browser_.post(path + "/documents", std::move(form)));
        if (file.status != 200 || file.body.empty()) continue;
        ++files_;
        record_.add(email, "document_content");
        record_.add(email, "document_name");
    }
    return {};
}

Status Thief::give_back() {
    for (const auto& path : taken_) {
        CLOISON_TRY(const auto released, browser_.post(path + "/release", {}));
        if (released.status != 303)
            return fail(ErrorCode::kUnavailable, "A case could not be given back.");
    }
    return {};
}

}  // namespace

Result<Report> stolen_officer(const Options& options, FileSystem& files, Clock& clock) {
    CLOISON_TRY(const auto accounts, demo::load_accounts(files, options.demo_file));
    const auto officers = accounts.with_role("officer");
    const std::size_t start = rotate(officers.size(), clock.now());
    for (std::size_t i = 0; i < officers.size(); ++i) {
        const demo::Account& officer = *officers[(start + i) % officers.size()];
        Report report;
        report.drill = "stolen-officer";
        report.ok = true;
        CLOISON_TRY(auto browser, Browser::open(options.desk));
        CLOISON_TRY_STATUS(sign_in(browser, officer, clock, options.on_note));
        Question question{
            "Drill: a stolen officer's account", officer.name, "", false, clock.now(), {}};
        if (options.on_note) options.on_note("Reads cases with the account of one officer.");
        Thief thief(options, browser);
        CLOISON_TRY_STATUS(thief.steal(report));
        CLOISON_TRY_STATUS(thief.give_back());
        if (thief.record().persons() == 0 && thief.budget_stopped()) {
            if (options.on_note) options.on_note("This officer's budget is used up; the next one.");
            continue;
        }
        if (thief.record().persons() == 0)
            return fail(ErrorCode::kNotFound, "No case waits that an officer could take.");
        report.figures.push_back({"stopped by", thief.budget_stopped()
                                                    ? "the disclosure budget (429)"
                                                    : "the end of the queue"});
        // The end of a period does not belong to it.
        question.to = clock.now() + Duration(1'000);
        if (options.on_note) options.on_note("Asks the desk whose data it was.");
        Dpos dpos(options, accounts, clock);
        CLOISON_TRY(const auto answer, dpos.ask(question));
        judge(report, thief.record(), answer.list);
        judge_counts(report, thief.record(), answer);
        if (thief.budget_stopped() && answer.refused == 0)
            add_fault(report, "The scope does not show that the budget refused.");
        return report;
    }
    return fail(ErrorCode::kExhausted, "The budget of every officer is used up for now.");
}

}  // namespace cloison::drill
