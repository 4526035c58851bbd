#include "keeper/canary_box.h"

#include <algorithm>

#include "crypto/pae.h"

namespace cloison::keeper {
namespace {

constexpr std::uint8_t kVersion = 1;
constexpr std::size_t kSmallestClass = 2'048;
constexpr std::size_t kRecordSize = 16;
constexpr std::size_t kFixedBytes = 1 + 1 + 1 + 4 + RootId::kSize + 8 + 2;
constexpr std::size_t kFixedBytesOfValue = 1 + kRecordSize + 4 + 4;

Bytes context_of(std::uint64_t number) {
    Bytes bytes;
    put_u64(bytes, number);
    return crypto::pre_auth_encode({as_bytes("canary/v1"), bytes});
}

void put_short(Bytes& out, std::string_view text) {
    out.push_back(static_cast<std::uint8_t>(text.size()));
    out.insert(out.end(), text.begin(), text.end());
}

/// Takes from the front; what is not there makes it bad, and everything after that is empty.
class Reader {
  public:
    explicit Reader(ByteView in) : in_(in) {}
    ByteView take(std::size_t count) {
        if (count > in_.size()) {
            good_ = false;
            in_ = {};
            return {};
        }
        const ByteView taken = in_.first(count);
        in_ = in_.subspan(count);
        return taken;
    }
    std::uint64_t number(std::size_t bytes) {
        std::uint64_t value = 0;
        for (const std::uint8_t byte : take(bytes)) value = value << 8 | byte;
        return value;
    }
    std::string short_text() { return to_string(take(number(1))); }
    bool good() const { return good_; }
    bool only_zeros_left() const {
        return std::all_of(in_.begin(), in_.end(), [](std::uint8_t byte) { return byte == 0; });
    }

  private:
    ByteView in_;
    bool good_ = true;
};

Bytes encode(const Canary& canary) {
    Bytes out{kVersion};
    put_short(out, canary.copy);
    out.push_back(static_cast<std::uint8_t>(canary.compartment));
    put_u32(out, canary.person.ordinal);
    const ByteView root = canary.person.root.view();
    out.insert(out.end(), root.begin(), root.end());
    put_u64(out, static_cast<std::uint64_t>(to_unix_ms(canary.planted)));
    put_u16(out, static_cast<std::uint16_t>(canary.values.size()));
    for (const auto& value : canary.values) {
        put_short(out, value.field);
        out.insert(out.end(), value.record.begin(), value.record.end());
        put_u32(out, value.schema_version);
        put_u32(out, static_cast<std::uint32_t>(value.value.size()));
        out.insert(out.end(), value.value.begin(), value.value.end());
    }
    std::size_t size_class = kSmallestClass;
    while (size_class < out.size()) size_class *= 2;
    out.resize(size_class);
    return out;
}

std::optional<Canary> decode(ByteView bytes) {
    Reader in(bytes);
    if (in.number(1) != kVersion) return std::nullopt;
    Canary canary;
    canary.copy = in.short_text();
    canary.compartment = static_cast<registry::Compartment>(in.number(1));
    canary.person.ordinal = static_cast<std::uint32_t>(in.number(4));
    const auto root = RootId::from_bytes(in.take(RootId::kSize));
    canary.planted = from_unix_ms(static_cast<std::int64_t>(in.number(8)));
    for (std::uint64_t left = in.number(2); left > 0 && in.good(); --left) {
        Canary::Value value;
        value.field = in.short_text();
        value.record = to_bytes(in.take(kRecordSize));
        value.schema_version = static_cast<std::uint32_t>(in.number(4));
        value.value = to_bytes(in.take(in.number(4)));
        canary.values.push_back(std::move(value));
    }
    if (!in.good() || !root || !in.only_zeros_left() ||
        canary.compartment < registry::Compartment::kIdentity ||
        canary.compartment > registry::Compartment::kDocuments)
        return std::nullopt;
    canary.person.root = *root;
    return canary;
}

}  // namespace

std::size_t canary_entry_size(std::string_view copy, const std::vector<PlainValue>& values) {
    std::size_t size = kFixedBytes + copy.size();
    for (const auto& value : values)
        size += kFixedBytesOfValue + value.field.size() + value.value.size();
    return size;
}

Bytes seal_canary(const crypto::BoxKey& key, const Canary& canary, Random& random) {
    const Secret plain(encode(canary));
    return crypto::box_encrypt(key, plain.view(), context_of(canary.number), random);
}

Result<Canary> open_canary(const crypto::BoxKey& key, std::uint64_t number, ByteView box) {
    const auto plain = crypto::box_decrypt(key, box, context_of(number));
    std::optional<Canary> canary;
    if (plain) canary = decode(plain->view());
    if (!canary)
        return fail(ErrorCode::kCorrupt,
                    "Entry " + std::to_string(number) +
                        " of the register of canaries does not open: it was changed, or root.key "
                        "is not the one that it was made with.");
    canary->number = number;
    return std::move(*canary);
}

}  // namespace cloison::keeper
