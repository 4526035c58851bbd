#pragma once

#include <string_view>
#include <variant>

#include "base/time.h"
#include "keeper/grant_checker.h"
#include "keeper/person_store.h"

namespace cloison::keeper {

/// The ways to say who a call is about; views into the request.
struct ByGrant {
    std::string_view token;
};
struct ByEnrolment {
    ByteView token;
};
struct ByHandle {
    ByteView handle;
    std::string_view approval;  ///< The bulk grant that it was issued under.
};
struct ByPseudonym {
    ByteView pseudonym;  ///< The calling compartment's own.
};
using SubjectClaim = std::variant<std::monostate, ByGrant, ByEnrolment, ByHandle, ByPseudonym>;

struct Subject {
    Person person;
    RequestId case_reference;  ///< None if the claim names no case.
};

/// Finds out whom a call is about, and lets each caller say it only in the ways that are its own.
/// That the person is there is checked by taking the key. Any thread may call.
class Subjects {
  public:
    Subjects(const KeyRing& keys, GrantChecker& grants, const PersonStore& persons,
             const Clock& clock)
        : keys_(keys), grants_(grants), persons_(persons), clock_(clock) {}

    struct Resolved {
        crypto::Block pseudonym{};
        Bytes case_tag;  ///< Empty if no case is named.
    };
    /// The calling compartment's own pseudonym and case tag; never another's. A grant of any door,
    /// an enrolment (identity's, or the compartment's own of a canary) or a bulk handle.
    Result<Resolved> resolve(std::string_view caller, const SubjectClaim& claim) const;

    struct Writer {
        Subject subject;
        crypto::PersonKey key;
        std::optional<registry::Compartment> only;  ///< Where the caller may seal; all if none.
    };
    /// Whom values are sealed for: a grant (a door shows only its own), an enrolment, or a
    /// compartment's own pseudonym. A compartment seals its own fields only, whatever it shows.
    Result<Writer> writer(std::string_view caller, const SubjectClaim& claim) const;

  private:
    Result<Subject> by_grant(std::string_view token, std::string_view door) const;
    Result<Subject> by_handle(const ByHandle& claim) const;
    Result<Person> enrolled(registry::Compartment compartment, ByteView token) const;

    const KeyRing& keys_;
    GrantChecker& grants_;
    const PersonStore& persons_;
    const Clock& clock_;
};

}  // namespace cloison::keeper
