// Preloaded into a process (LD_PRELOAD), it stands between the process and the files below one
// directory: it can fail one chosen change in ways that strace cannot, and it keeps, beside the
// real files, what a cut of the power would leave of them.
//
//   FAULTY_DISK_DIRECTORY  the directory, absolute. Without it nothing is done.
//   FAULTY_DISK_TRACE      a line for every change: "<number> <call> <path> <outcome>"
//   FAULTY_DISK_SHADOW     a directory with files/<inode> and tree/, made by faults.py. A file's
//                          content gets there when the file is synced, its name when its directory
//                          is: tree/ is what is on stable storage, and no more than that.
//   FAULTY_DISK_FAULT      "<number>:<what>" or "<number>+:<what>" (that one and all after it):
//                            before-EIO   fails and has done nothing (any errno of kErrors)
//                            after-EIO    has done everything and says that it failed
//                            half-EIO     a write that wrote half of it and failed; others: after
//                            short        a write that writes half of it and says so; others: none
//                            kill-before, kill-after   SIGKILL there
//   FAULTY_DISK_ONLY       "<call> <beginning of path>": the number counts these changes alone
//   FAULTY_DISK_STALL_MS   the call that a fault is for takes so long first, as a dying disk does
//   FAULTY_DISK_FULL       while a file of that name exists, what needs room fails with ENOSPC
//
// A failed sync loses what it should have written, for good, also where a later sync succeeds: that
// is what Linux does (fsync(2): pages that could not be written are marked clean).
//
// The shadow is written with calls that the rest of the process does not use (openat2, pwritev2,
// renameat2 …), so that strace can fail the process's own calls and leave these alone.

#include <dirent.h>
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

#include <algorithm>
#include <map>
#include <mutex>
#include <set>
#include <string>
#include <utility>
#include <vector>

namespace {

using Range = std::pair<off_t, off_t>;  // From, to.

struct Inode {
    std::vector<Range> dirty;
    int fd = -1;  // Of our own, to read from while something is dirty.
    std::string path;
};

struct Opened {
    ino_t inode = 0;
    std::string path;
    bool directory = false;
};

enum class When { kNever, kBefore, kAfter, kHalf, kShort, kKillBefore, kKillAfter };

constexpr std::pair<const char*, int> kErrors[] = {
    {"EIO", EIO}, {"ENOSPC", ENOSPC}, {"EROFS", EROFS}, {"EDQUOT", EDQUOT}, {"EINTR", EINTR}};

struct Disk {
    std::string directory;
    std::string shadow;
    std::string full;
    int trace = -1;

    std::mutex mutex;
    std::map<int, Opened> opened;
    std::map<ino_t, Inode> inodes;
    std::set<ino_t> seen;  // Opened by this process before, or made by it.
    long changes = 0;

