#pragma once

#include <functional>

#include "base/result.h"
#include "cli/configuration.h"

namespace CLI {
class App;
}

namespace cloison::cli {

/// `cloison journal fsck`, `checkpoint`, `prove` and `export`: what is read from the files of the
/// keeper's journal alone, whether the keeper runs or not. All but fsck see what is published.
void add_journal_reading(CLI::App& journal, std::function<Layout()> layout,
                         std::function<Status()>& chosen);

}  // namespace cloison::cli
