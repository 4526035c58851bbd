#pragma once

#include <atomic>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <vector>

#include "base/random.h"
#include "keeper/epochs.h"
#include "keeper/key_ring.h"
#include "storage/database.h"

namespace cloison::keeper {

/// What is said of a person who never was and of one who is erased alike.
tl::unexpected<Error> no_such_person();

/// Persons and their keys, docs/formats/keeper-store.md. A person key is random and stored only
/// under the key of its epoch: erasing the wrapped key erases the person. Any thread may call.
class PersonStore {
  public:
    static constexpr std::uint32_t kMaxEnrolment = 10'000;
    /// Ordinals are made ahead in blocks of so many and handed out in random order within a block.
    static constexpr std::uint32_t kBlock = 16'384;

    /// Makes the first epoch key if the store is new. kCorrupt if the keys of the store's epoch are
    /// gone. `epochs`, `keys` and `random` must outlive the store.
    static Result<std::unique_ptr<PersonStore>> open(std::unique_ptr<storage::Database> database,
                                                     Epochs& epochs, const KeyRing& keys,
                                                     Random& random);

    /// Makes `count` persons (1 to kMaxEnrolment) in one transaction, in no telling order.
    Result<std::vector<Person>> enroll(std::uint32_t count);
    /// The person's key. kNotFound for one that never was or is erased, without telling which;
    /// kCorrupt if the row was changed.
    Result<crypto::PersonKey> key(const Person& person) const;
    /// The same for many (at most kMaxEnrolment), read at one moment.
    Result<std::vector<Result<crypto::PersonKey>>> keys(const std::vector<Person>& persons) const;
    /// The persons of these ordinals (at most kMaxEnrolment), nothing where there is none.
    Result<std::vector<std::optional<Person>>> find(
        const std::vector<std::uint32_t>& ordinals) const;
    /// Destroys the wrapped key, then tries compact(). kNotFound as for key().
    Status erase(const Person& person);
    /// The same for many, in one transaction, whoever of them is there; returns how many were.
    Result<std::uint64_t> erase(const std::vector<Person>& persons);

    std::uint32_t epoch() const { return epoch_.load(); }  ///< For new keys and sealed values.
    std::uint64_t count() const { return count_.load(); }  ///< Persons that are not erased.

    /// Empties the database's log if an erasure still may be read there. kUnavailable while the
    /// snapshot before it is being read: call again.
    Status compact();

    /// What a newer journal says of a store that was restored: ordinals up to `highest` may have
    /// been somebody and are never handed out again.
    Status retire(std::uint32_t highest);
    /// True if the row is there and was handed out, also if it is erased by now.
    Result<bool> knows(std::uint32_t ordinal) const;

    // Rotation: one thread at a time.
    struct Progress {
        std::uint64_t done = 0;   ///< Persons under epoch().
        std::uint64_t total = 0;  ///< Persons that are not erased.
    };
    Result<Progress> progress() const;
    /// Enrols in this epoch from now on, whose key must be there; nobody is under it yet.
    Status use_epoch(std::uint32_t number);
    struct Rewrapped {
        std::size_t persons = 0;  ///< Moved to epoch().
        bool last = false;        ///< Every row is passed.
    };
    /// Wraps the keys of the next at most `limit` persons anew, in one transaction. kCorrupt naming
    /// the first that does not open; nothing changes then.
    Result<Rewrapped> rewrap_next(std::size_t limit);
    /// An epoch other than epoch() that some person is under; 0 if there is none. Reads every row,
    /// and has rewrap_next begin again at the first such row.
    Result<std::uint32_t> left_behind();

    /// For the tables beside those of persons.
    storage::Database& database() { return *database_; }

    /// Opens the key of every person; returns how many there are. kCorrupt naming the first that
    /// does not open. `progress` is told ordinals looked at and in all.
    Result<std::uint64_t> check_all(
        const std::function<void(std::uint64_t, std::uint64_t)>& progress) const;

    /// For tables beside those of persons.
    storage::Database& database() const { return *database_; }

    /// A small value by name; empty if there is none.
    Result<Bytes> setting(std::string_view name) const;
    Status set_setting(std::string_view name, ByteView content);

  private:
    struct Allotment;

    PersonStore(std::unique_ptr<storage::Database> database, Epochs& epochs, const KeyRing& keys,
                Random& random);
    Status load();
    Status load_epoch(std::uint32_t stored);
    Status load_pool(std::uint32_t first);
    Result<Allotment> allot(std::uint32_t count) const;
    Status store(storage::Transaction& transaction, const Allotment& allotment) const;
    Result<std::vector<std::optional<storage::Row>>> rows_of(
        const std::vector<Person>& persons) const;
    bool is_under_gone_epoch(const storage::Row& row) const;
    Result<crypto::PersonKey> key_in(const storage::Row& row, const Person& person) const;
    Result<Bytes> wrap(const Person& person, ByteView key, std::uint32_t epoch) const;
    Result<Secret> unwrap(const Person& person, ByteView wrapped) const;
    static Result<bool> erase_row(storage::Transaction& transaction, const Person& person);
    Result<bool> rewrap_row(storage::Transaction& transaction, const storage::Row& row) const;

    std::unique_ptr<storage::Database> database_;
    Epochs& epochs_;
    const KeyRing& keys_;
    Random& random_;
    mutable std::mutex enrolment_;     ///< Guards what follows up to pool_.
    std::uint64_t next_ = 1;           ///< The first ordinal without a row.
    std::vector<std::uint32_t> pool_;  ///< What is left of the open block, in random order.
    std::atomic<std::uint32_t> epoch_{0};
    std::atomic<std::uint64_t> count_{0};
    std::atomic<bool> compaction_due_{true};
};

}  // namespace cloison::keeper
