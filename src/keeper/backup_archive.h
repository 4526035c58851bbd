#pragma once

#include <functional>
#include <memory>
#include <string>

#include "base/file_system.h"
#include "crypto/box.h"
#include "crypto/hash.h"
#include "crypto/sign.h"
#include "crypto/stream.h"

namespace cloison::keeper {

/// A sequence of named files in one encrypted and signed file, docs/formats/backup.md. Whoever
/// lacks the recovery key sees its length and nothing else; one that was cut, altered or put
/// together by somebody without the journal's key is refused.
inline constexpr std::size_t kMaxArchivePath = 1'024;

class ArchiveWriter {
  public:
    /// Creates `path`, mode 0600, which must not exist.
    static Result<ArchiveWriter> create(FileSystem& files, const Path& path,
                                        const crypto::SealedBoxPublicKey& recipient,
                                        Random& random);

    Status add(const std::string& name, ByteView content);
    /// The file as it is at this moment; kConflict if it shrinks meanwhile.
    Status add_file(const std::string& name, const Path& path);
    /// Signs what was added, writes the rest and syncs. Nothing follows.
    Status finish(const crypto::SigningKey& journal);
    std::uint64_t bytes() const { return written_; }  ///< Of the file so far.

  private:
    ArchiveWriter(FileSystem& files, std::unique_ptr<File> file, const crypto::FileKey& key)
        : files_(&files), file_(std::move(file)), encryptor_(key) {}
    Status begin_record(const std::string& name, std::uint64_t size);
    Status put(ByteView data);
    Status flush(bool last);

    FileSystem* files_;
    std::unique_ptr<File> file_;
    crypto::StreamEncryptor encryptor_;
    std::unique_ptr<crypto::Sha256> digest_ = std::make_unique<crypto::Sha256>();
    Bytes buffer_;
    std::uint64_t written_ = 0;
};

/// Takes one file of an archive, piece by piece.
class ArchiveSink {
  public:
    virtual ~ArchiveSink() = default;
    virtual Status begin(const std::string& name, std::uint64_t size) = 0;
    virtual Status take(ByteView piece) = 0;
    virtual Status end() = 0;
};

/// Who signed an archive: to be held against the journal's key that came with it.
struct ArchiveSignature {
    crypto::Hash digest{};
    crypto::Signature signature{};
    /// kCorrupt unless it is by the journal of this key.
    Status check(const crypto::VerifyKey& journal) const;
};

/// Reads a whole archive. kPermissionDenied if it was not made for `recovery`; kCorrupt naming
/// `path` if it was cut or altered, and then what the sink was given is not to be used. `progress`
/// is told bytes read and in all.
Result<ArchiveSignature> read_archive(
    FileSystem& files, const Path& path, const crypto::SealedBoxKeyPair& recovery,
    ArchiveSink& sink, const std::function<void(std::uint64_t, std::uint64_t)>& progress = {});

}  // namespace cloison::keeper
