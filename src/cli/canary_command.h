#pragma once

#include <functional>

#include "base/result.h"
#include "cli/configuration.h"

namespace CLI {
class App;
}

namespace cloison::cli {

/// `cloison canary plant` invents persons for each compartment and for a copy of the data, and
/// stores them; `cloison canary list` says what is planted. Both ask the running services with the
/// operator's key. docs/formats/canaries.md.
void add_canary_command(CLI::App& command, std::function<Layout()> layout,
                        std::function<Status()>& chosen);

}  // namespace cloison::cli
