#include "web/formats.h"

#include <array>
#include <charconv>
#include <chrono>

namespace cloison::web {
namespace {

using std::chrono::October, std::chrono::March, std::chrono::Sunday, std::chrono::last;

constexpr std::string_view kNarrowNoBreakSpace = "\u202f";
constexpr std::string_view kNoBreakSpace = "\u00a0";

constexpr std::array<std::string_view, 12> kFrenchMonths{
    "janvier", "février", "mars",      "avril",   "mai",      "juin",
    "juillet", "août",    "septembre", "octobre", "novembre", "décembre"};
constexpr std::array<std::string_view, 12> kEnglishMonths{
    "January", "February", "March",     "April",   "May",      "June",
    "July",    "August",   "September", "October", "November", "December"};

struct LocalTime {
    std::chrono::year_month_day date;
    int hour, minute;
};

LocalTime in_paris(Time utc) {
    using namespace std::chrono_literals;
    const auto year =
        std::chrono::year_month_day(std::chrono::floor<std::chrono::days>(utc)).year();
    const auto summer_begins = std::chrono::sys_days(year / March / Sunday[last]) + 1h;
    const auto summer_ends = std::chrono::sys_days(year / October / Sunday[last]) + 1h;
    const Time local = utc + (utc >= summer_begins && utc < summer_ends ? 2h : 1h);
    const auto day = std::chrono::floor<std::chrono::days>(local);
    const auto minutes = std::chrono::duration_cast<std::chrono::minutes>(local - day).count();
    return {std::chrono::year_month_day(day), static_cast<int>(minutes / 60),
            static_cast<int>(minutes % 60)};
}

std::string two_digits(int number) {
    return (number < 10 ? "0" : "") + std::to_string(number);
}

std::string date_in_words(Language language, std::chrono::year_month_day date) {
    const unsigned day = static_cast<unsigned>(date.day());
    const auto& months = language == Language::kFrench ? kFrenchMonths : kEnglishMonths;
    std::string text = std::to_string(day);
    if (language == Language::kFrench && day == 1) text += "er";
    text += " ";
    text += months[static_cast<unsigned>(date.month()) - 1];
    return text + " " + std::to_string(static_cast<int>(date.year()));
}

std::string grouped(std::int64_t number, std::string_view separator) {
    const bool negative = number < 0;
    const std::string digits = std::to_string(number).substr(negative ? 1 : 0);
    std::string out = negative ? "-" : "";
    for (std::size_t i = 0; i < digits.size(); ++i) {
        if (i > 0 && (digits.size() - i) % 3 == 0) out += separator;
        out += digits[i];
    }
    return out;
}

}  // namespace

std::string format_date(Language language, Time time) {
    return date_in_words(language, in_paris(time).date);
}

std::string format_date_time(Language language, Time time) {
    const LocalTime local = in_paris(time);
    const std::string date = date_in_words(language, local.date);
    if (language == Language::kEnglish)
        return date + " at " + two_digits(local.hour) + ":" + two_digits(local.minute);
    return date + " à " + std::to_string(local.hour) + std::string(kNoBreakSpace) + "h" +
           std::string(kNoBreakSpace) + two_digits(local.minute);
}

std::string format_date_hour(Language language, Time time) {
    const LocalTime local = in_paris(time);
    const std::string date = date_in_words(language, local.date);
    if (language == Language::kEnglish) return date + " at about " + two_digits(local.hour) + ":00";
    return date + " vers " + std::to_string(local.hour) + std::string(kNoBreakSpace) + "h";
}

std::string format_calendar_date(Language language, std::string_view iso) {
    int year = 0;
    unsigned month = 0, day = 0;
    const auto read = [](std::string_view digits, auto& number) {
        return std::from_chars(digits.data(), digits.data() + digits.size(), number).ptr ==
               digits.data() + digits.size();
    };
    if (iso.size() != 10 || iso[4] != '-' || iso[7] != '-' || !read(iso.substr(0, 4), year) ||
        !read(iso.substr(5, 2), month) || !read(iso.substr(8, 2), day))
        return std::string(iso);
    const std::chrono::year_month_day date{std::chrono::year(year), std::chrono::month(month),
                                           std::chrono::day(day)};
    return date.ok() ? date_in_words(language, date) : std::string(iso);
}

std::string format_number(Language language, std::int64_t number) {
    return grouped(number, language == Language::kFrench ? kNarrowNoBreakSpace : ",");
}

std::string format_file_size(Language language, std::uint64_t bytes) {
    const bool french = language == Language::kFrench;
    const std::string space(kNoBreakSpace);
    if (bytes < 1000) return std::to_string(bytes) + space + (french ? "octets" : "bytes");
    const bool mega = bytes >= 1'000'000;
    const std::uint64_t tenths = bytes / (mega ? 100'000 : 100);
    std::string text = std::to_string(tenths / 10);
    if (tenths % 10 != 0) text += (french ? "," : ".") + std::to_string(tenths % 10);
    return text + space + (mega ? "M" : "k") + (french ? "o" : "B");
}

}  // namespace cloison::web
