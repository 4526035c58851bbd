#pragma once

#include <string>
#include <vector>

#include "base/result.h"
#include "cli/configuration.h"

namespace cloison::cli {

/// Runs one service in this process until SIGINT or SIGTERM: opens its store, serves, reports ready
/// to a supervisor if there is one, and stops cleanly. Fails with one line if it cannot start.
Status run_keeper(const Layout& layout);
Status run_identity(const Layout& layout);
Status run_casework(const Layout& layout);
Status run_documents(const Layout& layout);
Status run_portal(const Layout& layout);
Status run_desk(const Layout& layout);
Status run_outbox(const Layout& layout);

/// `cloison serve`: all of them as processes of their own, and, with `demo`, the outbox page and
/// the addresses to try.
Status serve(const Layout& layout, bool demo);

/// One route of a door, as its router lists it.
struct DoorRoute {
    std::string method;
    std::string pattern;
    std::string access;
    bool streams = false;
};
/// Every route of `portal` or `desk`. Needs no running service.
Result<std::vector<DoorRoute>> list_routes(const std::string& door);
/// `cloison routes portal|desk`: every route with its access rule, as text or JSON, read from the
/// router itself. Needs no running service.
Status print_routes(const std::string& door, bool json);

}  // namespace cloison::cli
