#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/time.h"
#include "web/language.h"

namespace cloison::web {

/// How numbers and times are written on pages. Times are those of Europe/Paris by the rule of
/// Directive 2000/84/EC (summer time from the last Sunday of March to the last of October, 01:00
/// UTC), whatever the zone of the process.
std::string format_date(Language language, Time time);  ///< 13 avril 2026, 13 April 2026
std::string format_date_time(Language language,
                             Time time);  ///< 13 avril 2026 à 14 h 05; … at 14:05
/// For a time that is stored to the hour: 13 avril 2026 vers 14 h; … at about 14:00
std::string format_date_hour(Language language, Time time);
/// A canonical calendar date, 1984-03-09, in words: 9 mars 1984; unchanged if it is none.
std::string format_calendar_date(Language language, std::string_view iso);
std::string format_number(Language language, std::int64_t number);     ///< 11 700 000, 11,700,000
std::string format_file_size(Language language, std::uint64_t bytes);  ///< 1,4 Mo, 1.4 MB

}  // namespace cloison::web
