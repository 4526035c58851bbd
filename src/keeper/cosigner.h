#pragma once

#include <condition_variable>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "base/file_system.h"
#include "base/time.h"
#include "journal/journal.h"
#include "journal/witness_client.h"

namespace cloison::keeper {

/// A checkpoint of the journal with the signatures of witnesses under it; empty if there is none.
struct CosignedCheckpoint {
    std::string note;
    std::uint64_t size = 0;
};
inline constexpr const char* kCosignedFile = "checkpoint.cosigned";
/// Reads checkpoint.cosigned from the journal's directory. kCorrupt, saying what it means, if it
/// covers more lines than the journal has or other lines: then the journal was rolled back or
/// rewritten after witnesses saw it.
Result<CosignedCheckpoint> read_cosigned(FileSystem& files, const Path& journal_directory,
                                         const journal::Journal& journal);

/// Has the journal's checkpoints cosigned by witnesses, in the background and beside everything
/// else: no disclosure waits for it. A round publishes the journal, asks all witnesses at once, and
/// where enough of them cosign stores the checkpoint with their signatures in checkpoint.cosigned.
///
/// A round begins at most every `interval`, if lines were added, and once after the start in any
/// case. A witness that fails is asked again after `interval`, doubled each time up to a minute.
class Cosigner {
  public:
    static constexpr std::size_t kMaxWitnesses = 16;
    static constexpr Duration kMaxBackoff{60'000};

    struct Options {
        std::vector<journal::WitnessAddress> witnesses;  ///< At most kMaxWitnesses.
        std::size_t quorum = 0;  ///< So many must cosign; at least 1 if there are witnesses.
        Duration interval{10'000};
        Duration timeout{4'000};       ///< For one request to one witness.
        std::string ca_file{};         ///< As net::HttpClientLimits has it.
        Duration warn_after{300'000};  ///< A line that waits longer for witnesses is a warning.
        bool in_background = true;     ///< Otherwise only tick() does anything; for tests.
        /// Instead of HTTP; for tests.
        std::function<journal::WitnessClient(const journal::WitnessAddress&)> connect;
    };
    /// Told once for each cause and witness, until it agrees again: "journal rolled back" where a
    /// witness has cosigned more lines than there are, "witness disagrees" where it has cosigned
    /// others.
    using Alarm = std::function<Status(std::string_view cause)>;

    /// What it is given must outlive it. `last` is what read_cosigned gave.
    Cosigner(Options options, CosignedCheckpoint last, const Path& journal_directory,
             journal::Journal& journal, FileSystem& files, const Clock& clock, Alarm alarm);
    ~Cosigner();
    Cosigner(const Cosigner&) = delete;
    Cosigner& operator=(const Cosigner&) = delete;

    struct State {
        std::uint64_t witnessed_entries = 0;  ///< Covered by the last one that enough cosigned.
        Time witnessed_at;                    ///< When enough had; 0: never.
        std::size_t witnesses = 0;
        std::size_t needed = 0;
        std::string warning;  ///< Empty if all is well.
    };
    State state() const;
    /// The newest checkpoint that enough witnesses cosigned, if it covers the entry.
    std::optional<std::string> covering(std::uint64_t index) const;

    /// Begins a round if one is due; waits for it. One thread at a time; the background thread does
    /// this every second.
    void tick();

  private:
    struct Witness;
    struct Round;
    bool due(Time now) const;
    Status run_round(Time now);
    Result<Round> prepare() const;
    void ask(const Round& round, Time now, std::vector<std::size_t>& asked,
             std::vector<journal::WitnessAnswer>& answers);
    void judge(Witness& witness, const journal::WitnessAnswer& answer, Time now);
    Status store(const Round& round, const std::vector<journal::WitnessAnswer>& answers);
    void adopt(CosignedCheckpoint checkpoint);
    std::string warning_locked() const;
    void warn(Time now);
    void run();

    const Options options_;
    const Path directory_;
    journal::Journal& journal_;
    FileSystem& files_;
    const Clock& clock_;
    const Alarm alarm_;

    // Of the thread that ticks.
    std::vector<std::unique_ptr<Witness>> witnesses_;
    bool first_ = true;
    std::string failure_;  ///< Of the last round, already told.
    Time not_before_;
    Time next_warning_;

    mutable std::mutex mutex_;
    CosignedCheckpoint last_;  ///< That enough witnesses cosigned.
    Time witnessed_at_;
    std::string trouble_;  ///< What witnesses object to, and what keeps rounds from happening.
    bool stopping_ = false;
    std::condition_variable stop_;
    std::thread background_;
};

}  // namespace cloison::keeper
