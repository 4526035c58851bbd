#include "cli/services.h"

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <nlohmann/json.hpp>

#include "base/log.h"
#include "casework/casework.h"
#include "casework/request_type.h"
#include "cli/outbox.h"
#include "cli/service_wiring.h"
#include "cli/supervisor.h"
#include "demo/accounts.h"
#include "documents/documents.h"
#include "identity/identity.h"
#include "keeper/client/store_generation.h"
#include "keeper/keeper.h"
#include "net/http_server.h"

namespace cloison::cli {
namespace {

constexpr Duration kHttpGrace{5'000};

std::string address_of(const Configuration& configuration, std::uint16_t port) {
    const std::string host =
        configuration.address == "127.0.0.1" ? "localhost" : configuration.address;
    return "http://" + host + ":" + std::to_string(port);
}

/// One demo account of each role; the outbox page has all of them, with their codes.
void print_sign_ins(FileSystem& files, const Path& demo_file) {
    const auto demo = demo::load_accounts(files, demo_file);
    if (!demo) return;
    std::printf("Demo sign-ins (one-time codes are on the outbox page):\n\n");
    std::string last_role;
    for (const auto& account : demo->accounts) {
        if (account.role == last_role) continue;
        last_role = account.role;
        std::printf("  %-14s %-40s %s\n", account.role.c_str(), account.email.c_str(),
                    account.password.c_str());
    }
    std::printf("\n");
}

}  // namespace

Status run_keeper(const Layout& layout) {
    block_stop_signals();
    CLOISON_TRY(auto wiring, Wiring::load(layout, "keeper"));
    CLOISON_TRY(auto grants, wiring.trust.key("identity-grants"));
    keeper::Keeper::Options options;
    options.directory = wiring.directory("keeper");
    options.origin = wiring.configuration.journal_origin;
    options.witnesses = {wiring.configuration.witnesses, wiring.configuration.witnesses_needed(),
                         wiring.configuration.witness_interval,
                         wiring.configuration.witness_warning,
                         wiring.configuration.witness_ca_file};
    if (options.witnesses.addresses.empty())
        log_warning(
            "no witness is set (journal.witnesses): whoever owns this host can drop the end of "
            "the journal unseen");
    options.root_key = wiring.configuration.root_key_source();
    options.on_journal_failure = [](const Error& error) {
        // What reached the disk is read back by the next process, not guessed by this one.
        log_error("the journal refuses to be written: " + error.message);
        std::_Exit(1);
    };
    CLOISON_TRY(auto keeper, keeper::Keeper::open(options, wiring.registry, grants, wiring.files,
                                                  wiring.clock, system_random()));
    return wiring.serve_rpc("keeper", keeper->service());
}

Status run_identity(const Layout& layout) {
    block_stop_signals();
    CLOISON_TRY(auto wiring, Wiring::load(layout, "identity"));
    CLOISON_TRY(auto tickets, wiring.trust.key("casework-tickets"));
    identity::Identity::Options options;
    options.directory = wiring.directory("identity");
    options.generation_interval = keeper::StoreGeneration::kInterval;
    CLOISON_TRY(auto identity,
                identity::Identity::open(options, wiring.registry,
                                         wiring.client<keeper::KeeperClient>("keeper"), tickets,
                                         wiring.files, wiring.clock, system_random()));
    return wiring.serve_rpc("identity", identity->service());
}

Status run_casework(const Layout& layout) {
    block_stop_signals();
    CLOISON_TRY(auto wiring, Wiring::load(layout, "casework"));
    CLOISON_TRY(auto grants, wiring.trust.key("identity-grants"));
    CLOISON_TRY(auto types, casework::load_request_types(
                                wiring.files, wiring.installation.request_types, wiring.registry));
    CLOISON_TRY(auto casework,
                casework::Casework::open(
                    {.directory = wiring.directory("casework"),
                     .generation_interval = keeper::StoreGeneration::kInterval},
                    std::move(types), grants, wiring.client<keeper::KeeperClient>("keeper"),
                    wiring.files, wiring.clock, system_random()));
    return wiring.serve_rpc("casework", casework->service());
}

Status run_documents(const Layout& layout) {
    block_stop_signals();
    CLOISON_TRY(auto wiring, Wiring::load(layout, "documents"));
    CLOISON_TRY(auto grants, wiring.trust.key("identity-grants"));
    CLOISON_TRY(auto documents, documents::Documents::open(
                                    {.directory = wiring.directory("documents"),
                                     .generation_interval = keeper::StoreGeneration::kInterval},
                                    grants, wiring.client<keeper::KeeperClient>("keeper"),
                                    wiring.files, wiring.clock));
    return wiring.serve_rpc("documents", documents->service());
}

Status run_outbox(const Layout& layout) {
    block_stop_signals();
    set_log_service("outbox");
    FileSystem& files = local_file_system();
    CLOISON_TRY(auto configuration, Configuration::load(files, layout.configuration()));
    const Outbox outbox({.directory = layout.outbox(),
                         .demo_file = layout.demo(),
                         .portal_address = address_of(configuration, configuration.portal_port),
                         .desk_address = address_of(configuration, configuration.desk_port)},
                        files, system_clock());
    net::HttpServer::Options options;
    options.address = configuration.address;
    options.port = configuration.outbox_port;
    options.handler_threads = 2;
    CLOISON_TRY(auto server,
                net::HttpServer::start(
                    options, [&](net::HttpRequest& request) { return outbox.handle(request); },
                    [](std::string_view, std::string_view) { return false; }));
    report_ready();
    log_info("serves on port " + std::to_string(server->port()));
    wait_for_stop();
    server->stop(kHttpGrace);
    return {};
}

Status serve(const Layout& layout, bool demo) {
    set_log_service("serve");
    FileSystem& files = local_file_system();
    CLOISON_TRY(auto configuration, Configuration::load(files, layout.configuration()));
    // One supervisor a directory: the lock ends with the process, however it ends.
    const Path lock = layout.run() / "serve.lock";
    CLOISON_TRY_STATUS(files.create_directories(layout.run()));
    const int fd = ::open(lock.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (fd < 0) return fail(ErrorCode::kIo, lock.string() + ": " + std::strerror(errno) + ".");
    if (flock(fd, LOCK_EX | LOCK_NB) != 0) {
        ::close(fd);
        return fail(ErrorCode::kConflict,
                    "Cloison already runs in " + layout.var().string() + " (cloison status).");
    }

    std::vector<ServiceProcess> services;
    std::vector<std::string> names = {"keeper",    "identity", "casework",
                                      "documents", "portal",   "desk"};
    if (demo || configuration.mail_transport == "outbox") names.emplace_back("outbox");
    services.reserve(names.size());
    for (const auto& name : names)
        services.push_back({name, {name, "--var", layout.var().string()}});
    Supervisor supervisor(std::move(services), layout.run() / "serve.json", files, system_clock());
    auto status = supervisor.run([&] {
        std::printf("Cloison runs. Ctrl-C stops it.\n\n");
        std::printf("  portal   %s\n",
                    address_of(configuration, configuration.portal_port).c_str());
        std::printf("  desk     %s\n", address_of(configuration, configuration.desk_port).c_str());
        if (demo)
            std::printf("  outbox   %s   (mails, and demo sign-ins with their codes)\n",
                        address_of(configuration, configuration.outbox_port).c_str());
        std::printf("\n");
        if (demo) print_sign_ins(files, layout.demo());
        std::fflush(stdout);
    });
    ::close(fd);
    return status;
}

}  // namespace cloison::cli
