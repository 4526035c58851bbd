#include "load_clock.h"

#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>

#include "base/file_system.h"

namespace cloison::faults {
namespace {

class LoadClock : public Clock {
  public:
    Time now() const override { return system_clock().now() + ahead(); }

  private:
    /// Moved on only while no call is under way.
    static Duration ahead() {
        const char* file = std::getenv("MOVED_CLOCK");
        if (file == nullptr) return Duration(0);
        std::int64_t ms = 0;
        const auto bytes = local_file_system().read_file(file, sizeof ms);
        if (!bytes || bytes->size() != sizeof ms) {
            std::fprintf(stderr, "keeper_load: MOVED_CLOCK names no file of eight bytes\n");
            std::_Exit(2);
        }
        std::memcpy(&ms, bytes->data(), sizeof ms);
        return Duration(ms);
    }
};

}  // namespace

Clock& load_clock() {
    static LoadClock clock;
    return clock;
}

}  // namespace cloison::faults
