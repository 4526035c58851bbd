#pragma once

#include <memory>

#include "casework/access.h"
#include "casework/store.h"
#include "net/rpc.h"

#include "cloison/casework/v1/casework.pb.h"

namespace cloison::casework {

/// From the methods of proto/cloison/casework/v1 to the domain, and nothing else. What the store
/// refers to and `access` must outlive the service.
std::shared_ptr<net::RpcService> make_service(const Store& store, const Access& access);

}  // namespace cloison::casework
