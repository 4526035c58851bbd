#include "keeper/person_store.h"

#include <algorithm>
#include <limits>
#include <utility>

#include "crypto/pae.h"

namespace cloison::keeper {
namespace {

using storage::Row;
using storage::Transaction;

constexpr std::size_t kEpochSize = 4;
constexpr std::size_t kWrappedSize = kEpochSize + crypto::kKeySize + crypto::kBoxOverhead;
constexpr std::uint32_t kNobody = 0;  ///< The epoch of a row that is not handed out.

Bytes number_bytes(std::uint32_t number) {
    Bytes bytes;
    put_u32(bytes, number);
    return bytes;
}

/// A wrapped key that is moved to another row or epoch does not open.
Bytes person_context(const Person& person, std::uint32_t epoch) {
    return crypto::pre_auth_encode({as_bytes("person-key/v1"), number_bytes(person.ordinal),
                                    person.root.view(), number_bytes(epoch)});
}

std::uint32_t epoch_of(ByteView wrapped) {
    return wrapped.size() == kWrappedSize ? get_u32(wrapped)
                                          : std::numeric_limits<std::uint32_t>::max();
}

std::int64_t signed_of(std::uint64_t number) {
    return static_cast<std::int64_t>(number);
}

void shuffle(std::vector<std::uint32_t>& ordinals, Random& random) {
    for (std::size_t i = ordinals.size(); i > 1; --i)
        std::swap(ordinals[i - 1], ordinals[random.uniform(i)]);
}

Result<std::vector<std::uint32_t>> ordinals_of(Result<storage::Rows> rows) {
    if (!rows) return fail(rows.error());
    std::vector<std::uint32_t> ordinals;
    for (const auto& row : *rows) ordinals.push_back(static_cast<std::uint32_t>(row.integer(0)));
    return ordinals;
}

}  // namespace

tl::unexpected<Error> no_such_person() {
    return fail(ErrorCode::kNotFound, "There is no such person.");
}

/// What an enrolment takes: rows that are there and rows that are made, some of them for later.
struct PersonStore::Allotment {
    std::vector<Person> filled;        ///< Rows of the open block, by ordinal.
    std::vector<Person> made;          ///< New rows, by ordinal.
    std::vector<std::uint32_t> blank;  ///< New rows for nobody yet, by ordinal.
    std::vector<std::uint32_t> pool;   ///< The open block afterwards.
    std::uint32_t new_block = 0;       ///< First ordinal of a block that is opened.
    std::uint64_t next = 0;
    std::uint32_t epoch = 0;

