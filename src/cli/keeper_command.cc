#include "cli/keeper_command.h"

#include <signal.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <atomic>
#include <cstdio>
#include <ctime>

#include "base/random.h"
#include "cli/caller_key.h"
#include "cli/counted.h"
#include "cli/service_wiring.h"
#include "cli/whole_number.h"
#include "crypto/keys.h"
#include "journal/wal.h"
#include "keeper/client/keeper_client.h"
#include "keeper/keeper.h"

namespace cloison::cli {
namespace {

using keeper::v1::RotateRequest;
using keeper::v1::RotateResponse;

constexpr int kBarWidth = 40;
constexpr long kPollNanoseconds = 200'000'000;
/// Without a terminal there is a line for every tenth part.
constexpr std::uint64_t kParts = 10;

std::atomic<bool> interrupted{false};

void on_interrupt(int) {
    interrupted = true;
}

struct RotateChoice {
    bool status = false;
    bool pause = false;
    std::uint32_t pace = 0;
};

unsigned long long number(std::uint64_t value) {
    return value;
}

bool is_complete(const RotateResponse& state) {
    return !state.running() && state.failure().empty() && state.done() == state.total();
}

/// What the state is, in a line.
void print_state(const RotateResponse& state) {
    const char* what = "at rest";
    if (!state.failure().empty())
        what = "stands still";
    else if (state.running())
        what = "running";
    else if (state.done() < state.total())
        what = "paused";
    std::printf("Epoch %u, %s: %llu of %s under its key.\n", state.epoch(), what,
                number(state.done()), counted(state.total(), "person").c_str());
}

/// A bar that is drawn over itself on a terminal, plain lines elsewhere.
class ProgressBar {
  public:
    void show(const RotateResponse& state) {
        const std::uint64_t total = std::max<std::uint64_t>(state.total(), 1);
        if (!terminal_) {
            const std::uint64_t part = state.done() * kParts / total;
            if (part == part_) return;
            part_ = part;
            std::printf("%llu of %s\n", number(state.done()),
                        counted(state.total(), "person").c_str());
            std::fflush(stdout);
            return;
        }
        const int filled = static_cast<int>(state.done() * kBarWidth / total);
        std::printf("\r[%s%s] %llu of %s", std::string(filled, '#').c_str(),
                    std::string(kBarWidth - filled, '.').c_str(), number(state.done()),
                    counted(state.total(), "person").c_str());
        std::fflush(stdout);
    }
    void close() const {
        if (terminal_) std::printf("\n");
    }

