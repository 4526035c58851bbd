#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "base/file_system.h"
#include "base/random.h"
#include "base/time.h"
#include "casework/casework_client.h"
#include "documents/documents_client.h"
#include "identity/identity_client.h"
#include "keeper/client/keeper_client.h"
#include "net/mail.h"
#include "registry/registry.h"
#include "web/site.h"

namespace cloison::portal {

/// The services that the portal calls, as "portal". Nothing is called before the first request.
struct Services {
    identity::IdentityClient identity;
    keeper::KeeperClient keeper;
    casework::CaseworkClient casework;
    documents::DocumentsClient documents;
    std::shared_ptr<net::MailTransport> mail;
};

/// The pages of residents and professionals. Plaintext of personal data appears here only for the
/// person who is signed in (or whom a professional names), field by field, against grants; the
/// portal stores nothing. A page opens just the fields that it shows.
class Portal {
  public:
    struct Options {
        Path cookie_key_file;  ///< A key file (crypto/keys.h); protects cookies and forms.
        Path web_directory;    ///< templates/, texts/, assets/: what `npm run build` makes.
        Path request_types;    ///< Directory of *.toml, docs/formats/request-type.md.
        std::string clamd;     ///< unix:/path or tcp:host:port; empty: uploads are not scanned.
        std::string address = "127.0.0.1";
        std::uint16_t port = 8080;  ///< 0: the system chooses.
        int handler_threads = 16;
    };

    /// Reads keys, pages and request types; opens no port and calls no service. `files`, `clock`
    /// and `random` must outlive the portal.
    static Result<std::unique_ptr<Portal>> create(Options options, Services services,
                                                  registry::Registry registry, FileSystem& files,
                                                  Clock& clock, Random& random);
    ~Portal();

    /// Opens the port. kConflict naming it if it is in use. Once.
    Status start();
    void stop(Duration grace);   ///< Lets requests under way finish, at most `grace`.
    std::uint16_t port() const;  ///< After start().

    /// The router behind the port, for enumerating routes and for tests.
    web::Site& site();

  private:
    struct Parts;
    explicit Portal(std::unique_ptr<Parts> parts);
    std::unique_ptr<Parts> parts_;
};

}  // namespace cloison::portal
