#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/bytes.h"

namespace cloison::demo {

/// A small real file, as a resident would hand it in.
struct SmallFile {
    std::string name;
    std::string content_type;  ///< application/pdf, image/jpeg, image/png
    Bytes content;
};

/// One of the three types by turns, showing nothing but a title: the same for numbers that are
/// kSmallFiles apart.
inline constexpr std::uint32_t kSmallFiles = 180;
SmallFile make_small_file(std::uint32_t number, std::string_view title);

}  // namespace cloison::demo
