#include "keeper/client/store_generation.h"

#include <algorithm>

#include "base/log.h"
#include "crypto/hash.h"
#include "crypto/pae.h"
#include "keeper/client/generation.h"

namespace cloison::keeper {
namespace {

using storage::blob;
using storage::Transaction;

constexpr Duration kFirstPause{200};
constexpr Duration kLongestPause{10'000};

crypto::HashKey key_from(ByteView service_key) {
    const Secret derived(crypto::derive_bytes(service_key, "cloison/store-generation/v1"));
    return std::move(*crypto::HashKey::from_bytes(derived.view()));
}

}  // namespace

StoreGeneration::StoreGeneration(storage::Database& database, KeeperClient keeper,
                                 ByteView service_key)
    : database_(database), keeper_(std::move(keeper)), key_(key_from(service_key)) {}

StoreGeneration::~StoreGeneration() {
    if (!thread_.joinable()) return;
    {
        const std::lock_guard lock(mutex_);
        stopping_ = true;
    }
    wake_.notify_all();
    thread_.join();
    if (!found_told_) return;
    if (const auto status = step(); !status)
        log_warning("The last generation of the database is not told: " + status.error().message);
}

void StoreGeneration::start(Duration interval) {
    thread_ = std::thread([this, interval] { keep_stepping(interval); });
}

Bytes StoreGeneration::proof_of(std::uint64_t number) const {
    Bytes bytes;
    put_u64(bytes, number);
    return crypto::keyed_hash(key_.view(),
                              crypto::pre_auth_encode({as_bytes("store-generation/v1"), bytes}));
}

/// 0 for none and for one that was not made with this compartment's key.
Result<std::uint64_t> StoreGeneration::read() const {
    return database_.read_result<std::uint64_t>(
        [&](Transaction& transaction) -> Result<std::uint64_t> {
            CLOISON_TRY(const auto rows,
                        transaction.query("SELECT number, proof FROM generation WHERE id = 1", {}));
            if (rows.empty()) return 0;
            const auto number = static_cast<std::uint64_t>(rows[0].integer(0));
            if (number > kMaxGeneration ||
                !equal_constant_time(proof_of(number), rows[0].bytes(1))) {
                log_warning("The number of the database's generation was changed.");
                return 0;
            }
            return number;
        });
}

Status StoreGeneration::advance() {
    const std::uint64_t next = std::max(number_, highest_) + 1;
    const std::uint64_t writes = database_.writes();
    CLOISON_TRY_STATUS(database_.write([&](Transaction& transaction) -> Status {
        CLOISON_TRY_STATUS(transaction.execute(
            "INSERT INTO generation (id, number, proof) VALUES (1, $1, $2) ON CONFLICT (id) DO "
            "UPDATE SET number = excluded.number, proof = excluded.proof",
            {static_cast<std::int64_t>(next), blob(proof_of(next))}));
        return {};
    }));
    number_ = next;
    told_ = false;
    advanced_ = true;
    // The one that has just been made; what others wrote meanwhile makes one more advance due.
    writes_ = writes + 1;
    return {};
}

Status StoreGeneration::tell() {
    v1::ReportGenerationRequest request;
    request.set_generation(number_);
    CLOISON_TRY(const auto answer, keeper_.report_generation(request));
    told_ = true;
    highest_ = answer.highest();
    if (answer.put_back())
        log_warning("The database is older than it was: generation " + std::to_string(number_) +
                    ", and the keeper knows of " + std::to_string(highest_) +
                    ". Somebody put an earlier copy back; what was changed in between is undone.");
    return {};
}

Status StoreGeneration::step() {
    if (!found_told_) {
        // Before anything moves on: a number that grew while nobody listened would hide it.
        CLOISON_TRY(number_, read());
        CLOISON_TRY_STATUS(tell());
        found_told_ = true;
    }
    if (!advanced_ || database_.writes() != writes_) CLOISON_TRY_STATUS(advance());
    if (told_) return {};
    return tell();
}

void StoreGeneration::keep_stepping(Duration interval) {
    Duration pause = kFirstPause;
    bool warned = false;
    std::unique_lock lock(mutex_);
    while (!stopping_) {
        lock.unlock();
        const auto status = step();
        lock.lock();
        if (status) {
            pause = kFirstPause;
            warned = false;
            wake_.wait_for(lock, interval, [&] { return stopping_; });
            continue;
        }
        if (!warned)
            log_warning("The keeper was not told the database's generation yet: " +
                        status.error().message);
        warned = true;
        wake_.wait_for(lock, pause, [&] { return stopping_; });
        pause = std::min(2 * pause, kLongestPause);
    }
}

}  // namespace cloison::keeper
