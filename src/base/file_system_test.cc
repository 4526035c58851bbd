#include "base/file_system.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <atomic>
#include <thread>

#include "base/temporary_directory.h"

namespace cloison {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::StartsWith;

class FileSystemTest : public testing::Test {
  protected:
    Path in(const std::string& name) const { return directory_.path() / name; }
    std::vector<std::string> names() { return files_.list(directory_.path()).value(); }

    TemporaryDirectory directory_;
    FileSystem& files_ = local_file_system();
};

TEST_F(FileSystemTest, WritesAndReadsAtOffsets) {
    auto file = files_.open(in("data"), true).value();
    ASSERT_TRUE(file->write_at(0, as_bytes("hello world")));
    ASSERT_TRUE(file->write_at(6, as_bytes("there")));
    ASSERT_TRUE(file->sync_data());
    EXPECT_EQ(file->size(), 11U);
    Bytes out(5);
    EXPECT_EQ(file->read_at(6, out), 5U);
    EXPECT_EQ(as_text(out), "there");
    EXPECT_EQ(file->read_at(9, out), 2U);
    EXPECT_EQ(file->read_at(11, out), 0U);
    EXPECT_EQ(file->read_at(100, out), 0U);
    ASSERT_TRUE(file->truncate(5));
    EXPECT_EQ(files_.read_file(in("data"), 5), to_bytes("hello"));
}

TEST_F(FileSystemTest, ForgetsTimes) {
    ASSERT_TRUE(files_.create_directories(in("a")));
    {
        auto file = files_.open(in("a/data"), true).value();
        ASSERT_TRUE(file->write_at(0, as_bytes("hello")));
    }
    const auto times = [&](const std::string& name) {
        struct stat facts {};
        EXPECT_EQ(::stat(in(name).c_str(), &facts), 0);
        return std::pair(facts.st_mtim.tv_sec, facts.st_atim.tv_sec);
    };
    EXPECT_NE(times("a/data").first, 946'684'800);
    for (const char* name : {"a/data", "a"}) {
        ASSERT_TRUE(files_.forget_times(in(name)));
        EXPECT_EQ(times(name), (std::pair<time_t, time_t>(946'684'800, 946'684'800)));
    }
    Bytes out(5);
    EXPECT_EQ(files_.open(in("a/data"), false).value()->read_at(0, out), 5U);
    EXPECT_EQ(times("a/data").second, 946'684'800) << "reading leaves no trace";
    EXPECT_EQ(files_.forget_times(in("missing")).error().code, ErrorCode::kNotFound);
}

TEST_F(FileSystemTest, CreatedFilesArePrivate) {
    const mode_t old_mask = umask(0);
    ASSERT_TRUE(files_.open(in("data"), true));
    ASSERT_TRUE(files_.create_directories(in("a/b")));
    umask(old_mask);
    EXPECT_EQ(files_.mode(in("data")), 0600U);
    EXPECT_EQ(files_.mode(in("a")), 0700U);
    EXPECT_EQ(files_.mode(in("a/b")), 0700U);
}

TEST_F(FileSystemTest, MissingFilesAreNotFoundAndNamed) {
    for (const auto& error :
         {files_.open(in("none"), false).error(), files_.read_file(in("none"), 10).error(),
          files_.remove(in("none")).error(), files_.mode(in("none")).error(),
          files_.list(in("none")).error(), files_.sync_directory(in("none")).error()}) {
        EXPECT_EQ(error.code, ErrorCode::kNotFound);
        EXPECT_THAT(error.message, HasSubstr(in("none").string()));
        EXPECT_THAT(error.message, HasSubstr("No such file or directory"));
    }
    EXPECT_EQ(files_.exists(in("none")), false);
}

TEST_F(FileSystemTest, AFileInPlaceOfADirectoryIsAnInputOutputError) {
    ASSERT_TRUE(files_.open(in("file"), true));
    EXPECT_EQ(files_.open(in("file/inner"), true).error().code, ErrorCode::kIo);
    EXPECT_EQ(files_.create_directories(in("file")).error().code, ErrorCode::kIo);
    EXPECT_EQ(files_.create_directories(in("file/inner")).error().code, ErrorCode::kIo);
    EXPECT_EQ(files_.list(in("file")).error().code, ErrorCode::kIo);
    EXPECT_EQ(files_.write_file_atomically(in("file/inner"), {}, 0600).error().code,
              ErrorCode::kIo);
    EXPECT_EQ(files_.exists(in("file/inner")), false);
    EXPECT_EQ(files_.read_file(directory_.path(), 1 << 20).error().code, ErrorCode::kIo);
}

TEST_F(FileSystemTest, ReadsUpToTheBoundAndNotBeyond) {
    ASSERT_TRUE(files_.write_file_atomically(in("data"), Bytes(1000), 0600));
    EXPECT_EQ(files_.read_file(in("data"), 1000)->size(), 1000U);
    EXPECT_EQ(files_.read_file(in("data"), 999).error().code, ErrorCode::kTooLarge);
    ASSERT_TRUE(files_.write_file_atomically(in("empty"), {}, 0600));
    EXPECT_EQ(files_.read_file(in("empty"), 0), Bytes{});
}

TEST_F(FileSystemTest, AtomicWriteReplacesContentAndModeAndLeavesNothingElse) {
    ASSERT_TRUE(files_.write_file_atomically(in("data"), as_bytes("old"), 0600));
    const mode_t old_mask = umask(0777);
    ASSERT_TRUE(files_.write_file_atomically(in("data"), as_bytes("new"), 0644));
    umask(old_mask);
    EXPECT_EQ(files_.read_file(in("data"), 10), to_bytes("new"));
    EXPECT_EQ(files_.mode(in("data")), 0644U);
    EXPECT_THAT(names(), ElementsAre("data"));
}

TEST_F(FileSystemTest, AtomicWriteThatFailsLeavesNothingBehind) {
    ASSERT_TRUE(files_.create_directories(in("occupied/inner")));
    const auto written = files_.write_file_atomically(in("occupied"), as_bytes("x"), 0600);
    ASSERT_FALSE(written);
    EXPECT_EQ(written.error().code, ErrorCode::kIo);
    EXPECT_THAT(names(), ElementsAre("occupied"));
    EXPECT_THAT(files_.list(in("occupied")).value(), ElementsAre("inner"));
}

TEST_F(FileSystemTest, AtomicWriteThatFailsNamesWhatWasAskedFor) {
    const auto written = files_.write_file_atomically(in("missing/data"), as_bytes("x"), 0600);
    ASSERT_FALSE(written);
    EXPECT_EQ(written.error().code, ErrorCode::kNotFound);
    EXPECT_EQ(written.error().message, "Cannot write " + in("missing/data").string() +
                                           ": the directory " + in("missing").string() +
                                           " is missing.");
    ASSERT_TRUE(files_.write_file_atomically(in("file"), as_bytes("x"), 0600));
    const auto under_file = files_.write_file_atomically(in("file/data"), as_bytes("x"), 0600);
    ASSERT_FALSE(under_file);
    EXPECT_THAT(under_file.error().message,
                StartsWith("Cannot write " + in("file/data").string() + ": "));
}

TEST_F(FileSystemTest, ReadersSeeOneOfTheAtomicallyWrittenContents) {
    const std::vector<Bytes> contents{Bytes(50'000, 'a'), Bytes(80'000, 'b')};
    ASSERT_TRUE(files_.write_file_atomically(in("data"), contents[0], 0600));
    std::atomic<bool> done{false};
    std::thread writer([&] {
        for (int i = 0; i < 100; ++i)
            EXPECT_TRUE(files_.write_file_atomically(
                in("data"), contents[static_cast<std::size_t>(i) % 2], 0600));
        done = true;
    });
    do {
        const auto content = files_.read_file(in("data"), 100'000);
        EXPECT_TRUE(content && (*content == contents[0] || *content == contents[1]));
    } while (!done);
    writer.join();
}

TEST_F(FileSystemTest, CreatesMissingParentsAndAcceptsWhatExists) {
    ASSERT_TRUE(files_.create_directories(in("a/b/c/")));
    ASSERT_TRUE(files_.create_directories(in("a/b/c")));
    EXPECT_EQ(files_.exists(in("a/b/c")), true);
    EXPECT_TRUE(files_.sync_directory(in("a/b")));
}

TEST_F(FileSystemTest, ListsNamesInOrderAndRemovesThem) {
    for (const char* name : {"b", "a", ".c"}) ASSERT_TRUE(files_.open(in(name), true));
    ASSERT_TRUE(files_.create_directories(in("d")));
    EXPECT_THAT(names(), ElementsAre(".c", "a", "b", "d"));
    for (const char* name : {"b", "a", ".c", "d"}) EXPECT_TRUE(files_.remove(in(name)));
    EXPECT_THAT(names(), IsEmpty());
}

TEST_F(FileSystemTest, SyncsTheFileSystemOfADirectory) {
    const auto sync = files_.begin_sync(directory_.path());
    ASSERT_TRUE(sync.has_value()) << sync.error().message;
    ASSERT_TRUE(files_.write_file_atomically(directory_.path() / "letter", as_bytes("dear"), 0600));
    EXPECT_TRUE((*sync)->sync().has_value());
    EXPECT_TRUE((*sync)->sync().has_value());

    const auto missing = files_.begin_sync(directory_.path() / "missing");
    ASSERT_FALSE(missing.has_value());
    EXPECT_EQ(missing.error().code, ErrorCode::kNotFound);
    EXPECT_NE(missing.error().message.find("missing"), std::string::npos);
    EXPECT_EQ(files_.begin_sync(directory_.path() / "letter").error().code, ErrorCode::kIo);
}

TEST_F(FileSystemTest, AFullDiskIsAnInputOutputErrorThatSaysSo) {
    // The kernel's always-full device.
    auto file = files_.open("/dev/full", false).value();
    const auto written = file->write_at(0, as_bytes("x"));
    ASSERT_FALSE(written);
    EXPECT_EQ(written.error().code, ErrorCode::kIo);
    EXPECT_THAT(written.error().message, HasSubstr("No space left on device"));
}

TEST(TemporaryDirectoryTest, GoesWithAllThatIsInIt) {
    FileSystem& files = local_file_system();
    Path path;
    {
        const TemporaryDirectory directory;
        path = directory.path();
        EXPECT_EQ(files.mode(path), 0700U);
        ASSERT_TRUE(files.create_directories(path / "a/b"));
        ASSERT_TRUE(files.open(path / "a/b/c", true));
    }
    EXPECT_EQ(files.exists(path), false);
}

}  // namespace
}  // namespace cloison
