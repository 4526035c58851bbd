#include "base/file_system.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <system_error>
#include <utility>

namespace cloison {
namespace {

/// The error that errno names: "Cannot open /var/x: No space left on device."
tl::unexpected<Error> system_failure(std::string_view action, const Path& path) {
    const int number = errno;
    return fail(number == ENOENT ? ErrorCode::kNotFound : ErrorCode::kIo,
                "Cannot " + std::string(action) + ' ' + path.string() + ": " +
                    std::generic_category().message(number) + '.');
}

/// Repeats a system call that a signal interrupted.
template <class Call>
auto uninterrupted(Call call) {
    auto result = call();
    while (result < 0 && errno == EINTR) result = call();
    return result;
}

class Descriptor {
  public:
    explicit Descriptor(int number) : number_(number) {}
    Descriptor(Descriptor&& other) noexcept : number_(std::exchange(other.number_, -1)) {}
    Descriptor& operator=(Descriptor&&) = delete;
    // After an interrupted close(2) Linux has released the number: closing again could hit another.
    ~Descriptor() {
        if (number_ >= 0) ::close(number_);
    }
    int get() const { return number_; }

  private:
    int number_;
};

Result<Descriptor> open_descriptor(const Path& path, int flags, mode_t mode = 0) {
    const int number = uninterrupted([&] { return ::open(path.c_str(), flags | O_CLOEXEC, mode); });
    if (number < 0) return system_failure("open", path);
    return Descriptor(number);
}

/// Leaves the time of last access as it is, unless the file is somebody else's (EPERM).
Result<Descriptor> open_quietly(const Path& path, int flags, mode_t mode) {
    const int number =
        uninterrupted([&] { return ::open(path.c_str(), flags | O_NOATIME | O_CLOEXEC, mode); });
    if (number < 0 && errno == EPERM) return open_descriptor(path, flags, mode);
    if (number < 0) return system_failure("open", path);
    return Descriptor(number);
}

Path parent_of(const Path& path) {
    return path.has_parent_path() ? path.parent_path() : Path(".");
}

class LocalFile : public File {
  public:
    LocalFile(Path path, Descriptor descriptor)
        : path_(std::move(path)), descriptor_(std::move(descriptor)) {}

    Result<std::size_t> read_at(std::uint64_t offset, std::span<std::uint8_t> out) override {
        std::size_t done = 0;
        while (done < out.size()) {
            const ssize_t got = uninterrupted([&] {
                return ::pread(descriptor_.get(), out.data() + done, out.size() - done,
                               static_cast<off_t>(offset + done));
            });
            if (got < 0) return system_failure("read", path_);
            if (got == 0) break;
            done += static_cast<std::size_t>(got);
        }
        return done;
    }

    Status write_at(std::uint64_t offset, ByteView data) override {
        while (!data.empty()) {
            const ssize_t put = uninterrupted([&] {
                return ::pwrite(descriptor_.get(), data.data(), data.size(),
                                static_cast<off_t>(offset));
            });
            if (put < 0) return system_failure("write to", path_);
            offset += static_cast<std::uint64_t>(put);
            data = data.subspan(static_cast<std::size_t>(put));
        }
        return {};
    }

    Status truncate(std::uint64_t size) override {
        if (uninterrupted(
                [&] { return ::ftruncate(descriptor_.get(), static_cast<off_t>(size)); }) < 0)
            return system_failure("truncate", path_);
        return {};
    }

    Result<std::uint64_t> size() override {
        struct stat facts {};
        if (::fstat(descriptor_.get(), &facts) < 0) return system_failure("inspect", path_);
        return static_cast<std::uint64_t>(facts.st_size);
    }

    Status sync_data() override {
        if (uninterrupted([&] { return ::fdatasync(descriptor_.get()); }) < 0)
            return system_failure("sync", path_);
        return {};
    }

  private:
    const Path path_;
    const Descriptor descriptor_;
};

class LocalFileLock : public FileLock {
  public:
    explicit LocalFileLock(Descriptor descriptor) : descriptor_(std::move(descriptor)) {}

  private:
    const Descriptor descriptor_;
};

class LocalFileSystemSync : public FileSystemSync {
  public:
    LocalFileSystemSync(Path directory, Descriptor descriptor)
        : directory_(std::move(directory)), descriptor_(std::move(descriptor)) {}

    Status sync() override {
        if (uninterrupted([&] { return ::syncfs(descriptor_.get()); }) < 0)
            return system_failure("sync the file system of", directory_);
        return {};
    }

  private:
    const Path directory_;
    const Descriptor descriptor_;
};

class LocalFileSystem : public FileSystem {
  public:
    Result<std::unique_ptr<File>> open(const Path& path, bool create) override {
        const int flags = O_RDWR | (create ? O_CREAT : 0);
        CLOISON_TRY(auto descriptor, open_quietly(path, flags, 0600));
        return std::make_unique<LocalFile>(path, std::move(descriptor));
    }

    Result<Bytes> read_file(const Path& path, std::size_t max_size) override {
        CLOISON_TRY(auto descriptor, open_descriptor(path, O_RDONLY));
        LocalFile file(path, std::move(descriptor));
        CLOISON_TRY(const std::uint64_t size, file.size());
        const auto too_large = [&] {
            return fail(ErrorCode::kTooLarge,
                        path.string() + " is larger than " + std::to_string(max_size) + " bytes.");
        };
        if (size > max_size) return too_large();
        // One byte more than announced shows that the file grew, or that it is no regular file.
        Bytes content(static_cast<std::size_t>(size) + 1);
        CLOISON_TRY(const std::size_t got, file.read_at(0, content));
        if (got > size) return too_large();
        content.resize(got);
        return content;
    }

