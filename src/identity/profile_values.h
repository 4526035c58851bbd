#pragma once

#include "identity/core.h"

namespace cloison::identity {

/// The sealed values of an account, one an entry of the account's list
/// (docs/formats/unlinkable-list.md): rows do not say whose they are, of which field, or how long
/// the value is.
struct ProfileValue {
    Bytes record;
    Bytes sealed;
};

/// Nothing if there is none.
Result<std::optional<ProfileValue>> read_profile_value(const Core& core,
                                                       storage::Transaction& transaction,
                                                       const AccountId& account,
                                                       std::uint8_t field);
/// In place of what was there.
Status write_profile_value(Core& core, storage::Transaction& transaction, const AccountId& account,
                           std::uint8_t field, const ProfileValue& value);

}  // namespace cloison::identity
