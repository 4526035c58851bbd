#pragma once

#include <array>
#include <memory>
#include <string>

#include "base/temporary_directory.h"
#include "bench/measure.h"
#include "crypto/keys.h"
#include "keeper/client/keeper_client.h"
#include "keeper/keeper.h"
#include "net/rpc.h"

#include "cloison/testing/v1/echo.pb.h"

namespace cloison::bench {

inline crypto::SigningKey bench_key(std::uint8_t seed) {
    return crypto::SigningKey::from_seed(Bytes(32, seed));
}

/// A keeper and an echo service behind sockets of their own, and keys to speak for any service.
class Servers {
  public:
    /// In a temporary directory.
    Servers() : Servers(std::make_unique<TemporaryDirectory>(), Path()) {}
    /// In this directory, with the keeper that is there, if there is one.
    explicit Servers(const Path& directory) : Servers(nullptr, directory) {}

    std::shared_ptr<net::RpcChannel> channel(const std::string& service,
                                             const std::string& caller) const {
        for (std::uint8_t i = 0; i < kServices.size(); ++i) {
            if (kServices[i] != caller) continue;
            return net::connect_rpc(
                socket(service), service,
                std::make_shared<net::CallerIdentity>(
                    caller, bench_key(static_cast<std::uint8_t>(i + 1)), system_clock()));
        }
        std::abort();
    }
    keeper::KeeperClient client(const std::string& caller) const {
        return keeper::KeeperClient(channel("keeper", caller));
    }
    const Path& directory() const { return directory_; }
    Path keeper_directory() const { return directory_ / "keeper"; }
    const crypto::SigningKey& grants() const { return grants_; }
    const crypto::SealedBoxPublicKey& handle_key() const { return keeper_->handle_key(); }

  private:
    Servers(std::unique_ptr<TemporaryDirectory> temporary, const Path& directory)
        : temporary_(std::move(temporary)),
          directory_(temporary_ ? temporary_->path() : directory) {
        FileSystem& files = local_file_system();
        if (!must(files.exists(keeper_directory()), "directory"))
            must(keeper::create_keeper_directory(files, keeper_directory(), system_random()),
                 "keys");
        const auto trust = make_trust();
        start_keeper(trust);
        start_echo(trust);
    }
    Path socket(const std::string& name) const { return directory_ / (name + ".sock"); }

    net::TrustStore make_trust() const {
        net::TrustStore trust;
        for (std::uint8_t i = 0; i < kServices.size(); ++i)
            trust.add(kServices[i], bench_key(static_cast<std::uint8_t>(i + 1)).verify_key());
        return trust;
    }
    std::unique_ptr<net::RpcServer> serve(const std::string& name, const net::TrustStore& trust,
                                          std::shared_ptr<net::RpcService> service) const {
        return must(net::RpcServer::start(
                        {.socket = socket(name), .name = name, .trust = trust, .max_threads = 128},
                        system_clock(), std::move(service)),
                    "server");
    }
    void start_keeper(const net::TrustStore& trust) {
        FileSystem& files = local_file_system();
        keeper::Keeper::Options options;
        options.directory = keeper_directory();
        auto registry =
            must(registry::Registry::load(files, Path(CLOISON_SOURCE_DIR) / "registry/fields.toml"),
                 "register");
        keeper_ = must(keeper::Keeper::open(options, std::move(registry), grants_.verify_key(),
                                            files, system_clock(), system_random()),
                       "keeper");
        keeper_server_ = serve("keeper", trust, keeper_->service());
    }
    /// Answers any request with as many bytes as it asks for.
    void start_echo(const net::TrustStore& trust) {
        using testing::v1::SayRequest;
        using testing::v1::SayResponse;
        auto echo = std::make_shared<net::RpcService>(
            SayRequest::descriptor()->file()->FindServiceByName("Echo"));
        echo->on<SayRequest, SayResponse>(
            "Say", {"portal", "desk"},
            [](const net::Caller&, const SayRequest& request) -> Result<SayResponse> {
                SayResponse response;
                response.set_text(std::string(request.times(), 'x'));
                return response;
            });
        echo->on<testing::v1::RefuseRequest, SayResponse>(
            "Refuse", {}, [](const auto&, const auto&) -> Result<SayResponse> { return {}; });
        echo->on<testing::v1::WaitRequest, SayResponse>(
            "Wait", {}, [](const auto&, const auto&) -> Result<SayResponse> { return {}; });
        echo_server_ = serve("echo", trust, std::move(echo));
    }

    static inline const std::array<std::string, 4> kServices{"portal", "identity", "desk",
                                                             "operator"};
    std::unique_ptr<TemporaryDirectory> temporary_;
    Path directory_;
    crypto::SigningKey grants_ = bench_key(9);
    std::unique_ptr<keeper::Keeper> keeper_;
    std::unique_ptr<net::RpcServer> keeper_server_;
    std::unique_ptr<net::RpcServer> echo_server_;
};

}  // namespace cloison::bench
