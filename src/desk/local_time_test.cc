#include "desk/local_time.h"

#include <gtest/gtest.h>

namespace cloison::desk {
namespace {

std::string utc(std::string_view date, std::string_view time_of_day) {
    const auto time = read_local_time(date, time_of_day);
    return time ? format_rfc3339(*time, true) : "error";
}

TEST(LocalTimeTest, IsThatOfParisInWinterAndSummer) {
    EXPECT_EQ(utc("2026-01-15", "09:30"), "2026-01-15T08:30:00.000Z");
    EXPECT_EQ(utc("2026-04-15", "09:30:15.250"), "2026-04-15T07:30:15.250Z");
    EXPECT_EQ(utc("15/04/2026", "09:30"), "2026-04-15T07:30:00.000Z");
    EXPECT_EQ(utc("2026-04-15", ""), "2026-04-14T22:00:00.000Z");
}

TEST(LocalTimeTest, ChangesOnTheLastSundaysOfMarchAndOctober) {
    // 29 March and 25 October 2026, at 01:00 UTC.
    EXPECT_EQ(utc("2026-03-29", "01:59:59.999"), "2026-03-29T00:59:59.999Z");
    EXPECT_EQ(utc("2026-03-29", "03:00"), "2026-03-29T01:00:00.000Z");
    EXPECT_EQ(utc("2026-03-29", "02:30"), "2026-03-29T01:30:00.000Z");  // Skipped: the hour after.
    EXPECT_EQ(utc("2026-10-25", "02:59"), "2026-10-25T00:59:00.000Z");  // Twice: the first.
    EXPECT_EQ(utc("2026-10-25", "03:00"), "2026-10-25T02:00:00.000Z");
}

TEST(LocalTimeTest, RefusesWhatIsNoMoment) {
    for (const auto& [date, time] :
         std::vector<std::pair<std::string, std::string>>{{"", "09:30"},
                                                          {"2026-02-30", ""},
                                                          {"2026-04-15", "25:00"},
                                                          {"15.04.2026", ""},
                                                          {"1/4/2026", ""},
                                                          {"31/02/2026", ""},
                                                          {"2026-04-15", "9h30"},
                                                          {"2026-04-15T00:00:00Z", ""}})
        EXPECT_EQ(utc(date, time), "error") << date << " " << time;
}

TEST(LocalTimeTest, ConvertsBothWays) {
    for (const char* text :
         {"2026-04-15T07:30:15.250Z", "2026-12-31T23:30:00.000Z", "2026-10-25T00:30:00.000Z"}) {
        const LocalTime local = to_local_time(*parse_rfc3339(text));
        EXPECT_EQ(utc(local.date, local.time_of_day), text);
    }
}

}  // namespace
}  // namespace cloison::desk
