#include <google/protobuf/descriptor.h>
#include <google/protobuf/message.h>

#include <algorithm>
#include <condition_variable>
#include <cstdlib>
#include <exception>
#include <mutex>
#include <optional>

#include "base/log.h"
#include "net/rpc.h"

namespace cloison::net {
namespace {

[[noreturn]] void abort_with(const std::string& message) {
    log_error(message);
    std::abort();
}

/// "Open" of "Open", "pkg.Service/Open" or "/pkg.Service/Open"; empty if another service is named.
std::string_view own_method(std::string_view method, std::string_view service) {
    if (method.starts_with('/')) method.remove_prefix(1);
    const auto slash = method.rfind('/');
    if (slash == std::string_view::npos) return method;
    return method.substr(0, slash) == service ? method.substr(slash + 1) : std::string_view();
}

/// Answered to a thread that waits for it.
class AwaitedCall final : public DeferredCall {
  public:
    explicit AwaitedCall(google::protobuf::Message& response) : response_(response) {}
    google::protobuf::Message& response() override { return response_; }
    void answer(Status status) noexcept override {
        const std::lock_guard lock(mutex_);
        status_ = std::move(status);
        answered_.notify_one();  // Under the lock: afterwards the call may be gone.
    }
    Status wait() {
        std::unique_lock lock(mutex_);
        answered_.wait(lock, [this] { return status_.has_value(); });
        return std::move(*status_);
    }

  private:
    google::protobuf::Message& response_;
    std::mutex mutex_;
    std::condition_variable answered_;
    std::optional<Status> status_;
};

void begin(const RpcService::Method& method, const Caller& caller,
           const google::protobuf::Message& request, DeferredCall& call) {
    try {
        method.deferred(caller, request, call);
    } catch (...) {
        // Whoever had the answer then dropped it, which is an answer.
    }
}

class LocalChannel final : public RpcChannel {
  public:
    LocalChannel(std::shared_ptr<const RpcService> service, std::string caller)
        : service_(std::move(service)), caller_{std::move(caller)} {}

    Status call(std::string_view method, const google::protobuf::Message& request,
                google::protobuf::Message* response, Duration) override {
        return service_->dispatch(caller_, method, request, response);
    }

  private:
    std::shared_ptr<const RpcService> service_;
    Caller caller_;
};

}  // namespace

RpcService::RpcService(const google::protobuf::ServiceDescriptor* descriptor)
    : descriptor_(descriptor) {
    for (int i = 0; i < descriptor_->method_count(); ++i) {
        const auto* method = descriptor_->method(i);
        if (method->client_streaming() || method->server_streaming())
            abort_with("Calls are unary, but " + method->full_name() + " streams.");
    }
}

void RpcService::add(std::string_view method, std::vector<std::string> allowed,
                     const google::protobuf::Message& request,
                     const google::protobuf::Message& response, RawHandler handler) {
    add({std::string(method), std::move(allowed), &request, &response, std::move(handler), {}});
}

void RpcService::add_deferred(std::string_view method, std::vector<std::string> allowed,
                              const google::protobuf::Message& request,
                              const google::protobuf::Message& response,
                              RawDeferredHandler handler) {
    add({std::string(method), std::move(allowed), &request, &response, {}, std::move(handler)});
}

void RpcService::add(Method method) {
    const auto* declared = descriptor_->FindMethodByName(method.name);
    if (declared == nullptr)
        abort_with(descriptor_->full_name() + " has no method " + method.name + ".");
    if (declared->input_type() != method.request->GetDescriptor() ||
        declared->output_type() != method.response->GetDescriptor())
        abort_with("The handler of " + declared->full_name() + " has other message types.");
    for (const Method& other : methods_) {
        if (other.name == method.name) abort_with(declared->full_name() + " has two handlers.");
    }
    methods_.push_back(std::move(method));
}

std::vector<std::string> RpcService::missing() const {
    std::vector<std::string> names;
    for (int i = 0; i < descriptor_->method_count(); ++i) {
        const std::string& name = descriptor_->method(i)->name();
        const bool handled = std::any_of(methods_.begin(), methods_.end(),
                                         [&](const Method& method) { return method.name == name; });
        if (!handled) names.push_back(name);
    }
    return names;
}

Result<const RpcService::Method*> RpcService::find(
    const Caller& caller, std::string_view method, const google::protobuf::Message& request,
    const google::protobuf::Message& response) const {
    const std::string_view name = own_method(method, descriptor_->full_name());
    const auto found = std::find_if(methods_.begin(), methods_.end(),
                                    [&](const Method& each) { return each.name == name; });
    if (found == methods_.end())
        return fail(ErrorCode::kInternal,
                    descriptor_->full_name() + " has no method " + std::string(method) + ".");
    if (found->request->GetDescriptor() != request.GetDescriptor() ||
        found->response->GetDescriptor() != response.GetDescriptor())
        return fail(ErrorCode::kInternal, "The call of " + descriptor_->full_name() + "/" +
                                              found->name + " has other message types.");
    if (std::find(found->allowed.begin(), found->allowed.end(), caller.service) ==
        found->allowed.end())
        return fail(ErrorCode::kPermissionDenied, "The service " + caller.service +
                                                      " may not call " + descriptor_->full_name() +
                                                      "/" + found->name + ".");
    return &*found;
}

Status RpcService::dispatch(const Caller& caller, std::string_view method,
                            const google::protobuf::Message& request,
                            google::protobuf::Message* response) const {
    CLOISON_TRY(const Method* found, find(caller, method, request, *response));
    if (found->deferred) {
        AwaitedCall call(*response);
        begin(*found, caller, request, call);
        return call.wait();
    }
    // An exception's text is not ours, so it may hold anything; it is not passed on.
    try {
        return found->handler(caller, request, response);
    } catch (...) {
        return fail(ErrorCode::kInternal,
                    descriptor_->full_name() + "/" + found->name + " failed unexpectedly.");
    }
}

void RpcService::dispatch(const Caller& caller, std::string_view method,
                          const google::protobuf::Message& request, DeferredCall& call) const {
    const auto found = find(caller, method, request, call.response());
    if (!found) return call.answer(fail(found.error()));
    begin(**found, caller, request, call);
}

std::unique_ptr<RpcChannel> local_rpc(std::shared_ptr<const RpcService> service,
                                      std::string caller) {
    return std::make_unique<LocalChannel>(std::move(service), std::move(caller));
}

}  // namespace cloison::net
