#include "net/rpc.h"

#include <absl/synchronization/mutex.h>
#include <google/protobuf/arena.h>
#include <google/protobuf/descriptor.h>
#include <google/protobuf/message.h>
#include <grpc/grpc.h>
#include <grpc/support/log.h>
#include <grpcpp/alarm.h>
#include <grpcpp/ext/proto_server_reflection_plugin.h>
#include <grpcpp/grpcpp.h>
#include <grpcpp/health_check_service_interface.h>
#include <grpcpp/impl/client_unary_call.h>
#include <grpcpp/impl/codegen/proto_utils.h>
#include <grpcpp/impl/codegen/server_callback_handlers.h>
#include <grpcpp/support/method_handler.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <condition_variable>
#include <cstring>
#include <deque>
#include <mutex>
#include <optional>
#include <system_error>
#include <unordered_map>

#include "base/log.h"
#include "crypto/hash.h"
#include "net/call_room.h"
#include "net/caller_token.h"
#include "net/http.h"

namespace cloison::net {
namespace {

using google::protobuf::Message;

constexpr char kTokenKey[] = "cloison-caller";
constexpr char kErrorKey[] = "cloison-error";
constexpr std::size_t kMaxErrorMessage = 2048;
constexpr std::size_t kMaxCachedTokens = 1024;
constexpr int kReconnectBackoffMs = 20;
constexpr int kMaxReconnectBackoffMs = 200;
constexpr int kConnectTimeoutMs = 2'000;
constexpr Duration kReconnectPatience{1'000};
constexpr Duration kLongestWaitForThread{60'000};
constexpr std::size_t kMaxSocketPath = 105;  ///< The longest that gRPC 1.51 binds; Linux: 107.

struct CodePair {
    ErrorCode ours;
    grpc::StatusCode theirs;
};
/// One to one, so that a peer in another language learns the kind of error from the status alone.
constexpr std::array<CodePair, 12> kCodes{{
    {ErrorCode::kInvalidArgument, grpc::StatusCode::INVALID_ARGUMENT},
    {ErrorCode::kUnauthenticated, grpc::StatusCode::UNAUTHENTICATED},
    {ErrorCode::kPermissionDenied, grpc::StatusCode::PERMISSION_DENIED},
    {ErrorCode::kNotFound, grpc::StatusCode::NOT_FOUND},
    {ErrorCode::kConflict, grpc::StatusCode::FAILED_PRECONDITION},
    {ErrorCode::kTooLarge, grpc::StatusCode::OUT_OF_RANGE},
    {ErrorCode::kExhausted, grpc::StatusCode::RESOURCE_EXHAUSTED},
    {ErrorCode::kUnavailable, grpc::StatusCode::UNAVAILABLE},
    {ErrorCode::kDeadline, grpc::StatusCode::DEADLINE_EXCEEDED},
    {ErrorCode::kCorrupt, grpc::StatusCode::DATA_LOSS},
    {ErrorCode::kIo, grpc::StatusCode::ABORTED},
    {ErrorCode::kInternal, grpc::StatusCode::INTERNAL},
}};

grpc::StatusCode to_grpc_code(ErrorCode code) {
    for (const CodePair& pair : kCodes) {
        if (pair.ours == code) return pair.theirs;
    }
    return grpc::StatusCode::INTERNAL;
}

/// Where the status comes from one of our services, its own words; where it comes from gRPC itself,
/// which knows nothing of our codes, what a caller can do about it.
Error to_error(const grpc::ClientContext& context, const grpc::Status& status,
               const std::string& audience) {
    const auto& trailers = context.GetServerTrailingMetadata();
    if (const auto named = trailers.find(kErrorKey); named != trailers.end()) {
        const std::string_view name(named->second.data(), named->second.size());
        for (const CodePair& pair : kCodes) {
            if (error_name(pair.ours) == name) return {pair.ours, status.error_message()};
        }
    }
    switch (status.error_code()) {
        case grpc::StatusCode::DEADLINE_EXCEEDED:
            return {ErrorCode::kDeadline, "The service " + audience + " did not answer in time."};
        case grpc::StatusCode::UNAVAILABLE:
        case grpc::StatusCode::CANCELLED:
            return {ErrorCode::kUnavailable, "The service " + audience + " cannot be reached."};
        case grpc::StatusCode::RESOURCE_EXHAUSTED:
            if (status.error_message().find("larger than max") != std::string::npos)
                return {ErrorCode::kTooLarge, "The message is larger than a call may carry."};
            return {ErrorCode::kUnavailable, "The service " + audience + " is busy."};
        case grpc::StatusCode::UNIMPLEMENTED:
            return {ErrorCode::kInternal, "The service " + audience + " has no such method."};
        default:
            return {ErrorCode::kInternal, "The call of the service " + audience + " failed."};
    }
}

template <class Context>
grpc::Status to_grpc(Context& context, const Error& error) {
    context.AddTrailingMetadata(kErrorKey, std::string(error_name(error.code)));
    return {to_grpc_code(error.code), error.message.substr(0, kMaxErrorMessage)};
}

Error too_large(std::string_view what) {
    return {ErrorCode::kTooLarge, "The " + std::string(what) + " is larger than " +
                                      std::to_string(kMaxRpcMessage) + " bytes."};
}

Status encode(const Message& message, std::string_view what, grpc::ByteBuffer* out) {
    if (message.ByteSizeLong() > kMaxRpcMessage) return fail(too_large(what));
    bool owned = false;
    const grpc::Status status =
        grpc::GenericSerialize<grpc::ProtoBufferWriter, google::protobuf::MessageLite>(message, out,
                                                                                       &owned);
    if (!status.ok())
        return fail(ErrorCode::kInternal, "The " + std::string(what) + " cannot be encoded.");
    return {};
}

bool decode(grpc::ByteBuffer* in, Message* message) {
    return grpc::GenericDeserialize<grpc::ProtoBufferReader, google::protobuf::MessageLite>(in,
                                                                                            message)
        .ok();
}

/// gRPC's own address form; its parser undoes percent escapes.
Result<std::string> socket_address(const Path& socket) {
    std::error_code error;
    const std::string path = std::filesystem::absolute(socket, error).string();
    if (error) return fail(ErrorCode::kIo, "The working directory cannot be read.");
    if (path.size() > kMaxSocketPath)
        return fail(ErrorCode::kInvalidArgument, "The socket path " + path +
                                                     " is longer than the system's " +
                                                     std::to_string(kMaxSocketPath) + " bytes.");
    std::string address = "unix://";
    for (const char c : path) address += c == '/' ? std::string(1, c) : percent_encode({&c, 1});
    return address;
}

/// errno of connecting to the socket, 0 if somebody listens.
int probe(const Path& socket) {
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    const std::string path = std::filesystem::absolute(socket).string();
    if (path.size() >= sizeof address.sun_path) return ENAMETOOLONG;
    std::memcpy(address.sun_path, path.c_str(), path.size());
    const int descriptor = ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (descriptor < 0) return errno;
    const int outcome =
        ::connect(descriptor, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0
            ? 0
            : errno;
    ::close(descriptor);
    return outcome;
}

/// Before the first use of gRPC. It writes to standard error by itself; its errors go to the log,
/// the rest nowhere. And it is kept initialised until the process ends: otherwise whoever destroys
/// the last server or channel waits up to ten seconds for its executor (gRPC 1.51). Debian's build
/// of its locks looks for deadlocks at every turn unless it is told not to: a tenth of a call.
void prepare_grpc() {
    static std::once_flag once;
    std::call_once(once, [] {
        absl::SetMutexDeadlockDetectionMode(absl::OnDeadlockCycle::kIgnore);
        grpc_init();
        gpr_set_log_verbosity(GPR_LOG_SEVERITY_ERROR);
        gpr_set_log_function([](gpr_log_func_args* entry) {
            if (entry->severity == GPR_LOG_SEVERITY_ERROR)
                log_warning(std::string("gRPC: ") + entry->message);
        });
    });
}

/// Which incarnation of a server a channel leads to: a restarted one binds a new socket file.
struct SocketIdentity {
    dev_t device = 0;
    ino_t inode = 0;
    timespec changed{};

    static std::optional<SocketIdentity> of(const Path& socket) {
        struct stat status {};
        if (::stat(socket.c_str(), &status) != 0) return std::nullopt;
        return SocketIdentity{status.st_dev, status.st_ino, status.st_ctim};
    }
    bool operator==(const SocketIdentity& other) const {
        return device == other.device && inode == other.inode &&
               changed.tv_sec == other.changed.tv_sec && changed.tv_nsec == other.changed.tv_nsec;
    }
};

/// "/pkg.Service/Method"; empty if the name is ambiguous or unknown.
std::string full_method(std::string_view method, const Message& request) {
    if (method.find('/') != std::string_view::npos)
        return (method.starts_with('/') ? "" : "/") + std::string(method);
    const auto* file = request.GetDescriptor()->file();
    std::string full;
    for (int i = 0; i < file->service_count(); ++i) {
        const auto* declared = file->service(i)->FindMethodByName(std::string(method));
        if (declared == nullptr || declared->input_type() != request.GetDescriptor()) continue;
        if (!full.empty()) return {};
        full = "/" + file->service(i)->full_name() + "/" + declared->name();
    }
    return full;
}

class GrpcChannel final : public RpcChannel {
  public:
    GrpcChannel(Path socket, std::string audience, std::shared_ptr<CallerIdentity> identity)
        : socket_(std::move(socket)),
          audience_(std::move(audience)),
          identity_(std::move(identity)) {}

    Status call(std::string_view method, const Message& request, Message* response,
                Duration deadline) override {
        try {
            return call_until(method, request, response,
                              std::chrono::system_clock::now() + deadline);
        } catch (...) {
            return fail(ErrorCode::kInternal,
                        "The call of the service " + audience_ + " failed unexpectedly.");
        }
    }

  private:
    using Deadline = std::chrono::system_clock::time_point;

    Status call_until(std::string_view method, const Message& request, Message* response,
                      Deadline deadline) {
        const std::string path = full_method(method, request);
        if (path.empty())
            return fail(ErrorCode::kInternal,
                        "No service declares the method " + std::string(method) + ".");
        grpc::ByteBuffer encoded;
        CLOISON_TRY_STATUS(encode(request, "request", &encoded));
        CLOISON_TRY(auto channel, connection());

        bool never_sent = false;
        auto status = attempt(*channel, path, encoded, response, deadline, &never_sent);
        if (status || !never_sent) return status;
        // The server was about to start or too busy to accept. Where somebody listens now, waiting
        // for the connection is worth while; where nobody does, the caller learns it at once.
        if (probe(socket_) != 0) return status;
        grpc::experimental::ChannelResetConnectionBackoff(channel.get());
        const auto patience = std::chrono::system_clock::now() + kReconnectPatience;
        if (!channel->WaitForConnected(std::min(deadline, patience))) return status;
        return attempt(*channel, path, encoded, response, deadline, &never_sent);
    }

    Status attempt(grpc::Channel& channel, const std::string& path, const grpc::ByteBuffer& request,
                   Message* response, Deadline deadline, bool* never_sent) {
        grpc::ClientContext context;
        context.set_deadline(deadline);
        context.AddMetadata(kTokenKey, identity_->token(audience_));
        const grpc::internal::RpcMethod rpc(path.c_str(), grpc::internal::RpcMethod::NORMAL_RPC);
        grpc::ByteBuffer answer;
        const grpc::Status status =
            grpc::internal::BlockingUnaryCall(&channel, rpc, &context, request, &answer);
        if (!status.ok()) {
            *never_sent = status.error_code() == grpc::StatusCode::UNAVAILABLE &&
                          status.error_message().starts_with("failed to connect");
            return fail(to_error(context, status, audience_));
        }
        if (!decode(&answer, response))
            return fail(ErrorCode::kCorrupt,
                        "The answer of the service " + audience_ + " is malformed.");
        return {};
    }

    /// A new channel whenever the server was restarted, so that no call is spent on finding out
    /// that the old connection is dead.
    Result<std::shared_ptr<grpc::Channel>> connection() {
        const auto identity = SocketIdentity::of(socket_);
        if (!identity)
            return fail(ErrorCode::kUnavailable, "The service " + audience_ + " is not running.");
        const std::lock_guard lock(mutex_);
        if (channel_ != nullptr && *identity == connected_to_) return channel_;
        CLOISON_TRY(const std::string address, socket_address(socket_));
        grpc::ChannelArguments arguments;
        arguments.SetMaxReceiveMessageSize(static_cast<int>(kMaxRpcMessage));
        arguments.SetMaxSendMessageSize(static_cast<int>(kMaxRpcMessage));
        arguments.SetInt(GRPC_ARG_INITIAL_RECONNECT_BACKOFF_MS, kReconnectBackoffMs);
        arguments.SetInt(GRPC_ARG_MAX_RECONNECT_BACKOFF_MS, kMaxReconnectBackoffMs);
        // In spite of its name this bounds how long an attempt to connect may take.
        arguments.SetInt(GRPC_ARG_MIN_RECONNECT_BACKOFF_MS, kConnectTimeoutMs);
        // A shared subchannel would hand the dead connection to the new channel.
        arguments.SetInt(GRPC_ARG_USE_LOCAL_SUBCHANNEL_POOL, 1);
        arguments.SetInt(GRPC_ARG_ENABLE_HTTP_PROXY, 0);
        arguments.SetInt(GRPC_ARG_ENABLE_RETRIES, 0);
        channel_ =
            grpc::CreateCustomChannel(address, grpc::InsecureChannelCredentials(), arguments);
        connected_to_ = *identity;
        return channel_;
    }

    const Path socket_;
    const std::string audience_;
    const std::shared_ptr<CallerIdentity> identity_;
    std::mutex mutex_;
    std::shared_ptr<grpc::Channel> channel_;
    SocketIdentity connected_to_;
};

/// Remembers verified tokens: a signature check costs more than the rest of a small call.
class TokenVerifier {
  public:
    TokenVerifier(TrustStore trust, std::string audience, Clock& clock)
        : trust_(std::move(trust)), audience_(std::move(audience)), clock_(clock) {}

    Result<Caller> verify(std::string_view token) {
        const Time now = clock_.now();
        const std::string hash = to_string(ByteView(crypto::sha256({as_bytes(token)})));
        {
            const std::lock_guard lock(mutex_);
            const auto found = verified_.find(hash);
            if (found != verified_.end() && now < found->second.expires)
                return found->second.caller;
        }
        CLOISON_TRY(auto fresh, verify_caller_token(trust_, token, audience_, now));
        const std::lock_guard lock(mutex_);
        if (verified_.size() >= kMaxCachedTokens)
            std::erase_if(verified_,
                          [&](const auto& entry) { return entry.second.expires <= now; });
        if (verified_.size() >= kMaxCachedTokens) verified_.clear();
        verified_.insert_or_assign(hash, fresh);
        return std::move(fresh.caller);
    }

  private:
    const TrustStore trust_;
    const std::string audience_;
    Clock& clock_;
    std::mutex mutex_;
    std::unordered_map<std::string, VerifiedCaller> verified_;
};

Error busy() {
    return {ErrorCode::kUnavailable, "The service is busy."};
}

/// What the calls of one service share.
class Serving {
  public:
    Serving(std::shared_ptr<const RpcService> served, TrustStore trust, std::string name,
            Clock& clock, std::size_t max_calls)
        : service(std::move(served)),
          room(max_calls, 2 * max_calls),
          verifier_(std::move(trust), std::move(name), clock) {}

    template <class Context>
    Result<Caller> caller(const Context& context) {
        const auto& metadata = context.client_metadata();
        const auto token = metadata.find(kTokenKey);
        return verifier_.verify(token == metadata.end()
                                    ? std::string_view()
                                    : std::string_view(token->second.data(), token->second.size()));
    }

    /// What runs on gRPC's executor outside of gRPC's own calls: stopping a server does not wait
    /// for it by itself.
    void begin_outside() {
        const std::lock_guard lock(mutex_);
        ++outside_;
    }
    void end_outside() {
        const std::lock_guard lock(mutex_);
        if (--outside_ == 0) none_outside_.notify_all();
    }
    void wait_for_outside() {
        std::unique_lock lock(mutex_);
        none_outside_.wait(lock, [this] { return outside_ == 0; });
    }

    const std::shared_ptr<const RpcService> service;
    CallRoom room;

  private:
    TokenVerifier verifier_;
    std::mutex mutex_;
    std::condition_variable none_outside_;
    int outside_ = 0;
};

/// A call of a deferred method. No thread waits for room either: where there is none, the call
/// begins on gRPC's executor as soon as there is. Deletes itself once gRPC is done with it.
class GrpcDeferredCall final : public grpc::ServerUnaryReactor,
                               public DeferredCall,
                               public CallRoom::Waiting {
  public:
    GrpcDeferredCall(Serving& serving, const RpcService::Method& method,
                     grpc::CallbackServerContext& context, const grpc::ByteBuffer& encoded,
                     grpc::ByteBuffer* answer)
        : serving_(serving),
          method_(method),
          context_(context),
          encoded_(encoded),
          answer_(answer) {}

    void arrive() {
        try {
            auto caller = serving_.caller(context_);
            if (!caller) return Finish(to_grpc(context_, caller.error()));
            caller_ = std::move(*caller);
            switch (serving_.room.enter(*this)) {
                case CallRoom::Entry::kEntered:
                    return begin();
                case CallRoom::Entry::kRefused:
                    return Finish(to_grpc(context_, busy()));
                case CallRoom::Entry::kWaiting:
                    return;
            }
        } catch (...) {
            Finish(to_grpc(context_, unexpected()));
        }
    }

    google::protobuf::Message& response() override { return *response_; }

    void answer(Status status) noexcept override {
        try {
            if (status) status = encode(*response_, "response", answer_);
        } catch (...) {
            status = fail(unexpected());
        }
        serving_.room.leave();
        // Another thread may delete this from here on.
        Finish(status ? grpc::Status::OK : to_grpc(context_, status.error()));
    }

  private:
    static Error unexpected() { return {ErrorCode::kInternal, "The call failed unexpectedly."}; }

    /// In the room, which the answer leaves.
    void begin() noexcept {
        try {
            request_ = method_.request->New(&arena_);
            response_.reset(method_.response->New());
            grpc::ByteBuffer shared(encoded_);
            if (!decode(&shared, request_))
                return answer(fail(ErrorCode::kInvalidArgument, "The request is malformed."));
        } catch (...) {
            return answer(fail(unexpected()));
        }
        serving_.service->dispatch(caller_, method_.name, *request_, *this);
    }

    void enter_now() override {
        serving_.begin_outside();
        // A time that has passed: gRPC rounds the present one up.
        alarm_.emplace().Set(gpr_inf_past(GPR_CLOCK_REALTIME), [this](bool) {
            Serving& serving = serving_;  // This may be gone before the end.
            if (context_.IsCancelled())
                answer(fail(busy()));
            else
                begin();
            serving.end_outside();
        });
    }

    /// The deadline has passed, the peer has gone or the server stops.
    void OnCancel() override {
        if (serving_.room.forget(*this)) Finish(to_grpc(context_, busy()));
    }
    void OnDone() override { delete this; }
    bool InternalInlineable() override { return true; }  // Neither of the two waits for anything.

    Serving& serving_;
    const RpcService::Method& method_;
    grpc::CallbackServerContext& context_;
    const grpc::ByteBuffer& encoded_;
    grpc::ByteBuffer* const answer_;
    Caller caller_;
    google::protobuf::Arena arena_;  // A request has many parts that go together.
    Message* request_ = nullptr;
    std::unique_ptr<Message> response_;
    std::optional<grpc::Alarm> alarm_;
};

/// What generated code is for one contract, made at run time for any.
class GrpcService final : public grpc::Service {
  public:
    GrpcService(std::shared_ptr<const RpcService> service, TrustStore trust, std::string name,
                Clock& clock, int max_threads)
        : serving_(std::move(service), std::move(trust), std::move(name), clock,
                   static_cast<std::size_t>(max_threads)) {
        for (const RpcService::Method& method : serving_.service->methods()) {
            paths_.push_back("/" + serving_.service->descriptor()->full_name() + "/" + method.name);
            AddMethod(new grpc::internal::RpcServiceMethod(
                paths_.back().c_str(), grpc::internal::RpcMethod::NORMAL_RPC,
                method.deferred ? nullptr : threaded(method)));
            if (method.deferred)
                MarkMethodRawCallback(static_cast<int>(paths_.size() - 1), deferred(method));
        }
    }

    void wait_for_outside() { serving_.wait_for_outside(); }

  private:
    grpc::internal::MethodHandler* threaded(const RpcService::Method& method) {
        using Handler =
            grpc::internal::RpcMethodHandler<GrpcService, grpc::ByteBuffer, grpc::ByteBuffer>;
        return new Handler(
            [&method](GrpcService* self, grpc::ServerContext* context,
                      const grpc::ByteBuffer* request, grpc::ByteBuffer* response) {
                return self->handle(method, *context, *request, response);
            },
            this);
    }

    grpc::internal::MethodHandler* deferred(const RpcService::Method& method) {
        using Handler = grpc::internal::CallbackUnaryHandler<grpc::ByteBuffer, grpc::ByteBuffer>;
        return new Handler([this, &method](grpc::CallbackServerContext* context,
                                           const grpc::ByteBuffer* request,
                                           grpc::ByteBuffer* response) {
            auto* call = new GrpcDeferredCall(serving_, method, *context, *request, response);
            call->arrive();
            return call;
        });
    }

    grpc::Status handle(const RpcService::Method& method, grpc::ServerContext& context,
                        const grpc::ByteBuffer& request, grpc::ByteBuffer* response) {
        try {
            const auto answered = answer(method, context, request, response);
            return answered ? grpc::Status::OK : to_grpc(context, answered.error());
        } catch (...) {
            return to_grpc(context, {ErrorCode::kInternal, "The call failed unexpectedly."});
        }
    }

    Status answer(const RpcService::Method& method, grpc::ServerContext& context,
                  const grpc::ByteBuffer& request, grpc::ByteBuffer* response) {
        CLOISON_TRY(const Caller caller, serving_.caller(context));
        const auto patience = std::chrono::system_clock::now() + kLongestWaitForThread;
        if (!serving_.room.enter_until(std::min(patience, context.deadline()))) return fail(busy());
        const Leave leave{serving_.room};
        google::protobuf::Arena arena;  // A request has many parts that go together.
        Message* const decoded = method.request->New(&arena);
        const std::unique_ptr<Message> result(method.response->New());
        grpc::ByteBuffer shared(request);
        if (!decode(&shared, decoded))
            return fail(ErrorCode::kInvalidArgument, "The request is malformed.");
        CLOISON_TRY_STATUS(serving_.service->dispatch(caller, method.name, *decoded, result.get()));
        return encode(*result, "response", response);
    }

    struct Leave {
        CallRoom& room;
        ~Leave() { room.leave(); }
    };

    Serving serving_;
    std::deque<std::string> paths_;  ///< gRPC keeps pointers to the characters.
};

class GrpcServer final : public RpcServer {
  public:
    GrpcServer(std::unique_ptr<GrpcService> service, std::unique_ptr<grpc::Server> server)
        : service_(std::move(service)), server_(std::move(server)) {}
    ~GrpcServer() override { stop(Duration::zero()); }

    void stop(Duration grace) override {
        const std::lock_guard lock(mutex_);
        if (stopped_) return;
        stopped_ = true;
        server_->Shutdown(std::chrono::system_clock::now() + grace);
        server_->Wait();
        service_->wait_for_outside();
    }

  private:
    std::unique_ptr<GrpcService> service_;  ///< Outlives server_, which calls it.
    std::unique_ptr<grpc::Server> server_;
    std::mutex mutex_;
    bool stopped_ = false;
};

/// Makes way at the socket's path; never removes what is not a dead socket.
Status claim_socket(const Path& socket) {
    switch (const int outcome = probe(socket)) {
        case ENOENT:
            return {};
        case 0:
        case EAGAIN:
            return fail(ErrorCode::kConflict,
                        "Another process already serves on " + socket.string() + ".");
        case ECONNREFUSED:
            break;
        default:
            return fail(ErrorCode::kIo,
                        socket.string() + ": " + std::system_category().message(outcome) + ".");
    }
    struct stat status {};
    if (::lstat(socket.c_str(), &status) == 0 && !S_ISSOCK(status.st_mode))
        return fail(ErrorCode::kConflict, socket.string() + " exists and is no socket.");
    if (::unlink(socket.c_str()) != 0 && errno != ENOENT)
        return fail(ErrorCode::kIo,
                    socket.string() + ": " + std::system_category().message(errno) + ".");
    return {};
}

Status check_complete(const RpcService& service) {
    const auto missing = service.missing();
    if (missing.empty()) return {};
    std::string names;
    for (const std::string& name : missing) names += (names.empty() ? "" : ", ") + name;
    return fail(ErrorCode::kInternal,
                service.descriptor()->full_name() + " has no handler for " + names + ".");
}

}  // namespace

std::unique_ptr<RpcChannel> connect_rpc(const Path& socket, std::string audience,
                                        std::shared_ptr<CallerIdentity> identity) {
    prepare_grpc();
    return std::make_unique<GrpcChannel>(socket, std::move(audience), std::move(identity));
}

Result<std::unique_ptr<RpcServer>> RpcServer::start(Options options, Clock& clock,
                                                    std::shared_ptr<const RpcService> service) {
    CLOISON_TRY_STATUS(check_complete(*service));
    if (options.max_threads < 1)
        return fail(ErrorCode::kInvalidArgument, "A server needs at least one thread.");
    CLOISON_TRY(const std::string address, socket_address(options.socket));
    CLOISON_TRY_STATUS(claim_socket(options.socket));
    prepare_grpc();
    static std::once_flag plugins;
    std::call_once(plugins, [] {
        grpc::EnableDefaultHealthCheckService(true);
        grpc::reflection::InitProtoReflectionServerBuilderPlugin();
    });
    const std::string contract = service->descriptor()->full_name();
    auto handlers = std::make_unique<GrpcService>(std::move(service), std::move(options.trust),
                                                  options.name, clock, options.max_threads);
    grpc::ServerBuilder builder;
    builder.AddListeningPort(address, grpc::InsecureServerCredentials());
    builder.RegisterService(handlers.get());
    builder.SetMaxReceiveMessageSize(static_cast<int>(kMaxRpcMessage));
    builder.SetMaxSendMessageSize(static_cast<int>(kMaxRpcMessage));
    builder.SetSyncServerOption(grpc::ServerBuilder::NUM_CQS, 2);
    builder.SetSyncServerOption(grpc::ServerBuilder::MAX_POLLERS, options.max_threads);
    grpc::ResourceQuota quota("calls of " + options.name);
    // Threads that wait for one of max_threads, and pollers.
    quota.SetMaxThreads(3 * options.max_threads + 8);
    builder.SetResourceQuota(quota);
    auto server = builder.BuildAndStart();
    if (server == nullptr)
        return fail(ErrorCode::kIo, "The service " + options.name + " cannot serve on " +
                                        options.socket.string() + ".");
    if (::chmod(options.socket.c_str(), 0600) != 0)
        return fail(ErrorCode::kIo,
                    options.socket.string() + ": " + std::system_category().message(errno) + ".");
    // By itself the health service knows the server as a whole, not what it serves.
    if (auto* health = server->GetHealthCheckService()) health->SetServingStatus(contract, true);
    return std::make_unique<GrpcServer>(std::move(handlers), std::move(server));
}

}  // namespace cloison::net