    std::uint32_t count() const { return static_cast<std::uint32_t>(filled.size() + made.size()); }
};

PersonStore::PersonStore(std::unique_ptr<storage::Database> database, Epochs& epochs,
                         const KeyRing& keys, Random& random)
    : database_(std::move(database)), epochs_(epochs), keys_(keys), random_(random) {}

Result<std::unique_ptr<PersonStore>> PersonStore::open(std::unique_ptr<storage::Database> database,
                                                       Epochs& epochs, const KeyRing& keys,
                                                       Random& random) {
    std::unique_ptr<PersonStore> store(new PersonStore(std::move(database), epochs, keys, random));
    CLOISON_TRY_STATUS(store->load());
    return store;
}

Status PersonStore::load() {
    const auto row = database_->read_result<Row>([](Transaction& transaction) {
        return transaction.query_one(
            "SELECT epoch, persons, next, open_block FROM tally WHERE id = 1", {});
    });
    if (!row) return fail(row.error());
    count_ = static_cast<std::uint64_t>(row->integer(1));
    next_ = static_cast<std::uint64_t>(row->integer(2));
    CLOISON_TRY_STATUS(load_epoch(static_cast<std::uint32_t>(row->integer(0))));
    return load_pool(static_cast<std::uint32_t>(row->integer(3)));
}

Status PersonStore::load_epoch(std::uint32_t stored) {
    if (stored == 0) {
        if (epochs_.newest() == 0)
            CLOISON_TRY_STATUS(epochs_.create(1));
        else
            CLOISON_TRY_STATUS(epochs_.write_again(epochs_.newest()));
        return use_epoch(epochs_.newest());
    }
    epoch_ = stored;
    // A rotation that goes on from here wraps everybody under the newest.
    if (epochs_.newest() > stored) CLOISON_TRY_STATUS(epochs_.write_again(epochs_.newest()));
    if (epochs_.wrapping(stored)) return {};
    const std::string number = std::to_string(stored);
    if (epochs_.newest() > stored)
        return fail(ErrorCode::kCorrupt,
                    "persons.sqlite is from before a rotation: its epoch " + number +
                        " was destroyed, and nobody can open its persons any more. Restore a "
                        "backup that was made after the rotation.");
    return fail(ErrorCode::kCorrupt, "The key of epoch " + number + " is missing (epochs/" +
                                         Epochs::file_name(stored) +
                                         "): restore it from keys.escrow.");
}

Status PersonStore::load_pool(std::uint32_t first) {
    pool_.clear();
    if (first == 0) return {};
    CLOISON_TRY(pool_,
                ordinals_of(database_->read_result<storage::Rows>([&](Transaction& transaction) {
                    return transaction.query(
                        "SELECT ordinal FROM person WHERE ordinal >= $1 AND ordinal < $2 "
                        "AND substr(wrapped, 1, 4) = $3",
                        {std::int64_t{first}, std::int64_t{first} + kBlock, number_bytes(kNobody)});
                })));
    shuffle(pool_, random_);
    return {};
}

Result<Bytes> PersonStore::wrap(const Person& person, ByteView key, std::uint32_t epoch) const {
    const auto wrapping = epochs_.wrapping(epoch);
    if (!wrapping) return fail(ErrorCode::kInternal, "The key of the current epoch is not there.");
    Bytes wrapped = number_bytes(epoch);
    const Bytes box = crypto::box_encrypt(*wrapping, key, person_context(person, epoch), random_);
    wrapped.insert(wrapped.end(), box.begin(), box.end());
    return wrapped;
}

Result<Secret> PersonStore::unwrap(const Person& person, ByteView wrapped) const {
    const std::uint32_t epoch = epoch_of(wrapped);
    const auto wrapping = epochs_.wrapping(epoch);
    if (!wrapping)
        return fail(ErrorCode::kCorrupt, "A person's key names an epoch that is not there.");
    auto opened =
        crypto::box_decrypt(*wrapping, wrapped.subspan(kEpochSize), person_context(person, epoch));
    if (!opened) return fail(ErrorCode::kCorrupt, "A person's key does not open.");
    return opened;
}

Result<PersonStore::Allotment> PersonStore::allot(std::uint32_t count) const {
    Allotment out;
    out.epoch = epoch_;
    out.pool = pool_;
    out.next = next_;
    const auto person = [&](std::uint32_t ordinal) {
        std::array<std::uint8_t, 12> noise;
        random_.fill(noise);
        return Person{ordinal, keys_.make_root(ordinal, noise)};
    };
    const auto room = [&] {
        return out.next + kBlock - 1 <= std::numeric_limits<std::uint32_t>::max();
    };
    const auto no_room = [] {
        return fail(ErrorCode::kTooLarge, "The keeper has no ordinals left.");
    };
    // Whole blocks need no row for later.
    for (; count >= kBlock; count -= kBlock) {
        if (!room()) return no_room();
        for (std::uint32_t i = 0; i < kBlock; ++i)
            out.made.push_back(person(static_cast<std::uint32_t>(out.next++)));
    }
    for (; count > 0 && !out.pool.empty(); --count) {
        out.filled.push_back(person(out.pool.back()));
        out.pool.pop_back();
    }
    if (count > 0) {
        if (!room()) return no_room();
        out.new_block = static_cast<std::uint32_t>(out.next);
        for (std::uint32_t i = 0; i < kBlock; ++i)
            out.pool.push_back(static_cast<std::uint32_t>(out.next++));
        shuffle(out.pool, random_);
        for (; count > 0; --count) {
            out.made.push_back(person(out.pool.back()));
            out.pool.pop_back();
        }
        out.blank = out.pool;
    }
    const auto by_ordinal = [](const Person& a, const Person& b) { return a.ordinal < b.ordinal; };
    std::sort(out.filled.begin(), out.filled.end(), by_ordinal);
    std::sort(out.made.begin(), out.made.end(), by_ordinal);
    std::sort(out.blank.begin(), out.blank.end());
    return out;
}

Status PersonStore::store(Transaction& transaction, const Allotment& allotment) const {
    const auto wrapped_key = [&](const Person& person) {
        return wrap(person, crypto::PersonKey::random(random_).view(), allotment.epoch);
    };
    const auto insert = [&](std::uint32_t ordinal, ByteView root, Bytes wrapped) {
        return transaction.execute(
            "INSERT INTO person (ordinal, root, wrapped) VALUES ($1, $2, $3)",
            {std::int64_t{ordinal}, storage::blob(root), std::move(wrapped)});
    };
    for (const auto& person : allotment.filled) {
        CLOISON_TRY(auto wrapped, wrapped_key(person));
        CLOISON_TRY(
            const auto changed,
            transaction.execute("UPDATE person SET root = $2, wrapped = $3 "
                                "WHERE ordinal = $1 AND substr(wrapped, 1, 4) = $4",
                                {std::int64_t{person.ordinal}, storage::blob(person.root.view()),
                                 std::move(wrapped), number_bytes(kNobody)}));
        if (changed != 1)
            return fail(ErrorCode::kCorrupt, "A row that was made ahead is not there any more.");
    }
    // In the order of the table, so that its pages fill up one after another.
    auto blank = allotment.blank.begin();
    const auto insert_blanks = [&](std::uint64_t before) -> Status {
        for (; blank != allotment.blank.end() && *blank < before; ++blank)
            CLOISON_TRY_STATUS(insert(*blank, Bytes(RootId::kSize), Bytes(kWrappedSize)));
        return {};
    };
    for (const auto& person : allotment.made) {
        CLOISON_TRY_STATUS(insert_blanks(person.ordinal));
        CLOISON_TRY(auto wrapped, wrapped_key(person));
        CLOISON_TRY_STATUS(insert(person.ordinal, person.root.view(), std::move(wrapped)));
    }
    CLOISON_TRY_STATUS(insert_blanks(std::numeric_limits<std::uint64_t>::max()));
    CLOISON_TRY_STATUS(transaction.execute(
        "UPDATE tally SET persons = persons + $1, renewed = renewed + $1, next = $2, "
        "open_block = CASE WHEN $3 = 0 THEN open_block ELSE $3 END WHERE id = 1",
        {std::int64_t{allotment.count()}, signed_of(allotment.next),
         std::int64_t{allotment.new_block}}));
    return {};
}

Result<std::vector<Person>> PersonStore::enroll(std::uint32_t count) {
    if (count < 1 || count > kMaxEnrolment)
        return fail(ErrorCode::kInvalidArgument, "An enrolment makes 1 to 10,000 persons.");
    const std::lock_guard lock(enrolment_);
    CLOISON_TRY(auto allotment, allot(count));
    CLOISON_TRY_STATUS(
        database_->write([&](Transaction& transaction) { return store(transaction, allotment); }));
    next_ = allotment.next;
    pool_ = std::move(allotment.pool);
    count_ += count;
    // Who asked for many learns them in random order too.
    std::vector<Person> persons = std::move(allotment.made);
    persons.insert(persons.end(), allotment.filled.begin(), allotment.filled.end());
    for (std::size_t i = persons.size(); i > 1; --i)
        std::swap(persons[i - 1], persons[random_.uniform(i)]);
    return persons;
}

Result<crypto::PersonKey> PersonStore::key(const Person& person) const {
    CLOISON_TRY(auto found, keys({person}));
    return std::move(found.front());
}

Result<std::vector<Result<crypto::PersonKey>>> PersonStore::keys(
    const std::vector<Person>& persons) const {
    if (persons.size() > kMaxEnrolment)
        return fail(ErrorCode::kInvalidArgument, "At most 10,000 persons are looked up at once.");
    CLOISON_TRY(auto rows, rows_of(persons));
    std::vector<Result<crypto::PersonKey>> found;
    found.reserve(persons.size());
    for (std::size_t i = 0; i < persons.size(); ++i) {
        if (rows[i] && is_under_gone_epoch(*rows[i])) {
            // A rotation came to its end between the reading and this.
            CLOISON_TRY(auto again, rows_of({persons[i]}));
            rows[i] = std::move(again.front());
        }
        if (rows[i])
            found.push_back(key_in(*rows[i], persons[i]));
        else
            found.emplace_back(no_such_person());
    }
    return found;
}

Result<std::vector<std::optional<Row>>> PersonStore::rows_of(
    const std::vector<Person>& persons) const {
    std::vector<std::optional<Row>> rows(persons.size());
    const auto looked_up = database_->read([&](Transaction& transaction) -> Status {
        for (std::size_t i = 0; i < persons.size(); ++i) {
            CLOISON_TRY(auto row,
                        transaction.query("SELECT root, wrapped FROM person WHERE ordinal = $1",
                                          {std::int64_t{persons[i].ordinal}}));
            rows[i].reset();
            if (!row.empty()) rows[i] = std::move(row.front());
        }
        return {};
    });
    CLOISON_TRY_STATUS(looked_up);
    return rows;
}

bool PersonStore::is_under_gone_epoch(const Row& row) const {
    if (row.is_null(1)) return false;
    const auto epoch = epoch_of(row.bytes(1));
    return epoch != kNobody && !epochs_.wrapping(epoch);
}

Result<crypto::PersonKey> PersonStore::key_in(const Row& row, const Person& person) const {
    if (!equal_constant_time(row.bytes(0), person.root.view()) || row.is_null(1) ||
        epoch_of(row.bytes(1)) == kNobody)
        return no_such_person();
    CLOISON_TRY(const auto opened, unwrap(person, row.bytes(1)));
    return crypto::PersonKey::from_bytes(opened.view());
}

Result<std::vector<std::optional<Person>>> PersonStore::find(
    const std::vector<std::uint32_t>& ordinals) const {
    if (ordinals.size() > kMaxEnrolment)
        return fail(ErrorCode::kInvalidArgument, "At most 10,000 persons are looked up at once.");
    std::vector<std::optional<Person>> found(ordinals.size());
    const auto looked_up = database_->read([&](Transaction& transaction) -> Status {
        for (std::size_t i = 0; i < ordinals.size(); ++i) {
            CLOISON_TRY(auto rows,
                        transaction.query("SELECT root FROM person WHERE ordinal = $1 "
                                          "AND wrapped IS NOT NULL AND substr(wrapped, 1, 4) <> $2",
                                          {std::int64_t{ordinals[i]}, number_bytes(kNobody)}));
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
    CLOISON_TRY(const auto erased, erase(std::vector<Person>{person}));
    if (erased == 0) return no_such_person();
    return {};
}

Result<std::uint64_t> PersonStore::erase(const std::vector<Person>& persons) {
    auto erased = database_->write_result<std::uint64_t>(
        [&](Transaction& transaction) -> Result<std::uint64_t> {
            std::uint64_t count = 0;
            for (const auto& person : persons) {
                CLOISON_TRY(const bool was_there, erase_row(transaction, person));
                count += was_there;
            }
            return count;
        });
    if (!erased || *erased == 0) return erased;
    count_ -= *erased;
    compaction_due_ = true;
    if (auto status = compact(); !status && !status.error().retryable())
        return fail(status.error());
    return erased;
}

Result<bool> PersonStore::erase_row(Transaction& transaction, const Person& person) {
    CLOISON_TRY(
        const auto rows,
        transaction.query("SELECT wrapped FROM person WHERE ordinal = $1 AND root = $2 "
                          "AND wrapped IS NOT NULL",
                          {std::int64_t{person.ordinal}, storage::blob(person.root.view())}));
    if (rows.empty() || epoch_of(rows[0].bytes(0)) == kNobody) return false;
    CLOISON_TRY_STATUS(transaction.execute("UPDATE person SET wrapped = NULL WHERE ordinal = $1",
                                           {std::int64_t{person.ordinal}}));
    CLOISON_TRY_STATUS(transaction.execute(
        "UPDATE tally SET persons = persons - 1, "
        "renewed = renewed - CASE WHEN epoch = $1 THEN 1 ELSE 0 END WHERE id = 1",
        {std::int64_t{epoch_of(rows[0].bytes(0))}}));
    return true;
}

Status PersonStore::compact() {
    if (!compaction_due_.exchange(false)) return {};
    auto status = database_->compact_log();
    if (!status) compaction_due_ = true;
    return status;
}

Status PersonStore::retire(std::uint32_t highest) {
    const std::lock_guard lock(enrolment_);
    const std::uint64_t next = std::max<std::uint64_t>(next_, std::uint64_t{highest} + 1);
    const auto retired = database_->write([&](Transaction& transaction) -> Status {
        for (const std::uint32_t ordinal : pool_)
            CLOISON_TRY_STATUS(transaction.execute(
                "UPDATE person SET wrapped = NULL WHERE ordinal = $1", {std::int64_t{ordinal}}));
        CLOISON_TRY_STATUS(transaction.execute(
            "UPDATE tally SET next = $1, open_block = 0 WHERE id = 1", {signed_of(next)}));
        return {};
    });
    CLOISON_TRY_STATUS(retired);
    pool_.clear();
    next_ = next;
    return {};
}

Result<bool> PersonStore::knows(std::uint32_t ordinal) const {
    return database_->read_result<bool>([&](Transaction& transaction) -> Result<bool> {
        CLOISON_TRY(const auto rows,
                    transaction.query("SELECT ordinal FROM person WHERE ordinal = $1 AND "
                                      "(wrapped IS NULL OR substr(wrapped, 1, 4) <> $2)",
                                      {std::int64_t{ordinal}, number_bytes(kNobody)}));
        return !rows.empty();
    });
}

Result<PersonStore::Progress> PersonStore::progress() const {
    return database_->read_result<Progress>([](Transaction& transaction) -> Result<Progress> {
        CLOISON_TRY(const auto row,
                    transaction.query_one("SELECT renewed, persons FROM tally WHERE id = 1", {}));
        return Progress{static_cast<std::uint64_t>(row.integer(0)),
                        static_cast<std::uint64_t>(row.integer(1))};
    });
}

Status PersonStore::use_epoch(std::uint32_t number) {
    const std::lock_guard lock(enrolment_);
    if (!epochs_.wrapping(number))
        return fail(ErrorCode::kNotFound, "There is no key of that epoch.");
    CLOISON_TRY_STATUS(database_->write([&](Transaction& transaction) -> Status {
        CLOISON_TRY_STATUS(
            transaction.execute("UPDATE tally SET epoch = $1, renewed = 0, passed = 0 WHERE id = 1",
                                {std::int64_t{number}}));
        return {};
    }));
    epoch_ = number;
    return {};
}

Result<bool> PersonStore::rewrap_row(Transaction& transaction, const Row& row) const {
    if (row.is_null(2)) return false;
    const std::uint32_t epoch = epoch_of(row.bytes(2));
    if (epoch == kNobody || epoch == epoch_) return false;
    CLOISON_TRY(const auto root, RootId::from_bytes(row.bytes(1)));
    const Person person{static_cast<std::uint32_t>(row.integer(0)), root};
    auto key = unwrap(person, row.bytes(2));
    if (!key)
        return fail(ErrorCode::kCorrupt, "The key of person " + std::to_string(person.ordinal) +
                                             " (epoch " + std::to_string(epoch) +
                                             ") does not open: restore the person's row.");
    CLOISON_TRY(auto wrapped, wrap(person, key->view(), epoch_));
    CLOISON_TRY_STATUS(transaction.execute("UPDATE person SET wrapped = $2 WHERE ordinal = $1",
                                           {std::int64_t{person.ordinal}, std::move(wrapped)}));
    return true;
}

Result<PersonStore::Rewrapped> PersonStore::rewrap_next(std::size_t limit) {
    const auto rewrap = [&](Transaction& transaction) -> Result<Rewrapped> {
        CLOISON_TRY(const auto tally,
                    transaction.query_one("SELECT passed FROM tally WHERE id = 1", {}));
        CLOISON_TRY(const auto rows,
                    transaction.query("SELECT ordinal, root, wrapped FROM person "
                                      "WHERE ordinal > $1 AND wrapped IS NOT NULL "
                                      "AND substr(wrapped, 1, 4) <> $2 "
                                      "AND substr(wrapped, 1, 4) <> $3 ORDER BY ordinal LIMIT $4",
                                      {tally.integer(0), number_bytes(epoch_),
                                       number_bytes(kNobody), signed_of(limit)}));
        std::int64_t renewed = 0;
        for (const auto& row : rows) {
            CLOISON_TRY(const bool moved, rewrap_row(transaction, row));
            renewed += moved;
        }
        if (!rows.empty())
            CLOISON_TRY_STATUS(transaction.execute(
                "UPDATE tally SET renewed = renewed + $1, passed = $2 WHERE id = 1",
                {renewed, rows.back().integer(0)}));
        return Rewrapped{static_cast<std::size_t>(renewed), rows.size() < limit};
    };
    return database_->write_result<Rewrapped>(rewrap);
}

Result<std::uint32_t> PersonStore::left_behind() {
    // Slice by slice, so that no reading keeps the database's log from being emptied for long.
    constexpr std::int64_t kSlice = 100'000;
    std::int64_t end = 0;
    {
        const std::lock_guard lock(enrolment_);
        end = signed_of(next_);
    }
    for (std::int64_t first = 0; first < end; first += kSlice) {
        const auto rows = database_->read_result<storage::Rows>([&](Transaction& transaction) {
            return transaction.query(
                "SELECT ordinal, wrapped FROM person WHERE ordinal >= $1 AND ordinal < $2 "
                "AND wrapped IS NOT NULL AND substr(wrapped, 1, 4) <> $3 "
                "AND substr(wrapped, 1, 4) <> $4 ORDER BY ordinal LIMIT 1",
                {first, first + kSlice, number_bytes(epoch_), number_bytes(kNobody)});
        });
        if (!rows) return fail(rows.error());
        if (rows->empty()) continue;
        CLOISON_TRY_STATUS(database_->write([&](Transaction& transaction) -> Status {
            CLOISON_TRY_STATUS(transaction.execute("UPDATE tally SET passed = $1 WHERE id = 1",
                                                   {rows->front().integer(0) - 1}));
            return {};
        }));
        return epoch_of(rows->front().bytes(1));
    }
    return 0;
}

Result<std::uint64_t> PersonStore::check_all(
    const std::function<void(std::uint64_t, std::uint64_t)>& progress) const {
    constexpr std::int64_t kSlice = 10'000;
    std::int64_t end = 0;
    {
        const std::lock_guard lock(enrolment_);
        end = signed_of(next_);
    }
    std::uint64_t opened = 0;
    for (std::int64_t first = 0; first < end; first += kSlice) {
        const auto rows = database_->read_result<storage::Rows>([&](Transaction& transaction) {
            return transaction.query(
                "SELECT ordinal, root, wrapped FROM person WHERE ordinal >= $1 AND ordinal < $2 "
                "AND wrapped IS NOT NULL",
                {first, first + kSlice});
        });
        if (!rows) return fail(rows.error());
        for (const auto& row : *rows) {
            if (epoch_of(row.bytes(2)) == kNobody) continue;
            CLOISON_TRY(const auto root, RootId::from_bytes(row.bytes(1)));
            const Person person{static_cast<std::uint32_t>(row.integer(0)), root};
            if (keys_.person_of(root).ordinal != person.ordinal || !unwrap(person, row.bytes(2)))
                return fail(
                    ErrorCode::kCorrupt,
                    "The key of person " + std::to_string(person.ordinal) + " does not open.");
            ++opened;
        }
        progress(static_cast<std::uint64_t>(std::min(first + kSlice, end) - 1),
                 static_cast<std::uint64_t>(end - 1));
    }
    return opened;
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
