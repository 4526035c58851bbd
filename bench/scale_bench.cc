// Enrolment of a country: makes N persons over real RPC in batches of 10,000, and prints how long
// it took, what lies on disk, and how much memory the keeper has, also after it was started anew.
//
//   scale_bench PERSONS [DIRECTORY]     default 1,000,000, in a temporary directory

#include <charconv>
#include <cstring>
#include <filesystem>
#include <fstream>

#include "bench/keeper_servers.h"

using namespace cloison;
using namespace cloison::bench;

namespace {

constexpr std::uint32_t kBatch = 10'000;

/// A line of /proc/self/status, in bytes.
std::uint64_t memory(const char* name) {
    std::ifstream status("/proc/self/status");
    std::string line;
    while (std::getline(status, line)) {
        if (!line.starts_with(name)) continue;
        std::uint64_t kib = 0;
        const auto digits = line.find_first_of("0123456789");
        std::from_chars(line.data() + digits, line.data() + line.size(), kib);
        return kib * 1024;
    }
    std::exit(1);
}

std::uint64_t bytes_below(const Path& directory) {
    std::uint64_t bytes = 0;
    for (const auto& entry : std::filesystem::recursive_directory_iterator(directory))
        if (entry.is_regular_file()) bytes += entry.file_size();
    return bytes;
}

void print(const nlohmann::json& figure) {
    std::printf("%s\n", figure.dump().c_str());
    std::fflush(stdout);
}

}  // namespace

int main(int argc, char** argv) {
    std::uint64_t persons = 1'000'000;
    if (argc > 1) {
        const char* end = argv[1] + std::strlen(argv[1]);
        const auto parsed = std::from_chars(argv[1], end, persons);
        if (parsed.ec != std::errc() || parsed.ptr != end || persons < kBatch) {
            std::fprintf(stderr, "usage: scale_bench PERSONS   (a number from 10000)\n");
            return 2;
        }
    }
    crypto::initialize();
    Servers servers;
    const auto portal = servers.client("portal");
    keeper::v1::EnrollRequest enroll;
    enroll.set_count(kBatch);
    const auto began = SteadyClock::now();
    std::uint64_t made = 0;
    double worst_ms = 0;
    for (; made < persons; made += kBatch) {
        const auto start = SteadyClock::now();
        must(portal.enroll(enroll), "enroll");
        worst_ms = std::max(worst_ms, seconds_since(start) * 1000);
    }
    const double seconds = seconds_since(began);
    print({{"figure", "enrolment"},
           {"persons", made},
           {"seconds", seconds},
           {"per_second", static_cast<double>(made) / seconds},
           {"slowest_batch_ms", worst_ms},
           {"disk_bytes", bytes_below(servers.keeper_directory())},
           {"memory_bytes", memory("VmRSS")},
           {"peak_memory_bytes", memory("VmHWM")}});

    const auto restart = SteadyClock::now();
    servers.restart_keeper();
    print({{"figure", "start"}, {"persons", made}, {"seconds", seconds_since(restart)}});
    return 0;
}
