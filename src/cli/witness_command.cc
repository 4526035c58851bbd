#include "cli/witness_command.h"

#include <CLI/CLI.hpp>
#include <algorithm>
#include <charconv>
#include <cstdio>
#include <memory>

#include "base/log.h"
#include "base/random.h"
#include "cli/supervisor.h"
#include "journal/witness.h"
#include "net/http_server.h"

namespace cloison::cli {
namespace {

constexpr Duration kGrace{2'000};

struct Arguments {
    std::string directory;
    std::string listen = "127.0.0.1:9080";
    std::string name;
    std::string vkey;
    std::string log;
    bool also = false;

    Path path() const { return std::filesystem::absolute(directory).lexically_normal(); }
};

Result<net::HttpServer::Options> read_listen(const std::string& listen) {
    const std::size_t colon = listen.rfind(':');
    net::HttpServer::Options options;
    const auto wrong = [] {
        return fail(ErrorCode::kInvalidArgument,
                    "--listen takes an address and a port, such as 127.0.0.1:9080.");
    };
    if (colon == std::string::npos || colon == 0) return wrong();
    options.address = listen.substr(0, colon);
    if (options.address.front() == '[' && options.address.back() == ']')
        options.address = options.address.substr(1, options.address.size() - 2);
    const std::string port = listen.substr(colon + 1);
    const auto [end, error] = std::from_chars(port.data(), port.data() + port.size(), options.port);
    if (error != std::errc() || end != port.data() + port.size()) return wrong();
    return options;
}

net::HttpResponse handle(journal::Witness& witness, const net::HttpRequest& request) {
    if (request.path != "/add-checkpoint")
        return net::HttpResponse::text(404, "A witness answers to POST /add-checkpoint only.\n");
    if (request.method != "POST") {
        auto response = net::HttpResponse::text(405, "POST a checkpoint here.\n");
        response.headers.set("Allow", "POST");
        return response;
    }
    const auto answer = witness.add_checkpoint(request.body);
    auto response = net::HttpResponse::text(answer.status, answer.body);
    response.headers.set("Content-Type", answer.content_type);
    return response;
}

Status run(const Arguments& arguments) {
    block_stop_signals();
    set_log_service("witness");
    CLOISON_TRY(auto options, read_listen(arguments.listen));
    CLOISON_TRY(const auto witness,
                journal::Witness::open(local_file_system(), arguments.path(), system_clock()));
    options.handler_threads = 4;
    CLOISON_TRY(
        const auto server,
        net::HttpServer::start(
            options, [&witness](net::HttpRequest& request) { return handle(*witness, request); },
            [](std::string_view, std::string_view) { return false; }));
    std::printf("Witness %s listens on %s, port %d. Ctrl-C stops it.\n", witness->name().c_str(),
                options.address.c_str(), server->port());
    std::fflush(stdout);
    wait_for_stop();
    server->stop(kGrace);
    return {};
}

Status initialize(const Arguments& arguments) {
    using journal::Witness;
    CLOISON_TRY(const auto made, Witness::create(local_file_system(), arguments.path(),
                                                 arguments.name, system_random()));
    if (made == Witness::Made::kWithTheKeyThatWasThere)
        std::fprintf(stderr,
                     "There was a key without a name, of an init that was cut short: the witness "
                     "has that key, and this name.\n");
    CLOISON_TRY(const auto vkey, Witness::vkey(local_file_system(), arguments.path()));
    std::printf("%s\n", vkey.c_str());
    return {};
}

Status print_key(const Arguments& arguments) {
    CLOISON_TRY(const auto vkey, journal::Witness::vkey(local_file_system(), arguments.path()));
    std::printf("%s\n", vkey.c_str());
    return {};
}

Status add_log(const Arguments& arguments) {
    using journal::Witness;
    CLOISON_TRY(const auto added,
                Witness::add_log(local_file_system(), arguments.path(), arguments.vkey,
                                 arguments.also ? Witness::Keys::kAlso : Witness::Keys::kOne));
    std::printf(added.was_known ? "%s is already known with this key.\n"
                                : "The witness cosigns checkpoints of %s from now on.\n",
                added.origin.c_str());
    return {};
}

Status list_logs(const Arguments& arguments) {
    CLOISON_TRY(const auto logs, journal::Witness::logs(local_file_system(), arguments.path()));
    if (logs.empty()) std::fprintf(stderr, "This witness knows no log.\n");
    for (const auto& log : logs) {
        const std::string seen = log.cosigned
                                     ? "cosigned last at size " + std::to_string(*log.cosigned)
                                     : "NOT READABLE: " + log.cosigned.error().message;
        std::printf("%s  %s\n", log.origin.c_str(),
                    log.cosigned && *log.cosigned == 0 ? "not cosigned yet" : seen.c_str());
        for (const std::string& vkey : log.vkeys) std::printf("    %s\n", vkey.c_str());
    }
    return {};
}

Status remove_log(const Arguments& arguments) {
    CLOISON_TRY(const auto origin,
                journal::Witness::remove_log(local_file_system(), arguments.path(), arguments.log));
    CLOISON_TRY(const auto logs, journal::Witness::logs(local_file_system(), arguments.path()));
    const bool left = std::any_of(logs.begin(), logs.end(),
                                  [&](const auto& log) { return log.origin == origin; });
    std::printf(left ? "The witness no longer trusts that key for %s.\n"
                     : "The witness no longer cosigns checkpoints of %s. It remembers the last "
                       "that it cosigned.\n",
                origin.c_str());
    return {};
}

}  // namespace

void add_witness_command(CLI::App& command, std::function<Status()>& chosen) {
    const auto arguments = std::make_shared<Arguments>();
    const auto choose = [arguments, &chosen](Status (*action)(const Arguments&)) {
        return [arguments, &chosen, action] {
            chosen = [arguments, action] { return action(*arguments); };
        };
    };
    command
        .add_option("--dir", arguments->directory,
                    "The witness's own directory: its key, and what it has seen of each log. "
                    "Back up the key, never put back an older copy of the rest")
        ->required();
    command
        .add_option("--listen", arguments->listen,
                    "Address and port for POST /add-checkpoint. Other hosts reach it through a "
                    "reverse proxy that ends TLS")
        ->capture_default_str();
    command.require_subcommand(0, 1);
    command.footer(
        "A witness gives its word, with its signature, that a log has only ever grown: it cosigns\n"
        "a checkpoint of a log only if all that it saw of that log before is still in it. It sees\n"
        "hashes, never what the log says. Run one for a log of somebody else's:\n\n"
        "  cloison witness init --dir w1 --name example.org/w1    prints the witness's verify key\n"
        "  cloison witness add-log --dir w1 VKEY                  the log's verify key, from them\n"
        "  cloison witness --dir w1 --listen 127.0.0.1:9080       runs until Ctrl-C");

    auto* init = command.add_subcommand(
        "init", "Makes a witness: a directory with a new key. Prints its verify key");
    init->add_option("--name", arguments->name,
                     "Its name in signatures, below a domain of yours: example.org/w1")
        ->required();
    init->fallthrough();
    init->callback(choose(initialize));

    auto* key = command.add_subcommand("key", "Prints the witness's verify key, as a vkey line");
    key->fallthrough();
    key->callback(choose(print_key));

    auto* add =
        command.add_subcommand("add-log", "Trusts a log from now on; also while the witness runs");
    add->add_option("vkey", arguments->vkey,
                    "The log's verify key, as its operator prints it (cloison journal key): "
                    "origin+id+key")
        ->required();
    add->add_flag("--also", arguments->also,
                  "One key more for a log that is known: whoever holds it can sign for that log");
    add->fallthrough();
    add->callback(choose(add_log));

    auto* list = command.add_subcommand(
        "list-logs", "Says which logs are trusted, with which keys, and what was cosigned last");
    list->fallthrough();
    list->callback(choose(list_logs));

    auto* remove = command.add_subcommand(
        "remove-log", "Trusts a log no longer, or one key of it; also while the witness runs");
    remove
        ->add_option("log", arguments->log,
                     "Its origin, or one of its verify keys, as list-logs prints them")
        ->required();
    remove->fallthrough();
    remove->callback(choose(remove_log));

    command.callback([&command, runs = choose(run)] {
        if (command.get_subcommands().empty()) runs();
    });
}

}  // namespace cloison::cli
