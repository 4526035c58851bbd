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
/// key between file and token while the keeper does not run. `cloison keeper operator-key`: makes
/// the operator's key anew where it is missing.
void add_keeper_commands(CLI::App& command, std::function<Layout()> layout,
                         std::function<Status()>& chosen);

/// What a token is found by, from options: all four are needed with root_key "pkcs11", and none may
/// be given with "file"; paths become absolute, but a library's bare name is the loader's to find.
Status settle_token_options(Configuration& configuration);

/// kNotFound if there are no settings, or if the keeper has not made its journal yet.
Status require_first_run(const Layout& layout, FileSystem& files);

/// `--root-key`, `--pkcs11-module` and so on, into `configuration`, which must outlive the parsing.
void add_root_key_options(CLI::App& command, Configuration& configuration);

}  // namespace cloison::cli
