#pragma once

#include <map>
#include <memory>
#include <mutex>
#include <set>
#include <string>

#include "base/file_system.h"
#include "base/seeded_random.h"

namespace cloison::journal {

/// A file system in memory that knows what is on stable storage and what is only on its way. The
/// n-th change to it can be made to fail, and its power can be cut.
class SimulatedDisk : public FileSystem {
  public:
    enum class Fault {
        kBefore,  ///< The call fails and has done nothing.
        kHalf,    ///< It fails half-way: half of the bytes, or a rename that is not durable.
        kAfter,   ///< It has done all, and says that it failed.
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
    void cut_power(Random* random) {
        const std::lock_guard lock(mutex_);
        const auto lost = [random] { return random == nullptr || random->uniform(2) == 0; };
        Names after = durable_names_;
        for (const auto& [name, node] : names_)
            if (!lost()) after[name] = node;
        for (const auto& [name, node] : durable_names_)
            if (!names_.contains(name) && !lost()) after.erase(name);
        for (const auto& [name, node] : after) {
            constexpr std::size_t kSector = 512;
            Bytes content = node->durable;
            if (!lost()) content.resize(std::max(content.size(), node->now.size()));
            for (std::size_t at = 0; at < node->now.size(); at += kSector) {
                const std::size_t end = std::min(at + kSector, node->now.size());
                if (end > content.size() || lost()) continue;
                std::copy(node->now.begin() + static_cast<std::ptrdiff_t>(at),
                          node->now.begin() + static_cast<std::ptrdiff_t>(end),
                          content.begin() + static_cast<std::ptrdiff_t>(at));
            }
            node->now = node->durable = content;
        }
        names_ = durable_names_ = after;
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
            names_[path] = node;
            if (whole) durable_names_[path] = node;
        });
    }
    Status create_directories(const Path& path) override {
        const std::lock_guard lock(mutex_);
        if (directories_.contains(path)) return {};
        return change([&](bool) {
            for (Path each = path; each.has_relative_path(); each = each.parent_path())
                directories_.insert(each);
        });
    }
    Status sync_directory(const Path& path) override {
        const std::lock_guard lock(mutex_);
        return change([&](bool whole) {
            if (whole) sync_names([&](const Path& name) { return name.parent_path() == path; });
        });
    }
    Status sync_file_system(const Path&) override {
        const std::lock_guard lock(mutex_);
        return change([&](bool whole) {
            for (const auto& [name, node] : names_) node->durable = node->now;
            if (whole) sync_names([](const Path&) { return true; });
        });
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
    struct Node {
        Bytes now;
        Bytes durable;
    };
    using Names = std::map<Path, std::shared_ptr<Node>>;

    class OpenFile : public File {
      public:
        OpenFile(SimulatedDisk& disk, std::shared_ptr<Node> node)
            : disk_(disk), node_(std::move(node)) {}
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
            });
        }
        Status truncate(std::uint64_t size) override {
            const std::lock_guard lock(disk_.mutex_);
            return disk_.change([&](bool) { node_->now.resize(size); });
        }
        Result<std::uint64_t> size() override {
            const std::lock_guard lock(disk_.mutex_);
            return node_->now.size();
        }
        Status sync_data() override {
            const std::lock_guard lock(disk_.mutex_);
            return disk_.change([&](bool whole) {
                if (whole) node_->durable = node_->now;
            });
        }

      private:
        SimulatedDisk& disk_;
        std::shared_ptr<Node> node_;
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

    /// Does the change, or as much of it as the fault of the moment allows. Requires mutex_.
    template <class Do>
    Status change(Do apply) {
        ++changes_;
        const bool failing = countdown_ > 0 ? --countdown_ == 0 : failed_for_good();
        if (!failing) {
            apply(true);
            return {};
        }
        if (for_good_) countdown_ = -1;
        if (fault_ != Fault::kBefore) apply(fault_ == Fault::kAfter);
        if (for_good_) fault_ = Fault::kBefore;
        return fail(ErrorCode::kIo, "The disk failed, as it was told to.");
    }
    bool failed_for_good() const { return countdown_ < 0; }

    template <class Which>
    void sync_names(Which which) {
        std::erase_if(durable_names_, [&](const auto& item) {
            return which(item.first) && !names_.contains(item.first);
        });
        for (const auto& [name, node] : names_)
            if (which(name)) durable_names_[name] = node;
    }
    static tl::unexpected<Error> missing(const Path& path) {
        return fail(ErrorCode::kNotFound, path.string() + " is missing.");
    }

    std::mutex mutex_;
    Names names_;
    Names durable_names_;
    std::set<Path> directories_;
    std::set<Path> locked_;
    int changes_ = 0;
    int countdown_ = 0;
    Fault fault_ = Fault::kBefore;
    bool for_good_ = false;
};

}  // namespace cloison::journal
