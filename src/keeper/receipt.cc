#include "keeper/receipt.h"

#include "keeper/client/receipt.h"

namespace cloison::keeper {

std::string ReceiptSigner::sign(const std::vector<Disclosure>& disclosed) const {
    std::vector<ReceiptRecord> receipts;
    for (std::size_t i = 0; i < disclosed.size(); ++i) {
        if (disclosed[i].error) continue;
        const Receipt& receipt = disclosed[i].receipt;
        receipts.push_back(
            {static_cast<std::uint32_t>(i), receipt.index, receipt.leaf, to_unix_ms(receipt.at)});
    }
    if (receipts.empty()) return {};
    return to_string(key_.sign(encode_receipts(origin_, receipts)));
}

}  // namespace cloison::keeper
