#pragma once

#include <condition_variable>
#include <cstdint>
#include <mutex>
#include <thread>

#include "crypto/keys.h"
#include "keeper/client/keeper_client.h"
#include "storage/database.h"

namespace cloison::keeper {

/// Lets the keeper see that an older copy of a compartment's database was put back
/// (docs/formats/store-generation.md): the database counts its generations, and the keeper
/// remembers the highest that it was told. First what was found at the start is told, then the
/// database moves on, at the start and from then on whenever it was written since; each time it is
/// durable in the database before the keeper hears of it, so that a crash leaves the database ahead
/// and never behind.
///
/// The database has the table `generation`, and one such object. A database that was put back is a
/// warning in the log here and an alarm in the keeper's journal; the service goes on.
class StoreGeneration {
  public:
    static constexpr Duration kInterval{60'000};

    /// `service_key` is the content of the compartment's service.key: without it nobody can give a
    /// database a higher number. `database` must outlive the object.
    StoreGeneration(storage::Database& database, KeeperClient keeper, ByteView service_key);
    /// If it was started: moves the database on once more, if it was written, and tells the keeper,
    /// with one try.
    ~StoreGeneration();
    StoreGeneration(const StoreGeneration&) = delete;
    StoreGeneration& operator=(const StoreGeneration&) = delete;

    /// Steps on a thread of its own, at once and then every `interval`; a step that failed is tried
    /// again after 0.2 s and up to every 10 s. Once.
    void start(Duration interval);

    /// Does what is due: tells what was found, moves the database on, tells that. What fails stays
    /// due. One thread at a time, and not beside start().
    Status step();

  private:
    Result<std::uint64_t> read() const;
    Status advance();
    Status tell();
    Bytes proof_of(std::uint64_t number) const;
    void keep_stepping(Duration interval);

    storage::Database& database_;
    const KeeperClient keeper_;
    const crypto::HashKey key_;

    bool found_told_ = false;
    std::uint64_t number_ = 0;   ///< Of the database; 0 without one that is authentic.
    std::uint64_t highest_ = 0;  ///< That the keeper knows of.
    bool told_ = false;          ///< The keeper knows `number_`.
    bool advanced_ = false;
    std::uint64_t writes_ = 0;  ///< Of the database, with the last advance.

    std::mutex mutex_;
    std::condition_variable wake_;
    bool stopping_ = false;
    std::thread thread_;
};

}  // namespace cloison::keeper
