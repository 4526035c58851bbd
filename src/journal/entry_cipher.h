#pragma once

#include <memory>
#include <string>

#include "base/random.h"
#include "crypto/hash.h"
#include "crypto/keys.h"

namespace cloison::journal {

/// What makes the entries of a journal confidential at rest (docs/formats/journal.md, "Encrypted
/// entries"): bundles and bodies of write-ahead frames are boxes (crypto/box.h) whose associated
/// data says which log they belong to, and where. Hashes and the checkpoint stay readable.
///
/// Without a key it leaves everything as it is. Copies share the key. Safe from several threads.
class EntryCipher {
  public:
    EntryCipher() = default;
    /// A null `key` is none. `random` gives nonces and must outlive it.
    EntryCipher(const std::shared_ptr<const crypto::BoxKey>& key, std::string origin,
                Random& random);

    bool encrypts() const { return keys_ != nullptr; }

    Bytes seal_bundle(std::uint64_t index, std::uint64_t width, ByteView bundle) const;
    /// kCorrupt, as for all that open, without the name of the file.
    Result<Bytes> open_bundle(std::uint64_t index, std::uint64_t width, Bytes content) const;

    /// `header` is the frame's own, of the segment with `segment_root`.
    Bytes seal_body(const crypto::Hash& segment_root, ByteView header, ByteView body) const;
    Result<Bytes> open_body(const crypto::Hash& segment_root, ByteView header,
                            ByteView content) const;

    /// Digest over a segment's header: keyed where there is a key, so that another key is found out
    /// before frames that it does not open are taken for a torn write.
    crypto::Hash header_digest(ByteView header) const;

  private:
    struct Keys;
    std::shared_ptr<const Keys> keys_;
};

}  // namespace cloison::journal
