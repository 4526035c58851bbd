#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "base/file_system.h"
#include "base/random.h"
#include "base/time.h"
#include "casework/casework_client.h"
#include "crypto/sign.h"
#include "documents/documents_client.h"
#include "identity/identity_client.h"
#include "keeper/client/keeper_client.h"
#include "registry/registry.h"
#include "web/site.h"

namespace cloison::desk {

/// Makes the files that the desk starts from, mode 0600, in a directory of mode 0700: service.key
/// signs caller tokens, cookie.key protects cookies and forms. kConflict if one exists: a key is
/// never overwritten.
Status create_desk_directory(FileSystem& files, const Path& directory, Random& random);
/// service.key, for net::CallerIdentity("desk", …) and, its public half, for the trust directory
/// as "desk".
Result<crypto::SigningKey> desk_service_key(FileSystem& files, const Path& directory);

/// The services that the desk calls, as "desk". Nothing is called before the first request.
struct Services {
    identity::IdentityClient identity;
    keeper::KeeperClient keeper;
    casework::CaseworkClient casework;
    documents::DocumentsClient documents;
};

/// The pages of staff: officers, support, the data-protection officer, administrators.
///
/// Plaintext of personal data appears only in the answer to a form that states why it is needed,
/// for the case or account in hand; such answers are never stored, here or in the browser. The desk
/// keeps incidents in a database of its own (docs/formats/desk-store.md), and the journal's lines
/// in memory to answer whose data was opened (docs/formats/scope.md).
class Desk {
  public:
    struct Options {
        Path directory;      ///< As create_desk_directory made it; desk.db comes to lie in it.
        Path web_directory;  ///< templates/, texts/, assets/: what `npm run build` makes.
        Path request_types;  ///< Directory of *.toml, docs/formats/request-type.md.
        /// The keeper's journal key as a vkey line; empty: the keeper's word at first use.
        std::string journal_verify_key;
        std::string address = "127.0.0.1";
        std::uint16_t port = 8081;  ///< 0: the system chooses.
        int handler_threads = 16;
    };

    /// Reads keys, pages and request types, opens the database; opens no port and calls no service.
    /// `files`, `clock` and `random` must outlive the desk.
    static Result<std::unique_ptr<Desk>> create(Options options, Services services,
                                                registry::Registry registry, FileSystem& files,
                                                Clock& clock, Random& random);
    ~Desk();
    Desk(const Desk&) = delete;
    Desk& operator=(const Desk&) = delete;

    /// Opens the port. kConflict naming it if it is in use. Once.
    Status start();
    void stop(Duration grace);   ///< Lets requests under way finish, at most `grace`.
    std::uint16_t port() const;  ///< After start().

    /// The router behind the port, for enumerating routes and for tests.
    web::Site& site();

  private:
    struct Parts;
    explicit Desk(std::unique_ptr<Parts> parts);
    std::unique_ptr<Parts> parts_;
};

}  // namespace cloison::desk
