#include "base/random.h"

#include <errno.h>
#include <sys/random.h>

#include <array>
#include <cstdlib>

#include "base/bytes.h"

namespace cloison {
namespace {

class SystemRandom : public Random {
  public:
    void fill(std::span<std::uint8_t> out) override {
        while (!out.empty()) {
            const ssize_t got = getrandom(out.data(), out.size(), 0);
            if (got < 0 && errno == EINTR) continue;
            if (got <= 0) std::abort();
            out = out.subspan(static_cast<std::size_t>(got));
        }
    }
};

}  // namespace

std::uint64_t Random::uniform(std::uint64_t bound) {
    if (bound == 0) std::abort();
    // Values below 2^64 mod bound are drawn again: the rest divides evenly.
    const std::uint64_t lowest = (0 - bound) % bound;
    for (;;) {
        std::array<std::uint8_t, 8> bytes;
        fill(bytes);
        const std::uint64_t value = get_u64(bytes);
        if (value >= lowest) return value % bound;
    }
}

Random& system_random() {
    static SystemRandom random;
    return random;
}

}  // namespace cloison
