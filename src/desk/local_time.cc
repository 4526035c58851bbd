#include "desk/local_time.h"

#include <chrono>

namespace cloison::desk {
namespace {

using std::chrono::hours;

Time change_of(std::chrono::year year, std::chrono::month month) {
    const std::chrono::sys_days last_sunday =
        year / month / std::chrono::weekday_last(std::chrono::Sunday);
    return Time(last_sunday) + hours(1);
}

Duration offset_at(Time time) {
    const std::chrono::year_month_day day(std::chrono::floor<std::chrono::days>(time));
    const bool is_summer = time >= change_of(day.year(), std::chrono::March) &&
                           time < change_of(day.year(), std::chrono::October);
    return is_summer ? hours(2) : hours(1);
}

}  // namespace

Result<Time> read_local_time(std::string_view date, std::string_view time_of_day) {
    std::string text(date);
    if (text.size() == 10 && text[2] == '/' && text[5] == '/')
        text = text.substr(6, 4) + "-" + text.substr(3, 2) + "-" + text.substr(0, 2);
    text += 'T';
    text += time_of_day.empty() ? "00:00" : std::string(time_of_day);
    if (text.size() == std::string_view("2026-04-13T09:30").size()) text += ":00";
    text += 'Z';
    CLOISON_TRY(const Time local, parse_rfc3339(text));
    const Time in_summer = local - hours(2);
    return offset_at(in_summer) == hours(2) ? in_summer : local - hours(1);
}

LocalTime to_local_time(Time time) {
    const Time local = time + offset_at(time);
    const bool has_ms = to_unix_ms(time) % 1000 != 0;
    std::string text = format_rfc3339(local, has_ms);
    text.pop_back();
    return {text.substr(8, 2) + "/" + text.substr(5, 2) + "/" + text.substr(0, 4), text.substr(11)};
}

}  // namespace cloison::desk
