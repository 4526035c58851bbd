#include "base/log.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace cloison {
namespace {

TEST(LogTest, OneLineWithTimeLevelServiceAndMessage) {
    set_log_service("keeper");
    testing::internal::CaptureStderr();
    log_warning("Disk is nearly full {} %s");
    EXPECT_THAT(testing::internal::GetCapturedStderr(),
                testing::MatchesRegex("[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}\\."
                                      "[0-9]{3}Z warning keeper: Disk is nearly full \\{\\} %s\n"));
}

TEST(LogTest, ControlCharactersDoNotStartALine) {
    testing::internal::CaptureStderr();
    log_info("first\nsecond\r\x1b[2J\x7f");
    EXPECT_THAT(testing::internal::GetCapturedStderr(), testing::EndsWith("first second  [2J \n"));
}

TEST(LogTest, LowerLevelsAreLeftOut) {
    set_log_level(LogLevel::kWarning);
    testing::internal::CaptureStderr();
    log_info("not wanted");
    log_error("wanted");
    const std::string written = testing::internal::GetCapturedStderr();
    set_log_level(LogLevel::kInfo);
    EXPECT_THAT(written, testing::Not(testing::HasSubstr("not wanted")));
    EXPECT_THAT(written, testing::HasSubstr("error"));
}

}  // namespace
}  // namespace cloison
