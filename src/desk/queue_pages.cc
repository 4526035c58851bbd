#include <charconv>

#include "casework/status.h"
#include "desk/case_view.h"
#include "web/formats.h"

namespace cloison::desk {
namespace {

using web::Access;
using web::Context;
using web::Json;

constexpr std::uint32_t kPageSize = 25;
constexpr std::uint32_t kMostPages = 100'000;
constexpr std::size_t kMaxReference = 20;

/// The queue, and taking a case out of it. It shows what is not personal: reference, type, status.
struct QueuePages {
    const Core& core;

    Result<net::HttpResponse> queue(Context& context) const;
    Result<net::HttpResponse> take(Context& context) const;
};

std::uint32_t page_number(const Context& context) {
    const std::string_view text = context.query.get("page");
    std::uint32_t page = 1;
    std::from_chars(text.data(), text.data() + text.size(), page);
    return std::min(std::max<std::uint32_t>(page, 1), kMostPages);
}

std::vector<web::Option> status_options(const Context& context) {
    std::vector<web::Option> options = {{"", context.text("desk.queue.waiting")}};
    for (const char* status : {"submitted", "in_review", "action_required", "approved",
                               "in_production", "ready", "delivered", "refused", "withdrawn"})
        options.push_back({status, status_text(context, status)});
    return options;
}

Json row_of(const Context& context, const Core& core, const casework::v1::Request& request,
            const RequestId& id) {
    const auto actor = ActorId::from_bytes(request.assigned_to());
    const bool is_mine = actor && *actor == context.session->actor;
    const bool is_free = request.assigned_to().empty();
    const auto type = core.types.find(request.type());
    return {{"reference", request.reference()},
            {"type", type == core.types.end() ? request.type() : context.label(type->second.label)},
            {"created", web::format_date(context.language, from_unix_ms(request.created_ms()))},
            {"tag", status_tag(context, request.status())},
            {"mine", is_mine},
            {"free", is_free},
            {"taken", !is_mine && !is_free},
            {"link", "/cases/" + id.hex()},
            {"take", "/cases/" + id.hex() + "/take"}};
}

Result<net::HttpResponse> QueuePages::queue(Context& context) const {
    web::FormErrors errors;
    casework::v1::QueueRequest request;
    const std::string status(context.query.get("status"));
    const std::string reference(context.query.get("reference"));
    const bool mine = context.query.get("mine") == "yes";
    if (!status.empty() && !casework::status_from_code(status))
        errors.add("status", context.text("desk.queue.status_unknown"));
    if (reference.size() > kMaxReference)
        errors.add("reference", context.text("desk.queue.reference_too_long"));
    const std::uint32_t page = page_number(context);
    Json rows = Json::array();
    std::uint32_t total = 0;
    if (errors.empty()) {
        CLOISON_TRY(const auto pass,
                    issue_grant(core, context, {.purpose = std::string(kProcess)}));
        request.set_grant(pass);
        request.set_status(status);
        request.set_reference(reference);
        request.set_mine(mine);
        request.set_offset((page - 1) * kPageSize);
        request.set_limit(kPageSize);
        const auto answer = core.services.casework.queue(request);
        if (!answer && answer.error().code == ErrorCode::kInvalidArgument)
            errors.add("reference", context.text("desk.queue.reference_malformed"));
        else if (!answer)
            return fail(answer.error());
        else {
            total = answer->total();
            for (const auto& found : answer->requests()) {
                CLOISON_TRY(const auto id, RequestId::from_bytes(found.request()));
                rows.push_back(row_of(context, core, found, id));
            }
        }
    }
    const std::string link = "/queue?status=" + net::percent_encode(status) +
                             "&reference=" + net::percent_encode(reference) +
                             (mine ? "&mine=yes" : "");
    return context.page(
        "desk/queue",
        {{"title", context.text("desk.queue.title")},
         {"errors", errors.summary()},
         {"status",
          web::select(
              {.name = "status", .label = context.text("desk.queue.status"), .value = status},
              status_options(context), errors)},
         {"reference", web::text_input({.name = "reference",
                                        .label = context.text("desk.queue.reference"),
                                        .value = reference,
                                        .width = "10",
                                        .max_length = kMaxReference,
                                        .spellcheck = false},
                                       errors)},
         {"mine", web::checkboxes(
                      {.name = "mine", .label = context.text("desk.queue.whose")},
                      {{"yes", context.text("desk.queue.mine")}},
                      mine ? std::vector<std::string>{"yes"} : std::vector<std::string>{}, errors)},
         {"rows", rows},
         {"has_rows", !rows.empty()},
         {"found", context.plural("desk.queue.found", total)},
         {"pagination", web::pagination(link, page, (total + kPageSize - 1) / kPageSize)}});
}

Result<net::HttpResponse> QueuePages::take(Context& context) const {
    CLOISON_TRY(const auto id, context.path_id<RequestId>("request"));
    CLOISON_TRY(const auto pass, issue_grant(core, context, {.purpose = std::string(kProcess)}));
    casework::v1::TakeCaseRequest request;
    request.set_grant(pass);
    request.set_request(id.bytes());
    const auto taken = core.services.casework.take_case(request);
    // Taken meanwhile, or never there: the same words for both.
    if (!taken &&
        (taken.error().code == ErrorCode::kConflict || taken.error().code == ErrorCode::kNotFound))
        return context.redirect_with_notice("/queue", "desk.queue.taken_meanwhile");
    if (!taken) return fail(taken.error());
    return context.redirect_with_notice("/cases/" + id.hex(), "desk.queue.now_yours");
}

}  // namespace

void add_queue_pages(web::Site& site, const Core& core) {
    const auto on = route_maker<QueuePages>(core);
    site.get("/queue", Access::kOfficer, on(&QueuePages::queue));
    site.post("/cases/{request}/take", Access::kOfficer, on(&QueuePages::take));
}

}  // namespace cloison::desk