  private:
    const bool terminal_ = isatty(STDOUT_FILENO) == 1;
    std::uint64_t part_ = ~std::uint64_t{0};
};

/// Returns early on a signal.
void pause_between_polls() {
    timespec time{0, kPollNanoseconds};
    nanosleep(&time, nullptr);
}

Result<RotateResponse> call(const keeper::KeeperClient& keeper, RotateRequest::Action action,
                            std::uint32_t pace = 0) {
    RotateRequest request;
    request.set_action(action);
    request.set_pace(pace);
    return keeper.rotate(request);
}

/// Follows a rotation to its end, a failure, a pause by somebody else, or Ctrl-C.
Status follow(const keeper::KeeperClient& keeper, std::uint32_t before) {
    struct sigaction action {};
    action.sa_handler = on_interrupt;
    sigaction(SIGINT, &action, nullptr);
    ProgressBar bar;
    for (;;) {
        auto state = call(keeper, RotateRequest::STATUS);
        if (!state) {
            bar.close();
            return fail(state.error());
        }
        // Until the new epoch is there, the counts are still those of the old one.
        if (state->epoch() > before || !state->running()) bar.show(*state);
        if (!state->failure().empty()) {
            bar.close();
            return fail(ErrorCode::kUnavailable,
                        "The rotation stands still: " + state->failure() +
                            " Mend that, then run \"cloison keeper rotate\" again.");
        }
        if (!state->running()) {
            bar.close();
            if (!is_complete(*state)) {
                std::printf("The rotation was paused; \"cloison keeper rotate\" goes on.\n");
                return {};
            }
            std::printf(
                "Every person is under epoch %u, and older keys are destroyed.\n"
                "Backups from before open for nobody from now on: run "
                "\"cloison backup create\".\n",
                state->epoch());
            return {};
        }
        if (interrupted) {
            bar.close();
            std::printf(
                "The rotation goes on in the keeper: \"cloison keeper rotate --status\".\n");
            return {};
        }
        pause_between_polls();
    }
}

Status rotate(const Layout& layout, const RotateChoice& choice) {
    CLOISON_TRY(auto wiring, Wiring::load(layout, kOperator));
    const auto keeper = wiring.client<keeper::KeeperClient>("keeper");
    if (choice.pause) {
        CLOISON_TRY(const auto state, call(keeper, RotateRequest::PAUSE));
        print_state(state);
        return {};
    }
    CLOISON_TRY(const auto before, call(keeper, RotateRequest::STATUS));
    if (choice.status) {
        print_state(before);
        if (before.failure().empty()) return {};
        return fail(ErrorCode::kUnavailable, "The rotation stands still: " + before.failure());
    }
    CLOISON_TRY(const auto started, call(keeper, RotateRequest::START, choice.pace));
    const bool is_new = is_complete(before);
    if (started.epoch() == before.epoch() && is_new)
        std::printf("A rotation to epoch %u begins.\n", before.epoch() + 1);
    return follow(keeper, is_new ? before.epoch() : before.epoch() - 1);
}

std::string absolute(const std::string& path) {
    if (path.empty()) return path;
    return std::filesystem::absolute(path).lexically_normal().string();
}

void make_absolute(Configuration& configuration) {
    configuration.pkcs11_pin_file = absolute(configuration.pkcs11_pin_file);
    if (configuration.pkcs11_module.find('/') != std::string::npos)
        configuration.pkcs11_module = absolute(configuration.pkcs11_module);
}

Status require_token(const Configuration& configuration) {
    if (!configuration.pkcs11_module.empty() && !configuration.pkcs11_token.empty() &&
        !configuration.pkcs11_key.empty() && !configuration.pkcs11_pin_file.empty())
        return {};
    return fail(ErrorCode::kInvalidArgument,
                "A token needs --pkcs11-module, --pkcs11-token, --pkcs11-key and "
                "--pkcs11-pin-file.");
}

Status move_root(const Layout& layout, const std::string& target, Configuration options) {
    crypto::initialize();
    FileSystem& files = local_file_system();
    CLOISON_TRY(const auto before, Configuration::load(files, layout.configuration()));
    make_absolute(options);
    Configuration after = before;
    after.root_key = target;
    const auto take = [](std::string& into, const std::string& given) {
        if (!given.empty()) into = given;
    };
    take(after.pkcs11_module, options.pkcs11_module);
    take(after.pkcs11_token, options.pkcs11_token);
    take(after.pkcs11_key, options.pkcs11_key);
    take(after.pkcs11_pin_file, options.pkcs11_pin_file);
    const auto source = after.root_key_source();
    if (target == "pkcs11") CLOISON_TRY_STATUS(require_token(after));
    CLOISON_TRY(const auto settings, after.text());
    const Path directory = layout.service("keeper");
    // The journal's lock is the keeper's, who may not have run yet.
    CLOISON_TRY_STATUS(files.create_directories(keeper::journal_directory(directory)));
    auto lock = files.lock_file(keeper::journal_directory(directory) / "lock");
    if (!lock && lock.error().code == ErrorCode::kConflict)
        return fail(ErrorCode::kConflict, "The keeper runs: stop it before its root key is moved.");
    if (!lock) return fail(lock.error());
    if (before.root_key == target) {
        // A crash may have left the old form behind.
        auto other = before;
        other.root_key = target == "file" ? "pkcs11" : "file";
        const Path left = directory / (target == "file" ? "root.wrapped" : "root.key");
        CLOISON_TRY(const bool is_left, files.exists(left));
        if (!is_left)
            return fail(ErrorCode::kConflict,
                        "The root key is where it should be; nothing was changed.");
        return keeper::end_root_key_move(files, directory, other.root_key_source(), source,
                                         system_random());
    }
    CLOISON_TRY_STATUS(
        keeper::copy_root_key(files, directory, before.root_key_source(), source, system_random()));
    CLOISON_TRY_STATUS(
        files.write_file_atomically(layout.configuration(), as_bytes(settings), 0600));
    CLOISON_TRY_STATUS(keeper::forget_root_key(files, directory, before.root_key_source().kind));
    std::printf(
        "The root key is moved (keeper.root_key = \"%s\"). Run \"cloison backup create\": "
        "what keys.escrow holds has changed.\n",
        target.c_str());
    return {};
}

Status operator_key(const Layout& layout) {
    FileSystem& files = local_file_system();
    CLOISON_TRY(const auto settings, Configuration::load(files, layout.configuration()));
    CLOISON_TRY_STATUS(make_caller_key(layout, kOperator, files, system_random()));
    std::printf(
        "%s is there and trusted. A keeper that runs knows a new one once it is restarted.\n",
        layout.service_key(kOperator).c_str());
    return {};
}

void add_token_options(CLI::App& command, Configuration& configuration) {
    command.add_option("--pkcs11-module", configuration.pkcs11_module,
                       "PKCS#11 library of the token");
    command.add_option("--pkcs11-token", configuration.pkcs11_token, "Label of the token");
    command.add_option("--pkcs11-key", configuration.pkcs11_key, "Label of the key in the token");
    command.add_option("--pkcs11-pin-file", configuration.pkcs11_pin_file,
                       "File that holds the PIN, mode 0600");
}

}  // namespace

Status settle_token_options(Configuration& configuration) {
    if (configuration.root_key == "pkcs11") {
        CLOISON_TRY_STATUS(require_token(configuration));
        make_absolute(configuration);
        return {};
    }
    if (configuration.pkcs11_module.empty() && configuration.pkcs11_token.empty() &&
        configuration.pkcs11_key.empty() && configuration.pkcs11_pin_file.empty())
        return {};
    return fail(ErrorCode::kInvalidArgument,
                "--pkcs11-module, --pkcs11-token, --pkcs11-key and --pkcs11-pin-file go with "
                "--root-key pkcs11.");
}

Status require_first_run(const Layout& layout, FileSystem& files) {
    // Says what is missing where no directory was made.
    CLOISON_TRY_STATUS(Configuration::load(files, layout.configuration()));
    const Path journal = keeper::journal_directory(layout.service("keeper"));
    CLOISON_TRY(const bool has_run, files.exists(journal::segments_directory(journal)));
    if (has_run) return {};
    return fail(ErrorCode::kNotFound,
                "The keeper of " + layout.var().string() +
                    " has never run: it makes its journal when it starts (\"cloison serve\" or "
                    "\"cloison keeper\").");
}

void add_root_key_options(CLI::App& command, Configuration& configuration) {
    command
        .add_option("--root-key", configuration.root_key,
                    "Where the keeper's root key is: file or pkcs11")
        ->check(CLI::IsMember({"file", "pkcs11"}))
        ->capture_default_str();
    add_token_options(command, configuration);
}

void add_keeper_commands(CLI::App& command, std::function<Layout()> layout,
                         std::function<Status()>& chosen) {
    auto* rotation = command.add_subcommand(
        "rotate", "Changes to a new epoch key, while the keeper runs; Ctrl-C leaves it running");
    auto choice = std::make_shared<RotateChoice>();
    auto* status = rotation->add_flag("--status", choice->status, "Only say how far it is");
    auto* pause = rotation->add_flag("--pause", choice->pause, "Hold it until it is started again")
                      ->excludes(status);
    rotation
        ->add_option("--pace", choice->pace,
                     "Persons a second at most, to leave the disk to others; as many as it can if "
                     "left out")
        ->transform(whole_number())
        ->check(CLI::Range(std::uint32_t{1}, std::uint32_t{1'000'000}))
        ->excludes(status)
        ->excludes(pause);
    rotation->fallthrough();
    rotation->callback([choice, layout, &chosen] {
        chosen = [choice, layout] { return rotate(layout(), *choice); };
    });

    auto* move = command.add_subcommand(
        "move-root", "Moves the root key into a token or out of it; the keeper must not run");
    auto target = std::make_shared<std::string>();
    auto options = std::make_shared<Configuration>();
    move->add_option("--to", *target, "file or pkcs11")
        ->required()
        ->check(CLI::IsMember({"file", "pkcs11"}));
    add_token_options(*move, *options);
    move->fallthrough();
    move->callback([target, options, layout, &chosen] {
        chosen = [target, options, layout] { return move_root(layout(), *target, *options); };
    });

    auto* own_key = command.add_subcommand(
        "operator-key",
        "Makes the key anew that signs what the command line asks of the keeper, "
        "if it is missing; no backup holds it");
    own_key->fallthrough();
    own_key->callback([layout = std::move(layout), &chosen] {
        chosen = [layout] { return operator_key(layout()); };
    });
}

}  // namespace cloison::cli
