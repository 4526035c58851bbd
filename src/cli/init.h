#pragma once

#include "base/file_system.h"
#include "base/random.h"
#include "base/result.h"
#include "cli/configuration.h"

namespace cloison::cli {

/// `cloison init`: makes directories (0700), every service's keys (0600), the trust directory and
/// the settings. Into a new or empty directory, or one that an earlier call left half-made and that
/// holds nothing else; kConflict otherwise, and nothing is changed. kInvalidArgument, before
/// anything is made, for settings that would be refused when they are read. Nothing is left of one
/// that fails.
Status initialize_var(const Layout& layout, const Configuration& configuration, FileSystem& files,
                      Random& random);

}  // namespace cloison::cli
