#include "identity/profile_values.h"

#include "crypto/unlinkable_list.h"

namespace cloison::identity {
namespace {

/// Holds every value of up to 127 bytes; only much longer ones have rows of another length.
constexpr std::size_t kRowSize = 256;

crypto::ListKey list_of(const Core& core, const AccountId& account) {
    return {core.keys.lists.view(), "profile/" + account.bytes()};
}

}  // namespace

Result<std::optional<ProfileValue>> read_profile_value(const Core& core,
                                                       storage::Transaction& transaction,
                                                       const AccountId& account,
                                                       std::uint8_t field) {
    const auto list = list_of(core, account);
    const Bytes place = list.place(field);
    CLOISON_TRY(const auto rows,
                transaction.query("SELECT content FROM profile_value WHERE place = $1", {place}));
    if (rows.empty()) return std::optional<ProfileValue>();
    CLOISON_TRY(const auto content, crypto::open_row(list.box_key(), rows[0].bytes(0), place));
    if (content.size() < RecordId::kSize)
        return fail(ErrorCode::kCorrupt, "A value of a profile is malformed.");
    const ByteView view(content);
    return std::optional(ProfileValue{to_bytes(view.first(RecordId::kSize)),
                                      to_bytes(view.subspan(RecordId::kSize))});
}

Status write_profile_value(Core& core, storage::Transaction& transaction, const AccountId& account,
                           std::uint8_t field, const ProfileValue& value) {
    const auto list = list_of(core, account);
    const Bytes place = list.place(field);
    Bytes content = value.record;
    content.insert(content.end(), value.sealed.begin(), value.sealed.end());
    CLOISON_TRY_STATUS(transaction.execute(
        "INSERT INTO profile_value (place, content) VALUES ($1, $2) ON CONFLICT (place) DO UPDATE "
        "SET content = $2",
        {place, crypto::box_row(list.box_key(), content, place, kRowSize, core.random)}));
    return {};
}

}  // namespace cloison::identity
