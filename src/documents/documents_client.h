#pragma once

#include <memory>

#include "net/rpc.h"

#include "cloison/documents/v1/documents.pb.h"

namespace cloison::documents {

/// What others may call of documents. Thin: one function per method of proto/cloison/documents/v1.
/// Files are padded and encrypted with documents/encrypted_file.h before they are appended.
/// Safe to use from any thread.
class DocumentsClient {
  public:
    explicit DocumentsClient(std::shared_ptr<net::RpcChannel> channel)
        : channel_(std::move(channel)) {}

#define CLOISON_DOCUMENTS_METHOD(function, Method)                                    \
    Result<v1::Method##Response> function(const v1::Method##Request& request) const { \
        return channel_->call<v1::Method##Response>(#Method, request);                \
    }
    CLOISON_DOCUMENTS_METHOD(begin, Begin)
    CLOISON_DOCUMENTS_METHOD(append, Append)
    CLOISON_DOCUMENTS_METHOD(finish, Finish)
    CLOISON_DOCUMENTS_METHOD(abort, Abort)
    CLOISON_DOCUMENTS_METHOD(list, List)
    CLOISON_DOCUMENTS_METHOD(read, Read)
    CLOISON_DOCUMENTS_METHOD(remove, Remove)
    CLOISON_DOCUMENTS_METHOD(describe_canary, DescribeCanary)
    CLOISON_DOCUMENTS_METHOD(plant_canary, PlantCanary)
#undef CLOISON_DOCUMENTS_METHOD

  private:
    std::shared_ptr<net::RpcChannel> channel_;
};

}  // namespace cloison::documents
