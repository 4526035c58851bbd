#include "keeper/client/receipt.h"

#include <algorithm>

#include "crypto/pae.h"

namespace cloison::keeper {
namespace {

constexpr std::string_view kDomain = "cloison/receipt/v1";

}  // namespace

Bytes encode_receipts(std::string_view origin, const std::vector<ReceiptRecord>& receipts) {
    Bytes records;
    for (const ReceiptRecord& receipt : receipts) {
        put_u32(records, receipt.position);
        put_u64(records, receipt.index);
        records.insert(records.end(), receipt.leaf.begin(), receipt.leaf.end());
        put_u64(records, static_cast<std::uint64_t>(receipt.time_ms));
    }
    return crypto::pre_auth_encode({as_bytes(kDomain), as_bytes(origin), records});
}

Status verify_receipts(const v1::OpenResponse& response, const journal::NoteVerifier& journal) {
    const auto wrong = [](const char* what) { return fail(ErrorCode::kUnauthenticated, what); };
    std::vector<ReceiptRecord> receipts;
    for (int i = 0; i < response.disclosed_size(); ++i) {
        const auto& disclosed = response.disclosed(i);
        if (!disclosed.error().empty()) {
            if (disclosed.values_size() > 0) return wrong("A refused disclosure has values.");
            continue;
        }
        ReceiptRecord receipt{static_cast<std::uint32_t>(i),
                              disclosed.receipt().index(),
                              {},
                              disclosed.receipt().time_ms()};
        const auto& leaf = disclosed.receipt().leaf_hash();
        if (leaf.size() != receipt.leaf.size()) return wrong("A disclosure has no receipt.");
        std::copy(leaf.begin(), leaf.end(), receipt.leaf.begin());
        receipts.push_back(receipt);
    }
    if (receipts.empty()) return {};
    if (!journal.key.verify(encode_receipts(journal.name, receipts),
                            as_bytes(response.signature())))
        return wrong("The signature over the receipts does not fit.");
    return {};
}

}  // namespace cloison::keeper
