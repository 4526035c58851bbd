#pragma once

#include <string>
#include <utility>

#include "desk/core.h"
#include "incident/clock.h"

namespace cloison::desk {

/// "2 days 3 hours", "41 hours 12 minutes", "3 minutes"; of the amount, without its sign.
std::string duration_words(const web::Context& context, Duration duration);

/// The 72-hour clock: words, and the bar of templates/desk/clock.
web::Json clock_view(const web::Context& context, const incident::IncidentSummary& incident);
/// One line of words for lists; empty if no awareness time is known.
web::Json clock_tag(const web::Context& context, const incident::IncidentSummary& incident);

/// A scope in words for lists: "Door: desk; from …"; "everything" if nothing is set.
std::string scope_words(const Core& core, const web::Context& context,
                        const incident::ScopeQuery& query,
                        const std::map<ActorId, std::string>& names);

/// Reads the text form that a store keeps.
Result<incident::ScopeQuery> read_scope_text(const Core& core, std::string_view text);
/// The same from a page's hidden field "query". kInvalidArgument unless it is just what a page
/// writes there: a query misread would be a wider one.
Result<incident::ScopeQuery> read_scope_field(const Core& core, const web::Context& context);

/// Date and time inputs `name`_date and `name`_time, in local time.
std::vector<web::Json> moment_inputs(const web::Context& context, const std::string& name,
                                     const std::string& label_key, const net::Form& typed,
                                     const web::FormErrors& errors);
/// What was typed into them; an error on the date if it is no moment.
std::optional<Time> read_moment(const web::Context& context, const std::string& name,
                                const net::Form& typed, web::FormErrors& errors);

/// Staff by actor and role, for choices; whoever was ever staff.
Result<identity::v1::ListStaffResponse> list_staff(const Core& core, const web::Context& context);

inline constexpr std::string_view kInvestigate = "investigate";

}  // namespace cloison::desk
