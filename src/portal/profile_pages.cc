#include <map>

#include "portal/values.h"

namespace cloison::portal {
namespace {

using web::Context, web::FormErrors, web::Json;

const std::vector<std::string> kEditable{"given_names", "family_name", "phone"};

struct Profile {
    std::string record;
    std::string grant;
    std::map<std::string, std::string> values;
};

Result<Profile> open_profile(const Shared& shared, const Context& context,
                             const std::vector<std::string>& fields) {
    Profile profile;
    CLOISON_TRY(profile.grant, self_service_grant(shared, context, fields));
    identity::v1::GetProfileRequest request;
    request.set_grant(profile.grant);
    CLOISON_TRY(const auto answer, shared.services.identity.get_profile(request));
    profile.record = answer.record();
    std::vector<SealedValue> sealed;
    for (const auto& field : answer.fields())
        sealed.push_back({field.field(), field.record(), field.sealed()});
    CLOISON_TRY(auto values, open_values(shared, profile.grant, sealed));
    for (std::size_t i = 0; i < sealed.size(); ++i)
        profile.values.emplace(sealed[i].field, std::move(values[i]));
    return profile;
}

Result<net::HttpResponse> show(const Shared& shared, Context& context) {
    CLOISON_TRY(const auto profile,
                open_profile(shared, context, {"email", "given_names", "family_name", "phone"}));
    const auto row = [&](const char* name, const char* change) {
        const auto found = profile.values.find(name);
        const bool known = found != profile.values.end() && !found->second.empty();
        const std::string& label = context.label(shared.registry.field(name)->label);
        return web::summary_row(
            label, known ? found->second : context.text("portal.account.not_given"), change, label);
    };
    return context.page(
        "portal/account",
        {{"title", context.text("portal.account.title")},
         {"rows",
          Json::array({row("email", ""), row("given_names", "/account/edit"),
                       row("family_name", "/account/edit"), row("phone", "/account/edit")})},
         {"has_code", context.session->has_totp}});
}

casework::InputField input_field(const std::string& name) {
    casework::InputField field;
    field.name = name;
    field.required = false;
    field.kind = name == "phone" ? casework::InputKind::kPhone : casework::InputKind::kName;
    field.max_length = 100;
    return field;
}

net::HttpResponse edit_page(const Shared& shared, Context& context, const casework::Values& values,
                            const FormErrors& errors) {
    const auto question = [&](const std::string& name, std::string autocomplete, std::string type,
                              std::string hint) {
        return web::text_input({.name = name,
                                .label = context.label(shared.registry.field(name)->label) + " " +
                                         context.text("web.layout.optional"),
                                .hint = std::move(hint),
                                .value = values.contains(name) ? values.at(name) : std::string(),
                                .autocomplete = std::move(autocomplete),
                                .type = std::move(type),
                                .max_length = 100,
                                .spellcheck = false},
                               errors);
    };
    return context.page(
        "portal/account-edit",
        {{"title", context.text("portal.account.edit_title")},
         {"back", "/account"},
         {"errors", errors.summary()},
         {"fields", Json::array({question("given_names", "given-name", "text", ""),
                                 question("family_name", "family-name", "text", ""),
                                 question("phone", "tel", "tel",
                                          context.text("portal.account.phone_hint"))})}});
}

Result<net::HttpResponse> edit(const Shared& shared, Context& context) {
    CLOISON_TRY(const auto profile, open_profile(shared, context, kEditable));
    return edit_page(shared, context, profile.values, {});
}

Result<net::HttpResponse> save(const Shared& shared, Context& context) {
    casework::Values typed;
    casework::Values values;
    FormErrors errors;
    for (const std::string& name : kEditable) {
        typed[name] = std::string(context.form.get(name));
        auto value = casework::read_input(input_field(name), typed, context.now);
        if (value)
            values[name] = std::move(*value);
        else
            errors.add(name, context.text("portal.account." + name + "_malformed"));
    }
    if (!errors.empty()) return edit_page(shared, context, typed, errors);
    // The record to write to, without opening what stands there.
    CLOISON_TRY(const auto grant, self_service_grant(shared, context, kEditable));
    identity::v1::GetProfileRequest get;
    get.set_grant(grant);
    CLOISON_TRY(const auto profile, shared.services.identity.get_profile(get));
    std::vector<PlainValue> plain;
    for (const auto& [name, value] : values) plain.push_back({name, profile.record(), value});
    CLOISON_TRY(auto sealed, seal_values(shared, grant, plain));
    identity::v1::SaveProfileRequest request;
    request.set_grant(grant);
    for (std::size_t i = 0; i < plain.size(); ++i) {
        auto* field = request.add_fields();
        field->set_field(plain[i].field);
        field->set_record(plain[i].record);
        field->set_sealed(std::move(sealed[i]));
    }
    CLOISON_TRY_STATUS(shared.services.identity.save_profile(request));
    return context.redirect_with_notice("/account", "portal.account.saved");
}

}  // namespace

void add_profile_pages(Routes& routes) {
    routes.get("/account", web::Access::kResident, show);
    routes.get("/account/edit", web::Access::kResident, edit);
    routes.post("/account/edit", web::Access::kResident, save);
}

}  // namespace cloison::portal
