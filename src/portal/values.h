#pragma once

#include <string>
#include <vector>

#include "base/id.h"
#include "portal/shared.h"

namespace cloison::portal {

/// Everything that the portal seals is of this version of its canonical form.
inline constexpr std::uint32_t kSchemaVersion = 1;

/// A sealed value and where it stands.
struct SealedValue {
    std::string field;
    std::string record;
    std::string sealed;
};
struct PlainValue {
    std::string field;
    std::string record;
    std::string value;
};

/// A self_service grant of the signed-in resident for just these fields. `ticket`: casework's word
/// on the request that the page is about.
Result<std::string> self_service_grant(const Shared& shared, const web::Context& context,
                                       const std::vector<std::string>& fields,
                                       const std::string& ticket = {});

/// The plain values, in order. One disclosure, one line in the journal; nothing is asked for an
/// empty list. All or nothing.
Result<std::vector<std::string>> open_values(const Shared& shared, const std::string& grant,
                                             const std::vector<SealedValue>& values);

/// The sealed values, in order, for the person of the grant or enrolment.
Result<std::vector<std::string>> seal_values(const Shared& shared,
                                             const keeper::v1::Subject& subject,
                                             const std::vector<PlainValue>& values);
Result<std::vector<std::string>> seal_values(const Shared& shared, const std::string& grant,
                                             const std::vector<PlainValue>& values);

/// A request of the signed-in resident, and a grant.
struct OpenCase {
    casework::v1::Request request;
    const casework::RequestType* type = nullptr;
    std::string ticket;
    std::string grant;  ///< find_case: to look only; open_case: for fields of this request.
};
/// kNotFound for another's, exactly as for one that does not exist.
Result<OpenCase> find_case(const Shared& shared, const web::Context& context, const RequestId& id);
/// Replaces the grant by one that names the request and `fields`.
Status grant_fields(const Shared& shared, const web::Context& context, OpenCase& found,
                    const std::vector<std::string>& fields);
/// Both of them.
Result<OpenCase> open_case(const Shared& shared, const web::Context& context, const RequestId& id,
                           const std::vector<std::string>& fields);

}  // namespace cloison::portal
