#include "cli/init.h"

#include <sys/stat.h>

#include <array>

#include "casework/casework.h"
#include "crypto/keys.h"
#include "desk/desk.h"
#include "documents/documents.h"
#include "identity/identity.h"
#include "keeper/keeper.h"
#include "net/rpc.h"

namespace cloison::cli {
namespace {

Status make_private_directory(FileSystem& files, const Path& path) {
    CLOISON_TRY_STATUS(files.create_directories(path));
    std::error_code error;
    std::filesystem::permissions(path, std::filesystem::perms::owner_all, error);
    if (error)
        return fail(ErrorCode::kIo, path.string() + " cannot be made private: " + error.message());
    return {};
}

/// A service that signs caller tokens and nothing else.
Status make_caller(const Layout& layout, const std::string& name, FileSystem& files,
                   Random& random) {
    CLOISON_TRY_STATUS(make_private_directory(files, layout.service(name)));
    const Path key = layout.service_key(name);
    CLOISON_TRY_STATUS(crypto::create_key_file(files, key, random));
    CLOISON_TRY(auto seed, crypto::load_key_file(files, key));
    return net::write_trust_file(files, layout.trust(), name,
                                 crypto::SigningKey::from_seed(seed.view()).verify_key());
}

Status make_services(const Layout& layout, const Configuration& configuration, FileSystem& files,
                     Random& random) {
    const std::string& journal_origin = configuration.journal_origin;
    const Path keeper = layout.service("keeper");
    CLOISON_TRY_STATUS(
        keeper::create_keeper_directory(files, keeper, random, configuration.root_key_source()));
    CLOISON_TRY(const auto journal_key, keeper::journal_verify_key(files, keeper, journal_origin));
    CLOISON_TRY_STATUS(
        files.write_file_atomically(layout.journal_key(), as_bytes(journal_key + "\n"), 0600));

    const Path identity = layout.service("identity");
    CLOISON_TRY_STATUS(identity::create_identity_directory(files, identity, random));
    CLOISON_TRY(auto identity_keys, identity::identity_verify_keys(files, identity));
    CLOISON_TRY_STATUS(
        net::write_trust_file(files, layout.trust(), "identity", identity_keys.service));
    CLOISON_TRY_STATUS(
        net::write_trust_file(files, layout.trust(), "identity-grants", identity_keys.grants));

    const Path casework = layout.service("casework");
    CLOISON_TRY_STATUS(casework::create_casework_directory(files, casework, random));
    CLOISON_TRY(auto casework_keys, casework::casework_verify_keys(files, casework));
    CLOISON_TRY_STATUS(
        net::write_trust_file(files, layout.trust(), "casework", casework_keys.service));
    CLOISON_TRY_STATUS(
        net::write_trust_file(files, layout.trust(), "casework-tickets", casework_keys.tickets));

    const Path documents = layout.service("documents");
    CLOISON_TRY_STATUS(documents::create_documents_directory(files, documents, random));
    CLOISON_TRY(auto documents_key, documents::documents_service_key(files, documents));
    CLOISON_TRY_STATUS(
        net::write_trust_file(files, layout.trust(), "documents", documents_key.verify_key()));

    const Path desk = layout.service("desk");
    CLOISON_TRY_STATUS(desk::create_desk_directory(files, desk, random));
    CLOISON_TRY(auto desk_key, desk::desk_service_key(files, desk));
    CLOISON_TRY_STATUS(net::write_trust_file(files, layout.trust(), "desk", desk_key.verify_key()));

    CLOISON_TRY_STATUS(make_caller(layout, "portal", files, random));
    CLOISON_TRY_STATUS(
        crypto::create_key_file(files, layout.service("portal") / "cookie.key", random));
    CLOISON_TRY_STATUS(make_caller(layout, "operator", files, random));
    return {};
}

}  // namespace

Status initialize_var(const Layout& layout, const Configuration& configuration, FileSystem& files,
                      Random& random) {
    CLOISON_TRY(const bool exists, files.exists(layout.configuration()));
    if (exists)
        return fail(ErrorCode::kConflict,
                    layout.configuration().string() + " exists already; nothing was changed.");
    CLOISON_TRY(const auto settings, configuration.text());
    for (const Path& path : {layout.var(), layout.trust(), layout.run(), layout.outbox()})
        CLOISON_TRY_STATUS(make_private_directory(files, path));
    CLOISON_TRY_STATUS(make_services(layout, configuration, files, random));
    // The settings come last: a directory with settings is complete.
    return files.write_file_atomically(layout.configuration(), as_bytes(settings), 0600);
}

}  // namespace cloison::cli
