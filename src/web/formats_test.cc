#include "web/formats.h"

#include <gtest/gtest.h>

namespace cloison::web {
namespace {

Time at(std::string_view text) {
    return *parse_rfc3339(text);
}

TEST(FormatsTest, DatesAreThoseOfParis) {
    EXPECT_EQ(format_date(Language::kFrench, at("2026-04-13T09:30:00Z")), "13 avril 2026");
    EXPECT_EQ(format_date(Language::kEnglish, at("2026-04-13T09:30:00Z")), "13 April 2026");
    EXPECT_EQ(format_date(Language::kFrench, at("2025-12-31T23:00:00Z")), "1er janvier 2026");
}

TEST(FormatsTest, SummerTimeBeginsAndEndsAtOneUtc) {
    // https://eur-lex.europa.eu/eli/dir/2000/84: 29 March and 25 October 2026.
    EXPECT_EQ(format_date_time(Language::kEnglish, at("2026-03-29T00:59:00Z")),
              "29 March 2026 at 01:59");
    EXPECT_EQ(format_date_time(Language::kEnglish, at("2026-03-29T01:00:00Z")),
              "29 March 2026 at 03:00");
    EXPECT_EQ(format_date_time(Language::kEnglish, at("2026-10-25T00:59:00Z")),
              "25 October 2026 at 02:59");
    EXPECT_EQ(format_date_time(Language::kEnglish, at("2026-10-25T01:00:00Z")),
              "25 October 2026 at 02:00");
}

TEST(FormatsTest, TimesInWords) {
    EXPECT_EQ(format_date_time(Language::kFrench, at("2026-04-13T12:05:00Z")),
              "13 avril 2026 à 14\u00a0h\u00a005");
    EXPECT_EQ(format_date_hour(Language::kFrench, at("2026-04-13T12:00:00Z")),
              "13 avril 2026 vers 14\u00a0h");
    EXPECT_EQ(format_date_hour(Language::kEnglish, at("2026-04-13T12:00:00Z")),
              "13 April 2026 at about 14:00");
}

TEST(FormatsTest, CalendarDates) {
    EXPECT_EQ(format_calendar_date(Language::kFrench, "1984-03-09"), "9 mars 1984");
    EXPECT_EQ(format_calendar_date(Language::kEnglish, "1984-03-09"), "9 March 1984");
    for (const char* text : {"", "1984", "1984-13-01", "1984-02-30", "1984-03-0x", "<b>"})
        EXPECT_EQ(format_calendar_date(Language::kFrench, text), text);
}

TEST(FormatsTest, NumbersAndSizes) {
    EXPECT_EQ(format_number(Language::kEnglish, 11'700'000), "11,700,000");
    EXPECT_EQ(format_number(Language::kFrench, 11'700'000), "11\u202f700\u202f000");
    EXPECT_EQ(format_number(Language::kEnglish, -1234), "-1,234");
    EXPECT_EQ(format_number(Language::kEnglish, 999), "999");
    EXPECT_EQ(format_file_size(Language::kFrench, 1'449'999), "1,4\u00a0Mo");
    EXPECT_EQ(format_file_size(Language::kEnglish, 2'000'000), "2\u00a0MB");
    EXPECT_EQ(format_file_size(Language::kEnglish, 1'500), "1.5\u00a0kB");
    EXPECT_EQ(format_file_size(Language::kFrench, 999), "999\u00a0octets");
}

}  // namespace
}  // namespace cloison::web
