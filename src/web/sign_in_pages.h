#pragma once

#include "identity/identity_client.h"
#include "keeper/client/keeper_client.h"
#include "web/site.h"

namespace cloison::web {

struct SignInOptions {
    std::string home_path = "/";  ///< After signing in without a page to return to.
    std::string sign_up_path;     ///< Offered on the sign-in page; empty: none.
};

/// GET and POST of /sign-in, /sign-in/code, /sign-out, /one-time-code (set up, with QR code),
/// /one-time-code/remove: the same at portal and desk, because identity decides who may come in.
/// A wrong password and an unknown address get the same page.
void add_sign_in_pages(Site& site, identity::IdentityClient identity, keeper::KeeperClient keeper,
                       SignInOptions options);

}  // namespace cloison::web
