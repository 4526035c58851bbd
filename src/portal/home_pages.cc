#include "portal/shared.h"

namespace cloison::portal {
namespace {

using web::Context;

Result<net::HttpResponse> home(const Shared& shared, Context& context) {
    web::Json types = web::Json::array();
    for (const auto& [name, type] : shared.types)
        types.push_back({{"label", context.label(type.label)},
                         {"description", context.label(type.description)}});
    const bool signed_in = context.session.has_value();
    const bool resident = signed_in && context.session->role == registry::Role::kResident;
    return context.page("portal/home", {{"title", context.text("portal.home.title")},
                                        {"types", types},
                                        {"resident", resident},
                                        {"visitor", !signed_in},
                                        {"professional", signed_in && !resident},
                                        {"without_code", resident && !context.session->has_totp},
                                        {"wide", true}});
}

Result<net::HttpResponse> help(const Shared&, Context& context) {
    return context.page("portal/help", {{"title", context.text("portal.help.title")}});
}

Result<net::HttpResponse> privacy(const Shared& shared, Context& context) {
    // What is kept and for how long, read from the register itself.
    web::Json fields = web::Json::array();
    for (const auto& field : shared.registry.fields()) {
        fields.push_back(
            {context.label(field.label),
             context.text("portal.privacy.compartment_" +
                          std::string(registry::compartment_name(field.compartment))),
             web::Json{{"text", context.plural("portal.privacy.days", field.retention_days)},
                       {"numeric", true}}});
    }
    const std::vector<web::Json> rows(fields.begin(), fields.end());
    return context.page("portal/privacy",
                        {{"title", context.text("portal.privacy.title")},
                         {"table", web::table(context.text("portal.privacy.table"),
                                              {context.text("portal.privacy.column_field"),
                                               context.text("portal.privacy.column_compartment"),
                                               context.text("portal.privacy.column_retention")},
                                              rows)}});
}

}  // namespace

void add_home_pages(Routes& routes) {
    routes.get("/", web::Access::kPublic, home);
    routes.get("/help", web::Access::kPublic, help);
    routes.get("/privacy", web::Access::kPublic, privacy);
}

}  // namespace cloison::portal
