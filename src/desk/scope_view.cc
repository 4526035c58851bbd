#include "desk/scope_view.h"

#include <algorithm>
#include <cmath>

#include "web/formats.h"

namespace cloison::desk {

using incident::ScopeAnswer;
using incident::ScopeQuery;
using incident::Verdict;
using web::Context;
using web::Json;

namespace {

/// The chart is drawn in these units and scaled to the width of the page.
constexpr int kChartWidth = 400;
constexpr int kChartHeight = 170;
constexpr int kLeft = 34;
constexpr int kTop = 10;
constexpr int kBottom = 140;

std::string base64_root(const crypto::Hash& root) {
    return base64_encode(root);
}

Json query_document(const Core& core, const ScopeQuery& query) {
    Json json = Json::object();
    if (query.from) json["from"] = format_rfc3339(*query.from, true);
    if (query.to) json["to"] = format_rfc3339(*query.to, true);
    if (query.door) json["door"] = core.registry.door(*query.door)->name;
    if (query.actor) json["actor"] = query.actor->hex();
    if (query.session) json["session"] = query.session->hex();
    if (query.origin) json["origin"] = journal::format_origin(*query.origin);
    if (query.purpose) json["purpose"] = core.registry.purpose(*query.purpose)->name;
    if (query.field) json["field"] = core.registry.field(*query.field)->name;
    if (query.up_to) json["up_to"] = *query.up_to;
    json["include_self"] = query.include_self;
    return json;
}

std::string door_name(const Core& core, std::uint8_t number) {
    const registry::Door* door = core.registry.door(number);
    return door == nullptr ? "" : door->name;
}

std::string bucket_text(const Context& context, const ScopeAnswer& answer, Time begin) {
    const bool is_hour = answer.counts.bucket_width < std::chrono::hours(24);
    return is_hour ? web::format_date_time(context.language, begin)
                   : web::format_date(context.language, begin);
}

/// Bars with attributes only: the page's policy allows no style.
Json chart(const Context& context, const ScopeAnswer& answer) {
    const auto& timeline = answer.counts.timeline;
    if (timeline.empty()) return {};
    std::uint64_t most = 1;
    for (const auto& bucket : timeline) most = std::max(most, bucket.persons);
    const double step =
        static_cast<double>(kChartWidth - kLeft) / static_cast<double>(timeline.size());
    const double width = std::min(step * 0.8, 40.0);
    Json bars = Json::array();
    for (std::size_t i = 0; i < timeline.size(); ++i) {
        const double height =
            static_cast<double>(timeline[i].persons) * (kBottom - kTop) / static_cast<double>(most);
        const auto fixed = [](double value) {
            return std::to_string(static_cast<int>(value * 100) / 100) + "." +
                   std::to_string(static_cast<int>(value * 100) % 100 / 10);
        };
        bars.push_back({{"x", fixed(kLeft + static_cast<double>(i) * step + (step - width) / 2)},
                        {"y", fixed(kBottom - height)},
                        {"width", fixed(width)},
                        {"height", fixed(height)}});
    }
    return {
        {"bars", bars},
        {"view_width", kChartWidth},
        {"view_height", kChartHeight},
        {"left", kLeft},
        {"top", kTop},
        {"bottom", kBottom},
        {"right", kChartWidth},
        {"most", web::format_number(context.language, static_cast<std::int64_t>(most))},
        {"first", bucket_text(context, answer, timeline.front().begin)},
        {"last",
         timeline.size() > 1 ? bucket_text(context, answer, timeline.back().begin) : std::string()},
        {"summary", context.text("desk_scope.chart_summary",
                                 {{"first", bucket_text(context, answer, timeline.front().begin)},
                                  {"last", bucket_text(context, answer, timeline.back().begin)},
                                  {"most", web::format_number(context.language,
                                                              static_cast<std::int64_t>(most))}})}};
}

std::string number(const Context& context, std::uint64_t value) {
    return web::format_number(context.language, static_cast<std::int64_t>(value));
}

Json timeline_rows(const Context& context, const ScopeAnswer& answer) {
    Json rows = Json::array();
    for (const auto& bucket : answer.counts.timeline)
        if (bucket.lines + bucket.refused > 0)
            rows.push_back({{"begin", bucket_text(context, answer, bucket.begin)},
                            {"persons", number(context, bucket.persons)},
                            {"lines", number(context, bucket.lines)},
                            {"refused", number(context, bucket.refused)}});
    return rows;
}

std::string link_with(const Core& core, const std::string& base, const ScopeQuery& query) {
    return base + "?" + incident::format_scope_query(query, core.registry);
}

Json field_rows(const Core& core, const Context& context, const std::string& base,
                const ScopeAnswer& answer) {
    Json rows = Json::array();
    for (const Verdict wanted : {Verdict::kOpened, Verdict::kReachable, Verdict::kSealed}) {
        for (const auto& verdict : answer.fields) {
            if (verdict.verdict != wanted) continue;
            const registry::Field& field = *core.registry.field(verdict.field);
            const std::string code(incident::verdict_code(verdict.verdict));
            ScopeQuery narrowed = answer.query;
            narrowed.field = verdict.field;
            rows.push_back(
                {{"label", context.label(field.label)},
                 {"link", wanted == Verdict::kOpened && !answer.query.field
                              ? link_with(core, base, narrowed)
                              : std::string()},
                 {"compartment", context.text("desk_scope.compartment." +
                                              std::string(compartment_name(field.compartment)))},
                 {"tag", web::tag(context.text("desk_scope.verdict." + code),
                                  wanted == Verdict::kOpened      ? "red"
                                  : wanted == Verdict::kReachable ? "yellow"
                                                                  : "green")},
                 {"persons", number(context, verdict.persons)},
                 {"lines", number(context, verdict.lines)}});
        }
    }
    return rows;
}

Json session_rows(const Core& core, const Context& context, const std::string& base,
                  const ScopeAnswer& answer, const std::map<ActorId, std::string>& names) {
    Json rows = Json::array();
    for (const auto& session : answer.counts.sessions) {
        ScopeQuery narrowed = answer.query;
        narrowed.session = session.session;
        const registry::Door* door = core.registry.door(session.door);
        rows.push_back(
            {{"who", name_of(context, names, session.actor)},
             {"role", role_label(context, session.role)},
             {"door", door == nullptr ? "" : context.label(door->label)},
             {"code", session.session.hex().substr(0, 8)},
             {"link", answer.query.session ? std::string() : link_with(core, base, narrowed)},
             {"first", web::format_date_time(context.language, session.first)},
             {"last", web::format_date_time(context.language, session.last)},
             {"persons", number(context, session.persons)},
             {"lines", number(context, session.lines)},
             {"refused", number(context, session.refused)}});
    }
    return rows;
}

}  // namespace

Json scope_document(const Core& core, const ScopeAnswer& answer) {
    Json fields = Json::array();
    for (const auto& verdict : answer.fields) {
        const registry::Field& field = *core.registry.field(verdict.field);
        fields.push_back({{"field", field.name},
                          {"compartment", registry::compartment_name(field.compartment)},
                          {"verdict", incident::verdict_code(verdict.verdict)},
                          {"lines", verdict.lines},
                          {"persons", verdict.persons}});
    }
    Json sessions = Json::array();
    for (const auto& session : answer.counts.sessions)
        sessions.push_back({{"session", session.session.hex()},
                            {"actor", session.actor.hex()},
                            {"role", registry::role_name(session.role)},
                            {"door", door_name(core, session.door)},
                            {"first", format_rfc3339(session.first, true)},
                            {"last", format_rfc3339(session.last, true)},
                            {"lines", session.lines},
                            {"refused", session.refused},
                            {"persons", session.persons}});
    Json buckets = Json::array();
    for (const auto& bucket : answer.counts.timeline)
        buckets.push_back({{"begin", format_rfc3339(bucket.begin)},
                           {"lines", bucket.lines},
                           {"refused", bucket.refused},
                           {"persons", bucket.persons}});
    return {{"version", 1},
            {"query", query_document(core, answer.query)},
            {"persons", answer.counts.persons},
            {"lines", answer.counts.lines},
            {"refused", answer.counts.refused},
            {"self_left_out", answer.counts.self_left_out},
            {"fields", fields},
            {"sessions", sessions},
            {"sessions_in_all", answer.counts.sessions_in_all},
            {"timeline",
             {{"width_seconds", answer.counts.bucket_width.count() / 1000}, {"buckets", buckets}}},
            {"covered",
             {{"size", answer.covered.size},
              {"root", base64_root(answer.covered.root)},
              {"checkpoint", answer.covered.note}}},
            {"seconds", answer.seconds}};
}

Json scope_page_data(const Core& core, const Context& context, const std::string& base,
                     const ScopeAnswer& answer, const std::map<ActorId, std::string>& names) {
    const std::string text = incident::format_scope_query(answer.query, core.registry);
    const std::int64_t ms = std::llround(answer.seconds * 1000);
    const Json drawn = chart(context, answer);
    const Json rows = timeline_rows(context, answer);
    const Json sessions = session_rows(core, context, base, answer, names);
    const auto& counts = answer.counts;
    return {
        {"query_text", text},
        {"change", base + "/ask" + (text.empty() ? "" : "?" + text)},
        {"lines_link", base + "/lines" + (text.empty() ? "" : "?" + text)},
        {"persons",
         context.plural("desk_scope.persons", static_cast<std::int64_t>(counts.persons))},
        {"lines", context.plural("desk_scope.lines", static_cast<std::int64_t>(counts.lines))},
        {"refused",
         counts.refused == 0
             ? std::string()
             : context.plural("desk_scope.refused", static_cast<std::int64_t>(counts.refused))},
        {"self_left_out", counts.self_left_out == 0
                              ? std::string()
                              : context.plural("desk_scope.self_left_out",
                                               static_cast<std::int64_t>(counts.self_left_out))},
        {"fields", field_rows(core, context, base, answer)},
        {"sessions", sessions},
        {"has_sessions", !sessions.empty()},
        {"more_sessions", counts.sessions_in_all > counts.sessions.size()
                              ? context.plural("desk_scope.sessions_in_all",
                                               static_cast<std::int64_t>(counts.sessions_in_all))
                              : std::string()},
        {"chart", drawn},
        {"has_chart", !drawn.is_null()},
        {"timeline", rows},
        {"covered_size", number(context, answer.covered.size)},
        {"covered_root", base64_root(answer.covered.root)},
        {"milliseconds", web::format_number(context.language, ms)},
        {"can_export", counts.persons > 0}};
}

}  // namespace cloison::desk