    long fault_number = 0;
    bool fault_lasts = false;
    When fault_when = When::kNever;
    int fault_errno = EIO;
    int stall_ms = 0;
    std::string only_call;
    std::string only_path;
    long matching = 0;
};

std::string environment(const char* name) {
    const char* value = getenv(name);
    return value == nullptr ? "" : value;
}

int raw_open(const std::string& path, int flags, mode_t mode = 0) {
    open_how how{};
    how.flags = static_cast<__u64>(flags | O_CLOEXEC);
    how.mode = (flags & O_CREAT) != 0 ? mode : 0;
    return static_cast<int>(syscall(SYS_openat2, AT_FDCWD, path.c_str(), &how, sizeof how));
}
ssize_t raw_write(int fd, const void* data, size_t size, off_t offset) {
    iovec piece{const_cast<void*>(data), size};
    return syscall(SYS_pwritev2, fd, &piece, 1, offset, offset < 0 ? -1 : 0, 0);
}
ssize_t raw_read(int fd, void* data, size_t size, off_t offset) {
    iovec piece{data, size};
    return syscall(SYS_preadv2, fd, &piece, 1, offset, 0, 0);
}

[[noreturn]] void broken(const char* what) {
    dprintf(2, "faulty_disk: %s: %s\n", what, strerror(errno));
    abort();
}

void read_fault(Disk& disk, const std::string& text) {
    if (text.empty()) return;
    char* rest = nullptr;
    disk.fault_number = strtol(text.c_str(), &rest, 10);
    disk.fault_lasts = *rest == '+';
    if (disk.fault_lasts) ++rest;
    const std::string what = *rest == ':' ? rest + 1 : "";
    const std::string kind = what.substr(0, what.find('-'));
    const std::string error =
        what.find('-') == std::string::npos ? "" : what.substr(kind.size() + 1);
    if (what == "short") disk.fault_when = When::kShort;
    if (what == "kill-before") disk.fault_when = When::kKillBefore;
    if (what == "kill-after") disk.fault_when = When::kKillAfter;
    for (const auto& [name, number] : kErrors) {
        if (error != name) continue;
        disk.fault_errno = number;
        if (kind == "before") disk.fault_when = When::kBefore;
        if (kind == "after") disk.fault_when = When::kAfter;
        if (kind == "half") disk.fault_when = When::kHalf;
    }
    if (disk.fault_number <= 0 || disk.fault_when == When::kNever) {
        dprintf(2, "faulty_disk: FAULTY_DISK_FAULT is not understood: %s\n", text.c_str());
        abort();
    }
}

Disk& disk() {
    static Disk* const the_disk = [] {
        auto* made = new Disk;  // Never destroyed: files are closed after static objects are gone.
        made->directory = environment("FAULTY_DISK_DIRECTORY");
        made->shadow = environment("FAULTY_DISK_SHADOW");
        made->full = environment("FAULTY_DISK_FULL");
        const std::string trace = environment("FAULTY_DISK_TRACE");
        if (!trace.empty() && !made->directory.empty()) {
            made->trace = raw_open(trace, O_WRONLY | O_CREAT | O_APPEND, 0600);
            if (made->trace < 0) broken("trace");
        }
        made->stall_ms = atoi(environment("FAULTY_DISK_STALL_MS").c_str());
        const std::string only = environment("FAULTY_DISK_ONLY");
        made->only_call = only.substr(0, only.find(' '));
        if (only.find(' ') != std::string::npos) made->only_path = only.substr(only.find(' ') + 1);
        read_fault(*made, environment("FAULTY_DISK_FAULT"));
        return made;
    }();
    return *the_disk;
}

template <class Function>
Function* real(const char* name) {
    return reinterpret_cast<Function*>(dlsym(RTLD_NEXT, name));
}

/// The path below the directory; empty if it is elsewhere ("." for the directory itself).
std::string below(const char* path) {
    const std::string& directory = disk().directory;
    if (directory.empty() || path == nullptr) return "";
    std::string whole = path;
    while (whole.size() > 1 && whole.back() == '/') whole.pop_back();
    if (whole == directory) return ".";
    if (whole.compare(0, directory.size(), directory) != 0 || whole[directory.size()] != '/')
        return "";
    return whole.substr(directory.size() + 1);
}

void say(long number, const char* call, const std::string& path, const char* outcome) {
    if (disk().trace < 0) return;
    const std::string line =
        std::to_string(number) + ' ' + call + ' ' + path + ' ' + outcome + '\n';
    raw_write(disk().trace, line.data(), line.size(), -1);
}

const char* error_word(int number) {
    const char* name = strerrorname_np(number);
    return name == nullptr ? "error" : name;
}

// What follows needs the mutex.

std::string shadow_file(ino_t inode) {
    return disk().shadow + "/files/" + std::to_string(inode);
}

void directory_becomes_durable(const std::string& path, bool with_all_below);

/// Puts a name into the shadow's tree, in place of what has it; not if the directory's own name may
/// be lost, and with it all that is in it.
void name_becomes_durable(const std::string& path) {
    Disk& d = disk();
    struct stat facts {};
    if (fstatat(AT_FDCWD, (d.directory + '/' + path).c_str(), &facts, AT_SYMLINK_NOFOLLOW) != 0)
        return;
    const std::string there = d.shadow + "/tree/" + path;
    if (S_ISDIR(facts.st_mode)) {
        // What was synced in it before its own name was is reached only now.
        if (syscall(SYS_mkdirat, AT_FDCWD, there.c_str(), 0700) == 0)
            directory_becomes_durable(path, true);
        return;
    }
    if (!S_ISREG(facts.st_mode)) return;
    const std::string content = shadow_file(facts.st_ino);
    const int made = raw_open(content, O_WRONLY | O_CREAT, 0600);
    if (made < 0) broken("shadow file");
    real<int(int)>("close")(made);
    const std::string fresh = d.shadow + "/fresh." + std::to_string(getpid());
    syscall(SYS_unlinkat, AT_FDCWD, fresh.c_str(), 0);
    if (syscall(SYS_linkat, AT_FDCWD, content.c_str(), AT_FDCWD, fresh.c_str(), 0) != 0)
        broken("shadow link");
    if (syscall(SYS_renameat2, AT_FDCWD, fresh.c_str(), AT_FDCWD, there.c_str(), 0) != 0 &&
        errno != ENOENT)
        broken("shadow name");
    // Two names of one inode: rename does nothing then, and the fresh one stays.
    syscall(SYS_unlinkat, AT_FDCWD, fresh.c_str(), 0);
    syscall(SYS_fchmodat, AT_FDCWD, there.c_str(), facts.st_mode & 07777);
}

std::vector<std::string> names_in(const std::string& directory) {
    std::vector<std::string> names;
    const int fd = raw_open(directory, O_RDONLY | O_DIRECTORY);
    if (fd < 0) return names;
    DIR* entries = fdopendir(fd);
    while (const dirent* entry = readdir(entries)) {
        const std::string name = entry->d_name;
        if (name != "." && name != "..") names.push_back(name);
    }
    closedir(entries);
    return names;
}

void directory_becomes_durable(const std::string& path, bool with_all_below) {
    Disk& d = disk();
    const auto now = names_in(d.directory + '/' + path);
    for (const auto& name : now) {
        const std::string one = path == "." ? name : path + '/' + name;
        name_becomes_durable(one);
        struct stat facts {};
        if (with_all_below &&
            fstatat(AT_FDCWD, (d.directory + '/' + one).c_str(), &facts, 0) == 0 &&
            S_ISDIR(facts.st_mode))
            directory_becomes_durable(one, true);
    }
    for (const auto& name : names_in(d.shadow + "/tree/" + path)) {
        if (std::find(now.begin(), now.end(), name) != now.end()) continue;
        const std::string gone = d.shadow + "/tree/" + path + '/' + name;
        if (syscall(SYS_unlinkat, AT_FDCWD, gone.c_str(), 0) != 0)
            syscall(SYS_unlinkat, AT_FDCWD, gone.c_str(), AT_REMOVEDIR);
    }
}

void copy_to_shadow(ino_t inode, int from, const std::vector<Range>& ranges) {
    const int to = raw_open(shadow_file(inode), O_WRONLY | O_CREAT, 0600);
    if (to < 0) broken("shadow file");
    static thread_local std::vector<char> buffer(1 << 20);
    for (auto [at, end] : ranges) {
        while (at < end) {
            const auto want = std::min<off_t>(end - at, static_cast<off_t>(buffer.size()));
            const ssize_t got = raw_read(from, buffer.data(), static_cast<size_t>(want), at);
            if (got <= 0) break;
            if (raw_write(to, buffer.data(), static_cast<size_t>(got), at) != got)
                broken("shadow write");
            at += got;
        }
    }
    struct stat facts {};
    struct stat shadow {};
    if (fstat(from, &facts) == 0 && fstat(to, &shadow) == 0 && facts.st_size < shadow.st_size &&
        syscall(SYS_ftruncate, to, facts.st_size) != 0)
        broken("shadow truncate");
    real<int(int)>("close")(to);
}

void mark_dirty(int fd, ino_t inode, const std::string& path, Range range) {
    Disk& d = disk();
    if (d.shadow.empty()) return;
    Inode& node = d.inodes[inode];
    // Of its own, since the process may have opened the file for writing only.
    if (node.fd < 0) node.fd = raw_open("/proc/self/fd/" + std::to_string(fd), O_RDONLY);
    if (node.fd < 0) broken("second descriptor");
    node.path = path;
    // Appends are one range.
    if (!node.dirty.empty() && node.dirty.back().second == range.first)
        node.dirty.back().second = range.second;
    else
        node.dirty.push_back(range);
}

std::vector<Range> take_dirty(ino_t inode) {
    const auto found = disk().inodes.find(inode);
    return found == disk().inodes.end() ? std::vector<Range>{}
                                        : std::exchange(found->second.dirty, {});
}

void content_becomes_durable(ino_t inode, const std::string& path,
                             const std::vector<Range>& ranges) {
    Disk& d = disk();
    const auto node = d.inodes.find(inode);
    if (node != d.inodes.end()) copy_to_shadow(inode, node->second.fd, ranges);
    // SQLite leaves it to the file system that a file's name is as durable as its content, which
    // those of Linux keep. The journal relies on nothing of the kind.
    if (path.find(".sqlite") != std::string::npos) name_becomes_durable(path);
    if (node != d.inodes.end() && node->second.dirty.empty()) {
        real<int(int)>("close")(node->second.fd);
        d.inodes.erase(node);
    }
}

/// What happens to one change.
struct Turn {
    long number = 0;
    When when = When::kNever;
    int error = 0;
    bool needs_room = false;
};

Turn next_turn(const std::string& call, const std::string& path, bool needs_room) {
    Disk& d = disk();
    const std::lock_guard lock(d.mutex);
    Turn turn;
    turn.number = ++d.changes;
    const bool counts =
        d.only_call.empty() || (call == d.only_call && path.starts_with(d.only_path));
    if (counts) ++d.matching;
    if (counts &&
        (d.matching == d.fault_number || (d.fault_lasts && d.matching > d.fault_number))) {
        turn.when = d.fault_when;
        turn.error = d.fault_errno;
    }
    if (needs_room && !d.full.empty() && faccessat(AT_FDCWD, d.full.c_str(), F_OK, 0) == 0) {
        turn.when = When::kBefore;
        turn.error = ENOSPC;
    }
    return turn;
}

/// Does one change as its turn wants it. `act` returns what the system call does, `half` the same
/// for half of a write, and `done` is called after a change that happened.
template <class Act, class Half, class Done, class Undone>
ssize_t change(const char* call, const std::string& path, bool needs_room, Act act, Half half,
               Done done, Undone undone) {
    const Turn turn = next_turn(call, path, needs_room);
    if (turn.when != When::kNever && disk().stall_ms > 0) poll(nullptr, 0, disk().stall_ms);
    if (turn.when == When::kKillBefore) {
        say(turn.number, call, path, "killed-before");
        kill(getpid(), SIGKILL);
    }
    if (turn.when == When::kBefore) {
        undone();
        say(turn.number, call, path, error_word(turn.error));
        errno = turn.error;
        return -1;
    }
    const bool halved = turn.when == When::kHalf || turn.when == When::kShort;
    const ssize_t result = halved ? half() : act();
    const int number = errno;
    if (result >= 0)
        done(result);
    else
        undone();
    if (turn.when == When::kKillAfter) {
        say(turn.number, call, path, "killed-after");
        kill(getpid(), SIGKILL);
    }
    if (result >= 0 && (turn.when == When::kAfter || turn.when == When::kHalf)) {
        say(turn.number, call, path, error_word(turn.error));
        errno = turn.error;
        return -1;
    }
    say(turn.number, call, path,
        result < 0 ? error_word(number) : (turn.when == When::kShort ? "short" : "ok"));
    errno = number;
    return result;
}

constexpr auto kNothing = [] {};

void note_opened(int fd, const std::string& path, bool created) {
    Disk& d = disk();
    struct stat facts {};
    if (fstat(fd, &facts) != 0) return;
    const std::lock_guard lock(d.mutex);
    d.opened[fd] = {facts.st_ino, path, S_ISDIR(facts.st_mode)};
    if (d.shadow.empty() || !S_ISREG(facts.st_mode)) return;
    if (created) {
        // A new file may have the number of one that is gone, and of which nothing is dirty: what
        // is dirty is held open here.
        syscall(SYS_unlinkat, AT_FDCWD, shadow_file(facts.st_ino).c_str(), 0);
        d.seen.insert(facts.st_ino);
    } else if (d.seen.insert(facts.st_ino).second && facts.st_size > 0) {
        // What an earlier process left unsynced, the next sync of this one writes too.
        mark_dirty(fd, facts.st_ino, path, {0, facts.st_size});
    }
}

int open_here(const char* name, const char* path, int flags, mode_t mode) {
    using Open = int(const char*, int, ...);
    static Open* const real_open = real<Open>("open");
    const std::string relative = below(path);
    if (relative.empty()) return real_open(path, flags, mode);
    const bool creates = (flags & O_CREAT) != 0;
    const bool existed = !creates || faccessat(AT_FDCWD, path, F_OK, 0) == 0;
    int fd = -1;
    const auto act = [&] {
        fd = real_open(path, flags, mode);
        return static_cast<ssize_t>(fd);
    };
    const ssize_t result = change(
        name, relative, creates && !existed, act, act,
        [&](ssize_t) { note_opened(fd, relative, !existed); }, kNothing);
    if (result < 0 && fd >= 0) {
        const int number = errno;
        close(fd);
        errno = number;
    }
    return static_cast<int>(result);
}

bool find_opened(int fd, Opened& found) {
    Disk& d = disk();
    if (d.directory.empty()) return false;
    const std::lock_guard lock(d.mutex);
    const auto at = d.opened.find(fd);
    if (at == d.opened.end()) return false;
    found = at->second;
    return true;
}

ssize_t write_here(const char* name, int fd, const void* data, size_t size, off_t offset) {
    using Pwrite = ssize_t(int, const void*, size_t, off_t);
    static Pwrite* const real_pwrite = real<Pwrite>("pwrite64");
    Opened file;
    if (!find_opened(fd, file)) return real_pwrite(fd, data, size, offset);
    return change(
        name, file.path, true, [&] { return real_pwrite(fd, data, size, offset); },
        [&] { return real_pwrite(fd, data, size > 1 ? size / 2 : size, offset); },
        [&](ssize_t written) {
            const std::lock_guard lock(disk().mutex);
            mark_dirty(fd, file.inode, file.path, {offset, offset + written});
        },
        kNothing);
}

template <class Sync>
int sync_here(const char* name, int fd, Sync real_sync) {
    Opened file;
    if (!find_opened(fd, file)) return real_sync(fd);
    Disk& d = disk();
    std::vector<Range> ranges;
    if (!file.directory) {
        const std::lock_guard lock(d.mutex);
        ranges = take_dirty(file.inode);
    }
    const auto act = [&] { return static_cast<ssize_t>(real_sync(fd)); };
    return static_cast<int>(change(
        name, file.path, false, act, act,
        [&](ssize_t) {
            if (d.shadow.empty()) return;
            const std::lock_guard lock(d.mutex);
            if (file.directory)
                directory_becomes_durable(file.path, false);
            else
                content_becomes_durable(file.inode, file.path, ranges);
        },
        kNothing));
}

template <class Truncate>
int truncate_here(const char* name, int fd, off_t size, Truncate real_truncate) {
    Opened file;
    if (!find_opened(fd, file)) return real_truncate(fd, size);
    const auto act = [&] { return static_cast<ssize_t>(real_truncate(fd, size)); };
    return static_cast<int>(change(
        name, file.path, false, act, act,
        [&](ssize_t) {
            const std::lock_guard lock(disk().mutex);
            mark_dirty(fd, file.inode, file.path, {size, size});
        },
        kNothing));
}

template <class Act>
int by_path(const char* name, const std::string& path, bool needs_room, Act act) {
    const auto widened = [&] { return static_cast<ssize_t>(act()); };
    return static_cast<int>(change(
        name, path, needs_room, widened, widened, [](ssize_t) {}, kNothing));
}

mode_t mode_of(int flags, va_list arguments) {
    return (flags & (O_CREAT | O_TMPFILE)) != 0 ? va_arg(arguments, mode_t) : 0;
}

}  // namespace

