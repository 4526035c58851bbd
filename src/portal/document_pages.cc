#include <algorithm>

#include "documents/encrypted_file.h"
#include "portal/request_view.h"
#include "portal/upload.h"
#include "web/formats.h"
#include "web/security_headers.h"

namespace cloison::portal {
namespace {

using web::Context, web::FormErrors, web::Json;

const casework::DocumentKind* kind_of(const casework::RequestType& type, std::string_view name) {
    for (const auto& kind : type.documents) {
        if (kind.name == name) return &kind;
    }
    return nullptr;
}

/// The words of each fault, and the status that goes with them.
struct FaultWords {
    const char* text_key;
    int status;
};
FaultWords words_of(UploadFault fault) {
    switch (fault) {
        case UploadFault::kNoFile:
            return {"portal.document.no_file", 422};
        case UploadFault::kEmpty:
            return {"portal.document.empty", 422};
        case UploadFault::kWrongType:
            return {"portal.document.wrong_type", 422};
        case UploadFault::kTooBig:
            return {"portal.document.too_big", 413};
        case UploadFault::kPasswordProtected:
            return {"portal.document.password_protected", 422};
        case UploadFault::kInfected:
            return {"portal.document.infected", 422};
        case UploadFault::kScannerUnavailable:
            return {"portal.document.scanner_unavailable", 503};
        case UploadFault::kTooMany:
            return {"portal.document.too_many", 422};
        case UploadFault::kNone:
        case UploadFault::kFailed:
            break;
    }
    return {"portal.document.failed", 400};  // It did not arrive whole.
}

struct KindPage {
    OpenCase found;
    const casework::DocumentKind* kind;
};
Result<KindPage> kind_page(const Shared& shared, const Context& context) {
    CLOISON_TRY(const auto id, context.path_id<RequestId>("request"));
    CLOISON_TRY(auto found, open_case(shared, context, id, {"document_name"}));
    const auto* kind = kind_of(*found.type, context.path_text("kind"));
    if (kind == nullptr) return fail(ErrorCode::kNotFound, "No such kind of document.");
    CLOISON_TRY(const auto status, status_of(found.request));
    if (!casework::is_editable(status))
        return fail(ErrorCode::kConflict, "The request can no longer be changed.");
    return KindPage{std::move(found), kind};
}

Result<net::HttpResponse> upload_page(const Shared& shared, Context& context, const KindPage& page,
                                      const FormErrors& errors, int status) {
    CLOISON_TRY(auto documents, list_documents(shared, page.found.grant));
    std::erase_if(documents, [&](const auto& one) { return one.kind() != page.kind->name; });
    std::vector<SealedValue> sealed;
    for (const auto& document : documents)
        sealed.push_back({"document_name", document.document(), document.sealed_name()});
    CLOISON_TRY(const auto names, open_values(shared, page.found.grant, sealed));
    const std::string path = request_path(page.found.request.request());
    Json files = Json::array();
    for (std::size_t i = 0; i < documents.size(); ++i)
        files.push_back(
            {{"name", names[i]},
             {"link", path + "/documents/" + hex_encode(as_bytes(documents[i].document()))}});
    return context.page(
        "portal/document",
        {{"title", context.label(page.kind->label)},
         {"back", path},
         {"path", path},
         {"errors", errors.summary()},
         {"explanation", context.label(page.kind->hint)},
         {"action", path + "/documents/add/" + page.kind->name},
         {"files", files},
         {"has_files", !files.empty()},
         {"file",
          web::file_upload({.name = "file",
                            .label = context.text("portal.document.choose"),
                            .hint = context.text("portal.document.hint")},
                           ".pdf,.jpg,.jpeg,.png,application/pdf,image/jpeg,image/png", errors)}},
        status);
}

Result<net::HttpResponse> ask(const Shared& shared, Context& context) {
    CLOISON_TRY(const auto page, kind_page(shared, context));
    return upload_page(shared, context, page, {}, 200);
}

Result<net::HttpResponse> add(const Shared& shared, Context& context) {
    CLOISON_TRY(const auto id, context.path_id<RequestId>("request"));
    CLOISON_TRY(const auto page, kind_page(shared, context));
    CLOISON_TRY(const auto fault, receive_document(shared, context, id, page.kind->name));
    if (fault == UploadFault::kNone)
        return context.redirect_with_notice(request_path(id.bytes()), "portal.document.added");
    const FaultWords words = words_of(fault);
    FormErrors errors;
    errors.add("file", context.text(words.text_key));
    return upload_page(shared, context, page, errors, words.status);
}

struct FoundDocument {
    std::string grant;
    documents::v1::Document document;
    bool editable;
};
Result<FoundDocument> find_document(const Shared& shared, const Context& context,
                                    const std::vector<std::string>& fields) {
    CLOISON_TRY(const auto id, context.path_id<RequestId>("request"));
    CLOISON_TRY(const auto document, context.path_id<DocumentId>("document"));
    CLOISON_TRY(const auto found, open_case(shared, context, id, fields));
    CLOISON_TRY(const auto documents, list_documents(shared, found.grant));
    CLOISON_TRY(const auto status, status_of(found.request));
    for (const auto& one : documents) {
        if (one.document() == document.bytes())
            return FoundDocument{found.grant, one, casework::is_editable(status)};
    }
    return fail(ErrorCode::kNotFound, "No such document.");
}

/// Reads and decrypts chunk after chunk while the browser takes them.
class DocumentSource {
  public:
    DocumentSource(documents::DocumentsClient client, FoundDocument found,
                   documents::FileDecryptor decryptor)
        : client_(std::move(client)), found_(std::move(found)), decryptor_(std::move(decryptor)) {}

