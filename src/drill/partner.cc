#include <nlohmann/json.hpp>

#include "demo/people.h"
#include "drill/desk_answer.h"

namespace cloison::drill {
namespace {

/// Tries the addresses one by one until the budget stops it. kExhausted if it could not begin.
class Enumeration {
  public:
    Enumeration(Browser& browser, const demo::People& people, std::uint32_t residents)
        : browser_(browser), people_(people), residents_(residents) {}

    Status run(std::uint64_t seed) {
        SeededRandom draw = SeededRandom(seed).split("partner");
        const std::uint32_t first = static_cast<std::uint32_t>(draw.uniform(residents_));
        for (std::uint32_t i = 0; i < residents_ && !budget_stopped; ++i) {
            // Neighbours in the list of leaked addresses are no neighbours in the register.
            const std::uint32_t number = (first + i) % residents_ + 1;
            CLOISON_TRY_STATUS(look_up(people_.resident(number).email));
        }
        return {};
    }

    Record record;
    std::uint64_t tried = 0;
    bool budget_stopped = false;

  private:
    Status look_up(const std::string& email) {
        net::Form form;
        form.add("email", email);
        form.add("reason", "mandate");
        CLOISON_TRY(const auto answer, browser_.post_json("/pro", std::move(form)));
        ++tried;
        budget_stopped = answer.status == 429;
        if (budget_stopped || answer.status == 404) return {};
        if (answer.status != 200)
            return fail(ErrorCode::kUnavailable, "A look-up was answered with status " +
                                                     std::to_string(answer.status) + ".");
        const auto json = nlohmann::json::parse(answer.body, nullptr, false);
        if (!json.is_object())
            return fail(ErrorCode::kCorrupt, "The answer to a look-up is no JSON object.");
        for (const auto& [field, value] : json.items())
            if (value.is_string() && !value.get_ref<const std::string&>().empty())
                record.add(email, field);
        return {};
    }

    Browser& browser_;
    const demo::People& people_;
    const std::uint32_t residents_;
};

}  // namespace

Result<Report> partner(const Options& options, FileSystem& files, Clock& clock) {
    CLOISON_TRY(const auto accounts, demo::load_accounts(files, options.demo_file));
    CLOISON_TRY(auto names, demo::load_names(files, options.names_file));
    const demo::People people(std::make_shared<const demo::Names>(std::move(names)), accounts.seed);
    const auto professionals = accounts.with_role("professional");
    const std::size_t start = rotate(professionals.size(), clock.now());
    for (std::size_t i = 0; i < professionals.size(); ++i) {
        const demo::Account& professional = *professionals[(start + i) % professionals.size()];
        CLOISON_TRY(auto browser, Browser::open(options.portal));
        CLOISON_TRY_STATUS(sign_in(browser, professional, clock, options.on_note));
        Question question{
            "Drill: a professional's account", professional.name, "", false, clock.now(), {}};
        if (options.on_note) options.on_note("Looks up residents with a professional's account.");
        CLOISON_TRY_STATUS(page(browser, "/pro"));
        Enumeration enumeration(browser, people, accounts.residents);
        CLOISON_TRY_STATUS(enumeration.run(static_cast<std::uint64_t>(to_unix_ms(question.from))));
        if (enumeration.record.persons() == 0 && enumeration.budget_stopped) {
            if (options.on_note) options.on_note("This account's budget is used up; the next one.");
            continue;
        }
        Report report;
        report.drill = "partner";
        report.ok = true;
        report.figures = {{"addresses tried", std::to_string(enumeration.tried)},
                          {"stopped by", enumeration.budget_stopped ? "the disclosure budget (429)"
                                                                    : "the end of the list"}};
        question.to = clock.now() + Duration(1'000);
        if (options.on_note) options.on_note("Asks the desk whose data it was.");
        Dpos dpos(options, accounts, clock);
        CLOISON_TRY(const auto answer, dpos.ask(question));
        judge(report, enumeration.record, answer.list);
        judge_counts(report, enumeration.record, answer);
        if (enumeration.budget_stopped && answer.refused == 0)
            add_fault(report, "The scope does not show that the budget refused.");
        return report;
    }
    return fail(ErrorCode::kExhausted, "The budget of every professional is used up for now.");
}

}  // namespace cloison::drill