    Status write_file_atomically(const Path& path, ByteView data, unsigned mode) override {
        const Path temporary = temporary_sibling(path);
        auto written = write_new_file(temporary, path, data, mode);
        if (written && ::rename(temporary.c_str(), path.c_str()) < 0)
            written = system_failure("replace", path);
        if (!written) {
            ::unlink(temporary.c_str());
            return written;
        }
        return sync_directory(parent_of(path));
    }

    Status create_directories(const Path& path) override {
        struct stat facts {};
        if (::stat(path.c_str(), &facts) == 0) {
            if (S_ISDIR(facts.st_mode)) return {};
            return fail(ErrorCode::kIo, path.string() + " exists and is not a directory.");
        }
        if (errno != ENOENT) return system_failure("create directory", path);
        // A trailing slash leaves an empty last part whose parent is the path itself.
        if (!path.has_filename()) return create_directories(path.parent_path());
        const Path parent = parent_of(path);
        CLOISON_TRY_STATUS(create_directories(parent));
        if (::mkdir(path.c_str(), 0700) < 0 && errno != EEXIST)
            return system_failure("create directory", path);
        return sync_directory(parent);
    }

    Status sync_directory(const Path& path) override {
        CLOISON_TRY(auto descriptor, open_descriptor(path, O_RDONLY | O_DIRECTORY));
        if (uninterrupted([&] { return ::fsync(descriptor.get()); }) < 0)
            return system_failure("sync directory", path);
        return {};
    }

    Status forget_times(const Path& path) override {
        constexpr timespec kNever{946'684'800, 0};  // 2000-01-01T00:00:00Z
        const timespec times[2]{kNever, kNever};
        if (::utimensat(AT_FDCWD, path.c_str(), times, AT_SYMLINK_NOFOLLOW) < 0)
            return system_failure("set the times of", path);
        return {};
    }

    Result<std::unique_ptr<FileSystemSync>> begin_sync(const Path& directory) override {
        CLOISON_TRY(auto descriptor, open_descriptor(directory, O_RDONLY | O_DIRECTORY));
        return std::make_unique<LocalFileSystemSync>(directory, std::move(descriptor));
    }

    Result<std::unique_ptr<FileLock>> lock_file(const Path& path) override {
        CLOISON_TRY(auto descriptor, open_descriptor(path, O_RDWR | O_CREAT, 0600));
        if (uninterrupted([&] { return ::flock(descriptor.get(), LOCK_EX | LOCK_NB); }) < 0) {
            if (errno == EWOULDBLOCK)
                return fail(ErrorCode::kConflict, path.string() + " is locked by another process.");
            return system_failure("lock", path);
        }
        return std::make_unique<LocalFileLock>(std::move(descriptor));
    }

    Status remove(const Path& path) override {
        if (::remove(path.c_str()) < 0) return system_failure("remove", path);
        return {};
    }

    Result<bool> exists(const Path& path) override {
        struct stat facts {};
        if (::stat(path.c_str(), &facts) == 0) return true;
        if (errno == ENOENT || errno == ENOTDIR) return false;
        return system_failure("inspect", path);
    }

    Result<std::vector<std::string>> list(const Path& directory) override {
        const std::unique_ptr<DIR, int (*)(DIR*)> entries(::opendir(directory.c_str()), ::closedir);
        if (!entries) return system_failure("list", directory);
        std::vector<std::string> names;
        errno = 0;
        while (const dirent* entry = ::readdir(entries.get())) {
            const std::string_view name = entry->d_name;
            if (name != "." && name != "..") names.emplace_back(name);
        }
        if (errno != 0) return system_failure("list", directory);
        std::sort(names.begin(), names.end());
        return names;
    }

    Result<unsigned> mode(const Path& path) override {
        struct stat facts {};
        if (::stat(path.c_str(), &facts) < 0) return system_failure("inspect", path);
        return static_cast<unsigned>(facts.st_mode & 07777);
    }

  private:
    /// A name of its own for every process and call, so that concurrent writers do not mix.
    static Path temporary_sibling(const Path& path) {
        static std::atomic<std::uint64_t> counter{0};
        return parent_of(path) /
               ('.' + path.filename().string() + '.' + std::to_string(::getpid()) + '.' +
                std::to_string(counter.fetch_add(1)) + ".tmp");
    }

    /// Errors name `asked`, the file that is to be: nobody knows the temporary one.
    static Status write_new_file(const Path& path, const Path& asked, ByteView data,
                                 unsigned mode) {
        // What a crashed process of the same number left behind is nobody's.
        ::unlink(path.c_str());
        const int number = uninterrupted([&] {
            return ::open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
        });
        if (number < 0 && errno == ENOENT)
            return fail(ErrorCode::kNotFound, "Cannot write " + asked.string() +
                                                  ": the directory " + parent_of(asked).string() +
                                                  " is missing.");
        if (number < 0) return system_failure("write", asked);
        LocalFile file(asked, Descriptor(number));
        CLOISON_TRY_STATUS(file.write_at(0, data));
        // The process's umask has no say in the mode.
        if (::fchmod(number, static_cast<mode_t>(mode)) < 0)
            return system_failure("protect", asked);
        if (uninterrupted([&] { return ::fsync(number); }) < 0)
            return system_failure("sync", asked);
        return {};
    }
};

}  // namespace

FileSystem& local_file_system() {
    static LocalFileSystem files;
    return files;
}

}  // namespace cloison
