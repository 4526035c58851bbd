#include "documents/store.h"

#include "base/log.h"
#include "documents/documents.h"
#include "documents/documents_schema.h"
#include "documents/encrypted_file.h"

namespace cloison::documents {
namespace {

constexpr std::size_t kOverhead = crypto::kStreamChunkOverhead;

/// The one answer for a document that does not exist, is not readable yet or is somebody else's.
tl::unexpected<Error> no_such_document() {
    return fail(ErrorCode::kNotFound, "There is no such document.");
}

Result<DocumentRow> to_row(const storage::Row& row) {
    DocumentRow document;
    CLOISON_TRY(document.description.document, DocumentId::from_bytes(row.bytes(0)));
    document.description.sealed_key = row.bytes(1);
    document.description.sealed_name = row.bytes(2);
    document.description.header = row.bytes(3);
    CLOISON_TRY(document.description.content_type, content_type_from_name(row.text(4)));
    document.description.kind = row.text(5);
    document.chunks = static_cast<std::uint32_t>(row.integer(6));
    document.last_chunk_size = static_cast<std::size_t>(row.integer(7));
    document.scanned = row.integer(8) != 0;
    document.added = from_unix_ms(row.integer(9));
    return document;
}

constexpr std::string_view kColumns =
    "document, sealed_key, sealed_name, header, content_type, kind, chunks, last_chunk_size, "
    "scanned, added_ms";

/// Available documents within reach. With a case named, $2 is its tag.
std::string select_within(const Reach& reach, std::vector<storage::Value>& parameters) {
    parameters = {storage::blob(reach.pseudonym.view())};
    std::string sql = "SELECT " + std::string(kColumns) +
                      " FROM document WHERE pseudonym = $1 AND state = 'available'";
    if (!reach.case_tag.empty()) {
        sql += " AND case_tag = $2";
        parameters.push_back(reach.case_tag);
    }
    return sql;
}

Result<DocumentRow> find_available(storage::Transaction& transaction, const Reach& reach,
                                   const DocumentId& document) {
    std::vector<storage::Value> parameters;
    std::string sql = select_within(reach, parameters);
    parameters.push_back(storage::blob(document.view()));
    sql += " AND document = $" + std::to_string(parameters.size());
    CLOISON_TRY(const auto rows, transaction.query(sql, std::move(parameters)));
    if (rows.empty()) return no_such_document();
    return to_row(rows.front());
}

bool same(const Reach& a, const Reach& b) {
    return a.pseudonym == b.pseudonym && a.case_tag == b.case_tag;
}

}  // namespace

DocumentStore::DocumentStore(Path objects, std::unique_ptr<storage::Database> database,
                             FileSystem& files, Clock& clock)
    : objects_(std::move(objects)), database_(std::move(database)), files_(files), clock_(clock) {}

Result<std::unique_ptr<DocumentStore>> DocumentStore::open(const Path& directory, FileSystem& files,
                                                           Clock& clock) {
    CLOISON_TRY(auto database,
                storage::open_sqlite(directory / "documents.db", documents_schema()));
    CLOISON_TRY_STATUS(files.create_directories(directory / "objects"));
    auto store = std::unique_ptr<DocumentStore>(
        new DocumentStore(directory / "objects", std::move(database), files, clock));
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

Status DocumentStore::insert_row(const Reach& owner, const NewDocument& document) {
    const Time day = truncate(document.added.value_or(clock_.now()), std::chrono::days(1));
    return database_->write([&](storage::Transaction& transaction) -> Status {
        CLOISON_TRY(const auto count,
                    transaction.query_one("SELECT count(*) FROM document WHERE pseudonym = $1 AND "
                                          "case_tag = $2 AND state <> 'removed'",
                                          {storage::blob(owner.pseudonym.view()), owner.case_tag}));
        if (count.integer(0) >= kMaxDocumentsPerCase)
            return fail(ErrorCode::kExhausted, "A case has at most 20 documents.");
        auto inserted = transaction.execute(
            "INSERT INTO document (document, pseudonym, case_tag, kind, content_type, sealed_key, "
            "sealed_name, header, state, scanned, chunks, last_chunk_size, added_ms) "
            "VALUES ($1, $2, $3, $4, $5, $6, $7, $8, 'uploading', 0, 0, 0, $9)",
            {storage::blob(document.document.view()), storage::blob(owner.pseudonym.view()),
             owner.case_tag, document.kind, std::string(content_type_name(document.content_type)),
             document.sealed_key, document.sealed_name, document.header, to_unix_ms(day)});
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
    upload->began = clock_.now();
    {
        const std::lock_guard lock(mutex_);
        if (uploads_.size() >= kMaxUploads)
            return fail(ErrorCode::kUnavailable, "Too many uploads are under way.");
        if (!uploads_.emplace(document.document, upload).second)
            return fail(ErrorCode::kConflict, "The document's id is taken: choose another.");
    }
    if (auto inserted = insert_row(owner, document); !inserted) {
        upload->over = true;
        const std::lock_guard lock(mutex_);
        uploads_.erase(document.document);
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
    auto made_readable = [&]() -> Status {
        CLOISON_TRY_STATUS(upload->file->sync_data());
        CLOISON_TRY_STATUS(files_.sync_directory(object_path(document).parent_path()));
        return database_->write([&](storage::Transaction& transaction) -> Status {
            CLOISON_TRY_STATUS(transaction.execute(
                "UPDATE document SET state = 'available', chunks = $2, last_chunk_size = $3, "
                "scanned = $4 WHERE document = $1 AND state = 'uploading'",
                {storage::blob(document.view()), std::int64_t{chunks},
                 static_cast<std::int64_t>(upload->last_chunk_size),
                 std::int64_t{scanned ? 1 : 0}}));
            return {};
        });
    }();
    if (!made_readable) {
        give_up(document, *upload);
        return made_readable;
    }
    upload->over = true;
    upload->file.reset();
    const std::lock_guard uploads_lock(mutex_);
    uploads_.erase(document);
    return {};
}

Status DocumentStore::abort(const Reach& owner, const DocumentId& document) {
    CLOISON_TRY(const auto upload, find_upload(owner, document));
    const std::lock_guard lock(upload->mutex);
    if (upload->over) return no_such_document();
    give_up(document, *upload);
    return {};
}

Result<std::optional<DocumentRow>> DocumentStore::draw(const DocumentId& lot,
                                                       std::uint32_t max_chunks) const {
    return database_->read_result<std::optional<DocumentRow>>(
        [&](storage::Transaction& transaction) -> Result<std::optional<DocumentRow>> {
            // Ids are random, so the next one after a random one is anybody's.
            for (const char* side : {">= $1 ORDER BY document", "< $1 ORDER BY document"}) {
                CLOISON_TRY(
                    const auto rows,
                    transaction.query("SELECT " + std::string(kColumns) +
                                          " FROM document WHERE state = 'available' AND "
                                          "chunks <= $2 AND document " +
                                          side + " LIMIT 1",
                                      {storage::blob(lot.view()), std::int64_t{max_chunks}}));
                if (rows.empty()) continue;
                CLOISON_TRY(auto row, to_row(rows.front()));
                return std::optional<DocumentRow>(std::move(row));
            }
            return std::optional<DocumentRow>();
        });
}

Result<std::vector<DocumentRow>> DocumentStore::list(const Reach& reader) const {
    return database_->read_result<std::vector<DocumentRow>>(
        [&](storage::Transaction& transaction) -> Result<std::vector<DocumentRow>> {
            std::vector<storage::Value> parameters;
            const std::string sql =
                select_within(reader, parameters) + " ORDER BY kind, added_ms, document";
            CLOISON_TRY(const auto rows, transaction.query(sql, std::move(parameters)));
            std::vector<DocumentRow> documents;
            for (const auto& row : rows) {
                CLOISON_TRY(auto document, to_row(row));
                documents.push_back(std::move(document));
            }
            return documents;
        });
}

Result<Bytes> DocumentStore::read(const Reach& reader, const DocumentId& document,
                                  std::uint32_t index) const {
    CLOISON_TRY(const auto row,
                database_->read_result<DocumentRow>([&](storage::Transaction& transaction) {
                    return find_available(transaction, reader, document);
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
    CLOISON_TRY_STATUS(database_->write([&](storage::Transaction& transaction) -> Status {
        CLOISON_TRY_STATUS(find_available(transaction, owner, document));
        CLOISON_TRY_STATUS(
            transaction.execute("UPDATE document SET state = 'removed' WHERE document = $1",
                                {storage::blob(document.view())}));
        return {};
    }));
    // Nobody can read it any more; what cannot be removed now is removed at the next start.
    if (const auto discarded = discard(document); !discarded)
        log_warning("A removed document is still on disk: " + discarded.error().message);
    return {};
}

}  // namespace cloison::documents
