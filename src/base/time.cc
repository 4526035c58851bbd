#include "base/time.h"

#include <cstdio>
#include <optional>

namespace cloison {
namespace {

class SystemClock : public Clock {
  public:
    Time now() const override {
        return std::chrono::floor<Duration>(std::chrono::system_clock::now());
    }
};

/// Takes decimal numbers and fixed characters off the front of a text.
class Scanner {
  public:
    explicit Scanner(std::string_view text) : text_(text) {}

    std::optional<int> number(std::size_t digits) {
        if (text_.size() < digits) return std::nullopt;
        int value = 0;
        for (std::size_t i = 0; i < digits; ++i) {
            if (text_[i] < '0' || text_[i] > '9') return std::nullopt;
            value = value * 10 + (text_[i] - '0');
        }
        text_.remove_prefix(digits);
        return value;
    }
    bool skip(char expected) {
        if (!text_.starts_with(expected)) return false;
        text_.remove_prefix(1);
        return true;
    }
    bool at_end() const { return text_.empty(); }

  private:
    std::string_view text_;
};

std::optional<std::chrono::sys_days> scan_date(Scanner& scanner) {
    const auto year = scanner.number(4);
    if (!year || !scanner.skip('-')) return std::nullopt;
    const auto month = scanner.number(2);
    if (!month || !scanner.skip('-')) return std::nullopt;
    const auto day = scanner.number(2);
    if (!day) return std::nullopt;
    const std::chrono::year_month_day date{std::chrono::year(*year),
                                           std::chrono::month(static_cast<unsigned>(*month)),
                                           std::chrono::day(static_cast<unsigned>(*day))};
    if (!date.ok()) return std::nullopt;
    return std::chrono::sys_days(date);
}

std::optional<Duration> scan_hours_and_minutes(Scanner& scanner) {
    const auto hours = scanner.number(2);
    if (!hours || *hours > 23 || !scanner.skip(':')) return std::nullopt;
    const auto minutes = scanner.number(2);
    if (!minutes || *minutes > 59) return std::nullopt;
    return std::chrono::hours(*hours) + std::chrono::minutes(*minutes);
}

std::optional<Duration> scan_time_of_day(Scanner& scanner) {
    const auto hours_and_minutes = scan_hours_and_minutes(scanner);
    if (!hours_and_minutes || !scanner.skip(':')) return std::nullopt;
    const auto seconds = scanner.number(2);
    if (!seconds || *seconds > 59) return std::nullopt;
    Duration time = *hours_and_minutes + std::chrono::seconds(*seconds);
    if (scanner.skip('.')) {
        const auto ms = scanner.number(3);
        if (!ms) return std::nullopt;
        time += Duration(*ms);
    }
    return time;
}

std::optional<Duration> scan_offset(Scanner& scanner) {
    if (scanner.skip('Z')) return Duration(0);
    const bool west = scanner.skip('-');
    if (!west && !scanner.skip('+')) return std::nullopt;
    const auto offset = scan_hours_and_minutes(scanner);
    if (!offset) return std::nullopt;
    return west ? -*offset : *offset;
}

std::optional<Time> scan_rfc3339(std::string_view text) {
    Scanner scanner(text);
    const auto date = scan_date(scanner);
    if (!date || !scanner.skip('T')) return std::nullopt;
    const auto time = scan_time_of_day(scanner);
    if (!time) return std::nullopt;
    const auto offset = scan_offset(scanner);
    if (!offset || !scanner.at_end()) return std::nullopt;
    return *date + *time - *offset;
}

}  // namespace

std::string format_rfc3339(Time time, bool with_ms) {
    const auto day = std::chrono::floor<std::chrono::days>(time);
    const std::chrono::year_month_day date(day);
    const std::chrono::hh_mm_ss clock(time - day);
    char text[64];
    int size = std::snprintf(
        text, sizeof text, "%04d-%02u-%02uT%02d:%02d:%02d", static_cast<int>(date.year()),
        static_cast<unsigned>(date.month()), static_cast<unsigned>(date.day()),
        static_cast<int>(clock.hours().count()), static_cast<int>(clock.minutes().count()),
        static_cast<int>(clock.seconds().count()));
    std::string out(text, static_cast<std::size_t>(size));
    if (with_ms) {
        size =
            std::snprintf(text, sizeof text, ".%03d", static_cast<int>(clock.subseconds().count()));
        out.append(text, static_cast<std::size_t>(size));
    }
    return out + 'Z';
}

Result<Time> parse_rfc3339(std::string_view text) {
    if (const auto time = scan_rfc3339(text)) return *time;
    return fail(ErrorCode::kInvalidArgument,
                "A time is written like 2026-04-13T09:30:00Z or 2026-04-13T11:30:00.000+02:00.");
}

Clock& system_clock() {
    static SystemClock clock;
    return clock;
}

}  // namespace cloison
