#pragma once

#include <memory>

#include "net/rpc.h"

#include "cloison/casework/v1/casework.pb.h"

namespace cloison::casework {

/// What others may call of casework. Thin: one function per method of proto/cloison/casework/v1.
/// Safe to use from any thread.
class CaseworkClient {
  public:
    explicit CaseworkClient(std::shared_ptr<net::RpcChannel> channel)
        : channel_(std::move(channel)) {}

#define CLOISON_CASEWORK_METHOD(function, Method)                                     \
    Result<v1::Method##Response> function(const v1::Method##Request& request) const { \
        return channel_->call<v1::Method##Response>(#Method, request);                \
    }
    CLOISON_CASEWORK_METHOD(create_request, CreateRequest)
    CLOISON_CASEWORK_METHOD(list_requests, ListRequests)
    CLOISON_CASEWORK_METHOD(get_request, GetRequest)
    CLOISON_CASEWORK_METHOD(save_values, SaveValues)
    CLOISON_CASEWORK_METHOD(submit, Submit)
    CLOISON_CASEWORK_METHOD(withdraw, Withdraw)
    CLOISON_CASEWORK_METHOD(post_message, PostMessage)
    CLOISON_CASEWORK_METHOD(queue, Queue)
    CLOISON_CASEWORK_METHOD(take_case, TakeCase)
    CLOISON_CASEWORK_METHOD(release_case, ReleaseCase)
    CLOISON_CASEWORK_METHOD(get_case, GetCase)
    CLOISON_CASEWORK_METHOD(decide, Decide)
    CLOISON_CASEWORK_METHOD(plant_canary, PlantCanary)
#undef CLOISON_CASEWORK_METHOD

  private:
    std::shared_ptr<net::RpcChannel> channel_;
};

}  // namespace cloison::casework
