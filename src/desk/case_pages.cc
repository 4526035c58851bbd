#include <algorithm>

#include "casework/status.h"
#include "desk/case_view.h"
#include "desk/typed_text.h"
#include "web/formats.h"

namespace cloison::desk {
namespace {

using casework::RequestStatus;
using web::Access;
using web::Context;
using web::Json;

constexpr std::size_t kMaxMessage = 4'000;  // Characters; up to four bytes each.

/// A case, sealed; messages to the resident; decisions.
struct CasePages {
    const Core& core;

    Result<net::HttpResponse> show(Context& context) const;
    Result<net::HttpResponse> release(Context& context) const;
    Result<net::HttpResponse> ask_message(Context& context) const;
    Result<net::HttpResponse> send_message(Context& context) const;
    Result<net::HttpResponse> ask_decision(Context& context) const;
    Result<net::HttpResponse> decide(Context& context) const;
};

/// What a decision says to the resident, if it must say something.
bool needs_words(RequestStatus status) {
    return status == RequestStatus::kActionRequired || status == RequestStatus::kRefused;
}

/// The decision named in the path, if the life cycle allows it from here.
Result<RequestStatus> wanted_status(const Context& context, const Case& of) {
    const auto wanted = casework::status_from_code(context.path_text("status"));
    const auto from = casework::status_from_code(of.request.status());
    if (!wanted || !from) return fail(ErrorCode::kNotFound, "There is no such decision.");
    const auto allowed = casework::next_statuses(*from, casework::Party::kOfficer);
    if (std::find(allowed.begin(), allowed.end(), *wanted) == allowed.end())
        return fail(ErrorCode::kConflict, "The request is not in a status that allows this.");
    return *wanted;
}

/// Sections with every field masked: that it is filled in is all that is shown.
Json masked_sections(const Core& core, const Context& context, const Case& of) {
    Json sections = Json::array();
    for (const auto& section : of.type->sections) {
        Json rows = Json::array();
        for (const auto& page : section.pages) {
            for (const auto& field : page.fields) {
                const bool is_filled =
                    std::any_of(of.request.values().begin(), of.request.values().end(),
                                [&](const auto& value) { return value.field() == field.name; });
                if (is_filled)
                    rows.push_back({{"key", context.label(core.registry.field(field.name)->label)},
                                    {"mask", std::string(kMask)}});
            }
        }
        if (!rows.empty())
            sections.push_back({{"title", section_title(context, section)}, {"rows", rows}});
    }
    return sections;
}

Json masked_messages(const Context& context, const Case& of) {
    Json messages = Json::array();
    for (const auto& message : of.request.messages())
        messages.push_back(
            {{"from", context.text("desk.case.by_" + message.from())},
             {"at", web::format_date_hour(context.language, from_unix_ms(message.at_ms()))},
             {"mask", std::string(kMask)}});
    return messages;
}

Result<net::HttpResponse> CasePages::show(Context& context) const {
    CLOISON_TRY(const Case found, get_case(core, context));
    Json decisions = Json::array();
    if (const auto status = casework::status_from_code(found.request.status()))
        for (const auto next : casework::next_statuses(*status, casework::Party::kOfficer)) {
            const std::string code(casework::status_code(next));
            decisions.push_back({{"link", found.path() + "/decide/" + code},
                                 {"text", context.text("desk.decide." + code + ".link")}});
        }
    const Json messages = masked_messages(context, found);
    return context.page(
        "desk/case",
        {{"title", context.text("desk.case.title", {{"reference", found.request.reference()}})},
         {"case", case_head(context, found)},
         {"sections", masked_sections(core, context, found)},
         {"messages", messages},
         {"has_messages", !messages.empty()},
         {"decisions", decisions},
         {"has_decisions", !decisions.empty()}});
}

Result<net::HttpResponse> CasePages::release(Context& context) const {
    CLOISON_TRY(const auto id, context.path_id<RequestId>("request"));
    CLOISON_TRY(const auto pass, issue_grant(core, context, {.purpose = std::string(kProcess)}));
    casework::v1::ReleaseCaseRequest request;
    request.set_grant(pass);
    request.set_request(id.bytes());
    CLOISON_TRY_STATUS(core.services.casework.release_case(request));
    return context.redirect_with_notice("/queue", "desk.case.released");
}

/// A text for the resident: the question, and reading it.
Json words_question(const Context& context, std::string_view label_key,
                    const web::FormErrors& errors) {
    return web::text_area({.name = "words",
                           .label = context.text(label_key),
                           .hint = context.text("desk.message.hint"),
                           .value = std::string(context.form.get("words")),
                           .max_length = kMaxMessage,
                           .rows = 8},
                          errors);
}
std::string read_words(const Context& context, web::FormErrors& errors) {
    return read_text(context,
                     {.name = "words",
                      .max_length = kMaxMessage,
                      .missing = "desk.message.missing",
                      .too_long = "desk.message.too_long",
                      .several_lines = true},
                     errors);
}

struct SealedWords {
    std::string grant;
    std::string record;
    std::string sealed;
};
/// Seals a text for the person of the case. The grant names no field: nothing can be opened by it.
Result<SealedWords> seal_words(const Core& core, const Context& context, const Case& of,
                               std::string_view words) {
    SealedWords made;
    CLOISON_TRY(made.grant, issue_grant(core, context,
                                        {.purpose = std::string(kProcess), .ticket = of.ticket}));
    made.record = MessageId::random(*core.random).bytes();
    CLOISON_TRY(made.sealed, seal_value(core, made.grant, "message_text", made.record, words));
    return made;
}

net::HttpResponse message_page(Context& context, const Case& of, const web::FormErrors& errors) {
    return form_page(context,
                     {.title = context.text("desk.message.title"),
                      .action = of.path() + "/message",
                      .submit = context.text("desk.message.send"),
                      .back = of.path(),
                      .fields = {words_question(context, "desk.message.label", errors)}},
                     errors);
}

Result<net::HttpResponse> CasePages::ask_message(Context& context) const {
    CLOISON_TRY(const Case found, get_case(core, context));
    return message_page(context, found, {});
}

Result<net::HttpResponse> CasePages::send_message(Context& context) const {
    CLOISON_TRY(const Case found, get_case(core, context));
    web::FormErrors errors;
    const std::string words = read_words(context, errors);
    if (!errors.empty()) return message_page(context, found, errors);
    CLOISON_TRY(const auto sealed, seal_words(core, context, found, words));
    casework::v1::PostMessageRequest request;
    request.set_grant(sealed.grant);
    request.set_request(found.id.bytes());
    request.set_message(sealed.record);
    request.set_sealed(sealed.sealed);
    CLOISON_TRY_STATUS(core.services.casework.post_message(request));
    return context.redirect_with_notice(found.path(), "desk.message.sent");
}

net::HttpResponse decision_page(Context& context, const Case& of, RequestStatus status,
                                const web::FormErrors& errors) {
    const std::string code(casework::status_code(status));
    const std::string key = "desk.decide." + code;
    FormPage form{
        .title = context.text(key + ".title"),
        .action = of.path() + "/decide/" + code,
        .submit = context.text(key + ".submit"),
        .back = of.path(),
        .paragraphs = {context.text("desk.decide.about", {{"reference", of.request.reference()}}),
                       context.text(key + ".words")},
        .hidden = {{"version", std::to_string(of.request.version())}}};
    if (needs_words(status)) form.fields.push_back(words_question(context, key + ".label", errors));
    return form_page(context, form, errors);
}

Result<net::HttpResponse> CasePages::ask_decision(Context& context) const {
    CLOISON_TRY(const Case found, get_case(core, context));
    const auto status = wanted_status(context, found);
    if (!status && status.error().code == ErrorCode::kConflict)
        return context.redirect_with_notice(found.path(), "desk.decide.not_now");
    if (!status) return fail(status.error());
    return decision_page(context, found, *status, {});
}

Result<net::HttpResponse> CasePages::decide(Context& context) const {
    CLOISON_TRY(const Case found, get_case(core, context));
    const auto status = wanted_status(context, found);
    if (!status && status.error().code == ErrorCode::kConflict)
        return context.redirect_with_notice(found.path(), "desk.decide.not_now");
    if (!status) return fail(status.error());
    // The decision is about the request as it was shown, not as it may have become since.
    if (context.form.get("version") != std::to_string(found.request.version()))
        return context.redirect_with_notice(found.path(), "desk.decide.changed");
    web::FormErrors errors;
    casework::v1::DecideRequest request;
    request.set_request(found.id.bytes());
    request.set_version(found.request.version());
    request.set_status(std::string(casework::status_code(*status)));
    if (needs_words(*status)) {
        const std::string words = read_words(context, errors);
        if (!errors.empty()) return decision_page(context, found, *status, errors);
        CLOISON_TRY(const auto sealed, seal_words(core, context, found, words));
        request.set_grant(sealed.grant);
        request.set_message(sealed.record);
        request.set_sealed_message(sealed.sealed);
    } else {
        CLOISON_TRY(const auto pass,
                    issue_grant(core, context, {.purpose = std::string(kProcess)}));
        request.set_grant(pass);
    }
    const auto decided = core.services.casework.decide(request);
    if (!decided && decided.error().code == ErrorCode::kConflict)
        return context.redirect_with_notice(found.path(), "desk.decide.changed");
    if (!decided) return fail(decided.error());
    // A final status ends the assignment: the case is nobody's any more.
    return context.redirect_with_notice(casework::is_final(*status) ? "/queue" : found.path(),
                                        "desk.decide.done");
}

}  // namespace

void add_case_pages(web::Site& site, const Core& core) {
    const auto on = route_maker<CasePages>(core);
    site.get("/cases/{request}", Access::kOfficer, on(&CasePages::show));
    site.post("/cases/{request}/release", Access::kOfficer, on(&CasePages::release));
    site.get("/cases/{request}/message", Access::kOfficer, on(&CasePages::ask_message));
    site.post("/cases/{request}/message", Access::kOfficer, on(&CasePages::send_message));
    site.get("/cases/{request}/decide/{status}", Access::kOfficer, on(&CasePages::ask_decision));
    site.post("/cases/{request}/decide/{status}", Access::kOfficer, on(&CasePages::decide));
}

}  // namespace cloison::desk
