#include "keeper/client/receipt.h"

#include <algorithm>
#include <limits>

#include "crypto/pae.h"
#include "journal/merkle.h"
#include "journal/proof.h"

namespace cloison::keeper {
namespace {

constexpr std::string_view kDomain = "cloison/receipts/v1";
constexpr std::size_t kFixedBytes = 8 + 4 + 4 + std::tuple_size_v<crypto::Signature>;

tl::unexpected<Error> wrong(const char* what) {
    return fail(ErrorCode::kUnauthenticated, what);
}

/// The receipts of an answer, with their offsets from the first line of the append.
Result<std::vector<ReceiptRecord>> read_receipts(const v1::OpenResponse& response,
                                                 std::uint64_t first) {
    std::vector<ReceiptRecord> receipts;
    for (int i = 0; i < response.disclosed_size(); ++i) {
        const auto& disclosed = response.disclosed(i);
        if (!disclosed.error().empty()) {
            if (disclosed.values_size() > 0) return wrong("A refused disclosure has values.");
            continue;
        }
        const std::uint64_t offset = disclosed.receipt().index() - first;
        if (offset > std::numeric_limits<std::uint32_t>::max())
            return wrong("A receipt is of a line outside the append that was signed.");
        ReceiptRecord receipt{static_cast<std::uint32_t>(i),
                              static_cast<std::uint32_t>(offset),
                              {},
                              disclosed.receipt().time_ms()};
        const auto& leaf = disclosed.receipt().leaf_hash();
        if (leaf.size() != receipt.leaf.size()) return wrong("A disclosure has no receipt.");
        std::copy(leaf.begin(), leaf.end(), receipt.leaf.begin());
        receipts.push_back(receipt);
    }
    return receipts;
}

bool releases_anything(const v1::OpenResponse& response) {
    return std::any_of(
        response.disclosed().begin(), response.disclosed().end(),
        [](const auto& one) { return one.error().empty() || one.values_size() > 0; });
}

}  // namespace

crypto::Hash hash_receipts(const std::vector<ReceiptRecord>& receipts) {
    Bytes records;
    records.reserve(receipts.size() * 48);
    for (const ReceiptRecord& receipt : receipts) {
        put_u32(records, receipt.position);
        put_u32(records, receipt.offset);
        records.insert(records.end(), receipt.leaf.begin(), receipt.leaf.end());
        put_u64(records, static_cast<std::uint64_t>(receipt.time_ms));
    }
    return journal::hash_leaf(records);
}

Bytes ReceiptSignature::encode() const {
    Bytes bytes;
    put_u64(bytes, first);
    put_u32(bytes, calls);
    put_u32(bytes, number);
    for (const auto& hash : path) bytes.insert(bytes.end(), hash.begin(), hash.end());
    bytes.insert(bytes.end(), signature.begin(), signature.end());
    return bytes;
}

Result<ReceiptSignature> ReceiptSignature::parse(ByteView bytes) {
    constexpr std::size_t kHashBytes = std::tuple_size_v<crypto::Hash>;
    if (bytes.size() < kFixedBytes || (bytes.size() - kFixedBytes) % kHashBytes != 0 ||
        (bytes.size() - kFixedBytes) / kHashBytes > kMaxPath)
        return fail(ErrorCode::kCorrupt, "The signature over receipts is malformed.");
    ReceiptSignature parsed;
    parsed.first = get_u64(bytes);
    parsed.calls = get_u32(bytes.subspan(8));
    parsed.number = get_u32(bytes.subspan(12));
    if (parsed.number >= parsed.calls)
        return fail(ErrorCode::kCorrupt, "The signature over receipts is malformed.");
    parsed.path.resize((bytes.size() - kFixedBytes) / kHashBytes);
    for (std::size_t i = 0; i < parsed.path.size(); ++i)
        std::copy_n(bytes.subspan(16 + i * kHashBytes).begin(), kHashBytes, parsed.path[i].begin());
    std::copy_n(bytes.end() - static_cast<std::ptrdiff_t>(parsed.signature.size()),
                parsed.signature.size(), parsed.signature.begin());
    return parsed;
}

Bytes receipts_message(std::string_view origin, std::uint64_t first, std::uint32_t calls,
                       const crypto::Hash& root) {
    Bytes place;
    put_u64(place, first);
    put_u32(place, calls);
    return crypto::pre_auth_encode({as_bytes(kDomain), as_bytes(origin), place, root});
}

Status verify_receipts(const v1::OpenResponse& response, const journal::NoteVerifier& journal) {
    if (!releases_anything(response)) return {};
    const auto signature = ReceiptSignature::parse(as_bytes(response.signature()));
    if (!signature) return wrong("There is no signature over the receipts.");
    CLOISON_TRY(const auto receipts, read_receipts(response, signature->first));
    const auto root = journal::inclusion_root(hash_receipts(receipts), signature->number,
                                              signature->calls, signature->path);
    if (!root || !journal.key.verify(
                     receipts_message(journal.name, signature->first, signature->calls, *root),
                     signature->signature))
        return wrong("The signature over the receipts does not fit.");
    return {};
}

}  // namespace cloison::keeper
