#include <sodium.h>

#include <cstdlib>

#include "crypto/keys.h"

namespace cloison::crypto {

void initialize() {
    static const bool started = sodium_init() >= 0;
    if (!started) std::abort();
}

}  // namespace cloison::crypto
