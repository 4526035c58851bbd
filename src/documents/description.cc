#include "documents/description.h"

namespace cloison::documents {
namespace {

constexpr std::uint8_t kVersion = 1;
constexpr std::size_t kNumbers = 1 + 1 + 4 + 4 + 8;  ///< Version to time.

void put_sized(Bytes& out, ByteView part) {
    put_u32(out, static_cast<std::uint32_t>(part.size()));
    out.insert(out.end(), part.begin(), part.end());
}

Result<Bytes> take_sized(ByteView& in) {
    if (in.size() < 4 || get_u32(in) > in.size() - 4)
        return fail(ErrorCode::kCorrupt, "The description of a document is malformed.");
    const Bytes part = to_bytes(in.subspan(4, get_u32(in)));
    in = in.subspan(4 + part.size());
    return part;
}

}  // namespace

Bytes encode_description(const DocumentRow& row) {
    Bytes out{kVersion, static_cast<std::uint8_t>(row.scanned ? 1 : 0)};
    put_u32(out, row.chunks);
    put_u32(out, static_cast<std::uint32_t>(row.last_chunk_size));
    put_u64(out, static_cast<std::uint64_t>(to_unix_ms(row.added)));
    const NewDocument& description = row.description;
    put_sized(out, description.sealed_key);
    put_sized(out, description.sealed_name);
    put_sized(out, description.header);
    put_sized(out, as_bytes(content_type_name(description.content_type)));
    put_sized(out, as_bytes(description.kind));
    return out;
}

Result<DocumentRow> decode_description(const DocumentId& document, ByteView bytes) {
    if (bytes.size() < kNumbers || bytes[0] != kVersion || bytes[1] > 1)
        return fail(ErrorCode::kCorrupt, "The description of a document is malformed.");
    DocumentRow row;
    row.description.document = document;
    row.scanned = bytes[1] == 1;
    row.chunks = get_u32(bytes.subspan(2));
    row.last_chunk_size = get_u32(bytes.subspan(6));
    row.added = from_unix_ms(static_cast<std::int64_t>(get_u64(bytes.subspan(10))));
    ByteView rest = bytes.subspan(kNumbers);
    CLOISON_TRY(row.description.sealed_key, take_sized(rest));
    CLOISON_TRY(row.description.sealed_name, take_sized(rest));
    CLOISON_TRY(row.description.header, take_sized(rest));
    CLOISON_TRY(const auto type, take_sized(rest));
    CLOISON_TRY(row.description.content_type, content_type_from_name(to_string(type)));
    CLOISON_TRY(const auto kind, take_sized(rest));
    row.description.kind = to_string(kind);
    if (!rest.empty())
        return fail(ErrorCode::kCorrupt, "The description of a document is malformed.");
    return row;
}

}  // namespace cloison::documents
