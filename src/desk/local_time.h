#pragma once

#include <string>
#include <string_view>

#include "base/result.h"
#include "base/time.h"

namespace cloison::desk {

/// A moment typed as date ("13/04/2026" or "2026-04-13") and time of day ("09:30", "09:30:15",
/// "09:30:15.250"; empty: midnight) in the time of Europe/Paris, as the pages show times: UTC+1,
/// and UTC+2 from the last Sunday of March to the last Sunday of October, 01:00 UTC (Directive
/// 2000/84/EC). Of an hour that comes twice in October it is the first; an hour that is skipped in
/// March is read as the one after it. kInvalidArgument for anything else.
Result<Time> read_local_time(std::string_view date, std::string_view time_of_day);

/// The same the other way, for filling a form.
struct LocalTime {
    std::string date;         ///< "13/04/2026"
    std::string time_of_day;  ///< To the second, or to the millisecond where there are any.
};
LocalTime to_local_time(Time time);

}  // namespace cloison::desk
