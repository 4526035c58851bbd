#pragma once

#include <algorithm>
#include <map>
#include <memory>
#include <mutex>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "base/file_system.h"
#include "base/seeded_random.h"

namespace cloison::journal {

/// What a kernel knows of writing back that failed, and whom it tells (Linux, lib/errseq.c): each
/// descriptor that was open then, once, and one that is opened later if nobody was told before.
class WritebackErrors {
  public:
    void happened() {
        ++count_;
        told_ = false;
    }
    void tell_somebody_else() { told_ = true; }
    /// What a descriptor that is opened now begins with.
    std::uint64_t sample() const { return told_ ? count_ : count_ - 1; }
    /// Whether nothing failed since; whoever asks is told once.
    Status check(std::uint64_t& since) {
        if (since == count_) return {};
        since = count_;
        told_ = true;
        return fail(ErrorCode::kIo, "Something could not be written back.");
    }

  private:
    std::uint64_t count_ = 0;
    bool told_ = true;
};

/// A file system in memory that knows what is on stable storage and what is only on its way. The
/// n-th change to it can be made to fail, and its power can be cut. A sync that fails loses what it
/// should have written, for good: it can be read until the power is cut, and a later sync leaves it
/// out unless it was written again (fsync(2): pages that could not be written are marked clean).
class SimulatedDisk : public FileSystem {
  public:
    enum class Fault {
        kBefore,  ///< The call fails and has done nothing.
        kHalf,    ///< It fails half-way: half of the bytes, or a rename that is not durable.
        kAfter,   ///< It has done all, and says that it failed.
        /// The call succeeds. Then the kernel writes back what was not synced, which fails and
        /// loses it, and another process's sync is told so.
        kWriteback,
    };
    /// The `number`-th change from now fails, and with `for_good` all after it.
    void arm(int number, Fault fault, bool for_good) {
        const std::lock_guard lock(mutex_);
        countdown_ = number;
        fault_ = fault;
        for_good_ = for_good;
    }
    void disarm() { arm(0, Fault::kBefore, false); }
    int changes() const { return changes_; }

    /// What was not synced is lost, or, with `random`, any part of it.
    void cut_power(Random* random) { cut_power(random, random); }
    /// The same, with names apart from content.
    void cut_power(Random* random_names, Random* random_content) {
        const std::lock_guard lock(mutex_);
        Random* random = random_names;
        const auto lost = [&random] { return random == nullptr || random->uniform(2) == 0; };
        Names after = durable_names_;
        for (const auto& [name, node] : names_)
            if (!lost()) after[name] = node;
        for (const auto& [name, node] : durable_names_)
            if (!names_.contains(name) && !lost()) after.erase(name);
        Directories directories_after = durable_directories_;
        for (const Path& name : directories_)
            if (!lost()) directories_after.insert(name);
        for (const Path& name : durable_directories_)
            if (!directories_.contains(name) && !lost()) directories_after.erase(name);
        Directories gone = directories_;
        gone.merge(durable_directories_);
        for (const Path& name : directories_after) gone.erase(name);
        // What is in a directory whose name was lost is out of reach.
        const auto in_lost_directory = [&](Path name) {
            for (; name.has_relative_path(); name = name.parent_path())
                if (gone.contains(name.parent_path())) return true;
            return false;
        };
        std::erase_if(after, [&](const auto& item) { return in_lost_directory(item.first); });
        std::erase_if(directories_after, in_lost_directory);
        random = random_content;
        for (const auto& [name, node] : after) {
            Bytes content = node->durable;
            if (!lost()) content.resize(node->now.size());
            for (const std::size_t sector : node->dirty)
                if (!lost()) node->copy_sector(sector, content);
            node->now = node->durable = content;
            node->dirty.clear();
        }
        names_ = durable_names_ = after;
        directories_ = durable_directories_ = directories_after;
        locked_.clear();
    }

