#pragma once

#include <string>

#include "base/bytes.h"
#include "base/id.h"
#include "base/time.h"
#include "documents/content_type.h"

namespace cloison::documents {

struct NewDocument {
    DocumentId document;
    Bytes sealed_key;
    Bytes sealed_name;
    Bytes header;
    ContentType content_type = ContentType::kPdf;
    std::string kind;
};

struct DocumentRow {
    NewDocument description;
    std::uint32_t chunks = 0;
    std::size_t last_chunk_size = 0;
    bool scanned = false;
    Time added;
};

/// What a row keeps boxed: all but the document's id. docs/formats/documents-store.md.
Bytes encode_description(const DocumentRow& row);
/// kCorrupt for anything that encode_description does not write.
Result<DocumentRow> decode_description(const DocumentId& document, ByteView bytes);

}  // namespace cloison::documents
