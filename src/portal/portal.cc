#include "portal/portal.h"

#include "crypto/keys.h"
#include "net/http_server.h"
#include "portal/shared.h"
#include "web/security_headers.h"
#include "web/sign_in_pages.h"

namespace cloison::portal {
namespace {

std::vector<web::Site::NavigationItem> navigation(const web::Context& context) {
    if (!context.session) return {};
    if (context.session->role == registry::Role::kProfessional)
        return {{"/pro", "portal.navigation.professional"},
                {"/one-time-code", "portal.navigation.security"}};
    return {{"/requests", "portal.navigation.requests"},
            {"/account", "portal.navigation.account"},
            {"/sign-ins", "portal.navigation.sign_ins"},
            {"/disclosures", "portal.navigation.disclosures"}};
}

}  // namespace

struct Portal::Parts {
    Options options;
    std::unique_ptr<web::Site> site;
    std::unique_ptr<net::HttpServer> server;
};

Portal::Portal(std::unique_ptr<Parts> parts) : parts_(std::move(parts)) {}
Portal::~Portal() = default;

Result<std::unique_ptr<Portal>> Portal::create(Options options, Services services,
                                               registry::Registry registry, FileSystem& files,
                                               Clock& clock, Random& random) {
    crypto::initialize();
    CLOISON_TRY(const auto key_bytes, crypto::load_key_file(files, options.cookie_key_file));
    CLOISON_TRY(const auto key, crypto::HashKey::from_bytes(key_bytes.view()));
    CLOISON_TRY(auto site, web::Site::create({.door = "portal",
                                              .session_cookie = "__Host-cloison",
                                              .session_cookie_strict = false,
                                              .sign_in_path = "/sign-in",
                                              .totp_path = "/one-time-code",
                                              .web_directory = options.web_directory},
                                             key, services.identity, files, clock, random));
    CLOISON_TRY(auto types, casework::load_request_types(files, options.request_types, registry));
    CLOISON_TRY(auto detector, documents::ContentDetector::create());
    std::unique_ptr<documents::Scanner> scanner;
    if (!options.clamd.empty()) {
        documents::Scanner::Options scanner_options;
        scanner_options.address = options.clamd;
        CLOISON_TRY(scanner, documents::Scanner::create(std::move(scanner_options)));
    }
    web::add_sign_in_pages(*site, services.identity, services.keeper,
                           {.home_path = "/", .sign_up_path = "/sign-up"});
    const auto shared = std::make_shared<const Shared>(
        Shared{std::move(services), std::move(registry), std::move(types), std::move(detector),
               std::move(scanner), clock, random});
    site->navigation(navigation);
    Routes routes(*site, shared);
    add_home_pages(routes);
    add_sign_up_pages(routes);
    add_profile_pages(routes);
    add_request_pages(routes);
    add_question_pages(routes);
    add_document_pages(routes);
    add_access_pages(routes);
    add_disclosure_pages(routes);
    add_professional_pages(routes);
    auto parts = std::make_unique<Parts>();
    parts->options = std::move(options);
    parts->site = std::move(site);
    return std::unique_ptr<Portal>(new Portal(std::move(parts)));
}

Status Portal::start() {
    net::HttpServer::Options options;
    options.address = parts_->options.address;
    options.port = parts_->options.port;
    options.handler_threads = parts_->options.handler_threads;
    options.complete_own_answer = web::add_security_headers;
    web::Site& pages = *parts_->site;
    CLOISON_TRY(parts_->server,
                net::HttpServer::start(
                    std::move(options),
                    [&pages](net::HttpRequest& request) { return pages.handle(request); },
                    [&pages](std::string_view method, std::string_view path) {
                        return pages.streams(method, path);
                    }));
    return {};
}

void Portal::stop(Duration grace) {
    if (parts_->server) parts_->server->stop(grace);
}

std::uint16_t Portal::port() const {
    return parts_->server ? parts_->server->port() : 0;
}

web::Site& Portal::site() {
    return *parts_->site;
}

}  // namespace cloison::portal
