#include "drill/link_truth.h"

#include <SQLiteCpp/Database.h>
#include <SQLiteCpp/Statement.h>

#include <array>
#include <set>
#include <utility>

#include "crypto/keys.h"
#include "crypto/pseudonym.h"
#include "crypto/unlinkable_list.h"

namespace cloison::drill {
namespace {

using Rows = std::vector<std::pair<std::int64_t, std::string>>;

/// A number and a byte string of each row.
Result<Rows> read_rows(const Path& database, const std::string& sql) {
    Rows rows;
    try {
        SQLite::Database file(database.string(), SQLite::OPEN_READWRITE);
        SQLite::Statement all(file, sql);
        while (all.executeStep()) {
            const auto bytes = all.getColumn(1);
            rows.emplace_back(all.getColumn(0).getInt64(),
                              std::string(static_cast<const char*>(bytes.getBlob()),
                                          static_cast<std::size_t>(bytes.getBytes())));
        }
    } catch (const std::exception&) {
        return fail(ErrorCode::kCorrupt, "A copied database cannot be read.");
    }
    return rows;
}

/// One compartment's names of persons, docs/formats/keeper-store.md.
class Pseudonyms {
  public:
    Pseudonyms(const crypto::RootKey& root, const std::string& compartment)
        : permutation_(crypto::derive_key<crypto::PseudonymKey>(
              root, "cloison/keeper/v1/pseudonym/" + compartment)) {}

    Bytes of(const std::string& root_id) const {
        crypto::Block block{};
        std::copy_n(root_id.begin(), block.size(), block.begin());
        const auto pseudonym = permutation_.forward(block);
        return {pseudonym.begin(), pseudonym.end()};
    }

  private:
    crypto::BlockPermutation permutation_;
};

/// The places that are taken in a table.
Result<std::set<std::string>> read_places(const Path& database, const std::string& table,
                                          const std::string& column) {
    CLOISON_TRY(const auto rows, read_rows(database, "SELECT 0, " + column + " FROM " + table +
                                                         " WHERE " + column + " IS NOT NULL"));
    std::set<std::string> places;
    for (const auto& [nothing, place] : rows) places.insert(place);
    return places;
}

/// The entries of a list, docs/formats/unlinkable-list.md, are the person's.
void add_list(const crypto::ListKey& list, const std::set<std::string>& places,
              std::uint32_t person, Truth& truth) {
    for (std::uint64_t number = 0;; ++number) {
        std::string place = to_string(list.place(number));
        if (!places.contains(place)) return;
        truth[std::move(place)] = person;
    }
}

/// The rows of each account, docs/formats/identity-store.md.
Status add_accounts(FileSystem& files, const Stores& stores, const Path& identity, Truth& truth) {
    constexpr std::uint64_t kFields = 256;      // numbers of the register
    constexpr std::uint64_t kMostTraces = 400;  // of an account, those that are gone included
    CLOISON_TRY(const Secret secret, crypto::load_key_file(files, stores.identity / "data.key"));
    CLOISON_TRY(const auto root, crypto::RootKey::from_bytes(secret.view()));
    const auto lists = crypto::derive_key<crypto::HashKey>(root, "identity lists");
    CLOISON_TRY(const auto accounts,
                read_rows(identity,
                          "SELECT 0, account || pseudonym FROM account WHERE pseudonym "
                          "IS NOT NULL"));
    CLOISON_TRY(const auto values, read_places(identity, "profile_value", "place"));
    CLOISON_TRY(const auto traces, read_places(identity, "sign_in_trace", "place"));
    for (const auto& [nothing, ids] : accounts) {
        const std::string account = ids.substr(0, 16);
        const auto person = truth.find(ids.substr(16));
        if (person == truth.end()) continue;
        const std::uint32_t owner = person->second;
        const auto add = [&](const std::string& list, const std::set<std::string>& places,
                             std::uint64_t numbers) {
            const crypto::ListKey key(lists.view(), list + account);
            for (std::uint64_t number = 0; number < numbers; ++number) {
                std::string place = to_string(key.place(number));
                if (places.contains(place)) truth[std::move(place)] = owner;
            }
        };
        add("profile/", values, kFields);
        add("traces/", traces, kMostTraces);
    }
    return {};
}

}  // namespace

Result<Truth> learn_truth(FileSystem& files, const Stores& stores, const Copies& copies) {
    CLOISON_TRY(const Secret secret, crypto::load_key_file(files, stores.keeper / "root.key"));
    CLOISON_TRY(const auto root, crypto::RootKey::from_bytes(secret.view()));
    const Pseudonyms of_identity(root, "identity");
    const Pseudonyms of_casework(root, "casework");
    const Pseudonyms of_documents(root, "documents");
    CLOISON_TRY(const auto rows, read_rows(copies.persons, "SELECT ordinal, root FROM person"));
    CLOISON_TRY(const auto requests, read_places(copies.casework, "request", "place"));
    CLOISON_TRY(const auto documents, read_places(copies.documents, "document", "person_place"));
    Truth truth;
    for (const auto& [ordinal, root_id] : rows) {
        const auto person = static_cast<std::uint32_t>(ordinal);
        truth["person " + std::to_string(ordinal)] = person;
        truth[to_string(of_identity.of(root_id))] = person;
        add_list({of_casework.of(root_id), "requests"}, requests, person, truth);
        add_list({of_documents.of(root_id), "documents"}, documents, person, truth);
    }
    CLOISON_TRY_STATUS(add_accounts(files, stores, copies.identity, truth));
    return truth;
}

}  // namespace cloison::drill
