// Whatever is done to a journal's files is reported by fsck, or provably harmless: nothing of what
// was acknowledged is lost or changed. fsck is told how many entries there were, as the keeper
// remembers.

#include <gtest/gtest.h>

#include <functional>
#include <map>
#include <set>

#include "journal/fsck.h"
#include "journal/note.h"
#include "journal/simulated_disk_for_test.h"
#include "journal/support_for_test.h"
#include "journal/tiles.h"
#include "journal/wal.h"

namespace cloison::journal {
namespace {

using Directory = std::map<std::string, Bytes>;  ///< Content by path within the journal.

Directory read_all(SimulatedDisk& disk, const Path& at = "/j") {
    Directory found;
    const auto names = *disk.list(at);
    for (const std::string& name : names) {
        if (auto content = disk.read_file(at / name, 1 << 24)) {
            found[(at / name).lexically_relative("/j").string()] = *content;
        } else {
            found.merge(read_all(disk, at / name));
        }
    }
    return found;
}

void put(SimulatedDisk& disk, const Directory& files) {
    ASSERT_TRUE(disk.create_directories("/j/wal"));
    for (const auto& [name, content] : files) {
        ASSERT_TRUE(disk.create_directories((Path("/j") / name).parent_path()));
        ASSERT_TRUE(disk.write_file_atomically(Path("/j") / name, content, 0600));
    }
}

/// A journal in a state that a crash may leave: tiles, partial tiles also of earlier sizes, a
/// segment that the checkpoint covers and one that it does not, with a few frames.
struct Sample {
    Sample(std::uint64_t first, std::uint64_t second, EntryKey key)
        : entry_key(std::move(key)), published(first + second), total(published + 4) {
        SimulatedDisk disk;
        Bytes covered;
        {
            const auto journal = *open_journal(disk, "/j", entry_key);
            grow(*journal, first);
            EXPECT_TRUE(journal->publish());
            grow(*journal, published);
            EXPECT_TRUE(journal->publish());
            covered = *disk.read_file(Path("/j") / segment_path(0), 1 << 24);
        }
        const auto journal = *open_journal(disk, "/j", entry_key);
        older = read_all(disk);
        for (const std::uint64_t count : {1, 2, 1}) grow(*journal, journal->size() + count);
        files = read_all(disk);
        // The removal of a covered segment need not have reached the disk.
        files[segment_path(0)] = covered;
    }
    Result<FsckReport> check(SimulatedDisk& disk, std::uint64_t at_least) const {
        return fsck(disk, "/j",
                    FsckOptions{.verify_key = note_vkey(kTestOrigin, test_key().verify_key()),
                                .entry_key = entry_key,
                                .at_least = at_least});
    }

    const EntryKey entry_key;
    const std::uint64_t published;
    const std::uint64_t total;
    Directory older;  ///< Before the frames.
    Directory files;
};

/// Opening gives every entry, and leaves a sound journal.
testing::AssertionResult opens_whole(const Sample& sample, const Directory& files) {
    SimulatedDisk disk;
    put(disk, files);
    {
        const auto journal = open_journal(disk, "/j", sample.entry_key);
        if (!journal) return testing::AssertionFailure() << journal.error().message;
        if ((*journal)->size() != sample.total)
            return testing::AssertionFailure() << (*journal)->size() << " entries";
        const auto entries = (*journal)->read(0, sample.total);
        if (!entries || *entries != test_entries(0, sample.total))
            return testing::AssertionFailure() << "other entries";
    }
    const auto report = sample.check(disk, sample.total);
    if (!report) return testing::AssertionFailure() << report.error().message;
    return testing::AssertionSuccess();
}

/// Opening refuses, or gives entries that were written, at least those that are published.
testing::AssertionResult opens_safely(const Sample& sample, const Directory& files) {
    SimulatedDisk disk;
    put(disk, files);
    const auto journal = open_journal(disk, "/j", sample.entry_key);
    if (!journal) return testing::AssertionSuccess();
    const std::uint64_t size = (*journal)->size();
    if (size < sample.published || size > sample.total)
        return testing::AssertionFailure() << size << " entries";
    const auto entries = (*journal)->read(0, size);
    if (entries && *entries != test_entries(0, size))
        return testing::AssertionFailure() << "other entries";
    return testing::AssertionSuccess();
}

/// Damages one file after another and tells what became of it.
class Tampering {
  public:
    explicit Tampering(const Sample& sample) : sample_(sample) { put(disk_, sample.files); }

