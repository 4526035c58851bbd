#include "keeper/backup_archive.h"

#include <algorithm>

#include "crypto/pae.h"

namespace cloison::keeper {
namespace {

constexpr std::string_view kHeader = "cloison-backup v1\n";
constexpr std::size_t kBoxSize = crypto::kKeySize + 48;
constexpr std::size_t kChunk = crypto::kStreamChunkSize;
constexpr std::size_t kSealedChunk = kChunk + crypto::kStreamChunkOverhead;

Bytes signed_text(const crypto::Hash& digest) {
    return crypto::pre_auth_encode({as_bytes("cloison/backup/v1"), digest});
}

tl::unexpected<Error> damaged(const Path& path) {
    return fail(ErrorCode::kCorrupt, "The backup " + path.string() + " was cut or altered.");
}

/// Names go below a directory: nothing in them leads out of it.
bool is_safe(const std::string& name) {
    if (name.empty() || name.size() > kMaxArchivePath || name.find('\0') != std::string::npos)
        return false;
    const Path path(name);
    if (path.is_absolute()) return false;
    return std::none_of(path.begin(), path.end(), [](const Path& part) {
        return part == ".." || part == "." || part.empty();
    });
}

/// Cuts decrypted chunks into records.
class RecordReader {
  public:
    RecordReader(const Path& path, ArchiveSink& sink) : path_(path), sink_(sink) {}

    Status take(ByteView data) {
        while (!data.empty()) {
            if (ended_ && signature_.size() == crypto::Signature{}.size()) return damaged(path_);
            CLOISON_TRY(const std::size_t used, step(data));
            data = data.subspan(used);
        }
        return {};
    }

    Result<ArchiveSignature> finish() {
        ArchiveSignature out;
        if (!ended_ || signature_.size() != out.signature.size()) return damaged(path_);
        std::copy(signature_.begin(), signature_.end(), out.signature.begin());
        out.digest = digest_.finish();
        return out;
    }

  private:
    Result<std::size_t> step(ByteView data) {
        if (ended_) {
            const auto size = std::min(data.size(), crypto::Signature{}.size() - signature_.size());
            signature_.insert(signature_.end(), data.begin(), data.begin() + std::ptrdiff_t(size));
            return size;
        }
        if (left_ > 0) {
            const auto size = static_cast<std::size_t>(std::min<std::uint64_t>(data.size(), left_));
            digest_.update(data.first(size));
            CLOISON_TRY_STATUS(sink_.take(data.first(size)));
            left_ -= size;
            if (left_ == 0) CLOISON_TRY_STATUS(sink_.end());
            return size;
        }
        head_.push_back(data[0]);
        CLOISON_TRY_STATUS(read_head());
        return 1;
    }

    Status read_head() {
        if (head_.size() < 2) return {};
        const std::size_t name_size = get_u16(head_);
        if (name_size == 0) {
            ended_ = true;
            return {};
        }
        if (name_size > kMaxArchivePath) return damaged(path_);
        if (head_.size() < 2 + name_size + 8) return {};
        const std::string name = to_string(ByteView(head_).subspan(2, name_size));
        left_ = get_u64(ByteView(head_).subspan(2 + name_size));
        digest_.update(head_);
        head_.clear();
        if (!is_safe(name)) return damaged(path_);
        CLOISON_TRY_STATUS(sink_.begin(name, left_));
        if (left_ == 0) return sink_.end();
        return {};
    }

