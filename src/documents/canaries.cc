#include "documents/canaries.h"

#include "documents/encrypted_file.h"

namespace cloison::documents {
namespace {

constexpr std::size_t kCaseTagSize = 16;
constexpr std::uint64_t kUsualSize = 180'224;  ///< Of a scanned page; a class of length.

Status upload(DocumentStore& store, const Reach& owner, const NewDocument& document,
              const v1::PlantCanaryRequest& request) {
    std::uint32_t index = 0;
    for (const auto& chunk : request.chunks())
        CLOISON_TRY_STATUS(store.append(owner, document.document, index++, as_bytes(chunk)));
    return store.finish(owner, document.document, index, true);
}

}  // namespace

Result<v1::DescribeCanaryResponse> describe_canary(const DocumentStore& store,
                                                   const v1::DescribeCanaryRequest& request) {
    CLOISON_TRY(const auto lot, DocumentId::from_bytes(request.lot()));
    CLOISON_TRY(const auto model, store.draw(lot, kMaxCanaryChunks));
    v1::DescribeCanaryResponse response;
    response.set_content_type(std::string(content_type_name(ContentType::kPdf)));
    response.set_kind("address_proof");
    response.set_padded_size(length_class(kUsualSize));
    if (!model) return response;
    response.set_padded_size(*model);
    return response;
}

Result<v1::PlantCanaryResponse> plant_canary(DocumentStore& store, const Access& access,
                                             NewDocument document,
                                             const v1::PlantCanaryRequest& request) {
    if (request.case_tag().size() != kCaseTagSize)
        return fail(ErrorCode::kInvalidArgument, "The tag of a case has 16 bytes.");
    if (request.chunks().empty() || request.chunks_size() > static_cast<int>(kMaxCanaryChunks))
        return fail(ErrorCode::kInvalidArgument, "A canary has 1 to 48 chunks.");
    CLOISON_TRY(const auto owner, access.enrolled(request.enrolment(), request.case_tag()));
    CLOISON_TRY_STATUS(store.begin(owner, document));
    const Status stored = upload(store, owner, document, request);
    if (!stored) {
        // It may be gone already: an upload that fails removes itself.
        [[maybe_unused]] const Status gone = store.abort(owner, document.document);
        return fail(stored.error());
    }
    return v1::PlantCanaryResponse();
}

}  // namespace cloison::documents
