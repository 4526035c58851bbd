#include "casework/casework.h"

#include "casework/access.h"
#include "casework/casework_schema.h"
#include "casework/service.h"
#include "casework/store.h"
#include "crypto/keys.h"
#include "keeper/client/store_generation.h"

namespace cloison::casework {
namespace {

constexpr std::string_view kServiceKey = "service.key";
constexpr std::string_view kTicketKey = "ticket.key";
constexpr std::string_view kDatabase = "casework.db";

Result<crypto::SigningKey> load_key(FileSystem& files, const Path& path) {
    CLOISON_TRY(const auto seed, crypto::load_key_file(files, path));
    return crypto::SigningKey::from_seed(seed.view());
}

}  // namespace

Status create_casework_directory(FileSystem& files, const Path& directory, Random& random) {
    CLOISON_TRY_STATUS(files.create_directories(directory));
    for (const std::string_view name : {kServiceKey, kTicketKey}) {
        CLOISON_TRY(const bool exists, files.exists(directory / name));
        if (exists)
            return fail(ErrorCode::kConflict,
                        (directory / name).string() + " exists: a key is never overwritten.");
    }
    for (const std::string_view name : {kServiceKey, kTicketKey})
        CLOISON_TRY_STATUS(crypto::create_key_file(files, directory / name, random));
    return {};
}

Result<VerifyKeys> casework_verify_keys(FileSystem& files, const Path& directory) {
    CLOISON_TRY(const auto service, load_key(files, directory / kServiceKey));
    CLOISON_TRY(const auto tickets, load_key(files, directory / kTicketKey));
    return VerifyKeys{service.verify_key(), tickets.verify_key()};
}

Result<crypto::SigningKey> casework_service_key(FileSystem& files, const Path& directory) {
    return load_key(files, directory / kServiceKey);
}

struct Casework::Parts {
    std::map<std::string, RequestType> types;
    std::unique_ptr<storage::Database> database;
    std::unique_ptr<Access> access;
    std::unique_ptr<keeper::StoreGeneration> generation;
};

Result<std::unique_ptr<Casework>> Casework::open(const Options& options,
                                                 std::map<std::string, RequestType> types,
                                                 crypto::VerifyKey identity_grants,
                                                 keeper::KeeperClient keeper, FileSystem& files,
                                                 Clock& clock, Random& random) {
    CLOISON_TRY(auto tickets, load_key(files, options.directory / kTicketKey));
    CLOISON_TRY(const auto service_key,
                crypto::load_key_file(files, options.directory / kServiceKey));
    CLOISON_TRY(auto database,
                storage::open_sqlite(options.directory / kDatabase, casework_schema()));
    auto parts = std::make_unique<Parts>();
    parts->types = std::move(types);
    parts->database = std::move(database);
    parts->generation =
        std::make_unique<keeper::StoreGeneration>(*parts->database, keeper, service_key.view());
    if (options.generation_interval) parts->generation->start(*options.generation_interval);
    parts->access =
        std::make_unique<Access>(identity_grants, std::move(keeper), std::move(tickets), clock);
    const Store store{*parts->database, parts->types, clock, random};
    auto service = make_service(store, *parts->access);
    auto casework = std::unique_ptr<Casework>(new Casework(std::move(parts)));
    casework->service_ = std::move(service);
    return casework;
}

Casework::Casework(std::unique_ptr<Parts> parts) : parts_(std::move(parts)) {}
Casework::~Casework() = default;

}  // namespace cloison::casework
