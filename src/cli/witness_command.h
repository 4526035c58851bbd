#pragma once

#include <functional>

#include "base/result.h"

namespace CLI {
class App;
}

namespace cloison::cli {

/// `cloison witness`: a witness for the journals of others. It needs nothing of the rest of
/// Cloison, no settings and no --var: any other body can run it (docs/adopt/witness.md).
void add_witness_command(CLI::App& command, std::function<Status()>& chosen);

}  // namespace cloison::cli
