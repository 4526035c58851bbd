#include "cli/demo_commands.h"

#include <signal.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <cstdio>
#include <optional>

#include "base/log.h"
#include "base/temporary_directory.h"
#include "casework/request_type.h"
#include "cli/init.h"
#include "cli/services.h"
#include "cli/whole_number.h"
#include "crypto/keys.h"
#include "drill/drill.h"
#include "drill/link.h"
#include "population/population.h"

namespace cloison::cli {
namespace {

/// Set by SIGINT and SIGTERM, which the population then obeys at the next step.
volatile sig_atomic_t stop_asked = 0;

void ask_to_stop(int) {
    stop_asked = 1;
}

void catch_stop_signals() {
    struct sigaction action {};
    action.sa_handler = ask_to_stop;
    sigaction(SIGINT, &action, nullptr);
    sigaction(SIGTERM, &action, nullptr);
}

/// A bar where somebody looks; elsewhere a line for each tenth.
class ProgressLine {
  public:
    void show(const population::Progress& progress) {
        if (progress.total == 0) return;
        const auto tenths = progress.done * 10 / progress.total;
        const char* what = progress.stage == "staff" ? "accounts of staff" : "residents";
        if (bar_) {
            std::string bar(std::size_t{progress.done} * 40 / progress.total, '#');
            bar.resize(40, '.');
            std::fprintf(stderr, "\r  [%s] %u of %u %s  ", bar.c_str(), progress.done,
                         progress.total, what);
            open_ = true;
            if (progress.done == progress.total) close();
        } else if (progress.stage != stage_ || tenths != tenths_) {
            std::fprintf(stderr, "%u of %u %s\n", progress.done, progress.total, what);
        }
        stage_ = progress.stage;
        tenths_ = tenths;
    }
    void close() {
        if (open_) std::fprintf(stderr, "\n");
        open_ = false;
    }

