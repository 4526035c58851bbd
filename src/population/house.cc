#include "population/house.h"

namespace cloison::population {

Result<std::unique_ptr<House>> House::open(const Options& options, FileSystem& files, Clock& clock,
                                           Random& random) {
    CLOISON_TRY(auto registry, registry::Registry::load(files, options.registry_file));
    CLOISON_TRY(const auto trust, net::TrustStore::load(files, options.trust));
    CLOISON_TRY(const auto grants, trust.key("identity-grants"));
    CLOISON_TRY(const auto tickets, trust.key("casework-tickets"));
    CLOISON_TRY(auto types, casework::load_request_types(files, options.request_types, registry));

    std::unique_ptr<House> house(new House);
    keeper::Keeper::Options keeper;
    keeper.directory = options.keeper;
    keeper.origin = options.journal_origin;
    CLOISON_TRY(house->keeper_,
                keeper::Keeper::open(keeper, registry, grants, files, clock, random));
    const auto keeper_as = [&](const char* caller) {
        return keeper::KeeperClient(net::local_rpc(house->keeper_->service(), caller));
    };
    identity::Identity::Options identity;
    identity.directory = options.identity;
    identity.password_cost = options.password_cost;
    identity.handle_key = house->keeper_->handle_key();
    CLOISON_TRY(house->identity_,
                identity::Identity::open(identity, registry, keeper_as("identity"), tickets, files,
                                         clock, random));
    CLOISON_TRY(house->casework_,
                casework::Casework::open({.directory = options.casework}, std::move(types), grants,
                                         keeper_as("casework"), files, clock, random));
    CLOISON_TRY(house->documents_,
                documents::Documents::open({.directory = options.documents}, grants,
                                           keeper_as("documents"), files, clock));
    house->portal_ = house->door("portal");
    house->desk_ = house->door("desk");
    house->operator_ = house->door("operator");
    return house;
}

std::unique_ptr<Door> House::door(const std::string& name) const {
    return std::make_unique<Door>(
        Door{name, keeper::KeeperClient(net::local_rpc(keeper_->service(), name)),
             identity::IdentityClient(net::local_rpc(identity_->service(), name)),
             casework::CaseworkClient(net::local_rpc(casework_->service(), name)),
             documents::DocumentsClient(net::local_rpc(documents_->service(), name))});
}

}  // namespace cloison::population
