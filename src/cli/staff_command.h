#pragma once

#include <functional>

#include "base/result.h"
#include "cli/configuration.h"

namespace CLI {
class App;
}

namespace cloison::cli {

/// `cloison staff add`: makes a staff or professional account through the running services, as the
/// operator, and prints its initial password once. The one-time code is set up at first sign-in.
void add_staff_command(CLI::App& command, std::function<Layout()> layout,
                       std::function<Status()>& chosen);

}  // namespace cloison::cli
