// The door through which libFuzzer calls the one target that is linked with it.
#include <cstddef>
#include <cstdint>

#include "target.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    cloison::fuzz::targets().front().run({data, size});
    return 0;
}
