#include "desk/incident_view.h"
#include "incident/export.h"
#include "web/formats.h"

namespace cloison::desk {
namespace {

using incident::ApprovalId;
using web::Access;
using web::Context;
using web::Json;

/// The list of persons of a scope: asked for by one, approved by another, then opened.
struct ExportPages {
    const Core& core;

    Result<net::HttpResponse> confirm(Context& context) const;
    Result<net::HttpResponse> request(Context& context) const;
    Result<net::HttpResponse> show(Context& context) const;
    Result<net::HttpResponse> download(Context& context) const;
    Result<net::HttpResponse> approvals(Context& context) const;
    Result<net::HttpResponse> approve(Context& context) const;

  private:
    Result<incident::Incident> incident(const Context& context) const {
        CLOISON_TRY(const auto id, context.path_id<IncidentId>("incident"));
        return core.incidents->get(id);
    }
    /// The export in the path, of the incident in the path.
    Result<incident::Export> the_export(const Context& context) const;
    Result<identity::v1::ListApprovalsResponse> list(const Context& context) const {
        identity::v1::ListApprovalsRequest asked;
        asked.set_token(context.session->token);
        return core.services.identity.list_approvals(asked);
    }
    /// Persons of a query as of now; `covered` is what that rests on.
    Result<incident::JournalReader::Persons> persons(const Context& context,
                                                     const incident::ScopeQuery& query) const {
        CLOISON_TRY(const auto grant,
                    issue_grant(core, context, {.purpose = std::string(kInvestigate)}));
        return core.reader->persons(grant, query);
    }
    Result<std::vector<incident::ExportedPerson>> open_list(const Context& context,
                                                            const incident::Export& of) const;
    std::string words_of(const Context& context, const ApprovalId& id,
                         const identity::v1::Approval& approval) const;
};

std::string path_of(const IncidentId& incident) {
    return "/incidents/" + incident.hex();
}

Result<incident::Export> ExportPages::the_export(const Context& context) const {
    CLOISON_TRY(const auto found_incident, context.path_id<IncidentId>("incident"));
    CLOISON_TRY(const auto approval, context.path_id<ApprovalId>("approval"));
    CLOISON_TRY(auto found, core.incidents->get_export(approval));
    if (found.incident != found_incident)
        return fail(ErrorCode::kNotFound, "No such export of this incident.");
    return found;
}

Result<net::HttpResponse> ExportPages::confirm(Context& context) const {
    CLOISON_TRY(const auto found, incident(context));
    CLOISON_TRY(const auto query, incident::parse_scope_query(context.query, core.registry));
    CLOISON_TRY(const auto answer, persons(context, query));
    std::set<ActorId> actors;
    if (query.actor) actors.insert(*query.actor);
    CLOISON_TRY(const auto names, actor_names(core, actors));
    return form_page(
        context,
        {.title = context.text("desk_incident.export.ask_title"),
         .action = path_of(found.incident) + "/exports",
         .submit = context.text("desk_incident.export.ask_submit"),
         .back = path_of(found.incident) + "/scope?" +
                 incident::format_scope_query(query, core.registry),
         .paragraphs = {context.plural("desk_incident.export.ask_persons",
                                       static_cast<std::int64_t>(answer.persons.size())),
                        scope_words(core, context, query, names),
                        context.text("desk_incident.export.ask_words")},
         .hidden = {{"query", incident::format_scope_query(query, core.registry)}}},
        {});
}

Result<net::HttpResponse> ExportPages::request(Context& context) const {
    CLOISON_TRY(const auto found, incident(context));
    if (!found.is_open())
        return context.redirect_with_notice(path_of(found.incident), "desk_incident.not_now");
    CLOISON_TRY(auto query, read_scope_field(core, context));
    CLOISON_TRY(const auto answer, persons(context, query));
    // What is approved cannot grow: lines that come later are outside.
    if (!query.up_to || *query.up_to > answer.covered.size) query.up_to = answer.covered.size;
    incident::Export made;
    made.incident = found.incident;
    made.query = incident::format_scope_query(query, core.registry);
    CLOISON_TRY(const auto list, incident::export_list(answer.persons));
    made.list = list.digest;
    made.persons = answer.persons.size();
    made.asked_by = context.session->actor;

    identity::v1::RequestApprovalRequest asked;
    asked.set_token(context.session->token);
    asked.set_purpose(std::string(kInvestigate));
    asked.set_digest(
        to_string(incident::export_digest(found.incident.view(), made.query, made.list)));
    asked.set_summary(context.plural("desk_incident.export.summary",
                                     static_cast<std::int64_t>(made.persons),
                                     {{"query", made.query.substr(0, 400)}}));
    const auto approval = core.services.identity.request_approval(asked);
    if (!approval && approval.error().code == ErrorCode::kExhausted)
        return context.redirect_with_notice(path_of(found.incident),
                                            "desk_incident.export.too_many");
    if (!approval) return fail(approval.error());
    CLOISON_TRY(made.approval, ApprovalId::from_bytes(approval->approval()));
    CLOISON_TRY_STATUS(core.incidents->add_export(made));
    return context.redirect_with_notice(path_of(found.incident) + "/exports/" + made.approval.hex(),
                                        "desk_incident.export.asked");
}

/// Where an approval stands, in words.
const char* approval_state(const Context& context, const identity::v1::Approval* approval) {
    if (approval == nullptr || from_unix_ms(approval->expires_ms()) <= context.now)
        return "expired";
    return approval->approved_by().empty() ? "waiting" : "approved";
}

const identity::v1::Approval* find_approval(const identity::v1::ListApprovalsResponse& list,
                                            const ApprovalId& id) {
    for (const auto& approval : list.approvals())
        if (approval.approval() == id.bytes()) return &approval;
    return nullptr;
}

Result<net::HttpResponse> ExportPages::show(Context& context) const {
    CLOISON_TRY(const auto found, the_export(context));
    CLOISON_TRY(const auto listed, list(context));
    const auto* approval = find_approval(listed, found.approval);
    const std::string state = approval_state(context, approval);
    std::set<ActorId> actors = {found.asked_by};
    for (const auto& download : found.downloads) actors.insert(download.by);
    std::string approver;
    if (approval != nullptr && !approval->approved_by().empty()) {
        CLOISON_TRY(const auto by, ActorId::from_bytes(approval->approved_by()));
        actors.insert(by);
        CLOISON_TRY(const auto names, actor_names(core, {by}));
        approver = name_of(context, names, by);
    }
    CLOISON_TRY(const auto query, read_scope_text(core, found.query));
    if (query.actor) actors.insert(*query.actor);
    CLOISON_TRY(const auto names, actor_names(core, actors));
    Json downloads = Json::array();
    for (const auto& each : found.downloads)
        downloads.push_back({{"at", web::format_date_time(context.language, each.at)},
                             {"by", name_of(context, names, each.by)},
                             {"format", each.format},
                             {"persons", context.plural("desk_scope.persons",
                                                        static_cast<std::int64_t>(each.persons))}});
    const bool is_mine = found.asked_by == context.session->actor;
    return context.page(
        "desk/export",
        {{"title", context.text("desk_incident.export.title")},
         {"back", path_of(found.incident)},
         {"rows",
          {web::summary_row(
               context.text("desk_incident.export.persons"),
               web::format_number(context.language, static_cast<std::int64_t>(found.persons))),
           web::summary_row(context.text("desk_incident.export.scope"),
                            scope_words(core, context, query, names)),
           web::summary_row(context.text("desk_incident.export.asked_by"),
                            name_of(context, names, found.asked_by)),
           web::summary_row(context.text("desk_incident.export.approved_by"),
                            approver.empty() ? context.text("desk.nobody") : approver),
           web::summary_row(context.text("desk_incident.export.state"),
                            context.text("desk_incident.export.state_" + state))}},
         {"can_download", state == "approved" && is_mine},
         {"words", state == "waiting" ? context.text("desk_incident.export.waiting_words")
                   : state == "approved" && !is_mine
                       ? context.text("desk_incident.export.not_yours")
                       : std::string()},
         {"action", path_of(found.incident) + "/exports/" + found.approval.hex() + "/download"},
         {"downloads", downloads},
         {"has_downloads", !downloads.empty()}});
}

Result<std::vector<incident::ExportedPerson>> ExportPages::open_list(
    const Context& context, const incident::Export& of) const {
    CLOISON_TRY(const auto query, read_scope_text(core, of.query));
    CLOISON_TRY(const auto found, persons(context, query));
    CLOISON_TRY(const auto list, incident::export_list(found.persons));
    if (list.digest != of.list)
        return fail(ErrorCode::kConflict, "The list is not the one that was approved any more.");
    CLOISON_TRY(
        const auto grant,
        issue_grant(core, context,
                    {.purpose = std::string(kInvestigate),
                     .fields = incident::export_fields(),
                     .approval = of.approval.bytes(),
                     .list = to_string(list.digest),
                     .about = to_string(incident::export_about(of.incident.view(), of.query))}));
    const auto profiles = [&](const std::vector<std::string>& handles)
        -> Result<std::vector<incident::SealedProfile>> {
        identity::v1::GetProfilesRequest asked;
        asked.set_grant(grant);
        for (const std::string& handle : handles) asked.add_handles(handle);
        CLOISON_TRY(const auto answer, core.services.identity.get_profiles(asked));
        std::vector<incident::SealedProfile> sealed;
        for (const auto& profile : answer.profiles()) {
            auto& made = sealed.emplace_back();
            for (const auto& field : profile.fields())
                made.values.push_back({field.field(), field.record(), field.sealed()});
        }
        return sealed;
    };
    return incident::export_persons(core.services.keeper, profiles, grant, found.persons,
                                    core.registry);
}

Json list_document(const std::vector<incident::ExportedPerson>& list) {
    Json persons = Json::array();
    for (const auto& person : list)
        persons.push_back({{"person", person.person},
                           {"erased", person.erased},
                           {"email", std::string(person.email.text())},
                           {"family_name", std::string(person.family_name.text())},
                           {"given_names", std::string(person.given_names.text())},
                           {"fields", person.fields},
                           {"lines", person.lines},
                           {"first", format_rfc3339(person.first, true)},
                           {"last", format_rfc3339(person.last, true)}});
    return {{"version", 1}, {"persons", persons}};
}

Result<net::HttpResponse> ExportPages::download(Context& context) const {
    CLOISON_TRY(const auto found, the_export(context));
    const std::string path = path_of(found.incident) + "/exports/" + found.approval.hex();
    const std::string_view format = context.form.get("format");
    if (!format.empty() && format != "csv" && format != "json")
        return fail(ErrorCode::kInvalidArgument, "A list is downloaded as csv or json.");
    // Only who asked, only what was approved: identity checks both again before it gives a grant.
    if (found.asked_by != context.session->actor)
        return fail(ErrorCode::kNotFound, "No such export of this person's.");
    const auto list = open_list(context, found);
    if (!list && list.error().code == ErrorCode::kPermissionDenied && !context.wants_json())
        return context.redirect_with_notice(path, "desk_incident.export.not_approved");
    if (!list && list.error().code == ErrorCode::kConflict && !context.wants_json())
        return context.redirect_with_notice(path, "desk_incident.export.changed");
    if (!list && list.error().code == ErrorCode::kExhausted && !context.wants_json())
        return budget_page(context, path);
    if (!list) return fail(list.error());
    const bool as_json = context.wants_json() || format == "json";
    CLOISON_TRY_STATUS(core.incidents->add_download(
        found.approval, list->size(), as_json ? "json" : "csv", context.session->actor));
    if (as_json) return context.json(200, list_document(*list));
    net::HttpResponse response;
    response.headers.set("Content-Type", "text/csv; charset=utf-8; header=present");
    response.headers.set("Content-Disposition", "attachment; filename=\"persons-" +
                                                    found.approval.hex().substr(0, 8) + ".csv\"");
    response.body = incident::export_csv(*list);
    return response;
}

/// Approvals are for those who may give them; to others the page does not exist.
Status require_approver(const Context& context) {
    const auto role = context.session->role;
    if (role == registry::Role::kDpo || role == registry::Role::kAdministrator) return {};
    return fail(ErrorCode::kNotFound, "No such page for this role.");
}

/// What an approval is about, in the language of who reads it; in the requester's own words unless
/// the desk knows exactly what the approval binds.
std::string ExportPages::words_of(const Context& context, const ApprovalId& id,
                                  const identity::v1::Approval& approval) const {
    const auto of = core.incidents->get_export(id);
    if (!of || to_string(incident::export_digest(of->incident.view(), of->query, of->list)) !=
                   approval.digest())
        return approval.summary();
    const auto query = read_scope_text(core, of->query);
    if (!query) return approval.summary();
    const auto names =
        actor_names(core, query->actor ? std::set<ActorId>{*query->actor} : std::set<ActorId>{});
    if (!names) return approval.summary();
    return context.plural("desk_scope.persons", static_cast<std::int64_t>(of->persons)) + "\n" +
           scope_words(core, context, *query, *names);
}

Result<net::HttpResponse> ExportPages::approvals(Context& context) const {
    CLOISON_TRY_STATUS(require_approver(context));
    CLOISON_TRY(const auto listed, list(context));
    std::set<ActorId> actors;
    for (const auto& approval : listed.approvals()) {
        CLOISON_TRY(const auto by, ActorId::from_bytes(approval.requested_by()));
        actors.insert(by);
    }
    CLOISON_TRY(const auto names, actor_names(core, actors));
    Json rows = Json::array();
    for (const auto& approval : listed.approvals()) {
        CLOISON_TRY(const auto id, ApprovalId::from_bytes(approval.approval()));
        CLOISON_TRY(const auto by, ActorId::from_bytes(approval.requested_by()));
        const std::string state = approval_state(context, &approval);
        const bool is_mine = by == context.session->actor;
        rows.push_back(
            {{"summary", words_of(context, id, approval)},
             {"by", name_of(context, names, by)},
             {"at", web::format_date_time(context.language, from_unix_ms(approval.requested_ms()))},
             {"tag", web::tag(context.text("desk_incident.export.state_" + state),
                              state == "approved"  ? "green"
                              : state == "waiting" ? "yellow"
                                                   : "grey")},
             {"digest", hex_encode(as_bytes(approval.digest())).substr(0, 16)},
             {"action", state == "waiting" && !is_mine ? "/approvals/" + id.hex() + "/approve"
                                                       : std::string()},
             {"own", state == "waiting" && is_mine}});
    }
    return context.page("desk/approvals", {{"title", context.text("desk_incident.approvals.title")},
                                           {"rows", rows},
                                           {"has_rows", !rows.empty()}});
}

Result<net::HttpResponse> ExportPages::approve(Context& context) const {
    CLOISON_TRY_STATUS(require_approver(context));
    CLOISON_TRY(const auto id, context.path_id<ApprovalId>("approval"));
    identity::v1::ApproveRequest asked;
    asked.set_token(context.session->token);
    asked.set_approval(id.bytes());
    const auto approved = core.services.identity.approve(asked);
    if (!approved && approved.error().code == ErrorCode::kConflict)
        return context.redirect_with_notice("/approvals", "desk_incident.approvals.too_late");
    if (!approved) return fail(approved.error());
    return context.redirect_with_notice("/approvals", "desk_incident.approvals.done");
}

}  // namespace

void add_export_pages(web::Site& site, const Core& core) {
    const auto on = route_maker<ExportPages>(core);
    const std::string exports = "/incidents/{incident}/exports";
    site.get(exports + "/new", Access::kDpo, on(&ExportPages::confirm));
    site.post(exports, Access::kDpo, on(&ExportPages::request));
    site.get(exports + "/{approval}", Access::kDpo, on(&ExportPages::show));
    site.post(exports + "/{approval}/download", Access::kDpo, on(&ExportPages::download));
    site.get("/approvals", Access::kStaff, on(&ExportPages::approvals));
    site.post("/approvals/{approval}/approve", Access::kStaff, on(&ExportPages::approve));
}

}  // namespace cloison::desk
