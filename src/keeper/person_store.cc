#include "keeper/person_store.h"

#include <limits>

#include "crypto/pae.h"

namespace cloison::keeper {
namespace {

using storage::Row;
using storage::Transaction;

Bytes number_bytes(std::uint32_t number) {
    Bytes bytes;
    put_u32(bytes, number);
    return bytes;
}

Bytes epoch_context(std::uint32_t number) {
    return crypto::pre_auth_encode({as_bytes("epoch-key/v1"), number_bytes(number)});
}

/// A wrapped key that is moved to another row or epoch does not open.
Bytes person_context(const Person& person, std::uint32_t epoch) {
    return crypto::pre_auth_encode({as_bytes("person-key/v1"), number_bytes(person.ordinal),
                                    person.root.view(), number_bytes(epoch)});
}

tl::unexpected<Error> no_such_person() {
    return fail(ErrorCode::kNotFound, "There is no such person.");
}

}  // namespace

PersonStore::PersonStore(std::unique_ptr<storage::Database> database, const KeyRing& keys,
                         Random& random)
    : database_(std::move(database)), keys_(keys), random_(random) {}

Result<std::unique_ptr<PersonStore>> PersonStore::open(std::unique_ptr<storage::Database> database,
                                                       const KeyRing& keys, Random& random) {
    std::unique_ptr<PersonStore> store(new PersonStore(std::move(database), keys, random));
    CLOISON_TRY_STATUS(store->load());
    return store;
}

Status PersonStore::load() {
    return database_->write([&](Transaction& transaction) -> Status {
        CLOISON_TRY(auto row,
                    transaction.query_one(
                        "SELECT coalesce(max(ordinal), 0), count(wrapped) FROM person", {}));
        next_ = static_cast<std::uint64_t>(row.integer(0)) + 1;
        count_ = static_cast<std::uint64_t>(row.integer(1));
        return load_epochs(transaction);
    });
}

Status PersonStore::load_epochs(Transaction& transaction) {
    epoch_keys_.clear();
    CLOISON_TRY(auto rows,
                transaction.query("SELECT number, wrapped FROM epoch ORDER BY number", {}));
    if (rows.empty()) {
        const auto key = crypto::EpochKey::random(random_);
        Bytes wrapped =
            crypto::box_encrypt(keys_.epoch_wrap(), key.view(), epoch_context(1), random_);
        CLOISON_TRY_STATUS(
            transaction.execute("INSERT INTO epoch (number, wrapped) VALUES ($1, $2)",
                                {std::int64_t{1}, std::move(wrapped)}));
        epoch_keys_.emplace(1, crypto::derive_key<crypto::BoxKey>(key, "person-wrap"));
        epoch_ = 1;
        return {};
    }
    for (const auto& row : rows) {
        const auto number = static_cast<std::uint32_t>(row.integer(0));
        auto opened = crypto::box_decrypt(keys_.epoch_wrap(), row.bytes(1), epoch_context(number));
        if (!opened)
            return fail(ErrorCode::kCorrupt,
                        "The key of epoch " + std::to_string(number) +
                            " does not open: is root.key the one that it was made with?");
        CLOISON_TRY(auto key, crypto::EpochKey::from_bytes(opened->view()));
        epoch_keys_.emplace(number, crypto::derive_key<crypto::BoxKey>(key, "person-wrap"));
        epoch_ = number;
    }
    return {};
}

Status PersonStore::insert(Transaction& transaction, const Person& person) const {
    const auto key = crypto::PersonKey::random(random_);
    Bytes wrapped = crypto::box_encrypt(epoch_keys_.at(epoch_), key.view(),
                                        person_context(person, epoch_), random_);
    CLOISON_TRY_STATUS(transaction.execute(
        "INSERT INTO person (ordinal, root, epoch, wrapped) VALUES ($1, $2, $3, $4)",
        {std::int64_t{person.ordinal}, storage::blob(person.root.view()), std::int64_t{epoch_},
         std::move(wrapped)}));
    return {};
}

Result<std::vector<Person>> PersonStore::enroll(std::uint32_t count) {
    if (count < 1 || count > kMaxEnrolment)
        return fail(ErrorCode::kInvalidArgument, "An enrolment makes 1 to 10,000 persons.");
    std::lock_guard lock(enrolment_);
    if (next_ + count - 1 > std::numeric_limits<std::uint32_t>::max())
        return fail(ErrorCode::kTooLarge, "The keeper has no ordinals left.");
    std::vector<Person> persons;
    persons.reserve(count);
    Bytes noise(std::size_t{12} * count);
    random_.fill(noise);
    for (std::uint32_t i = 0; i < count; ++i) {
        std::array<std::uint8_t, 12> random;
        std::copy_n(noise.begin() + std::ptrdiff_t{12} * i, random.size(), random.begin());
        const auto ordinal = static_cast<std::uint32_t>(next_ + i);
        persons.push_back({ordinal, keys_.make_root(ordinal, random)});
    }
    const auto stored = database_->write([&](Transaction& transaction) -> Status {
        for (const auto& person : persons) CLOISON_TRY_STATUS(insert(transaction, person));
        return {};
    });
    CLOISON_TRY_STATUS(stored);
    next_ += count;
    count_ += count;
    return persons;
}

Result<crypto::PersonKey> PersonStore::key(const Person& person) const {
    const auto row = database_->read_result<Row>([&](Transaction& transaction) {
        return transaction.query_one("SELECT root, epoch, wrapped FROM person WHERE ordinal = $1",
                                     {std::int64_t{person.ordinal}});
    });
    if (!row && row.error().code == ErrorCode::kNotFound) return no_such_person();
    if (!row) return fail(row.error());
    if (!equal_constant_time(row->bytes(0), person.root.view()) || row->is_null(2))
        return no_such_person();
    const auto epoch = static_cast<std::uint32_t>(row->integer(1));
    const auto wrapping = epoch_keys_.find(epoch);
    if (wrapping == epoch_keys_.end())
        return fail(ErrorCode::kCorrupt, "A person's key names an epoch that is not there.");
    auto opened =
        crypto::box_decrypt(wrapping->second, row->bytes(2), person_context(person, epoch));
    if (!opened) return fail(ErrorCode::kCorrupt, "A person's key does not open.");
    return crypto::PersonKey::from_bytes(opened->view());
}

Result<std::vector<std::optional<Person>>> PersonStore::find(
    const std::vector<std::uint32_t>& ordinals) const {
    if (ordinals.size() > kMaxEnrolment)
        return fail(ErrorCode::kInvalidArgument, "At most 10,000 persons are looked up at once.");
    std::vector<std::optional<Person>> found(ordinals.size());
    const auto looked_up = database_->read([&](Transaction& transaction) -> Status {
        for (std::size_t i = 0; i < ordinals.size(); ++i) {
            CLOISON_TRY(auto rows,
                        transaction.query(
                            "SELECT root FROM person WHERE ordinal = $1 AND wrapped IS NOT NULL",
                            {std::int64_t{ordinals[i]}}));
            found[i].reset();
            if (rows.empty()) continue;
            CLOISON_TRY(auto root, RootId::from_bytes(rows[0].bytes(0)));
            found[i] = Person{ordinals[i], root};
        }
        return {};
    });
    CLOISON_TRY_STATUS(looked_up);
    return found;
}

Status PersonStore::erase(const Person& person) {
    const auto changed = database_->write_result<std::int64_t>([&](Transaction& transaction) {
        return transaction.execute(
            "UPDATE person SET wrapped = NULL "
            "WHERE ordinal = $1 AND root = $2 AND wrapped IS NOT NULL",
            {std::int64_t{person.ordinal}, storage::blob(person.root.view())});
    });
    if (!changed) return fail(changed.error());
    if (*changed == 0) return no_such_person();
    --count_;
    return {};
}

Result<Bytes> PersonStore::setting(std::string_view name) const {
    return database_->read_result<Bytes>([&](Transaction& transaction) -> Result<Bytes> {
        CLOISON_TRY(auto rows, transaction.query("SELECT content FROM setting WHERE name = $1",
                                                 {std::string(name)}));
        return rows.empty() ? Bytes{} : rows[0].bytes(0);
    });
}

Status PersonStore::set_setting(std::string_view name, ByteView content) {
    return database_->write([&](Transaction& transaction) -> Status {
        CLOISON_TRY_STATUS(
            transaction.execute("INSERT INTO setting (name, content) VALUES ($1, $2) "
                                "ON CONFLICT (name) DO UPDATE SET content = excluded.content",
                                {std::string(name), storage::blob(content)}));
        return {};
    });
}

}  // namespace cloison::keeper
