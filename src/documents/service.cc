#include "documents/service.h"

#include <algorithm>

#include "crypto/seal.h"
#include "crypto/stream.h"
#include "documents/canaries.h"

namespace cloison::documents {
namespace {

constexpr std::size_t kMaxSealedKey = 1024;
constexpr std::size_t kMaxSealedName = 2048;
constexpr std::size_t kMaxKind = 40;

Status check_sealed(const std::string& sealed, std::size_t max_size) {
    if (sealed.size() > max_size)
        return fail(ErrorCode::kTooLarge, "A sealed key or file name is too long.");
    if (!crypto::sealed_epoch(as_bytes(sealed)))
        return fail(ErrorCode::kInvalidArgument, "The key or the file name is not sealed.");
    return {};
}

bool is_kind(std::string_view text) {
    return !text.empty() && text.size() <= kMaxKind &&
           std::all_of(text.begin(), text.end(), [](char c) {
               return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_' || c == '-';
           });
}

/// Of a request to begin, or to plant a canary.
template <class Request>
Result<NewDocument> to_document(const Request& request) {
    NewDocument document;
    CLOISON_TRY(document.document, DocumentId::from_bytes(request.document()));
    CLOISON_TRY_STATUS(check_sealed(request.sealed_key(), kMaxSealedKey));
    CLOISON_TRY_STATUS(check_sealed(request.sealed_name(), kMaxSealedName));
    if (request.header().size() != crypto::kStreamHeaderSize)
        return fail(ErrorCode::kInvalidArgument, "The header of an encrypted file has 24 bytes.");
    CLOISON_TRY(document.content_type, content_type_from_name(request.content_type()));
    if (!is_kind(request.kind()))
        return fail(ErrorCode::kInvalidArgument, "The kind of document is malformed.");
    document.sealed_key = to_bytes(request.sealed_key());
    document.sealed_name = to_bytes(request.sealed_name());
    document.header = to_bytes(request.header());
    document.kind = request.kind();
    return document;
}

void fill(const DocumentRow& row, v1::Document& out) {
    out.set_document(row.description.document.bytes());
    out.set_sealed_key(to_string(row.description.sealed_key));
    out.set_sealed_name(to_string(row.description.sealed_name));
    out.set_header(to_string(row.description.header));
    out.set_content_type(std::string(content_type_name(row.description.content_type)));
    out.set_kind(row.description.kind);
    out.set_chunks(row.chunks);
    out.set_scanned(row.scanned);
    out.set_added_ms(to_unix_ms(row.added));
}

/// One function per method: grant, then store.
class Handlers {
  public:
    Handlers(DocumentStore& store, const Access& access) : store_(store), access_(access) {}

    Result<v1::BeginResponse> begin(const net::Caller& caller,
                                    const v1::BeginRequest& request) const {
        CLOISON_TRY(const auto owner, access_.owner(caller, request.grant()));
        CLOISON_TRY(const auto document, to_document(request));
        CLOISON_TRY_STATUS(store_.begin(owner, document));
        return v1::BeginResponse();
    }

    Result<v1::AppendResponse> append(const net::Caller& caller,
                                      const v1::AppendRequest& request) const {
        CLOISON_TRY(const auto owner, access_.owner(caller, request.grant()));
        CLOISON_TRY(const auto id, DocumentId::from_bytes(request.document()));
        CLOISON_TRY_STATUS(store_.append(owner, id, request.index(), as_bytes(request.chunk())));
        return v1::AppendResponse();
    }

    Result<v1::FinishResponse> finish(const net::Caller& caller,
                                      const v1::FinishRequest& request) const {
        CLOISON_TRY(const auto owner, access_.owner(caller, request.grant()));
        CLOISON_TRY(const auto id, DocumentId::from_bytes(request.document()));
        CLOISON_TRY_STATUS(store_.finish(owner, id, request.chunks(), request.scanned()));
        return v1::FinishResponse();
    }

    Result<v1::AbortResponse> abort(const net::Caller& caller,
                                    const v1::AbortRequest& request) const {
        CLOISON_TRY(const auto owner, access_.owner(caller, request.grant()));
        CLOISON_TRY(const auto id, DocumentId::from_bytes(request.document()));
        CLOISON_TRY_STATUS(store_.abort(owner, id));
        return v1::AbortResponse();
    }

    Result<v1::ListResponse> list(const net::Caller& caller, const v1::ListRequest& request) const {
        CLOISON_TRY(const auto reader, access_.reader(caller, request.grant()));
        CLOISON_TRY(const auto rows, store_.list(reader));
        v1::ListResponse response;
        for (const DocumentRow& row : rows) fill(row, *response.add_documents());
        return response;
    }

    Result<v1::ReadResponse> read(const net::Caller& caller, const v1::ReadRequest& request) const {
        CLOISON_TRY(const auto reader, access_.reader(caller, request.grant()));
        CLOISON_TRY(const auto id, DocumentId::from_bytes(request.document()));
        CLOISON_TRY(const auto chunk, store_.read(reader, id, request.index()));
        v1::ReadResponse response;
        response.set_chunk(to_string(chunk));
        return response;
    }

    Result<v1::RemoveResponse> remove(const net::Caller& caller,
                                      const v1::RemoveRequest& request) const {
        CLOISON_TRY(const auto owner, access_.owner(caller, request.grant()));
        CLOISON_TRY(const auto id, DocumentId::from_bytes(request.document()));
        CLOISON_TRY_STATUS(store_.remove(owner, id));
        return v1::RemoveResponse();
    }

    Result<v1::DescribeCanaryResponse> describe_canary(
        const net::Caller&, const v1::DescribeCanaryRequest& request) const {
        return documents::describe_canary(store_, request);
    }

    Result<v1::PlantCanaryResponse> plant_canary(const net::Caller&,
                                                 const v1::PlantCanaryRequest& request) const {
        CLOISON_TRY(auto document, to_document(request));
        return documents::plant_canary(store_, access_, std::move(document), request);
    }

  private:
    DocumentStore& store_;
    const Access& access_;
};

}  // namespace

std::shared_ptr<net::RpcService> make_service(DocumentStore& store, const Access& access) {
    auto service = std::make_shared<net::RpcService>(
        v1::BeginRequest::descriptor()->file()->FindServiceByName("Documents"));
    const auto handlers = std::make_shared<const Handlers>(store, access);
    const auto on = [&]<class Request, class Response>(
                        std::string_view method, std::vector<std::string> allowed,
                        Result<Response> (Handlers::*handler)(const net::Caller&, const Request&)
                            const) {
        service->on<Request, Response>(
            method, std::move(allowed),
            [handlers, handler](const net::Caller& caller, const Request& request) {
                return (handlers.get()->*handler)(caller, request);
            });
    };
    on("Begin", {"portal"}, &Handlers::begin);
    on("Append", {"portal"}, &Handlers::append);
    on("Finish", {"portal"}, &Handlers::finish);
    on("Abort", {"portal"}, &Handlers::abort);
    on("List", {"portal", "desk"}, &Handlers::list);
    on("Read", {"portal", "desk"}, &Handlers::read);
    on("Remove", {"portal"}, &Handlers::remove);
    on("DescribeCanary", {"operator"}, &Handlers::describe_canary);
    on("PlantCanary", {"operator"}, &Handlers::plant_canary);
    return service;
}

}  // namespace cloison::documents
