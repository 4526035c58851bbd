#pragma once

#include <memory>
#include <string>

#include "base/file_system.h"
#include "base/time.h"
#include "cli/configuration.h"
#include "crypto/sign.h"
#include "net/rpc.h"
#include "registry/registry.h"

namespace cloison::cli {

/// What a service process begins with: settings, trust, register, and its own word for calls.
struct Wiring {
    Layout layout;
    Configuration configuration;
    Installation installation;
    net::TrustStore trust;
    registry::Registry registry;
    std::shared_ptr<net::CallerIdentity> caller;
    FileSystem& files;
    Clock& clock;

    /// Reads all of it for service `name`, whose own key signs its calls (none for the keeper,
    /// which calls nobody).
    static Result<Wiring> load(const Layout& layout, const std::string& name);

    std::shared_ptr<net::RpcChannel> connect(const std::string& service) const;
    template <class Client>
    Client client(const std::string& service) const {
        return Client(connect(service));
    }
    Path directory(const std::string& name) const { return layout.service(name); }

    /// Serves `service` on its socket until a stop signal, having reported ready.
    Status serve_rpc(const std::string& name, std::shared_ptr<net::RpcService> service) const;
};

}  // namespace cloison::cli
