#include "keeper/receipt.h"

#include "journal/merkle.h"
#include "keeper/client/receipt.h"

namespace cloison::keeper {

crypto::Signature ReceiptSigner::sign(std::uint64_t first, std::uint32_t calls,
                                      const crypto::Hash& root) const {
    return key_.sign(receipts_message(origin_, first, calls, root));
}

ReceiptTree::ReceiptTree(std::vector<crypto::Hash> leaves) {
    levels_.push_back(std::move(leaves));
    while (levels_.back().size() > 1) {
        const auto& below = levels_.back();
        std::vector<crypto::Hash> level;
        for (std::size_t i = 0; i + 1 < below.size(); i += 2)
            level.push_back(journal::hash_node(below[i], below[i + 1]));
        // One without a sibling moves up as it is.
        if (below.size() % 2 == 1) level.push_back(below.back());
        levels_.push_back(std::move(level));
    }
}

std::vector<crypto::Hash> ReceiptTree::path(std::size_t leaf) const {
    std::vector<crypto::Hash> siblings;
    for (const auto& level : levels_) {
        const std::size_t sibling = leaf ^ 1;
        if (sibling < level.size()) siblings.push_back(level[sibling]);
        leaf /= 2;
    }
    return siblings;
}

}  // namespace cloison::keeper
