#include "journal/fsck.h"

#include <gtest/gtest.h>

#include <atomic>
#include <thread>

#include "base/seeded_random.h"
#include "base/temporary_directory.h"
#include "journal/note.h"
#include "journal/simulated_disk_for_test.h"
#include "journal/support_for_test.h"
#include "journal/tiles.h"
#include "journal/wal.h"

namespace cloison::journal {
namespace {

std::string test_vkey() {
    return note_vkey(kTestOrigin, test_key().verify_key());
}
Result<FsckReport> check(FileSystem& files, const Path& directory) {
    return fsck(files, directory, test_vkey(), nullptr);
}
void overwrite(FileSystem& files, const Path& path, ByteView content) {
    ASSERT_TRUE(files.write_file_atomically(path, content, 0600));
}

TEST(FsckTest, EmptyJournalIsSound) {
    SimulatedDisk disk;
    { ASSERT_TRUE(open_journal(disk, "/j").has_value()); }
    const auto report = check(disk, "/j");
    ASSERT_TRUE(report.has_value()) << report.error().message;
    EXPECT_EQ(report->entries, 0U);
}

TEST(FsckTest, UnpublishedEntriesAreReadFromTheWriteAheadFile) {
    SimulatedDisk disk;
    const auto journal = *open_journal(disk, "/j");
    grow(*journal, 300);
    ASSERT_TRUE(journal->publish());
    // The checkpoint of before stays in the way of publishing, as after a crash.
    disk.arm(3, SimulatedDisk::Fault::kBefore, true);
    ASSERT_TRUE(journal->append(test_entries(300, 7)).has_value());
    static_cast<void>(journal->publish());
    disk.disarm();
    const auto report = check(disk, "/j");
    ASSERT_TRUE(report.has_value()) << report.error().message;
    EXPECT_EQ(report->entries, 307U);
    EXPECT_EQ(report->checkpoint_size, 300U);
    EXPECT_EQ(report->unpublished_entries, 7U);
    EXPECT_EQ(report->tiles, 3U);
    EXPECT_FALSE(report->torn_tail);
}

TEST(FsckTest, TornTailIsSaidAndHarmless) {
    SimulatedDisk disk;
    {
        const auto journal = *open_journal(disk, "/j");
        grow(*journal, 3);
        disk.arm(1, SimulatedDisk::Fault::kHalf, true);
        EXPECT_FALSE(journal->append(test_entries(3, 2)).has_value());
    }
    disk.disarm();
    const auto report = check(disk, "/j");
    ASSERT_TRUE(report.has_value()) << report.error().message;
    EXPECT_EQ(report->entries, 3U);
    EXPECT_TRUE(report->torn_tail);
}

TEST(FsckTest, EntryThatDoesNotDecodeIsNamed) {
    SimulatedDisk disk;
    {
        const auto journal = *open_journal(disk, "/j");
        grow(*journal, 2);
        ASSERT_TRUE(journal->append({to_bytes("no entry")}).has_value());
    }
    const auto report = check(disk, "/j");
    ASSERT_FALSE(report.has_value());
    EXPECT_EQ(report.error().code, ErrorCode::kCorrupt);
    EXPECT_NE(report.error().message.find("tile/entries/000.p/3: entry 2"), std::string::npos)
        << report.error().message;
}

/// Every flipped bit of a file, sampled, and every way to cut it short, is found and the file
/// named.
void expect_damage_found(SimulatedDisk& disk, const std::string& name, std::string named = {}) {
    if (named.empty()) named = name;
    const Path path = Path("/j") / name;
    const auto content = disk.read_file(path, kMaxBundleBytes);
    ASSERT_TRUE(content.has_value()) << content.error().message;
    SeededRandom random(7);
    for (int sample = 0; sample < 60; ++sample) {
        Bytes damaged = *content;
        if (sample % 6 == 5) {
            damaged.resize(random.uniform(content->size()));
        } else {
            damaged[random.uniform(content->size())] ^=
                static_cast<std::uint8_t>(1 << random.uniform(8));
        }
        overwrite(disk, path, damaged);
        const auto report = check(disk, "/j");
        ASSERT_FALSE(report.has_value()) << name << ", sample " << sample;
        EXPECT_EQ(report.error().code, ErrorCode::kCorrupt);
        EXPECT_NE(report.error().message.find(named), std::string::npos)
            << name << ": " << report.error().message;
    }
    ASSERT_TRUE(disk.remove(path));
    EXPECT_FALSE(check(disk, "/j").has_value()) << name << " is missing";
    overwrite(disk, path, *content);
    EXPECT_TRUE(check(disk, "/j").has_value());
}

TEST(FsckTest, DamageToAnyFileIsFoundAndNamed) {
    SimulatedDisk disk;
    const auto journal = *open_journal(disk, "/j");
    grow(*journal, 1000);
    ASSERT_TRUE(journal->publish());
    expect_damage_found(disk, "checkpoint");
    expect_damage_found(disk, "tile/entries/001");
    expect_damage_found(disk, "tile/entries/003.p/232");
    // Which of the two is wrong, entry or hash, only the root above tells; both are named.
    expect_damage_found(disk, "tile/0/002");
    expect_damage_found(disk, "tile/0/003.p/232");
    expect_damage_found(disk, "tile/1/000.p/3");
    expect_damage_found(disk, segment_path(0));
}

TEST(FsckTest, LeftOverPartialTilesAreCheckedToo) {
    SimulatedDisk disk;
    const auto journal = *open_journal(disk, "/j");
    grow(*journal, 700);
    ASSERT_TRUE(journal->publish());
    const auto content_of = [&](const std::string& name) {
        return *disk.read_file(Path("/j") / name, kMaxBundleBytes);
    };
    for (const std::string tile : {"tile/0/001", "tile/0/002", "tile/1/000"}) {
        const std::string directory = "/j/" + tile + ".p";
        ASSERT_TRUE(disk.create_directories(directory));
        Bytes content = content_of(tile == "tile/0/001"   ? tile
                                   : tile == "tile/0/002" ? tile + ".p/188"
                                                          : tile + ".p/2");
        content.resize(32);
        overwrite(disk, directory + "/1", content);
        EXPECT_TRUE(check(disk, "/j").has_value());
        content[31] ^= 1;
        overwrite(disk, directory + "/1", content);
        const auto report = check(disk, "/j");
        ASSERT_FALSE(report.has_value());
        EXPECT_NE(report.error().message.find(tile + ".p/1"), std::string::npos);
        ASSERT_TRUE(disk.remove(directory + "/1"));
    }
}

TEST(FsckTest, WholeHistoryRewrittenWithoutTheKeyIsFound) {
    SimulatedDisk honest;
    SimulatedDisk rewritten;
    { grow(**open_journal(honest, "/j"), 300); }
    {
        const auto journal = *open_journal(rewritten, "/j");
        ASSERT_TRUE(journal->append(test_entries(1, 299)).has_value());
        ASSERT_TRUE(journal->append(test_entries(0, 1)).has_value());
    }
    // All files are consistent but for the signed root.
    overwrite(rewritten, "/j/checkpoint", *honest.read_file("/j/checkpoint", 4096));
    const auto report = check(rewritten, "/j");
    ASSERT_FALSE(report.has_value());
    EXPECT_NE(report.error().message.find("checkpoint"), std::string::npos);
}

TEST(FsckTest, ProgressEndsWithAll) {
    SimulatedDisk disk;
    { grow(**open_journal(disk, "/j"), 66'000); }
    std::atomic<std::uint64_t> calls{0};
    std::uint64_t last = 0;
    const auto report = fsck(disk, "/j", test_vkey(), [&](std::uint64_t done, std::uint64_t all) {
        ++calls;
        EXPECT_LE(done, all);
        EXPECT_GE(done, last);
        last = done;
    });
    ASSERT_TRUE(report.has_value()) << report.error().message;
    EXPECT_EQ(last, 66'000U);
    EXPECT_GE(calls, 2U);
}

TEST(FsckTest, RunningJournalIsCheckedMeanwhile) {
    const TemporaryDirectory directory;
    const auto journal = *open_journal(local_file_system(), directory.path());
    std::atomic<bool> stop{false};
    std::thread writer([&] {
        while (!stop) {
            const std::uint64_t first = journal->size();
            ASSERT_TRUE(journal->append(test_entries(first, 200)).has_value());
            ASSERT_TRUE(journal->publish());
        }
    });
    for (int round = 0; round < 20; ++round) {
        const auto report = check(local_file_system(), directory.path());
        EXPECT_TRUE(report.has_value()) << report.error().message;
    }
    stop = true;
    writer.join();
}

}  // namespace
}  // namespace cloison::journal
