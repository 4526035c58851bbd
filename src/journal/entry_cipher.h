#pragma once

#include <memory>
#include <string>

#include "base/random.h"
#include "crypto/box.h"
#include "crypto/hash.h"
#include "crypto/keys.h"

namespace cloison::journal {

/// What makes the entries of a journal confidential at rest (docs/formats/journal.md, "Encrypted
/// entries"): bundles, and the runs of entries in write-ahead frames, are boxes (crypto/box.h).
/// Hashes and the checkpoint stay readable.
///
/// Without a key it leaves everything as it is. Copies share the key. Safe from several threads.
class EntryCipher {
  public:
    EntryCipher() = default;
    /// A null `key` is none. `random` gives 16 bytes of all nonces here; a count is the rest.
    EntryCipher(const std::shared_ptr<const crypto::BoxKey>& key, std::string origin,
                Random& random);

    bool encrypts() const { return keys_ != nullptr; }

    /// A bundle is bound to its log, place and width.
    Bytes seal_bundle(std::uint64_t index, std::uint64_t width, ByteView bundle) const;
    /// kCorrupt, as for all that open, without the name of the file.
    Result<Bytes> open_bundle(std::uint64_t index, std::uint64_t width, Bytes content) const;

    /// A run is what one caller appends, encrypted before its place is known, in the caller's own
    /// thread: the digest of the frame binds it. A body is such runs, one after another.
    Bytes seal_run(ByteView run) const;
    Result<Bytes> open_body(ByteView body) const;
    static constexpr std::size_t kRunOverhead = 4 + crypto::kBoxOverhead;

    /// Digest over a segment's header, or over a frame's header and leaf hashes: keyed where there
    /// is a key, so that nobody else writes a frame, and another key is found out before frames
    /// that it does not open are taken for a torn write.
    crypto::Hash digest(std::initializer_list<ByteView> parts) const;

  private:
    struct Keys;
    std::shared_ptr<const Keys> keys_;
};

}  // namespace cloison::journal
