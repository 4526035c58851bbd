#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/secret.h"

#include "cloison/keeper/v1/keeper.pb.h"

namespace cloison::keeper {

/// The name of an error inside a message, docs/formats/errors.md, and back. An unknown name reads
/// as kInternal.
std::string_view wire_error_name(ErrorCode code);
ErrorCode error_from_wire_name(std::string_view name);

/// The values of one answer of Open, moved out of it and wiped there, or the error that it carries.
Result<std::vector<Secret>> take_values(v1::Disclosed& disclosed);

}  // namespace cloison::keeper
