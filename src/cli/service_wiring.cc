#include "cli/service_wiring.h"

#include "base/log.h"
#include "cli/caller_key.h"
#include "cli/supervisor.h"
#include "crypto/keys.h"

namespace cloison::cli {
namespace {

constexpr Duration kStopGrace{5'000};

/// Every service keeps its signing seed in service.key.
Result<std::shared_ptr<net::CallerIdentity>> caller_for(const Layout& layout,
                                                        const std::string& name, FileSystem& files,
                                                        Clock& clock) {
    if (name == "keeper") return std::shared_ptr<net::CallerIdentity>();
    const Path file = layout.service_key(name);
    CLOISON_TRY(const bool exists, files.exists(file));
    if (!exists && name == kOperator)
        return fail(ErrorCode::kNotFound,
                    file.string() +
                        " is missing: it signs what the command line asks of the keeper. \"cloison "
                        "keeper operator-key\" makes it anew.");
    CLOISON_TRY(auto seed, crypto::load_key_file(files, file));
    return std::make_shared<net::CallerIdentity>(name, crypto::SigningKey::from_seed(seed.view()),
                                                 clock);
}

}  // namespace

Result<Wiring> Wiring::load(const Layout& layout, const std::string& name) {
    set_log_service(name);
    crypto::initialize();
    FileSystem& files = local_file_system();
    Clock& clock = system_clock();
    CLOISON_TRY(auto configuration, Configuration::load(files, layout.configuration()));
    CLOISON_TRY(auto installation, Installation::find());
    CLOISON_TRY(auto trust, net::TrustStore::load(files, layout.trust()));
    CLOISON_TRY(auto registry, registry::Registry::load(files, installation.registry_file));
    CLOISON_TRY(auto caller, caller_for(layout, name, files, clock));
    return Wiring{layout,
                  std::move(configuration),
                  std::move(installation),
                  std::move(trust),
                  std::move(registry),
                  std::move(caller),
                  files,
                  clock};
}

std::shared_ptr<net::RpcChannel> Wiring::connect(const std::string& service) const {
    return net::connect_rpc(layout.socket(service), service, caller);
}

Status Wiring::serve_rpc(const std::string& name, std::shared_ptr<net::RpcService> service) const {
    CLOISON_TRY(auto server,
                net::RpcServer::start({.socket = layout.socket(name), .name = name, .trust = trust},
                                      clock, std::move(service)));
    report_ready();
    log_info("serves");
    wait_for_stop();
    server->stop(kStopGrace);
    log_info("stopped");
    return {};
}

}  // namespace cloison::cli
