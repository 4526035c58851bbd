#pragma once

#include <chrono>
#include <cstddef>
#include <deque>
#include <mutex>

namespace cloison::net {

/// Room for so many calls at once. Who finds none waits for it in turn, on its own thread or
/// without one. Any thread may call.
class CallRoom {
  public:
    CallRoom(std::size_t calls, std::size_t max_waiting)
        : free_(calls), max_waiting_(max_waiting) {}

    /// Who waits without a thread.
    class Waiting {
      public:
        /// Has room now. From any thread, also before enter() has returned; must be quick.
        virtual void enter_now() = 0;

      protected:
        ~Waiting() = default;
    };

    enum class Entry { kEntered, kWaiting, kRefused };
    /// kRefused: too many wait. kWaiting: `who` has to live until it is told or forgotten.
    Entry enter(Waiting& who);
    /// False if `who` does not wait: it was told, or is about to be.
    bool forget(Waiting& who);
    /// False if too many wait, or there was no room until then.
    bool enter_until(std::chrono::system_clock::time_point latest);
    /// Whoever has waited longest has the room then.
    void leave();

  private:
    std::mutex mutex_;
    std::size_t free_;
    const std::size_t max_waiting_;
    std::deque<Waiting*> waiting_;
};

}  // namespace cloison::net