    Result<std::size_t> read(std::span<std::uint8_t> out) {
        while (offset_ == plain_.size() && next_ < found_.document.chunks()) {
            CLOISON_TRY_STATUS(read_chunk());
        }
        if (offset_ == plain_.size()) return std::size_t{0};
        const std::size_t size = std::min(out.size(), plain_.size() - offset_);
        std::copy_n(plain_.view().begin() + static_cast<std::ptrdiff_t>(offset_), size,
                    out.begin());
        offset_ += size;
        return size;
    }

  private:
    Status read_chunk() {
        documents::v1::ReadRequest request;
        request.set_grant(found_.grant);
        request.set_document(found_.document.document());
        request.set_index(next_);
        CLOISON_TRY(const auto answer, client_.read(request));
        CLOISON_TRY(plain_, decryptor_.feed(as_bytes(answer.chunk())));
        offset_ = 0;
        ++next_;
        // An error here cuts the answer, so that nobody takes a cut file for the whole.
        if (next_ == found_.document.chunks()) return decryptor_.finish();
        return {};
    }

    documents::DocumentsClient client_;
    FoundDocument found_;
    documents::FileDecryptor decryptor_;
    Secret plain_;
    std::size_t offset_ = 0;
    std::uint32_t next_ = 0;
};

Result<net::HttpResponse> download(const Shared& shared, Context& context) {
    CLOISON_TRY(auto found, find_document(shared, context, {"document_content", "document_name"}));
    const std::string id = found.document.document();
    CLOISON_TRY(auto values, open_values(shared, found.grant,
                                         {{"document_content", id, found.document.sealed_key()},
                                          {"document_name", id, found.document.sealed_name()}}));
    const Secret key_bytes = Secret::from_text(values[0]);
    wipe(values[0]);
    CLOISON_TRY(const auto key, crypto::FileKey::from_bytes(key_bytes.view()));
    CLOISON_TRY(auto decryptor,
                documents::FileDecryptor::create(key, as_bytes(found.document.header())));
    net::HttpResponse response;
    web::make_download(response, found.document.content_type(), values[1]);
    const auto source = std::make_shared<DocumentSource>(shared.services.documents,
                                                         std::move(found), std::move(decryptor));
    response.source = [source](std::span<std::uint8_t> out) { return source->read(out); };
    return response;
}

Result<net::HttpResponse> remove(const Shared& shared, Context& context) {
    CLOISON_TRY(const auto found, find_document(shared, context, {}));
    if (!found.editable) return fail(ErrorCode::kConflict, "The request can no longer be changed.");
    documents::v1::RemoveRequest request;
    request.set_grant(found.grant);
    request.set_document(found.document.document());
    CLOISON_TRY_STATUS(shared.services.documents.remove(request));
    return context.redirect_with_notice("/requests/" + std::string(context.path_text("request")),
                                        "portal.document.removed");
}

}  // namespace

void add_document_pages(Routes& routes) {
    routes.get("/requests/{request}/documents/add/{kind}", web::Access::kResident, ask);
    routes.post_stream("/requests/{request}/documents/add/{kind}", web::Access::kResident, add);
    routes.get("/requests/{request}/documents/{document}", web::Access::kResident, download);
    routes.post("/requests/{request}/documents/{document}/remove", web::Access::kResident, remove);
}

}  // namespace cloison::portal
