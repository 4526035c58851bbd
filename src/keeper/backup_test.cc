#include "keeper/backup.h"

#include <gtest/gtest.h>

#include <functional>

#include "keeper/support_for_test.h"

namespace cloison::keeper {
namespace {

constexpr int kResidents = 3;

/// The local file system, which calls back when the epoch keys are listed, notes what was made
/// before a sync was begun that covers it, and can fail that sync.
class WatchedFiles : public FileSystem {
  public:
    std::function<void()> on_epochs = [] {};
    Path to_be_synced;  ///< A directory, and all below.
    bool sync_fails = false;
    int syncs = 0;
    std::vector<Path> made_before_sync;

    Result<std::unique_ptr<File>> open(const Path& path, bool create) override {
        if (create) note(path);
        return files_.open(path, create);
    }
    Result<Bytes> read_file(const Path& path, std::size_t max_size) override {
        return files_.read_file(path, max_size);
    }
    Status write_file_atomically(const Path& path, ByteView data, unsigned mode) override {
        note(path);
        return files_.write_file_atomically(path, data, mode);
    }
    Status create_directories(const Path& path) override { return files_.create_directories(path); }
    Status sync_directory(const Path& path) override { return files_.sync_directory(path); }
    Result<std::unique_ptr<FileSystemSync>> begin_sync(const Path& path) override {
        CLOISON_TRY(auto sync, files_.begin_sync(path));
        if (path == to_be_synced) begun_ = true;
        return std::make_unique<WatchedSync>(*this, std::move(sync));
    }
    Result<std::unique_ptr<FileLock>> lock_file(const Path& path) override {
        return files_.lock_file(path);
    }
    Status remove(const Path& path) override { return files_.remove(path); }
    Result<bool> exists(const Path& path) override { return files_.exists(path); }
    Result<std::vector<std::string>> list(const Path& path) override {
        if (path.filename() == "epochs") on_epochs();
        return files_.list(path);
    }
    Result<unsigned> mode(const Path& path) override { return files_.mode(path); }

  private:
    class WatchedSync : public FileSystemSync {
      public:
        WatchedSync(WatchedFiles& owner, std::unique_ptr<FileSystemSync> sync)
            : owner_(owner), sync_(std::move(sync)) {}
        Status sync() override {
            ++owner_.syncs;
            if (owner_.sync_fails) return fail(ErrorCode::kIo, "The disk failed.");
            return sync_->sync();
        }

      private:
        WatchedFiles& owner_;
        std::unique_ptr<FileSystemSync> sync_;
    };

    void note(const Path& path) {
        if (to_be_synced.empty() || begun_) return;
        if (path.string().starts_with(to_be_synced.string() + '/'))
            made_before_sync.push_back(path);
    }

    FileSystem& files_ = local_file_system();
    bool begun_ = false;
};

/// A keeper with a few persons that was stopped, and where its backups go.
class BackupTest : public testing::Test {
  protected:
    void SetUp() override {
        bed_.start();
        bed_.enroll(kResidents);
        bed_.keeper.reset();
        const auto recipient = create_recovery_key(files_, recovery_file(), bed_.random);
        ASSERT_TRUE(recipient);
        recipient_ = *recipient;
        source_.keeper = bed_.directory();
        source_.trust = below("trust");
        source_.configuration = below("cloison.toml");
        source_.origin = TestBed::kOrigin;
        source_.entries = [] { return std::optional<std::uint64_t>(); };
        std::filesystem::create_directories(source_.trust);
        write(source_.configuration, "");
    }
    Path below(const std::string& name) const { return bed_.temporary.path() / name; }
    Path to() const { return below("backups"); }
    Path escrow() const { return to() / "keys.escrow"; }
    Path old_escrow() const { return to() / ".keys.escrow.old"; }
    Path snapshot() const { return bed_.directory() / "snapshot.sqlite"; }
    Path recovery_file() const { return below("recovery.key"); }

    void write(const Path& path, std::string_view text) {
        ASSERT_TRUE(files_.write_file_atomically(path, as_bytes(text), 0600));
    }
    Result<Backup> backup() {
        bed_.clock.advance(Duration(1000));
        return create_backup(source_, to(), recipient_, files_, bed_.clock, bed_.random,
                             [](const std::string&, std::uint64_t, std::uint64_t) {});
    }
    Result<Restored> restore(const Backup& backup) {
        RestoreOptions options;
        options.archive = backup.archive;
        options.escrow = backup.escrow;
        CLOISON_TRY(const auto recovery, load_recovery_key(files_, recovery_file()));
        return restore_backup(options, below("restored"), recovery, files_, bed_.clock, bed_.random,
                              [](const std::string&, std::uint64_t, std::uint64_t) {});
    }
    void expect_whole(const Result<Backup>& backup) {
        ASSERT_TRUE(backup) << backup.error().message;
        EXPECT_EQ(backup->persons, std::uint64_t{kResidents});
        EXPECT_FALSE(*files_.exists(snapshot()));
        const auto restored = restore(*backup);
        ASSERT_TRUE(restored) << restored.error().message;
        EXPECT_EQ(restored->persons, std::uint64_t{kResidents});
    }

