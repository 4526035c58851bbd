#include <algorithm>

#include "crypto/keys.h"
#include "desk/case_view.h"
#include "documents/encrypted_file.h"
#include "web/formats.h"

namespace cloison::desk {
namespace {

using web::Access;
using web::Context;
using web::Json;

/// The supporting documents of a case: the list, and a file decrypted on its way to the officer.
struct DocumentPages {
    const Core& core;

    Result<net::HttpResponse> ask(Context& context) const;
    Result<net::HttpResponse> download(Context& context) const;

  private:
    Result<documents::v1::ListResponse> list(const std::string& grant) const {
        documents::v1::ListRequest request;
        request.set_grant(grant);
        return core.services.documents.list(request);
    }
    Result<net::HttpResponse> ask_page(Context& context, const Case& of,
                                       const web::FormErrors& errors) const;
};

std::string kind_label(const Context& context, const Case& of, const std::string& kind) {
    for (const auto& known : of.type->documents)
        if (known.name == kind) return context.label(known.label);
    return kind;
}

std::string type_words(const std::string& content_type) {
    if (content_type == "application/pdf") return "PDF";
    return content_type == "image/png" ? "PNG" : "JPEG";
}

Result<net::HttpResponse> DocumentPages::ask_page(Context& context, const Case& of,
                                                  const web::FormErrors& errors) const {
    CLOISON_TRY(
        const auto grant,
        issue_grant(core, context, {.purpose = std::string(kProcess), .ticket = of.ticket}));
    CLOISON_TRY(const auto found, list(grant));
    std::vector<web::Option> options;
    for (const auto& document : found.documents()) {
        CLOISON_TRY(const auto id, DocumentId::from_bytes(document.document()));
        options.push_back(
            {id.hex(), kind_label(context, of, document.kind()),
             context.text(
                 document.scanned() ? "desk.documents.scanned" : "desk.documents.unscanned",
                 {{"type", type_words(document.content_type())},
                  {"date",
                   web::format_date(context.language, from_unix_ms(document.added_ms()))}})});
    }
    if (options.empty())
        return context.page("desk/words", {{"title", context.text("desk.documents.title")},
                                           {"back", of.path()},
                                           {"paragraphs", {context.text("desk.documents.none")}}});
    return form_page(context,
                     {.title = context.text("desk.documents.title"),
                      .action = of.path() + "/documents",
                      .submit = context.text("desk.documents.submit"),
                      .back = of.path(),
                      .warning = context.text("desk.documents.warning"),
                      .fields = {web::radios({.name = "document",
                                              .label = context.text("desk.documents.which"),
                                              .value = std::string(context.form.get("document"))},
                                             options, errors),
                                 reason_question(core, context, kProcess, errors)}},
                     errors);
}

Result<net::HttpResponse> DocumentPages::ask(Context& context) const {
    CLOISON_TRY(const Case found, get_case(core, context));
    return ask_page(context, found, {});
}

/// Reads, decrypts and hands out one chunk after another: no file is ever whole in memory.
class DecryptedBody {
  public:
    DecryptedBody(documents::DocumentsClient documents, std::string grant, std::string document,
                  std::uint32_t chunks, documents::FileDecryptor decryptor)
        : documents_(std::move(documents)),
          grant_(std::move(grant)),
          document_(std::move(document)),
          chunks_(chunks),
          decryptor_(std::move(decryptor)) {}

    Result<std::size_t> read(std::span<std::uint8_t> out) {
        while (at_ == piece_.size() && next_ < chunks_) {
            documents::v1::ReadRequest request;
            request.set_grant(grant_);
            request.set_document(document_);
            request.set_index(next_++);
            CLOISON_TRY(const auto chunk, documents_.read(request));
            CLOISON_TRY(piece_, decryptor_.feed(as_bytes(chunk.chunk())));
            at_ = 0;
            if (next_ == chunks_) CLOISON_TRY_STATUS(decryptor_.finish());
        }
        const std::size_t size = std::min(out.size(), piece_.size() - at_);
        std::copy_n(piece_.view().begin() + static_cast<std::ptrdiff_t>(at_), size, out.begin());
        at_ += size;
        return size;
    }

  private:
    documents::DocumentsClient documents_;
    std::string grant_;
    std::string document_;
    std::uint32_t chunks_;
    documents::FileDecryptor decryptor_;
    std::uint32_t next_ = 0;
    Secret piece_;
    std::size_t at_ = 0;
};

Result<net::HttpResponse> DocumentPages::download(Context& context) const {
    CLOISON_TRY(const Case found, get_case(core, context));
    web::FormErrors errors;
    const auto wanted = DocumentId::from_hex(context.form.get("document"));
    if (!wanted) errors.add("document", context.text("desk.documents.missing"));
    const std::string reason = read_reason(core, context, kProcess, errors);
    if (!errors.empty()) return ask_page(context, found, errors);

    CLOISON_TRY(const auto grant, issue_grant(core, context,
                                              {.purpose = std::string(kProcess),
                                               .reason = reason,
                                               .fields = {"document_content", "document_name"},
                                               .ticket = found.ticket}));
    CLOISON_TRY(const auto listed, list(grant));
    const auto document =
        std::find_if(listed.documents().begin(), listed.documents().end(),
                     [&](const auto& each) { return each.document() == wanted->bytes(); });
    if (document == listed.documents().end())
        return fail(ErrorCode::kNotFound, "There is no such document in this case.");
    const auto opened =
        open_values(core, grant,
                    {{"document_content", document->document(), document->sealed_key()},
                     {"document_name", document->document(), document->sealed_name()}});
    if (!opened && opened.error().code == ErrorCode::kExhausted)
        return budget_page(context, found.path());
    if (!opened) return fail(opened.error());
    CLOISON_TRY(const auto key, crypto::FileKey::from_bytes((*opened)[0].view()));
    CLOISON_TRY(auto decryptor,
                documents::FileDecryptor::create(key, as_bytes(document->header())));
    const auto body =
        std::make_shared<DecryptedBody>(core.services.documents, grant, document->document(),
                                        document->chunks(), std::move(decryptor));
    net::HttpResponse response;
    response.headers.set("Content-Type", document->content_type());
    response.headers.set("Content-Disposition", "attachment; filename*=UTF-8''" +
                                                    net::percent_encode((*opened)[1].text()));
    response.source = [body](std::span<std::uint8_t> out) { return body->read(out); };
    return response;
}

}  // namespace

void add_document_pages(web::Site& site, const Core& core) {
    const auto on = route_maker<DocumentPages>(core);
    site.get("/cases/{request}/documents", Access::kOfficer, on(&DocumentPages::ask));
    site.post("/cases/{request}/documents", Access::kOfficer, on(&DocumentPages::download));
}

}  // namespace cloison::desk
