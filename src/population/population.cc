#include "population/population.h"

#include <algorithm>
#include <atomic>
#include <mutex>
#include <thread>

#include "population/house.h"
#include "population/life.h"
#include "population/plan.h"

namespace cloison::population {
namespace {

/// Before the present: nobody's budget of the last hour is used up, no one-time code of the moment.
constexpr Duration kQuietEnd{2 * 60 * 60'000};
constexpr std::uint32_t kResidentsShown = 10;  ///< In the list of sign-ins.

/// Runs `count` pieces of work on some threads. The first error stops the rest.
class Crew {
  public:
    Crew(unsigned threads, std::function<bool()> stopped)
        : threads_(threads), stopped_(std::move(stopped)) {}

    Status run(std::size_t count, const std::function<Status(std::size_t)>& work) const {
        std::atomic<std::size_t> next{0};
        std::mutex mutex;
        Status outcome;
        const auto labour = [&] {
            for (std::size_t i = next++; i < count; i = next++) {
                auto status = stopped_ && stopped_()
                                  ? Status(fail(ErrorCode::kUnavailable, "Stopped."))
                                  : work(i);
                if (status) continue;
                next = count;
                const std::lock_guard lock(mutex);
                if (outcome) outcome = std::move(status);
            }
        };
        const auto helpers = std::min<std::size_t>(threads_, count) - (count > 0 ? 1 : 0);
        std::vector<std::thread> team;
        for (std::size_t i = 0; i < helpers; ++i) team.emplace_back(labour);
        labour();
        for (auto& thread : team) thread.join();
        return outcome;
    }

  private:
    const unsigned threads_;
    const std::function<bool()> stopped_;
};

Status check(const Options& options, FileSystem& files) {
    if (options.residents < 1 || options.residents > kMaxResidents)
        return fail(ErrorCode::kInvalidArgument, "The number of residents is 1 to 1000000.");
    CLOISON_TRY(const bool exists, files.exists(options.demo_file));
    if (exists)
        return fail(ErrorCode::kConflict,
                    options.demo_file.string() + " exists: there is a population already.");
    return {};
}

Status check_empty(const House& house) {
    CLOISON_TRY(const auto description, house.operator_line().keeper.describe({}));
    if (description.persons() != 0)
        return fail(ErrorCode::kConflict,
                    "Somebody has an account already; a population needs new directories.");
    return {};
}

void report(const Options& options, const char* stage, std::uint32_t done, std::uint32_t total) {
    if (options.on_progress) options.on_progress({stage, done, total});
}

/// Walks through the months, moment by moment.
Status live(const Options& options, const Crew& crew, const std::vector<Moment>& plan, Life& life,
            ManualClock& clock) {
    std::uint32_t signed_up = 0;
    for (const Moment& moment : plan) {
        clock.set(moment.at);
        CLOISON_TRY_STATUS(life.prepare(moment));
        CLOISON_TRY_STATUS(crew.run(moment.steps.size(),
                                    [&](std::size_t i) { return life.run(moment.steps[i]); }));
        const auto comers =
            std::count_if(moment.steps.begin(), moment.steps.end(),
                          [](const Step& step) { return step.act == Act::kSignUp; });
        if (comers == 0) continue;
        signed_up += static_cast<std::uint32_t>(comers);
        report(options, "residents", signed_up, options.residents);
    }
    return {};
}

demo::Accounts sign_ins(const Options& options, const Life& life, const demo::People& people) {
    demo::Accounts accounts{options.seed, options.residents, life.staff()};
    for (std::uint32_t number = 1; number <= std::min(options.residents, kResidentsShown);
         ++number) {
        const auto resident = people.resident(number);
        accounts.accounts.push_back({"resident", resident.email, resident.password, "",
                                     resident.given_names + ' ' + resident.family_name});
    }
    return accounts;
}

}  // namespace

Result<Summary> populate(const Options& options, FileSystem& files, Random& random) {
    CLOISON_TRY_STATUS(check(options, files));
    CLOISON_TRY(auto names, demo::load_names(files, options.names_file));
    const demo::People people(std::make_shared<const demo::Names>(std::move(names)), options.seed);
    const auto plan =
        make_plan(options.residents, options.seed, options.now - kQuietEnd, options.habits);
    ManualClock clock(plan.front().at - Duration(24 * 60 * 60'000));
    CLOISON_TRY(const auto house, House::open(options, files, clock, random));
    CLOISON_TRY_STATUS(check_empty(*house));

    const unsigned threads = options.threads != 0
                                 ? options.threads
                                 : 2 * std::max(1U, std::thread::hardware_concurrency());
    const Crew crew(threads, options.stopped);
    Life life(*house, people, options.seed, options.residents, clock, random);
    report(options, "staff", 0, Life::staff_count());
    CLOISON_TRY_STATUS(crew.run(Life::staff_count(), [&](std::size_t i) {
        return life.hire(static_cast<std::uint32_t>(i));
    }));
    report(options, "staff", Life::staff_count(), Life::staff_count());
    CLOISON_TRY_STATUS(live(options, crew, plan, life, clock));
    CLOISON_TRY_STATUS(house->finish());

    Summary summary;
    summary.residents = options.residents;
    summary.staff = Life::staff_count();
    summary.documents = life.documents();
    summary.messages = life.messages();
    summary.requests = life.count_requests();
    CLOISON_TRY(const auto description, house->operator_line().keeper.describe({}));
    summary.journal_entries = description.entries();
    // Last: a directory with this file has a complete population.
    CLOISON_TRY_STATUS(
        demo::write_accounts(files, options.demo_file, sign_ins(options, life, people)));
    return summary;
}

}  // namespace cloison::population
