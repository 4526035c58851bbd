#pragma once

#include <optional>
#include <vector>

#include "base/random.h"
#include "crypto/unlinkable_list.h"
#include "documents/access.h"
#include "documents/description.h"
#include "storage/database.h"

namespace cloison::documents {

/// Where available documents stand: on the list of their person's documents, and on that of their
/// case. The database holds neither pseudonym nor case, only tags of these lists
/// (docs/formats/unlinkable-list.md), and the rest of each row boxed for its person.
class Shelves {
  public:
    explicit Shelves(const Reach& reach);

    /// kNotFound, in the same words, for a document that does not exist, is not available or is
    /// out of reach.
    Result<DocumentRow> find(storage::Transaction& transaction, const DocumentId& document) const;
    /// Those of the case, or of the person if no case is named; in no order.
    Result<std::vector<DocumentRow>> list(storage::Transaction& transaction) const;
    /// How many there are.
    Result<std::uint64_t> count(storage::Transaction& transaction) const;

    /// Makes the row of an upload available. A case must be named, here and below.
    Status add(storage::Transaction& transaction, const DocumentRow& row, Random& random) const;
    /// Takes it off both lists, so that nobody finds it any more, and closes the gaps.
    Status remove(storage::Transaction& transaction, const DocumentId& document) const;

  private:
    struct Shelf {
        crypto::ListKey key;
        std::string_view place;  ///< Columns.
        std::string_view mark;
    };
    const Shelf& narrowest() const { return case_ ? *case_ : person_; }
    static Result<std::uint64_t> count(storage::Transaction& transaction, const Shelf& shelf);
    static Status close_gap(storage::Transaction& transaction, const Shelf& shelf, ByteView place);
    Result<DocumentRow> open(const storage::Row& row) const;

    Shelf person_;
    std::optional<Shelf> case_;
};

/// The one answer for a document that does not exist, is not readable yet or is somebody else's.
tl::unexpected<Error> no_such_document();

}  // namespace cloison::documents
