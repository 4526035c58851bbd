// Runs committed inputs without libFuzzer, and writes the seeds:
//   fuzz_replay TARGET DIRECTORY   every file of the directory, and every seed, which must be taken
//   fuzz_replay --seeds DIRECTORY  writes the seeds of each target to
//   DIRECTORY/<target>/seed-<name> fuzz_replay --list             names of the targets
#include <cstdio>
#include <string_view>

#include "base/file_system.h"
#include "base/log.h"
#include "target.h"

namespace cloison::fuzz {
namespace {

constexpr std::size_t kMaxInput = 1 << 20;

int complain(const std::string& what) {
    std::fprintf(stderr, "fuzz_replay: %s\n", what.c_str());
    return 1;
}

int replay(const Target& target, const Path& directory) {
    FileSystem& files = local_file_system();
    const auto names = files.list(directory);
    if (!names) return complain(names.error().message);
    if (names->empty()) return complain(directory.string() + " holds no inputs.");
    int taken = 0;
    for (const std::string& name : *names) {
        const auto input = files.read_file(directory / name, kMaxInput);
        if (!input) return complain(input.error().message);
        // Said first: after an abort the last line names the file.
        std::printf("%s\n", name.c_str());
        std::fflush(stdout);
        taken += target.run(*input) ? 1 : 0;
    }
    for (const Seed& seed : target.seeds())
        if (!target.run(seed.bytes))
            return complain(std::string(target.name) + " refuses its own seed " + seed.name + ".");
    if (target.finish) target.finish();
    std::printf("%s: %zu inputs, %d of them valid\n", target.name, names->size(), taken);
    return 0;
}

int write_seeds(const Path& directory) {
    FileSystem& files = local_file_system();
    for (const Target& target : targets()) {
        const Path folder = directory / target.name;
        if (auto made = files.create_directories(folder); !made)
            return complain(made.error().message);
        for (const Seed& seed : target.seeds())
            if (auto written =
                    files.write_file_atomically(folder / ("seed-" + seed.name), seed.bytes, 0644);
                !written)
                return complain(written.error().message);
    }
    return 0;
}

int run(const std::vector<std::string_view>& arguments) {
    set_log_level(LogLevel::kError);
    if (arguments.size() == 1 && arguments[0] == "--list") {
        for (const Target& target : targets()) std::printf("%s\n", target.name);
        return 0;
    }
    if (arguments.size() != 2) return complain("expects a target and a directory.");
    if (arguments[0] == "--seeds") return write_seeds(arguments[1]);
    for (const Target& target : targets())
        if (target.name == arguments[0]) return replay(target, arguments[1]);
    return complain("there is no target " + std::string(arguments[0]) + ".");
}

}  // namespace
}  // namespace cloison::fuzz

int main(int argc, char** argv) {
    return cloison::fuzz::run({argv + 1, argv + argc});
}
