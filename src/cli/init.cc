#include "cli/init.h"

#include <sys/stat.h>

#include <algorithm>
#include <array>

#include "casework/casework.h"
#include "cli/caller_key.h"
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

/// In a directory that is not complete; whoever finds it may begin anew.
constexpr const char* kUnfinished = ".unfinished";

/// All that init makes beside the settings.
constexpr std::array kMade{"trust",    "run",       "outbox", "keeper", "identity",
                           "casework", "documents", "portal", "desk",   "operator"};

bool is_made_by_init(const std::string& name) {
    return name == kUnfinished || std::find(kMade.begin(), kMade.end(), name) != kMade.end() ||
           (name.starts_with('.') && name.ends_with(".tmp"));
}

/// Takes away what a call that came to nothing made, the settings first; with the directory, if
/// that was new.
void clear(const Path& var, bool with_directory) {
    std::error_code ignored;
    std::filesystem::remove(var / "cloison.toml", ignored);
    for (const char* name : kMade) std::filesystem::remove_all(var / name, ignored);
    std::filesystem::remove(var / kUnfinished, ignored);
    if (with_directory) std::filesystem::remove(var, ignored);
}

/// True if the directory is not there yet.
Result<bool> require_place(const Path& var, FileSystem& files) {
    CLOISON_TRY(const bool exists, files.exists(var));
    if (!exists) return true;
    CLOISON_TRY(const auto names, files.list(var));
    const bool unfinished = std::find(names.begin(), names.end(), kUnfinished) != names.end();
    if (names.empty() || (unfinished && std::all_of(names.begin(), names.end(), is_made_by_init)))
        return false;
    return fail(ErrorCode::kConflict,
                var.string() + " is not empty: name a new directory. Nothing was changed.");
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

    CLOISON_TRY_STATUS(make_caller_key(layout, "portal", files, random));
    CLOISON_TRY_STATUS(
        crypto::create_key_file(files, layout.service("portal") / "cookie.key", random));
    CLOISON_TRY_STATUS(make_caller_key(layout, kOperator, files, random));
    return {};
}

}  // namespace

Status initialize_var(const Layout& layout, const Configuration& configuration, FileSystem& files,
                      Random& random) {
    CLOISON_TRY(const bool exists, files.exists(layout.configuration()));
    if (exists)
        return fail(ErrorCode::kConflict,
                    layout.configuration().string() + " exists already; nothing was changed.");
    CLOISON_TRY_STATUS(layout.check());
    CLOISON_TRY(const auto settings, configuration.text());
    CLOISON_TRY(const bool is_new, require_place(layout.var(), files));
    if (!is_new) clear(layout.var(), false);
    const auto make = [&]() -> Status {
        CLOISON_TRY_STATUS(make_private_directory(files, layout.var()));
        CLOISON_TRY(const auto mark, files.open(layout.var() / kUnfinished, true));
        CLOISON_TRY_STATUS(files.sync_directory(layout.var()));
        for (const Path& path : {layout.trust(), layout.run(), layout.outbox()})
            CLOISON_TRY_STATUS(make_private_directory(files, path));
        CLOISON_TRY_STATUS(make_services(layout, configuration, files, random));
        // The settings come last: a directory with settings is complete.
        return files.write_file_atomically(layout.configuration(), as_bytes(settings), 0600);
    };
    if (auto made = make(); !made) {
        clear(layout.var(), is_new);
        return made;
    }
    return files.remove(layout.var() / kUnfinished);
}

}  // namespace cloison::cli
