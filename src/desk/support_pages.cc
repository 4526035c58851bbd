#include <algorithm>
#include <array>

#include "desk/case_view.h"
#include "desk/typed_text.h"

namespace cloison::desk {
namespace {

using web::Access;
using web::Context;
using web::Json;

constexpr std::string_view kSupport = "support_call";
/// Which account is in hand: the blind index of its address, sealed for this door. No page, address
/// or form names an account.
constexpr std::string_view kAccountCookie = "__Host-account";
constexpr Duration kAccountLifetime{15 * 60'000};
constexpr std::size_t kMaxEmail = 254;  // RFC 5321 §4.5.3.1

/// Support on the phone: an account is found by its exact e-mail address, and stays masked until a
/// reason is given.
struct SupportPages {
    const Core& core;

    Result<net::HttpResponse> ask(Context& context) const;
    Result<net::HttpResponse> find(Context& context) const;
    Result<net::HttpResponse> account(Context& context) const;
    Result<net::HttpResponse> reveal(Context& context) const;

  private:
    net::HttpResponse search_page(Context& context, const web::FormErrors& errors) const;
    Result<net::HttpResponse> account_page(Context& context, const std::string& index,
                                           const web::FormErrors& errors) const;
    std::vector<std::string> openable() const;
    Result<std::vector<SealedValue>> profile(const std::string& grant) const;
};

/// The identity fields that support may open, from the register.
std::vector<std::string> SupportPages::openable() const {
    std::vector<std::string> names;
    const registry::Purpose& purpose = *core.registry.purpose(kSupport);
    for (const auto& field : core.registry.fields())
        if (field.compartment == registry::Compartment::kIdentity &&
            core.registry.may_open(field, purpose))
            names.push_back(field.name);
    return names;
}

Result<std::vector<SealedValue>> SupportPages::profile(const std::string& grant) const {
    identity::v1::GetProfileRequest request;
    request.set_grant(grant);
    CLOISON_TRY(const auto answer, core.services.identity.get_profile(request));
    std::vector<SealedValue> values;
    for (const auto& field : answer.fields())
        values.push_back({field.field(), field.record(), field.sealed()});
    return values;
}

net::HttpResponse SupportPages::search_page(Context& context, const web::FormErrors& errors) const {
    return form_page(context,
                     {.title = context.text("desk.support.title"),
                      .action = "/support",
                      .submit = context.text("desk.support.find"),
                      .paragraphs = {context.text("desk.support.intro")},
                      .fields = {web::text_input({.name = "email",
                                                  .label = context.text("desk.support.email"),
                                                  .hint = context.text("desk.support.email_hint"),
                                                  .value = std::string(context.form.get("email")),
                                                  .type = "email",
                                                  .max_length = kMaxEmail,
                                                  .spellcheck = false},
                                                 errors)}},
                     errors);
}

Result<net::HttpResponse> SupportPages::ask(Context& context) const {
    return search_page(context, {});
}

Result<net::HttpResponse> SupportPages::find(Context& context) const {
    web::FormErrors errors;
    const std::string_view email = context.form.get("email");
    if (!is_email(email)) {
        errors.add("email", context.text("desk.support.email_malformed"));
        return search_page(context, errors);
    }
    keeper::v1::BlindIndexRequest look_up;
    look_up.set_field("email");
    look_up.set_value(std::string(email));
    const auto index = core.services.keeper.blind_index(look_up);
    if (!index && index.error().code == ErrorCode::kInvalidArgument) {
        errors.add("email", context.text("desk.support.email_malformed"));
        return search_page(context, errors);
    }
    if (!index && index.error().code == ErrorCode::kExhausted)
        return budget_page(context, "/support");
    if (!index) return fail(index.error());
    const auto grant = issue_grant(
        core, context, {.purpose = std::string(kSupport), .email_index = index->index()});
    if (!grant && grant.error().code == ErrorCode::kNotFound) {
        errors.add("email", context.text("desk.support.not_found"));
        return search_page(context, errors);
    }
    if (!grant) return fail(grant.error());
    context.set_sealed_cookie(kAccountCookie, index->index(), kAccountLifetime);
    return context.redirect("/support/account");
}

Result<net::HttpResponse> SupportPages::account_page(Context& context, const std::string& index,
                                                     const web::FormErrors& errors) const {
    CLOISON_TRY(const auto grant, issue_grant(core, context,
                                              {.purpose = std::string(kSupport),
                                               .fields = openable(),
                                               .email_index = index}));
    CLOISON_TRY(const auto values, profile(grant));
    Json rows = Json::array();
    std::vector<web::Option> options;
    for (const std::string& name : openable()) {
        const registry::Field& field = *core.registry.field(name);
        const bool is_filled = std::any_of(values.begin(), values.end(),
                                           [&](const auto& value) { return value.field == name; });
        rows.push_back(
            {{"key", context.label(field.label)}, {"mask", is_filled ? std::string(kMask) : ""}});
        if (is_filled) options.push_back({name, context.label(field.label)});
    }
    std::vector<std::string> chosen;
    for (const auto name : context.form.all("field")) chosen.emplace_back(name);
    return context.page(
        "desk/account",
        {{"title", context.text("desk.support.account_title")},
         {"errors", errors.summary()},
         {"back", "/support"},
         {"rows", rows},
         {"warning", context.text("desk.reveal.warning")},
         {"fields",
          {web::checkboxes({.name = "field", .label = context.text("desk.support.which")}, options,
                           chosen, errors),
           reason_question(core, context, kSupport, errors)}}});
}

Result<net::HttpResponse> SupportPages::account(Context& context) const {
    const auto index = context.sealed_cookie(kAccountCookie);
    if (!index) return context.redirect("/support");
    return account_page(context, std::string(index->text()), {});
}

Result<net::HttpResponse> SupportPages::reveal(Context& context) const {
    const auto cookie = context.sealed_cookie(kAccountCookie);
    if (!cookie) return context.redirect("/support");
    const std::string index(cookie->text());
    web::FormErrors errors;
    std::vector<std::string> fields;
    const auto asked = context.form.all("field");
    for (const std::string& name : openable())
        if (std::find(asked.begin(), asked.end(), name) != asked.end()) fields.push_back(name);
    if (fields.empty()) errors.add("field", context.text("desk.support.which_missing"));
    const std::string reason = read_reason(core, context, kSupport, errors);
    if (!errors.empty()) return account_page(context, index, errors);

    CLOISON_TRY(const auto grant, issue_grant(core, context,
                                              {.purpose = std::string(kSupport),
                                               .reason = reason,
                                               .fields = fields,
                                               .email_index = index}));
    CLOISON_TRY(const auto values, profile(grant));
    if (values.empty()) return context.redirect("/support/account");
    const auto opened = open_values(core, grant, values);
    if (!opened && opened.error().code == ErrorCode::kExhausted)
        return budget_page(context, "/support/account");
    if (!opened) return fail(opened.error());
    Json rows = Json::array();
    for (std::size_t i = 0; i < values.size(); ++i)
        rows.push_back({{"key", context.label(core.registry.field(values[i].field)->label)},
                        {"note", ""},
                        {"lines", {std::string((*opened)[i].text())}}});
    return context.page(
        "desk/revealed",
        {{"title", context.text("desk.support.revealed_title")},
         {"case", {{"path", "/support/account"}}},
         {"reason", context.label(core.registry.purpose(kSupport)->reason(reason)->label)},
         {"groups", {{{"title", context.text("desk.support.account")}, {"rows", rows}}}}});
}

}  // namespace

void add_support_pages(web::Site& site, const Core& core) {
    const auto on = route_maker<SupportPages>(core);
    site.get("/support", Access::kSupport, on(&SupportPages::ask));
    site.post("/support", Access::kSupport, on(&SupportPages::find));
    site.get("/support/account", Access::kSupport, on(&SupportPages::account));
    site.post("/support/account", Access::kSupport, on(&SupportPages::reveal));
}

}  // namespace cloison::desk
