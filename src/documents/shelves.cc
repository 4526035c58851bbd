#include "documents/shelves.h"

namespace cloison::documents {
namespace {

using storage::blob;
using storage::Transaction;

/// A row of this size lies with its neighbours in the order of its key; the file name of a document
/// has at most 255 bytes in any file system.
constexpr std::size_t kBoxSize = 704;

Bytes case_secret(const Reach& reach) {
    Bytes secret = to_bytes(reach.pseudonym.view());
    secret.insert(secret.end(), reach.case_tag.begin(), reach.case_tag.end());
    return secret;
}

}  // namespace

tl::unexpected<Error> no_such_document() {
    return fail(ErrorCode::kNotFound, "There is no such document.");
}

Shelves::Shelves(const Reach& reach)
    : person_{crypto::ListKey(reach.pseudonym.view(), "documents"), "person_place", "person_mark"} {
    if (!reach.case_tag.empty())
        case_ = Shelf{crypto::ListKey(case_secret(reach), "case"), "case_place", "case_mark"};
}

Result<DocumentRow> Shelves::open(const storage::Row& row) const {
    CLOISON_TRY(const auto document, DocumentId::from_bytes(row.bytes(0)));
    CLOISON_TRY(const auto description,
                crypto::open_row(person_.key.box_key(), row.bytes(1), document.view()));
    return decode_description(document, description);
}

Result<DocumentRow> Shelves::find(Transaction& transaction, const DocumentId& document) const {
    const Shelf& shelf = narrowest();
    CLOISON_TRY(const auto rows,
                transaction.query("SELECT document, description FROM document WHERE document = $1 "
                                  "AND state = 'available' AND " +
                                      std::string(shelf.mark) + " = $2",
                                  {blob(document.view()), shelf.key.mark(document.view())}));
    if (rows.empty()) return no_such_document();
    return open(rows.front());
}

Result<std::vector<DocumentRow>> Shelves::list(Transaction& transaction) const {
    const Shelf& shelf = narrowest();
    const std::string sql = "SELECT document, description FROM document WHERE " +
                            std::string(shelf.place) + " = $1 AND state = 'available'";
    std::vector<DocumentRow> documents;
    for (std::uint64_t number = 0;; ++number) {
        CLOISON_TRY(const auto rows, transaction.query(sql, {shelf.key.place(number)}));
        if (rows.empty()) return documents;
        CLOISON_TRY(auto document, open(rows.front()));
        documents.push_back(std::move(document));
    }
}

Result<std::uint64_t> Shelves::count(Transaction& transaction, const Shelf& shelf) {
    const std::string sql = "SELECT 1 FROM document WHERE " + std::string(shelf.place) + " = $1";
    for (std::uint64_t number = 0;; ++number) {
        CLOISON_TRY(const auto rows, transaction.query(sql, {shelf.key.place(number)}));
        if (rows.empty()) return number;
    }
}

Result<std::uint64_t> Shelves::count(Transaction& transaction) const {
    return count(transaction, narrowest());
}

Status Shelves::add(Transaction& transaction, const DocumentRow& row, Random& random) const {
    if (!case_) return fail(ErrorCode::kInternal, "A document belongs to a case.");
    const auto id = row.description.document.view();
    CLOISON_TRY(const auto of_person, count(transaction, person_));
    CLOISON_TRY(const auto of_case, count(transaction, *case_));
    CLOISON_TRY(
        const auto changed,
        transaction.execute(
            "UPDATE document SET state = 'available', person_place = $2, person_mark = $3, "
            "case_place = $4, case_mark = $5, description = $6 WHERE document = $1 AND state = "
            "'uploading'",
            {blob(id), person_.key.place(of_person), person_.key.mark(id),
             case_->key.place(of_case), case_->key.mark(id),
             crypto::box_row(person_.key.box_key(), encode_description(row), id, kBoxSize,
                             random)}));
    if (changed != 1) return no_such_document();
    return {};
}

Status Shelves::remove(Transaction& transaction, const DocumentId& document) const {
    if (!case_) return fail(ErrorCode::kInternal, "A document belongs to a case.");
    CLOISON_TRY_STATUS(find(transaction, document));
    CLOISON_TRY(
        const auto row,
        transaction.query_one("SELECT person_place, case_place FROM document WHERE document = $1",
                              {blob(document.view())}));
    CLOISON_TRY_STATUS(transaction.execute(
        "UPDATE document SET state = 'removed', person_place = NULL, person_mark = NULL, "
        "case_place = NULL, case_mark = NULL, description = NULL WHERE document = $1",
        {blob(document.view())}));
    CLOISON_TRY_STATUS(close_gap(transaction, person_, row.bytes(0)));
    return close_gap(transaction, *case_, row.bytes(1));
}

/// The last of the list moves into the place that is free.
Status Shelves::close_gap(Transaction& transaction, const Shelf& shelf, ByteView place) {
    std::uint64_t gap = 0;
    while (!std::ranges::equal(shelf.key.place(gap), place)) ++gap;
    const std::string column(shelf.place);
    std::uint64_t last = gap;
    for (;; ++last) {
        CLOISON_TRY(const auto rows,
                    transaction.query("SELECT 1 FROM document WHERE " + column + " = $1",
                                      {shelf.key.place(last + 1)}));
        if (rows.empty()) break;
    }
    if (last == gap) return {};
    CLOISON_TRY_STATUS(
        transaction.execute("UPDATE document SET " + column + " = $2 WHERE " + column + " = $1",
                            {shelf.key.place(last), shelf.key.place(gap)}));
    return {};
}

}  // namespace cloison::documents