    Result<std::unique_ptr<File>> open(const Path& path, bool create) override {
        const std::lock_guard lock(mutex_);
        if (!names_.contains(path)) {
            if (!create) return missing(path);
            CLOISON_TRY_STATUS(change([&](bool) { names_[path] = std::make_shared<Node>(); }));
        }
        return std::make_unique<OpenFile>(*this, names_.at(path));
    }
    Result<Bytes> read_file(const Path& path, std::size_t max_size) override {
        const std::lock_guard lock(mutex_);
        if (!names_.contains(path)) return missing(path);
        const Bytes& content = names_.at(path)->now;
        if (content.size() > max_size) return fail(ErrorCode::kTooLarge, path.string());
        return content;
    }
    Status write_file_atomically(const Path& path, ByteView data, unsigned) override {
        const std::lock_guard lock(mutex_);
        return change([&](bool whole) {
            auto node = std::make_shared<Node>();
            node->now = node->durable = to_bytes(data);
            // Synced before it is renamed.
            names_[path] = node;
            if (whole) durable_names_[path] = node;
        });
    }
    Status create_directories(const Path& path) override {
        const std::lock_guard lock(mutex_);
        if (directories_.contains(path)) return {};
        return change([&](bool whole) {
            std::vector<Path> missing_ones;
            for (Path each = path; each.has_relative_path(); each = each.parent_path())
                if (!directories_.contains(each)) missing_ones.insert(missing_ones.begin(), each);
            // Half-way: the first one is made, and its name not synced.
            if (!whole) missing_ones.resize(1);
            for (const Path& each : missing_ones) {
                directories_.insert(each);
                if (whole) durable_directories_.insert(each);
            }
        });
    }
    Status sync_directory(const Path& path) override {
        const std::lock_guard lock(mutex_);
        if (path.has_relative_path() && !directories_.contains(path)) return missing(path);
        return change([&](bool whole) {
            if (whole) sync_names([&](const Path& name) { return name.parent_path() == path; });
        });
    }
    Result<std::unique_ptr<FileSystemSync>> begin_sync(const Path& directory) override {
        const std::lock_guard lock(mutex_);
        if (!directories_.contains(directory)) return missing(directory);
        return std::make_unique<WholeSync>(*this);
    }
    Result<std::unique_ptr<FileLock>> lock_file(const Path& path) override {
        const std::lock_guard lock(mutex_);
        if (!locked_.insert(path).second) return fail(ErrorCode::kConflict, path.string());
        return std::make_unique<Lock>(*this, path);
    }
    Status remove(const Path& path) override {
        const std::lock_guard lock(mutex_);
        return change([&](bool) {
            names_.erase(path);
            directories_.erase(path);
        });
    }
    Result<bool> exists(const Path& path) override {
        const std::lock_guard lock(mutex_);
        return names_.contains(path) || directories_.contains(path);
    }
    Result<std::vector<std::string>> list(const Path& directory) override {
        const std::lock_guard lock(mutex_);
        if (!directories_.contains(directory)) return missing(directory);
        std::set<std::string> names;
        for (const auto& [name, node] : names_)
            if (name.parent_path() == directory) names.insert(name.filename());
        for (const Path& name : directories_)
            if (name.parent_path() == directory) names.insert(name.filename());
        return std::vector<std::string>(names.begin(), names.end());
    }
    Result<unsigned> mode(const Path&) override { return 0600; }

  private:
    static constexpr std::size_t kSector = 512;

    struct Node {
        Bytes now;
        Bytes durable;
        std::set<std::size_t> dirty;  ///< Sectors that the next sync writes.
        WritebackErrors errors;

        void soil(std::size_t begin, std::size_t end) {
            for (std::size_t at = begin / kSector; at * kSector < end; ++at) dirty.insert(at);
        }
        /// As far as both reach there.
        void copy_sector(std::size_t sector, Bytes& to) const {
            const std::size_t begin = sector * kSector;
            const std::size_t end = std::min({begin + kSector, now.size(), to.size()});
            if (begin >= end) return;
            std::copy(now.begin() + static_cast<std::ptrdiff_t>(begin),
                      now.begin() + static_cast<std::ptrdiff_t>(end),
                      to.begin() + static_cast<std::ptrdiff_t>(begin));
        }
        void store() {
            durable.resize(now.size());
            for (const std::size_t sector : dirty) copy_sector(sector, durable);
            dirty.clear();
        }
        void lose() { dirty.clear(); }
    };
    using Names = std::map<Path, std::shared_ptr<Node>>;
    using Directories = std::set<Path>;

    class OpenFile : public File {
      public:
        OpenFile(SimulatedDisk& disk, std::shared_ptr<Node> node)
            : disk_(disk), node_(std::move(node)), since_(node_->errors.sample()) {}
        Result<std::size_t> read_at(std::uint64_t offset, std::span<std::uint8_t> out) override {
            const std::lock_guard lock(disk_.mutex_);
            const ByteView content(node_->now);
            const ByteView rest = content.subspan(std::min<std::size_t>(offset, content.size()));
            const std::size_t count = std::min(out.size(), rest.size());
            std::copy_n(rest.begin(), count, out.begin());
            return count;
        }
        Status write_at(std::uint64_t offset, ByteView data) override {
            const std::lock_guard lock(disk_.mutex_);
            return disk_.change([&](bool whole) {
                const ByteView written = whole ? data : data.first(data.size() / 2);
                if (node_->now.size() < offset + written.size())
                    node_->now.resize(offset + written.size());
                std::copy(written.begin(), written.end(),
                          node_->now.begin() + static_cast<std::ptrdiff_t>(offset));
                node_->soil(offset, offset + written.size());
            });
        }
        Status truncate(std::uint64_t size) override {
            const std::lock_guard lock(disk_.mutex_);
            return disk_.change([&](bool) {
                const std::size_t before = node_->now.size();
                node_->now.resize(size);
                node_->soil(std::min<std::size_t>(before, size),
                            std::max<std::size_t>(before, size));
            });
        }
        Result<std::uint64_t> size() override {
            const std::lock_guard lock(disk_.mutex_);
            return node_->now.size();
        }
        Status sync_data() override {
            const std::lock_guard lock(disk_.mutex_);
            CLOISON_TRY_STATUS(disk_.change(
                [&](bool whole) {
                    if (whole) {
                        node_->store();
                    } else {
                        node_->lose();
                    }
                },
                [&] { node_->lose(); }));
            return node_->errors.check(since_);
        }