    TestBed bed_;
    WatchedFiles files_;
    BackupSource source_;
    crypto::SealedBoxPublicKey recipient_;
};

TEST_F(BackupTest, IsTakenAgainWhereARotationChangesTheKeysMeanwhile) {
    const Path coming = bed_.directory() / "epochs" / "2.key";
    int listed = 0;
    files_.on_epochs = [&] {
        // A key is made after the first look, and gone when all is looked at again.
        if (++listed == 2) write(coming, "a key");
        if (listed == 3) std::filesystem::remove(coming);
    };
    expect_whole(backup());
    EXPECT_GE(listed, 4);
}

TEST_F(BackupTest, GivesUpWhereTheKeysChangeAllTheTime) {
    int listed = 0;
    files_.on_epochs = [&] {
        write(bed_.directory() / "epochs" / (std::to_string(++listed) + ".key"), "a key");
    };
    const auto refused = backup();
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().code, ErrorCode::kUnavailable) << refused.error().message;
    EXPECT_EQ(listed, 10) << "two looks an attempt, five attempts";
    EXPECT_FALSE(*files_.exists(snapshot()));
}

TEST_F(BackupTest, GoesOverTheSnapshotThatAKilledOneLeft) {
    write(snapshot(), "half a copy");
    write(snapshot().string() + "-journal", "a journal of it");
    expect_whole(backup());
}

TEST_F(BackupTest, ARestoreTellsWhenTheBackupWasMade) {
    const auto made = backup();
    ASSERT_TRUE(made) << made.error().message;
    const std::string then = format_rfc3339(bed_.clock.now());
    bed_.clock.advance(Duration(3'600'000));
    const auto restored = restore(*made);
    ASSERT_TRUE(restored) << restored.error().message;
    EXPECT_EQ(format_rfc3339(restored->backup_time), then);
}

TEST_F(BackupTest, ARestoreIsThereOnceAllOfItIsOnTheDisk) {
    const auto made = backup();
    ASSERT_TRUE(made) << made.error().message;
    files_.to_be_synced = below(".restored.restoring");
    files_.sync_fails = true;
    const auto refused = restore(*made);
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().code, ErrorCode::kIo);
    EXPECT_EQ(files_.syncs, 1);
    EXPECT_FALSE(*files_.exists(below("restored")));
    EXPECT_FALSE(*files_.exists(files_.to_be_synced));
    // A failure to write any of it back is to reach the sync.
    EXPECT_EQ(files_.made_before_sync, std::vector<Path>());

    files_.sync_fails = false;
    const auto restored = restore(*made);
    ASSERT_TRUE(restored) << restored.error().message;
    EXPECT_EQ(files_.syncs, 2);
    EXPECT_TRUE(*files_.exists(below("restored")));
}

TEST_F(BackupTest, ASecondNameOfTheEscrowIsNotOverwritten) {
    const auto first = backup();
    ASSERT_TRUE(first) << first.error().message;
    // A backup was killed between holding the old escrow and replacing it, and the next one fails
    // before it has a new one.
    std::filesystem::create_hard_link(escrow(), old_escrow());
    const Path in_the_way = to() / ".keys.escrow.partial" / "something";
    std::filesystem::create_directories(in_the_way);
    ASSERT_FALSE(backup());
    EXPECT_FALSE(*files_.exists(old_escrow()));
    expect_whole(first);
    std::filesystem::remove_all(in_the_way.parent_path());
    std::filesystem::remove_all(below("restored"));
    expect_whole(backup());
}

TEST_F(BackupTest, AnEscrowThatWasReplacedIsOverwritten) {
    ASSERT_TRUE(backup());
    // A backup was killed between replacing the old escrow and overwriting it.
    const std::string content = "keys of then";
    write(old_escrow(), content);
    std::filesystem::create_hard_link(old_escrow(), below("witness"));
    expect_whole(backup());
    EXPECT_FALSE(*files_.exists(old_escrow()));
    EXPECT_EQ(*files_.read_file(below("witness"), 1000), Bytes(content.size()));
}

}  // namespace
}  // namespace cloison::keeper
