#include "base/result.h"

namespace cloison {

std::string_view error_name(ErrorCode code) {
    switch (code) {
        case ErrorCode::kInvalidArgument:
            return "invalid argument";
        case ErrorCode::kUnauthenticated:
            return "unauthenticated";
        case ErrorCode::kPermissionDenied:
            return "permission denied";
        case ErrorCode::kNotFound:
            return "not found";
        case ErrorCode::kConflict:
            return "conflict";
        case ErrorCode::kTooLarge:
            return "too large";
        case ErrorCode::kExhausted:
            return "exhausted";
        case ErrorCode::kUnavailable:
            return "unavailable";
        case ErrorCode::kDeadline:
            return "deadline";
        case ErrorCode::kCorrupt:
            return "corrupt";
        case ErrorCode::kIo:
            return "input/output";
        case ErrorCode::kInternal:
            return "internal";
    }
    return "unknown";
}

}  // namespace cloison
