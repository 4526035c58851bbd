#pragma once

#include <condition_variable>
#include <functional>
#include <mutex>
#include <optional>
#include <string>
#include <thread>

#include "keeper/epochs.h"
#include "keeper/erasure.h"
#include "keeper/person_store.h"
#include "keeper/recorder.h"

namespace cloison::keeper {

/// The change to a new epoch key: key file, line in the journal, new persons under it, then every
/// other person's key in batches, and at last the destruction of the old key and the line that says
/// so. What is under way shows in the files and goes on at the next start. On the same thread it
/// keeps the store's memory of the journal up to date. Any thread may call.
class Rotation {
  public:
    /// What is durable when the step is told; tests stop at each.
    enum class Step { kKeyMade, kLineWritten, kInUse, kBatch, kAllMoved, kKeyDestroyed, kEnded };
    static constexpr std::size_t kBatch = 500;  ///< Rows in one transaction.

    struct Options {
        std::size_t batch = kBatch;
        /// False ends the thread on the spot, as if the process had been killed. For tests.
        std::function<bool(Step)> on_step;
    };
    /// All must outlive it.
    Rotation(Epochs& epochs, PersonStore& persons, Recorder& recorder, JournalMark& mark,
             Options options);
    ~Rotation();
    Rotation(const Rotation&) = delete;
    Rotation& operator=(const Rotation&) = delete;

    /// At start, before anybody is enrolled: the line about the first epoch, if it is not there,
    /// and the thread, which goes on with what is under way.
    Status begin();

    /// Begins a rotation, or goes on with the one that is under way, at no more than pace persons a
    /// second (0: as fast as the store allows). The pace is durable when this returns, and holds
    /// until the next start.
    Status start(std::uint32_t pace);
    void pause();

    struct State {
        std::uint32_t epoch = 0;
        bool running = false;
        PersonStore::Progress progress;
        std::string failure;
    };
    Result<State> state() const;

  private:
    void run();
    bool under_way() const;
    bool may_go_on();
    Status rotate();
    Status renew();
    /// How many persons a batch has at this pace: fewer where the pace is slow, so that it is even.
    std::size_t batch_at(std::uint32_t pace) const;
    Status destroy_old();
    Status announce(std::uint32_t number);
    Status announce_destroyed();
    Status write_line(const std::string& reason);
    void keep_up();
    void reached(Step step);

    Epochs& epochs_;
    PersonStore& persons_;
    Recorder& recorder_;
    JournalMark& mark_;
    const Options options_;

    mutable std::mutex mutex_;
    std::condition_variable wake_;
    bool wanted_ = false;  ///< A new key is to be made.
    bool busy_ = false;
    bool paused_ = false;
    std::uint32_t pace_ = 0;
    bool stopping_ = false;
    bool abandoned_ = false;
    std::string failure_;
    std::thread thread_;
};

}  // namespace cloison::keeper
