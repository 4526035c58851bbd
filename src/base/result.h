#pragma once

#include <string>
#include <string_view>
#include <tl/expected.hpp>
#include <utility>

namespace cloison {

/// What went wrong, in the few kinds that a caller can act upon. They map one to one to gRPC
/// status codes (net/rpc.h), HTTP status codes (net/http.h) and exit codes (cli).
enum class ErrorCode {
    kInvalidArgument,   ///< The input is malformed or out of bounds; nothing changed.
    kUnauthenticated,   ///< No valid session, token or signature.
    kPermissionDenied,  ///< Known caller, not allowed.
    kNotFound,          ///< Does not exist, or is not the caller's: the two are never told apart.
    kConflict,          ///< The state does not allow it (already exists, changed meanwhile).
    kTooLarge,          ///< A stated bound is exceeded.
    kExhausted,         ///< A budget or rate is used up; later is possible, again now is not.
    kUnavailable,       ///< A service, socket or queue cannot take it now; try again.
    kDeadline,          ///< Took longer than allowed; the outcome is unknown.
    kCorrupt,           ///< Stored or received data fails its own checks.
    kIo,                ///< The operating system refused (disk full, read-only, missing).
    kInternal,          ///< A bug.
};

std::string_view error_name(ErrorCode code);

/// `message` is one sentence without personal data, fit for a log and for an operator.
struct Error {
    ErrorCode code;
    std::string message;

    /// True where the same call may succeed unchanged a moment later.
    bool retryable() const {
        return code == ErrorCode::kUnavailable || code == ErrorCode::kDeadline;
    }
};

/// Every fallible function returns one; there are no exceptions across folders.
template <class T>
using Result = tl::expected<T, Error>;
using Status = Result<void>;

[[nodiscard]] inline tl::unexpected<Error> fail(ErrorCode code, std::string message) {
    return tl::unexpected<Error>(Error{code, std::move(message)});
}
[[nodiscard]] inline tl::unexpected<Error> fail(Error error) {
    return tl::unexpected<Error>(std::move(error));
}

}  // namespace cloison

#define CLOISON_CONCAT_INNER(a, b) a##b
#define CLOISON_CONCAT(a, b) CLOISON_CONCAT_INNER(a, b)

/// CLOISON_TRY(auto value, expression): binds the value, or returns the error to the caller. The
/// expression may hold a lambda that uses it too: each use names its temporary differently.
#define CLOISON_TRY(declaration, expression) \
    CLOISON_TRY_INNER(CLOISON_CONCAT(cloison_try_, __COUNTER__), declaration, expression)
#define CLOISON_TRY_INNER(temporary, declaration, expression)             \
    auto temporary = (expression);                                        \
    if (!temporary) return ::cloison::fail(std::move(temporary).error()); \
    declaration = std::move(*temporary)

/// CLOISON_TRY_STATUS(expression): the same for results whose value is void or not wanted.
#define CLOISON_TRY_STATUS(expression) \
    CLOISON_TRY_STATUS_INNER(CLOISON_CONCAT(cloison_status_, __COUNTER__), expression)
#define CLOISON_TRY_STATUS_INNER(temporary, expression)           \
    do {                                                          \
        if (auto temporary = (expression); !temporary)            \
            return ::cloison::fail(std::move(temporary).error()); \
    } while (false)
