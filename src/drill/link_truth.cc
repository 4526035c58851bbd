#include "drill/link_truth.h"

#include <SQLiteCpp/Database.h>
#include <SQLiteCpp/Statement.h>

#include <array>
#include <utility>

#include "crypto/keys.h"
#include "crypto/pseudonym.h"

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

    std::string of(const std::string& root_id) const {
        crypto::Block block{};
        std::copy_n(root_id.begin(), block.size(), block.begin());
        const auto pseudonym = permutation_.forward(block);
        return {pseudonym.begin(), pseudonym.end()};
    }

  private:
    crypto::BlockPermutation permutation_;
};

}  // namespace

Result<Truth> learn_truth(FileSystem& files, const Stores& stores, const Path& persons,
                          const Path& identity, const Path& casework) {
    (void)identity;
    (void)casework;
    CLOISON_TRY(const Secret secret, crypto::load_key_file(files, stores.keeper / "root.key"));
    CLOISON_TRY(const auto root, crypto::RootKey::from_bytes(secret.view()));
    const Pseudonyms of_identity(root, "identity");
    const Pseudonyms of_casework(root, "casework");
    const Pseudonyms of_documents(root, "documents");
    CLOISON_TRY(const auto rows, read_rows(persons, "SELECT ordinal, root FROM person"));
    Truth truth;
    for (const auto& [ordinal, root_id] : rows) {
        const auto person = static_cast<std::uint32_t>(ordinal);
        truth["person " + std::to_string(ordinal)] = person;
        for (const Pseudonyms* names : {&of_identity, &of_casework, &of_documents})
            truth[names->of(root_id)] = person;
    }
    return truth;
}

}  // namespace cloison::drill
