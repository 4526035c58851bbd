#include "keeper/epochs.h"

#include <algorithm>
#include <charconv>
#include <mutex>

#include "crypto/pae.h"

namespace cloison::keeper {
namespace {

constexpr std::string_view kSuffix = ".key";
constexpr std::size_t kFileSize = crypto::kKeySize + crypto::kBoxOverhead;
constexpr unsigned kMode = 0600;

Bytes context(std::uint32_t number) {
    Bytes bytes;
    put_u32(bytes, number);
    return crypto::pre_auth_encode({as_bytes("epoch-key/v1"), bytes});
}

/// The number in "7.key"; 0 for any other name.
std::uint32_t number_of(std::string_view name) {
    if (!name.ends_with(kSuffix)) return 0;
    name.remove_suffix(kSuffix.size());
    std::uint32_t number = 0;
    const auto [end, error] = std::from_chars(name.data(), name.data() + name.size(), number);
    if (error != std::errc() || end != name.data() + name.size()) return 0;
    return Epochs::file_name(number) == std::string(name) + std::string(kSuffix) ? number : 0;
}

std::shared_ptr<const crypto::BoxKey> wrapping_key(const crypto::EpochKey& key) {
    return std::make_shared<const crypto::BoxKey>(
        crypto::derive_key<crypto::BoxKey>(key, "person-wrap"));
}

}  // namespace

std::string Epochs::file_name(std::uint32_t number) {
    return std::to_string(number) + std::string(kSuffix);
}

Epochs::Epochs(FileSystem& files, Path directory, const crypto::BoxKey& wrap, Random& random)
    : files_(files), directory_(std::move(directory)), wrap_(wrap), random_(random) {}

Result<std::unique_ptr<Epochs>> Epochs::open(FileSystem& files, Path directory,
                                             const crypto::BoxKey& wrap, Random& random) {
    std::unique_ptr<Epochs> epochs(new Epochs(files, std::move(directory), wrap, random));
    CLOISON_TRY_STATUS(epochs->load());
    return epochs;
}

Status Epochs::load() {
    CLOISON_TRY_STATUS(files_.create_directories(directory_));
    CLOISON_TRY(const auto names, files_.list(directory_));
    for (const auto& name : names) CLOISON_TRY_STATUS(load_file(name));
    return {};
}

Status Epochs::load_file(const std::string& name) {
    const Path path = directory_ / name;
    // What a crash left of an atomic write may hold a key that is destroyed one day.
    if (name.starts_with('.') && name.ends_with(".tmp")) return shred(path);
    const std::uint32_t number = number_of(name);
    if (number == 0)
        return fail(ErrorCode::kCorrupt, path.string() + " is no epoch key: move it elsewhere.");
    CLOISON_TRY(const unsigned mode, files_.mode(path));
    if ((mode & 077) != 0)
        return fail(ErrorCode::kPermissionDenied,
                    "The key file " + path.string() +
                        " may be read by others: only its owner may have access (chmod 600).");
    auto box = files_.read_file(path, kFileSize);
    if (!box && box.error().code != ErrorCode::kTooLarge) return fail(box.error());
    if (box && box->size() == kFileSize &&
        std::all_of(box->begin(), box->end(), [](std::uint8_t byte) { return byte == 0; }))
        return shred(path);
    auto opened =
        box ? crypto::box_decrypt(wrap_, *box, context(number)) : Result<Secret>(fail(box.error()));
    if (!opened)
        return fail(ErrorCode::kCorrupt,
                    "The epoch key " + path.string() +
                        " does not open: it was changed, or the root key (root.key, or the key in "
                        "the token) is not the one that it was made with.");
    CLOISON_TRY(const auto key, crypto::EpochKey::from_bytes(opened->view()));
    keys_.emplace(number, wrapping_key(key));
    return {};
}

std::shared_ptr<const crypto::BoxKey> Epochs::wrapping(std::uint32_t number) const {
    const std::shared_lock lock(mutex_);
    const auto found = keys_.find(number);
    return found == keys_.end() ? nullptr : found->second;
}

std::vector<std::uint32_t> Epochs::living() const {
    const std::shared_lock lock(mutex_);
    std::vector<std::uint32_t> numbers;
    for (const auto& [number, key] : keys_) numbers.push_back(number);
    return numbers;
}

std::uint32_t Epochs::newest() const {
    const std::shared_lock lock(mutex_);
    return keys_.empty() ? 0 : keys_.rbegin()->first;
}

Status Epochs::create(std::uint32_t number) {
    if (number <= newest())
        return fail(ErrorCode::kConflict, "There is an epoch key of that number or a later one.");
    const auto key = crypto::EpochKey::random(random_);
    const Bytes box = crypto::box_encrypt(wrap_, key.view(), context(number), random_);
    CLOISON_TRY_STATUS(files_.write_file_atomically(directory_ / file_name(number), box, kMode));
    const std::unique_lock lock(mutex_);
    keys_.emplace(number, wrapping_key(key));
    return {};
}

Status Epochs::write_again(std::uint32_t number) {
    if (!wrapping(number)) return fail(ErrorCode::kNotFound, "There is no such epoch key.");
    const Path path = directory_ / file_name(number);
    CLOISON_TRY(auto before, files_.open(path, false));
    CLOISON_TRY(const auto box, files_.read_file(path, kFileSize));
    CLOISON_TRY_STATUS(files_.write_file_atomically(path, box, kMode));
    return overwrite(*before);
}

Status Epochs::destroy(std::uint32_t number) {
    if (!wrapping(number)) return fail(ErrorCode::kNotFound, "There is no such epoch key.");
    CLOISON_TRY_STATUS(shred(directory_ / file_name(number)));
    const std::unique_lock lock(mutex_);
    keys_.erase(number);
    return {};
}

Status Epochs::overwrite(File& file) {
    CLOISON_TRY(const auto size, file.size());
    CLOISON_TRY_STATUS(file.write_at(0, Bytes(static_cast<std::size_t>(size))));
    return file.sync_data();
}

Status Epochs::shred(const Path& path) {
    CLOISON_TRY(auto file, files_.open(path, false));
    CLOISON_TRY_STATUS(overwrite(*file));
    CLOISON_TRY_STATUS(files_.remove(path));
    return files_.sync_directory(directory_);
}

}  // namespace cloison::keeper
