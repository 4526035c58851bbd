#include "crypto/keys.h"
#include "identity/handlers.h"
#include "identity/identity.h"
#include "identity/identity_schema.h"
#include "keeper/client/store_generation.h"

namespace cloison::identity {
namespace {

const std::vector<std::string> kPortal = {"portal"};
const std::vector<std::string> kDesk = {"desk"};
const std::vector<std::string> kDoors = {"portal", "desk"};
const std::vector<std::string> kDeskAndOperator = {"desk", "operator"};

/// Ties a method to its function and to the services that may call it.
template <class Request, class Response>
void bind(net::RpcService& service, Core& core, std::string_view method,
          const std::vector<std::string>& allowed,
          Result<Response> (*function)(Core&, const net::Caller&, const Request&)) {
    service.on<Request, Response>(
        method, allowed, [&core, function](const net::Caller& caller, const Request& request) {
            return function(core, caller, request);
        });
}

std::shared_ptr<net::RpcService> make_service(Core& core) {
    auto service = std::make_shared<net::RpcService>(
        v1::BeginSignUpRequest::descriptor()->file()->FindServiceByName("Identity"));
    const auto add = [&](std::string_view method, const std::vector<std::string>& allowed,
                         auto* function) { bind(*service, core, method, allowed, function); };
    add("BeginSignUp", kPortal, &begin_sign_up);
    add("ConfirmSignUp", kPortal, &confirm_sign_up);
    add("CompleteSignUp", kPortal, &complete_sign_up);
    add("SignIn", kDoors, &sign_in);
    add("SignInTotp", kDoors, &sign_in_totp);
    add("GetSession", kDoors, &get_session);
    add("ListSessions", kDoors, &list_sessions);
    add("EndSession", kDoors, &end_session);
    add("SignOut", kDoors, &sign_out);
    add("ListSignIns", kDoors, &list_sign_ins);
    add("BeginTotp", kDoors, &begin_totp);
    add("ConfirmTotp", kDoors, &confirm_totp);
    add("RemoveTotp", kDoors, &remove_totp);
    add("GetProfile", kDoors, &get_profile);
    add("SaveProfile", kPortal, &save_profile);
    add("GetProfiles", kDesk, &get_profiles);
    add("IssueGrant", kDoors, &issue_grant);
    add("RequestApproval", kDesk, &request_approval);
    add("Approve", kDesk, &approve);
    add("ListApprovals", kDesk, &list_approvals);
    add("CreateStaff", kDeskAndOperator, &create_staff);
    add("ListStaff", kDeskAndOperator, &list_staff);
    add("DisableStaff", kDesk, &disable_staff);
    add("DescribeActors", kDoors, &describe_actors);
    add("PlantCanary", {"operator"}, &plant_canary);
    return service;
}

}  // namespace

struct Identity::Parts {
    Core core;
    keeper::StoreGeneration generation;
};

Identity::Identity(std::unique_ptr<Parts> parts)
    : parts_(std::move(parts)), service_(make_service(parts_->core)) {}

Identity::~Identity() = default;

Result<std::unique_ptr<Identity>> Identity::open(Options options, registry::Registry registry,
                                                 keeper::KeeperClient keeper,
                                                 crypto::VerifyKey casework, FileSystem& files,
                                                 Clock& clock, Random& random) {
    crypto::initialize();
    for (const char* name : {"email", "phone", "family_name", "given_names", "sign_in_trace"}) {
        const auto* field = registry.field(name);
        if (field == nullptr || field->compartment != registry::Compartment::kIdentity)
            return fail(ErrorCode::kInvalidArgument,
                        std::string("The register does not declare ") + name + " for identity.");
    }
    CLOISON_TRY(auto keys, load_keys(files, options.directory));
    CLOISON_TRY(auto database,
                storage::open_sqlite(options.directory / "identity.sqlite", identity_schema()));
    CLOISON_TRY(const Secret service_key,
                crypto::load_key_file(files, options.directory / "service.key"));
    const auto interval = options.generation_interval;
    auto& opened = *database;
    std::unique_ptr<Parts> parts(
        new Parts{Core(std::move(options), std::move(registry), keeper, casework, std::move(keys),
                       std::move(database), clock, random),
                  {opened, std::move(keeper), service_key.view()}});
    if (interval) parts->generation.start(*interval);
    return std::unique_ptr<Identity>(new Identity(std::move(parts)));
}

}  // namespace cloison::identity
