// interop_journals DIRECTORY: makes journals of the sizes where tiles begin and end, with their
// entries encrypted as a keeper's are, and what a verifier is given of them:
//
//   vkey, witness                     verify keys of the log and of a witness
//   <size>/journal/                   the journal as it lies on the disk
//   <size>/export/                    its export, a standard directory of tiles
//   <size>/proofs/<n>.tlog-proof      proofs of some entries
//   <size>/consistency/<old>          hashes from a smaller size to this one, base64 lines
//   <size>/cosigned                   the checkpoint with the witness's signature

#include <cstdio>
#include <cstdlib>
#include <set>

#include "base/seeded_random.h"
#include "journal/cosignature.h"
#include "journal/entry.h"
#include "journal/export.h"
#include "journal/journal.h"

using namespace cloison;
using namespace cloison::journal;

namespace {

constexpr std::string_view kOrigin = "example.org/keeper";
constexpr std::string_view kWitness = "witness.example.net";
constexpr std::uint64_t kSizes[] = {1, 2, 255, 256, 257, 65'535, 65'536, 65'537, 70'000};

template <class T>
T must(Result<T> result) {
    if (!result) {
        std::fprintf(stderr, "interop_journals: %s\n", result.error().message.c_str());
        std::exit(1);
    }
    if constexpr (!std::is_void_v<T>) return std::move(*result);
}

FileSystem& files() {
    return local_file_system();
}

void write(const Path& path, std::string_view text) {
    must(files().create_directories(path.parent_path()));
    must(files().write_file_atomically(path, as_bytes(text), 0600));
}

Bytes entry_of(std::uint64_t number, Random& random) {
    Entry entry;
    entry.time = from_unix_ms(1'776'000'000'000 + static_cast<std::int64_t>(number));
    entry.person = static_cast<std::uint32_t>(number);
    entry.reason = number % 3 == 0 ? "examine" : "";
    random.fill(entry.salt);
    return encode_entry(entry);
}

void make(const Path& directory, std::uint64_t size, const crypto::SigningKey& witness) {
    SeededRandom random(size);
    const auto entry_key = std::make_shared<const crypto::BoxKey>(crypto::BoxKey::random(random));
    const auto key = [] { return crypto::SigningKey::from_seed(Bytes(32, 1)); };
    const auto journal = must(Journal::open({.directory = directory / "journal",
                                             .origin = std::string(kOrigin),
                                             .entry_key = entry_key},
                                            files(), system_clock(), key()));
    while (journal->size() < size) {
        std::vector<Bytes> batch;
        for (std::uint64_t i = journal->size(); i < size && batch.size() < 4000; ++i)
            batch.push_back(entry_of(i, random));
        must(journal->append(batch));
    }
    must(journal->publish());

    std::set<std::uint64_t> indexes{0, size / 2, size - 1};
    for (int i = 0; i < 20; ++i) indexes.insert(random.uniform(size));
    for (const std::uint64_t index : indexes)
        write(directory / "proofs" / (std::to_string(index) + ".tlog-proof"),
              must(journal->prove(index)));
    for (const std::uint64_t old_size : kSizes) {
        if (old_size > size) break;
        std::string lines;
        for (const auto& hash : must(journal->prove_consistency(old_size, size)))
            lines += base64_encode(hash) + '\n';
        write(directory / "consistency" / std::to_string(old_size), lines);
    }

    // The export is made beside the journal that is still open for writing.
    const auto verifier = must(NoteVerifier::parse(journal->verify_key()));
    const auto published =
        must(PublishedJournal::open(files(), directory / "journal", verifier, entry_key));
    must(export_journal(published, published.checkpoint(), published.note(), verifier, files(),
                        directory / "export", nullptr));
    write(directory / "cosigned",
          published.note() + cosign(published.checkpoint().text(), kWitness, witness,
                                    from_unix_ms(1'776'000'000'000)));
}

}  // namespace

int main(int argc, char** argv) {
    if (argc != 2) {
        std::fputs("usage: interop_journals DIRECTORY\n", stderr);
        return 2;
    }
    crypto::initialize();
    const Path directory = argv[1];
    const auto witness = crypto::SigningKey::from_seed(Bytes(32, 2));
    write(directory / "vkey",
          note_vkey(kOrigin, crypto::SigningKey::from_seed(Bytes(32, 1)).verify_key()));
    write(directory / "witness", witness_vkey(kWitness, witness.verify_key()));
    for (const std::uint64_t size : kSizes) make(directory / std::to_string(size), size, witness);
    return 0;
}
