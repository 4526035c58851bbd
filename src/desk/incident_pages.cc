#include "desk/alarm_pages.h"
#include "desk/incident_view.h"
#include "desk/typed_text.h"
#include "desk/witness_view.h"
#include "web/formats.h"

namespace cloison::desk {
namespace {

using incident::Incident;
using web::Access;
using web::Context;
using web::Json;

/// Incidents: opening, awareness times and the clock, notes, telling the authority, closing.
struct IncidentPages {
    const Core& core;

    Result<net::HttpResponse> list(Context& context) const;
    Result<net::HttpResponse> ask_new(Context& context) const;
    Result<net::HttpResponse> open(Context& context) const;
    Result<net::HttpResponse> show(Context& context) const;
    Result<net::HttpResponse> ask_awareness(Context& context) const;
    Result<net::HttpResponse> add_awareness(Context& context) const;
    Result<net::HttpResponse> ask_note(Context& context) const;
    Result<net::HttpResponse> add_note(Context& context) const;
    Result<net::HttpResponse> ask_notified(Context& context) const;
    Result<net::HttpResponse> set_notified(Context& context) const;
    Result<net::HttpResponse> ask_close(Context& context) const;
    Result<net::HttpResponse> close(Context& context) const;

  private:
    Result<Incident> incident(const Context& context) const {
        CLOISON_TRY(const auto id, context.path_id<IncidentId>("incident"));
        return core.incidents->get(id);
    }
    net::HttpResponse moment_page(Context& context, const Incident& of, const std::string& key,
                                  const std::string& action, const std::string& text_field,
                                  const web::FormErrors& errors) const;
};

std::string path_of(const incident::IncidentSummary& incident) {
    return "/incidents/" + incident.incident.hex();
}

/// A closed incident takes nothing more; its page says so.
Result<net::HttpResponse> back_to(Context& context, const Incident& of, const Status& status,
                                  std::string_view notice) {
    if (!status && status.error().code == ErrorCode::kConflict)
        return context.redirect_with_notice(path_of(of), "desk_incident.not_now");
    if (!status) return fail(status.error());
    return context.redirect_with_notice(path_of(of), notice);
}

Result<net::HttpResponse> IncidentPages::list(Context& context) const {
    CLOISON_TRY(const auto found, core.incidents->list());
    Json rows = Json::array();
    for (const auto& each : found)
        rows.push_back(
            {{"title_text", each.title},
             {"link", path_of(each)},
             {"opened", web::format_date_time(context.language, each.opened)},
             {"state", web::tag(context.text(each.is_open() ? "desk_incident.state_open"
                                                            : "desk_incident.state_closed"),
                                each.is_open() ? "orange" : "grey")},
             {"clock", clock_tag(context, each)}});
    return context.page("desk/incidents", {{"title", context.text("desk_incident.list_title")},
                                           {"rows", rows},
                                           {"has_rows", !rows.empty()},
                                           {"alarm_notice", alarm_notice(core, context)},
                                           {"witnesses", witness_view(core, context)}});
}

/// What was typed, or what a link to the form brought along.
std::string given(const Context& context, std::string_view name) {
    const auto typed = context.form.get(name);
    return std::string(typed.empty() ? context.query.get(name) : typed);
}

net::HttpResponse new_page(Context& context, const web::FormErrors& errors) {
    return form_page(
        context,
        {.title = context.text("desk_incident.new_title"),
         .action = "/incidents/new",
         .submit = context.text("desk_incident.open"),
         .back = "/incidents",
         .fields = {web::text_input({.name = "title",
                                     .label = context.text("desk_incident.title"),
                                     .hint = context.text("desk_incident.no_personal_data"),
                                     .value = given(context, "title"),
                                     .max_length = incident::kMaxTitle},
                                    errors)},
         .hidden = {{"session", given(context, "session")}}},
        errors);
}

Result<net::HttpResponse> IncidentPages::ask_new(Context& context) const {
    return new_page(context, {});
}

Result<net::HttpResponse> IncidentPages::open(Context& context) const {
    web::FormErrors errors;
    const std::string title = read_text(context,
                                        {.name = "title",
                                         .max_length = incident::kMaxTitle,
                                         .missing = "desk_incident.title_missing",
                                         .too_long = "desk_incident.title_missing"},
                                        errors);
    if (!errors.empty()) return new_page(context, errors);
    const std::string from_alarm(context.form.get("session"));
    const auto session = SessionId::from_hex(from_alarm);
    if (!from_alarm.empty() && !session)
        return fail(ErrorCode::kInvalidArgument, "A session is named by 32 hexadecimal digits.");
    CLOISON_TRY(const auto opened, core.incidents->open(title, context.session->actor));
    const std::string page = "/incidents/" + opened.hex();
    // From an alarm: the next question is what else its session opened.
    if (session) return context.redirect(page + "/scope/ask?session=" + session->hex());
    return context.redirect(page);
}

/// Everybody named on an incident's page.
std::set<ActorId> actors_of(const Core& core, const Incident& of) {
    std::set<ActorId> actors = {of.opened_by};
    for (const auto& each : of.awareness) actors.insert(each.entered_by);
    for (const auto& each : of.notes) actors.insert(each.by);
    for (const auto& each : of.scopes) {
        actors.insert(each.by);
        if (const auto query = read_scope_text(core, each.query); query && query->actor)
            actors.insert(*query->actor);
    }
    for (const auto& each : of.exports) actors.insert(each.asked_by);
    return actors;
}

Json awareness_view(const Context& context, const Incident& of,
                    const std::map<ActorId, std::string>& names) {
    Json rows = Json::array();
    for (const auto& each : of.awareness) {
        incident::IncidentSummary alone = of;
        alone.aware = each.at;
        rows.push_back({{"at", web::format_date_time(context.language, each.at)},
                        {"source", each.source},
                        {"by", name_of(context, names, each.entered_by)},
                        {"due", clock_view(context, alone)["due"]}});
    }
    return rows;
}

Json scopes_view(const Core& core, const Context& context, const Incident& of,
                 const std::map<ActorId, std::string>& names) {
    Json rows = Json::array();
    for (const auto& each : of.scopes) {
        const auto query = read_scope_text(core, each.query);
        rows.push_back({{"words", query ? scope_words(core, context, *query, names) : each.query},
                        {"link", path_of(of) + "/scope?" + each.query},
                        {"persons", context.plural("desk_scope.persons",
                                                   static_cast<std::int64_t>(each.persons))},
                        {"at", web::format_date_time(context.language, each.at)},
                        {"by", name_of(context, names, each.by)}});
    }
    return rows;
}

Json exports_view(const Context& context, const Incident& of,
                  const std::map<ActorId, std::string>& names) {
    Json rows = Json::array();
    for (const auto& each : of.exports)
        rows.push_back(
            {{"link", path_of(of) + "/exports/" + each.approval.hex()},
             {"persons",
              context.plural("desk_scope.persons", static_cast<std::int64_t>(each.persons))},
             {"at", web::format_date_time(context.language, each.asked)},
             {"by", name_of(context, names, each.asked_by)},
             {"downloads", context.plural("desk_incident.export.downloads",
                                          static_cast<std::int64_t>(each.downloads.size()))}});
    return rows;
}

Result<net::HttpResponse> IncidentPages::show(Context& context) const {
    CLOISON_TRY(const Incident found, incident(context));
    CLOISON_TRY(const auto names, actor_names(core, actors_of(core, found)));
    Json notes = Json::array();
    for (const auto& note : found.notes)
        notes.push_back({{"text", note.text},
                         {"by", name_of(context, names, note.by)},
                         {"at", web::format_date_time(context.language, note.at)}});
    const Json clock = clock_view(context, found);
    const Json awareness = awareness_view(context, found, names);
    const Json scopes = scopes_view(core, context, found, names);
    const Json exports = exports_view(context, found, names);
    return context.page(
        "desk/incident",
        {{"title", found.title},
         {"back", "/incidents"},
         {"path", path_of(found)},
         {"is_open", found.is_open()},
         {"can_notify", found.is_open() && !found.notified},
         {"opened", context.text("desk_incident.opened_words",
                                 {{"time", web::format_date_time(context.language, found.opened)},
                                  {"name", name_of(context, names, found.opened_by)}})},
         {"notified",
          found.notified
              ? context.text("desk_incident.notified_words",
                             {{"time", web::format_date_time(context.language, *found.notified)},
                              {"reference", found.notified_reference}})
              : std::string()},
         {"closed", found.closed ? context.text("desk_incident.closed_words",
                                                {{"time", web::format_date_time(context.language,
                                                                                *found.closed)}})
                                 : std::string()},
         {"clock", clock},
         {"has_clock", !clock.is_null()},
         {"awareness", awareness},
         {"has_awareness", !awareness.empty()},
         {"notes", notes},
         {"has_notes", !notes.empty()},
         {"scopes", scopes},
         {"has_scopes", !scopes.empty()},
         {"exports", exports},
         {"has_exports", !exports.empty()}});
}

/// A page that asks for a moment and a short text.
net::HttpResponse IncidentPages::moment_page(Context& context, const Incident& of,
                                             const std::string& key, const std::string& action,
                                             const std::string& text_field,
                                             const web::FormErrors& errors) const {
    std::vector<Json> fields = moment_inputs(context, "at", key, context.form, errors);
    fields.push_back(web::text_input({.name = text_field,
                                      .label = context.text(key + "_" + text_field),
                                      .hint = context.text("desk_incident.no_personal_data"),
                                      .value = std::string(context.form.get(text_field)),
                                      .max_length = incident::kMaxTitle},
                                     errors));
    return form_page(context,
                     {.title = context.text(key + "_title"),
                      .action = path_of(of) + action,
                      .submit = context.text(key + "_submit"),
                      .back = path_of(of),
                      .paragraphs = {context.text(key + "_intro")},
                      .fields = std::move(fields)},
                     errors);
}

/// What such a page asks for.
struct MomentAndText {
    std::optional<Time> at;
    std::string text;
};
/// Reads it; adds what is wrong to `errors`.
MomentAndText read_moment_and_text(const Context& context, const char* text_field,
                                   web::FormErrors& errors) {
    const auto at = read_moment(context, "at", context.form, errors);
    if (!at) errors.add("at_date", context.text("desk_incident.moment_missing"));
    if (at && *at > context.now)
        errors.add("at_date", context.text("desk_incident.moment_in_future"));
    return {at, read_text(context,
                          {.name = text_field,
                           .max_length = incident::kMaxTitle,
                           .missing = "desk_incident.text_missing",
                           .too_long = "desk_incident.text_too_long"},
                          errors)};
}

constexpr const char* kAwareness = "desk_incident.awareness";
constexpr const char* kNotified = "desk_incident.notified";

Result<net::HttpResponse> IncidentPages::ask_awareness(Context& context) const {
    CLOISON_TRY(const Incident found, incident(context));
    return moment_page(context, found, kAwareness, "/awareness", "source", {});
}

Result<net::HttpResponse> IncidentPages::add_awareness(Context& context) const {
    CLOISON_TRY(const Incident found, incident(context));
    web::FormErrors errors;
    const auto typed = read_moment_and_text(context, "source", errors);
    if (!errors.empty())
        return moment_page(context, found, kAwareness, "/awareness", "source", errors);
    return back_to(context, found,
                   core.incidents->add_awareness(found.incident, *typed.at, typed.text,
                                                 context.session->actor),
                   "desk_incident.awareness_added");
}

Result<net::HttpResponse> IncidentPages::ask_notified(Context& context) const {
    CLOISON_TRY(const Incident found, incident(context));
    return moment_page(context, found, kNotified, "/notified", "reference", {});
}

Result<net::HttpResponse> IncidentPages::set_notified(Context& context) const {
    CLOISON_TRY(const Incident found, incident(context));
    web::FormErrors errors;
    const auto typed = read_moment_and_text(context, "reference", errors);
    if (!errors.empty())
        return moment_page(context, found, kNotified, "/notified", "reference", errors);
    return back_to(context, found,
                   core.incidents->set_notified(found.incident, *typed.at, typed.text),
                   "desk_incident.notified_set");
}

net::HttpResponse note_page(Context& context, const Incident& of, const web::FormErrors& errors) {
    return form_page(
        context,
        {.title = context.text("desk_incident.note_title"),
         .action = path_of(of) + "/notes",
         .submit = context.text("desk_incident.note_submit"),
         .back = path_of(of),
         .paragraphs = {context.text("desk_incident.note_intro")},
         .fields = {web::text_area({.name = "note",
                                    .label = context.text("desk_incident.note"),
                                    .hint = context.text("desk_incident.no_personal_data"),
                                    .value = std::string(context.form.get("note")),
                                    .max_length = incident::kMaxNote,
                                    .rows = 8},
                                   errors)}},
        errors);
}

Result<net::HttpResponse> IncidentPages::ask_note(Context& context) const {
    CLOISON_TRY(const Incident found, incident(context));
    return note_page(context, found, {});
}

Result<net::HttpResponse> IncidentPages::add_note(Context& context) const {
    CLOISON_TRY(const Incident found, incident(context));
    web::FormErrors errors;
    const std::string note = read_text(context,
                                       {.name = "note",
                                        .max_length = incident::kMaxNote,
                                        .missing = "desk_incident.note_missing",
                                        .too_long = "desk_incident.note_missing",
                                        .several_lines = true},
                                       errors);
    if (!errors.empty()) return note_page(context, found, errors);
    return back_to(context, found,
                   core.incidents->add_note(found.incident, note, context.session->actor),
                   "desk_incident.note_added");
}

Result<net::HttpResponse> IncidentPages::ask_close(Context& context) const {
    CLOISON_TRY(const Incident found, incident(context));
    return form_page(context,
                     {.title = context.text("desk_incident.close_title"),
                      .action = path_of(found) + "/close",
                      .submit = context.text("desk_incident.close_submit"),
                      .back = path_of(found),
                      .paragraphs = {context.text("desk_incident.close_words")}},
                     {});
}

Result<net::HttpResponse> IncidentPages::close(Context& context) const {
    CLOISON_TRY(const Incident found, incident(context));
    return back_to(context, found, core.incidents->close(found.incident, context.session->actor),
                   "desk_incident.closed_now");
}

}  // namespace

void add_incident_pages(web::Site& site, const Core& core) {
    const auto on = route_maker<IncidentPages>(core);
    const std::string one = "/incidents/{incident}";
    site.get("/incidents", Access::kDpo, on(&IncidentPages::list));
    site.get("/incidents/new", Access::kDpo, on(&IncidentPages::ask_new));
    site.post("/incidents/new", Access::kDpo, on(&IncidentPages::open));
    site.get(one, Access::kDpo, on(&IncidentPages::show));
    site.get(one + "/awareness", Access::kDpo, on(&IncidentPages::ask_awareness));
    site.post(one + "/awareness", Access::kDpo, on(&IncidentPages::add_awareness));
    site.get(one + "/notes", Access::kDpo, on(&IncidentPages::ask_note));
    site.post(one + "/notes", Access::kDpo, on(&IncidentPages::add_note));
    site.get(one + "/notified", Access::kDpo, on(&IncidentPages::ask_notified));
    site.post(one + "/notified", Access::kDpo, on(&IncidentPages::set_notified));
    site.get(one + "/close", Access::kDpo, on(&IncidentPages::ask_close));
    site.post(one + "/close", Access::kDpo, on(&IncidentPages::close));
}

}  // namespace cloison::desk
