#include <cstdio>
#include <nlohmann/json.hpp>

#include "base/log.h"
#include "base/temporary_directory.h"
#include "cli/service_wiring.h"
#include "cli/services.h"
#include "cli/supervisor.h"
#include "desk/desk.h"
#include "portal/portal.h"

namespace cloison::cli {
namespace {

constexpr Duration kGrace{5'000};

Result<std::shared_ptr<net::MailTransport>> mail_transport(const Wiring& wiring) {
    const Configuration& settings = wiring.configuration;
    if (settings.mail_transport == "outbox")
        return std::shared_ptr<net::MailTransport>(
            net::directory_transport(wiring.files, wiring.layout.outbox(), settings.mail_from,
                                     wiring.clock, system_random()));
    CLOISON_TRY(auto transport, net::smtp_transport({.url = settings.smtp_url,
                                                     .from = settings.mail_from,
                                                     .user = settings.smtp_user,
                                                     .password_file = settings.smtp_password_file,
                                                     .require_tls = settings.smtp_require_tls},
                                                    wiring.clock, system_random()));
    return std::shared_ptr<net::MailTransport>(std::move(transport));
}

/// Serves a door until a stop signal, having reported ready.
template <class Door>
Status serve_door(Door& door) {
    CLOISON_TRY_STATUS(door.start());
    report_ready();
    log_info("serves on port " + std::to_string(door.port()));
    wait_for_stop();
    door.stop(kGrace);
    log_info("stopped");
    return {};
}

template <class Site>
std::vector<DoorRoute> routes_of(const Site& site) {
    std::vector<DoorRoute> routes;
    for (const auto& route : site.routes())
        routes.push_back({route.method, route.pattern, std::string(web::access_name(route.access)),
                          route.streams});
    return routes;
}

}  // namespace

Status run_portal(const Layout& layout) {
    block_stop_signals();
    CLOISON_TRY(auto wiring, Wiring::load(layout, "portal"));
    CLOISON_TRY(auto mail, mail_transport(wiring));
    portal::Portal::Options options;
    options.cookie_key_file = wiring.directory("portal") / "cookie.key";
    options.web_directory = wiring.installation.web;
    options.request_types = wiring.installation.request_types;
    options.clamd = wiring.configuration.clamd;
    options.address = wiring.configuration.address;
    options.port = wiring.configuration.portal_port;
    portal::Services services{wiring.client<identity::IdentityClient>("identity"),
                              wiring.client<keeper::KeeperClient>("keeper"),
                              wiring.client<casework::CaseworkClient>("casework"),
                              wiring.client<documents::DocumentsClient>("documents"), mail};
    CLOISON_TRY(auto portal, portal::Portal::create(options, services, wiring.registry,
                                                    wiring.files, wiring.clock, system_random()));
    return serve_door(*portal);
}

Status run_desk(const Layout& layout) {
    block_stop_signals();
    CLOISON_TRY(auto wiring, Wiring::load(layout, "desk"));
    desk::Desk::Options options;
    options.directory = wiring.directory("desk");
    // Pinned when the directory was made: the desk does not take the keeper's word for its key.
    CLOISON_TRY(const auto vkey, wiring.files.read_file(wiring.layout.journal_key(), 4096));
    options.journal_verify_key = std::string(as_text(vkey).substr(0, as_text(vkey).find('\n')));
    options.web_directory = wiring.installation.web;
    options.request_types = wiring.installation.request_types;
    options.address = wiring.configuration.address;
    options.port = wiring.configuration.desk_port;
    desk::Services services{wiring.client<identity::IdentityClient>("identity"),
                            wiring.client<keeper::KeeperClient>("keeper"),
                            wiring.client<casework::CaseworkClient>("casework"),
                            wiring.client<documents::DocumentsClient>("documents")};
    CLOISON_TRY(auto desk, desk::Desk::create(options, services, wiring.registry, wiring.files,
                                              wiring.clock, system_random()));
    return serve_door(*desk);
}

Result<std::vector<DoorRoute>> list_routes(const std::string& door) {
    FileSystem& files = local_file_system();
    crypto::initialize();
    CLOISON_TRY(auto installation, Installation::find());
    CLOISON_TRY(auto registry, registry::Registry::load(files, installation.registry_file));
    // A door is made, and no port opened nor service called: only its router is read.
    const TemporaryDirectory scratch;
    if (door == "portal") {
        const Path key = scratch.path() / "cookie.key";
        CLOISON_TRY_STATUS(crypto::create_key_file(files, key, system_random()));
        portal::Portal::Options options;
        options.cookie_key_file = key;
        options.web_directory = installation.web;
        options.request_types = installation.request_types;
        portal::Services nobody{identity::IdentityClient(nullptr), keeper::KeeperClient(nullptr),
                                casework::CaseworkClient(nullptr),
                                documents::DocumentsClient(nullptr), nullptr};
        CLOISON_TRY(auto portal, portal::Portal::create(options, nobody, registry, files,
                                                        system_clock(), system_random()));
        return routes_of(portal->site());
    }
    desk::Desk::Options options;
    options.directory = scratch.path() / "desk";
    CLOISON_TRY_STATUS(desk::create_desk_directory(files, options.directory, system_random()));
    options.web_directory = installation.web;
    options.request_types = installation.request_types;
    desk::Services nobody{identity::IdentityClient(nullptr), keeper::KeeperClient(nullptr),
                          casework::CaseworkClient(nullptr), documents::DocumentsClient(nullptr)};
    CLOISON_TRY(auto desk, desk::Desk::create(options, nobody, registry, files, system_clock(),
                                              system_random()));
    return routes_of(desk->site());
}

Status print_routes(const std::string& door, bool json) {
    CLOISON_TRY(const auto routes, list_routes(door));
    nlohmann::json list = nlohmann::json::array();
    for (const DoorRoute& route : routes) {
        if (json)
            list.push_back({{"method", route.method},
                            {"pattern", route.pattern},
                            {"access", route.access},
                            {"streams", route.streams}});
        else
            std::printf("%-5s %-14s %s\n", route.method.c_str(), route.access.c_str(),
                        route.pattern.c_str());
    }
    if (json) std::printf("%s\n", list.dump().c_str());
    return {};
}

}  // namespace cloison::cli
