#include "keeper/client/errors.h"
#include "keeper/parts.h"

#include "cloison/keeper/v1/keeper.pb.h"

namespace cloison::keeper {
namespace {

using net::Caller;

void fill(v1::RegisteredCanary& out, const Canary& canary) {
    out.set_number(canary.number);
    out.set_copy(canary.copy);
    out.set_compartment(std::string(registry::compartment_name(canary.compartment)));
    out.set_person(canary.person.ordinal);
    out.set_planted_ms(to_unix_ms(canary.planted));
    for (const auto& value : canary.values) {
        auto* item = out.add_items();
        item->set_field(value.field);
        item->set_record(to_string(value.record));
        item->set_value(to_string(value.value));
        item->set_schema_version(value.schema_version);
    }
}

Status revoke(Revocations& revocations, const v1::RevokeRequest& request, Recorder& recorder,
              Alarms& alarms) {
    const Time until = from_unix_ms(request.issued_until_ms());
    if (request.has_session()) {
        CLOISON_TRY(const auto session, SessionId::from_bytes(as_bytes(request.session())));
        const bool given = request.issued_until_ms() != 0;
        return revocations.revoke(session, given ? std::optional(until) : std::nullopt, recorder,
                                  alarms);
    }
    if (request.has_actor()) {
        CLOISON_TRY(const auto actor, ActorId::from_bytes(as_bytes(request.actor())));
        return revocations.revoke(actor, until, recorder, alarms);
    }
    return fail(ErrorCode::kInvalidArgument, "The call names neither a session nor an actor.");
}

}  // namespace

void Keeper::Parts::add_operation(net::RpcService& service) {
    Parts& p = *this;

    service.on<v1::RevokeRequest, v1::RevokeResponse>(
        "Revoke", {"identity"},
        [&p](const Caller&, const v1::RevokeRequest& request) -> Result<v1::RevokeResponse> {
            CLOISON_TRY_STATUS(revoke(p.revocations, request, *p.recorder, *p.alarms));
            return v1::RevokeResponse{};
        });

    service.on<v1::AlarmsRequest, v1::AlarmsResponse>(
        "Alarms", {"desk", "operator"},
        [&p](const Caller&, const v1::AlarmsRequest& request) -> Result<v1::AlarmsResponse> {
            CLOISON_TRY(const auto lines, p.history->alarms(request.before(), request.limit()));
            v1::AlarmsResponse response;
            for (const auto& line : lines) {
                auto* out = response.add_lines();
                out->set_index(line.index);
                out->set_entry(to_string(line.entry));
            }
            CLOISON_TRY(const auto total, p.history->alarm_count());
            response.set_total(total);
            return response;
        });

    service.on<v1::PlantCanariesRequest, v1::PlantCanariesResponse>(
        "PlantCanaries", {"operator"},
        [&p](const Caller&,
             const v1::PlantCanariesRequest& request) -> Result<v1::PlantCanariesResponse> {
            std::vector<std::vector<PlainValue>> lists;
            for (const auto& person : request.persons()) {
                auto& values = lists.emplace_back();
                for (const auto& item : person.items())
                    values.push_back({item.field(), as_bytes(item.record()), as_bytes(item.value()),
                                      item.schema_version()});
            }
            CLOISON_TRY(const auto planted,
                        p.canaries->plant(request.copy(), request.compartment(), lists));
            v1::PlantCanariesResponse response;
            for (const auto& canary : planted) {
                auto* out = response.add_persons();
                out->set_enrolment(to_string(canary.enrolment));
                for (const auto& sealed : canary.sealed) out->add_sealed(to_string(sealed));
                out->set_email_index(to_string(canary.email_index));
            }
            return response;
        });

    service.on<v1::CanariesRequest, v1::CanariesResponse>(
        "Canaries", {"operator"},
        [&p](const Caller&, const v1::CanariesRequest& request) -> Result<v1::CanariesResponse> {
            CLOISON_TRY(const auto found,
                        p.canaries->read(request.copy(), request.after(), request.limit()));
            v1::CanariesResponse response;
            for (const auto& canary : found) fill(*response.add_canaries(), canary);
            return response;
        });

    service.on<v1::RotateRequest, v1::RotateResponse>(
        "Rotate", {"operator"},
        [&p](const Caller&, const v1::RotateRequest& request) -> Result<v1::RotateResponse> {
            switch (request.action()) {
                case v1::RotateRequest::STATUS:
                    break;
                case v1::RotateRequest::START:
                    CLOISON_TRY_STATUS(p.rotation->start(request.pace()));
                    break;
                case v1::RotateRequest::PAUSE:
                    p.rotation->pause();
                    break;
                default:
                    return fail(ErrorCode::kInvalidArgument, "There is no such action.");
            }
            CLOISON_TRY(const auto state, p.rotation->state());
            v1::RotateResponse response;
            response.set_epoch(state.epoch);
            response.set_running(state.running);
            response.set_done(state.progress.done);
            response.set_total(state.progress.total);
            response.set_failure(state.failure);
            return response;
        });

    service.on<v1::ReportGenerationRequest, v1::ReportGenerationResponse>(
        "ReportGeneration", {"identity", "casework", "documents"},
        [&p](const Caller& caller,
             const v1::ReportGenerationRequest& request) -> Result<v1::ReportGenerationResponse> {
            CLOISON_TRY(const auto answer,
                        p.generations->report(caller.service, request.generation()));
            v1::ReportGenerationResponse response;
            response.set_put_back(answer.put_back);
            response.set_highest(answer.highest);
            return response;
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
            const auto witnessed = p.cosigner->state();
            response.set_witnessed_entries(witnessed.witnessed_entries);
            response.set_witnessed_ms(to_unix_ms(witnessed.witnessed_at));
            response.set_witnesses(static_cast<std::uint32_t>(witnessed.witnesses));
            response.set_witnesses_needed(static_cast<std::uint32_t>(witnessed.needed));
            response.set_witness_warning(witnessed.warning);
            CLOISON_TRY(const auto alarm_lines, p.history->alarm_count());
            response.set_alarms(alarm_lines);
            return response;
        });
}

}  // namespace cloison::keeper
