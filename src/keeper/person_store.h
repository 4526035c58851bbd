#pragma once

#include <atomic>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <vector>

#include "base/random.h"
#include "keeper/key_ring.h"
#include "storage/database.h"

namespace cloison::keeper {

/// Persons and their keys, docs/formats/keeper-store.md. A person key is random and stored only
/// under the key of its epoch: erasing the wrapped key erases the person. Any thread may call.
class PersonStore {
  public:
    static constexpr std::uint32_t kMaxEnrolment = 10'000;

    /// Makes the first epoch key if there is none. `keys` and `random` must outlive the store.
    static Result<std::unique_ptr<PersonStore>> open(std::unique_ptr<storage::Database> database,
                                                     const KeyRing& keys, Random& random);

    /// Makes `count` persons (1 to kMaxEnrolment) in one transaction.
    Result<std::vector<Person>> enroll(std::uint32_t count);
    /// The person's key. kNotFound for one that never was or is erased, without telling which;
    /// kCorrupt if the row was changed.
    Result<crypto::PersonKey> key(const Person& person) const;
    /// The persons of these ordinals (at most kMaxEnrolment), nothing where there is none.
    Result<std::vector<std::optional<Person>>> find(
        const std::vector<std::uint32_t>& ordinals) const;
    /// Destroys the wrapped key. kNotFound as for key().
    Status erase(const Person& person);

    std::uint32_t epoch() const { return epoch_; }         ///< For new keys and sealed values.
    std::uint64_t count() const { return count_.load(); }  ///< Persons that are not erased.

    /// A small value by name; empty if there is none.
    Result<Bytes> setting(std::string_view name) const;
    Status set_setting(std::string_view name, ByteView content);

  private:
    PersonStore(std::unique_ptr<storage::Database> database, const KeyRing& keys, Random& random);
    Status load();
    Status load_epochs(storage::Transaction& transaction);
    Status insert(storage::Transaction& transaction, const Person& person) const;

    std::unique_ptr<storage::Database> database_;
    const KeyRing& keys_;
    Random& random_;
    std::map<std::uint32_t, crypto::BoxKey> epoch_keys_;
    std::uint32_t epoch_ = 1;
    std::mutex enrolment_;  ///< Guards next_: ordinals are dense.
    std::uint64_t next_ = 1;
    std::atomic<std::uint64_t> count_{0};
};

}  // namespace cloison::keeper