    /// The file has that content now, or is not there.
    void replace(const std::string& name, const std::optional<Bytes>& content,
                 const std::string& how, bool open_too) {
        const Path path = Path("/j") / name;
        if (content) {
            ASSERT_TRUE(disk_.write_file_atomically(path, *content, 0600));
        } else {
            ASSERT_TRUE(disk_.remove(path));
        }
        const auto report = sample_.check(disk_, sample_.total);
        Directory files = sample_.files;
        files.erase(name);
        if (content) files[name] = *content;
        if (report) {
            // fsck does not mind: then nothing may be lost.
            ASSERT_EQ(report->entries, sample_.total) << name << ", " << how;
            ASSERT_TRUE(opens_whole(sample_, files)) << name << ", " << how;
            ++harmless[name];
        } else {
            ASSERT_EQ(report.error().code, ErrorCode::kCorrupt) << report.error().message;
            ASSERT_TRUE(says_where(report.error().message, name))
                << name << ", " << how << ": " << report.error().message;
            ++reported[name];
            if (open_too) {
                ASSERT_TRUE(opens_safely(sample_, files)) << name << ", " << how;
            }
        }
        ASSERT_TRUE(disk_.write_file_atomically(path, sample_.files.at(name), 0600));
    }

    std::map<std::string, int> harmless;
    std::map<std::string, int> reported;

  private:
    /// The message names the file; or the one that it disagrees with; or says that entries miss.
    static bool says_where(const std::string& message, const std::string& name) {
        if (message.find(name) != std::string::npos) return true;
        if (name.starts_with("wal/") && message.find("older copy") != std::string::npos)
            return true;
        // A wrong checkpoint of an earlier size, and tiles without it, show in other files.
        return message.find("checkpoint") != std::string::npos ||
               message.find("wal/") != std::string::npos;
    }

