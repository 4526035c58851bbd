#pragma once

#include <string>

#include "base/file_system.h"
#include "base/random.h"
#include "base/result.h"
#include "cli/configuration.h"

namespace cloison::cli {

/// The caller whose key signs what is asked from the command line: status, keeper rotate, backup
/// create on a running keeper, canaries.
inline constexpr const char* kOperator = "operator";

/// For a caller that signs its calls and nothing else: makes its directory (0700) and service.key
/// if they are missing, and trust/<name>.pub for that key. A key that is there stays.
Status make_caller_key(const Layout& layout, const std::string& name, FileSystem& files,
                       Random& random);

}  // namespace cloison::cli
