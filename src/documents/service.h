#pragma once

#include <memory>

#include "documents/access.h"
#include "documents/store.h"
#include "net/rpc.h"

#include "cloison/documents/v1/documents.pb.h"

namespace cloison::documents {

/// From the methods of proto/cloison/documents/v1 to the store, and nothing else. Both must outlive
/// the service.
std::shared_ptr<net::RpcService> make_service(DocumentStore& store, const Access& access);

}  // namespace cloison::documents
