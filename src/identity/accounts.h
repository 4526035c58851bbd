#pragma once

#include <optional>
#include <string>

#include "base/id.h"
#include "base/time.h"
#include "crypto/keys.h"
#include "identity/passwords.h"
#include "registry/registry.h"
#include "storage/database.h"

namespace cloison::identity {

/// A row of the table of accounts. Residents have a pseudonym; staff and professionals have none,
/// because their accounts hold no sealed value, but a name to be shown.
struct Account {
    AccountId id;
    RecordId record;
    std::optional<IdentityPseudonym> pseudonym;
    Bytes email_index;
    ActorId actor;
    registry::Role role = registry::Role::kResident;
    bool disabled = false;
    bool acts_for_anyone = false;
    std::string language;
    std::string display_name;
    std::string unit;
    /// Whose word the account rests on: the first in the row of administrators who made it. None
    /// for what the operator made, which rests on itself, and for residents.
    std::optional<ActorId> voucher;
    Verifier verifier;
    std::optional<Bytes> totp;          ///< The secret, encrypted; none: no code asked for.
    std::int64_t totp_step = 0;         ///< The last time step whose code was used.
    std::optional<Bytes> totp_offered;  ///< A new secret that waits for its first code.

    bool is_resident() const { return role == registry::Role::kResident; }
    /// Staff and professionals who have not set up a code.
    bool lacks_totp() const { return !is_resident() && !totp; }
    ActorId rests_on() const { return voucher.value_or(actor); }
};

/// Residents sign in at the portal, staff at the desk, professionals at either.
bool may_use_door(registry::Role role, std::string_view door);

/// Every row has a proof, under a key that is not in the database, of what never changes in it: who
/// the account is, of which person, with which address, record, actor, role, name, mandate and
/// voucher. A row in which somebody changed one of these, or swapped it with another row's, is
/// kCorrupt for whoever looks it up.
Result<std::optional<Account>> account_by_email(const crypto::HashKey& proofs,
                                                storage::Transaction& transaction,
                                                ByteView email_index);
Result<std::optional<Account>> account_by_pseudonym(const crypto::HashKey& proofs,
                                                    storage::Transaction& transaction,
                                                    const IdentityPseudonym& pseudonym);
Result<std::optional<Account>> account_by_actor(const crypto::HashKey& proofs,
                                                storage::Transaction& transaction,
                                                const ActorId& actor);
Result<std::optional<Account>> account_by_id(const crypto::HashKey& proofs,
                                             storage::Transaction& transaction,
                                             const AccountId& id);
/// All but residents, at most kMaxStaff.
Result<std::vector<Account>> staff_accounts(const crypto::HashKey& proofs,
                                            storage::Transaction& transaction);
/// kConflict if e-mail index, pseudonym or record are taken.
Status insert_account(const crypto::HashKey& proofs, storage::Transaction& transaction,
                      const Account& account);

}  // namespace cloison::identity
