#include "journal/published.h"

#include <gtest/gtest.h>

#include <atomic>
#include <thread>

#include "base/temporary_directory.h"
#include "journal/simulated_disk_for_test.h"
#include "journal/support_for_test.h"

namespace cloison::journal {
namespace {

NoteVerifier verifier() {
    return *NoteVerifier::parse(note_vkey(kTestOrigin, test_key().verify_key()));
}
Result<PublishedJournal> open_published(FileSystem& files, const Path& directory,
                                        const EntryKey& entry_key = nullptr) {
    return PublishedJournal::open(files, directory, verifier(), entry_key);
}
/// A signed checkpoint of an earlier size.
std::string note_at(const PublishedJournal& journal, std::uint64_t size) {
    return sign_note(journal.checkpoint_at(size)->text(), kTestOrigin, test_key());
}

class PublishedTest : public testing::TestWithParam<bool> {
  protected:
    const EntryKey entry_key_ = GetParam() ? test_entry_key() : nullptr;
};
INSTANTIATE_TEST_SUITE_P(Journal, PublishedTest, testing::Bool(),
                         [](const auto& test) { return test.param ? "Encrypted" : "Plain"; });

TEST_P(PublishedTest, EveryEntryIsProvedAtEverySize) {
    SimulatedDisk disk;
    const auto journal = *open_journal(disk, "/j", entry_key_);
    grow(*journal, 530);
    ASSERT_TRUE(journal->publish());
    const auto published = open_published(disk, "/j", entry_key_);
    ASSERT_TRUE(published.has_value()) << published.error().message;
    EXPECT_EQ(published->note(), *journal->checkpoint());
    for (const std::uint64_t size : {1, 2, 255, 256, 257, 511, 512, 513, 530}) {
        const auto head = published->checkpoint_at(size);
        ASSERT_TRUE(head.has_value()) << head.error().message;
        const std::string note = note_at(*published, size);
        for (std::uint64_t index = 0; index < size; index += index < 3 || index > 250 ? 1 : 17) {
            const auto proof = published->prove(index, *head, note);
            ASSERT_TRUE(proof.has_value()) << proof.error().message;
            ASSERT_EQ(proof->entry, test_entry(index));
            const auto checkpoint = verify_proof(*Proof::parse(proof->text()), verifier());
            ASSERT_TRUE(checkpoint.has_value()) << checkpoint.error().message;
            ASSERT_EQ(checkpoint->size, size);
        }
        EXPECT_EQ(published->prove(size, *head, note).error().code, ErrorCode::kNotFound);
        for (const std::uint64_t old_size : {0, 1, 2, 255, 256, 257, 511}) {
            if (old_size > size) continue;
            const auto path = published->prove_consistency(old_size, size);
            ASSERT_TRUE(path.has_value()) << path.error().message;
            EXPECT_EQ(*path, *journal->prove_consistency(old_size, size));
        }
    }
    EXPECT_EQ(published->checkpoint_at(531).error().code, ErrorCode::kInvalidArgument);
    EXPECT_EQ(published->prove_consistency(1, 531).error().code, ErrorCode::kInvalidArgument);
    EXPECT_EQ(published->prove_consistency(3, 2).error().code, ErrorCode::kInvalidArgument);
}

TEST(PublishedJournalTest, CheckpointOfAnotherHistoryIsRefused) {
    SimulatedDisk disk;
    { grow(**open_journal(disk, "/j"), 5); }
    const auto published = open_published(disk, "/j");
    const Checkpoint other{std::string(kTestOrigin), 5, hash_leaf(as_bytes("other"))};
    const auto proof = published->prove(1, other, sign_note(other.text(), kTestOrigin, test_key()));
    ASSERT_FALSE(proof.has_value());
    EXPECT_EQ(proof.error().code, ErrorCode::kInvalidArgument);
}

TEST(PublishedJournalTest, WhatIsNoJournalOrOfAnotherKeyIsRefused) {
    SimulatedDisk disk;
    EXPECT_EQ(open_published(disk, "/j").error().code, ErrorCode::kNotFound);
    { grow(**open_journal(disk, "/j"), 5); }
    const auto other = *NoteVerifier::parse(note_vkey(kTestOrigin, test_key(2).verify_key()));
    EXPECT_EQ(PublishedJournal::open(disk, "/j", other, nullptr).error().code, ErrorCode::kCorrupt);
}

TEST(PublishedJournalTest, EntriesNeedTheKeyAndHashesDoNot) {
    SimulatedDisk disk;
    { grow(**open_journal(disk, "/j", test_entry_key()), 300); }
    for (const EntryKey& key : {EntryKey(), test_entry_key(6)}) {
        const auto published = open_published(disk, "/j", key);
        ASSERT_TRUE(published.has_value());
        EXPECT_TRUE(published->prove_consistency(17, 300).has_value());
        const auto proof = published->prove(3, published->checkpoint(), published->note());
        ASSERT_FALSE(proof.has_value());
        EXPECT_EQ(proof.error().code, ErrorCode::kCorrupt);
        EXPECT_NE(proof.error().message.find("tile/entries/000"), std::string::npos);
    }
}

TEST(PublishedJournalTest, DamagedTilesProveNothing) {
    SimulatedDisk disk;
    { grow(**open_journal(disk, "/j"), 600); }
    const auto published = open_published(disk, "/j");
    for (const std::string name : {"tile/0/000", "tile/0/002.p/88", "tile/1/000.p/2"}) {
        const Path path = Path("/j") / name;
        const Bytes sound = *disk.read_file(path, kMaxBundleBytes);
        for (std::size_t at = 0; at < sound.size(); at += 13) {
            Bytes changed = sound;
            changed[at] ^= 4;
            ASSERT_TRUE(disk.write_file_atomically(path, changed, 0600));
            // A hash that a proof does not need may be damaged; what comes out is never wrong.
            const auto proof = published->prove(255, published->checkpoint(), published->note());
            if (proof) {
                ASSERT_TRUE(verify_proof(*proof, verifier()).has_value());
            }
            for (const std::uint64_t size : {100, 256, 513}) {
                const auto then = published->checkpoint_at(size);
                if (then) {
                    TreeEdge tree;
                    for (std::uint64_t i = 0; i < size; ++i)
                        tree.append(hash_leaf(test_entry(i)), nullptr);
                    ASSERT_EQ(then->root, tree.root());
                }
            }
        }
        ASSERT_TRUE(disk.write_file_atomically(path, sound, 0600));
    }
}

TEST(PublishedJournalTest, IsReadWhileTheJournalIsWrittenTo) {
    const TemporaryDirectory directory;
    const auto journal = *open_journal(local_file_system(), directory.path(), test_entry_key());
    grow(*journal, 10);
    ASSERT_TRUE(journal->publish());
    std::atomic<bool> stop{false};
    std::thread writer([&] {
        while (!stop) {
            ASSERT_TRUE(journal->append(test_entries(journal->size(), 50)).has_value());
            ASSERT_TRUE(journal->publish());
        }
    });
    for (int round = 0; round < 60; ++round) {
        const auto published =
            open_published(local_file_system(), directory.path(), test_entry_key());
        ASSERT_TRUE(published.has_value()) << published.error().message;
        const std::uint64_t last = published->size() - 1;
        for (const std::uint64_t index : {std::uint64_t{0}, last / 2, last}) {
            const auto proof = published->prove(index, published->checkpoint(), published->note());
            EXPECT_TRUE(proof.has_value()) << proof.error().message;
            EXPECT_TRUE(published->prove_consistency(index, published->size()).has_value());
        }
    }
    stop = true;
    writer.join();
}

}  // namespace
}  // namespace cloison::journal
