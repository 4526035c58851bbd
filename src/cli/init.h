#pragma once

#include "base/file_system.h"
#include "base/random.h"
#include "base/result.h"
#include "cli/configuration.h"

namespace cloison::cli {

/// `cloison init`: makes directories (0700), every service's keys (0600), the trust directory and
/// the settings. kConflict if there are settings already: nothing is ever overwritten.
Status initialize_var(const Layout& layout, const Configuration& configuration, FileSystem& files,
                      Random& random);

}  // namespace cloison::cli
