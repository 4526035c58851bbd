// A whole journal directory, as recovery and fsck find it. The input is a list of changes to the
// files of one of four journals that were left in different states, one of them encrypted: cut,
// extend, flip, remove, copy over each other, replace. Beyond not crashing: fsck passes only a
// journal whose every line is one that was written, in its place, with nothing missing below the
// checkpoint; what opens for writing gives out no line that was never written, and takes new ones.
#include <map>

#include "base/seeded_random.h"
#include "journal/entry.h"
#include "journal/fsck.h"
#include "journal/journal.h"
#include "journal/note.h"
#include "journal/simulated_disk_for_test.h"
#include "target.h"

namespace cloison::fuzz {
namespace {

using journal::Journal;
using journal::SimulatedDisk;

constexpr std::string_view kName = "example.org/keeper";
const Path kDirectory = "/journal";

crypto::SigningKey key() {
    crypto::initialize();
    return crypto::SigningKey::from_seed(Bytes(32, 1));
}

std::string vkey() {
    return journal::note_vkey(kName, key().verify_key());
}

Bytes line(std::uint64_t number) {
    journal::Entry entry;
    entry.time = from_unix_ms(1'776'000'000'000 + static_cast<std::int64_t>(number));
    entry.person = static_cast<std::uint32_t>(number);
    return journal::encode_entry(entry);
}

std::shared_ptr<const crypto::BoxKey> entry_key(bool encrypted) {
    static const auto key =
        std::make_shared<const crypto::BoxKey>(*crypto::BoxKey::from_bytes(Bytes(32, 8)));
    return encrypted ? key : nullptr;
}

Result<std::unique_ptr<Journal>> open(FileSystem& files, bool encrypted) {
    static SeededRandom random(1);
    static ManualClock clock(from_unix_ms(1'776'000'000'000));
    Journal::Options options;
    options.directory = kDirectory;
    options.origin = kName;
    options.entry_key = entry_key(encrypted);
    options.random = &random;
    return Journal::open(std::move(options), files, clock, key());
}

void append(Journal& journal, std::uint64_t count) {
    std::vector<Bytes> lines;
    for (std::uint64_t i = 0; i < count; ++i) lines.push_back(line(journal.size() + i));
    require(journal.append(lines).has_value(), "a whole journal takes lines");
}

/// The files of a journal, by path.
using Directory = std::map<std::string, Bytes>;

void read_all(SimulatedDisk& disk, const Path& at, Directory& found) {
    const auto names = *disk.list(at);
    for (const std::string& name : names) {
        const Path path = at / name;
        if (name == "lock") continue;
        if (auto content = disk.read_file(path, 1 << 24))
            found[path.string()] = *content;
        else
            read_all(disk, path, found);
    }
}

/// A journal of `published` lines in tiles, and `more` that are in the write-ahead file alone, as a
/// crash leaves it: copied before the journal, which publishes every second, comes to them.
Directory make_journal(std::uint64_t published, std::uint64_t more, bool encrypted) {
    SimulatedDisk disk;
    Directory files;
    auto journal = *open(disk, encrypted);
    if (published > 0) append(*journal, published);
    require(journal->publish().has_value(), "a whole journal publishes");
    if (more > 0) append(*journal, more);
    read_all(disk, kDirectory, files);
    return files;
}

struct Sample {
    bool encrypted;
    std::uint64_t published;
    std::uint64_t written;
    Directory files;
};

Sample make_sample(std::uint64_t published, std::uint64_t more, bool encrypted) {
    return {encrypted, published, published + more, make_journal(published, more, encrypted)};
}

const std::vector<Sample>& samples() {
    static const std::vector<Sample> all{make_sample(0, 3, false), make_sample(5, 0, false),
                                         make_sample(258, 4, false), make_sample(258, 4, true)};
    return all;
}

Bytes& pick(Directory& files, Input& in) {
    auto at = files.begin();
    std::advance(at, static_cast<std::ptrdiff_t>(in.byte() % files.size()));
    return at->second;
}

/// Applies one change; whether there is another.
bool change(Directory& files, Input& in) {
    if (in.empty() || files.empty()) return false;
    const std::uint8_t how = in.byte() % 7;
    Bytes& content = pick(files, in);
    switch (how) {
        case 0:
            content.resize(in.u16() % (content.size() + 1));
            break;
        case 1: {
            const ByteView more = in.sized();
            content.insert(content.end(), more.begin(), more.end());
            break;
        }
        case 2:
            if (!content.empty()) content[in.u16() % content.size()] ^= 1U << (in.byte() % 8);
            break;
        case 3:
            std::erase_if(files, [&](const auto& file) { return &file.second == &content; });
            break;
        case 4:
            content = Bytes(pick(files, in));
            break;
        case 5:
            std::swap(content, pick(files, in));
            break;
        default: {
            static constexpr const char* kNames[] = {"checkpoint",
                                                     "wal/00000000000000000000",
                                                     "wal/00000000000000000005",
                                                     "wal/00000000000000000256",
                                                     "tile/0/000",
                                                     "tile/0/000.p/5",
                                                     "tile/0/001.p/2",
                                                     "tile/1/000.p/1",
                                                     "tile/entries/000",
                                                     "tile/entries/000.p/5",
                                                     "tile/entries/001.p/2",
                                                     "wal/.x.tmp",
                                                     "wal/x"};
            const char* name = kNames[in.byte() % std::size(kNames)];
            files[(kDirectory / name).string()] = to_bytes(in.sized());
        }
    }
    return true;
}

void put(SimulatedDisk& disk, const Directory& files) {
    for (const auto& [path, content] : files) {
        require(disk.create_directories(Path(path).parent_path()).has_value(), "a disk has room");
        require(disk.write_file_atomically(path, content, 0600).has_value(), "a disk has room");
    }
}

bool check(SimulatedDisk& disk, const Sample& sample) {
    journal::FsckOptions options;
    options.verify_key = vkey();
    options.entry_key = entry_key(sample.encrypted);
    const auto report = journal::fsck(disk, kDirectory, options);
    if (!report) return false;
    require(report->entries <= sample.written && report->checkpoint_size <= report->entries,
            "fsck passes no line that was not written");
    options.at_least = sample.written;
    require(
        journal::fsck(disk, kDirectory, options).has_value() == (report->entries == sample.written),
        "fsck that knows how many lines there were misses none");
    auto journal = open(disk, sample.encrypted);
    if (!journal) return true;
    require((*journal)->size() <= sample.written, "no line is there that was not written");
    const auto lines = (*journal)->read(0, (*journal)->size());
    require(lines && lines->size() == (*journal)->size(), "a journal that fsck passes is read");
    for (std::uint64_t i = 0; i < lines->size(); ++i)
        require((*lines)[i] == line(i),
                "a journal that fsck passes has the lines that were written");
    return true;
}

bool run(ByteView input) {
    Input in(input);
    const Sample& sample = samples()[in.byte() % samples().size()];
    Directory files = sample.files;
    int changes = 0;
    while (changes < 8 && change(files, in)) ++changes;

    SimulatedDisk disk;
    put(disk, files);
    const bool passes = check(disk, sample);
    require(passes || files != sample.files, "fsck passes an untouched journal");

    // Opened for writing without fsck before it: some damage shows later only.
    SimulatedDisk again;
    put(again, files);
    auto journal = open(again, sample.encrypted);
    if (journal) {
        const std::uint64_t size = (*journal)->size();
        require(size <= sample.written, "recovery invents no line");
        for (std::uint64_t i = 0; i < size; i += 97) (void)(*journal)->read(i, 97);
        (void)(*journal)->append({line(size)});
        (void)(*journal)->publish();
        (void)(*journal)->prove(size / 2);
    } else {
        require(files != sample.files, "an untouched journal opens");
    }
    return passes;
}

std::vector<Seed> seeds() {
    return {{"written-ahead", {0}}, {"published", {1}}, {"both", {2}}, {"encrypted", {3}}};
}

const Registration registration({"journal_directory", run, seeds});

}  // namespace
}  // namespace cloison::fuzz
