#pragma once

#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "base/file_system.h"
#include "base/id.h"
#include "base/time.h"
#include "documents/access.h"
#include "documents/description.h"
#include "storage/database.h"

namespace cloison::documents {

/// Metadata in the database, ciphertext in objects/<2 hex>/<32 hex>.bin. A row is there before its
/// file and goes after it, so no file is ever without a row. Safe to use from any thread.
class DocumentStore {
  public:
    /// Removes what uploads that were under way left behind.
    static Result<std::unique_ptr<DocumentStore>> open(const Path& directory, FileSystem& files,
                                                       Clock& clock, Random& random);

    /// Starts an upload. kExhausted at kMaxDocumentsPerCase, kUnavailable at kMaxUploads, kConflict
    /// if the id is taken.
    Status begin(const Reach& owner, const NewDocument& document);
    /// kInvalidArgument for another index than the next; kTooLarge beyond kMaxDocumentChunks. When
    /// the disk refuses (kIo) the upload is over and removed.
    Status append(const Reach& owner, const DocumentId& document, std::uint32_t index,
                  ByteView chunk);
    /// Makes it durable, then readable. kInvalidArgument unless `chunks` are there and their length
    /// is a class of length.
    Status finish(const Reach& owner, const DocumentId& document, std::uint32_t chunks,
                  bool scanned);
    Status abort(const Reach& owner, const DocumentId& document);

    /// The padded size of an available document drawn by lot, of at most that many chunks: all that
    /// its row and file show. Nothing if there is none.
    Result<std::optional<std::uint64_t>> draw(const DocumentId& lot,
                                              std::uint32_t max_chunks) const;
    Result<std::vector<DocumentRow>> list(const Reach& reader) const;
    Result<Bytes> read(const Reach& reader, const DocumentId& document, std::uint32_t index) const;
    Status remove(const Reach& owner, const DocumentId& document);

    /// For the tables beside those of documents.
    storage::Database& database() { return *database_; }

  private:
    struct Upload {
        std::mutex mutex;  ///< One chunk at a time.
        Reach owner;
        NewDocument description;
        Time began;
        std::unique_ptr<File> file;
        std::uint32_t chunks = 0;
        std::uint64_t size = 0;  ///< Of ciphertext.
        std::size_t last_chunk_size = 0;
        bool over = false;
    };

    DocumentStore(Path objects, std::unique_ptr<storage::Database> database, FileSystem& files,
                  Clock& clock, Random& random);
    Path object_path(const DocumentId& document) const;
    Result<std::shared_ptr<Upload>> find_upload(const Reach& owner, const DocumentId& document);
    /// Among those under way, if there is room.
    Status enter(const std::shared_ptr<Upload>& upload);
    void leave(const DocumentId& document);
    Status insert_row(const DocumentId& document);
    Status make_available(const Upload& upload, bool scanned);
    Status check_finished(const Upload& upload, std::uint32_t chunks) const;
    /// File, then row. An error leaves the row for the next start.
    Status discard(const DocumentId& document);
    /// The same at the end of an upload, whose lock is held: nothing more comes of it.
    void give_up(const DocumentId& document, Upload& upload);
    void drop_stale_uploads();
    Status sweep();

    const Path objects_;
    const std::unique_ptr<storage::Database> database_;
    FileSystem& files_;
    Clock& clock_;
    Random& random_;
    std::mutex mutex_;  ///< Guards uploads_.
    std::map<DocumentId, std::shared_ptr<Upload>> uploads_;
};

}  // namespace cloison::documents
