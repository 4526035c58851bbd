#pragma once

#include <string>
#include <vector>

#include "casework/status.h"
#include "portal/values.h"

namespace cloison::portal {

std::string request_path(std::string_view request_bytes);  ///< /requests/<32 hex>
Result<casework::RequestStatus> status_of(const casework::v1::Request& request);
web::Json status_tag(const web::Context& context, casework::RequestStatus status);

/// Fields that other fields depend on: what must be opened to know which questions are asked.
std::vector<std::string> condition_fields(const casework::RequestType& type);
/// Every field that the type asks for.
std::vector<std::string> all_fields(const casework::RequestType& type);
/// The sealed values of a request that are among `fields`.
std::vector<SealedValue> sealed_values(const casework::v1::Request& request,
                                       const std::vector<std::string>& fields);
Result<casework::Values> open_case_values(const Shared& shared, const OpenCase& found,
                                          const std::vector<std::string>& fields);
bool is_filled(const casework::v1::Request& request, std::string_view field);

/// A canonical value in words: the choice's label, the date written out, the height with its unit.
std::string value_in_words(const web::Context& context, const casework::InputField& field,
                           const std::string& value);

/// The supporting documents of the request in hand (the grant names it).
Result<std::vector<documents::v1::Document>> list_documents(const Shared& shared,
                                                            const std::string& grant);

/// What is missing before it may be submitted, for the error summary of the answers page.
web::FormErrors missing(const web::Context& context, const OpenCase& found,
                        const casework::Values& values,
                        const std::vector<documents::v1::Document>& documents);

}  // namespace cloison::portal
