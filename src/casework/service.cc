#include "casework/service.h"

#include "casework/canaries.h"
#include "casework/queue.h"
#include "casework/requests.h"

namespace cloison::casework {
namespace {

constexpr std::string_view kPortal = "portal";
constexpr std::string_view kDesk = "desk";

void fill_request(const RequestRow& row, v1::Request& out) {
    out.set_request(row.request.bytes());
    out.set_type(row.type);
    out.set_reference(row.reference);
    out.set_status(std::string(status_code(row.status)));
    out.set_created_ms(to_unix_ms(row.created));
    out.set_version(row.version);
}

void fill_details(const RequestDetails& details, v1::Request& out) {
    fill_request(details.row, out);
    for (const SealedValue& value : details.values) {
        auto& field = *out.add_values();
        field.set_field(value.field);
        field.set_record(details.row.request.bytes());
        field.set_sealed(to_string(value.sealed));
    }
    for (const StatusEvent& event : details.history) {
        auto& line = *out.add_history();
        line.set_sequence(event.sequence);
        line.set_status(std::string(status_code(event.status)));
        line.set_at_ms(to_unix_ms(event.at));
        line.set_by(std::string(party_name(event.party)));
        if (event.actor) line.set_actor(event.actor->bytes());
    }
    for (const StoredMessage& message : details.messages) {
        auto& line = *out.add_messages();
        line.set_message(message.message.bytes());
        line.set_sealed(to_string(message.sealed));
        line.set_from(std::string(party_name(message.sender)));
        if (message.actor) line.set_actor(message.actor->bytes());
        line.set_at_ms(to_unix_ms(message.at));
    }
}

void fill_assignment(const RequestRow& row, v1::Request& out) {
    if (row.assigned_to) out.set_assigned_to(row.assigned_to->bytes());
}

Result<NewMessage> to_message(const std::string& id, const std::string& sealed) {
    NewMessage message;
    CLOISON_TRY(message.message, MessageId::from_bytes(id));
    message.sealed = to_bytes(sealed);
    return message;
}

Result<ValueChanges> to_changes(const v1::SaveValuesRequest& request, const RequestId& id) {
    ValueChanges changes;
    changes.version = request.version();
    for (const auto& value : request.values()) {
        if (value.record() != id.bytes())
            return fail(ErrorCode::kInvalidArgument, "A value is sealed for another record.");
        changes.written.push_back({value.field(), to_bytes(value.sealed())});
    }
    changes.cleared.assign(request.cleared().begin(), request.cleared().end());
    return changes;
}

Result<QueueFilter> to_filter(const v1::QueueRequest& request) {
    QueueFilter filter;
    if (!request.status().empty()) {
        CLOISON_TRY(filter.status, status_from_code(request.status()));
    }
    filter.type = request.type();
    filter.reference = request.reference();
    filter.mine = request.mine();
    filter.offset = request.offset();
    filter.limit = request.limit();
    return filter;
}

/// One function per method: grant, then domain.
class Handlers {
  public:
    Handlers(const Store& store, const Access& access) : store_(store), access_(access) {}

    Result<v1::CreateRequestResponse> create(const net::Caller& caller,
                                             const v1::CreateRequestRequest& request) const {
        CLOISON_TRY(const auto person, access_.resident(caller, request.grant()));
        Applicant applicant{person, {}};
        CLOISON_TRY(applicant.subject, access_.subject_maker(person));
        CLOISON_TRY(const auto id, create_request(store_, applicant, request.type()));
        v1::CreateRequestResponse response;
        response.set_request(id.bytes());
        return response;
    }

    Result<v1::ListRequestsResponse> list(const net::Caller& caller,
                                          const v1::ListRequestsRequest& request) const {
        CLOISON_TRY(const auto person, access_.resident(caller, request.grant()));
        CLOISON_TRY(const auto rows, list_requests(store_, person));
        v1::ListRequestsResponse response;
        for (const RequestRow& row : rows) fill_request(row, *response.add_requests());
        return response;
    }

