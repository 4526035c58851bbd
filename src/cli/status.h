#pragma once

#include "base/file_system.h"
#include "base/result.h"
#include "cli/configuration.h"

namespace cloison::cli {

/// `cloison status`: what runs, since when, how often restarted, and whether it answers. Fails if
/// nothing runs or a service does not answer.
Status show_status(const Layout& layout, FileSystem& files, bool json);

}  // namespace cloison::cli