extern "C" {

int open(const char* path, int flags, ...) {
    va_list arguments;
    va_start(arguments, flags);
    const mode_t mode = mode_of(flags, arguments);
    va_end(arguments);
    return open_here("open", path, flags, mode);
}
int open64(const char* path, int flags, ...) {
    va_list arguments;
    va_start(arguments, flags);
    const mode_t mode = mode_of(flags, arguments);
    va_end(arguments);
    return open_here("open", path, flags, mode);
}
int close(int fd) {
    static auto* const real_close = real<int(int)>("close");
    Disk& d = disk();
    if (!d.directory.empty()) {
        const std::lock_guard lock(d.mutex);
        d.opened.erase(fd);
    }
    return real_close(fd);
}
ssize_t pwrite(int fd, const void* data, size_t size, off_t offset) {
    return write_here("pwrite", fd, data, size, offset);
}
ssize_t pwrite64(int fd, const void* data, size_t size, off64_t offset) {
    return write_here("pwrite", fd, data, size, offset);
}
int fdatasync(int fd) {
    static auto* const real_sync = real<int(int)>("fdatasync");
    return sync_here("fdatasync", fd, real_sync);
}
int fsync(int fd) {
    static auto* const real_sync = real<int(int)>("fsync");
    return sync_here("fsync", fd, real_sync);
}
int syncfs(int fd) noexcept {
    static auto* const real_sync = real<int(int)>("syncfs");
    Opened file;
    if (!find_opened(fd, file)) return real_sync(fd);
    Disk& d = disk();
    const auto act = [&] { return static_cast<ssize_t>(real_sync(fd)); };
    return static_cast<int>(change(
        "syncfs", file.path, false, act, act,
        [&](ssize_t) {
            if (d.shadow.empty()) return;
            const std::lock_guard lock(d.mutex);
            const auto dirty = d.inodes;
            for (const auto& [inode, node] : dirty) {
                take_dirty(inode);
                content_becomes_durable(inode, node.path, node.dirty);
            }
            directory_becomes_durable(".", true);
        },
        [&] {
            const std::lock_guard lock(d.mutex);
            for (auto& [inode, node] : d.inodes) node.dirty.clear();
        }));
}
int ftruncate(int fd, off_t size) noexcept {
    static auto* const real_truncate = real<int(int, off_t)>("ftruncate64");
    return truncate_here("ftruncate", fd, size, real_truncate);
}
int ftruncate64(int fd, off64_t size) noexcept {
    static auto* const real_truncate = real<int(int, off_t)>("ftruncate64");
    return truncate_here("ftruncate", fd, size, real_truncate);
}
int fchmod(int fd, mode_t mode) noexcept {
    static auto* const real_fchmod = real<int(int, mode_t)>("fchmod");
    Opened file;
    if (!find_opened(fd, file)) return real_fchmod(fd, mode);
    return by_path("fchmod", file.path, false, [&] { return real_fchmod(fd, mode); });
}
int rename(const char* from, const char* to) noexcept {
    static auto* const real_rename = real<int(const char*, const char*)>("rename");
    const std::string path = below(to);
    if (path.empty()) return real_rename(from, to);
    return by_path("rename", path, false, [&] { return real_rename(from, to); });
}
int unlink(const char* path) noexcept {
    static auto* const real_unlink = real<int(const char*)>("unlink");
    const std::string relative = below(path);
    if (relative.empty()) return real_unlink(path);
    return by_path("unlink", relative, false, [&] { return real_unlink(path); });
}
int remove(const char* path) noexcept {
    static auto* const real_remove = real<int(const char*)>("remove");
    const std::string relative = below(path);
    if (relative.empty()) return real_remove(path);
    return by_path("remove", relative, false, [&] { return real_remove(path); });
}
int mkdir(const char* path, mode_t mode) noexcept {
    static auto* const real_mkdir = real<int(const char*, mode_t)>("mkdir");
    const std::string relative = below(path);
    if (relative.empty()) return real_mkdir(path, mode);
    return by_path("mkdir", relative, true, [&] { return real_mkdir(path, mode); });
}

}  // extern "C"