    Result<v1::GetRequestResponse> get(const net::Caller& caller,
                                       const v1::GetRequestRequest& request) const {
        CLOISON_TRY(const auto person, access_.resident(caller, request.grant()));
        CLOISON_TRY(const auto id, RequestId::from_bytes(request.request()));
        CLOISON_TRY(const auto details, get_request(store_, Reach::of_resident(person), id));
        v1::GetRequestResponse response;
        fill_details(details, *response.mutable_request());
        CLOISON_TRY(*response.mutable_ticket(), access_.ticket(details.row.subject, std::nullopt));
        return response;
    }

    Result<v1::SaveValuesResponse> save(const net::Caller& caller,
                                        const v1::SaveValuesRequest& request) const {
        CLOISON_TRY(const auto person, access_.resident(caller, request.grant()));
        CLOISON_TRY(const auto id, RequestId::from_bytes(request.request()));
        CLOISON_TRY(const auto changes, to_changes(request, id));
        CLOISON_TRY(const auto version, save_values(store_, person, id, changes));
        v1::SaveValuesResponse response;
        response.set_version(version);
        return response;
    }

    Result<v1::SubmitResponse> submit(const net::Caller& caller,
                                      const v1::SubmitRequest& request) const {
        CLOISON_TRY(const auto person, access_.resident(caller, request.grant()));
        CLOISON_TRY(const auto id, RequestId::from_bytes(request.request()));
        CLOISON_TRY_STATUS(submit_request(store_, person, id, request.version()));
        return v1::SubmitResponse();
    }

    Result<v1::WithdrawResponse> withdraw(const net::Caller& caller,
                                          const v1::WithdrawRequest& request) const {
        CLOISON_TRY(const auto person, access_.resident(caller, request.grant()));
        CLOISON_TRY(const auto id, RequestId::from_bytes(request.request()));
        CLOISON_TRY_STATUS(withdraw_request(store_, person, id));
        return v1::WithdrawResponse();
    }

    Result<v1::PostMessageResponse> post(const net::Caller& caller,
                                         const v1::PostMessageRequest& request) const {
        CLOISON_TRY(const auto sender, find_sender(caller, request.grant()));
        CLOISON_TRY(const auto id, RequestId::from_bytes(request.request()));
        CLOISON_TRY(const auto message, to_message(request.message(), request.sealed()));
        CLOISON_TRY_STATUS(post_message(store_, sender.reach, id, message, sender.by));
        return v1::PostMessageResponse();
    }

    Result<v1::QueueResponse> queue(const net::Caller& caller,
                                    const v1::QueueRequest& request) const {
        CLOISON_TRY(const auto officer, access_.officer(caller, request.grant()));
        CLOISON_TRY(const auto filter, to_filter(request));
        CLOISON_TRY(const auto page, read_queue(store_, officer, filter));
        v1::QueueResponse response;
        for (const RequestRow& row : page.requests) {
            auto& line = *response.add_requests();
            fill_request(row, line);
            fill_assignment(row, line);
        }
        response.set_total(page.total);
        return response;
    }

    Result<v1::TakeCaseResponse> take(const net::Caller& caller,
                                      const v1::TakeCaseRequest& request) const {
        CLOISON_TRY(const auto officer, access_.officer(caller, request.grant()));
        CLOISON_TRY(const auto id, RequestId::from_bytes(request.request()));
        CLOISON_TRY_STATUS(take_case(store_, officer, id));
        return v1::TakeCaseResponse();
    }

    Result<v1::ReleaseCaseResponse> release(const net::Caller& caller,
                                            const v1::ReleaseCaseRequest& request) const {
        CLOISON_TRY(const auto officer, access_.officer(caller, request.grant()));
        CLOISON_TRY(const auto id, RequestId::from_bytes(request.request()));
        CLOISON_TRY_STATUS(release_case(store_, officer, id));
        return v1::ReleaseCaseResponse();
    }

    Result<v1::GetCaseResponse> get_case(const net::Caller& caller,
                                         const v1::GetCaseRequest& request) const {
        CLOISON_TRY(const auto officer, access_.officer(caller, request.grant()));
        CLOISON_TRY(const auto id, RequestId::from_bytes(request.request()));
        CLOISON_TRY(const auto details, get_request(store_, Reach::of_officer(officer), id));
        v1::GetCaseResponse response;
        fill_details(details, *response.mutable_request());
        fill_assignment(details.row, *response.mutable_request());
        CLOISON_TRY(*response.mutable_ticket(), access_.ticket(details.row.subject, officer));
        return response;
    }

