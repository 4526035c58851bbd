#include "portal/upload.h"

#include <algorithm>

#include "base/log.h"
#include "documents/encrypted_file.h"
#include "portal/request_view.h"

namespace cloison::portal {
namespace {

using documents::ContentVerdict;

constexpr std::size_t kPiece = std::size_t{32} * 1024;
/// Grants live five minutes; a slow line takes longer to send 20 MB.
constexpr Duration kGrantRenewal{3 * 60'000};
constexpr std::size_t kMaxName = 120;  // Characters that are kept of a file's name.

/// The last part of a path, without control characters: a display name only.
std::string display_name(std::string_view sent) {
    const auto slash = sent.find_last_of("/\\");
    if (slash != std::string_view::npos) sent.remove_prefix(slash + 1);
    std::string name;
    std::size_t characters = 0;
    for (const char c : sent) {
        const auto byte = static_cast<unsigned char>(c);
        if (byte < 0x20 || byte == 0x7f) continue;
        if ((byte & 0xc0) != 0x80 && ++characters > kMaxName) break;
        name += c;
    }
    return name.empty() ? "document" : name;
}

class Upload {
  public:
    Upload(const Shared& shared, web::Context& context, const RequestId& request, std::string kind)
        : shared_(shared),
          context_(context),
          request_(request),
          kind_(std::move(kind)),
          document_(DocumentId::random(shared.random)),
          key_(crypto::FileKey::random(shared.random)),
          encryptor_(key_),
          check_(*shared.detector) {}

    Result<UploadFault> run();

  private:
    Result<UploadFault> receive();
    Result<UploadFault> take(ByteView piece);
    Result<UploadFault> finish();
    Status renew_grant(Duration at_age = kGrantRenewal);
    Status begin(ByteView head);
    Status append(std::vector<Bytes> chunks);
    UploadFault scanner_fault(const Error& error);

    const Shared& shared_;
    web::Context& context_;
    const RequestId request_;
    const std::string kind_;
    const DocumentId document_;
    crypto::FileKey key_;
    documents::FileEncryptor encryptor_;
    documents::ContentCheck check_;
    std::unique_ptr<documents::Scan> scan_;
    std::string grant_;
    Time granted_;
    Bytes head_;  ///< Until enough is there to tell the type.
    bool begun_ = false;
    std::uint32_t chunks_ = 0;
    std::uint64_t size_ = 0;
};

UploadFault fault_of(ContentVerdict verdict) {
    switch (verdict) {
        case ContentVerdict::kEmpty:
            return UploadFault::kEmpty;
        case ContentVerdict::kNotAccepted:
            return UploadFault::kWrongType;
        case ContentVerdict::kPasswordProtected:
            return UploadFault::kPasswordProtected;
        default:
            return UploadFault::kNone;
    }
}

std::string_view content_type_of(ContentVerdict verdict) {
    switch (verdict) {
        case ContentVerdict::kJpeg:
            return content_type_name(documents::ContentType::kJpeg);
        case ContentVerdict::kPng:
            return content_type_name(documents::ContentType::kPng);
        default:
            return content_type_name(documents::ContentType::kPdf);
    }
}

/// Also finds out whether the request may still be changed: while a file was on its way it may have
/// been handed in.
Status Upload::renew_grant(Duration at_age) {
    const Time now = shared_.clock.now();
    if (!grant_.empty() && now - granted_ < at_age) return {};
    CLOISON_TRY(auto found,
                open_case(shared_, context_, request_, {"document_content", "document_name"}));
    CLOISON_TRY(const auto status, status_of(found.request));
    if (!casework::is_editable(status))
        return fail(ErrorCode::kConflict, "The request can no longer be changed.");
    grant_ = std::move(found.grant);
    granted_ = now;
    return {};
}

Status Upload::begin(ByteView head) {
    CLOISON_TRY_STATUS(renew_grant());
    const std::string id = document_.bytes();
    CLOISON_TRY(auto sealed,
                seal_values(shared_, grant_,
                            {{"document_content", id, to_string(key_.view())},
                             {"document_name", id,
                              display_name(context_.upload->file->file_name.value_or(""))}}));
    documents::v1::BeginRequest request;
    request.set_grant(grant_);
    request.set_document(id);
    request.set_sealed_key(std::move(sealed[0]));
    request.set_sealed_name(std::move(sealed[1]));
    request.set_header(to_string(encryptor_.header()));
    request.set_content_type(std::string(content_type_of(shared_.detector->detect(head))));
    request.set_kind(kind_);
    CLOISON_TRY_STATUS(shared_.services.documents.begin(request));
    begun_ = true;
    return {};
}

Status Upload::append(std::vector<Bytes> chunks) {
    for (const Bytes& chunk : chunks) {
        CLOISON_TRY_STATUS(renew_grant());
        documents::v1::AppendRequest request;
        request.set_grant(grant_);
        request.set_document(document_.bytes());
        request.set_index(chunks_);
        request.set_chunk(to_string(chunk));
        CLOISON_TRY_STATUS(shared_.services.documents.append(request));
        ++chunks_;
    }
    return {};
}

UploadFault Upload::scanner_fault(const Error& error) {
    log_warning("The virus scanner did not look at an upload: " + error.message);
    return UploadFault::kScannerUnavailable;
}

Result<UploadFault> Upload::take(ByteView piece) {
    size_ += piece.size();
    if (size_ > documents::kMaxDocumentSize) return UploadFault::kTooBig;
    check_.feed(piece);
    if (check_.refused()) return fault_of(check_.finish());
    if (scan_) {
        if (const Status fed = scan_->feed(piece); !fed) return scanner_fault(fed.error());
    }
    if (!begun_) {
        head_.insert(head_.end(), piece.begin(), piece.end());
        if (head_.size() < documents::kContentHead) return UploadFault::kNone;
        CLOISON_TRY_STATUS(begin(head_));
        CLOISON_TRY(auto chunks, encryptor_.feed(head_));
        wipe(head_);
        head_.clear();
        CLOISON_TRY_STATUS(append(std::move(chunks)));
        return UploadFault::kNone;
    }
    CLOISON_TRY(auto chunks, encryptor_.feed(piece));
    CLOISON_TRY_STATUS(append(std::move(chunks)));
    return UploadFault::kNone;
}

Result<UploadFault> Upload::finish() {
    const UploadFault content = fault_of(check_.finish());
    if (content != UploadFault::kNone) return content;
    if (scan_) {
        const auto verdict = scan_->finish();
        if (!verdict) return scanner_fault(verdict.error());
        if (!verdict->clean) {
            log_warning("The virus scanner refused an upload: " + verdict->signature);
            return UploadFault::kInfected;
        }
    }
    if (!begun_) {
        CLOISON_TRY_STATUS(begin(head_));
        CLOISON_TRY(auto chunks, encryptor_.feed(head_));
        CLOISON_TRY_STATUS(append(std::move(chunks)));
    }
    CLOISON_TRY(auto last, encryptor_.finish());
    CLOISON_TRY_STATUS(append(std::move(last)));
    CLOISON_TRY_STATUS(renew_grant(Duration::zero()));
    documents::v1::FinishRequest request;
    request.set_grant(grant_);
    request.set_document(document_.bytes());
    request.set_chunks(chunks_);
    request.set_scanned(scan_ != nullptr);
    CLOISON_TRY_STATUS(shared_.services.documents.finish(request));
    return UploadFault::kNone;
}

Result<UploadFault> Upload::receive() {
    if (shared_.scanner) {
        auto scan = shared_.scanner->begin();
        if (!scan) return scanner_fault(scan.error());
        scan_ = std::move(*scan);
    }
    Bytes piece(kPiece);
    while (true) {
        const auto size = context_.upload->reader->read(piece);
        if (!size && size.error().code == ErrorCode::kTooLarge) return UploadFault::kTooBig;
        if (!size) return UploadFault::kFailed;
        if (*size == 0) break;
        CLOISON_TRY(const auto fault, take(ByteView(piece).first(*size)));
        if (fault != UploadFault::kNone) return fault;
    }
    wipe(piece);
    return finish();
}

Result<UploadFault> Upload::run() {
    auto outcome = receive();
    if (begun_ && (!outcome || *outcome != UploadFault::kNone)) {
        // What cannot be removed now, documents removes itself when the upload's time is over.
        documents::v1::AbortRequest request;
        request.set_grant(grant_);
        request.set_document(document_.bytes());
        if (const auto aborted = shared_.services.documents.abort(request); !aborted)
            log_warning("An upload that failed could not be removed at once: " +
                        aborted.error().message);
    }
    if (!outcome && outcome.error().code == ErrorCode::kExhausted) return UploadFault::kTooMany;
    return outcome;
}

/// The browser shows the answer only when it could send everything; the server bounds how much.
void read_to_the_end(net::BodyReader& body) {
    Bytes piece(kPiece);
    while (true) {
        const auto size = body.read(piece);
        if (!size || *size == 0) return;
    }
}

}  // namespace

Result<UploadFault> receive_document(const Shared& shared, web::Context& context,
                                     const RequestId& request, const std::string& kind) {
    const auto& file = context.upload->file;
    if (!file || file->file_name.value_or("").empty()) {
        read_to_the_end(*context.request.stream);
        return UploadFault::kNoFile;
    }
    Upload upload(shared, context, request, kind);
    auto outcome = upload.run();
    read_to_the_end(*context.request.stream);
    return outcome;
}

}  // namespace cloison::portal