      private:
        SimulatedDisk& disk_;
        std::shared_ptr<Node> node_;
        std::uint64_t since_;
    };

    class WholeSync : public FileSystemSync {
      public:
        /// Requires the disk's mutex_.
        explicit WholeSync(SimulatedDisk& disk) : disk_(disk), since_(disk.errors_.sample()) {}
        Status sync() override {
            const std::lock_guard lock(disk_.mutex_);
            CLOISON_TRY_STATUS(disk_.change([&](bool whole) { disk_.store_all(whole); },
                                            [&] { disk_.lose_all(); }));
            return disk_.errors_.check(since_);
        }

      private:
        SimulatedDisk& disk_;
        std::uint64_t since_;
    };

    class Lock : public FileLock {
      public:
        Lock(SimulatedDisk& disk, Path path) : disk_(disk), path_(std::move(path)) {}
        ~Lock() override {
            const std::lock_guard lock(disk_.mutex_);
            disk_.locked_.erase(path_);
        }

      private:
        SimulatedDisk& disk_;
        Path path_;
    };

    /// Does the change, or as much of it as the fault of the moment allows; `undone` where that is
    /// nothing. Requires mutex_, as do those that follow.
    template <class Do, class Undone>
    Status change(Do apply, Undone undone) {
        ++changes_;
        const bool failing = countdown_ > 0 ? --countdown_ == 0 : failed_for_good();
        if (!failing) {
            apply(true);
            return {};
        }
        if (for_good_) countdown_ = -1;
        const Fault fault = for_good_ ? std::exchange(fault_, Fault::kBefore) : fault_;
        if (fault == Fault::kWriteback) {
            apply(true);
            fail_writeback();
            return {};
        }
        if (fault == Fault::kBefore) {
            undone();
        } else {
            apply(fault == Fault::kAfter);
        }
        return fail(ErrorCode::kIo, "The disk failed, as it was told to.");
    }
    template <class Do>
    Status change(Do apply) {
        return change(apply, [] {});
    }
    bool failed_for_good() const { return countdown_ < 0; }

    /// Not whole: every other file's content is lost, and no name is synced.
    void store_all(bool whole) {
        bool stores = true;
        for (const auto& [name, node] : names_) {
            if (stores) {
                node->store();
            } else {
                node->lose();
            }
            stores = whole || !stores;
        }
        if (whole) sync_names([](const Path&) { return true; });
    }
    void lose_all() {
        for (const auto& [name, node] : names_) node->lose();
    }
    void fail_writeback() {
        bool failed = false;
        for (const auto& [name, node] : names_) {
            if (node->dirty.empty()) continue;
            failed = true;
            node->lose();
            node->errors.happened();
            node->errors.tell_somebody_else();
        }
        if (!failed) return;
        errors_.happened();
        errors_.tell_somebody_else();
    }

    template <class Which>
    void sync_names(Which which) {
        std::erase_if(durable_names_, [&](const auto& item) {
            return which(item.first) && !names_.contains(item.first);
        });
        for (const auto& [name, node] : names_)
            if (which(name)) durable_names_[name] = node;
        std::erase_if(durable_directories_, [&](const Path& name) {
            return which(name) && !directories_.contains(name);
        });
        for (const Path& name : directories_)
            if (which(name)) durable_directories_.insert(name);
    }
    static tl::unexpected<Error> missing(const Path& path) {
        return fail(ErrorCode::kNotFound, path.string() + " is missing.");
    }

    std::mutex mutex_;
    Names names_;
    Names durable_names_;
    Directories directories_;
    Directories durable_directories_;
    std::set<Path> locked_;
    WritebackErrors errors_;
    int changes_ = 0;
    int countdown_ = 0;
    Fault fault_ = Fault::kBefore;
    bool for_good_ = false;
};

}  // namespace cloison::journal
