#include "journal/entry.h"

#include <arpa/inet.h>

#include <algorithm>

namespace cloison::journal {
namespace {

constexpr std::uint8_t kVersion = 1;
constexpr std::size_t kFixedBytes = 130;  ///< All before the reason.
constexpr std::array<std::uint8_t, 12> kMappedPrefix{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};

void put_bytes(Bytes& out, ByteView bytes) {
    out.insert(out.end(), bytes.begin(), bytes.end());
}

/// Field n is bit n of the set read as one big-endian number.
void put_fields(Bytes& out, const registry::FieldSet& fields) {
    static_assert(registry::FieldSet().size() == 128);
    const registry::FieldSet low_mask(~0ULL);
    put_u64(out, (fields >> 64).to_ullong());
    put_u64(out, (fields & low_mask).to_ullong());
}

registry::FieldSet get_fields(ByteView in) {
    return registry::FieldSet(get_u64(in)) << 64 | registry::FieldSet(get_u64(in.subspan(8)));
}

/// Length of the text without a last character that the bound would split.
std::size_t reason_length(std::string_view reason) {
    if (reason.size() <= kMaxReasonBytes) return reason.size();
    std::size_t length = kMaxReasonBytes;
    while (length > 0 && (static_cast<unsigned char>(reason[length]) & 0xc0) == 0x80) --length;
    return length;
}

/// Takes a byte string apart from front to back; the caller has checked its length.
class Reader {
  public:
    explicit Reader(ByteView bytes) : rest_(bytes) {}
    ByteView take(std::size_t count) {
        const ByteView taken = rest_.first(count);
        rest_ = rest_.subspan(count);
        return taken;
    }
    std::uint8_t byte() { return take(1)[0]; }
    template <std::size_t kCount>
    void fill(std::array<std::uint8_t, kCount>& out) {
        const ByteView taken = take(kCount);
        std::copy(taken.begin(), taken.end(), out.begin());
    }
    template <class Tag>
    void fill(Id<Tag>& out) {
        out = *Id<Tag>::from_bytes(take(Id<Tag>::kSize));
    }

  private:
    ByteView rest_;
};

}  // namespace

Origin parse_origin(std::string_view text) {
    Origin origin{};
    if (text.find('\0') != std::string_view::npos) return origin;
    const std::string terminated(text);
    if (inet_pton(AF_INET, terminated.c_str(), origin.data() + kMappedPrefix.size()) == 1) {
        std::copy(kMappedPrefix.begin(), kMappedPrefix.end(), origin.begin());
        return origin;
    }
    if (inet_pton(AF_INET6, terminated.c_str(), origin.data()) == 1) return origin;
    return {};
}

std::string format_origin(const Origin& origin) {
    if (origin == Origin{}) return {};
    const bool mapped = std::equal(kMappedPrefix.begin(), kMappedPrefix.end(), origin.begin());
    std::array<char, INET6_ADDRSTRLEN> text{};
    const void* const address = origin.data() + (mapped ? kMappedPrefix.size() : 0);
    return inet_ntop(mapped ? AF_INET : AF_INET6, address, text.data(), text.size());
}

Bytes encode_entry(const Entry& entry) {
    const std::size_t reason_bytes = reason_length(entry.reason);
    Bytes out;
    out.reserve(kFixedBytes + reason_bytes);
    out.push_back(kVersion);
    out.push_back(static_cast<std::uint8_t>(entry.kind));
    out.push_back(static_cast<std::uint8_t>(entry.role));
    out.push_back(entry.door);
    out.push_back(entry.purpose);
    out.push_back(static_cast<std::uint8_t>(reason_bytes));
    put_u64(out, static_cast<std::uint64_t>(to_unix_ms(entry.time)));
    put_bytes(out, entry.actor.view());
    put_bytes(out, entry.session.view());
    put_bytes(out, entry.origin);
    put_u32(out, entry.person);
    put_fields(out, entry.fields);
    put_bytes(out, entry.case_reference.view());
    put_bytes(out, entry.request.view());
    put_bytes(out, entry.salt);
    put_bytes(out, as_bytes(entry.reason).first(reason_bytes));
    return out;
}

Result<Entry> decode_entry(ByteView bytes) {
    if (bytes.empty() || bytes[0] != kVersion)
        return fail(ErrorCode::kCorrupt, "A journal entry has an unknown version.");
    if (bytes.size() < kFixedBytes)
        return fail(ErrorCode::kCorrupt, "A journal entry is too short.");
    Reader in(bytes.subspan(1));
    Entry entry;
    const std::uint8_t kind = in.byte();
    if (kind < static_cast<std::uint8_t>(EntryKind::kDisclosed) ||
        kind > static_cast<std::uint8_t>(EntryKind::kLookUps))
        return fail(ErrorCode::kCorrupt, "A journal entry has an unknown kind.");
    entry.kind = static_cast<EntryKind>(kind);
    const std::uint8_t role = in.byte();
    if (role < static_cast<std::uint8_t>(registry::Role::kResident) ||
        role > static_cast<std::uint8_t>(registry::Role::kAdministrator))
        return fail(ErrorCode::kCorrupt, "A journal entry has an unknown role.");
    entry.role = static_cast<registry::Role>(role);
    entry.door = in.byte();
    entry.purpose = in.byte();
    const std::size_t reason_bytes = in.byte();
    if (reason_bytes > kMaxReasonBytes)
        return fail(ErrorCode::kCorrupt, "The reason in a journal entry is too long.");
    if (bytes.size() != kFixedBytes + reason_bytes)
        return fail(ErrorCode::kCorrupt, "A journal entry has not the length that it states.");
    entry.time = from_unix_ms(static_cast<std::int64_t>(get_u64(in.take(8))));
    in.fill(entry.actor);
    in.fill(entry.session);
    in.fill(entry.origin);
    entry.person = get_u32(in.take(4));
    entry.fields = get_fields(in.take(16));
    in.fill(entry.case_reference);
    in.fill(entry.request);
    in.fill(entry.salt);
    entry.reason = to_string(in.take(reason_bytes));
    return entry;
}

}  // namespace cloison::journal
