#pragma once

#include <string>
#include <vector>

#include "base/file_system.h"
#include "base/result.h"

namespace cloison::demo {

struct Commune {
    std::string name;
    std::string department;  ///< "69", "2A"
    std::string postcode;
};

/// Real French names and communes, none of them of anybody in particular: what
/// tools/demo-names.mjs makes out of npm packages. No list is empty.
struct Names {
    std::vector<std::string> female;
    std::vector<std::string> male;
    std::vector<std::string> surnames;
    std::vector<Commune> communes;
};

/// kNotFound or kInvalidArgument naming the file and what is wrong with it.
Result<Names> load_names(FileSystem& files, const Path& path);
Result<Names> parse_names(std::string_view json, std::string_view source_name);

}  // namespace cloison::demo
