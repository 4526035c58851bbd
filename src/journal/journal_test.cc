#include "journal/journal.h"

#include <gtest/gtest.h>

#include <atomic>
#include <functional>
#include <set>
#include <thread>
#include <utility>

#include "base/seeded_random.h"
#include "base/temporary_directory.h"
#include "journal/fsck.h"
#include "journal/note.h"
#include "journal/proof.h"
#include "journal/simulated_disk_for_test.h"
#include "journal/support_for_test.h"
#include "journal/tiles.h"
#include "journal/wal.h"

namespace cloison::journal {
namespace {

FileSystem& files() {
    return local_file_system();
}
std::string test_vkey() {
    return note_vkey(kTestOrigin, test_key().verify_key());
}
NoteVerifier test_verifier() {
    return *NoteVerifier::parse(test_vkey());
}
Result<FsckReport> check(FileSystem& where, const Path& directory, EntryKey entry_key = nullptr) {
    return fsck(where, directory,
                FsckOptions{.verify_key = test_vkey(), .entry_key = std::move(entry_key)});
}

TEST(JournalTest, EntriesAreReadBackAlsoAfterOpeningAnew) {
    const TemporaryDirectory directory;
    {
        const auto journal = open_journal(files(), directory.path() / "new" / "journal");
        ASSERT_TRUE(journal.has_value()) << journal.error().message;
        EXPECT_EQ((*journal)->size(), 0U);
        EXPECT_EQ(*(*journal)->append(test_entries(0, 3)), 0U);
        EXPECT_EQ(*(*journal)->append(test_entries(3, 1)), 3U);
        expect_test_entries(**journal, 4);
        EXPECT_EQ((*journal)->read(2, 1)->front(), test_entry(2));
        EXPECT_TRUE((*journal)->read(4, 1)->empty());
        EXPECT_TRUE((*journal)->read(400, 1)->empty());
    }
    for (int round = 0; round < 3; ++round) {
        const auto journal = open_journal(files(), directory.path() / "new" / "journal");
        ASSERT_TRUE(journal.has_value()) << journal.error().message;
        expect_test_entries(**journal, 4);
    }
    EXPECT_EQ(check(files(), directory.path() / "new" / "journal")->entries, 4U);
}

TEST(JournalTest, SizesAroundTileBoundsGiveTheTilesOfTheFormat) {
    const TemporaryDirectory directory;
    const auto there = [&](const std::string& path) {
        return *files().exists(directory.path() / path);
    };
    for (const std::uint64_t size : {1, 2, 255, 256, 257, 65'535, 65'536, 65'537}) {
        {
            auto journal = open_journal(files(), directory.path());
            ASSERT_TRUE(journal.has_value()) << journal.error().message;
            grow(**journal, size);
            ASSERT_TRUE((*journal)->publish());
        }
        for (int level = TileId::kEntries; level < kTileLevels; ++level) {
            const std::uint64_t count = hashes_at_level(size, std::max(level, 0));
            const TileId last{level, count / kTileWidth};
            EXPECT_FALSE(there(last.path(kTileWidth))) << last.path(kTileWidth);
            EXPECT_EQ(there(last.partial_directory()), count % kTileWidth != 0);
            EXPECT_EQ(there(last.path(std::max<std::uint64_t>(count % kTileWidth, 1))),
                      count % kTileWidth != 0);
            if (count < kTileWidth) continue;
            const TileId full{level, count / kTileWidth - 1};
            EXPECT_TRUE(there(full.path(kTileWidth)));
            EXPECT_FALSE(there(full.partial_directory())) << full.partial_directory();
        }
        const auto report = check(files(), directory.path());
        ASSERT_TRUE(report.has_value()) << size << ": " << report.error().message;
        EXPECT_EQ(report->entries, size);
        EXPECT_EQ(report->checkpoint_size, size);
        EXPECT_EQ(report->unpublished_entries, 0U);
        EXPECT_FALSE(report->torn_tail);
    }
    const auto journal = open_journal(files(), directory.path());
    expect_test_entries(**journal, 65'537);
    for (const std::uint64_t index : {0, 255, 256, 65'535, 65'536}) {
        const auto text = (*journal)->prove(index);
        ASSERT_TRUE(text.has_value()) << text.error().message;
        EXPECT_TRUE(verify_proof(*Proof::parse(*text), test_verifier()).has_value()) << index;
    }
}

TEST(JournalTest, CheckpointIsThatOfAllThatIsDurable) {
    SimulatedDisk disk;
    const auto journal = *open_journal(disk, "/j");
    TreeEdge tree;
    for (std::uint64_t size = 0; size < 600; ++size) {
        const auto text = open_note(*journal->checkpoint(), test_verifier());
        ASSERT_TRUE(text.has_value());
        const auto checkpoint = Checkpoint::parse(*text);
        ASSERT_EQ(checkpoint->origin, kTestOrigin);
        ASSERT_EQ(checkpoint->size, size);
        ASSERT_EQ(checkpoint->root, tree.root());
        grow(*journal, size + 1);
        tree.append(Journal::leaf_hash(test_entry(size)), nullptr);
        if (size % 97 == 0) {
            ASSERT_TRUE(journal->publish());
        }
    }
    EXPECT_EQ(journal->verify_key(), test_vkey());
}

TEST(JournalTest, EveryEntryOfEverySmallTreeIsProved) {
    SimulatedDisk disk;
    const auto journal = *open_journal(disk, "/j");
    const auto verifier = test_verifier();
    for (std::uint64_t size = 1; size <= 40; ++size) {
        grow(*journal, size);
        if (size % 8 == 0) {
            ASSERT_TRUE(journal->publish());
        }
        for (std::uint64_t index = 0; index < size; ++index) {
            const auto proof = Proof::parse(*journal->prove(index));
            ASSERT_TRUE(proof.has_value());
            EXPECT_EQ(proof->index, index);
            EXPECT_EQ(proof->entry, test_entry(index));
            const auto checkpoint = verify_proof(*proof, verifier);
            ASSERT_TRUE(checkpoint.has_value()) << checkpoint.error().message;
            EXPECT_EQ(checkpoint->size, size);
        }
        EXPECT_EQ(journal->prove(size).error().code, ErrorCode::kNotFound);
    }
}

TEST(JournalTest, EveryPairOfSizesIsProvedConsistentAcrossTilesAndMemory) {
    SimulatedDisk disk;
    const auto journal = *open_journal(disk, "/j");
    constexpr std::uint64_t kSize = 530;
    std::vector<crypto::Hash> roots{empty_root()};
    TreeEdge tree;
    for (std::uint64_t i = 0; i < kSize; ++i) {
        tree.append(Journal::leaf_hash(test_entry(i)), nullptr);
        roots.push_back(tree.root());
    }
    // Nothing published, tiles in part, all but the last in tiles: other hashes come from the disk.
    grow(*journal, 300);
    for (const std::uint64_t size : {std::uint64_t{300}, std::uint64_t{511}, kSize}) {
        grow(*journal, size);
        for (std::uint64_t new_size = size % 3; new_size <= size; new_size += 3)
            for (std::uint64_t old_size = 0; old_size <= new_size; old_size += 1 + new_size % 31) {
                const auto path = journal->prove_consistency(old_size, new_size);
                ASSERT_TRUE(path.has_value()) << path.error().message;
                ASSERT_TRUE(
                    verify_consistency(old_size, roots[old_size], new_size, roots[new_size], *path))
                    << old_size << " to " << new_size << " of " << size;
            }
        ASSERT_TRUE(journal->publish());
    }
    for (const auto& [from, to] : {std::pair{kSize, kSize + 1}, std::pair{kSize, kSize - 1}})
        EXPECT_EQ(journal->prove_consistency(from, to).error().code, ErrorCode::kInvalidArgument);
}

TEST(ProofTest, TextComesBackAsItWas) {
    SimulatedDisk disk;
    const auto journal = *open_journal(disk, "/j");
    grow(*journal, 11);
    const std::string text = *journal->prove(5);
    EXPECT_TRUE(text.starts_with("c2sp.org/tlog-proof@v1\nextra "));
    const auto proof = Proof::parse(text);
    ASSERT_TRUE(proof.has_value());
    EXPECT_EQ(proof->path.size(), 4U);
    EXPECT_EQ(proof->text(), text);
}

TEST(ProofTest, EveryChangedCharacterIsRefused) {
    SimulatedDisk disk;
    const auto journal = *open_journal(disk, "/j");
    grow(*journal, 11);
    const std::string text = *journal->prove(5);
    const auto verifier = test_verifier();
    for (std::size_t at = 0; at < text.size(); ++at) {
        for (const int bit : {0, 3, 6}) {
            std::string changed = text;
            changed[at] = static_cast<char>(changed[at] ^ (1 << bit));
            const auto proof = Proof::parse(changed);
            ASSERT_FALSE(proof && verify_proof(*proof, verifier)) << at << '\n' << changed;
        }
        const auto shorter = Proof::parse(text.substr(0, at));
        ASSERT_FALSE(shorter && verify_proof(*shorter, verifier)) << at;
    }
}

TEST(ProofTest, ThatOfAnotherLogIsRefused) {
    SimulatedDisk disk;
    const auto journal = *open_journal(disk, "/j");
    grow(*journal, 2);
    const auto proof = Proof::parse(*journal->prove(1));
    const auto other_key = NoteVerifier::parse(note_vkey(kTestOrigin, test_key(2).verify_key()));
    EXPECT_EQ(verify_proof(*proof, *other_key).error().code, ErrorCode::kUnauthenticated);
    // A checkpoint of another log, signed with the right key under the right name.
    Proof foreign = *proof;
    const std::string text = Checkpoint{"example.org/other", 2, {}}.text();
    foreign.checkpoint = sign_note(text, kTestOrigin, test_key());
    EXPECT_EQ(verify_proof(foreign, test_verifier()).error().code, ErrorCode::kUnauthenticated);
}

TEST(JournalTest, BoundsAreRefusedOnlyBeyondTheBound) {
    SimulatedDisk disk;
    const auto journal = *open_journal(disk, "/j");
    const auto code = [&](const std::vector<Bytes>& entries) {
        const auto index = journal->append(entries);
        return index ? std::string("appended") : std::string(error_name(index.error().code));
    };
    const std::string invalid(error_name(ErrorCode::kInvalidArgument));
    const std::string too_large(error_name(ErrorCode::kTooLarge));
    EXPECT_EQ(code({}), invalid);
    EXPECT_EQ(code({Bytes{}}), invalid);
    EXPECT_EQ(code({Bytes{1}, Bytes{}}), invalid);
    EXPECT_EQ(code({Bytes(65'536)}), invalid);
    EXPECT_EQ(code(std::vector<Bytes>(4097, Bytes{1})), too_large);
    EXPECT_EQ(code(std::vector<Bytes>(129, Bytes(65'535))), too_large);
    EXPECT_EQ(journal->size(), 0U);
    EXPECT_EQ(code({Bytes(65'535)}), "appended");
    EXPECT_EQ(code(std::vector<Bytes>(4096, Bytes{1})), "appended");
    EXPECT_EQ(code(std::vector<Bytes>(127, Bytes(65'535))), "appended");
    EXPECT_EQ(journal->size(), 1U + 4096U + 127U);
    EXPECT_EQ(journal->read(0, 1)->front().size(), 65'535U);
    EXPECT_EQ(journal->read(0, Journal::kMaxRead)->size(), journal->size());
    EXPECT_EQ(journal->read(0, Journal::kMaxRead + 1).error().code, ErrorCode::kTooLarge);
}

TEST(JournalTest, OptionsAreChecked) {
    SimulatedDisk disk;
    ManualClock clock(from_unix_ms(0));
    for (const std::string origin : {"", "with space", "with+plus", "with\nnewline"}) {
        Journal::Options options;
        options.directory = "/j";
        options.origin = origin;
        const auto journal = Journal::open(options, disk, clock, test_key());
        ASSERT_FALSE(journal.has_value());
        EXPECT_EQ(journal.error().code, ErrorCode::kInvalidArgument);
    }
    EXPECT_EQ(disk.changes(), 0);
}

TEST(JournalTest, OneProcessAtATime) {
    const TemporaryDirectory directory;
    {
        const auto journal = open_journal(files(), directory.path());
        ASSERT_TRUE(journal.has_value());
        const auto second = open_journal(files(), directory.path());
        ASSERT_FALSE(second.has_value());
        EXPECT_EQ(second.error().code, ErrorCode::kConflict);
        const std::string holder = "process " + std::to_string(::getpid()) + " since 2026-04-12T";
        EXPECT_NE(second.error().message.find(holder), std::string::npos) << second.error().message;
    }
    EXPECT_TRUE(open_journal(files(), directory.path()).has_value());
}

TEST(JournalTest, AnotherKeyDoesNotOpenIt) {
    SimulatedDisk disk;
    { grow(**open_journal(disk, "/j"), 3); }
    ManualClock clock(from_unix_ms(0));
    Journal::Options options;
    options.directory = "/j";
    options.origin = kTestOrigin;
    const auto journal = Journal::open(options, disk, clock, test_key(2));
    ASSERT_FALSE(journal.has_value());
    EXPECT_EQ(journal.error().code, ErrorCode::kCorrupt);
    EXPECT_NE(journal.error().message.find("checkpoint"), std::string::npos);
}

TEST(JournalTest, ManyCallersGetTheIndexesOfTheirEntries) {
    const TemporaryDirectory directory;
    constexpr int kThreads = 64;
    constexpr int kAppends = 20;
    std::vector<std::vector<std::uint64_t>> indexes(kThreads);
    const auto entry_of = [](int thread, int append, int part) {
        return test_entry(static_cast<std::uint64_t>(thread) * 1'000'000 +
                          static_cast<std::uint64_t>(append) * 1000 +
                          static_cast<std::uint64_t>(part));
    };
    const auto parts_of = [](int thread, int append) { return 1 + (thread + append) % 3; };
    {
        const auto journal = open_journal(files(), directory.path());
        ASSERT_TRUE(journal.has_value());
        std::vector<std::thread> threads;
        for (int thread = 0; thread < kThreads; ++thread)
            threads.emplace_back([&, thread] {
                for (int append = 0; append < kAppends; ++append) {
                    std::vector<Bytes> entries;
                    for (int part = 0; part < parts_of(thread, append); ++part)
                        entries.push_back(entry_of(thread, append, part));
                    const auto index = (*journal)->append(entries);
                    ASSERT_TRUE(index.has_value()) << index.error().message;
                    indexes[thread].push_back(*index);
                    ASSERT_EQ((*journal)->read(*index, 1)->front(), entries.front());
                    if (append % 10 == 3) {
                        const auto proof = Proof::parse(*(*journal)->prove(*index));
                        ASSERT_TRUE(verify_proof(*proof, test_verifier()).has_value());
                    }
                    if (thread == 0 && append % 5 == 0) {
                        ASSERT_TRUE((*journal)->publish());
                    }
                }
            });
        for (std::thread& thread : threads) thread.join();
    }
    const auto journal = open_journal(files(), directory.path());
    ASSERT_TRUE(journal.has_value()) << journal.error().message;
    std::uint64_t total = 0;
    for (int thread = 0; thread < kThreads; ++thread) {
        EXPECT_TRUE(std::is_sorted(indexes[thread].begin(), indexes[thread].end()));
        for (int append = 0; append < kAppends; ++append) {
            const int parts = parts_of(thread, append);
            total += static_cast<std::uint64_t>(parts);
            const auto entries = (*journal)->read(indexes[thread][append], parts);
            for (int part = 0; part < parts; ++part)
                ASSERT_EQ((*entries)[part], entry_of(thread, append, part));
        }
    }
    EXPECT_EQ((*journal)->size(), total);
    EXPECT_EQ(check(files(), directory.path())->entries, total);
}

/// A disk whose syncs of data wait until they are let go.
class SlowDisk : public SimulatedDisk {
  public:
    Result<std::unique_ptr<File>> open(const Path& path, bool create) override {
        CLOISON_TRY(auto file, SimulatedDisk::open(path, create));
        return std::make_unique<SlowFile>(*this, std::move(file));
    }
    void hold() { held_ = true; }
    void let_go() {
        held_ = false;
        held_.notify_all();
    }
    int waiting() const { return waiting_; }

  private:
    struct SlowFile : File {
        SlowFile(SlowDisk& owner, std::unique_ptr<File> real)
            : disk(owner), file(std::move(real)) {}
        Result<std::size_t> read_at(std::uint64_t at, std::span<std::uint8_t> out) override {
            return file->read_at(at, out);
        }
        Status write_at(std::uint64_t at, ByteView data) override {
            return file->write_at(at, data);
        }
        Status truncate(std::uint64_t size) override { return file->truncate(size); }
        Result<std::uint64_t> size() override { return file->size(); }
        Status sync_data() override {
            ++disk.waiting_;
            disk.held_.wait(true);
            --disk.waiting_;
            return file->sync_data();
        }
        SlowDisk& disk;
        std::unique_ptr<File> file;
    };
    std::atomic<bool> held_{false};
    std::atomic<int> waiting_{0};
};

TEST(JournalTest, FullQueueIsRefusedAtOnce) {
    SlowDisk disk;
    ManualClock clock(from_unix_ms(0));
    Journal::Options options;
    options.directory = "/j";
    options.origin = kTestOrigin;
    options.max_waiting_entries = 8;
    const auto journal = *Journal::open(options, disk, clock, test_key());
    disk.hold();
    std::thread caller([&] { EXPECT_TRUE(journal->append(test_entries(0, 5)).has_value()); });
    while (disk.waiting() == 0) std::this_thread::yield();
    const auto refused = journal->append(test_entries(5, 4));
    ASSERT_FALSE(refused.has_value());
    EXPECT_EQ(refused.error().code, ErrorCode::kUnavailable);
    EXPECT_EQ(journal->size(), 0U);
    disk.let_go();
    caller.join();
    EXPECT_EQ(journal->append(test_entries(5, 9)).error().code, ErrorCode::kUnavailable);
    EXPECT_TRUE(journal->append(test_entries(5, 8)).has_value());
    expect_test_entries(*journal, 13);
}

TEST(JournalTest, FullSegmentsAreFollowedByNewOnesAndDropped) {
    SimulatedDisk disk;
    const auto journal = *open_journal(disk, "/j");
    std::set<std::uint64_t> seen;
    const std::vector<Bytes> entries(100, Bytes(65'535, 7));
    for (int round = 0; round < 12; ++round) {
        ASSERT_TRUE(journal->append(entries).has_value());
        const auto segments = *list_segments(disk, "/j");
        seen.insert(segments.begin(), segments.end());
    }
    EXPECT_EQ(seen, (std::set<std::uint64_t>{0, 300, 600, 900}));
    ASSERT_TRUE(journal->publish());
    EXPECT_EQ(*list_segments(disk, "/j"), std::vector<std::uint64_t>{900});
    EXPECT_EQ(journal->read(1199, 1)->front(), entries.front());
}

/// A disk that does something else just before a checkpoint is written.
class InterruptedDisk : public SimulatedDisk {
  public:
    Status write_file_atomically(const Path& path, ByteView data, unsigned mode) override {
        if (path.filename() == "checkpoint" && before_checkpoint)
            std::exchange(before_checkpoint, nullptr)();
        return SimulatedDisk::write_file_atomically(path, data, mode);
    }
    std::function<void()> before_checkpoint;
};

TEST(JournalTest, SegmentsBegunWhileACheckpointIsWrittenStay) {
    InterruptedDisk disk;
    {
        const auto journal = *open_journal(disk, "/j");
        grow(*journal, 1);
        disk.before_checkpoint = [&] {
            for (int round = 0; round < 4; ++round) {
                ASSERT_TRUE(journal->append(std::vector<Bytes>(100, Bytes(65'535, 7))).has_value());
            }
            EXPECT_EQ(*list_segments(disk, "/j"), (std::vector<std::uint64_t>{0, 301}));
        };
        ASSERT_TRUE(journal->publish());
        EXPECT_EQ(*list_segments(disk, "/j"), (std::vector<std::uint64_t>{0, 301}));
        disk.arm(1, SimulatedDisk::Fault::kBefore, true);
    }
    disk.disarm();
    disk.cut_power(nullptr);
    const auto journal = open_journal(disk, "/j");
    ASSERT_TRUE(journal.has_value()) << journal.error().message;
    EXPECT_EQ((*journal)->size(), 401U);
}

/// A segment with a last frame of several sectors, and where that frame begins.
struct LastFrame {
    static constexpr std::uint64_t kWhole = 5;   ///< Entries before it.
    static constexpr std::uint64_t kInLast = 9;  ///< Entries in it.

    explicit LastFrame(EntryKey key) : entry_key(std::move(key)) {
        SimulatedDisk original;
        const auto journal = *open_journal(original, "/j", entry_key);
        checkpoint = *original.read_file("/j/checkpoint", 4096);
        for (std::uint64_t i = 0; i < kWhole; ++i) grow(*journal, i + 1);
        begin = original.read_file(segment, 1 << 20)->size();
        EXPECT_TRUE(journal->append(test_entries(kWhole, kInLast)).has_value());
        file = *original.read_file(segment, 1 << 20);
    }
    /// What opening finds if the segment has that content.
    Result<std::unique_ptr<Journal>> open_with(SimulatedDisk& disk, ByteView content) const {
        EXPECT_TRUE(disk.create_directories("/j/wal"));
        EXPECT_TRUE(disk.write_file_atomically("/j/checkpoint", checkpoint, 0600));
        EXPECT_TRUE(disk.write_file_atomically(segment, content, 0600));
        return open_journal(disk, "/j", entry_key);
    }
    void expect_cut(ByteView content) const {
        SimulatedDisk disk;
        {
            const auto journal = open_with(disk, content);
            ASSERT_TRUE(journal.has_value()) << journal.error().message;
            ASSERT_EQ((*journal)->size(), kWhole);
            expect_test_entries(**journal, kWhole);
            grow(**journal, kWhole + 3);
        }
        const auto report = check(disk, "/j", entry_key);
        ASSERT_TRUE(report.has_value()) << report.error().message;
        ASSERT_EQ(report->entries, kWhole + 3);
    }

    const EntryKey entry_key;
    const Path segment = Path("/j") / segment_path(0);
    Bytes checkpoint;
    Bytes file;
    std::size_t begin = 0;
};

class LastFrameTest : public testing::TestWithParam<bool> {
  protected:
    const LastFrame frame_{GetParam() ? test_entry_key() : nullptr};
};
INSTANTIATE_TEST_SUITE_P(Journal, LastFrameTest, testing::Bool(),
                         [](const auto& test) { return test.param ? "Encrypted" : "Plain"; });

TEST_P(LastFrameTest, CutAtEveryByteIsATornTail) {
    for (std::size_t end = frame_.begin; end < frame_.file.size(); ++end)
        ASSERT_NO_FATAL_FAILURE(frame_.expect_cut(ByteView(frame_.file).first(end))) << end;
}

TEST_P(LastFrameTest, SectorsThatWereNotWrittenAreATornTail) {
    constexpr std::size_t kSector = 512;
    const std::size_t first = frame_.begin / kSector;
    const std::size_t sectors = (frame_.file.size() - 1) / kSector + 1 - first;
    ASSERT_GE(sectors, 3U);
    for (std::size_t lost = 1; lost < std::size_t{1} << sectors; ++lost) {
        Bytes torn = frame_.file;
        for (std::size_t at = frame_.begin; at < torn.size(); ++at)
            if ((lost >> (at / kSector - first) & 1) != 0) torn[at] = 0;
        ASSERT_NO_FATAL_FAILURE(frame_.expect_cut(torn)) << lost;
    }
}

TEST_P(LastFrameTest, EveryFlippedBitIsDamageAndNoTornTail) {
    // tampering_test.cc flips every bit of smaller encrypted ones.
    const std::size_t step = GetParam() ? 7 : 1;
    for (std::size_t bit = 8 * frame_.begin; bit < 8 * frame_.file.size(); bit += step) {
        Bytes changed = frame_.file;
        changed[bit / 8] ^= static_cast<std::uint8_t>(1 << bit % 8);
        SimulatedDisk disk;
        const auto journal = frame_.open_with(disk, changed);
        ASSERT_FALSE(journal.has_value()) << bit;
        ASSERT_EQ(journal.error().code, ErrorCode::kCorrupt);
        ASSERT_NE(journal.error().message.find(segment_path(0)), std::string::npos);
        // Nothing was changed in what lies there.
        ASSERT_EQ(*disk.read_file(frame_.segment, 1 << 20), changed);
    }
}

TEST(JournalTest, DamageBeforeWholeFramesIsNoTornTail) {
    SimulatedDisk disk;
    const Path segment = Path("/j") / segment_path(0);
    Bytes checkpoint;
    Bytes content;
    std::size_t first_frame_end = 0;
    {
        const auto journal = *open_journal(disk, "/j");
        checkpoint = *disk.read_file("/j/checkpoint", 4096);
        const std::size_t header = disk.read_file(segment, 1 << 20)->size();
        grow(*journal, 1);
        first_frame_end = disk.read_file(segment, 1 << 20)->size();
        ASSERT_GT(first_frame_end, header);
        grow(*journal, 2);
        content = *disk.read_file(segment, 1 << 20);
    }
    for (std::size_t at = 0; at < first_frame_end; ++at) {
        SimulatedDisk damaged;
        ASSERT_TRUE(damaged.create_directories("/j/wal"));
        Bytes changed = content;
        changed[at] ^= 0x10;
        ASSERT_TRUE(damaged.write_file_atomically("/j/checkpoint", checkpoint, 0600));
        ASSERT_TRUE(damaged.write_file_atomically(segment, changed, 0600));
        const auto journal = open_journal(damaged, "/j");
        ASSERT_FALSE(journal.has_value()) << at;
        EXPECT_EQ(journal.error().code, ErrorCode::kCorrupt);
        EXPECT_NE(journal.error().message.find(segment_path(0)), std::string::npos)
            << journal.error().message;
    }
}

TEST(JournalTest, MissingFilesAreNamed) {
    const auto opened_without = [](const std::string& path) {
        SimulatedDisk disk;
        { grow(**open_journal(disk, "/j"), 700); }
        EXPECT_TRUE(disk.remove(Path("/j") / path));
        const auto journal = open_journal(disk, "/j");
        EXPECT_FALSE(journal.has_value()) << path;
        return journal ? std::string() : journal.error().message;
    };
    EXPECT_NE(opened_without("checkpoint").size(), 0U);
    EXPECT_NE(opened_without("tile/0/002.p/188").find("tile/0/002.p/188"), std::string::npos);
    EXPECT_NE(opened_without("tile/1/000.p/2").find("tile/1/000.p/2"), std::string::npos);
    EXPECT_NE(opened_without("tile/entries/002.p/188").find("tile/entries/002.p/188"),
              std::string::npos);
    EXPECT_NE(opened_without(segment_path(0)).find("wal/"), std::string::npos);
}

}  // namespace
}  // namespace cloison::journal
