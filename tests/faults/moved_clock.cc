// Preloaded into a process: CLOCK_REALTIME is as many milliseconds ahead as MOVED_CLOCK, a file of
// one signed 64-bit number in the machine's byte order, says when it is asked. Other clocks are not
// touched, so that waiting takes as long as ever. A file that is missing ends the process.

#include <dlfcn.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include <atomic>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <ctime>

namespace {

using Offset = std::atomic<std::int64_t>;

const Offset* map_offset() {
    const char* path = std::getenv("MOVED_CLOCK");
    const int file = path == nullptr ? -1 : ::open(path, O_RDONLY | O_CLOEXEC);
    void* mapped =
        file < 0 ? MAP_FAILED : ::mmap(nullptr, sizeof(Offset), PROT_READ, MAP_SHARED, file, 0);
    if (file >= 0) ::close(file);
    if (mapped == MAP_FAILED) {
        std::fprintf(stderr, "moved_clock: MOVED_CLOCK names no file that can be mapped\n");
        std::_Exit(2);
    }
    return static_cast<const Offset*>(mapped);
}

}  // namespace

extern "C" int clock_gettime(clockid_t clock, timespec* time) noexcept {
    using Real = int (*)(clockid_t, timespec*);
    static const Real real = reinterpret_cast<Real>(::dlsym(RTLD_NEXT, "clock_gettime"));
    const int result = real(clock, time);
    if (result != 0 || clock != CLOCK_REALTIME) return result;
    static const Offset* const offset = map_offset();
    const std::int64_t ms = offset->load();
    time->tv_sec += ms / 1000;
    time->tv_nsec += ms % 1000 * 1'000'000;
    if (time->tv_nsec >= 1'000'000'000) {
        time->tv_nsec -= 1'000'000'000;
        ++time->tv_sec;
    }
    return 0;
}
