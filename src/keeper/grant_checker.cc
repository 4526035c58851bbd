#include "keeper/grant_checker.h"

#include <algorithm>
#include <cstring>
#include <set>

namespace cloison::keeper {
namespace {

tl::unexpected<Error> deny(const char* why) {
    return fail(ErrorCode::kPermissionDenied, why);
}

/// Whom a handle of a grant names. A handle that the keeper cannot read makes the grant worthless.
Result<HandleContent> read_handle(const KeyRing& keys, ByteView handle,
                                  registry::Compartment compartment) {
    auto content = open_handle(keys.handle_keys(), handle);
    if (!content) return fail(ErrorCode::kUnauthenticated, "A grant's handle does not open.");
    if (content->compartment != compartment)
        return deny("A grant's handle is of another compartment.");
    return content;
}

}  // namespace

std::size_t GrantChecker::HashOfHash::operator()(const crypto::Hash& hash) const {
    std::size_t value;
    std::memcpy(&value, hash.data(), sizeof value);
    return value;
}

GrantChecker::GrantChecker(const registry::Registry& registry, const KeyRing& keys,
                           crypto::VerifyKey identity, const Revocations& revocations,
                           const Clock& clock, std::size_t max_remembered)
    : registry_(registry),
      keys_(keys),
      identity_(identity),
      revocations_(revocations),
      clock_(clock),
      max_remembered_(max_remembered) {}

Result<GrantPointer> GrantChecker::check(std::string_view token) {
    const crypto::Hash hash = crypto::sha256({as_bytes(token)});
    const Time now = clock_.now();
    if (auto known = recall(hash)) {
        CLOISON_TRY_STATUS(require_live(*known, now));
        return known;
    }
    auto checked = std::make_shared<CheckedGrant>();
    CLOISON_TRY(checked->grant, verify_grant(identity_, token, now));
    checked->hash = hash;
    CLOISON_TRY_STATUS(look_up_words(*checked));
    CLOISON_TRY_STATUS(open_handles(*checked));
    remember(checked);
    CLOISON_TRY_STATUS(require_live(*checked, now));
    return GrantPointer(checked);
}

Status GrantChecker::require_live(const CheckedGrant& grant, Time at) const {
    if (grant.grant.expires <= at) return fail(ErrorCode::kUnauthenticated, "A grant has expired.");
    return revocations_.check(grant.grant);
}

Status GrantChecker::look_up_words(CheckedGrant& checked) const {
    const Grant& grant = checked.grant;
    checked.purpose = registry_.purpose(grant.purpose);
    if (!checked.purpose) return deny("A grant names an unknown purpose.");
    if (!checked.purpose->allows_role(grant.role))
        return deny("The purpose is not open to the role of the grant.");
    checked.door = registry_.door(grant.door);
    if (!checked.door) return deny("A grant names an unknown door.");
    if (checked.purpose->reasons.empty() != grant.reason.empty())
        return deny("A grant must give a reason exactly where its purpose has reasons.");
    if (!grant.reason.empty() && !checked.purpose->reason(grant.reason))
        return deny("The reason of a grant is none of its purpose's.");
    if (!grant.list.empty() && !checked.purpose->bulk)
        return deny("A grant names a list of persons for a purpose that is not a bulk one.");
    auto fields = registry_.field_set(grant.fields);
    if (!fields) return deny("A grant names a field that is not in the register.");
    checked.fields = *fields;
    return {};
}

Status GrantChecker::open_handles(CheckedGrant& checked) const {
    const Grant& grant = checked.grant;
    if (!grant.person.empty()) {
        CLOISON_TRY(auto content,
                    read_handle(keys_, grant.person, registry::Compartment::kIdentity));
        checked.person = keys_.person_of(content.compartment, content.pseudonym);
    }
    if (!grant.case_handle.empty()) {
        CLOISON_TRY(auto content,
                    read_handle(keys_, grant.case_handle, registry::Compartment::kCasework));
        const Person person = keys_.person_of(content.compartment, content.pseudonym);
        if (checked.person && *checked.person != person)
            return deny("The person and the case of a grant are not of the same person.");
        checked.person = person;
        checked.case_reference = content.case_reference;
    }
    return {};
}

GrantPointer GrantChecker::recall(const crypto::Hash& hash) {
    std::lock_guard lock(mutex_);
    auto found = by_hash_.find(hash);
    if (found == by_hash_.end()) return nullptr;
    by_use_.splice(by_use_.begin(), by_use_, found->second);
    return by_use_.front();
}

void GrantChecker::remember(GrantPointer grant) {
    std::lock_guard lock(mutex_);
    if (by_hash_.count(grant->hash)) return;
    by_use_.push_front(grant);
    by_hash_[grant->hash] = by_use_.begin();
    if (by_use_.size() <= max_remembered_) return;
    by_hash_.erase(by_use_.back()->hash);
    by_use_.pop_back();
}

std::size_t GrantChecker::remembered() const {
    std::lock_guard lock(mutex_);
    return by_use_.size();
}

Status require_purpose(const CheckedGrant& grant, std::string_view purpose) {
    if (grant.purpose->name != purpose) return deny("The grant is for another purpose.");
    return {};
}

Status require_door(const CheckedGrant& grant, std::string_view caller) {
    if (grant.door->name != caller) return deny("The grant was issued for another door.");
    return {};
}

Status require_approval(const CheckedGrant& grant) {
    if (!grant.purpose->bulk) return deny("The grant is not for a bulk purpose.");
    std::set<ActorId> approvers(grant.grant.approvers.begin(), grant.grant.approvers.end());
    approvers.erase(ActorId{});
    if (approvers.size() < 2) return deny("A bulk purpose needs two different staff members.");
    if (grant.grant.list.empty()) return deny("The grant names no list of persons.");
    return {};
}

Result<Person> require_person(const CheckedGrant& grant) {
    if (!grant.person) return deny("The grant names no person.");
    return *grant.person;
}

}  // namespace cloison::keeper
