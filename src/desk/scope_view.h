#pragma once

#include "desk/core.h"

namespace cloison::desk {

/// The answer as a document, docs/formats/scope.md.
web::Json scope_document(const Core& core, const incident::ScopeAnswer& answer);

/// The answer as data for templates/desk/scope. `base` is the address of the scope page.
web::Json scope_page_data(const Core& core, const web::Context& context, const std::string& base,
                          const incident::ScopeAnswer& answer,
                          const std::map<ActorId, std::string>& names);

}  // namespace cloison::desk
