#include "documents/documents.h"

#include "crypto/keys.h"
#include "documents/access.h"
#include "documents/service.h"
#include "documents/store.h"
#include "keeper/client/store_generation.h"

namespace cloison::documents {
namespace {

constexpr std::string_view kServiceKey = "service.key";

}  // namespace

Status create_documents_directory(FileSystem& files, const Path& directory, Random& random) {
    CLOISON_TRY_STATUS(files.create_directories(directory));
    return crypto::create_key_file(files, directory / kServiceKey, random);
}

Result<crypto::SigningKey> documents_service_key(FileSystem& files, const Path& directory) {
    CLOISON_TRY(const auto seed, crypto::load_key_file(files, directory / kServiceKey));
    return crypto::SigningKey::from_seed(seed.view());
}

struct Documents::Parts {
    Access access;
    std::unique_ptr<DocumentStore> store;
    keeper::StoreGeneration generation;
};

Result<std::unique_ptr<Documents>> Documents::open(const Options& options,
                                                   crypto::VerifyKey identity_grants,
                                                   keeper::KeeperClient keeper, FileSystem& files,
                                                   Clock& clock, Random& random) {
    CLOISON_TRY(const auto service_key,
                crypto::load_key_file(files, options.directory / kServiceKey));
    CLOISON_TRY(auto store, DocumentStore::open(options.directory, files, clock, random));
    auto& database = store->database();
    std::unique_ptr<Parts> parts(new Parts{Access(identity_grants, keeper, clock),
                                           std::move(store),
                                           {database, std::move(keeper), service_key.view()}});
    if (options.generation_interval) parts->generation.start(*options.generation_interval);
    auto service = make_service(*parts->store, parts->access);
    auto documents = std::unique_ptr<Documents>(new Documents(std::move(parts)));
    documents->service_ = std::move(service);
    return documents;
}

Documents::Documents(std::unique_ptr<Parts> parts) : parts_(std::move(parts)) {}
Documents::~Documents() = default;

}  // namespace cloison::documents
