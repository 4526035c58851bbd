#pragma once

#include <map>
#include <set>
#include <string>
#include <vector>

#include "casework/casework_client.h"
#include "casework/request_type.h"
#include "desk/desk.h"
#include "incident/acknowledgements.h"
#include "incident/incident_store.h"
#include "incident/journal_reader.h"
#include "registry/registry.h"
#include "web/site.h"

namespace cloison::desk {

/// What every page may use. Made once; shared by all threads.
struct Core {
    Services services;
    registry::Registry registry;
    std::map<std::string, casework::RequestType> types;
    incident::IncidentStore* incidents = nullptr;
    incident::JournalReader* reader = nullptr;
    incident::Acknowledgements* acknowledgements = nullptr;
    std::string journal_name;  ///< Under which what was covered is kept.
    Random* random = nullptr;
};

/// What a page asks a grant for. A purpose with reasons and none given here gets its first one: the
/// grant then names no field, and only lets the holder look at what is sealed.
struct GrantWanted {
    std::string purpose;
    std::string reason = {};
    std::vector<std::string> fields = {};
    std::string ticket = {};
    std::string email_index = {};
    std::string approval = {};
    std::string list = {};  ///< With an approval: the digest of the persons, and what they are for.
    std::string about = {};
};
Result<std::string> issue_grant(const Core& core, const web::Context& context,
                                const GrantWanted& wanted);

/// One sealed value, with the name of the field that it is.
struct SealedValue {
    std::string field;
    std::string record;
    std::string sealed;
};
/// Opens values of the one person of the grant: one line in the journal. kExhausted when a budget
/// is used up; nothing is opened then.
Result<std::vector<Secret>> open_values(const Core& core, const std::string& grant,
                                        const std::vector<SealedValue>& values);
/// Seals one value for the person of the grant.
Result<std::string> seal_value(const Core& core, const std::string& grant, const std::string& field,
                               const std::string& record, std::string_view value);

/// The page for a budget that is used up: 429, in words, saying when to come back.
net::HttpResponse budget_page(web::Context& context, std::string_view back);

/// The page (or problem document) for stored data that fails its own checks, a journal that does
/// not fit its checkpoint above all: 500, saying what does not fit, since whoever asks must act on
/// it.
net::HttpResponse corrupt_page(web::Context& context, const Error& error);

/// Names of staff by actor: "Name, unit". Whoever is not known (residents) is not in it.
Result<std::map<ActorId, std::string>> actor_names(const Core& core,
                                                   const std::set<ActorId>& actors);
std::string name_of(const web::Context& context, const std::map<ActorId, std::string>& names,
                    const ActorId& actor);

/// Field names in the language of the page: "Birth name, Height".
std::string field_labels(const Core& core, const web::Context& context,
                         const registry::FieldSet& fields);
std::string role_label(const web::Context& context, registry::Role role);

/// A form page, templates/desk/form: one question or a few that belong together.
struct FormPage {
    std::string title;
    std::string action;
    std::string submit;
    std::string back = {};
    std::vector<std::string> paragraphs = {};
    std::string warning = {};
    std::vector<web::Json> fields = {};
    std::vector<std::pair<std::string, std::string>> hidden = {};
    bool is_get = false;
};
net::HttpResponse form_page(web::Context& context, const FormPage& form,
                            const web::FormErrors& errors);

/// The routes, one function for each part of the desk. `core` outlives the site.
void add_home_pages(web::Site& site, const Core& core);
void add_queue_pages(web::Site& site, const Core& core);
void add_case_pages(web::Site& site, const Core& core);
void add_reveal_pages(web::Site& site, const Core& core);
void add_document_pages(web::Site& site, const Core& core);
void add_support_pages(web::Site& site, const Core& core);
void add_staff_pages(web::Site& site, const Core& core);
void add_incident_pages(web::Site& site, const Core& core);
void add_scope_pages(web::Site& site, const Core& core);
void add_export_pages(web::Site& site, const Core& core);
void add_alarm_pages(web::Site& site, const Core& core);

/// Adapts member functions of a group of pages to routes.
template <class Pages>
auto route_maker(const Core& core) {
    return [&core](Result<net::HttpResponse> (Pages::*handler)(web::Context&) const) {
        return [pages = Pages{core}, handler](web::Context& context) -> Result<net::HttpResponse> {
            auto response = (pages.*handler)(context);
            if (!response && response.error().code == ErrorCode::kCorrupt)
                return corrupt_page(context, response.error());
            return response;
        };
    };
}

}  // namespace cloison::desk
