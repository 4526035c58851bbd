#include "keeper/client/errors.h"

#include <array>
#include <utility>

namespace cloison::keeper {
namespace {

constexpr std::array<std::pair<ErrorCode, std::string_view>, 12> kNames{
    {{ErrorCode::kInvalidArgument, "invalid_argument"},
     {ErrorCode::kUnauthenticated, "unauthenticated"},
     {ErrorCode::kPermissionDenied, "permission_denied"},
     {ErrorCode::kNotFound, "not_found"},
     {ErrorCode::kConflict, "conflict"},
     {ErrorCode::kTooLarge, "too_large"},
     {ErrorCode::kExhausted, "exhausted"},
     {ErrorCode::kUnavailable, "unavailable"},
     {ErrorCode::kDeadline, "deadline"},
     {ErrorCode::kCorrupt, "corrupt"},
     {ErrorCode::kIo, "io"},
     {ErrorCode::kInternal, "internal"}}};

}  // namespace

std::string_view wire_error_name(ErrorCode code) {
    for (const auto& [known, name] : kNames)
        if (known == code) return name;
    return "internal";
}

ErrorCode error_from_wire_name(std::string_view name) {
    for (const auto& [code, known] : kNames)
        if (known == name) return code;
    return ErrorCode::kInternal;
}

Result<std::vector<Secret>> take_values(v1::Disclosed& disclosed) {
    if (!disclosed.error().empty())
        return fail(error_from_wire_name(disclosed.error()), disclosed.error_message());
    std::vector<Secret> values;
    for (auto& value : *disclosed.mutable_values()) {
        values.push_back(Secret::from_text(value));
        wipe(value);
    }
    return values;
}

}  // namespace cloison::keeper