    const Sample& sample_;
    SimulatedDisk disk_;
};

class TamperingTest : public testing::TestWithParam<bool> {
  protected:
    /// `lock` says who has it open, and nothing depends on it. A segment that the checkpoint covers
    /// is not needed any more: only its removal did not reach the disk.
    void expect_harmless_only_where_nothing_depends(const Tampering& tampering) {
        for (const auto& [name, count] : tampering.harmless)
            EXPECT_TRUE(name == "lock" || name == segment_path(0)) << name << ": " << count;
    }
    const EntryKey entry_key_ = GetParam() ? test_entry_key() : nullptr;
    const Sample small_{3, 2, entry_key_};
};
INSTANTIATE_TEST_SUITE_P(Journal, TamperingTest, testing::Bool(),
                         [](const auto& test) { return test.param ? "Encrypted" : "Plain"; });

TEST_P(TamperingTest, SampleIsSoundAndHasEveryKindOfFile) {
    ASSERT_TRUE(opens_whole(small_, small_.files));
    const Sample large(250, 50, entry_key_);
    ASSERT_TRUE(opens_whole(large, large.files));
    for (const char* name : {"checkpoint", "lock", "tile/0/000", "tile/0/001.p/44",
                             "tile/1/000.p/1", "tile/entries/000", "tile/entries/001.p/44",
                             "wal/00000000000000000000", "wal/00000000000000000300"})
        EXPECT_TRUE(large.files.contains(name)) << name;
    for (const char* name : {"tile/0/000.p/3", "tile/entries/000.p/3", "tile/0/000.p/5"})
        EXPECT_TRUE(small_.files.contains(name)) << name;
}

TEST_P(TamperingTest, EveryFlippedBitOfEveryFileIsReported) {
    Tampering tampering(small_);
    for (const auto& [name, content] : small_.files)
        for (std::size_t bit = 0; bit < 8 * content.size(); ++bit) {
            Bytes changed = content;
            changed[bit / 8] ^= static_cast<std::uint8_t>(1 << bit % 8);
            ASSERT_NO_FATAL_FAILURE(
                tampering.replace(name, changed, "bit " + std::to_string(bit), bit % 5 == 0));
        }
    // Without exception: a flipped bit is never explained by a write that was cut short.
    for (const auto& [name, count] : tampering.harmless) EXPECT_EQ(name, "lock") << count;
    EXPECT_EQ(tampering.reported.size(), small_.files.size() - 1);
}

TEST_P(TamperingTest, FlippedBitsOfFullTilesAreReported) {
    const Sample large(250, 50, entry_key_);
    Tampering tampering(large);
    for (const auto& [name, content] : large.files) {
        // One bit in every so many bytes, another each time: whole files one by one take minutes.
        const std::size_t step = std::max<std::size_t>(1, content.size() / 700);
        std::size_t bit = 0;
        for (std::size_t at = 0; at < content.size(); at += step, bit = (bit + 3) % 8) {
            Bytes changed = content;
            changed[at] ^= static_cast<std::uint8_t>(1 << bit);
            ASSERT_NO_FATAL_FAILURE(
                tampering.replace(name, changed, "byte " + std::to_string(at), false));
        }
    }
    for (const auto& [name, count] : tampering.harmless) EXPECT_EQ(name, "lock") << count;
}

TEST_P(TamperingTest, EveryCutAndEveryAdditionIsReportedOrHarmless) {
    Tampering tampering(small_);
    for (const auto& [name, content] : small_.files) {
        for (std::size_t size = 0; size < content.size(); ++size)
            ASSERT_NO_FATAL_FAILURE(tampering.replace(
                name, Bytes(content.begin(), content.begin() + static_cast<std::ptrdiff_t>(size)),
                "cut to " + std::to_string(size), true));
        for (const std::uint8_t added : {0, 1, 0x43})
            for (const std::size_t count : {1, 24, 200}) {
                Bytes longer = content;
                longer.insert(longer.end(), count, added);
                // What follows the last frame is the beginning of a write that was cut short, if it
                // can be one: nobody was told of it.
                if (name == segment_path(small_.published) && (added == 0 || count < 24)) continue;
                ASSERT_NO_FATAL_FAILURE(tampering.replace(name, longer, "longer", true));
            }
    }
    expect_harmless_only_where_nothing_depends(tampering);
}

TEST_P(TamperingTest, BytesBehindTheLastFrameAreATornTail) {
    for (const Bytes& tail : {Bytes{0}, Bytes{0x43}, Bytes(200, 0), Bytes(23, 0xff)}) {
        Directory files = small_.files;
        Bytes& segment = files.at(segment_path(small_.published));
        segment.insert(segment.end(), tail.begin(), tail.end());
        EXPECT_TRUE(opens_whole(small_, files));
    }
}

TEST_P(TamperingTest, RemovedFilesAreReported) {
    Tampering tampering(small_);
    for (const auto& [name, content] : small_.files) {
        // Tiles of earlier sizes may be missing: the specification lets them go.
        if (name.ends_with(".p/3")) continue;
        ASSERT_NO_FATAL_FAILURE(tampering.replace(name, std::nullopt, "removed", true));
    }
    expect_harmless_only_where_nothing_depends(tampering);
}

TEST_P(TamperingTest, SwappedFilesAreReported) {
    const Sample large(250, 50, entry_key_);
    for (const Sample* sample : {&small_, &large})
        for (const auto& [one, content] : sample->files)
            for (const auto& [other, other_content] : sample->files) {
                if (one >= other || one == "lock" || other == "lock") continue;
                Directory files = sample->files;
                std::swap(files.at(one), files.at(other));
                SimulatedDisk disk;
                put(disk, files);
                const auto report = sample->check(disk, sample->total);
                ASSERT_FALSE(report.has_value()) << one << " and " << other;
                ASSERT_EQ(report.error().code, ErrorCode::kCorrupt);
                if (sample == &small_) {
                    ASSERT_TRUE(opens_safely(*sample, files)) << one << " and " << other;
                }
            }
}

TEST_P(TamperingTest, FilesOfAnotherJournalAreReported) {
    // The same sizes, other entries.
    SimulatedDisk disk;
    {
        const auto journal = *open_journal(disk, "/j", entry_key_);
        ASSERT_TRUE(journal->append(test_entries(1000, 3)).has_value());
        ASSERT_TRUE(journal->publish());
        ASSERT_TRUE(journal->append(test_entries(1003, 2)).has_value());
        ASSERT_TRUE(journal->publish());
    }
    const auto journal = *open_journal(disk, "/j", entry_key_);
    ASSERT_TRUE(journal->append(test_entries(1005, 4)).has_value());
    Tampering tampering(small_);
    int replaced = 0;
    for (const auto& [name, content] : read_all(disk)) {
        if (!small_.files.contains(name) || name == "lock") continue;
        ASSERT_NO_FATAL_FAILURE(tampering.replace(name, content, "of another journal", true));
        ++replaced;
    }
    EXPECT_GE(replaced, 6);
    EXPECT_TRUE(tampering.harmless.empty());
}

TEST_P(TamperingTest, RemovedAndReorderedEntriesAreReported) {
    const EntryCipher cipher(entry_key_, std::string(kTestOrigin), system_random());
    const Sample large(250, 50, entry_key_);
    const auto write = [&](const TileFiles& tiles, std::uint64_t bundle, std::uint64_t width,
                           const std::vector<Bytes>& entries, bool hashes_too) {
        Bytes content;
        Bytes hashes;
        for (const Bytes& entry : entries) {
            put_u16(content, static_cast<std::uint16_t>(entry.size()));
            content.insert(content.end(), entry.begin(), entry.end());
            const auto hash = hash_leaf(entry);
            hashes.insert(hashes.end(), hash.begin(), hash.end());
        }
        ASSERT_TRUE(tiles.write({TileId::kEntries, bundle}, width, content, true));
        if (hashes_too) {
            ASSERT_TRUE(tiles.write({0, bundle}, width, hashes, true));
        }
    };
    for (const std::uint64_t bundle : {0, 1})
        for (const bool hashes_too : {false, true})
            for (const bool removed : {false, true}) {
                SimulatedDisk disk;
                put(disk, large.files);
                const TileFiles tiles(disk, "/j", cipher);
                const std::uint64_t width = tile_width({TileId::kEntries, bundle}, large.published);
                // Whoever has the entry key can write the bundles; nobody else can.
                auto entries = *tiles.entries(bundle, width);
                if (removed) {
                    entries.erase(entries.begin() + 7);
                    entries.push_back(test_entry(9));
                } else {
                    std::swap(entries[7], entries[8]);
                }
                write(tiles, bundle, width, entries, hashes_too);
                const auto report = large.check(disk, large.total);
                ASSERT_FALSE(report.has_value());
                EXPECT_EQ(report.error().code, ErrorCode::kCorrupt);
            }
}

TEST_P(TamperingTest, FrameOfAnotherPlaceIsReported) {
    Directory files = small_.files;
    Bytes& segment = files.at(segment_path(small_.published));
    const Bytes sound = segment;
    std::vector<std::size_t> frames;
    for (std::size_t at = as_text(sound).find("CLJF"); at != std::string_view::npos;
         at = as_text(sound).find("CLJF", at + 1))
        frames.push_back(at);
    ASSERT_EQ(frames.size(), 3U);
    frames.push_back(sound.size());
    const auto frame = [&](std::size_t i) {
        return Bytes(sound.begin() + static_cast<std::ptrdiff_t>(frames[i]),
                     sound.begin() + static_cast<std::ptrdiff_t>(frames[i + 1]));
    };
    // In another order, one twice, one left out.
    for (const std::vector<std::size_t>& order :
         {std::vector<std::size_t>{1, 0, 2}, {2, 1, 0}, {0, 2, 1}, {0, 0, 1, 2}, {0, 2}, {1, 2}}) {
        segment.assign(sound.begin(), sound.begin() + static_cast<std::ptrdiff_t>(frames[0]));
        for (const std::size_t i : order) {
            const Bytes bytes = frame(i);
            segment.insert(segment.end(), bytes.begin(), bytes.end());
        }
        SimulatedDisk disk;
        put(disk, files);
        ASSERT_FALSE(small_.check(disk, small_.total).has_value());
        ASSERT_FALSE(open_journal(disk, "/j", entry_key_).has_value());
    }
}

TEST_P(TamperingTest, OlderCopyOfAllIsFoundByWhatIsRemembered) {
    SimulatedDisk disk;
    put(disk, small_.older);
    // It is sound in itself.
    ASSERT_TRUE(small_.check(disk, 0).has_value());
    ASSERT_TRUE(small_.check(disk, small_.published).has_value());
    const auto counted = small_.check(disk, small_.published + 1);
    ASSERT_FALSE(counted.has_value());
    EXPECT_NE(counted.error().message.find("older copy"), std::string::npos);

    SimulatedDisk newer;
    put(newer, small_.files);
    std::string kept;
    {
        const auto journal = *open_journal(newer, "/j", entry_key_);
        kept = *journal->checkpoint();
    }
    const auto against = [&](SimulatedDisk& where, const std::string& note) {
        return fsck(where, "/j",
                    FsckOptions{.verify_key = note_vkey(kTestOrigin, test_key().verify_key()),
                                .entry_key = entry_key_,
                                .against = note});
    };
    EXPECT_TRUE(against(newer, kept).has_value());
    const auto older = against(disk, kept);
    ASSERT_FALSE(older.has_value());
    EXPECT_NE(older.error().message.find("older copy"), std::string::npos);
    // Every earlier checkpoint is held against the entries, in tiles and in frames.
    SimulatedDisk unpublished;
    put(unpublished, small_.files);
    TreeEdge tree;
    for (std::uint64_t size = 0; size <= small_.total; ++size) {
        const Checkpoint then{std::string(kTestOrigin), size, tree.root()};
        const Checkpoint other{std::string(kTestOrigin), size, hash_leaf(as_bytes("other"))};
        EXPECT_TRUE(
            against(unpublished, sign_note(then.text(), kTestOrigin, test_key())).has_value())
            << size;
        const auto forked = against(unpublished, sign_note(other.text(), kTestOrigin, test_key()));
        ASSERT_FALSE(forked.has_value()) << size;
        EXPECT_EQ(forked.error().code, ErrorCode::kCorrupt);
        tree.append(hash_leaf(test_entry(size)), nullptr);
    }
    // What nobody of this journal signed says nothing about it.
    const auto foreign = against(disk, sign_note(Checkpoint{std::string(kTestOrigin), 1, {}}.text(),
                                                 kTestOrigin, test_key(2)));
    EXPECT_EQ(foreign.error().code, ErrorCode::kInvalidArgument);
}

TEST(EncryptionTest, WrongOrMissingKeyIsRefusedAndNothingIsCut) {
    const Sample sample(3, 2, test_entry_key());
    for (const EntryKey& key : {EntryKey(), test_entry_key(6)}) {
        SimulatedDisk disk;
        put(disk, sample.files);
        const auto journal = open_journal(disk, "/j", key);
        ASSERT_FALSE(journal.has_value());
        EXPECT_EQ(journal.error().code, ErrorCode::kCorrupt);
        if (!key) {
            EXPECT_NE(journal.error().message.find("no key"), std::string::npos);
        }
        Directory after = read_all(disk);
        after.erase("lock");
        Directory before = sample.files;
        before.erase("lock");
        EXPECT_EQ(after, before);
    }
    // Also where all is in frames that only the key opens.
    SimulatedDisk disk;
    Directory unpublished;
    {
        const auto journal = *open_journal(disk, "/j", test_entry_key());
        grow(*journal, 2);
        unpublished = read_all(disk);
    }
    SimulatedDisk again;
    put(again, unpublished);
    EXPECT_FALSE(open_journal(again, "/j", test_entry_key(6)).has_value());
    const auto journal = open_journal(again, "/j", test_entry_key());
    ASSERT_TRUE(journal.has_value());
    EXPECT_EQ((*journal)->size(), 2U);
}

TEST(EncryptionTest, NobodyWithoutTheKeyWritesAFrame) {
    SimulatedDisk disk;
    Directory files;
    {
        const auto journal = *open_journal(disk, "/j", test_entry_key());
        grow(*journal, 1);
        grow(*journal, 2);
        files = read_all(disk);
    }
    // What was once encrypted for another place, under a header and a digest that fit everything
    // that is public: the root, the index, the hashes.
    Bytes& segment = files.at(segment_path(0));
    const std::size_t begin = as_text(segment).find("CLJF");
    const std::size_t end = as_text(segment).find("CLJF", begin + 1);
    Bytes frame(segment.begin() + static_cast<std::ptrdiff_t>(begin),
                segment.begin() + static_cast<std::ptrdiff_t>(end - sizeof(crypto::Hash)));
    Chunk chunk;
    chunk.first = 2;
    chunk.leaves = {hash_leaf(test_entry(0))};
    seal_frame(frame, chunk, empty_root(), EntryCipher());
    segment.insert(segment.end(), frame.begin(), frame.end());
    SimulatedDisk forged;
    put(forged, files);
    const auto journal = open_journal(forged, "/j", test_entry_key());
    ASSERT_FALSE(journal.has_value()) << (*journal)->size();
    EXPECT_EQ(journal.error().code, ErrorCode::kCorrupt);
}

TEST(EncryptionTest, PlainJournalDoesNotOpenWithAKey) {
    const Sample sample(3, 2, nullptr);
    SimulatedDisk disk;
    put(disk, sample.files);
    const auto journal = open_journal(disk, "/j", test_entry_key());
    ASSERT_FALSE(journal.has_value());
    EXPECT_NE(journal.error().message.find("not encrypted"), std::string::npos);
}

TEST(EncryptionTest, NothingOfAnEntryIsOnTheDisk) {
    SimulatedDisk disk;
    Entry entry;
    entry.reason = "a reason that nobody else gives";
    entry.actor = *ActorId::from_bytes(as_bytes("sixteen bytes of"));
    const Bytes bytes = encode_entry(entry);
    {
        const auto journal = *open_journal(disk, "/j", test_entry_key());
        for (int i = 0; i < 300; ++i) ASSERT_TRUE(journal->append({bytes}).has_value());
        ASSERT_TRUE(journal->publish());
    }
    for (const auto& [name, content] : read_all(disk)) {
        const std::string_view text = as_text(content);
        EXPECT_EQ(text.find("nobody else"), std::string_view::npos) << name;
        EXPECT_EQ(text.find("sixteen"), std::string_view::npos) << name;
    }
    // Equal bundles do not show that they are equal.
    SimulatedDisk other;
    {
        const auto journal = *open_journal(other, "/j", test_entry_key());
        for (int i = 0; i < 300; ++i) ASSERT_TRUE(journal->append({bytes}).has_value());
        ASSERT_TRUE(journal->publish());
    }
    for (const auto& [name, content] : read_all(disk)) {
        const bool hidden = name.starts_with("tile/entries");
        if (hidden || name.starts_with("tile/")) {
            EXPECT_EQ(read_all(other).at(name) == content, !hidden) << name;
        }
    }
}

}  // namespace
}  // namespace cloison::journal
