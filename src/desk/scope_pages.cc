#include <charconv>

#include "desk/incident_view.h"
#include "desk/local_time.h"
#include "desk/scope_view.h"
#include "web/formats.h"

namespace cloison::desk {
namespace {

using incident::ScopeQuery;
using web::Access;
using web::Context;
using web::Json;

constexpr std::size_t kLinesPerPage = 50;
constexpr std::size_t kMostPages = 1'000'000;

/// Whose data, which fields, when, by which door: the question and its answer.
struct ScopePages {
    const Core& core;

    Result<net::HttpResponse> ask(Context& context) const;
    Result<net::HttpResponse> answer(Context& context) const;
    Result<net::HttpResponse> lines(Context& context) const;
    Result<net::HttpResponse> save(Context& context) const;

  private:
    Result<net::HttpResponse> ask_page(Context& context, const incident::Incident& of,
                                       const net::Form& typed, const web::FormErrors& errors) const;
    Result<incident::Incident> incident(const Context& context) const {
        CLOISON_TRY(const auto id, context.path_id<IncidentId>("incident"));
        return core.incidents->get(id);
    }
    Result<incident::ScopeAnswer> compute(const Context& context, const ScopeQuery& query) const;
};

std::string base_of(const incident::Incident& incident) {
    return "/incidents/" + incident.incident.hex() + "/scope";
}

/// The query of a page's address: what format_scope_query writes, or what the form sends, whose
/// times are local and in two inputs.
std::optional<ScopeQuery> read_query(const Core& core, const Context& context,
                                     web::FormErrors& errors) {
    net::Form form;
    for (const char* name : {"from", "to"}) {
        std::string text(context.query.get(name));
        if (const auto typed = read_moment(context, name, context.query, errors))
            text = format_rfc3339(*typed, true);
        form.add(name, text);
    }
    for (const auto& [name, value] : context.query.fields())
        if (name != "from" && name != "to") form.add(name, value);
    if (!errors.empty()) return std::nullopt;
    auto query = incident::parse_scope_query(form, core.registry);
    if (query) return *query;
    const std::string& message = query.error().message;
    for (const char* name : {"session", "origin", "actor", "door", "purpose", "field"})
        if (message.find('"' + std::string(name) + '"') != std::string::npos)
            errors.add(name, context.text(std::string("desk_scope.wrong_") + name));
    errors.add("from_date", context.text("desk_scope.wrong_period"));
    return std::nullopt;
}

/// Puts a query into the names of the form's inputs.
net::Form as_typed(const Core& core, const ScopeQuery& query) {
    net::Form typed =
        net::Form::parse(incident::format_scope_query(query, core.registry)).value_or(net::Form());
    const auto put = [&](const std::string& name, const std::optional<Time>& time) {
        if (!time) return;
        const LocalTime local = to_local_time(*time);
        typed.add(name + "_date", local.date);
        typed.add(name + "_time", local.time_of_day);
    };
    put("from", query.from);
    put("to", query.to);
    return typed;
}

template <class Entries>
std::vector<web::Option> named_options(const Context& context, const Entries& entries) {
    std::vector<web::Option> options = {{"", context.text("desk_scope.any")}};
    for (const auto& entry : entries) options.push_back({entry.name, context.label(entry.label)});
    return options;
}

Result<net::HttpResponse> ScopePages::ask_page(Context& context, const incident::Incident& of,
                                               const net::Form& typed,
                                               const web::FormErrors& errors) const {
    CLOISON_TRY(const auto staff, list_staff(core, context));
    std::vector<web::Option> actors = {{"", context.text("desk_scope.any_actor")}};
    const std::string chosen(typed.get("actor"));
    bool is_known = chosen.empty();
    for (const auto& person : staff.staff()) {
        CLOISON_TRY(const auto actor, ActorId::from_bytes(person.actor()));
        const auto role = registry::role_from_name(person.role());
        actors.push_back({actor.hex(), person.display_name() + ", " + person.unit() + " (" +
                                           (role ? role_label(context, *role) : "") + ")"});
        is_known = is_known || actor.hex() == chosen;
    }
    if (!is_known)
        actors.push_back(
            {chosen, context.text("desk.resident_account", {{"code", chosen.substr(0, 8)}})});
    std::vector<Json> fields = moment_inputs(context, "from", "desk_scope.from", typed, errors);
    for (Json& input : moment_inputs(context, "to", "desk_scope.to", typed, errors))
        fields.push_back(std::move(input));
    const auto choose = [&](const char* name, const std::vector<web::Option>& options) {
        fields.push_back(web::select({.name = name,
                                      .label = context.text(std::string("desk_scope.") + name),
                                      .value = std::string(typed.get(name))},
                                     options, errors));
    };
    const auto type = [&](const char* name) {
        fields.push_back(
            web::text_input({.name = name,
                             .label = context.text(std::string("desk_scope.") + name),
                             .hint = context.text(std::string("desk_scope.hint_") + name),
                             .value = std::string(typed.get(name)),
                             .max_length = 45,
                             .spellcheck = false},
                            errors));
    };
    choose("door", named_options(context, core.registry.doors()));
    choose("actor", actors);
    type("session");
    type("origin");
    choose("purpose", named_options(context, core.registry.purposes()));
    choose("field", named_options(context, core.registry.fields()));
    fields.push_back(
        web::checkboxes({.name = "include_self", .label = context.text("desk_scope.self_question")},
                        {{"yes", context.text("desk_scope.include_self")}},
                        {std::string(typed.get("include_self"))}, errors));
    return form_page(context,
                     {.title = context.text("desk_scope.ask_title"),
                      .action = base_of(of),
                      .submit = context.text("desk_scope.ask_submit"),
                      .back = "/incidents/" + of.incident.hex(),
                      .paragraphs = {context.text("desk_scope.ask_intro")},
                      .fields = std::move(fields),
                      .is_get = true},
                     errors);
}

Result<net::HttpResponse> ScopePages::ask(Context& context) const {
    CLOISON_TRY(const auto found, incident(context));
    web::FormErrors errors;
    const auto query = read_query(core, context, errors);
    return ask_page(context, found, query ? as_typed(core, *query) : context.query, errors);
}

Result<incident::ScopeAnswer> ScopePages::compute(const Context& context,
                                                  const ScopeQuery& query) const {
    CLOISON_TRY(const auto grant,
                issue_grant(core, context, {.purpose = std::string(kInvestigate)}));
    std::vector<registry::Role> known_roles;
    if (query.actor) {
        CLOISON_TRY(const auto staff, list_staff(core, context));
        for (const auto& person : staff.staff()) {
            if (person.actor() != query.actor->bytes()) continue;
            CLOISON_TRY(const auto role, registry::role_from_name(person.role()));
            known_roles.push_back(role);
        }
    }
    CLOISON_TRY(auto answer, core.reader->scope(grant, query, known_roles));
    CLOISON_TRY_STATUS(core.incidents->set_covered(core.journal_name, answer.covered));
    return answer;
}

Result<net::HttpResponse> ScopePages::answer(Context& context) const {
    CLOISON_TRY(const auto found, incident(context));
    web::FormErrors errors;
    const auto query = read_query(core, context, errors);
    if (!query && context.wants_json())
        return net::HttpResponse::problem(400, "Invalid scope",
                                          "A parameter of the scope is malformed.");
    if (!query) return ask_page(context, found, context.query, errors);
    CLOISON_TRY(const auto answer, compute(context, *query));
    if (context.wants_json()) return context.json(200, scope_document(core, answer));
    std::set<ActorId> actors;
    for (const auto& session : answer.counts.sessions) actors.insert(session.actor);
    if (query->actor) actors.insert(*query->actor);
    CLOISON_TRY(const auto names, actor_names(core, actors));
    Json data = scope_page_data(core, context, base_of(found), answer, names);
    data["title"] = context.text("desk_scope.title");
    data["back"] = "/incidents/" + found.incident.hex();
    data["path"] = "/incidents/" + found.incident.hex();
    data["is_open"] = found.is_open();
    data["words"] = scope_words(core, context, *query, names);
    return context.page("desk/scope", std::move(data));
}

Result<net::HttpResponse> ScopePages::lines(Context& context) const {
    CLOISON_TRY(const auto found, incident(context));
    web::FormErrors errors;
    const auto query = read_query(core, context, errors);
    if (!query) return ask_page(context, found, context.query, errors);
    std::size_t page = 1;
    const std::string_view typed = context.query.get("page");
    std::from_chars(typed.data(), typed.data() + typed.size(), page);
    page = std::clamp<std::size_t>(page, 1, kMostPages);
    CLOISON_TRY(const auto grant,
                issue_grant(core, context, {.purpose = std::string(kInvestigate)}));
    CLOISON_TRY(const auto answer,
                core.reader->lines(grant, *query, (page - 1) * kLinesPerPage, kLinesPerPage));
    std::set<ActorId> actors;
    for (const auto& line : answer.page.lines) actors.insert(line.actor);
    CLOISON_TRY(const auto names, actor_names(core, actors));
    Json rows = Json::array();
    for (const auto& line : answer.page.lines) {
        const registry::Purpose* purpose = core.registry.purpose(line.purpose);
        const registry::Reason* reason = purpose ? purpose->reason(line.reason) : nullptr;
        const registry::Door* door = core.registry.door(line.door);
        rows.push_back({{"index", std::to_string(line.index)},
                        {"time", web::format_date_time(context.language, line.time)},
                        {"refused", line.kind == journal::EntryKind::kRefused},
                        {"who", name_of(context, names, line.actor)},
                        {"session", line.session.hex().substr(0, 8)},
                        {"door", door == nullptr ? "" : context.label(door->label)},
                        {"origin", journal::format_origin(line.origin)},
                        {"purpose", purpose == nullptr ? "" : context.label(purpose->label)},
                        {"reason", reason == nullptr ? line.reason : context.label(reason->label)},
                        {"person", std::to_string(line.person)},
                        {"fields", field_labels(core, context, line.fields)}});
    }
    const std::string text = incident::format_scope_query(*query, core.registry);
    const std::size_t pages = (answer.page.total + kLinesPerPage - 1) / kLinesPerPage;
    return context.page(
        "desk/lines",
        {{"title", context.text("desk_scope.lines_title")},
         {"back", base_of(found) + (text.empty() ? "" : "?" + text)},
         {"count",
          context.plural("desk_scope.lines", static_cast<std::int64_t>(answer.page.total))},
         {"rows", rows},
         {"has_rows", !rows.empty()},
         {"pagination", web::pagination(base_of(found) + "/lines?" + text, page, pages)}});
}

Result<net::HttpResponse> ScopePages::save(Context& context) const {
    CLOISON_TRY(const auto found, incident(context));
    CLOISON_TRY(ScopeQuery query, read_scope_field(core, context));
    CLOISON_TRY(const auto answer, compute(context, query));
    // What is kept is what was seen: the lines that come later do not change it.
    query.up_to = answer.covered.size;
    incident::SavedScope scope;
    scope.query = incident::format_scope_query(query, core.registry);
    scope.persons = answer.counts.persons;
    scope.lines = answer.counts.lines;
    scope.covered_size = answer.covered.size;
    scope.covered_root = answer.covered.root;
    scope.by = context.session->actor;
    const std::string path = "/incidents/" + found.incident.hex();
    const Status saved = core.incidents->save_scope(found.incident, scope);
    if (!saved && saved.error().code == ErrorCode::kConflict)
        return context.redirect_with_notice(path, "desk_incident.not_now");
    if (!saved) return fail(saved.error());
    return context.redirect_with_notice(path, "desk_scope.saved");
}

}  // namespace

void add_scope_pages(web::Site& site, const Core& core) {
    const auto on = route_maker<ScopePages>(core);
    const std::string scope = "/incidents/{incident}/scope";
    site.get(scope + "/ask", Access::kDpo, on(&ScopePages::ask));
    site.get(scope, Access::kDpo, on(&ScopePages::answer));
    site.get(scope + "/lines", Access::kDpo, on(&ScopePages::lines));
    site.post(scope + "/save", Access::kDpo, on(&ScopePages::save));
}

}  // namespace cloison::desk
