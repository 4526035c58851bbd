#pragma once

#include "base/file_system.h"
#include "base/result.h"
#include "cli/configuration.h"

namespace cloison::cli {

/// `cloison status`: what runs, since when, how often restarted, whether it answers, and what the
/// keeper says of itself, also one that runs alone. Fails if nothing runs or a service does not
/// answer; the JSON is printed then too.
Status show_status(const Layout& layout, FileSystem& files, bool json);

}  // namespace cloison::cli
