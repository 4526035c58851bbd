#pragma once

#include <vector>

#include "journal/wal.h"
#include "target.h"

namespace cloison::fuzz {

/// A frame of a write-ahead segment, as the journal writes one.
inline Bytes make_frame(std::uint64_t first, const std::vector<Bytes>& entries,
                        const crypto::Hash& segment_root) {
    journal::Chunk chunk;
    chunk.first = first;
    chunk.bytes.resize(journal::kFrameHeaderBytes);
    for (const Bytes& entry : entries) {
        put_sized(chunk.bytes, entry);
        chunk.leaves.push_back(journal::hash_leaf(entry));
    }
    journal::seal_frame(chunk, segment_root);
    return chunk.bytes;
}

}  // namespace cloison::fuzz
