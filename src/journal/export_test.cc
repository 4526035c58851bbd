#include "journal/export.h"

#include <gtest/gtest.h>

#include <functional>
#include <map>

#include "journal/fsck.h"
#include "journal/simulated_disk_for_test.h"
#include "journal/support_for_test.h"

namespace cloison::journal {
namespace {

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
    std::erase_if(all, [](const auto& item) {
        return item.first == "lock" || item.first.starts_with("wal/");
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

TEST(ExportTest, IsTakenUpAfterEachFailure) {
    const auto expected = expected_export(700);
    for (int change = 1;; ++change) {
        SimulatedDisk disk;
        { grow(**open_journal(disk, "/j"), 700); }
        disk.arm(change, SimulatedDisk::Fault::kHalf, true);
        const bool failed = !export_to(disk, "/export", 700);
        disk.disarm();
        // A checkpoint is there only if all that it covers is.
        const auto checkpoint = disk.read_file("/export/checkpoint", 4096);
        if (checkpoint) {
            EXPECT_EQ(exported(disk, "/export"), expected);
        }
        const auto report = export_to(disk, "/export", 700);
        ASSERT_TRUE(report.has_value()) << change << ": " << report.error().message;
        ASSERT_EQ(exported(disk, "/export"), expected) << change;
        if (!failed) {
            EXPECT_GT(change, 15);
            break;
        }
    }
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
