#include <algorithm>
#include <set>

#include "identity/handlers.h"
#include "identity/profile_values.h"
#include "identity/sessions.h"
#include "identity/validate.h"
#include "keeper/client/grant.h"

namespace cloison::identity {
namespace {

using keeper::Grant;
using storage::blob;
using storage::Transaction;

constexpr std::string_view kProfileFields[] = {"email", "phone", "family_name", "given_names"};

/// The sealed values of an account that the grant names.
Result<v1::GetProfileResponse> read_profile(Core& core, Transaction& transaction,
                                            const IdentityPseudonym& pseudonym,
                                            const Grant& grant) {
    CLOISON_TRY(const auto account,
                account_by_pseudonym(core.keys.accounts, transaction, pseudonym));
    if (!account) return fail(ErrorCode::kNotFound, "There is no such account.");
    v1::GetProfileResponse profile;
    profile.set_record(account->record.bytes());
    for (const auto name : kProfileFields) {
        const auto* field = core.registry.field(name);
        if (field == nullptr) continue;
        if (std::find(grant.fields.begin(), grant.fields.end(), field->name) == grant.fields.end())
            continue;
        CLOISON_TRY(const auto stored,
                    read_profile_value(core, transaction, account->id, field->number));
        if (!stored) continue;
        auto* value = profile.add_fields();
        value->set_field(field->name);
        value->set_record(to_string(stored->record));
        value->set_sealed(to_string(stored->sealed));
    }
    return profile;
}

/// A good grant, shown by the door that it was issued to, of a session that has not been ended.
Result<Grant> check_grant(Core& core, const net::Caller& caller, const std::string& token) {
    if (token.size() > kMaxGrantText) return fail(ErrorCode::kUnauthenticated, "This is no grant.");
    CLOISON_TRY(auto grant,
                keeper::verify_grant(core.keys.grant.verify_key(), token, core.clock.now()));
    if (grant.door != caller.service)
        return fail(ErrorCode::kPermissionDenied, "The grant was issued to another door.");
    CLOISON_TRY_STATUS(core.database->read([&](Transaction& transaction) -> Status {
        CLOISON_TRY(const auto rows, transaction.query("SELECT 1 FROM session WHERE session = $1",
                                                       {blob(grant.session.view())}));
        if (rows.empty())
            return fail(ErrorCode::kUnauthenticated, "The session of the grant has ended.");
        return {};
    }));
    return grant;
}

bool is_bulk(const Core& core, const Grant& grant) {
    const auto* purpose = core.registry.purpose(grant.purpose);
    return purpose != nullptr && purpose->bulk;
}

Result<IdentityPseudonym> resolve(Core& core, keeper::v1::Subject subject) {
    keeper::v1::ResolveRequest request;
    *request.mutable_subject() = std::move(subject);
    CLOISON_TRY(const auto response, core.keeper.resolve(request));
    return IdentityPseudonym::from_bytes(response.pseudonym());
}

Result<IdentityPseudonym> person_of(Core& core, const std::string& grant) {
    keeper::v1::Subject subject;
    subject.set_grant(grant);
    return resolve(core, std::move(subject));
}

Status check_values(const v1::SaveProfileRequest& request) {
    std::set<std::string> seen;
    if (request.fields().empty())
        return fail(ErrorCode::kInvalidArgument, "fields must name what to save.");
    for (const auto& value : request.fields()) {
        const bool known = std::find(std::begin(kProfileFields), std::end(kProfileFields),
                                     value.field()) != std::end(kProfileFields);
        if (!known) return fail(ErrorCode::kInvalidArgument, "A field is none of the profile's.");
        if (value.field() == "email")
            return fail(ErrorCode::kInvalidArgument, "The e-mail address cannot be changed here.");
        if (!seen.insert(value.field()).second)
            return fail(ErrorCode::kInvalidArgument, value.field() + " is given twice.");
        CLOISON_TRY_STATUS(checked_id<RecordId>("record", value.record()));
        CLOISON_TRY_STATUS(check_sealed(value.field(), value.sealed()));
    }
    return {};
}

}  // namespace

Result<v1::GetProfileResponse> get_profile(Core& core, const net::Caller& caller,
                                           const v1::GetProfileRequest& request) {
    CLOISON_TRY(const auto grant, check_grant(core, caller, request.grant()));
    if (is_bulk(core, grant))
        return fail(ErrorCode::kPermissionDenied, "The purpose of the grant names no one person.");
    CLOISON_TRY(const auto pseudonym, person_of(core, request.grant()));
    return core.database->read_result<v1::GetProfileResponse>([&](Transaction& transaction) {
        return read_profile(core, transaction, pseudonym, grant);
    });
}

Result<v1::SaveProfileResponse> save_profile(Core& core, const net::Caller& caller,
                                             const v1::SaveProfileRequest& request) {
    CLOISON_TRY(const auto grant, check_grant(core, caller, request.grant()));
    if (grant.purpose != "self_service")
        return fail(ErrorCode::kPermissionDenied, "Only the person can change their profile.");
    CLOISON_TRY_STATUS(check_values(request));
    CLOISON_TRY(const auto pseudonym, person_of(core, request.grant()));
    CLOISON_TRY_STATUS(core.database->write([&](Transaction& transaction) -> Status {
        CLOISON_TRY(const auto account,
                    account_by_pseudonym(core.keys.accounts, transaction, pseudonym));
        if (!account) return fail(ErrorCode::kNotFound, "There is no such account.");
        for (const auto& value : request.fields()) {
            const auto* field = core.registry.field(value.field());
            if (field == nullptr)
                return fail(ErrorCode::kInvalidArgument, value.field() + " is not declared.");
            CLOISON_TRY_STATUS(
                write_profile_value(core, transaction, account->id, field->number,
                                    {to_bytes(value.record()), to_bytes(value.sealed())}));
        }
        return {};
    }));
    return v1::SaveProfileResponse();
}

Result<v1::GetProfilesResponse> get_profiles(Core& core, const net::Caller& caller,
                                             const v1::GetProfilesRequest& request) {
    CLOISON_TRY(const auto grant, check_grant(core, caller, request.grant()));
    if (!is_bulk(core, grant) || grant.approvers.size() != 2)
        return fail(ErrorCode::kPermissionDenied,
                    "Many profiles need a purpose that two people approved.");
    if (request.handles_size() > kMaxHandles)
        return fail(ErrorCode::kInvalidArgument, "handles must have at most 1000 entries.");
    std::vector<std::optional<IdentityPseudonym>> persons;
    for (const auto& handle : request.handles()) {
        persons.emplace_back();
        if (handle.empty()) continue;
        keeper::v1::Subject subject;
        subject.set_handle(handle);
        subject.set_approval(request.grant());
        auto pseudonym = resolve(core, std::move(subject));
        if (pseudonym)
            persons.back() = *pseudonym;
        else if (pseudonym.error().code != ErrorCode::kNotFound)  // erased since: nothing to show
            return fail(std::move(pseudonym).error());
    }
    return core.database->read_result<v1::GetProfilesResponse>(
        [&](Transaction& transaction) -> Result<v1::GetProfilesResponse> {
            v1::GetProfilesResponse response;
            for (const auto& person : persons) {
                auto* profile = response.add_profiles();
                if (!person) continue;
                auto found = read_profile(core, transaction, *person, grant);
                if (found)
                    *profile = std::move(*found);
                else if (found.error().code != ErrorCode::kNotFound)
                    return fail(std::move(found).error());
            }
            return response;
        });
}

}  // namespace cloison::identity
