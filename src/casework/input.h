#pragma once

#include <string_view>
#include <vector>

#include "casework/request_type.h"

namespace cloison::casework {

/// The ways in which the answer to a field can be wrong; a request type has a text for each.
std::vector<std::string_view> error_rules(const InputField& field);

/// Bounds of the years of dates where the field names none.
inline constexpr int kEarliestYear = 1880;
inline constexpr int kLatestYear = 2100;
/// Bytes of one answer as it comes from a form; longer is too long whatever it holds.
inline constexpr std::size_t kMaxRawAnswer = 16'384;

}  // namespace cloison::casework
