#pragma once

#include <map>
#include <memory>
#include <string>

#include "base/random.h"
#include "demo/people.h"

namespace cloison::cli {

/// Values by field name, of one compartment.
using CanaryValues = std::map<std::string, std::string>;

/// Invents persons for canaries. They look like anybody: real names and communes drawn by lot, and
/// answers in the forms that the request types take. What could reach somebody reaches nobody:
///
/// - Addresses lie under .an and .tp, top-level domains that were taken out of the root in 2015
/// with
///   their countries' codes, which ISO 3166 keeps from others for fifty years: nobody can own a
///   name there. The pages take them like any other address, and they read like small providers,
///   where .invalid or example.org would be struck from a copy by anybody. Somebody who knows this
///   code can still look for them: an installation that holds domains of its own for this purpose
///   names one of them instead.
/// - Phone numbers come from the block that is kept for fiction (demo/people.h).
///
/// One thread at a time.
class CanaryPeople {
  public:
    /// An empty `mail_domain`: those above. `random` must outlive it.
    CanaryPeople(std::shared_ptr<const demo::Names> names, std::string mail_domain, Random& random);

    CanaryValues account();      ///< email, family_name, given_names, for most a phone.
    CanaryValues application();  ///< All that the request type "passport" asks of such a person.
    std::string document_name(std::string_view content_type);  ///< As an applicant would name it.
    std::string language();

  private:
    demo::Resident next();
    std::string address_for(const demo::Resident& resident);

    demo::People people_;
    const std::string mail_domain_;
    Random& random_;
};

/// kInvalidArgument unless it can be the domain of a mail address.
Status check_mail_domain(std::string_view domain);

/// A file of that type (application/pdf, image/jpeg, image/png) and exactly that length, at least
/// 2,048 bytes: it opens, and shows a line of text or a plain picture.
Bytes make_canary_file(std::string_view content_type, std::size_t size, Random& random);

}  // namespace cloison::cli
