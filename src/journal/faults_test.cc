// What was acknowledged survives every failing call, every cut of the power and every sudden death.

#include <gtest/gtest.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <functional>

#include "base/seeded_random.h"
#include "base/temporary_directory.h"
#include "journal/fsck.h"
#include "journal/note.h"
#include "journal/simulated_disk_for_test.h"
#include "journal/support_for_test.h"
#include "journal/tiles.h"
#include "journal/wal.h"

namespace cloison::journal {
namespace {

using Fault = SimulatedDisk::Fault;

/// Opens, appends, publishes and closes, three times over, until something fails. Returns how many
/// entries were acknowledged, without a gap, since nothing may be appended after a failure.
std::uint64_t use_until_failure(FileSystem& files, std::uint64_t batch, const EntryKey& entry_key,
                                const std::function<void(std::uint64_t)>& acknowledged) {
    std::uint64_t size = 0;
    for (int session = 0; session < 3; ++session) {
        auto journal = open_journal(files, "/j", entry_key);
        if (!journal) return size;
        const std::uint64_t found = (*journal)->size();
        EXPECT_GE(found, size);
        size = found;
        for (const std::uint64_t count : {std::uint64_t{1}, batch, std::uint64_t{2}}) {
            const auto index = (*journal)->append(test_entries(size, count));
            if (!index) {
                EXPECT_EQ(index.error().code, ErrorCode::kIo);
                const auto again = (*journal)->append(test_entries(size, 1));
                EXPECT_FALSE(again.has_value());
                EXPECT_EQ(again.error().code, ErrorCode::kIo);
                return size;
            }
            EXPECT_EQ(*index, size);
            size += count;
            acknowledged(size);
        }
        if (!(*journal)->publish()) {
            EXPECT_EQ((*journal)->append(test_entries(size, 1)).error().code, ErrorCode::kIo);
            return size;
        }
    }
    return size;
}

void expect_sound(FileSystem& files, const Path& directory, const EntryKey& entry_key,
                  std::uint64_t acknowledged, const std::string& when) {
    {
        const auto journal = open_journal(files, directory, entry_key);
        ASSERT_TRUE(journal.has_value()) << when << ": " << journal.error().message;
        ASSERT_GE((*journal)->size(), acknowledged) << when;
        // What was not acknowledged may be there, but then it is what was asked for.
        expect_test_entries(**journal, (*journal)->size());
        grow(**journal, (*journal)->size() + 3);
    }
    const auto report =
        fsck(files, directory,
             FsckOptions{.verify_key = note_vkey(kTestOrigin, test_key().verify_key()),
                         .entry_key = entry_key,
                         .at_least = acknowledged});
    ASSERT_TRUE(report.has_value()) << when << ": " << report.error().message;
    ASSERT_GE(report->entries, acknowledged + 3) << when;
}

/// Fails each change to the disk in turn, then cuts the power in different ways.
void fail_each_change(std::uint64_t batch, int step, const EntryKey& entry_key) {
    const auto ignore = [](std::uint64_t) {};
    SimulatedDisk sound;
    const std::uint64_t size = use_until_failure(sound, batch, entry_key, ignore);
    ASSERT_EQ(size, 3 * (batch + 3));
    const int changes = sound.changes();
    ASSERT_GT(changes, 30);
    SeededRandom random(3);
    for (int number = 1; number <= changes; number += step) {
        for (const Fault fault : {Fault::kBefore, Fault::kHalf, Fault::kAfter}) {
            for (int aftermath = 0; aftermath < 5; ++aftermath) {
                const bool for_good = aftermath > 0;
                SimulatedDisk disk;
                disk.arm(number, fault, for_good);
                const std::uint64_t acknowledged =
                    use_until_failure(disk, batch, entry_key, ignore);
                disk.disarm();
                // 0 and 1: the process died, the machine did not. 2: all that was not synced is
                // lost. 3, 4: any part of it is.
                if (aftermath >= 2) disk.cut_power(aftermath == 2 ? nullptr : &random);
                expect_sound(disk, "/j", entry_key, acknowledged,
                             "change " + std::to_string(number) + ", fault " +
                                 std::to_string(static_cast<int>(fault)) + ", aftermath " +
                                 std::to_string(aftermath));
                if (::testing::Test::HasFatalFailure()) return;
            }
        }
    }
}

/// A journal that fails, is opened again and fails again, and then loses the power.
void fail_twice(std::uint64_t batch, int step, const EntryKey& entry_key) {
    const auto ignore = [](std::uint64_t) {};
    SimulatedDisk sound;
    use_until_failure(sound, batch, entry_key, ignore);
    const int changes = sound.changes();
    SeededRandom random(4);
    for (int number = 1; number <= changes; number += step) {
        for (int second = 1; second <= 24; ++second) {
            SimulatedDisk disk;
            disk.arm(number, Fault::kHalf, true);
            std::uint64_t acknowledged = use_until_failure(disk, batch, entry_key, ignore);
            disk.disarm();
            disk.arm(second, Fault::kAfter, true);
            if (const auto journal = open_journal(disk, "/j", entry_key)) {
                const std::uint64_t size = (*journal)->size();
                if ((*journal)->append(test_entries(size, 2))) acknowledged = size + 2;
                static_cast<void>((*journal)->publish());
            }
            disk.disarm();
            disk.cut_power(second % 2 == 0 ? nullptr : &random);
            expect_sound(disk, "/j", entry_key, acknowledged,
                         "change " + std::to_string(number) + ", then " + std::to_string(second));
            if (::testing::Test::HasFatalFailure()) return;
        }
    }
}

/// After each change in turn, the kernel fails to write back what was not synced and tells another
/// process, and sooner or later the power is cut.
void fail_each_writeback(std::uint64_t batch, int step, const EntryKey& entry_key) {
    SimulatedDisk sound;
    const std::uint64_t size = use_until_failure(sound, batch, entry_key, [](std::uint64_t) {});
    ASSERT_EQ(size, 3 * (batch + 3));
    SeededRandom random(8);
    for (int number = 1; number <= sound.changes(); number += step) {
        for (const bool any_part : {false, true}) {
            SimulatedDisk disk;
            disk.arm(number, Fault::kWriteback, false);
            const std::uint64_t acknowledged =
                use_until_failure(disk, batch, entry_key, [](std::uint64_t) {});
            disk.cut_power(any_part ? &random : nullptr);
            expect_sound(disk, "/j", entry_key, acknowledged,
                         "writing back after change " + std::to_string(number));
            if (::testing::Test::HasFatalFailure()) return;
        }
    }
}

/// With entries as they are, and encrypted.
class FaultsTest : public testing::TestWithParam<bool> {
  protected:
    const EntryKey entry_key_ = GetParam() ? test_entry_key() : nullptr;
};
INSTANTIATE_TEST_SUITE_P(Journal, FaultsTest, testing::Bool(),
                         [](const auto& test) { return test.param ? "Encrypted" : "Plain"; });

/// Leaves a journal as a restored backup has it that was made while it went on: `size` entries,
/// tiles that are full with what came afterwards, and an empty segment.
void restore_behind_full_tiles(SimulatedDisk& disk, std::uint64_t size, const EntryKey& entry_key) {
    std::string note;
    {
        const auto journal = *open_journal(disk, "/j", entry_key);
        grow(*journal, size);
        note = *journal->checkpoint();
        // Other entries than those that come after the restore.
        ASSERT_TRUE(journal->append(test_entries(1'000'000, 2 * kTileWidth)));
    }
    const auto checkpoint = open_checkpoint(
        note, *NoteVerifier::parse(note_vkey(kTestOrigin, test_key().verify_key())));
    ASSERT_TRUE(checkpoint.has_value());
    ASSERT_TRUE(disk.write_file_atomically("/j/checkpoint", as_bytes(note), 0600));
    const auto segments = list_segments(disk, "/j");
    ASSERT_TRUE(segments.has_value());
    for (const std::uint64_t first : *segments)
        ASSERT_TRUE(disk.remove(Path("/j") / segment_path(first)));
    SeededRandom random(6);
    ASSERT_TRUE(WalSegment::create(disk, "/j", checkpoint->size, checkpoint->root,
                                   EntryCipher(entry_key, std::string(kTestOrigin), random)));
    ASSERT_TRUE((*disk.begin_sync("/j"))->sync());
}

TEST_P(FaultsTest, FailingCallsAfterARestoreBehindFullTilesLoseNothing) {
    constexpr std::uint64_t kRestored = 10;
    // Publishes the tile that is there already, full with other entries.
    const auto use = [&](FileSystem& files, std::uint64_t& acknowledged) {
        const auto journal = open_journal(files, "/j", entry_key_);
        if (!journal) return;
        if (!(*journal)->append(test_entries(kRestored, kTileWidth))) return;
        acknowledged = kRestored + kTileWidth;
        static_cast<void>((*journal)->publish());
    };
    SeededRandom random(5);
    bool failed = true;
    for (int number = 1; failed; ++number) {
        ASSERT_LT(number, 400);
        for (const Fault fault : {Fault::kBefore, Fault::kHalf, Fault::kAfter}) {
            for (int aftermath = 0; aftermath < 4; ++aftermath) {
                SimulatedDisk disk;
                restore_behind_full_tiles(disk, kRestored, entry_key_);
                const int before = disk.changes();
                disk.arm(number, fault, true);
                std::uint64_t acknowledged = kRestored;
                use(disk, acknowledged);
                failed = disk.changes() - before >= number;
                disk.disarm();
                if (aftermath >= 1) disk.cut_power(aftermath == 1 ? nullptr : &random);
                expect_sound(disk, "/j", entry_key_, acknowledged,
                             "change " + std::to_string(number) + ", fault " +
                                 std::to_string(static_cast<int>(fault)) + ", aftermath " +
                                 std::to_string(aftermath));
                if (HasFatalFailure()) return;
            }
        }
    }
}

TEST_P(FaultsTest, DyingInTheFirstOpeningAfterARestoreAndInTheNextLosesNothing) {
    constexpr std::uint64_t kRestored = 10;
    const auto use_again = [&](FileSystem& files) {
        const auto journal = open_journal(files, "/j", entry_key_);
        if (!journal || !(*journal)->append(test_entries(kRestored, kTileWidth))) return kRestored;
        static_cast<void>((*journal)->publish());
        return kRestored + kTileWidth;
    };
    SeededRandom random(7);
    bool died = true;
    for (int first = 1; died; ++first) {
        ASSERT_LT(first, 100);
        bool died_again = true;
        for (int second = 1; died_again; ++second) {
            ASSERT_LT(second, 200);
            SimulatedDisk disk;
            restore_behind_full_tiles(disk, kRestored, entry_key_);
            const int before = disk.changes();
            // A name is made and not synced, where the change is one of names.
            disk.arm(first, Fault::kHalf, true);
            static_cast<void>(open_journal(disk, "/j", entry_key_));
            died = disk.changes() - before >= first;
            disk.disarm();
            const int between = disk.changes();
            disk.arm(second, Fault::kHalf, true);
            const std::uint64_t acknowledged = use_again(disk);
            died_again = disk.changes() - between >= second;
            disk.disarm();
            // The names are gone, and what is written over without them is torn.
            disk.cut_power(nullptr, &random);
            expect_sound(disk, "/j", entry_key_, acknowledged,
                         "change " + std::to_string(first) + ", then " + std::to_string(second));
            if (HasFatalFailure()) return;
        }
    }
}

TEST_P(FaultsTest, WhatADeathLeftOfAPartialTileGoesWithTheNextOpening) {
    SimulatedDisk disk;
    grow(**open_journal(disk, "/j", entry_key_), 10);
    const Path left = "/j/tile/entries/000.p/.10.4711.0.tmp";
    ASSERT_TRUE(disk.write_file_atomically(left, as_bytes("half a bundle"), 0600));
    const FsckOptions options{.verify_key = note_vkey(kTestOrigin, test_key().verify_key()),
                              .entry_key = entry_key_};
    auto report = fsck(disk, "/j", options);
    EXPECT_TRUE(report.has_value()) << report.error().message;
    ASSERT_TRUE(open_journal(disk, "/j", entry_key_));
    EXPECT_FALSE(*disk.exists(left));
    report = fsck(disk, "/j", options);
    EXPECT_TRUE(report.has_value()) << report.error().message;
}

TEST_P(FaultsTest, EachFailingCallLosesNothingAcknowledged) {
    fail_each_change(5, 1, entry_key_);
}

TEST_P(FaultsTest, FailureAgainWhileRecoveringLosesNothingAcknowledged) {
    fail_twice(5, 3, entry_key_);
    fail_twice(254, 29, entry_key_);
}

TEST_P(FaultsTest, EachFailingCallAroundFullTilesLosesNothingAcknowledged) {
    fail_each_change(254, 3, entry_key_);
}

TEST_P(FaultsTest, FailingCallsInBigRoundsLoseNothingAcknowledged) {
    // More tiles than are synced one by one.
    fail_each_change(4096, 67, entry_key_);
}

TEST_P(FaultsTest, FailedWritebackThatSomebodyElseWasToldOfLosesNothingAcknowledged) {
    fail_each_writeback(5, 1, entry_key_);
    fail_each_writeback(254, 5, entry_key_);
    // More tiles than are synced one by one.
    fail_each_writeback(4096, 23, entry_key_);
}

/// The local file system, on which the process ends suddenly at the n-th change.
class DyingFileSystem : public FileSystem {
  public:
    explicit DyingFileSystem(int change) : left_(change) {}

