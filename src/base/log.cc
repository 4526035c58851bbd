#include "base/log.h"

#include <spdlog/pattern_formatter.h>
#include <spdlog/sinks/stdout_sinks.h>
#include <spdlog/spdlog.h>

#include <memory>

namespace cloison {
namespace {

std::shared_ptr<spdlog::logger> make_logger(std::string service) {
    auto logger = std::make_shared<spdlog::logger>(
        std::move(service), std::make_shared<spdlog::sinks::stderr_sink_mt>());
    logger->set_formatter(std::make_unique<spdlog::pattern_formatter>(
        "%Y-%m-%dT%H:%M:%S.%eZ %l %n: %v", spdlog::pattern_time_type::utc));
    return logger;
}

std::shared_ptr<spdlog::logger>& logger() {
    static std::shared_ptr<spdlog::logger> instance = make_logger("cloison");
    return instance;
}

spdlog::level::level_enum to_spdlog(LogLevel level) {
    switch (level) {
        case LogLevel::kDebug:
            return spdlog::level::debug;
        case LogLevel::kInfo:
            return spdlog::level::info;
        case LogLevel::kWarning:
            return spdlog::level::warn;
        case LogLevel::kError:
            return spdlog::level::err;
    }
    return spdlog::level::err;
}

/// A message that quotes outside text can neither start a line of its own nor move the cursor.
std::string on_one_line(std::string_view message) {
    std::string line(message);
    for (char& c : line)
        if (static_cast<unsigned char>(c) < 0x20 || c == 0x7f) c = ' ';
    return line;
}

}  // namespace

void set_log_service(std::string service) {
    const auto level = logger()->level();
    logger() = make_logger(std::move(service));
    logger()->set_level(level);
}

void set_log_level(LogLevel lowest) {
    logger()->set_level(to_spdlog(lowest));
}

void log(LogLevel level, std::string_view message) {
    const auto spdlog_level = to_spdlog(level);
    if (logger()->should_log(spdlog_level)) logger()->log(spdlog_level, on_one_line(message));
}

}  // namespace cloison
