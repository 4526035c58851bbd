#pragma once

#include <functional>

#include "base/result.h"
#include "cli/configuration.h"

namespace CLI {
class App;
}

namespace cloison::cli {

/// `cloison backup keygen | create | restore | verify`: encrypted backups of the keeper, made while
/// it runs, readable with a recovery key that is kept elsewhere.
void add_backup_command(CLI::App& command, std::function<Layout()> layout,
                        std::function<Status()>& chosen);

}  // namespace cloison::cli