    const Path& path_;
    ArchiveSink& sink_;
    crypto::Sha256 digest_;
    Bytes head_;
    std::uint64_t left_ = 0;
    bool ended_ = false;
    Bytes signature_;
};

}  // namespace

Result<ArchiveWriter> ArchiveWriter::create(FileSystem& files, const Path& path,
                                            const crypto::SealedBoxPublicKey& recipient,
                                            Random& random) {
    CLOISON_TRY(const bool exists, files.exists(path));
    if (exists) return fail(ErrorCode::kConflict, path.string() + " exists already.");
    CLOISON_TRY(auto file, files.open(path, true));
    const auto key = crypto::FileKey::random(random);
    ArchiveWriter writer(files, std::move(file), key);
    Bytes head = to_bytes(kHeader);
    const Bytes box = crypto::sealed_box(recipient, key.view());
    head.insert(head.end(), box.begin(), box.end());
    const ByteView stream = writer.encryptor_.header();
    head.insert(head.end(), stream.begin(), stream.end());
    CLOISON_TRY_STATUS(writer.file_->write_at(0, head));
    writer.written_ = head.size();
    return writer;
}

Status ArchiveWriter::flush(bool last) {
    const Bytes sealed = encryptor_.encrypt(buffer_, last);
    CLOISON_TRY_STATUS(file_->write_at(written_, sealed));
    written_ += sealed.size();
    wipe(buffer_);
    buffer_.clear();
    return {};
}

Status ArchiveWriter::put(ByteView data) {
    while (!data.empty()) {
        // The last chunk is only known at the end, so a full one waits for what follows it.
        if (buffer_.size() == kChunk) CLOISON_TRY_STATUS(flush(false));
        const std::size_t size = std::min(data.size(), kChunk - buffer_.size());
        buffer_.insert(buffer_.end(), data.begin(), data.begin() + std::ptrdiff_t(size));
        data = data.subspan(size);
    }
    return {};
}

Status ArchiveWriter::begin_record(const std::string& name, std::uint64_t size) {
    if (!is_safe(name)) return fail(ErrorCode::kInternal, "A name that no archive takes.");
    Bytes head;
    put_u16(head, static_cast<std::uint16_t>(name.size()));
    head.insert(head.end(), name.begin(), name.end());
    put_u64(head, size);
    digest_->update(head);
    return put(head);
}

Status ArchiveWriter::add(const std::string& name, ByteView content) {
    CLOISON_TRY_STATUS(begin_record(name, content.size()));
    digest_->update(content);
    return put(content);
}

Status ArchiveWriter::add_file(const std::string& name, const Path& path) {
    CLOISON_TRY(auto file, files_->open(path, false));
    CLOISON_TRY(const std::uint64_t size, file->size());
    CLOISON_TRY_STATUS(begin_record(name, size));
    Bytes piece(kChunk);
    for (std::uint64_t done = 0; done < size;) {
        const auto wanted = static_cast<std::size_t>(std::min<std::uint64_t>(kChunk, size - done));
        CLOISON_TRY(const auto got,
                    file->read_at(done, std::span<std::uint8_t>(piece).first(wanted)));
        if (got != wanted)
            return fail(ErrorCode::kConflict, path.string() + " shrinks while it is read.");
        digest_->update(ByteView(piece).first(got));
        CLOISON_TRY_STATUS(put(ByteView(piece).first(got)));
        done += got;
    }
    return {};
}

Status ArchiveWriter::finish(const crypto::SigningKey& journal) {
    const auto signature = journal.sign(signed_text(digest_->finish()));
    CLOISON_TRY_STATUS(put(Bytes(2)));
    CLOISON_TRY_STATUS(put(signature));
    CLOISON_TRY_STATUS(flush(true));
    return file_->sync_data();
}

Status ArchiveSignature::check(const crypto::VerifyKey& journal) const {
    if (journal.verify(signed_text(digest), signature)) return {};
    return fail(ErrorCode::kCorrupt,
                "The backup is not signed by the journal of the keeper whose keys these are: "
                "archive and escrow belong to different keepers.");
}

Result<ArchiveSignature> read_archive(
    FileSystem& files, const Path& path, const crypto::SealedBoxKeyPair& recovery,
    ArchiveSink& sink, const std::function<void(std::uint64_t, std::uint64_t)>& progress) {
    CLOISON_TRY(auto file, files.open(path, false));
    CLOISON_TRY(const std::uint64_t size, file->size());
    Bytes head(kHeader.size() + kBoxSize + crypto::kStreamHeaderSize);
    CLOISON_TRY(const auto got, file->read_at(0, head));
    if (got != head.size() || as_text(ByteView(head).first(kHeader.size())) != kHeader)
        return fail(ErrorCode::kCorrupt, path.string() + " is no backup of a keeper.");
    const auto opened = recovery.open(ByteView(head).subspan(kHeader.size(), kBoxSize));
    if (!opened)
        return fail(ErrorCode::kPermissionDenied,
                    "The backup " + path.string() +
                        " does not open with this recovery key: it was made for another one, or "
                        "its beginning was altered.");
    CLOISON_TRY(const auto key, crypto::FileKey::from_bytes(opened->view()));
    CLOISON_TRY(auto decryptor, crypto::StreamDecryptor::create(
                                    key, ByteView(head).subspan(kHeader.size() + kBoxSize)));
    RecordReader reader(path, sink);
    Bytes sealed(kSealedChunk);
    bool last = false;
    for (std::uint64_t at = head.size(); at < size && !last;) {
        CLOISON_TRY(const auto length, file->read_at(at, sealed));
        auto chunk = decryptor.decrypt(ByteView(sealed).first(length));
        if (!chunk) return damaged(path);
        CLOISON_TRY_STATUS(reader.take(chunk->plaintext.view()));
        at += length;
        last = chunk->last;
        if (last && at != size) return damaged(path);
        if (progress) progress(at, size);
    }
    if (!last) return damaged(path);
    return reader.finish();
}

}  // namespace cloison::keeper
