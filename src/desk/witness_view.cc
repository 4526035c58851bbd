#include "desk/witness_view.h"

#include <algorithm>

#include "base/log.h"
#include "web/formats.h"

namespace cloison::desk {
namespace {

using web::Context;
using web::Json;

constexpr std::int64_t kMinuteMs = 60'000;
constexpr std::int64_t kHourMs = 60 * kMinuteMs;
constexpr std::int64_t kDayMs = 24 * kHourMs;

std::string age_in_words(const Context& context, std::int64_t ms) {
    if (ms < kMinuteMs) return context.text("desk_witness.age_now");
    if (ms < 2 * kHourMs) return context.plural("desk_witness.age_minutes", ms / kMinuteMs);
    if (ms < 2 * kDayMs) return context.plural("desk_witness.age_hours", ms / kHourMs);
    return context.plural("desk_witness.age_days", ms / kDayMs);
}

std::string words(const Context& context, const keeper::v1::DescribeResponse& keeper) {
    if (keeper.witnesses() == 0) return context.text("desk_witness.none_set");
    const auto waiting = static_cast<std::int64_t>(
        keeper.entries() - std::min(keeper.entries(), keeper.witnessed_entries()));
    const std::string tail = waiting == 0 ? context.text("desk_witness.all")
                                          : context.plural("desk_witness.waiting", waiting);
    if (keeper.witnessed_ms() == 0) return context.text("desk_witness.never") + " " + tail;
    const Time at = from_unix_ms(keeper.witnessed_ms());
    return context.text(
               "desk_witness.last",
               {{"time", web::format_date_time(context.language, at)},
                {"age", age_in_words(context, to_unix_ms(context.now) - keeper.witnessed_ms())}}) +
           " " + tail;
}

}  // namespace

Json witness_view(const Core& core, const Context& context) {
    const auto keeper = core.services.keeper.describe(keeper::v1::DescribeRequest());
    if (!keeper) {
        log_warning("The state of the witnesses is not known: " + keeper.error().message);
        return nullptr;
    }
    return {{"words", words(context, *keeper)},
            {"needed", context.text("desk_witness.needed",
                                    {{"needed", std::to_string(keeper->witnesses_needed())},
                                     {"all", std::to_string(keeper->witnesses())}})},
            {"is_set", keeper->witnesses() > 0},
            {"warning", keeper->witness_warning()}};
}

}  // namespace cloison::desk