  private:
    const bool bar_ = isatty(STDERR_FILENO) == 1;
    bool open_ = false;
    std::string stage_;
    std::uint32_t tenths_ = 0;
};

struct PopulationChoice {
    std::uint32_t residents = 2000;
    std::uint64_t seed = 1;
};

Result<population::Summary> populate(const Layout& layout, const PopulationChoice& choice,
                                     population::Habits habits) {
    FileSystem& files = local_file_system();
    CLOISON_TRY(const auto configuration, Configuration::load(files, layout.configuration()));
    CLOISON_TRY(const auto installation, Installation::find());
    population::Options options;
    options.keeper = layout.service("keeper");
    options.identity = layout.service("identity");
    options.casework = layout.service("casework");
    options.documents = layout.service("documents");
    options.trust = layout.trust();
    options.demo_file = layout.demo();
    options.registry_file = installation.registry_file;
    options.request_types = installation.request_types;
    options.names_file = installation.web / "demo" / "names.json";
    options.journal_origin = configuration.journal_origin;
    options.residents = choice.residents;
    options.seed = choice.seed;
    options.habits = habits;
    options.now = system_clock().now();
    ProgressLine line;
    options.on_progress = [&](const population::Progress& progress) { line.show(progress); };
    options.stopped = [] { return stop_asked != 0; };
    catch_stop_signals();
    auto summary = population::populate(options, files, system_random());
    line.close();
    return summary;
}

Status make_population(const Layout& layout, const PopulationChoice& choice) {
    set_log_service("population");
    crypto::initialize();
    const auto summary = populate(layout, choice, population::Habits::kDemo);
    if (!summary && stop_asked != 0)
        return fail(ErrorCode::kUnavailable, "Stopped. The population is not complete: remove " +
                                                 layout.var().string() +
                                                 " and begin again with cloison init.");
    if (!summary) return fail(summary.error());
    std::printf(
        "%u residents, %u staff and professionals, %u documents, %u messages, %llu lines "
        "in the journal\n",
        summary->residents, summary->staff, summary->documents, summary->messages,
        static_cast<unsigned long long>(summary->journal_entries));
    for (const auto& [status, count] : summary->requests)
        std::printf("  %-16s %u\n", status.c_str(), count);
    std::printf("Sign-ins: %s\n", layout.demo().c_str());
    return {};
}

std::string address_of(const Configuration& configuration, std::uint16_t port) {
    return "http://" + configuration.address + ':' + std::to_string(port);
}

Result<std::vector<drill::Route>> routes_of(const std::string& door) {
    CLOISON_TRY(const auto routes, list_routes(door));
    std::vector<drill::Route> list;
    for (const DoorRoute& route : routes)
        list.push_back({route.method, route.pattern, route.access});
    return list;
}

/// Every label under which a page may show a field.
Status add_labels(const Installation& installation, std::map<std::string, std::string>& labels) {
    FileSystem& files = local_file_system();
    CLOISON_TRY(const auto registry, registry::Registry::load(files, installation.registry_file));
    CLOISON_TRY(const auto types,
                casework::load_request_types(files, installation.request_types, registry));
    const auto add = [&](const registry::Label& label, const std::string& field) {
        labels.emplace(label.fr, field);
        labels.emplace(label.en, field);
    };
    for (const auto& [name, type] : types)
        for (const auto& section : type.sections)
            for (const auto& page : section.pages)
                for (const auto& field : page.fields) add(field.label, field.name);
    for (const auto& field : registry.fields()) add(field.label, field.name);
    return {};
}

Result<drill::Options> drill_options(const Layout& layout) {
    FileSystem& files = local_file_system();
    CLOISON_TRY(const auto configuration, Configuration::load(files, layout.configuration()));
    CLOISON_TRY(const auto installation, Installation::find());
    drill::Options options;
    options.portal = address_of(configuration, configuration.portal_port);
    options.desk = address_of(configuration, configuration.desk_port);
    CLOISON_TRY(options.portal_routes, routes_of("portal"));
    CLOISON_TRY(options.desk_routes, routes_of("desk"));
    CLOISON_TRY_STATUS(add_labels(installation, options.field_labels));
    options.demo_file = layout.demo();
    options.names_file = installation.web / "demo" / "names.json";
    options.registry_file = installation.registry_file;
    options.keeper = layout.service("keeper");
    options.identity = layout.service("identity");
    options.casework = layout.service("casework");
    options.documents = layout.service("documents");
    options.desk_store = layout.service("desk");
    return options;
}

Result<drill::Report> carry_out(const std::string& name, const drill::Options& options) {
    FileSystem& files = local_file_system();
    Clock& clock = system_clock();
    if (name == "stolen-officer") return drill::stolen_officer(options, files, clock);
    if (name == "partner") return drill::partner(options, files, clock);
    if (name == "idor") return drill::idor(options, files, clock, system_random());
    return drill::stolen_database(options, files);
}

Status run_drill(const Layout& layout, const std::string& name, bool json) {
    set_log_service("drill");
    crypto::initialize();
    CLOISON_TRY(auto options, drill_options(layout));
    options.on_note = [](const std::string& note) { std::fprintf(stderr, "%s\n", note.c_str()); };
    CLOISON_TRY(const auto report, carry_out(name, options));
    std::fputs(json ? report.json().c_str() : report.text().c_str(), stdout);
    if (report.ok) return {};
    return fail(ErrorCode::kInternal, "The drill " + name + " found a fault.");
}

struct LinkChoice {
    std::uint32_t residents = 0;  ///< 0: those of --var.
    std::uint64_t seed = 1;
    bool json = false;
};

Status run_link(Layout layout, const LinkChoice& choice) {
    set_log_service("drill");
    crypto::initialize();
    std::optional<TemporaryDirectory> town;
    if (choice.residents > 0) {
        town.emplace();
        layout = Layout(town->path() / "var");
        CLOISON_TRY_STATUS(
            initialize_var(layout, Configuration(), local_file_system(), system_random()));
        CLOISON_TRY_STATUS(
            populate(layout, {choice.residents, choice.seed}, population::Habits::kBusy));
    }
    // Says what is missing where nothing is.
    CLOISON_TRY_STATUS(Configuration::load(local_file_system(), layout.configuration()));
    drill::LinkOptions options;
    options.stores = {layout.service("keeper"), layout.service("identity"),
                      layout.service("casework"), layout.service("documents"),
                      layout.service("desk")};
    options.seed = choice.seed;
    options.on_note = [](const std::string& note) { std::fprintf(stderr, "%s\n", note.c_str()); };
    CLOISON_TRY(const auto report, drill::link(options, local_file_system()));
    std::fputs(choice.json ? report.json().c_str() : report.text().c_str(), stdout);
    if (!report.faults.empty()) return fail(ErrorCode::kInternal, "The drill link found a fault.");
    if (!report.undecided.empty())
        return fail(ErrorCode::kInternal,
                    "The drill link could not decide whether two stores link: it needs the records "
                    "of more persons, such as those of a larger number of --residents.");
    if (!report.tells())
        return fail(
            ErrorCode::kInternal,
            "The drill link proves nothing here: it needs the records of more persons, such "
            "as those of --residents 1000.");
    return {};
}

void add_link_drill(CLI::App& command, const std::function<Layout()>& layout,
                    std::function<Status()>& chosen) {
    auto* drill = command.add_subcommand("link", "Any two stolen stores are matched");
    auto choice = std::make_shared<LinkChoice>();
    drill->add_option("--residents", choice->residents, "Makes a town of so many for itself")
        ->transform(whole_number())
        ->check(CLI::Range(1U, population::kMaxResidents));
    drill->add_option("--seed", choice->seed, "Of the town and the attack")
        ->transform(whole_number())
        ->capture_default_str();
    drill->add_flag("--json", choice->json, "Print JSON");
    drill->fallthrough();
    drill->callback([choice, layout, &chosen] {
        chosen = [choice, layout] { return run_link(layout(), *choice); };
    });
}

struct DrillChoice {
    std::string name;
    bool json = false;
};

void add_drill(CLI::App& command, const std::function<Layout()>& layout,
               std::function<Status()>& chosen) {
    static constexpr std::pair<const char*, const char*> kDrills[] = {
        {"stolen-officer", "A stolen officer's session reads cases until the budget stops it"},
        {"partner", "A professional's account enumerates residents"},
        {"idor", "Sessions ask for the objects of others on every route"},
        {"stolen-database", "Each store alone is searched for values and for links"},
    };
    command.require_subcommand(1);
    for (const auto& [name, description] : kDrills) {
        auto* drill = command.add_subcommand(name, description);
        auto choice = std::make_shared<DrillChoice>();
        choice->name = name;
        drill->add_flag("--json", choice->json, "Print JSON");
        // --var may stand behind the name of the drill, too.
        drill->fallthrough();
        drill->callback([choice, layout, &chosen] {
            chosen = [choice, layout] { return run_drill(layout(), choice->name, choice->json); };
        });
    }
    add_link_drill(command, layout, chosen);
}

}  // namespace

void add_demo_commands(
    const std::function<CLI::App*(const std::string& name, const std::string& description)>& add,
    std::function<Layout()> layout, std::function<Status()>& chosen) {
    auto* population = add("population", "Fills new directories with an invented town");
    auto choice = std::make_shared<PopulationChoice>();
    population->add_option("--residents", choice->residents, "How many")
        ->transform(whole_number())
        ->check(CLI::Range(1U, population::kMaxResidents))
        ->capture_default_str();
    population->add_option("--seed", choice->seed, "The same seed gives the same people")
        ->transform(whole_number())
        ->capture_default_str();
    population->callback([choice, layout, &chosen] {
        chosen = [choice, layout] { return make_population(layout(), *choice); };
    });
    add_drill(*add("drill", "Rehearses a leak against running services"), layout, chosen);
}

}  // namespace cloison::cli
