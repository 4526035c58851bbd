#include "identity/accounts.h"

#include "crypto/hash.h"
#include "crypto/pae.h"
#include "identity/limits.h"

namespace cloison::identity {
namespace {

using storage::blob;
using storage::Row;
using storage::Transaction;
using storage::Value;

constexpr std::string_view kSelect =
    "SELECT account, record, pseudonym, email_index, actor, role, disabled, acts_for_anyone, "
    "language, display_name, unit, verifier, salt, memory_kib, passes, totp, totp_step, "
    "totp_offered, voucher, proof FROM account WHERE ";

std::optional<Bytes> optional_bytes(const Row& row, std::size_t column) {
    if (row.is_null(column)) return std::nullopt;
    return row.bytes(column);
}

Value optional_blob(const std::optional<Bytes>& bytes) {
    return bytes ? blob(*bytes) : Value(nullptr);
}

template <class AnyId>
ByteView view_or_empty(const std::optional<AnyId>& id) {
    return id ? id->view() : ByteView{};
}

Bytes proof_of(const crypto::HashKey& key, const Account& account) {
    const Bytes rights{static_cast<std::uint8_t>(account.role),
                       static_cast<std::uint8_t>(account.acts_for_anyone)};
    return crypto::keyed_hash(
        key.view(),
        crypto::pre_auth_encode({as_bytes("account/v1"), account.id.view(), account.record.view(),
                                 view_or_empty(account.pseudonym), account.email_index,
                                 account.actor.view(), rights, as_bytes(account.display_name),
                                 as_bytes(account.unit), view_or_empty(account.voucher)}));
}

Result<Account> from_row(const crypto::HashKey& proofs, const Row& row) {
    Account account;
    CLOISON_TRY(account.id, AccountId::from_bytes(row.bytes(0)));
    CLOISON_TRY(account.record, RecordId::from_bytes(row.bytes(1)));
    if (!row.is_null(2)) {
        CLOISON_TRY(account.pseudonym, IdentityPseudonym::from_bytes(row.bytes(2)));
    }
    account.email_index = row.bytes(3);
    CLOISON_TRY(account.actor, ActorId::from_bytes(row.bytes(4)));
    account.role = static_cast<registry::Role>(row.integer(5));
    account.disabled = row.integer(6) != 0;
    account.acts_for_anyone = row.integer(7) != 0;
    account.language = row.text(8);
    account.display_name = row.text(9);
    account.unit = row.text(10);
    account.verifier = {row.bytes(11), row.bytes(12),
                        crypto::PasswordCost{static_cast<std::uint32_t>(row.integer(13)),
                                             static_cast<std::uint32_t>(row.integer(14))},
                        account.record};
    account.totp = optional_bytes(row, 15);
    account.totp_step = row.integer(16);
    account.totp_offered = optional_bytes(row, 17);
    if (!row.is_null(18)) {
        CLOISON_TRY(account.voucher, ActorId::from_bytes(row.bytes(18)));
    }
    if (!equal_constant_time(proof_of(proofs, account), row.bytes(19)))
        return fail(ErrorCode::kCorrupt,
                    "A row of identity.sqlite is not as it was written: somebody changed whose the "
                    "account is, or what it may do.");
    return account;
}

Result<std::optional<Account>> find(const crypto::HashKey& proofs, Transaction& transaction,
                                    std::string_view condition, Value key) {
    CLOISON_TRY(const auto rows,
                transaction.query(std::string(kSelect).append(condition), {std::move(key)}));
    if (rows.empty()) return std::nullopt;
    CLOISON_TRY(auto account, from_row(proofs, rows.front()));
    return account;
}

}  // namespace

bool may_use_door(registry::Role role, std::string_view door) {
    if (role == registry::Role::kProfessional) return true;
    return (role == registry::Role::kResident) == (door == "portal");
}

Result<std::optional<Account>> account_by_email(const crypto::HashKey& proofs,
                                                Transaction& transaction, ByteView email_index) {
    return find(proofs, transaction, "email_index = $1", blob(email_index));
}

Result<std::optional<Account>> account_by_pseudonym(const crypto::HashKey& proofs,
                                                    Transaction& transaction,
                                                    const IdentityPseudonym& pseudonym) {
    return find(proofs, transaction, "pseudonym = $1", blob(pseudonym.view()));
}

Result<std::optional<Account>> account_by_actor(const crypto::HashKey& proofs,
                                                Transaction& transaction, const ActorId& actor) {
    return find(proofs, transaction, "actor = $1", blob(actor.view()));
}

Result<std::optional<Account>> account_by_id(const crypto::HashKey& proofs,
                                             Transaction& transaction, const AccountId& id) {
    return find(proofs, transaction, "account = $1", blob(id.view()));
}

Result<std::vector<Account>> staff_accounts(const crypto::HashKey& proofs,
                                            Transaction& transaction) {
    CLOISON_TRY(const auto rows,
                transaction.query(std::string(kSelect) + "pseudonym IS NULL LIMIT $1",
                                  {std::int64_t{kMaxStaff}}));
    std::vector<Account> accounts;
    for (const Row& row : rows) {
        CLOISON_TRY(auto account, from_row(proofs, row));
        accounts.push_back(std::move(account));
    }
    return accounts;
}

Status insert_account(const crypto::HashKey& proofs, Transaction& transaction,
                      const Account& account) {
    const Value voucher = account.voucher ? blob(account.voucher->view()) : Value(nullptr);
    const Value pseudonym = account.pseudonym ? blob(account.pseudonym->view()) : Value(nullptr);
    CLOISON_TRY_STATUS(transaction.execute(
        "INSERT INTO account (account, record, pseudonym, email_index, actor, role, disabled, "
        "acts_for_anyone, language, display_name, unit, verifier, salt, memory_kib, passes, totp, "
        "totp_step, voucher, proof) VALUES ($1, $2, $3, $4, $5, $6, 0, $7, $8, $9, $10, $11, $12, "
        "$13, $14, $15, $16, $17, $18)",
        {blob(account.id.view()), blob(account.record.view()), pseudonym, blob(account.email_index),
         blob(account.actor.view()), static_cast<std::int64_t>(account.role),
         std::int64_t{account.acts_for_anyone}, account.language, account.display_name,
         account.unit, blob(account.verifier.hardened), blob(account.verifier.salt),
         std::int64_t{account.verifier.cost.memory_kib}, std::int64_t{account.verifier.cost.passes},
         optional_blob(account.totp), account.totp_step, voucher,
         blob(proof_of(proofs, account))}));
    return {};
}

}  // namespace cloison::identity