    Result<std::unique_ptr<File>> open(const Path& path, bool create) override {
        if (create) count();
        CLOISON_TRY(auto file, real_.open(path, create));
        return std::make_unique<DyingFile>(*this, std::move(file));
    }
    Result<Bytes> read_file(const Path& path, std::size_t max_size) override {
        return real_.read_file(path, max_size);
    }
    Status write_file_atomically(const Path& path, ByteView data, unsigned mode) override {
        count();
        return real_.write_file_atomically(path, data, mode);
    }
    Status create_directories(const Path& path) override {
        count();
        return real_.create_directories(path);
    }
    Status sync_directory(const Path& path) override {
        count();
        return real_.sync_directory(path);
    }
    Result<std::unique_ptr<FileSystemSync>> begin_sync(const Path& path) override {
        CLOISON_TRY(auto sync, real_.begin_sync(path));
        return std::make_unique<DyingSync>(*this, std::move(sync));
    }
    Result<std::unique_ptr<FileLock>> lock_file(const Path& path) override {
        return real_.lock_file(path);
    }
    Status remove(const Path& path) override {
        count();
        return real_.remove(path);
    }
    Result<bool> exists(const Path& path) override { return real_.exists(path); }
    Result<std::vector<std::string>> list(const Path& path) override { return real_.list(path); }
    Result<unsigned> mode(const Path& path) override { return real_.mode(path); }