    Result<v1::DecideResponse> decide(const net::Caller& caller,
                                      const v1::DecideRequest& request) const {
        CLOISON_TRY(const auto officer, access_.officer(caller, request.grant()));
        CLOISON_TRY(const auto id, RequestId::from_bytes(request.request()));
        Decision decision;
        decision.version = request.version();
        CLOISON_TRY(decision.status, status_from_code(request.status()));
        if (!request.message().empty() || !request.sealed_message().empty()) {
            CLOISON_TRY(decision.message, to_message(request.message(), request.sealed_message()));
        }
        CLOISON_TRY_STATUS(decide_case(store_, officer, id, decision));
        return v1::DecideResponse();
    }

    Result<v1::PlantCanaryResponse> plant_canary(const net::Caller&,
                                                 const v1::PlantCanaryRequest& request) const {
        CanaryRequest canary;
        CLOISON_TRY(canary.request, RequestId::from_bytes(request.request()));
        canary.type = request.type();
        for (const auto& value : request.values()) {
            if (value.record() != request.request())
                return fail(ErrorCode::kInvalidArgument, "A value is sealed for another record.");
            canary.values.push_back({value.field(), to_bytes(value.sealed())});
        }
        CLOISON_TRY(canary.applicant.pseudonym, access_.enrolled(request.enrolment()));
        CLOISON_TRY(canary.applicant.subject, access_.subject_maker(canary.applicant.pseudonym));
        CLOISON_TRY_STATUS(casework::plant_canary(store_, canary));
        return v1::PlantCanaryResponse();
    }

  private:
    struct Sender {
        Reach reach;
        By by;
    };
    Result<Sender> find_sender(const net::Caller& caller, const std::string& grant) const {
        CLOISON_TRY(const bool is_resident, access_.is_resident(grant));
        if (is_resident) {
            CLOISON_TRY(const auto person, access_.resident(caller, grant));
            return Sender{Reach::of_resident(person), {Party::kResident, std::nullopt}};
        }
        CLOISON_TRY(const auto officer, access_.officer(caller, grant));
        return Sender{Reach::of_officer(officer), {Party::kOfficer, officer}};
    }

    Store store_;
    const Access& access_;
};

}  // namespace

std::shared_ptr<net::RpcService> make_service(const Store& store, const Access& access) {
    auto service = std::make_shared<net::RpcService>(
        v1::CreateRequestRequest::descriptor()->file()->FindServiceByName("Casework"));
    const auto handlers = std::make_shared<const Handlers>(store, access);
    const auto on = [&]<class Request, class Response>(
                        std::string_view method, std::vector<std::string> allowed,
                        Result<Response> (Handlers::*handler)(const net::Caller&, const Request&)
                            const) {
        service->on<Request, Response>(
            method, std::move(allowed),
            [handlers, handler](const net::Caller& caller, const Request& request) {
                return (handlers.get()->*handler)(caller, request);
            });
    };
    const std::vector<std::string> portal{std::string(kPortal)};
    const std::vector<std::string> desk{std::string(kDesk)};
    on("CreateRequest", portal, &Handlers::create);
    on("ListRequests", portal, &Handlers::list);
    on("GetRequest", portal, &Handlers::get);
    on("SaveValues", portal, &Handlers::save);
    on("Submit", portal, &Handlers::submit);
    on("Withdraw", portal, &Handlers::withdraw);
    on("PostMessage", {std::string(kPortal), std::string(kDesk)}, &Handlers::post);
    on("Queue", desk, &Handlers::queue);
    on("TakeCase", desk, &Handlers::take);
    on("ReleaseCase", desk, &Handlers::release);
    on("GetCase", desk, &Handlers::get_case);
    on("Decide", desk, &Handlers::decide);
    on("PlantCanary", {"operator"}, &Handlers::plant_canary);
    return service;
}

}  // namespace cloison::casework
