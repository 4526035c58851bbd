#include "desk/desk.h"

#include "crypto/keys.h"
#include "desk/alarm_pages.h"
#include "desk/core.h"
#include "net/http_server.h"
#include "storage/database.h"
#include "web/formats.h"
#include "web/security_headers.h"
#include "web/sign_in_pages.h"

namespace cloison::desk {
namespace {

Path service_key_path(const Path& directory) {
    return directory / "service.key";
}
Path cookie_key_path(const Path& directory) {
    return directory / "cookie.key";
}

std::vector<web::Site::NavigationItem> navigation(const Core& core, const web::Context& context) {
    using registry::Role;
    if (!context.session || context.session->totp_required) return {};
    std::vector<web::Site::NavigationItem> items;
    switch (context.session->role) {
        case Role::kOfficer:
            items = {{"/queue", "desk.queue.navigation"}};
            break;
        case Role::kSupport:
            items = {{"/support", "desk.support.navigation"}};
            break;
        case Role::kDpo:
            items = {{"/incidents", "desk_incident.navigation"},
                     {"/approvals", "desk_incident.approvals.navigation"}};
            break;
        case Role::kAdministrator:
            items = {{"/staff", "desk.staff.navigation"},
                     {"/approvals", "desk_incident.approvals.navigation"}};
            break;
        default:
            return {};
    }
    if (may_see_alarms(context)) {
        web::Site::NavigationItem alarms{"/alarms", "desk_alarm.navigation"};
        if (const auto waiting = waiting_alarms(core, context); waiting > 0) {
            alarms.badge = web::format_number(context.language, static_cast<std::int64_t>(waiting));
            alarms.badge_words = context.text("desk_alarm.badge");
        }
        items.push_back(std::move(alarms));
    }
    items.push_back({"/sessions", "desk.sessions.navigation"});
    return items;
}

}  // namespace

Status create_desk_directory(FileSystem& files, const Path& directory, Random& random) {
    CLOISON_TRY_STATUS(files.create_directories(directory));
    CLOISON_TRY_STATUS(crypto::create_key_file(files, service_key_path(directory), random));
    return crypto::create_key_file(files, cookie_key_path(directory), random);
}

Result<crypto::SigningKey> desk_service_key(FileSystem& files, const Path& directory) {
    CLOISON_TRY(const auto seed, crypto::load_key_file(files, service_key_path(directory)));
    return crypto::SigningKey::from_seed(seed.view());
}

struct Desk::Parts {
    Options options;
    std::unique_ptr<storage::Database> database;
    std::optional<incident::IncidentStore> incidents;
    std::optional<incident::Acknowledgements> acknowledgements;
    std::unique_ptr<incident::JournalReader> reader;
    Core core;
    std::unique_ptr<web::Site> site;
    std::unique_ptr<net::HttpServer> server;
};

Result<std::unique_ptr<Desk>> Desk::create(Options options, Services services,
                                           registry::Registry registry, FileSystem& files,
                                           Clock& clock, Random& random) {
    CLOISON_TRY(const auto secret,
                crypto::load_key_file(files, cookie_key_path(options.directory)));
    CLOISON_TRY(const auto cookie_key, crypto::HashKey::from_bytes(secret.view()));
    auto parts = std::make_unique<Parts>(Parts{std::move(options), nullptr, std::nullopt,
                                               std::nullopt, nullptr,
                                               Core{std::move(services),
                                                    std::move(registry),
                                                    {},
                                                    nullptr,
                                                    nullptr,
                                                    nullptr,
                                                    "keeper",
                                                    &random},
                                               nullptr, nullptr});
    Core& core = parts->core;
    CLOISON_TRY(core.types,
                casework::load_request_types(files, parts->options.request_types, core.registry));
    CLOISON_TRY(parts->database,
                incident::open_incident_database(parts->options.directory / "desk.db"));
    core.incidents = &parts->incidents.emplace(*parts->database, clock, random);
    core.acknowledgements = &parts->acknowledgements.emplace(*parts->database, clock);
    incident::JournalReader::Options reading;
    reading.verify_key = parts->options.journal_verify_key;
    CLOISON_TRY(reading.covered_before, core.incidents->covered(core.journal_name));
    parts->reader = std::make_unique<incident::JournalReader>(std::move(reading),
                                                              core.services.keeper, core.registry);
    core.reader = parts->reader.get();

    web::Site::Options site_options;
    site_options.door = "desk";
    site_options.session_cookie = "__Host-desk";
    site_options.session_cookie_strict = true;
    site_options.web_directory = parts->options.web_directory;
    CLOISON_TRY(parts->site, web::Site::create(std::move(site_options), cookie_key,
                                               core.services.identity, files, clock, random));
    web::Site& site = *parts->site;
    site.navigation([&core](const web::Context& context) { return navigation(core, context); });
    web::add_sign_in_pages(site, core.services.identity, core.services.keeper, {});
    add_home_pages(site, core);
    add_queue_pages(site, core);
    add_case_pages(site, core);
    add_reveal_pages(site, core);
    add_document_pages(site, core);
    add_support_pages(site, core);
    add_staff_pages(site, core);
    add_incident_pages(site, core);
    add_scope_pages(site, core);
    add_export_pages(site, core);
    add_alarm_pages(site, core);
    return std::unique_ptr<Desk>(new Desk(std::move(parts)));
}

Desk::Desk(std::unique_ptr<Parts> parts) : parts_(std::move(parts)) {}
Desk::~Desk() = default;

Status Desk::start() {
    net::HttpServer::Options options;
    options.address = parts_->options.address;
    options.port = parts_->options.port;
    options.handler_threads = parts_->options.handler_threads;
    options.complete_own_answer = web::add_security_headers;
    web::Site& site = *parts_->site;
    CLOISON_TRY(parts_->server,
                net::HttpServer::start(
                    options, [&site](net::HttpRequest& request) { return site.handle(request); },
                    [&site](std::string_view method, std::string_view path) {
                        return site.streams(method, path);
                    }));
    return {};
}

void Desk::stop(Duration grace) {
    if (parts_->server) parts_->server->stop(grace);
}
std::uint16_t Desk::port() const {
    return parts_->server ? parts_->server->port() : 0;
}
web::Site& Desk::site() {
    return *parts_->site;
}

}  // namespace cloison::desk
