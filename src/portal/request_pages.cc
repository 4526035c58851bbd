#include <algorithm>

#include "portal/request_view.h"
#include "web/formats.h"

namespace cloison::portal {
namespace {

using web::Context, web::FormErrors, web::Json;

constexpr std::size_t kMaxMessage = 2000;  // Characters; up to four bytes each.

Result<net::HttpResponse> list(const Shared& shared, Context& context) {
    CLOISON_TRY(const auto grant, self_service_grant(shared, context, {}));
    casework::v1::ListRequestsRequest request;
    request.set_grant(grant);
    CLOISON_TRY(const auto answer, shared.services.casework.list_requests(request));
    Json rows = Json::array();
    for (const auto& one : answer.requests()) {
        CLOISON_TRY(const auto status, status_of(one));
        const auto type = shared.types.find(one.type());
        rows.push_back(
            {{"link", request_path(one.request())},
             {"type", type == shared.types.end() ? one.type() : context.label(type->second.label)},
             {"reference", one.reference()},
             {"created", web::format_date(context.language, from_unix_ms(one.created_ms()))},
             {"tag", status_tag(context, status)}});
    }
    return context.page("portal/requests",
                        {{"title", context.text("portal.requests.title")}, {"requests", rows}});
}

Result<net::HttpResponse> choose(const Shared& shared, Context& context) {
    Json types = Json::array();
    for (const auto& [name, type] : shared.types)
        types.push_back({{"name", name},
                         {"label", context.label(type.label)},
                         {"description", context.label(type.description)}});
    return context.page(
        "portal/apply",
        {{"title", context.text("portal.apply.title")}, {"back", "/requests"}, {"types", types}});
}

Result<net::HttpResponse> create(const Shared& shared, Context& context) {
    const std::string type(context.form.get("type"));
    if (!shared.types.contains(type))
        return fail(ErrorCode::kInvalidArgument, "There is no such type of request.");
    CLOISON_TRY(const auto grant, self_service_grant(shared, context, {}));
    casework::v1::CreateRequestRequest request;
    request.set_grant(grant);
    request.set_type(type);
    CLOISON_TRY(const auto answer, shared.services.casework.create_request(request));
    return context.redirect(request_path(answer.request()));
}

/// The tasks of one section, as far as they can be known without opening its answers.
Json section_task(const Context& context, const OpenCase& found,
                  const casework::InputSection& section, const casework::Values& conditions) {
    std::size_t asked = 0, filled = 0, touched = 0;
    std::string first;
    for (const auto& page : section.pages) {
        bool any = false;
        for (const auto& field : page.fields) {
            if (!casework::is_asked(field, conditions)) continue;
            any = true;
            const bool there = is_filled(found.request, field.name);
            touched += there;
            asked += field.required;
            filled += field.required && there;
        }
        if (any && first.empty()) first = page.name;
    }
    if (first.empty())
        return web::task(context.label(section.title), "",
                         context.text("portal.request.not_needed"));
    const std::string link = request_path(found.request.request()) + "/questions/" + first;
    if (filled == asked && (touched > 0 || asked == 0))
        return web::task(context.label(section.title), link,
                         context.text("portal.request.completed"));
    return web::task(
        context.label(section.title), link,
        context.text(touched > 0 ? "portal.request.in_progress" : "portal.request.not_started"),
        touched > 0 ? "teal" : "blue");
}

Json document_tasks(const Context& context, const OpenCase& found,
                    const std::vector<documents::v1::Document>& documents) {
    Json tasks = Json::array();
    for (const auto& kind : found.type->documents) {
        const auto count = std::count_if(documents.begin(), documents.end(),
                                         [&](const auto& one) { return one.kind() == kind.name; });
        const std::string link =
            request_path(found.request.request()) + "/documents/add/" + kind.name;
        if (count > 0)
            tasks.push_back(web::task(context.label(kind.label), link,
                                      context.plural("portal.request.provided", count)));
        else
            tasks.push_back(web::task(context.label(kind.label), link,
                                      context.text(kind.required ? "portal.request.to_provide"
                                                                 : "portal.request.optional"),
                                      kind.required ? "blue" : "grey"));
    }
    return tasks;
}

Result<Json> message_rows(const Context& context, const OpenCase& found,
                          const std::vector<std::string>& texts) {
    Json rows = Json::array();
    for (int i = 0; i < found.request.messages_size(); ++i) {
        const auto& message = found.request.messages(i);
        const bool officer = message.from() == "officer";
        rows.push_back(
            {{"officer", officer},
             {"from",
              context.text(officer ? "portal.request.from_officer" : "portal.request.from_you")},
             {"at", web::format_date_hour(context.language, from_unix_ms(message.at_ms()))},
             {"text", texts[static_cast<std::size_t>(i)]}});
    }
    return rows;
}

Result<Json> history_rows(const Context& context, const casework::v1::Request& request) {
    Json rows = Json::array();
    for (auto event = request.history().rbegin(); event != request.history().rend(); ++event) {
        CLOISON_TRY(const auto status, casework::status_from_code(event->status()));
        rows.push_back(
            {{"status", context.label(casework::status_label(status))},
             {"at", web::format_date_hour(context.language, from_unix_ms(event->at_ms()))},
             {"by", context.text("portal.request.by_" + event->by())}});
    }
    return rows;
}

Json message_question(const Context& context, const FormErrors& errors) {
    return web::text_area({.name = "message",
                           .label = context.text("portal.request.message"),
                           .hint = context.text("portal.request.message_hint"),
                           .value = std::string(context.form.get("message")),
                           .rows = 4},
                          errors);
}

/// The page of one request: what is left to do, messages, history. Opens the messages, the file
/// names and those answers that other questions depend on; no other.
Result<net::HttpResponse> overview(const Shared& shared, Context& context, const RequestId& id,
                                   const FormErrors& errors) {
    CLOISON_TRY(auto found, find_case(shared, context, id));
    std::vector<std::string> fields = condition_fields(*found.type);
    fields.insert(fields.end(), {"message_text", "document_name"});
    CLOISON_TRY_STATUS(grant_fields(shared, context, found, fields));
    CLOISON_TRY(const auto status, status_of(found.request));
    CLOISON_TRY(const auto documents, list_documents(shared, found.grant));
    const bool editable = casework::is_editable(status);

    const auto conditions = editable ? sealed_values(found.request, condition_fields(*found.type))
                                     : std::vector<SealedValue>{};
    std::vector<SealedValue> sealed = conditions;
    for (const auto& message : found.request.messages())
        sealed.push_back({"message_text", message.message(), message.sealed()});
    for (const auto& document : documents)
        sealed.push_back({"document_name", document.document(), document.sealed_name()});
    CLOISON_TRY(auto plain, open_values(shared, found.grant, sealed));

    casework::Values values;
    for (std::size_t i = 0; i < conditions.size(); ++i) values[conditions[i].field] = plain[i];
    plain.erase(plain.begin(), plain.begin() + static_cast<std::ptrdiff_t>(conditions.size()));
    const std::string path = request_path(found.request.request());
    Json tasks = Json::array();
    if (editable) {
        for (const auto& section : found.type->sections)
            tasks.push_back(section_task(context, found, section, values));
    }
    Json files = Json::array();
    for (std::size_t i = 0; i < documents.size(); ++i) {
        const auto name = plain[static_cast<std::size_t>(found.request.messages_size()) + i];
        files.push_back(
            {{"link", path + "/documents/" + hex_encode(as_bytes(documents[i].document()))},
             {"name", name}});
    }
    CLOISON_TRY(auto messages, message_rows(context, found, plain));
    CLOISON_TRY(auto history, history_rows(context, found.request));
    const auto nexts = casework::next_statuses(status, casework::Party::kResident);
    return context.page(
        "portal/request",
        {{"title", context.label(found.type->label)},
         {"back", "/requests"},
         {"errors", errors.summary()},
         {"path", path},
         {"here", path},  // Also when it answers a form of another address.
         {"reference", found.request.reference()},
         {"tag", status_tag(context, status)},
         {"explanation", context.text("portal.status." + found.request.status())},
         {"editable", editable},
         {"draft", status == casework::RequestStatus::kDraft},
         // What to correct stands in the office's message.
         {"messages_first", status == casework::RequestStatus::kActionRequired},
         {"tasks", tasks},
         {"document_tasks",
          Json{{"tasks", editable ? document_tasks(context, found, documents) : Json::array()}}},
         {"files", files},
         {"has_files", !files.empty()},
         {"messages", messages},
         {"may_write", status != casework::RequestStatus::kDraft && !casework::is_final(status)},
         {"message", message_question(context, errors)},
         {"history", history},
         {"may_withdraw", std::find(nexts.begin(), nexts.end(),
                                    casework::RequestStatus::kWithdrawn) != nexts.end()}});
}

Result<net::HttpResponse> show(const Shared& shared, Context& context) {
    CLOISON_TRY(const auto id, context.path_id<RequestId>("request"));
    return overview(shared, context, id, {});
}

Result<net::HttpResponse> post_message(const Shared& shared, Context& context) {
    CLOISON_TRY(const auto id, context.path_id<RequestId>("request"));
    casework::InputField field;
    field.name = "message";
    field.kind = casework::InputKind::kLongText;
    field.max_length = kMaxMessage;
    const auto text = casework::read_input(
        field, {{"message", std::string(context.form.get("message"))}}, context.now);
    if (!text) {
        FormErrors errors;
        errors.add("message", context.text(context.form.get("message").empty()
                                               ? "portal.request.message_missing"
                                               : "portal.request.message_malformed"));
        return overview(shared, context, id, errors);
    }
    CLOISON_TRY(const auto found, open_case(shared, context, id, {"message_text"}));
    const std::string message = MessageId::random(shared.random).bytes();
    CLOISON_TRY(auto sealed, seal_values(shared, found.grant, {{"message_text", message, *text}}));
    casework::v1::PostMessageRequest request;
    request.set_grant(found.grant);
    request.set_request(id.bytes());
    request.set_message(message);
    request.set_sealed(std::move(sealed[0]));
    CLOISON_TRY_STATUS(shared.services.casework.post_message(request));
    return context.redirect_with_notice(request_path(id.bytes()), "portal.request.message_sent");
}

Result<net::HttpResponse> ask_withdraw(const Shared& shared, Context& context) {
    CLOISON_TRY(const auto id, context.path_id<RequestId>("request"));
    CLOISON_TRY(const auto found, open_case(shared, context, id, {}));
    return context.page("portal/withdraw", {{"title", context.text("portal.withdraw.title")},
                                            {"back", request_path(id.bytes())},
                                            {"path", request_path(id.bytes())},
                                            {"reference", found.request.reference()}});
}

Result<net::HttpResponse> withdraw(const Shared& shared, Context& context) {
    CLOISON_TRY(const auto id, context.path_id<RequestId>("request"));
    CLOISON_TRY(const auto found, open_case(shared, context, id, {}));
    casework::v1::WithdrawRequest request;
    request.set_grant(found.grant);
    request.set_request(id.bytes());
    CLOISON_TRY_STATUS(shared.services.casework.withdraw(request));
    return context.redirect_with_notice(request_path(id.bytes()), "portal.withdraw.done");
}

}  // namespace

void add_request_pages(Routes& routes) {
    routes.get("/requests", web::Access::kResident, list);
    routes.get("/apply", web::Access::kResident, choose);
    routes.post("/requests", web::Access::kResident, create);
    routes.get("/requests/{request}", web::Access::kResident, show);
    routes.post("/requests/{request}/messages", web::Access::kResident, post_message);
    routes.get("/requests/{request}/withdraw", web::Access::kResident, ask_withdraw);
    routes.post("/requests/{request}/withdraw", web::Access::kResident, withdraw);
}

}  // namespace cloison::portal
