#pragma once

#include <string>
#include <string_view>

namespace cloison {

/// One line a call on standard error: time, level, service, message. Messages never hold a
/// personal value: they are written by us, from constants, ids, counts and error messages.
enum class LogLevel { kDebug, kInfo, kWarning, kError };

void set_log_service(std::string service);  ///< Once, before threads start.
void set_log_level(LogLevel lowest);
void log(LogLevel level, std::string_view message);
inline void log_info(std::string_view message) {
    log(LogLevel::kInfo, message);
}
inline void log_warning(std::string_view message) {
    log(LogLevel::kWarning, message);
}
inline void log_error(std::string_view message) {
    log(LogLevel::kError, message);
}

}  // namespace cloison
