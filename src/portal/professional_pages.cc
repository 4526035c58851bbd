#include <map>

#include "portal/values.h"

namespace cloison::portal {
namespace {

using web::Context, web::FormErrors, web::Json;

const std::vector<std::string> kShown{"given_names", "family_name", "email"};
constexpr std::size_t kMaxEmail = 254;

struct Found {
    std::map<std::string, std::string> values;
};

/// kNotFound for an unknown address and for a resident who did not agree: the same words, so that
/// nobody can try out who has an account.
Result<Found> look_up(const Shared& shared, const Context& context, std::string_view email,
                      std::string_view reason) {
    keeper::v1::BlindIndexRequest look_up;
    look_up.set_field("email");
    look_up.set_value(std::string(email));
    CLOISON_TRY(const auto index, shared.services.keeper.blind_index(look_up));
    identity::v1::IssueGrantRequest request;
    request.set_token(context.session->token);
    request.set_purpose("act_for");
    request.set_reason(std::string(reason));
    for (const std::string& field : kShown) request.add_fields(field);
    request.set_email_index(index.index());
    *request.mutable_client() = context.client();
    const auto granted = shared.services.identity.issue_grant(request);
    if (!granted && granted.error().code == ErrorCode::kPermissionDenied)
        return fail(ErrorCode::kNotFound, "No such resident.");
    if (!granted) return fail(granted.error());
    identity::v1::GetProfileRequest get;
    get.set_grant(granted->grant());
    CLOISON_TRY(const auto profile, shared.services.identity.get_profile(get));
    std::vector<SealedValue> sealed;
    for (const auto& field : profile.fields())
        sealed.push_back({field.field(), field.record(), field.sealed()});
    CLOISON_TRY(auto values, open_values(shared, granted->grant(), sealed));
    Found found;
    for (std::size_t i = 0; i < sealed.size(); ++i)
        found.values.emplace(sealed[i].field, std::move(values[i]));
    return found;
}

net::HttpResponse form_page(const Shared& shared, Context& context, const FormErrors& errors,
                            int status = 0) {
    std::vector<web::Option> reasons;
    for (const auto& reason : shared.registry.purpose("act_for")->reasons)
        reasons.push_back({reason.code, context.label(reason.label)});
    return context.page(
        "portal/professional",
        {{"title", context.text("portal.professional.title")},
         {"errors", errors.summary()},
         {"email", web::text_input({.name = "email",
                                    .label = context.text("portal.professional.email"),
                                    .value = std::string(context.form.get("email")),
                                    .autocomplete = "off",
                                    .type = "email",
                                    .max_length = kMaxEmail,
                                    .spellcheck = false},
                                   errors)},
         {"reason", web::radios({.name = "reason",
                                 .label = context.text("portal.professional.reason"),
                                 .value = std::string(context.form.get("reason"))},
                                reasons, errors)}},
        status);
}

Result<net::HttpResponse> ask(const Shared& shared, Context& context) {
    return form_page(shared, context, {});
}

/// What was wrong with the form, as a page or as problem details.
net::HttpResponse refuse(const Shared& shared, Context& context, const FormErrors& errors,
                         int status) {
    if (!context.wants_json()) return form_page(shared, context, errors, status);
    const Json summary = errors.summary();
    return net::HttpResponse::problem(status, context.text("web.layout.errors_title"),
                                      summary[0]["message"].get<std::string>());
}

Result<net::HttpResponse> show(const Shared& shared, Context& context) {
    const std::string_view email = context.form.get("email");
    const std::string_view reason = context.form.get("reason");
    FormErrors errors;
    if (email.empty()) errors.add("email", context.text("portal.professional.email_missing"));
    if (email.size() > kMaxEmail) errors.add("email", context.text("web.sign_in.email_malformed"));
    if (shared.registry.purpose("act_for")->reason(reason) == nullptr)
        errors.add("reason", context.text("portal.professional.reason_missing"));
    if (!errors.empty()) return refuse(shared, context, errors, 422);
    const auto found = look_up(shared, context, email, reason);
    if (!found && found.error().code == ErrorCode::kInvalidArgument) {
        errors.add("email", context.text("web.sign_in.email_malformed"));
        return refuse(shared, context, errors, 422);
    }
    if (!found && found.error().code == ErrorCode::kNotFound) {
        errors.add("email", context.text("portal.professional.not_found"));
        return refuse(shared, context, errors, 404);
    }
    if (!found) return fail(found.error());
    Json values = Json::object();
    Json rows = Json::array();
    for (const std::string& name : kShown) {
        const auto value = found->values.find(name);
        const std::string text = value == found->values.end() ? "" : value->second;
        values[name] = text;
        rows.push_back(
            web::summary_row(context.label(shared.registry.field(name)->label),
                             text.empty() ? context.text("portal.account.not_given") : text));
    }
    if (context.wants_json()) return context.json(200, values);
    return context.page("portal/professional-result",
                        {{"title", context.text("portal.professional.result_title")},
                         {"back", "/pro"},
                         {"rows", rows}});
}

}  // namespace

void add_professional_pages(Routes& routes) {
    routes.get("/pro", web::Access::kProfessional, ask);
    routes.post("/pro", web::Access::kProfessional, show);
}

}  // namespace cloison::portal
