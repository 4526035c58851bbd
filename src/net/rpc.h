#pragma once

#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/file_system.h"
#include "base/result.h"
#include "base/time.h"
#include "crypto/sign.h"

namespace google::protobuf {
class Message;
class ServiceDescriptor;
}  // namespace google::protobuf

namespace cloison::net {

/// Calls between processes: gRPC over Unix sockets, unary, with the contracts of proto/. gRPC
/// itself is compiled in rpc.cc only; other folders see protobuf messages.
///
/// Every call carries a caller token (docs/formats/caller-token.md): PASETO v4.public signed by the
/// calling service's own key, naming caller, audience and expiry. A server knows the verify keys of
/// the services from its trust directory and refuses a call without a valid token.

inline constexpr std::size_t kMaxRpcMessage = 4 * 1024 * 1024;  ///< Bytes; larger is kTooLarge.
inline constexpr Duration kDefaultRpcDeadline{10'000};

/// The services that may call: "portal", "desk", "identity" …
struct Caller {
    std::string service;
};

/// A call of a deferred method, as a transport has it.
class DeferredCall {
  public:
    virtual google::protobuf::Message& response() = 0;
    /// Once, from any thread; then the call is gone.
    virtual void answer(Status status) noexcept = 0;

  protected:
    ~DeferredCall() = default;
};

/// The duty to answer a deferred call: may be handed on, to any thread, and is met once. The
/// request lives until then. Dropped without an answer the call fails with kInternal.
template <class Response>
class Answer {
  public:
    explicit Answer(DeferredCall& call) : call_(&call) {}
    Answer(Answer&& other) noexcept : call_(std::exchange(other.call_, nullptr)) {}
    Answer& operator=(Answer&&) = delete;
    ~Answer() {
        if (call_ != nullptr) refuse({ErrorCode::kInternal, "The call was not answered."});
    }

    /// What send() sends. Not to be used after it.
    Response& response() { return static_cast<Response&>(call_->response()); }
    void send() { std::exchange(call_, nullptr)->answer({}); }
    void refuse(Error error) { std::exchange(call_, nullptr)->answer(fail(std::move(error))); }

  private:
    DeferredCall* call_;
};

/// A table of methods, filled by a service's service.cc: default deny.
class RpcService {
  public:
    explicit RpcService(const google::protobuf::ServiceDescriptor* descriptor);

    /// `allowed` lists the services that may call the method. Aborts if the descriptor has no such
    /// method or the message types are not the method's.
    template <class Request, class Response>
    void on(std::string_view method, std::vector<std::string> allowed,
            std::function<Result<Response>(const Caller&, const Request&)> handler) {
        add(method, std::move(allowed), Request::default_instance(), Response::default_instance(),
            [handler = std::move(handler)](const Caller& caller,
                                           const google::protobuf::Message& request,
                                           google::protobuf::Message* response) -> Status {
                CLOISON_TRY(auto result, handler(caller, static_cast<const Request&>(request)));
                *static_cast<Response*>(response) = std::move(result);
                return {};
            });
    }

    /// The same, but a call is answered when its Answer is, by the handler or later by whoever has
    /// it then: no thread waits meanwhile. The handlers of all deferred methods of a process share
    /// few threads; where one waits, others do.
    template <class Request, class Response>
    void on_deferred(std::string_view method, std::vector<std::string> allowed,
                     std::function<void(const Caller&, const Request&, Answer<Response>)> handler) {
        add_deferred(
            method, std::move(allowed), Request::default_instance(), Response::default_instance(),
            [handler = std::move(handler)](const Caller& caller,
                                           const google::protobuf::Message& request,
                                           DeferredCall& call) {
                handler(caller, static_cast<const Request&>(request), Answer<Response>(call));
            });
    }

    /// Every method of the descriptor that has no handler yet. A server does not start with any.
    std::vector<std::string> missing() const;
    const google::protobuf::ServiceDescriptor* descriptor() const { return descriptor_; }

    /// Dispatches one call: allow-list, then handler. Used by both transports.
    Status dispatch(const Caller& caller, std::string_view method,
                    const google::protobuf::Message& request,
                    google::protobuf::Message* response) const;

    /// The same for a deferred method.
    void dispatch(const Caller& caller, std::string_view method,
                  const google::protobuf::Message& request, DeferredCall& call) const;

    using RawHandler = std::function<Status(const Caller&, const google::protobuf::Message&,
                                            google::protobuf::Message*)>;
    using RawDeferredHandler =
        std::function<void(const Caller&, const google::protobuf::Message&, DeferredCall&)>;
    struct Method {
        std::string name;
        std::vector<std::string> allowed;
        const google::protobuf::Message* request;  ///< Default instances, to create from.
        const google::protobuf::Message* response;
        RawHandler handler;  ///< One of the two.
        RawDeferredHandler deferred{};
    };
    const std::vector<Method>& methods() const { return methods_; }

  private:
    void add(std::string_view method, std::vector<std::string> allowed,
             const google::protobuf::Message& request, const google::protobuf::Message& response,
             RawHandler handler);
    void add_deferred(std::string_view method, std::vector<std::string> allowed,
                      const google::protobuf::Message& request,
                      const google::protobuf::Message& response, RawDeferredHandler handler);
    void add(Method method);
    Result<const Method*> find(const Caller& caller, std::string_view method,
                               const google::protobuf::Message& request,
                               const google::protobuf::Message& response) const;

    const google::protobuf::ServiceDescriptor* descriptor_;
    std::vector<Method> methods_;
};

/// One end of a connection to one service. Safe to use from any thread.
///
/// `method` is "Open", which is looked up in the .proto file that declares the request message, or
/// in full "cloison.keeper.v1.Keeper/Open". A call is sent at most once: when the connection is
/// lost during a call the answer is kUnavailable and the outcome is unknown.
class RpcChannel {
  public:
    virtual ~RpcChannel() = default;
    virtual Status call(std::string_view method, const google::protobuf::Message& request,
                        google::protobuf::Message* response, Duration deadline) = 0;

    template <class Response, class Request>
    Result<Response> call(std::string_view method, const Request& request,
                          Duration deadline = kDefaultRpcDeadline) {
        Response response;
        CLOISON_TRY_STATUS(call(method, request, &response, deadline));
        return response;
    }
};

/// Signs caller tokens, a fresh one every few minutes.
class CallerIdentity {
  public:
    CallerIdentity(std::string service, crypto::SigningKey key, Clock& clock);
    const std::string& service() const { return service_; }
    /// A token for `audience`, valid for at least another minute. Safe from any thread.
    std::string token(std::string_view audience) const;

  private:
    struct State;
    std::string service_;
    std::shared_ptr<State> state_;
};

/// Verify keys of services: trust/<service>.pub, one vkey line each (docs/formats/trust.md).
class TrustStore {
  public:
    static Result<TrustStore> load(FileSystem& files, const Path& directory);
    void add(std::string service, crypto::VerifyKey key);
    Result<crypto::VerifyKey> key(std::string_view service) const;
    /// Checks a caller token for `audience`: known service, signature, expiry.
    Result<Caller> verify(std::string_view token, std::string_view audience, Time now) const;

  private:
    std::vector<std::pair<std::string, crypto::VerifyKey>> keys_;
};
Status write_trust_file(FileSystem& files, const Path& directory, std::string_view service,
                        const crypto::VerifyKey& key);

/// Connects to `socket`; connects lazily and again after the server was restarted.
std::unique_ptr<RpcChannel> connect_rpc(const Path& socket, std::string audience,
                                        std::shared_ptr<CallerIdentity> identity);

/// The same service in the same process, as `caller`: for tests and for the demo population.
/// Messages are passed by reference; allow-lists hold.
std::unique_ptr<RpcChannel> local_rpc(std::shared_ptr<const RpcService> service,
                                      std::string caller);

/// Serves on a Unix socket (mode 0600; a stale one is replaced, a live one is kConflict; a path
/// longer than the system's bound is kInvalidArgument) with gRPC health and reflection beside.
class RpcServer {
  public:
    struct Options {
        Path socket;
        std::string name;  ///< This service, as callers name it as audience.
        TrustStore trust;
        int max_threads = 64;  ///< Calls under way at once, until they are answered; beyond,
                               ///< callers wait their deadline. More than three times as many:
                               ///< kUnavailable at once.
    };
    static Result<std::unique_ptr<RpcServer>> start(Options options, Clock& clock,
                                                    std::shared_ptr<const RpcService> service);
    virtual ~RpcServer() = default;
    /// Refuses new calls, waits for those under way, at most `grace`; then their callers are told
    /// kUnavailable. Returns when the last handler has returned and the last call is answered.
    virtual void stop(Duration grace) = 0;
};

}  // namespace cloison::net