  private:
    struct DyingFile : File {
        DyingFile(DyingFileSystem& owner, std::unique_ptr<File> real)
            : files(owner), file(std::move(real)) {}
        Result<std::size_t> read_at(std::uint64_t at, std::span<std::uint8_t> out) override {
            return file->read_at(at, out);
        }
        Status write_at(std::uint64_t at, ByteView data) override {
            if (files.dies()) {
                static_cast<void>(file->write_at(at, data.first(data.size() / 2)));
                ::_exit(0);
            }
            return file->write_at(at, data);
        }
        Status truncate(std::uint64_t size) override {
            files.count();
            return file->truncate(size);
        }
        Result<std::uint64_t> size() override { return file->size(); }
        Status sync_data() override {
            files.count();
            return file->sync_data();
        }
        DyingFileSystem& files;
        std::unique_ptr<File> file;
    };

    struct DyingSync : FileSystemSync {
        DyingSync(DyingFileSystem& owner, std::unique_ptr<FileSystemSync> real)
            : files(owner), all(std::move(real)) {}
        Status sync() override {
            files.count();
            return all->sync();
        }
        DyingFileSystem& files;
        std::unique_ptr<FileSystemSync> all;
    };

    bool dies() { return --left_ == 0; }
    void count() {
        if (dies()) ::_exit(0);
    }

