#include "keeper/client/errors.h"
#include "keeper/parts.h"

#include "cloison/keeper/v1/keeper.pb.h"

namespace cloison::keeper {
namespace {

using net::Caller;

tl::unexpected<Error> not_here() {
    return fail(ErrorCode::kUnavailable, "This keeper does not do that.");
}

}  // namespace

void Keeper::Parts::add_operation(net::RpcService& service) {
    Parts& p = *this;

    service.on<v1::RevokeRequest, v1::RevokeResponse>(
        "Revoke", {"identity"},
        [](const Caller&, const v1::RevokeRequest&) -> Result<v1::RevokeResponse> {
            return not_here();
        });

    service.on<v1::AlarmsRequest, v1::AlarmsResponse>(
        "Alarms", {"desk", "operator"},
        [](const Caller&, const v1::AlarmsRequest&) -> Result<v1::AlarmsResponse> {
            return not_here();
        });

    service.on<v1::PlantCanariesRequest, v1::PlantCanariesResponse>(
        "PlantCanaries", {"operator"},
        [](const Caller&, const v1::PlantCanariesRequest&) -> Result<v1::PlantCanariesResponse> {
            return not_here();
        });

    service.on<v1::CanariesRequest, v1::CanariesResponse>(
        "Canaries", {"operator"},
        [](const Caller&, const v1::CanariesRequest&) -> Result<v1::CanariesResponse> {
            return not_here();
        });

    service.on<v1::RotateRequest, v1::RotateResponse>(
        "Rotate", {"operator"},
        [](const Caller&, const v1::RotateRequest&) -> Result<v1::RotateResponse> {
            return not_here();
        });

    service.on<v1::DescribeRequest, v1::DescribeResponse>(
        "Describe", {"portal", "desk", "identity", "casework", "documents", "operator"},
        [&p](const Caller&, const v1::DescribeRequest&) -> Result<v1::DescribeResponse> {
            v1::DescribeResponse response;
            CLOISON_TRY(*response.mutable_checkpoint(), p.journal->checkpoint());
            response.set_verify_key(p.journal->verify_key());
            response.set_handle_key(to_string(p.keys.handle_keys().public_key().bytes));
            response.set_persons(p.persons->count());
            response.set_entries(p.journal->size());
            response.set_epoch(p.persons->epoch());
            return response;
        });
}

}  // namespace cloison::keeper
