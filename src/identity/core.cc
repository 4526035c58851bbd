#include "identity/core.h"

#include "crypto/hash.h"

namespace cloison::identity {
namespace {

int trace_retention_days(const registry::Registry& registry) {
    const auto* field = registry.field("sign_in_trace");
    return field == nullptr ? 0 : field->retention_days;
}

Result<crypto::SigningKey> load_signing_key(FileSystem& files, const Path& path) {
    CLOISON_TRY(const Secret seed, crypto::load_key_file(files, path));
    return crypto::SigningKey::from_seed(seed.view());
}

}  // namespace

Status create_identity_directory(FileSystem& files, const Path& directory, Random& random) {
    CLOISON_TRY_STATUS(files.create_directories(directory));
    for (const char* name : {"grant.key", "service.key", "data.key"}) {
        CLOISON_TRY(const bool exists, files.exists(directory / name));
        if (exists)
            return fail(ErrorCode::kConflict, (directory / name).string() + " exists already.");
    }
    for (const char* name : {"grant.key", "service.key", "data.key"})
        CLOISON_TRY_STATUS(crypto::create_key_file(files, directory / name, random));
    return {};
}

Result<VerifyKeys> identity_verify_keys(FileSystem& files, const Path& directory) {
    CLOISON_TRY(const auto grants, load_signing_key(files, directory / "grant.key"));
    CLOISON_TRY(const auto service, load_signing_key(files, directory / "service.key"));
    return VerifyKeys{grants.verify_key(), service.verify_key()};
}

Result<crypto::SigningKey> identity_service_key(FileSystem& files, const Path& directory) {
    return load_signing_key(files, directory / "service.key");
}

Result<Keys> load_keys(FileSystem& files, const Path& directory) {
    CLOISON_TRY(auto grant, load_signing_key(files, directory / "grant.key"));
    CLOISON_TRY(const Secret data, crypto::load_key_file(files, directory / "data.key"));
    CLOISON_TRY(const auto root, crypto::RootKey::from_bytes(data.view()));
    return Keys{std::move(grant), crypto::derive_key<crypto::BoxKey>(root, "identity totp"),
                crypto::derive_key<crypto::HashKey>(root, "identity secrets"),
                crypto::derive_key<crypto::HashKey>(root, "identity lists"),
                crypto::derive_key<crypto::HashKey>(root, "identity accounts")};
}

Core::Core(Identity::Options options_, registry::Registry registry_, keeper::KeeperClient keeper_,
           crypto::VerifyKey casework_, Keys keys_, std::unique_ptr<storage::Database> database_,
           Clock& clock_, Random& random_)
    : options(std::move(options_)),
      registry(std::move(registry_)),
      keeper(std::move(keeper_)),
      casework(casework_),
      keys(std::move(keys_)),
      database(std::move(database_)),
      clock(clock_),
      random(random_),
      passwords({options.password_cost, options.stretch_threads, options.stretch_queue,
                 options.on_stretch},
                keeper, random),
      throttle(*database, clock),
      traces(*database, keeper, clock, random, keys.lists, trace_retention_days(registry)),
      revocations(*database, keeper, clock, random),
      handle_key_(options.handle_key) {}

std::string Core::new_token() {
    Bytes bytes(32);
    random.fill(bytes);
    return base64url_encode(bytes);
}

Bytes Core::hash(std::string_view kind, std::string_view secret) const {
    Bytes data = to_bytes(kind);
    data.push_back(0);
    data.insert(data.end(), secret.begin(), secret.end());
    return crypto::keyed_hash(keys.hash.view(), data);
}

Result<crypto::SealedBoxPublicKey> Core::handle_key() {
    std::lock_guard lock(mutex_);
    if (!handle_key_) {
        CLOISON_TRY(const auto description, keeper.describe({}));
        CLOISON_TRY(handle_key_,
                    crypto::SealedBoxPublicKey::from_bytes(as_bytes(description.handle_key())));
    }
    return *handle_key_;
}

Bytes Core::encrypt_totp(const Secret& secret, const std::string& associated) {
    return crypto::box_encrypt(keys.box, secret.view(), as_bytes(associated), random);
}

Result<Secret> Core::decrypt_totp(ByteView box, const std::string& associated) const {
    return crypto::box_decrypt(keys.box, box, as_bytes(associated));
}

}  // namespace cloison::identity
