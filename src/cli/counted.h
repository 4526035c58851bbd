#pragma once

#include <cstdint>
#include <string>

namespace cloison::cli {

/// "1 line", "2 lines": for nouns whose plural has an s.
inline std::string counted(std::uint64_t count, const std::string& thing) {
    return std::to_string(count) + ' ' + thing + (count == 1 ? "" : "s");
}

}  // namespace cloison::cli
