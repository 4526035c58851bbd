#include "keeper_calls.h"

#include <algorithm>
#include <cstdio>
#include <cstdlib>

#include "crypto/keys.h"
#include "keeper/client/errors.h"
#include "load_clock.h"
#include "net/rpc.h"

namespace cloison::faults {
namespace {

crypto::SigningKey key_of(const Path& file) {
    auto key = crypto::load_key_file(local_file_system(), file);
    if (key) return crypto::SigningKey::from_seed(key->view());
    std::fprintf(stderr, "keeper_load: %s\n", key.error().message.c_str());
    std::exit(1);
}

keeper::KeeperClient client(const Path& var, const std::string& service) {
    auto caller = std::make_shared<net::CallerIdentity>(
        service, key_of(var / service / "service.key"), load_clock());
    return keeper::KeeperClient(net::connect_rpc(var / "run" / "keeper.sock", "keeper", caller));
}

Bytes handle(const crypto::SealedBoxPublicKey& key, registry::Compartment compartment,
             const std::string& pseudonym, const RequestId& case_reference) {
    keeper::HandleContent content{compartment, {}, case_reference};
    std::copy(pseudonym.begin(), pseudonym.end(), content.pseudonym.begin());
    return keeper::make_handle(key, content);
}

}  // namespace

KeeperCalls::KeeperCalls(const Path& var)
    : grant_key_(key_of(var / "identity" / "grant.key")),
      portal_(client(var, "portal")),
      identity_(client(var, "identity")),
      casework_(client(var, "casework")),
      desk_(client(var, "desk")),
      operator_(client(var, "operator")) {}

Status KeeperCalls::describe() {
    CLOISON_TRY(const auto described, portal_.describe({}));
    std::copy(described.handle_key().begin(), described.handle_key().end(),
              handle_key_.bytes.begin());
    verify_key_ = described.verify_key();
    return {};
}

Result<Person> KeeperCalls::make_person(std::size_t number) {
    Person person;
    person.number = number;
    person.actor = ActorId::random(system_random());
    person.session = SessionId::random(system_random());
    person.email_record = RequestId::random(system_random());
    person.name_record = RequestId::random(system_random());
    person.case_reference = RequestId::random(system_random());
    person.email = "person" + std::to_string(number) + "@load.example";
    person.name = "Name " + std::to_string(number);

    keeper::v1::EnrollRequest enroll;
    enroll.set_count(1);
    CLOISON_TRY(const auto enrolled, portal_.enroll(enroll));
    const std::string& enrolment = enrolled.enrolments(0);

    keeper::v1::ResolveRequest resolve;
    resolve.mutable_subject()->set_enrolment(enrolment);
    CLOISON_TRY(const auto in_identity, identity_.resolve(resolve));
    person.identity_pseudonym = in_identity.pseudonym();

    keeper::v1::SealRequest seal;
    seal.mutable_subject()->set_enrolment(enrolment);
    const auto add = [&](const char* field, const RequestId& record, const std::string& value) {
        auto* item = seal.add_items();
        item->set_field(field);
        item->set_record(record.bytes());
        item->set_value(value);
        item->set_schema_version(1);
    };
    add("email", person.email_record, person.email);
    add("birth_name", person.name_record, person.name);
    CLOISON_TRY(const auto sealed, portal_.seal(seal));
    person.sealed_email = sealed.sealed(0);
    person.sealed_name = sealed.sealed(1);

    // Casework learns its own pseudonym of the person from a grant, as it does with a new request.
    keeper::v1::ResolveRequest by_grant;
    by_grant.mutable_subject()->set_grant(own_grant(person));
    CLOISON_TRY(const auto in_casework, casework_.resolve(by_grant));
    person.casework_pseudonym = in_casework.pseudonym();
    return person;
}

const std::string& KeeperCalls::value_of(const Person& person, const Way& way) {
    return way.purpose == "process_request" ? person.name : person.email;
}

Result<keeper::v1::Disclosed> KeeperCalls::open(const Person& person, const Way& way) {
    const bool name = way.purpose == "process_request";
    keeper::v1::OpenRequest request;
    auto* disclosure = request.add_disclosures();
    disclosure->set_grant(grant_for(person, way));
    auto* item = disclosure->add_items();
    item->set_field(name ? "birth_name" : "email");
    item->set_record((name ? person.name_record : person.email_record).bytes());
    item->set_sealed(name ? person.sealed_name : person.sealed_email);
    item->set_schema_version(1);
    const auto& door = way.purpose == "self_service" ? portal_ : desk_;
    CLOISON_TRY(auto response, door.open(request));
    if (response.disclosed_size() != 1)
        return fail(ErrorCode::kCorrupt, "another number of disclosures than was asked for");
    auto& disclosed = *response.mutable_disclosed(0);
    if (!disclosed.error().empty())
        return fail(keeper::error_from_wire_name(disclosed.error()), disclosed.error_message());
    return std::move(disclosed);
}

Result<keeper::v1::HistoryResponse> KeeperCalls::history(const Person& person,
                                                         std::uint32_t limit) {
    keeper::v1::HistoryRequest request;
    request.set_grant(own_grant(person));
    request.set_limit(limit);
    return portal_.history(request);
}

Result<std::string> KeeperCalls::prove(const Person& person, std::uint64_t index) {
    keeper::v1::ProveRequest request;
    request.set_grant(own_grant(person));
    request.set_index(index);
    CLOISON_TRY(const auto response, portal_.prove(request));
    return response.proof();
}

Result<keeper::v1::ReadEntriesResponse> KeeperCalls::read_entries(std::uint64_t first,
                                                                  std::uint32_t count) {
    keeper::Grant read = grant("investigate", "desk", registry::Role::kDpo);
    read.reason = "incident";
    keeper::v1::ReadEntriesRequest request;
    request.set_grant(keeper::sign_grant(grant_key_, read));
    request.set_first(first);
    request.set_count(count);
    return desk_.read_entries(request);
}

Result<std::string> KeeperCalls::blind_index(const std::string& value) {
    keeper::v1::BlindIndexRequest request;
    request.set_field("email");
    request.set_value(value);
    CLOISON_TRY(const auto response, portal_.blind_index(request));
    return response.index();
}

Result<std::string> KeeperCalls::harden(const RequestId& record) {
    keeper::v1::HardenRequest request;
    request.set_stretched(std::string(32, 's'));
    request.set_record(record.bytes());
    CLOISON_TRY(const auto response, identity_.harden(request));
    return response.hardened();
}

Status KeeperCalls::erase(const Person& person, const ActorId& dpo) {
    keeper::Grant erase = grant("erase", "desk", registry::Role::kDpo);
    erase.actor = dpo;
    erase.reason = "erasure_request";
    erase.person = identity_handle(person);
    keeper::v1::EraseRequest request;
    request.set_grant(keeper::sign_grant(grant_key_, erase));
    CLOISON_TRY_STATUS(desk_.erase(request));
    return {};
}

Result<keeper::v1::RotateResponse> KeeperCalls::rotate(keeper::v1::RotateRequest::Action action) {
    keeper::v1::RotateRequest request;
    request.set_action(action);
    return operator_.rotate(request);
}

keeper::Grant KeeperCalls::grant(const char* purpose, const char* door, registry::Role role) const {
    keeper::Grant grant;
    grant.id = RequestId::random(system_random()).hex();
    grant.actor = ActorId::random(system_random());
    grant.session = SessionId::random(system_random());
    grant.role = role;
    grant.door = door;
    grant.origin = "127.0.0.1";
    grant.purpose = purpose;
    grant.issued = load_clock().now();
    grant.expires = grant.issued + Duration(5 * 60'000);
    return grant;
}

Bytes KeeperCalls::identity_handle(const Person& person) const {
    return handle(handle_key_, registry::Compartment::kIdentity, person.identity_pseudonym, {});
}

Bytes KeeperCalls::casework_handle(const Person& person) const {
    return handle(handle_key_, registry::Compartment::kCasework, person.casework_pseudonym,
                  person.case_reference);
}

std::string KeeperCalls::own_grant(const Person& person) const {
    return grant_for(person, {"self_service", person.actor, person.session});
}

std::string KeeperCalls::grant_for(const Person& person, const Way& way) const {
    keeper::Grant made = grant("self_service", "portal", registry::Role::kResident);
    made.purpose = way.purpose;
    made.actor = way.actor;
    made.session = way.session;
    made.fields = {"email"};
    if (way.purpose == "support_call") {
        made.door = "desk";
        made.role = registry::Role::kSupport;
        made.reason = "call";
    }
    if (way.purpose == "process_request") {
        made.door = "desk";
        made.role = registry::Role::kOfficer;
        made.reason = "examine";
        made.fields = {"birth_name"};
        made.case_handle = casework_handle(person);
    } else {
        made.person = identity_handle(person);
    }
    return keeper::sign_grant(grant_key_, made);
}

}  // namespace cloison::faults
