// Enrolment of a country: makes N persons over real RPC in batches of 10,000, and prints how long
// it took, what lies on disk, and how much memory the process has, which is the keeper and its
// caller. A new process then starts the keeper with all of them and opens a value each of 20,000,
// spread over all: it prints its memory after the one and after the other.
//
//   scale_bench [PERSONS [DIRECTORY]]     default 1,000,000, in a temporary directory; one that is
//                                         named must be empty or new, and stays

#include <spawn.h>
#include <sys/wait.h>

#include <charconv>
#include <cstring>
#include <filesystem>
#include <fstream>

#include "bench/keeper_servers.h"
#include "bench/stored_value.h"

using namespace cloison;
using namespace cloison::bench;

namespace {

constexpr std::uint32_t kBatch = 10'000;
constexpr std::uint64_t kOpened = 20'000;
constexpr int kOpenedInACall = 100;
/// In place of PERSONS: what the new process is told.
constexpr const char* kAgain = "--again";

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

/// The figure, with the memory that the process has now.
void print(nlohmann::json figure) {
    figure["memory_bytes"] = memory("VmRSS");
    figure["peak_memory_bytes"] = memory("VmHWM");
    std::printf("%s\n", figure.dump().c_str());
    std::fflush(stdout);
}

[[noreturn]] void stop(const std::string& why) {
    std::fprintf(stderr, "scale_bench: %s\n", why.c_str());
    std::exit(1);
}

/// What the new process needs to ask for the values.
Path stored_values(const Path& directory) {
    return directory / "stored-values";
}

/// Makes them all; enrolments of those whose values are opened later.
std::vector<std::string> enrol(const Servers& servers, std::uint64_t persons) {
    const auto portal = servers.client("portal");
    keeper::v1::EnrollRequest enroll;
    enroll.set_count(kBatch);
    std::vector<std::string> chosen;
    const auto began = SteadyClock::now();
    std::uint64_t made = 0;
    double worst_ms = 0;
    while (made < persons) {
        const auto start = SteadyClock::now();
        const auto enrolled = must(portal.enroll(enroll), "enroll");
        worst_ms = std::max(worst_ms, seconds_since(start) * 1000);
        made += kBatch;
        // As many as there should be so far; a batch comes in no telling order.
        const auto so_far = std::min(kOpened, persons) * std::min(made, persons) / persons;
        for (int i = 0; chosen.size() < so_far; ++i) chosen.push_back(enrolled.enrolments(i));
    }
    const double seconds = seconds_since(began);
    print({{"figure", "enrolment"},
           {"persons", made},
           {"seconds", seconds},
           {"per_second", static_cast<double>(made) / seconds},
           {"slowest_batch_ms", worst_ms},
           {"disk_bytes", bytes_below(servers.keeper_directory())}});
    return chosen;
}

void store_values(const Servers& servers, const std::vector<std::string>& enrolments) {
    const auto portal = servers.client("portal");
    const auto identity = servers.client("identity");
    std::ofstream file(stored_values(servers.directory()));
    for (const std::string& enrolment : enrolments) {
        const StoredValue stored = store_value(portal, identity, enrolment);
        file << hex_encode(stored.pseudonym) << ' ' << stored.record.hex() << ' '
             << hex_encode(as_bytes(stored.sealed)) << '\n';
    }
    if (!file.flush()) stop("the stored values cannot be written");
}

StoredValue read_value(const std::string& pseudonym, const std::string& record,
                       const std::string& sealed) {
    StoredValue stored;
    const auto bytes = must(hex_decode(pseudonym), "pseudonym");
    std::copy_n(bytes.begin(), stored.pseudonym.size(), stored.pseudonym.begin());
    stored.record = must(RequestId::from_hex(record), "record");
    stored.sealed = to_string(must(hex_decode(sealed), "sealed value"));
    return stored;
}

std::uint64_t open_values(const Servers& servers) {
    const auto portal = servers.client("portal");
    std::ifstream file(stored_values(servers.directory()));
    keeper::v1::OpenRequest request;
    std::uint64_t opened = 0;
    const auto call = [&] {
        const auto answer = must(portal.open(request), "open");
        for (const auto& disclosed : answer.disclosed())
            if (disclosed.values_size() != 1) stop("a value does not open");
        opened += static_cast<std::uint64_t>(answer.disclosed_size());
        request.Clear();
    };
    std::string pseudonym;
    std::string record;
    std::string sealed;
    while (file >> pseudonym >> record >> sealed) {
        *request.add_disclosures() = disclosure_of(servers, read_value(pseudonym, record, sealed));
        if (request.disclosures_size() == kOpenedInACall) call();
    }
    if (request.disclosures_size() > 0) call();
    return opened;
}

/// In the new process.
int start_and_open(const Path& directory) {
    const auto start = SteadyClock::now();
    const Servers servers(directory);
    print({{"figure", "start"}, {"seconds", seconds_since(start)}});
    const auto began = SteadyClock::now();
    const std::uint64_t opened = open_values(servers);
    print({{"figure", "opened"}, {"persons", opened}, {"seconds", seconds_since(began)}});
    return opened == 0 ? 1 : 0;
}

/// Runs this program once more, so that nothing of what enrolment left in memory is counted.
int run_again(const Path& directory) {
    std::string program = "/proc/self/exe";
    std::string again = kAgain;
    std::string where = directory.string();
    char* const arguments[] = {program.data(), again.data(), where.data(), nullptr};
    pid_t pid = 0;
    int status = 0;
    if (posix_spawn(&pid, program.c_str(), nullptr, nullptr, arguments, environ) != 0 ||
        waitpid(pid, &status, 0) != pid)
        stop("it cannot be run again");
    return WIFEXITED(status) ? WEXITSTATUS(status) : 1;
}

int measure(const Path& directory, std::uint64_t persons) {
    {
        const Servers servers(directory);
        store_values(servers, enrol(servers, persons));
    }
    return run_again(directory);
}

}  // namespace

int main(int argc, char** argv) {
    crypto::initialize();
    if (argc == 3 && std::strcmp(argv[1], kAgain) == 0) return start_and_open(argv[2]);
    std::uint64_t persons = 1'000'000;
    bool right = argc <= 3;
    if (right && argc > 1) {
        const char* end = argv[1] + std::strlen(argv[1]);
        const auto parsed = std::from_chars(argv[1], end, persons);
        right = parsed.ec == std::errc() && parsed.ptr == end && persons >= kBatch;
    }
    if (!right) {
        std::fputs("usage: scale_bench [PERSONS [DIRECTORY]]   (persons: a number from 10000)\n",
                   stderr);
        return 2;
    }
    if (argc < 3) return measure(TemporaryDirectory().path(), persons);
    const Path directory = std::filesystem::absolute(argv[2]);
    std::filesystem::create_directories(directory);
    if (!std::filesystem::is_empty(directory)) stop(directory.string() + " is not empty");
    return measure(directory, persons);
}
