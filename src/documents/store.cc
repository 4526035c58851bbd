#include "documents/store.h"

#include <algorithm>
#include <tuple>

#include "base/log.h"
#include "documents/documents.h"
#include "documents/documents_schema.h"
#include "documents/encrypted_file.h"
#include "documents/shelves.h"

namespace cloison::documents {
namespace {

constexpr std::size_t kOverhead = crypto::kStreamChunkOverhead;

bool same(const Reach& a, const Reach& b) {
    return a.pseudonym == b.pseudonym && a.case_tag == b.case_tag;
}

}  // namespace

DocumentStore::DocumentStore(Path objects, std::unique_ptr<storage::Database> database,
                             FileSystem& files, Clock& clock, Random& random)
    : objects_(std::move(objects)),
      database_(std::move(database)),
      files_(files),
      clock_(clock),
      random_(random) {}

Result<std::unique_ptr<DocumentStore>> DocumentStore::open(const Path& directory, FileSystem& files,
                                                           Clock& clock, Random& random) {
    CLOISON_TRY(auto database,
                storage::open_sqlite(directory / "documents.db", documents_schema()));
    CLOISON_TRY_STATUS(files.create_directories(directory / "objects"));
    auto store = std::unique_ptr<DocumentStore>(
        new DocumentStore(directory / "objects", std::move(database), files, clock, random));
    CLOISON_TRY_STATUS(store->sweep());
    return store;
}

Path DocumentStore::object_path(const DocumentId& document) const {
    const std::string hex = document.hex();
    return objects_ / hex.substr(0, 2) / (hex + ".bin");
}

Status DocumentStore::sweep() {
    CLOISON_TRY(const auto rows,
                database_->read_result<storage::Rows>([](storage::Transaction& transaction) {
                    return transaction.query(
                        "SELECT document FROM document WHERE state <> 'available'", {});
                }));
    for (const auto& row : rows) {
        CLOISON_TRY(const auto document, DocumentId::from_bytes(row.bytes(0)));
        CLOISON_TRY_STATUS(discard(document));
    }
    return {};
}

Status DocumentStore::discard(const DocumentId& document) {
    if (auto removed = files_.remove(object_path(document));
        !removed && removed.error().code != ErrorCode::kNotFound)
        return removed;
    if (auto forgotten = files_.forget_times(object_path(document).parent_path());
        !forgotten && forgotten.error().code != ErrorCode::kNotFound)
        return forgotten;
    return database_->write([&](storage::Transaction& transaction) -> Status {
        CLOISON_TRY_STATUS(
            transaction.execute("DELETE FROM document WHERE document = $1 AND state <> 'available'",
                                {storage::blob(document.view())}));
        return {};
    });
}

void DocumentStore::give_up(const DocumentId& document, Upload& upload) {
    upload.over = true;
    upload.file.reset();
    if (const auto discarded = discard(document); !discarded)
        log_warning("An upload that failed could not be removed: " + discarded.error().message);
    const std::lock_guard lock(mutex_);
    uploads_.erase(document);
}

void DocumentStore::drop_stale_uploads() {
    const Time now = clock_.now();
    std::vector<std::pair<DocumentId, std::shared_ptr<Upload>>> stale;
    {
        const std::lock_guard lock(mutex_);
        for (const auto& [document, upload] : uploads_)
            if (now - upload->began >= kUploadLifetime) stale.emplace_back(document, upload);
    }
    for (const auto& [document, upload] : stale) {
        const std::lock_guard lock(upload->mutex);
        if (!upload->over) give_up(document, *upload);
    }
}

Status DocumentStore::enter(const std::shared_ptr<Upload>& upload) {
    const DocumentId& document = upload->description.document;
    const std::lock_guard lock(mutex_);
    if (uploads_.size() >= kMaxUploads)
        return fail(ErrorCode::kUnavailable, "Too many uploads are under way.");
    if (uploads_.contains(document))
        return fail(ErrorCode::kConflict, "The document's id is taken: choose another.");
    std::int64_t count = 0;
    for (const auto& [other, under_way] : uploads_)
        count += same(under_way->owner, upload->owner) ? 1 : 0;
    CLOISON_TRY(const auto stored,
                database_->read_result<std::uint64_t>([&](storage::Transaction& transaction) {
                    return Shelves(upload->owner).count(transaction);
                }));
    if (count + static_cast<std::int64_t>(stored) >= kMaxDocumentsPerCase)
        return fail(ErrorCode::kExhausted, "A case has at most 20 documents.");
    uploads_.emplace(document, upload);
    return {};
}

void DocumentStore::leave(const DocumentId& document) {
    const std::lock_guard lock(mutex_);
    uploads_.erase(document);
}

Status DocumentStore::insert_row(const DocumentId& document) {
    return database_->write([&](storage::Transaction& transaction) -> Status {
        auto inserted =
            transaction.execute("INSERT INTO document (document, state) VALUES ($1, 'uploading')",
                                {storage::blob(document.view())});
        if (!inserted && inserted.error().code == ErrorCode::kConflict)
            return fail(ErrorCode::kConflict, "The document's id is taken: choose another.");
        CLOISON_TRY_STATUS(inserted);
        return {};
    });
}

Status DocumentStore::begin(const Reach& owner, const NewDocument& document) {
    drop_stale_uploads();
    auto upload = std::make_shared<Upload>();
    const std::lock_guard upload_lock(upload->mutex);
    upload->owner = owner;
    upload->description = document;
    upload->began = clock_.now();
    CLOISON_TRY_STATUS(enter(upload));
    if (auto inserted = insert_row(document.document); !inserted) {
        upload->over = true;
        leave(document.document);
        return inserted;
    }
    const Path path = object_path(document.document);
    auto opened = [&]() -> Result<std::unique_ptr<File>> {
        CLOISON_TRY_STATUS(files_.create_directories(path.parent_path()));
        return files_.open(path, true);
    }();
    if (!opened) {
        give_up(document.document, *upload);
        return fail(opened.error());
    }
    upload->file = std::move(*opened);
    return {};
}

Result<std::shared_ptr<DocumentStore::Upload>> DocumentStore::find_upload(
    const Reach& owner, const DocumentId& document) {
    const std::lock_guard lock(mutex_);
    const auto found = uploads_.find(document);
    if (found == uploads_.end() || !same(found->second->owner, owner)) return no_such_document();
    return found->second;
}

Status DocumentStore::append(const Reach& owner, const DocumentId& document, std::uint32_t index,
                             ByteView chunk) {
    CLOISON_TRY(const auto upload, find_upload(owner, document));
    const std::lock_guard lock(upload->mutex);
    if (upload->over) return no_such_document();
    if (chunk.size() <= kOverhead)
        return fail(ErrorCode::kInvalidArgument, "The chunk is too short.");
    if (chunk.size() > kMaxChunkSize)
        return fail(ErrorCode::kTooLarge, "A chunk has at most 65553 bytes.");
    if (index != upload->chunks)
        return fail(ErrorCode::kInvalidArgument,
                    "The next chunk is number " + std::to_string(upload->chunks) + '.');
    if (upload->chunks >= kMaxDocumentChunks)
        return fail(ErrorCode::kTooLarge, "A document has at most 20 MiB.");
    if (upload->chunks > 0 && upload->last_chunk_size != kMaxChunkSize)
        return fail(ErrorCode::kInvalidArgument, "No chunk follows a short one.");
    if (auto written = upload->file->write_at(upload->size, chunk); !written) {
        give_up(document, *upload);
        return written;
    }
    ++upload->chunks;
    upload->size += chunk.size();
    upload->last_chunk_size = chunk.size();
    return {};
}

Status DocumentStore::check_finished(const Upload& upload, std::uint32_t chunks) const {
    if (chunks == 0 || chunks != upload.chunks)
        return fail(ErrorCode::kInvalidArgument,
                    "The document has " + std::to_string(upload.chunks) + " chunks so far.");
    const std::uint64_t padded = upload.size - std::uint64_t{upload.chunks} * kOverhead;
    if (length_class(padded) != padded)
        return fail(ErrorCode::kInvalidArgument,
                    "The document's length is no class of length: it was not padded.");
    return {};
}

Status DocumentStore::finish(const Reach& owner, const DocumentId& document, std::uint32_t chunks,
                             bool scanned) {
    CLOISON_TRY(const auto upload, find_upload(owner, document));
    const std::lock_guard lock(upload->mutex);
    if (upload->over) return no_such_document();
    CLOISON_TRY_STATUS(check_finished(*upload, chunks));
    if (auto available = make_available(*upload, scanned); !available) {
        give_up(document, *upload);
        return available;
    }
    upload->over = true;
    upload->file.reset();
    leave(document);
    return {};
}

Status DocumentStore::make_available(const Upload& upload, bool scanned) {
    const DocumentId& document = upload.description.document;
    const Path path = object_path(document);
    // When a file was written, and into which folder, would say which day a case is of.
    CLOISON_TRY_STATUS(files_.forget_times(path));
    CLOISON_TRY_STATUS(upload.file->sync_data());
    CLOISON_TRY_STATUS(files_.sync_directory(path.parent_path()));
    CLOISON_TRY_STATUS(files_.forget_times(path.parent_path()));
    const DocumentRow row{upload.description, upload.chunks, upload.last_chunk_size, scanned,
                          truncate(clock_.now(), std::chrono::days(1))};
    return database_->write([&](storage::Transaction& transaction) -> Status {
        return Shelves(upload.owner).add(transaction, row, random_);
    });
}

Status DocumentStore::abort(const Reach& owner, const DocumentId& document) {
    CLOISON_TRY(const auto upload, find_upload(owner, document));
    const std::lock_guard lock(upload->mutex);
    if (upload->over) return no_such_document();
    give_up(document, *upload);
    return {};
}

Result<std::optional<std::uint64_t>> DocumentStore::draw(const DocumentId& lot,
                                                         std::uint32_t max_chunks) const {
    // Ids are random, so the next ones after a random one are anybody's.
    constexpr std::int64_t kLookedAt = 32;
    for (const char* side : {">= $1", "< $1"}) {
        CLOISON_TRY(const auto rows,
                    database_->read_result<storage::Rows>([&](storage::Transaction& transaction) {
                        return transaction.query(
                            "SELECT document FROM document WHERE state = 'available' AND "
                            "document " +
                                std::string(side) + " ORDER BY document LIMIT $2",
                            {storage::blob(lot.view()), kLookedAt});
                    }));
        for (const auto& row : rows) {
            CLOISON_TRY(const auto document, DocumentId::from_bytes(row.bytes(0)));
            const auto file = files_.open(object_path(document), false);
            if (!file) continue;  // removed meanwhile
            CLOISON_TRY(const auto size, (*file)->size());
            const std::uint64_t chunks = (size + kMaxChunkSize - 1) / kMaxChunkSize;
            if (chunks <= max_chunks) return std::optional(size - chunks * kOverhead);
        }
    }
    return std::optional<std::uint64_t>();
}

Result<std::vector<DocumentRow>> DocumentStore::list(const Reach& reader) const {
    CLOISON_TRY(auto documents, database_->read_result<std::vector<DocumentRow>>(
                                    [&](storage::Transaction& transaction) {
                                        return Shelves(reader).list(transaction);
                                    }));
    std::sort(documents.begin(), documents.end(), [](const DocumentRow& a, const DocumentRow& b) {
        return std::tie(a.description.kind, a.added, a.description.document) <
               std::tie(b.description.kind, b.added, b.description.document);
    });
    return documents;
}

Result<Bytes> DocumentStore::read(const Reach& reader, const DocumentId& document,
                                  std::uint32_t index) const {
    CLOISON_TRY(const auto row,
                database_->read_result<DocumentRow>([&](storage::Transaction& transaction) {
                    return Shelves(reader).find(transaction, document);
                }));
    if (index >= row.chunks)
        return fail(ErrorCode::kInvalidArgument,
                    "The document has " + std::to_string(row.chunks) + " chunks.");
    CLOISON_TRY(const auto file, files_.open(object_path(document), false));
    Bytes chunk(index + 1 == row.chunks ? row.last_chunk_size : kMaxChunkSize);
    CLOISON_TRY(const auto got, file->read_at(std::uint64_t{index} * kMaxChunkSize, chunk));
    if (got != chunk.size())
        return fail(ErrorCode::kCorrupt, "The file of a document is too short.");
    return chunk;
}

Status DocumentStore::remove(const Reach& owner, const DocumentId& document) {
    CLOISON_TRY_STATUS(database_->write([&](storage::Transaction& transaction) {
        return Shelves(owner).remove(transaction, document);
    }));
    // Nobody can read it any more; what cannot be removed now is removed at the next start.
    if (const auto discarded = discard(document); !discarded)
        log_warning("A removed document is still on disk: " + discarded.error().message);
    return {};
}

}  // namespace cloison::documents
