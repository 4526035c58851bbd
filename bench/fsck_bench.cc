// Re-reading a whole journal: fsck of N lines against the least that any such check has to do,
// which is reading the same files and hashing every entry once, on as many threads as fsck has.
//
//   fsck_bench [LINES]     default 2,000,000

#include <charconv>
#include <cstring>
#include <filesystem>
#include <fstream>

#include "base/id.h"
#include "base/temporary_directory.h"
#include "bench/measure.h"
#include "crypto/hash.h"
#include "crypto/keys.h"
#include "journal/entry.h"
#include "journal/fsck.h"
#include "journal/journal.h"

using namespace cloison;
using namespace cloison::bench;

namespace {

constexpr int kRounds = 5;
constexpr std::size_t kBatch = 4'096;
constexpr std::size_t kEntryBytes = 137;  // With a reason of seven characters.

std::vector<Bytes> sample_batch() {
    std::vector<Bytes> entries(kBatch);
    for (auto& bytes : entries) {
        journal::Entry entry;
        entry.time = system_clock().now();
        entry.door = 2;
        entry.purpose = 3;
        entry.actor = ActorId::random(system_random());
        entry.session = SessionId::random(system_random());
        entry.person = 12'345;
        entry.fields.set(20).set(24);
        entry.reason = "examine";
        system_random().fill(entry.salt);
        bytes = journal::encode_entry(entry);
    }
    return entries;
}

/// Reads every file of the directory and hashes it in pieces of an entry's length.
void read_and_hash(const std::vector<Path>& files, std::size_t first, std::size_t step) {
    for (std::size_t i = first; i < files.size(); i += step) {
        std::ifstream in(files[i], std::ios::binary);
        Bytes content((std::istreambuf_iterator<char>(in)), std::istreambuf_iterator<char>());
        ByteView rest = content;
        while (!rest.empty()) {
            const auto piece = rest.first(std::min(rest.size(), kEntryBytes + 2));
            if (crypto::sha256({piece}) == crypto::Hash{}) std::exit(1);
            rest = rest.subspan(piece.size());
        }
    }
}

}  // namespace

int main(int argc, char** argv) {
    std::uint64_t lines = 2'000'000;
    if (argc > 1) {
        const char* end = argv[1] + std::strlen(argv[1]);
        const auto parsed = std::from_chars(argv[1], end, lines);
        if (parsed.ec != std::errc() || parsed.ptr != end || lines < kBatch) {
            std::fprintf(stderr, "usage: fsck_bench [LINES]   (a number from 4096)\n");
            return 2;
        }
    }
    crypto::initialize();
    const TemporaryDirectory scratch;
    const Path directory = scratch.path() / "journal";
    // Encrypted as the keeper's are; the reference hashes the same files and decrypts nothing.
    const auto entry_key =
        std::make_shared<const crypto::BoxKey>(crypto::BoxKey::random(system_random()));
    std::string verify_key;
    {
        auto log = must(
            journal::Journal::open(
                {.directory = directory, .origin = "bench.example/log", .entry_key = entry_key},
                local_file_system(), system_clock(), crypto::SigningKey::from_seed(Bytes(32, 7))),
            "journal");
        const auto batch = sample_batch();
        while (log->size() < lines) must(log->append(batch), "append");
        must(log->publish(), "publish");
        verify_key = log->verify_key();
        lines = log->size();
    }
    std::vector<Path> bundles;
    for (const auto& entry :
         std::filesystem::recursive_directory_iterator(directory / "tile" / "entries"))
        if (entry.is_regular_file()) bundles.push_back(entry.path());

    const auto rate = [&](SteadyClock::time_point began) {
        return Figures{static_cast<double>(lines) / seconds_since(began), 0, 0};
    };
    compare(
        "fsck_lines", "read_and_hash_the_same_entries", kRounds,
        [&] {
            const auto began = SteadyClock::now();
            const auto report =
                must(journal::fsck(local_file_system(), directory,
                                   {.verify_key = verify_key, .entry_key = entry_key}),
                     "fsck");
            if (report.entries != lines) std::exit(1);
            return rate(began);
        },
        [&] {
            const auto began = SteadyClock::now();
            std::thread other([&] { read_and_hash(bundles, 1, 2); });
            read_and_hash(bundles, 0, 2);
            other.join();
            return rate(began);
        });
    return 0;
}
