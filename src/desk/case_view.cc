#include "desk/case_view.h"

#include <algorithm>

#include "casework/status.h"
#include "web/formats.h"

namespace cloison::desk {

using web::Context;
using web::Json;

Result<Case> get_case(const Core& core, const Context& context) {
    Case found;
    CLOISON_TRY(found.id, context.path_id<RequestId>("request"));
    CLOISON_TRY(const auto pass, issue_grant(core, context, {.purpose = std::string(kProcess)}));
    casework::v1::GetCaseRequest request;
    request.set_grant(pass);
    request.set_request(found.id.bytes());
    CLOISON_TRY(auto answer, core.services.casework.get_case(request));
    found.request = std::move(*answer.mutable_request());
    found.ticket = std::move(*answer.mutable_ticket());
    const auto type = core.types.find(found.request.type());
    if (type == core.types.end())
        return fail(ErrorCode::kInternal, "The case is of a type that the desk does not know.");
    found.type = &type->second;
    return found;
}

std::string section_title(const Context& context, const casework::InputSection& section) {
    const std::string key = "desk.section." + section.name;
    return context.site().texts().has(key) ? context.text(key) : context.label(section.title);
}

std::vector<RevealGroup> reveal_groups(const Context& context, const Case& of) {
    std::vector<RevealGroup> groups;
    const auto is_filled = [&of](const std::string& field) {
        return std::any_of(of.request.values().begin(), of.request.values().end(),
                           [&](const auto& value) { return value.field() == field; });
    };
    for (const auto& section : of.type->sections) {
        RevealGroup group{section.name, section_title(context, section), {}};
        for (const auto& page : section.pages)
            for (const auto& field : page.fields)
                if (is_filled(field.name)) group.fields.push_back(field.name);
        if (!group.fields.empty()) groups.push_back(std::move(group));
    }
    if (of.request.messages_size() > 0)
        groups.push_back({"messages", context.text("desk.reveal.messages"), {"message_text"}});
    return groups;
}

std::vector<web::Option> reason_options(const Core& core, const Context& context,
                                        std::string_view purpose) {
    std::vector<web::Option> options;
    for (const auto& reason : core.registry.purpose(purpose)->reasons)
        options.push_back({reason.code, context.label(reason.label)});
    return options;
}

Json reason_question(const Core& core, const Context& context, std::string_view purpose,
                     const web::FormErrors& errors) {
    return web::radios({.name = "reason",
                        .label = context.text("desk.reveal.reason"),
                        .hint = context.text("desk.reveal.reason_hint"),
                        .value = std::string(context.form.get("reason"))},
                       reason_options(core, context, purpose), errors);
}

std::string read_reason(const Core& core, const Context& context, std::string_view purpose,
                        web::FormErrors& errors) {
    const std::string_view reason = context.form.get("reason");
    if (core.registry.purpose(purpose)->reason(reason) != nullptr) return std::string(reason);
    errors.add("reason", context.text("desk.reveal.reason_missing"));
    return {};
}

std::string readable(const Context& context, const casework::InputField& field,
                     std::string_view value) {
    using casework::InputKind;
    switch (field.kind) {
        case InputKind::kDate:
            return web::format_calendar_date(context.language, value);
        case InputKind::kHeight:
            return std::string(value) + " cm";
        case InputKind::kChoice:
            for (const auto& choice : field.choices)
                if (choice.code == value) return context.label(choice.label);
            return std::string(value);
        default:
            return std::string(value);
    }
}

std::string status_text(const Context& context, std::string_view status) {
    const auto known = casework::status_from_code(status);
    return known ? context.label(casework::status_label(*known)) : std::string(status);
}

Json status_tag(const Context& context, std::string_view status) {
    std::string colour = "blue";
    if (status == "approved" || status == "ready" || status == "delivered") colour = "green";
    if (status == "refused") colour = "red";
    if (status == "action_required") colour = "orange";
    if (status == "withdrawn" || status == "draft") colour = "grey";
    return web::tag(status_text(context, status), colour);
}

Json case_head(const Context& context, const Case& of) {
    Json history = Json::array();
    // Newest first: the list's first entry is shown as the present one.
    for (auto event = of.request.history().rbegin(); event != of.request.history().rend(); ++event)
        history.push_back(
            {{"status", status_text(context, event->status())},
             {"at", web::format_date_hour(context.language, from_unix_ms(event->at_ms()))},
             {"by", context.text("desk.case.by_" + event->by())}});
    return {{"reference", of.request.reference()},
            {"type", context.label(of.type->label)},
            {"path", of.path()},
            {"created", web::format_date(context.language, from_unix_ms(of.request.created_ms()))},
            {"tag", status_tag(context, of.request.status())},
            {"history", history}};
}

}  // namespace cloison::desk
