#pragma once

#include <filesystem>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "base/bytes.h"
#include "base/result.h"

namespace cloison {

using Path = std::filesystem::path;

/// A file open for reading and appending at stated offsets. One thread at a time.
class File {
  public:
    virtual ~File() = default;
    /// Reads up to out.size() bytes at `offset`; fewer only at the end of the file.
    virtual Result<std::size_t> read_at(std::uint64_t offset, std::span<std::uint8_t> out) = 0;
    /// Writes all of `data` at `offset` or fails with kIo.
    virtual Status write_at(std::uint64_t offset, ByteView data) = 0;
    virtual Status truncate(std::uint64_t size) = 0;
    virtual Result<std::uint64_t> size() = 0;
    /// Returns when the data is on stable storage (fdatasync(2)). After a failure the state of
    /// the page cache is unknown: the caller must stop writing to this file.
    virtual Status sync_data() = 0;
};

/// An exclusive lock, held until the object goes or the process ends.
class FileLock {
  public:
    virtual ~FileLock() = default;
};

/// What is to be on stable storage together: hundreds of new files, far cheaper than one by one.
/// One thread at a time.
class FileSystemSync {
  public:
    virtual ~FileSystemSync() = default;
    /// Returns when all that was written to the file system so far is on stable storage
    /// (syncfs(2)); kIo if anything that was written to it since the object was made, by whomever,
    /// could not be. What was lost is not written by a later sync, which need not fail: it is to be
    /// written afresh, under a new object.
    virtual Status sync() = 0;
};

/// The file system, passed in so that every failing call can be tested. Errors are kNotFound
/// where the path is missing and kIo otherwise, with the path and the system's words.
class FileSystem {
  public:
    virtual ~FileSystem() = default;
    /// For reading and writing. A file that is created has mode 0600. Where the system allows it,
    /// reading leaves no trace in the file's time of last access.
    virtual Result<std::unique_ptr<File>> open(const Path& path, bool create) = 0;
    /// The whole content; kTooLarge beyond `max_size` bytes.
    virtual Result<Bytes> read_file(const Path& path, std::size_t max_size) = 0;
    /// Writes a temporary sibling, syncs it, renames it over `path` and syncs the directory:
    /// readers see the old content or the new, also after a crash. `mode` as for chmod(2). A crash
    /// may leave the sibling behind: its name starts with a dot and ends in ".tmp".
    virtual Status write_file_atomically(const Path& path, ByteView data, unsigned mode) = 0;
    /// With its missing parents, each of mode 0700 and durable on return.
    virtual Status create_directories(const Path& path) = 0;
    virtual Status sync_directory(const Path& path) = 0;
    /// Sets the times of last reading and writing of a file or directory to the beginning of 2000,
    /// so that a copy does not show when it was used. Nothing where files have no times.
    virtual Status forget_times(const Path&) { return {}; }
    /// To be called before the first write that the sync is to answer for. The kernel writes back
    /// when it likes, and keeps an error for each descriptor that was open when it happened: to one
    /// that is opened later it tells only what nobody else was told, and another process's
    /// syncfs(2) may have been. (Linux 5.8 and later, where syncfs reports such errors at all:
    /// syncfs(2), "VERSIONS"; errseq_sample() in lib/errseq.c and
    /// Documentation/core-api/errseq.rst.)
    virtual Result<std::unique_ptr<FileSystemSync>> begin_sync(const Path& directory) = 0;
    /// Locks the file, which is made if missing (flock(2)); kConflict at once if it is locked.
    virtual Result<std::unique_ptr<FileLock>> lock_file(const Path& path) = 0;
    /// A file or an empty directory.
    virtual Status remove(const Path& path) = 0;
    virtual Result<bool> exists(const Path& path) = 0;
    virtual Result<std::vector<std::string>> list(const Path& directory) = 0;  ///< Names, sorted.
    virtual Result<unsigned> mode(const Path& path) = 0;                       ///< Permission bits.
};

FileSystem& local_file_system();

}  // namespace cloison
