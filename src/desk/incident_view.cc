#include "desk/incident_view.h"

#include <algorithm>

#include "desk/local_time.h"
#include "web/formats.h"

namespace cloison::desk {

using web::Context;
using web::Json;

std::string duration_words(const Context& context, Duration duration) {
    const std::int64_t minutes = std::abs(duration.count()) / 60'000;
    const std::int64_t hours = minutes / 60;
    if (hours >= 96) return context.plural("desk_incident.clock.days", hours / 24);
    std::string text;
    if (hours > 0) text = context.plural("desk_incident.clock.hours", hours) + " ";
    return text + context.plural("desk_incident.clock.minutes", minutes % 60);
}

Json clock_view(const Context& context, const incident::IncidentSummary& incident) {
    using incident::DeadlineState;
    if (!incident.aware) return {};
    const auto& rule = incident::deadline_rules().front();
    const auto state = incident::deadline(rule, *incident.aware, incident.stopped(), context.now);
    std::string code(incident::deadline_state_code(state.state));
    const bool is_late = state.remaining < Duration(0);
    if (state.state == DeadlineState::kStopped) code = is_late ? "stopped_late" : "stopped_in_time";
    const std::int64_t elapsed =
        std::clamp<std::int64_t>((rule.after - state.remaining).count(), 0, rule.after.count());
    constexpr std::int64_t kWidth = 360;  // Of the bar, in the units of its view box.
    const std::string words = context.text("desk_incident.clock." + code,
                                           {{"time", duration_words(context, state.remaining)}});
    return {{"words", words},
            {"due", web::format_date_time(context.language, state.due)},
            {"law", context.label(rule.label) + " (" + std::string(rule.law) + ")"},
            {"aware", web::format_date_time(context.language, *incident.aware)},
            {"filled", elapsed * kWidth / rule.after.count()},
            {"colour", is_late ? "#b3261e" : "#0f5a63"},
            {"late", is_late}};
}

Json clock_tag(const Context& context, const incident::IncidentSummary& incident) {
    const Json clock = clock_view(context, incident);
    if (clock.is_null()) return web::tag(context.text("desk_incident.clock.none"), "grey");
    const bool is_stopped = incident.stopped().has_value();
    return web::tag(clock["words"], clock["late"] == true ? "red"
                                    : is_stopped          ? "green"
                                                          : "orange");
}

std::string scope_words(const Core& core, const Context& context, const incident::ScopeQuery& query,
                        const std::map<ActorId, std::string>& names) {
    std::string text;
    const auto put = [&](const char* key, const std::string& value) {
        text += (text.empty() ? "" : " · ") +
                context.text(std::string("desk_scope.words.") + key, {{"value", value}});
    };
    if (query.from) put("from", web::format_date_time(context.language, *query.from));
    if (query.to) put("to", web::format_date_time(context.language, *query.to));
    if (query.door) put("door", context.label(core.registry.door(*query.door)->label));
    if (query.actor) put("actor", name_of(context, names, *query.actor));
    if (query.session) put("session", query.session->hex());
    if (query.origin) put("origin", journal::format_origin(*query.origin));
    if (query.purpose) put("purpose", context.label(core.registry.purpose(*query.purpose)->label));
    if (query.field) put("field", context.label(core.registry.field(*query.field)->label));
    if (query.include_self) put("include_self", "");
    return text.empty() ? context.text("desk_scope.words.everything") : text;
}

Result<incident::ScopeQuery> read_scope_text(const Core& core, std::string_view text) {
    CLOISON_TRY(const auto form, net::Form::parse(text));
    return incident::parse_scope_query(form, core.registry);
}

Result<incident::ScopeQuery> read_scope_field(const Core& core, const Context& context) {
    const std::string_view text = context.form.get("query");
    CLOISON_TRY(auto query, read_scope_text(core, text));
    if (!context.form.has("query") || incident::format_scope_query(query, core.registry) != text)
        return fail(ErrorCode::kInvalidArgument, "The form's query is no scope.");
    return query;
}

std::vector<Json> moment_inputs(const Context& context, const std::string& name,
                                const std::string& label_key, const net::Form& typed,
                                const web::FormErrors& errors) {
    return {web::text_input({.name = name + "_date",
                             .label = context.text(label_key + "_date"),
                             .hint = context.text("desk_incident.date_hint"),
                             .value = std::string(typed.get(name + "_date")),
                             .width = "10",
                             .max_length = 10,
                             .spellcheck = false},
                            errors),
            web::text_input({.name = name + "_time",
                             .label = context.text(label_key + "_time"),
                             .hint = context.text("desk_incident.time_hint"),
                             .value = std::string(typed.get(name + "_time")),
                             .width = "10",
                             .max_length = 12,
                             .spellcheck = false},
                            errors)};
}

std::optional<Time> read_moment(const Context& context, const std::string& name,
                                const net::Form& typed, web::FormErrors& errors) {
    const std::string_view date = typed.get(name + "_date");
    const std::string_view time_of_day = typed.get(name + "_time");
    if (date.empty() && time_of_day.empty()) return std::nullopt;
    if (auto time = read_local_time(date, time_of_day)) return *time;
    errors.add(name + "_date", context.text("desk_incident.moment_malformed"));
    return std::nullopt;
}

Result<identity::v1::ListStaffResponse> list_staff(const Core& core, const Context& context) {
    identity::v1::ListStaffRequest request;
    request.set_token(context.session->token);
    return core.services.identity.list_staff(request);
}

}  // namespace cloison::desk
