#include "journal/export.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <functional>
#include <map>
#include <set>

#include "journal/fsck.h"
#include "journal/simulated_disk_for_test.h"
#include "journal/support_for_test.h"
#include "journal/tiles.h"

namespace cloison::journal {
namespace {

using Fault = SimulatedDisk::Fault;

NoteVerifier verifier(std::uint8_t seed = 1) {
    return *NoteVerifier::parse(note_vkey(kTestOrigin, test_key(seed).verify_key()));
}

/// Exports the first `size` entries of the journal in /j.
Result<ExportReport> export_to(SimulatedDisk& disk, const Path& to, std::uint64_t size,
                               const EntryKey& entry_key = nullptr) {
    CLOISON_TRY(const auto journal, PublishedJournal::open(disk, "/j", verifier(), entry_key));
    CLOISON_TRY(const auto head, journal.checkpoint_at(size));
    return export_journal(journal, head, sign_note(head.text(), kTestOrigin, test_key()),
                          verifier(), disk, to, nullptr);
}

/// Everything in a directory, by its path within.
std::map<std::string, Bytes> content_of(SimulatedDisk& disk, const Path& directory,
                                        const std::string& prefix = {}) {
    std::map<std::string, Bytes> found;
    const auto names = *disk.list(directory);
    for (const std::string& name : names) {
        if (auto content = disk.read_file(directory / name, 1 << 24)) {
            found[prefix + name] = *content;
        } else {
            found.merge(content_of(disk, directory / name, prefix + name + '/'));
        }
    }
    return found;
}

/// What an export of the first `size` test entries must hold: what a journal in plaintext of that
/// size holds, without what is Cloison's own.
std::map<std::string, Bytes> expected_export(std::uint64_t size) {
    SimulatedDisk disk;
    { grow(**open_journal(disk, "/j"), size); }
    auto all = content_of(disk, "/j");
    std::set<std::string> partials;
    for (int level = TileId::kEntries; level < kTileLevels; ++level) {
        const TileId tile{level, hashes_at_level(size, std::max(level, 0)) / kTileWidth};
        partials.insert(tile.path(tile_width(tile, size)));
    }
    std::erase_if(all, [&](const auto& item) {
        // A journal that is slow to grow is published in between, and keeps partial tiles of then.
        const bool partial = item.first.find(".p/") != std::string::npos;
        return item.first == "lock" || item.first.starts_with("wal/") ||
               (partial && !partials.contains(item.first));
    });
    return all;
}
std::map<std::string, Bytes> exported(SimulatedDisk& disk, const Path& to) {
    auto all = content_of(disk, to);
    EXPECT_EQ(all.erase(".cloison-export"), 1U);
    return all;
}

TEST(ExportTest, IsTheStandardFormDecryptedAtEverySize) {
    for (const bool encrypted : {false, true}) {
        const EntryKey key = encrypted ? test_entry_key() : nullptr;
        SimulatedDisk disk;
        { grow(**open_journal(disk, "/j", key), 66'000); }
        for (const std::uint64_t size : {1, 2, 255, 256, 257, 65'535, 65'536, 65'537, 66'000}) {
            const Path to = "/export-" + std::to_string(size);
            const auto report = export_to(disk, to, size, key);
            ASSERT_TRUE(report.has_value()) << report.error().message;
            EXPECT_EQ(report->entries, size);
            EXPECT_EQ(report->resumed, 0U);
            EXPECT_EQ(exported(disk, to), expected_export(size)) << size;
        }
    }
}

TEST(ExportTest, GrowsWithTheJournal) {
    SimulatedDisk disk;
    { grow(**open_journal(disk, "/j"), 1500); }
    std::uint64_t before = 0;
    for (const std::uint64_t size : {0, 100, 256, 300, 300, 1100, 1500}) {
        const auto report = export_to(disk, "/export", size);
        ASSERT_TRUE(report.has_value()) << report.error().message;
        EXPECT_EQ(report->resumed, before);
        before = size;
        const auto all = exported(disk, "/export");
        // Partial tiles of earlier sizes may be there as well, until the tile is full.
        for (const auto& [name, content] : expected_export(size)) {
            ASSERT_TRUE(all.contains(name)) << name << " at " << size;
            EXPECT_EQ(all.at(name), content) << name << " at " << size;
        }
        for (const auto& [name, content] : all) {
            if (name.find(".p/") != std::string::npos) {
                EXPECT_FALSE(all.contains(name.substr(0, name.find(".p/")))) << name;
            }
        }
    }
    // An export never shrinks.
    const auto all = content_of(disk, "/export");
    const auto smaller = export_to(disk, "/export", 1499);
    ASSERT_FALSE(smaller.has_value());
    EXPECT_EQ(smaller.error().code, ErrorCode::kConflict);
    EXPECT_EQ(content_of(disk, "/export"), all);
}

/// All that an export of the first `size` test entries must hold is there; partial tiles of earlier
/// sizes may be as well.
void expect_export_of(SimulatedDisk& disk, std::uint64_t size, const std::string& when) {
    static std::map<std::uint64_t, std::map<std::string, Bytes>> expected;
    if (!expected.contains(size)) expected[size] = expected_export(size);
    const auto all = exported(disk, "/export");
    for (const auto& [name, content] : expected[size]) {
        ASSERT_TRUE(all.contains(name)) << name << " at " << size << ", " << when;
        ASSERT_EQ(all.at(name), content) << name << " at " << size << ", " << when;
    }
}

/// An export of 700 entries fails at each of its changes in turn, in each way, once after an export
/// of `before`, if that is not 0. The power is cut at once, or only after the export was taken up.
void fail_each_change(std::uint64_t before) {
    SeededRandom random(9);
    for (const Fault fault : {Fault::kBefore, Fault::kHalf, Fault::kAfter, Fault::kWriteback}) {
        bool reached = true;
        for (int change = 1; reached; ++change) {
            for (int aftermath = 0; aftermath < 3; ++aftermath) {
                const std::string when = "change " + std::to_string(change) + ", fault " +
                                         std::to_string(static_cast<int>(fault)) + ", aftermath " +
                                         std::to_string(aftermath);
                SimulatedDisk disk;
                { grow(**open_journal(disk, "/j"), 700); }
                ASSERT_TRUE(before == 0 || export_to(disk, "/export", before).has_value());
                const int changes = disk.changes();
                disk.arm(change, fault, fault != Fault::kWriteback);
                const bool done = export_to(disk, "/export", 700).has_value();
                reached = disk.changes() - changes >= change;
                disk.disarm();
                ASSERT_TRUE(done || reached) << when;
                // 0: the process died, the machine did not. 1: all that was not synced is lost.
                // 2: any part of it is.
                if (aftermath > 0) disk.cut_power(aftermath == 1 ? nullptr : &random);
                // A checkpoint is there only if all that it covers is.
                const auto note = disk.read_file("/export/checkpoint", 4096);
                if (note) {
                    const std::uint64_t size = open_checkpoint(as_text(*note), verifier())->size;
                    ASSERT_TRUE(size == 700 || (!done && size == before)) << when;
                    expect_export_of(disk, size, when);
                }
                ASSERT_TRUE(note || (!done && before == 0)) << when;
                const auto report = export_to(disk, "/export", 700);
                ASSERT_TRUE(report.has_value()) << when << ": " << report.error().message;
                disk.cut_power(nullptr);
                expect_export_of(disk, 700, when + ", taken up");
                if (::testing::Test::HasFatalFailure()) return;
            }
            ASSERT_TRUE(reached || change > 15);
        }
    }
}

TEST(ExportTest, IsTakenUpAfterEachFailure) {
    fail_each_change(0);
}

TEST(ExportTest, KeepsWhatItsCheckpointCoversThroughEachFailureToGrow) {
    fail_each_change(300);
}

TEST(ExportTest, LeavesNoPartialTileOfARunThatWasCutShort) {
    SimulatedDisk disk;
    { grow(**open_journal(disk, "/j"), 700); }
    ASSERT_TRUE(export_to(disk, "/export", 250));
    ASSERT_TRUE(
        disk.write_file_atomically("/export/tile/entries/000.p/251", as_bytes("half"), 0600));
    ASSERT_TRUE(export_to(disk, "/export", 252));
    EXPECT_TRUE(*disk.exists("/export/tile/entries/000.p/250"));
    EXPECT_FALSE(*disk.exists("/export/tile/entries/000.p/251"));
    EXPECT_TRUE(*disk.exists("/export/tile/entries/000.p/252"));
}

TEST(ExportTest, DamagedLeftoversAreWrittenAnew) {
    SimulatedDisk disk;
    { grow(**open_journal(disk, "/j"), 300); }
    ASSERT_TRUE(export_to(disk, "/export", 300).has_value());
    ASSERT_TRUE(disk.remove("/export/checkpoint"));
    for (const char* name : {"tile/entries/000", "tile/0/001.p/44", "tile/1/000.p/1"}) {
        const auto file = *disk.open(Path("/export") / name, false);
        ASSERT_TRUE(file->write_at(5, Bytes(4000, 7)));
    }
    ASSERT_TRUE(export_to(disk, "/export", 300).has_value());
    EXPECT_EQ(exported(disk, "/export"), expected_export(300));
}

TEST(ExportTest, ForeignDirectoriesAreLeftAlone) {
    SimulatedDisk disk;
    { grow(**open_journal(disk, "/j"), 300); }
    ASSERT_TRUE(disk.create_directories("/foreign"));
    ASSERT_TRUE(disk.write_file_atomically("/foreign/letter", as_bytes("dear"), 0600));
    for (const char* to : {"/foreign", "/j", "/j/tile"}) {
        const auto before = content_of(disk, to);
        const auto report = export_to(disk, to, 300);
        ASSERT_FALSE(report.has_value()) << to;
        EXPECT_EQ(report.error().code, ErrorCode::kConflict);
        EXPECT_EQ(content_of(disk, to), before);
    }
    // The export of a log with another key.
    ASSERT_TRUE(disk.create_directories("/other"));
    ASSERT_TRUE(disk.write_file_atomically(
        "/other/.cloison-export",
        as_bytes("Export of the journal " + note_vkey(kTestOrigin, test_key(2).verify_key()) +
                 '\n'),
        0600));
    EXPECT_EQ(export_to(disk, "/other", 300).error().code, ErrorCode::kConflict);
}

TEST(ExportTest, AnotherHistoryIsNotContinued) {
    SimulatedDisk disk;
    {
        const auto journal = *open_journal(disk, "/j");
        ASSERT_TRUE(journal->append(test_entries(1000, 300)).has_value());
    }
    ASSERT_TRUE(export_to(disk, "/export", 300).has_value());
    SimulatedDisk rewritten;
    { grow(**open_journal(rewritten, "/j"), 400); }
    for (const auto& [name, content] : content_of(disk, "/export")) {
        ASSERT_TRUE(rewritten.create_directories((Path("/export") / name).parent_path()));
        ASSERT_TRUE(rewritten.write_file_atomically(Path("/export") / name, content, 0600));
    }
    const auto report = export_to(rewritten, "/export", 400);
    ASSERT_FALSE(report.has_value());
    EXPECT_EQ(report.error().code, ErrorCode::kConflict);
}

TEST(ExportTest, DamagedJournalGivesNoCheckpoint) {
    for (const char* name : {"tile/entries/000", "tile/entries/001.p/44"}) {
        SimulatedDisk disk;
        { grow(**open_journal(disk, "/j"), 300); }
        const auto file = *disk.open(Path("/j") / name, false);
        Bytes byte(1);
        ASSERT_TRUE(file->read_at(77, byte).has_value());
        byte[0] ^= 1;
        ASSERT_TRUE(file->write_at(77, byte));
        const auto report = export_to(disk, "/export", 300);
        ASSERT_FALSE(report.has_value());
        EXPECT_EQ(report.error().code, ErrorCode::kCorrupt);
        EXPECT_FALSE(*disk.exists("/export/checkpoint"));
    }
}

TEST(ExportTest, EncryptedJournalIsNotExportedWithoutItsKey) {
    SimulatedDisk disk;
    { grow(**open_journal(disk, "/j", test_entry_key()), 3); }
    const auto report = export_to(disk, "/export", 3);
    ASSERT_FALSE(report.has_value());
    EXPECT_NE(report.error().message.find("encrypted"), std::string::npos);
    EXPECT_FALSE(*disk.exists("/export"));
}

}  // namespace
}  // namespace cloison::journal
