#pragma once

#include <functional>
#include <string>

#include "base/result.h"
#include "cli/configuration.h"

namespace CLI {
class App;
}

namespace cloison::cli {

/// `cloison population` and `cloison drill`.
void add_demo_commands(
    const std::function<CLI::App*(const std::string& name, const std::string& description)>& add,
    std::function<Layout()> layout, std::function<Status()>& chosen);

}  // namespace cloison::cli
