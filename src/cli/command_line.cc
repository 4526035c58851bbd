#include "cli/command_line.h"

#include <CLI/CLI.hpp>
#include <cstdio>
#include <functional>
#include <iostream>
#include <string>

#include "base/random.h"
#include "cli/backup_command.h"
#include "cli/canary_command.h"
#include "cli/configuration.h"
#include "cli/demo_commands.h"
#include "cli/init.h"
#include "cli/journal_commands.h"
#include "cli/journal_reading.h"
#include "cli/keeper_command.h"
#include "cli/services.h"
#include "cli/staff_command.h"
#include "cli/status.h"
#include "cli/supervisor.h"
#include "cli/whole_number.h"
#include "cli/witness_command.h"

namespace cloison::cli {
namespace {

constexpr const char* kVersion = "cloison 0.1.0";

/// What a subcommand does once the command line is read.
using Action = std::function<Status()>;

/// The subcommands share --var and where their action goes.
struct Commands {
    CLI::App& app;
    Action& chosen;
    std::string var = "var";
    bool error_is_told = false;  ///< A supervisor prints it.

    CLI::App* add(const std::string& name, const std::string& description) {
        auto* command = app.add_subcommand(name, description);
        command->add_option("--var", var, "Where state lives")->capture_default_str();
        // --var may also stand behind a subcommand of this one.
        command->fallthrough();
        return command;
    }
    Layout layout() const { return Layout(std::filesystem::absolute(var).lexically_normal()); }
};

void add_services(Commands& commands) {
    struct Service {
        const char* name;
        const char* description;
        Status (*run)(const Layout&);
    };
    static constexpr Service kServices[] = {
        {"keeper", "Runs the keeper: keys, links, grants, budgets, journal", run_keeper},
        {"identity", "Runs identity: accounts, credentials, sessions", run_identity},
        {"casework", "Runs casework: requests and their life cycle", run_casework},
        {"documents", "Runs documents: supporting documents", run_documents},
        {"portal", "Runs the residents' pages", run_portal},
        {"desk", "Runs the staff's pages", run_desk},
        {"outbox", "Runs the page that shows the demo's mails", run_outbox},
    };
    for (const auto& service : kServices) {
        auto* command = commands.add(service.name, service.description)->group("Services");
        if (std::string(service.name) == "keeper")
            add_keeper_commands(
                *command, [&commands] { return commands.layout(); }, commands.chosen);
        command->callback([&commands, command, run = service.run] {
            if (!command->get_subcommands().empty()) return;
            commands.chosen = [&commands, run] {
                auto status = run(commands.layout());
                if (!status) commands.error_is_told = report_failure(status.error());
                return status;
            };
        });
    }
}

/// `cloison init`, and what to do next.
Status initialize(const Layout& layout, Configuration configuration) {
    FileSystem& files = local_file_system();
    CLOISON_TRY_STATUS(settle_token_options(configuration));
    CLOISON_TRY_STATUS(initialize_var(layout, configuration, files, system_random()));
    CLOISON_TRY(const auto journal_key, files.read_file(layout.journal_key(), 4096));
    const std::string var = layout.var().string();
    std::printf(
        "%s is made. The journal's verify key, to give to whoever is to check it:\n\n  %s\n"
        "Settings are in %s. Next: cloison serve --var %s\n",
        var.c_str(), std::string(as_text(journal_key)).c_str(), layout.configuration().c_str(),
        var.c_str());
    return {};
}

void add_operation(Commands& commands) {
    auto* serve_command =
        commands.add("serve", "Starts and watches all services; Ctrl-C stops them")
            ->group("Operation");
    auto demo = std::make_shared<bool>(false);
    serve_command->add_flag("--demo", *demo, "Show mails and demo sign-ins on the outbox page");
    serve_command->callback([&commands, demo] {
        commands.chosen = [&commands, demo] { return serve(commands.layout(), *demo); };
    });

    auto* status_command =
        commands.add("status", "Says what runs, since when, and whether it answers")
            ->group("Operation");
    auto json = std::make_shared<bool>(false);
    status_command->add_flag("--json", *json, "Print JSON");
    status_command->callback([&commands, json] {
        commands.chosen = [&commands, json] {
            return show_status(commands.layout(), local_file_system(), *json);
        };
    });

    auto* init_command = commands.add("init", "Makes keys, trust and settings in a new directory")
                             ->group("Operation");
    auto configuration = std::make_shared<Configuration>();
    const auto port = CLI::Range(1, 65535);
    init_command->add_option("--portal-port", configuration->portal_port, "Port of the portal")
        ->transform(whole_number())
        ->check(port)
        ->capture_default_str();
    init_command->add_option("--desk-port", configuration->desk_port, "Port of the desk")
        ->transform(whole_number())
        ->check(port)
        ->capture_default_str();
    init_command->add_option("--outbox-port", configuration->outbox_port, "Port of the outbox page")
        ->transform(whole_number())
        ->check(port)
        ->capture_default_str();
    init_command
        ->add_option("--journal-origin", configuration->journal_origin,
                     "Name of the journal in its checkpoints")
        ->capture_default_str();
    init_command->add_option("--clamd", configuration->clamd,
                             "Virus scanner, unix:/path or tcp:host:port");
    add_root_key_options(*init_command, *configuration);
    init_command->callback([&commands, configuration] {
        commands.chosen = [&commands, configuration] {
            return initialize(commands.layout(), *configuration);
        };
    });

    add_backup_command(
        *commands.add("backup", "Encrypted backups of the keeper")->group("Operation"),
        [&commands] { return commands.layout(); }, commands.chosen);

    add_staff_command(
        *commands.add("staff", "Makes staff accounts from the command line")->group("Operation"),
        [&commands] { return commands.layout(); }, commands.chosen);

    add_canary_command(
        *commands.add("canary", "Invented persons whose opening raises an alarm")
             ->group("Operation"),
        [&commands] { return commands.layout(); }, commands.chosen);
}

void add_journal(Commands& commands) {
    auto* journal = commands.add("journal", "Reads the keeper's journal")->group("Journal");
    journal->require_subcommand(1);

    // What reads the journal's files needs some.
    auto reading = std::make_shared<Action>();
    add_journal_reading(
        *journal, [&commands] { return commands.layout(); }, *reading);
    journal->callback([&commands, reading] {
        if (!*reading) return;
        commands.chosen = [&commands, reading]() -> Status {
            CLOISON_TRY_STATUS(require_first_run(commands.layout(), local_file_system()));
            return (*reading)();
        };
    });

    auto* key = journal->add_subcommand("key", "Prints the verify key, as a vkey line");
    key->fallthrough();
    key->callback([&commands] {
        commands.chosen = [&commands]() -> Status {
            const Layout layout = commands.layout();
            CLOISON_TRY(auto configuration,
                        Configuration::load(local_file_system(), layout.configuration()));
            return journal_key(local_file_system(), layout.service("keeper"),
                               configuration.journal_origin);
        };
    });

    auto* verify = journal->add_subcommand("verify", "Checks a proof file; needs no other file");
    auto file = std::make_shared<std::string>();
    auto vkey = std::make_shared<std::string>();
    verify
        ->add_option("proof", *file,
                     "Proof file, as the portal hands it out or cloison journal prove prints it")
        ->required();
    verify
        ->add_option("--key", *vkey,
                     "Verify key, name+hex+base64 (cloison journal key), or a file that holds it")
        ->required();
    auto witnesses = std::make_shared<std::vector<std::string>>();
    auto quorum = std::make_shared<std::size_t>(0);
    verify
        ->add_option("--witness", *witnesses,
                     "Verify key of a witness (cloison witness key); may be given several times. "
                     "Says who of them cosigned the checkpoint, and when")
        ->allow_extra_args(false);
    verify
        ->add_option("--quorum", *quorum,
                     "Fail unless at least so many of these witnesses cosigned it")
        ->transform(whole_number());
    verify->fallthrough();
    verify->callback([&commands, file, vkey, witnesses, quorum] {
        commands.chosen = [file, vkey, witnesses, quorum] {
            return journal_verify(local_file_system(), *file, *vkey, *witnesses, *quorum);
        };
    });

    add_witness_command(
        *commands.app
             .add_subcommand("witness", "Runs a witness for the journals of others, or sets it up")
             ->group("Journal"),
        commands.chosen);
}

void add_inspection(Commands& commands) {
    auto* routes = commands.add("routes", "Lists every route of a door, read from its router")
                       ->group("Inspection");
    auto door = std::make_shared<std::string>();
    auto json = std::make_shared<bool>(false);
    routes->add_option("door", *door, "portal or desk")
        ->required()
        ->check(CLI::IsMember({"portal", "desk"}));
    routes->add_flag("--json", *json, "Print JSON");
    routes->callback([&commands, door, json] {
        commands.chosen = [door, json] { return print_routes(*door, *json); };
    });
}

/// An empty value is refused for every option and argument: it names no file, and a check that was
/// asked for with one would be left out without a word.
void refuse_empty_values(CLI::App& app) {
    for (CLI::Option* option : app.get_options()) {
        // A flag takes none; without a scanner uploads are not scanned.
        if (option->get_items_expected_max() == 0 || option->get_name() == "--clamd") continue;
        option->check(
            [](const std::string& value) {
                return value.empty() ? std::string("takes a value, and an empty one was given")
                                     : std::string();
            },
            "");
    }
    for (CLI::App* command : app.get_subcommands([](const CLI::App*) { return true; }))
        refuse_empty_values(*command);
}

/// What is wrong with the command line, like every other error. CLI11 misses a subcommand before it
/// looks at the word that stands in its place.
void print_parse_error(const CLI::App& app, const CLI::ParseError& error) {
    std::string words = error.what();
    const auto unknown = app.remaining(true);
    if (dynamic_cast<const CLI::RequiredError*>(&error) != nullptr && !unknown.empty() &&
        words.find("subcommand") != std::string::npos)
        words = "There is no subcommand \"" + unknown.front() + "\".";
    std::fprintf(stderr, "cloison: %s\nRun with --help for more information.\n", words.c_str());
}

}  // namespace

int run_command_line(int argc, char** argv) {
    CLI::App app{"Cloison: a portal whose leaks have exact answers"};
    app.set_version_flag("--version", kVersion);
    app.require_subcommand(1);
    Action chosen;
    Commands commands{app, chosen};
    add_services(commands);
    add_operation(commands);
    add_journal(commands);
    add_inspection(commands);
    add_demo_commands(
        [&commands](const std::string& name, const std::string& description) {
            return commands.add(name, description)->group("Demo");
        },
        [&commands] { return commands.layout(); }, chosen);
    refuse_empty_values(app);

    try {
        app.parse(argc, argv);
    } catch (const CLI::ParseError& error) {
        if (error.get_exit_code() == 0) return app.exit(error);
        print_parse_error(app, error);
        return 2;
    }
    const Status status = chosen();
    if (status) return 0;
    if (!commands.error_is_told)
        std::fprintf(stderr, "cloison: %s\n", status.error().message.c_str());
    return status.error().code == ErrorCode::kInvalidArgument ? 2 : 1;
}

}  // namespace cloison::cli
