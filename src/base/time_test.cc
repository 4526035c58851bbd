#include "base/time.h"

#include <gtest/gtest.h>

namespace cloison {
namespace {

TEST(TimeTest, Rfc3339Section58ExamplesAreRead) {
    EXPECT_EQ(to_unix_ms(parse_rfc3339("1985-04-12T23:20:50.520Z").value()), 482196050520);
    EXPECT_EQ(parse_rfc3339("1996-12-19T16:39:57-08:00"),
              parse_rfc3339("1996-12-20T00:39:57Z").value());
    EXPECT_EQ(parse_rfc3339("1937-01-01T12:00:27.870+00:20"),
              parse_rfc3339("1937-01-01T11:40:27.870Z").value());
}

TEST(TimeTest, WhatIsWrittenIsReadBack) {
    for (const std::int64_t ms :
         {std::int64_t{0}, std::int64_t{-1}, std::int64_t{1776072600123}, std::int64_t{-86400000},
          std::int64_t{951782399999}, std::int64_t{253402300799999}}) {
        EXPECT_EQ(parse_rfc3339(format_rfc3339(from_unix_ms(ms), true)), from_unix_ms(ms));
        EXPECT_EQ(parse_rfc3339(format_rfc3339(from_unix_ms(ms))),
                  truncate(from_unix_ms(ms), std::chrono::seconds(1)));
    }
    EXPECT_EQ(format_rfc3339(from_unix_ms(1776072600123)), "2026-04-13T09:30:00Z");
    EXPECT_EQ(format_rfc3339(from_unix_ms(1776072600123), true), "2026-04-13T09:30:00.123Z");
    EXPECT_EQ(format_rfc3339(from_unix_ms(-1), true), "1969-12-31T23:59:59.999Z");
}

TEST(TimeTest, LeapDaysExistOnlyInLeapYears) {
    EXPECT_TRUE(parse_rfc3339("2024-02-29T00:00:00Z"));
    EXPECT_TRUE(parse_rfc3339("2000-02-29T00:00:00Z"));
    EXPECT_FALSE(parse_rfc3339("2026-02-29T00:00:00Z"));
    EXPECT_FALSE(parse_rfc3339("1900-02-29T00:00:00Z"));
}

TEST(TimeTest, OtherSpellingsAreRefused) {
    for (const char* text : {"",
                             "2026-04-13",
                             "2026-04-13T09:30:00",
                             "2026-04-13 09:30:00Z",
                             "2026-04-13T09:30Z",
                             "2026-04-13t09:30:00Z",
                             "2026-04-13T09:30:00z",
                             "2026-4-13T09:30:00Z",
                             "2026-04-13T24:00:00Z",
                             "2026-04-13T09:60:00Z",
                             "2026-04-13T09:30:60Z",
                             "2026-13-01T00:00:00Z",
                             "2026-00-01T00:00:00Z",
                             "2026-04-31T00:00:00Z",
                             "2026-04-00T00:00:00Z",
                             "2026-04-13T09:30:00.Z",
                             "2026-04-13T09:30:00.1Z",
                             "2026-04-13T09:30:00.1234Z",
                             "2026-04-13T09:30:00+24:00",
                             "2026-04-13T09:30:00+02",
                             "2026-04-13T09:30:00+0200",
                             "2026-04-13T09:30:00ZZ",
                             " 2026-04-13T09:30:00Z",
                             "-026-04-13T09:30:00Z",
                             "12026-04-13T09:30:00Z"}) {
        const auto time = parse_rfc3339(text);
        ASSERT_FALSE(time) << text;
        EXPECT_EQ(time.error().code, ErrorCode::kInvalidArgument);
    }
}

TEST(TimeTest, TruncateRoundsDownAlsoBefore1970) {
    const Duration day = std::chrono::hours(24);
    EXPECT_EQ(truncate(from_unix_ms(0), day), from_unix_ms(0));
    EXPECT_EQ(truncate(from_unix_ms(86399999), day), from_unix_ms(0));
    EXPECT_EQ(truncate(from_unix_ms(86400000), day), from_unix_ms(86400000));
    EXPECT_EQ(truncate(from_unix_ms(-1), day), from_unix_ms(-86400000));
    EXPECT_EQ(truncate(from_unix_ms(-86400000), day), from_unix_ms(-86400000));
}

TEST(ManualClockTest, MovesOnlyWhenTold) {
    ManualClock clock(from_unix_ms(5));
    EXPECT_EQ(clock.now(), from_unix_ms(5));
    clock.advance(std::chrono::seconds(1));
    EXPECT_EQ(clock.now(), from_unix_ms(1005));
    clock.set(from_unix_ms(7));
    EXPECT_EQ(clock.now(), from_unix_ms(7));
}

TEST(SystemClockTest, StandsBetweenTwoReadingsOfTheLibrary) {
    const auto before = std::chrono::system_clock::now() - std::chrono::milliseconds(1);
    const Time now = system_clock().now();
    EXPECT_GE(now, before);
    EXPECT_LE(now, std::chrono::system_clock::now());
}

}  // namespace
}  // namespace cloison
