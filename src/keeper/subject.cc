#include "keeper/subject.h"

#include <algorithm>

#include "keeper/tokens.h"

namespace cloison::keeper {
namespace {

tl::unexpected<Error> not_by_this_caller() {
    return fail(ErrorCode::kPermissionDenied, "This caller may not name a person in this way.");
}

tl::unexpected<Error> no_subject() {
    return fail(ErrorCode::kInvalidArgument, "The call names nobody.");
}

}  // namespace

Result<Subject> Subjects::by_grant(std::string_view token, std::string_view door) const {
    CLOISON_TRY(auto grant, grants_.check(token));
    if (!door.empty()) CLOISON_TRY_STATUS(require_door(*grant, door));
    CLOISON_TRY(auto person, require_person(*grant));
    return Subject{person, grant->case_reference};
}

Result<Subject> Subjects::by_handle(const ByHandle& claim) const {
    CLOISON_TRY(auto grant, grants_.check(claim.approval));
    CLOISON_TRY_STATUS(require_approval(*grant));
    CLOISON_TRY(auto person,
                open_bulk_handle(keys_, claim.handle, grant->grant.actor, grant->purpose->number,
                                 grant->grant.list, clock_.now()));
    return Subject{person, {}};
}

Result<Person> Subjects::enrolled(registry::Compartment compartment, ByteView token) const {
    if (auto canary = open_canary_enrolment(keys_, token, compartment, clock_.now())) return canary;
    if (compartment != registry::Compartment::kIdentity) return not_by_this_caller();
    return open_enrolment(keys_, token, clock_.now());
}

Result<Subjects::Resolved> Subjects::resolve(std::string_view caller,
                                             const SubjectClaim& claim) const {
    auto compartment = registry::compartment_from_name(caller);
    if (!compartment) return not_by_this_caller();
    Subject subject;
    if (const auto* grant = std::get_if<ByGrant>(&claim)) {
        CLOISON_TRY(subject, by_grant(grant->token, ""));
    } else if (const auto* enrolment = std::get_if<ByEnrolment>(&claim)) {
        CLOISON_TRY(subject.person, enrolled(*compartment, enrolment->token));
    } else if (const auto* handle = std::get_if<ByHandle>(&claim)) {
        CLOISON_TRY(subject, by_handle(*handle));
    } else if (std::holds_alternative<ByPseudonym>(claim)) {
        return not_by_this_caller();
    } else {
        return no_subject();
    }
    CLOISON_TRY_STATUS(persons_.key(subject.person));
    Resolved resolved{keys_.pseudonym(*compartment, subject.person), {}};
    if (!subject.case_reference.is_none())
        resolved.case_tag = keys_.case_tag(*compartment, subject.case_reference);
    return resolved;
}

Result<Subjects::Writer> Subjects::writer(std::string_view caller,
                                          const SubjectClaim& claim) const {
    const auto compartment = registry::compartment_from_name(caller);
    Subject subject;
    if (const auto* grant = std::get_if<ByGrant>(&claim)) {
        CLOISON_TRY(subject, by_grant(grant->token, compartment ? "" : caller));
    } else if (const auto* enrolment = std::get_if<ByEnrolment>(&claim)) {
        CLOISON_TRY(subject.person, open_enrolment(keys_, enrolment->token, clock_.now()));
    } else if (const auto* own = std::get_if<ByPseudonym>(&claim)) {
        if (!compartment) return not_by_this_caller();
        if (own->pseudonym.size() != crypto::Block{}.size())
            return fail(ErrorCode::kInvalidArgument, "A pseudonym has 16 bytes.");
        crypto::Block block;
        std::copy_n(own->pseudonym.begin(), block.size(), block.begin());
        subject.person = keys_.person_of(*compartment, block);
    } else if (std::holds_alternative<ByHandle>(claim)) {
        return not_by_this_caller();
    } else {
        return no_subject();
    }
    CLOISON_TRY(auto key, persons_.key(subject.person));
    Writer writer{subject, std::move(key), {}};
    if (compartment) writer.only = *compartment;
    return writer;
}

}  // namespace cloison::keeper