    FileSystem& real_ = local_file_system();
    std::atomic<int> left_;
};

TEST_P(FaultsTest, SuddenDeathAtAnyStepLosesNothingAcknowledged) {
    void* const shared = ::mmap(nullptr, sizeof(std::atomic<std::uint64_t>), PROT_READ | PROT_WRITE,
                                MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    ASSERT_NE(shared, MAP_FAILED);
    auto& acknowledged = *new (shared) std::atomic<std::uint64_t>(0);
    bool survived = false;
    for (int change = 1; !survived; ++change) {
        ASSERT_LT(change, 400);
        const TemporaryDirectory directory;
        acknowledged = 0;
        const pid_t child = ::fork();
        ASSERT_GE(child, 0);
        if (child == 0) {
            DyingFileSystem files(change);
            for (int session = 0; session < 2; ++session) {
                const auto journal = open_journal(files, directory.path(), entry_key_);
                if (!journal) ::_exit(2);
                for (const std::uint64_t count : {1, 254, 3}) {
                    const std::uint64_t first = (*journal)->size();
                    if (!(*journal)->append(test_entries(first, count))) ::_exit(3);
                    acknowledged = first + count;
                }
            }
            ::_exit(42);
        }
        int status = 0;
        ASSERT_EQ(::waitpid(child, &status, 0), child);
        ASSERT_TRUE(WIFEXITED(status));
        ASSERT_TRUE(WEXITSTATUS(status) == 0 || WEXITSTATUS(status) == 42) << WEXITSTATUS(status);
        survived = WEXITSTATUS(status) == 42;
        expect_sound(local_file_system(), directory.path(), entry_key_, acknowledged,
                     "death at change " + std::to_string(change));
        if (HasFatalFailure()) break;
    }
    ::munmap(shared, sizeof(std::atomic<std::uint64_t>));
}

}  // namespace
}  // namespace cloison::journal
