#include "cli/caller_key.h"

#include "crypto/keys.h"
#include "net/rpc.h"

namespace cloison::cli {

Status make_caller_key(const Layout& layout, const std::string& name, FileSystem& files,
                       Random& random) {
    crypto::initialize();
    CLOISON_TRY_STATUS(files.create_directories(layout.service(name)));
    const Path file = layout.service_key(name);
    CLOISON_TRY(const bool exists, files.exists(file));
    if (!exists) CLOISON_TRY_STATUS(crypto::create_key_file(files, file, random));
    CLOISON_TRY(auto seed, crypto::load_key_file(files, file));
    return net::write_trust_file(files, layout.trust(), name,
                                 crypto::SigningKey::from_seed(seed.view()).verify_key());
}

}  // namespace cloison::cli
