#pragma once

#include <functional>

#include "base/result.h"
#include "cli/configuration.h"

namespace CLI {
class App;
}

namespace cloison::cli {

/// `cloison keeper rotate`: changes to a new epoch key through the running keeper, as the operator,
/// and shows how far it is; Ctrl-C leaves it running. `cloison keeper move-root`: carries the root
/// key between file and token while the keeper does not run.
void add_keeper_commands(CLI::App& command, std::function<Layout()> layout,
                         std::function<Status()>& chosen);

/// `--root-key`, `--pkcs11-module` and so on, into `configuration`, which must outlive the parsing.
void add_root_key_options(CLI::App& command, Configuration& configuration);

}  // namespace cloison::cli
