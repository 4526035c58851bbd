#include "desk/core.h"

#include "base/log.h"
#include "keeper/client/errors.h"

namespace cloison::desk {

using web::Context;
using web::Json;

Result<std::string> issue_grant(const Core& core, const Context& context,
                                const GrantWanted& wanted) {
    identity::v1::IssueGrantRequest request;
    request.set_token(context.session->token);
    request.set_purpose(wanted.purpose);
    request.set_reason(wanted.reason);
    const registry::Purpose* purpose = core.registry.purpose(wanted.purpose);
    if (wanted.reason.empty() && purpose != nullptr && !purpose->reasons.empty())
        request.set_reason(purpose->reasons.front().code);
    for (const std::string& field : wanted.fields) request.add_fields(field);
    request.set_ticket(wanted.ticket);
    request.set_email_index(wanted.email_index);
    request.set_approval(wanted.approval);
    request.set_list(wanted.list);
    request.set_about(wanted.about);
    *request.mutable_client() = context.client();
    CLOISON_TRY(auto answer, core.services.identity.issue_grant(request));
    return std::move(*answer.mutable_grant());
}

Result<std::vector<Secret>> open_values(const Core& core, const std::string& grant,
                                        const std::vector<SealedValue>& values) {
    keeper::v1::OpenRequest request;
    auto* disclosure = request.add_disclosures();
    disclosure->set_grant(grant);
    for (const SealedValue& value : values) {
        auto* item = disclosure->add_items();
        item->set_field(value.field);
        item->set_record(value.record);
        item->set_sealed(value.sealed);
        item->set_schema_version(1);
    }
    CLOISON_TRY(auto answer, core.services.keeper.open(request));
    if (answer.disclosed_size() != 1)
        return fail(ErrorCode::kInternal, "The keeper answered another number of disclosures.");
    CLOISON_TRY(auto opened, keeper::take_values(*answer.mutable_disclosed(0)));
    if (opened.size() != values.size())
        return fail(ErrorCode::kInternal, "The keeper opened another number of values.");
    return opened;
}

Result<std::string> seal_value(const Core& core, const std::string& grant, const std::string& field,
                               const std::string& record, std::string_view value) {
    keeper::v1::SealRequest request;
    request.mutable_subject()->set_grant(grant);
    auto* item = request.add_items();
    item->set_field(field);
    item->set_record(record);
    item->set_value(std::string(value));
    item->set_schema_version(1);
    auto answer = core.services.keeper.seal(request);
    wipe(*item->mutable_value());
    if (!answer) return fail(answer.error());
    if (answer->sealed_size() != 1)
        return fail(ErrorCode::kInternal, "The keeper sealed another number of values.");
    return answer->sealed(0);
}

net::HttpResponse budget_page(Context& context, std::string_view back) {
    auto response = context.page(
        "desk/budget", {{"title", context.text("desk.budget.title")}, {"back", std::string(back)}},
        429);
    // The budget counts over a rolling hour, so that within an hour some of it is free again.
    response.headers.set("Retry-After", "3600");
    return response;
}

net::HttpResponse corrupt_page(Context& context, const Error& error) {
    log_error(error.message);
    const std::string title = context.text("desk.corrupt.title");
    if (context.wants_json()) return net::HttpResponse::problem(500, title, error.message);
    return context.page(
        "desk/words",
        {{"title", title}, {"paragraphs", {context.text("desk.corrupt.words"), error.message}}},
        500);
}

Result<std::map<ActorId, std::string>> actor_names(const Core& core,
                                                   const std::set<ActorId>& actors) {
    constexpr int kMost = 1'000;
    std::map<ActorId, std::string> names;
    identity::v1::DescribeActorsRequest request;
    for (const ActorId& actor : actors)
        if (!actor.is_none() && request.actors_size() < kMost) request.add_actors(actor.bytes());
    if (request.actors_size() == 0) return names;
    CLOISON_TRY(const auto answer, core.services.identity.describe_actors(request));
    for (const auto& described : answer.actors()) {
        CLOISON_TRY(const auto actor, ActorId::from_bytes(described.actor()));
        std::string name = described.display_name();
        if (!described.unit().empty()) name += (name.empty() ? "" : ", ") + described.unit();
        names[actor] = std::move(name);
    }
    return names;
}

std::string name_of(const Context& context, const std::map<ActorId, std::string>& names,
                    const ActorId& actor) {
    if (const auto at = names.find(actor); at != names.end()) return at->second;
    if (actor.is_none()) return context.text("desk.nobody");
    return context.text("desk.resident_account", {{"code", actor.hex().substr(0, 8)}});
}

std::string field_labels(const Core& core, const Context& context,
                         const registry::FieldSet& fields) {
    std::string text;
    for (const registry::Field* field : core.registry.fields_of(fields))
        text += (text.empty() ? "" : ", ") + context.label(field->label);
    return text;
}

std::string role_label(const Context& context, registry::Role role) {
    return context.text("desk.role." + std::string(registry::role_name(role)));
}

net::HttpResponse form_page(Context& context, const FormPage& form, const web::FormErrors& errors) {
    Json hidden = Json::array();
    for (const auto& [name, value] : form.hidden)
        hidden.push_back({{"name", name}, {"value", value}});
    return context.page("desk/form", {{"title", form.title},
                                      {"errors", errors.summary()},
                                      {"back", form.back},
                                      {"paragraphs", form.paragraphs},
                                      {"warning", form.warning},
                                      {"action", form.action},
                                      {"fields", form.fields},
                                      {"hidden", hidden},
                                      {"is_post", !form.is_get},
                                      {"method", form.is_get ? "get" : "post"},
                                      {"submit", form.submit}});
}

}  // namespace cloison::desk
