#include <algorithm>

#include "desk/alarm_pages.h"
#include "desk/typed_text.h"
#include "desk/witness_view.h"

namespace cloison::desk {
namespace {

using web::Access;
using web::Context;
using web::Json;

constexpr std::size_t kMaxText = 50;    // Characters, of a name or unit.
constexpr std::size_t kMaxEmail = 254;  // RFC 5321 §4.5.3.1

/// Staff accounts: the list, a new one, the end of one.
struct StaffPages {
    const Core& core;

    Result<net::HttpResponse> list(Context& context) const;
    Result<net::HttpResponse> ask_new(Context& context) const;
    Result<net::HttpResponse> create(Context& context) const;
    Result<net::HttpResponse> ask_disable(Context& context) const;
    Result<net::HttpResponse> disable(Context& context) const;

  private:
    Result<identity::v1::ListStaffResponse> staff(const Context& context) const {
        identity::v1::ListStaffRequest request;
        request.set_token(context.session->token);
        return core.services.identity.list_staff(request);
    }
    Result<identity::v1::StaffSummary> member(const Context& context) const;
};

/// 100 random bits in groups that can be read over the telephone.
std::string initial_password(Random& random) {
    Bytes bytes(15);
    random.fill(bytes);
    std::string text = base32_encode(bytes).substr(0, 20);
    std::transform(text.begin(), text.end(), text.begin(),
                   [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; });
    std::string grouped;
    for (std::size_t i = 0; i < text.size(); i += 4)
        grouped += (i == 0 ? "" : "-") + text.substr(i, 4);
    return grouped;
}

Result<net::HttpResponse> StaffPages::list(Context& context) const {
    CLOISON_TRY(const auto found, staff(context));
    Json rows = Json::array();
    for (const auto& person : found.staff()) {
        CLOISON_TRY(const auto actor, ActorId::from_bytes(person.actor()));
        const auto role = registry::role_from_name(person.role());
        const char* state = person.disabled()   ? "desk.staff.disabled"
                            : person.has_totp() ? "desk.staff.active"
                                                : "desk.staff.waiting";
        rows.push_back({{"name", person.display_name()},
                        {"unit", person.unit()},
                        {"role", role ? role_label(context, *role) : person.role()},
                        {"tag", web::tag(context.text(state), person.disabled()   ? "grey"
                                                              : person.has_totp() ? "green"
                                                                                  : "yellow")},
                        {"disable", person.disabled() || actor == context.session->actor
                                        ? std::string()
                                        : "/staff/" + actor.hex() + "/disable"}});
    }
    return context.page("desk/staff", {{"title", context.text("desk.staff.title")},
                                       {"rows", rows},
                                       {"alarm_notice", alarm_notice(core, context)},
                                       {"witnesses", witness_view(core, context)}});
}

net::HttpResponse new_page(Context& context, const web::FormErrors& errors) {
    const auto input = [&](const char* name, const char* type) {
        return web::text_input(
            {.name = name,
             .label = context.text(std::string("desk.staff.") + name),
             .value = std::string(context.form.get(name)),
             .type = type,
             .max_length = std::string_view(type) == "email" ? kMaxEmail : kMaxText,
             .spellcheck = false},
            errors);
    };
    std::vector<web::Option> roles;
    using registry::Role;
    for (const Role role :
         {Role::kOfficer, Role::kSupport, Role::kDpo, Role::kAdministrator, Role::kProfessional})
        roles.push_back({std::string(registry::role_name(role)), role_label(context, role)});
    return form_page(
        context,
        {.title = context.text("desk.staff.new_title"),
         .action = "/staff/new",
         .submit = context.text("desk.staff.create"),
         .back = "/staff",
         .fields = {input("name", "text"), input("unit", "text"), input("email", "email"),
                    web::radios({.name = "role",
                                 .label = context.text("desk.staff.role"),
                                 .value = std::string(context.form.get("role"))},
                                roles, errors)}},
        errors);
}

Result<net::HttpResponse> StaffPages::ask_new(Context& context) const {
    return new_page(context, {});
}

Result<net::HttpResponse> StaffPages::create(Context& context) const {
    web::FormErrors errors;
    const auto read = [&](const char* name) {
        const std::string key = std::string("desk.staff.") + name;
        const std::string missing = key + "_missing";
        const std::string too_long = key + "_too_long";
        return read_text(
            context,
            {.name = name, .max_length = kMaxText, .missing = missing, .too_long = too_long},
            errors);
    };
    identity::v1::CreateStaffRequest request;
    request.set_token(context.session->token);
    request.set_display_name(read("name"));
    request.set_unit(read("unit"));
    const std::string email(context.form.get("email"));
    if (!is_email(email)) errors.add("email", context.text("desk.staff.email_malformed"));
    const auto role = registry::role_from_name(context.form.get("role"));
    if (!role || *role == registry::Role::kResident)
        errors.add("role", context.text("desk.staff.role_missing"));
    if (!errors.empty()) return new_page(context, errors);

    keeper::v1::BlindIndexRequest look_up;
    look_up.set_field("email");
    look_up.set_value(email);
    const auto index = core.services.keeper.blind_index(look_up);
    if (!index && index.error().code == ErrorCode::kInvalidArgument) {
        errors.add("email", context.text("desk.staff.email_malformed"));
        return new_page(context, errors);
    }
    if (!index) return fail(index.error());
    request.set_email_index(index->index());
    request.set_role(std::string(registry::role_name(*role)));
    request.set_password(initial_password(*core.random));
    request.set_language(std::string(web::language_code(context.language)));
    const auto created = core.services.identity.create_staff(request);
    if (!created && created.error().code == ErrorCode::kConflict) {
        errors.add("email", context.text("desk.staff.exists"));
        return new_page(context, errors);
    }
    if (!created) return fail(created.error());
    return context.page("desk/staff-created", {{"title", context.text("desk.staff.created_title")},
                                               {"name", request.display_name()},
                                               {"password", request.password()}});
}

Result<identity::v1::StaffSummary> StaffPages::member(const Context& context) const {
    CLOISON_TRY(const auto actor, context.path_id<ActorId>("actor"));
    CLOISON_TRY(const auto found, staff(context));
    for (const auto& person : found.staff())
        if (person.actor() == actor.bytes() && !person.disabled()) return person;
    return fail(ErrorCode::kNotFound, "There is no such member of staff.");
}

Result<net::HttpResponse> StaffPages::ask_disable(Context& context) const {
    CLOISON_TRY(const auto person, member(context));
    return form_page(
        context,
        {.title = context.text("desk.staff.disable_title", {{"name", person.display_name()}}),
         .action = context.request.path,
         .submit = context.text("desk.staff.disable"),
         .back = "/staff",
         .paragraphs = {context.text("desk.staff.disable_words")}},
        {});
}

Result<net::HttpResponse> StaffPages::disable(Context& context) const {
    CLOISON_TRY(const auto person, member(context));
    identity::v1::DisableStaffRequest request;
    request.set_token(context.session->token);
    request.set_actor(person.actor());
    CLOISON_TRY_STATUS(core.services.identity.disable_staff(request));
    return context.redirect_with_notice("/staff", "desk.staff.disabled_now");
}

}  // namespace

void add_staff_pages(web::Site& site, const Core& core) {
    const auto on = route_maker<StaffPages>(core);
    site.get("/staff", Access::kAdministrator, on(&StaffPages::list));
    site.get("/staff/new", Access::kAdministrator, on(&StaffPages::ask_new));
    site.post("/staff/new", Access::kAdministrator, on(&StaffPages::create));
    site.get("/staff/{actor}/disable", Access::kAdministrator, on(&StaffPages::ask_disable));
    site.post("/staff/{actor}/disable", Access::kAdministrator, on(&StaffPages::disable));
}

}  // namespace cloison::desk
