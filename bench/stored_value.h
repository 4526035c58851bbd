#pragma once

#include <algorithm>
#include <array>
#include <string>

#include "base/id.h"
#include "bench/keeper_servers.h"
#include "keeper/client/grant.h"

namespace cloison::bench {

/// What a compartment keeps of one person: a pseudonym, and one sealed value in a row.
struct StoredValue {
    std::array<std::uint8_t, 16> pseudonym{};
    RequestId record;
    std::string sealed;
};

/// Seals a value for the person whom an enrolment stands for.
inline StoredValue store_value(const keeper::KeeperClient& portal,
                               const keeper::KeeperClient& identity, const std::string& enrolment) {
    StoredValue stored;
    keeper::v1::ResolveRequest resolve;
    resolve.mutable_subject()->set_enrolment(enrolment);
    const auto resolved = must(identity.resolve(resolve), "resolve");
    std::copy(resolved.pseudonym().begin(), resolved.pseudonym().end(), stored.pseudonym.begin());

    stored.record = RequestId::random(system_random());
    keeper::v1::SealRequest seal;
    seal.mutable_subject()->set_enrolment(enrolment);
    auto* plain = seal.add_items();
    plain->set_field("email");
    plain->set_record(stored.record.bytes());
    plain->set_value("somebody@bench.example");
    plain->set_schema_version(1);
    stored.sealed = must(portal.seal(seal), "seal").sealed(0);
    return stored;
}

/// Asks for the value under a grant of the person's own, which is made now.
inline keeper::v1::Disclosure disclosure_of(const Servers& servers, const StoredValue& stored) {
    keeper::Grant grant;
    grant.id = RequestId::random(system_random()).hex();
    grant.actor = ActorId::random(system_random());
    grant.session = SessionId::random(system_random());
    grant.door = "portal";
    grant.origin = "127.0.0.1";
    grant.purpose = "self_service";
    grant.fields = {"email"};
    grant.issued = system_clock().now();
    grant.expires = grant.issued + keeper::kMaxGrantLifetime;
    grant.person = keeper::make_handle(
        servers.handle_key(),
        keeper::HandleContent{registry::Compartment::kIdentity, stored.pseudonym, {}});

    keeper::v1::Disclosure disclosure;
    disclosure.set_grant(keeper::sign_grant(servers.grants(), grant));
    auto* item = disclosure.add_items();
    item->set_field("email");
    item->set_record(stored.record.bytes());
    item->set_sealed(stored.sealed);
    item->set_schema_version(1);
    return disclosure;
}

}  // namespace cloison::bench
