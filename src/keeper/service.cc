#include "keeper/client/errors.h"
#include "keeper/parts.h"
#include "keeper/tokens.h"

#include "cloison/keeper/v1/keeper.pb.h"

namespace cloison::keeper {
namespace {

using net::Caller;

const std::vector<std::string> kDoors{"portal", "desk"};
const std::vector<std::string> kDoorsAndOperator{"portal", "desk", "operator"};
const std::vector<std::string> kCompartments{"identity", "casework", "documents"};

SubjectClaim to_claim(const v1::Subject& subject) {
    switch (subject.subject_case()) {
        case v1::Subject::kGrant:
            return ByGrant{subject.grant()};
        case v1::Subject::kEnrolment:
            return ByEnrolment{as_bytes(subject.enrolment())};
        case v1::Subject::kHandle:
            return ByHandle{as_bytes(subject.handle()), subject.approval()};
        case v1::Subject::kPseudonym:
            return ByPseudonym{as_bytes(subject.pseudonym())};
        case v1::Subject::SUBJECT_NOT_SET:
            break;
    }
    return std::monostate{};
}

DisclosureRequest to_request(const v1::Disclosure& disclosure) {
    DisclosureRequest request{disclosure.grant(), as_bytes(disclosure.handle()), {}};
    for (const auto& item : disclosure.items())
        request.values.push_back({item.field(), as_bytes(item.record()), as_bytes(item.sealed()),
                                  item.schema_version()});
    return request;
}

Result<Investigation::ListPage> to_list_page(const v1::HandlesRequest& request) {
    Investigation::ListPage page;
    page.persons.assign(request.persons().begin(), request.persons().end());
    page.number = request.page();
    for (const auto& digest : request.pages()) {
        auto& out = page.digests.emplace_back();
        if (digest.size() != out.size())
            return fail(ErrorCode::kInvalidArgument, "The digest of a page has 32 bytes.");
        std::copy(digest.begin(), digest.end(), out.begin());
    }
    return page;
}

void fill(v1::Disclosed& out, const Disclosure& disclosure) {
    if (disclosure.error) {
        out.set_error(std::string(wire_error_name(disclosure.error->code)));
        out.set_error_message(disclosure.error->message);
        return;
    }
    for (const auto& value : disclosure.values) out.add_values(std::string(value.text()));
    out.mutable_receipt()->set_index(disclosure.receipt.index);
    out.mutable_receipt()->set_leaf_hash(to_string(disclosure.receipt.leaf));
    out.mutable_receipt()->set_time_ms(to_unix_ms(disclosure.receipt.at));
}

}  // namespace

std::shared_ptr<net::RpcService> Keeper::Parts::make_service() {
    auto service = std::make_shared<net::RpcService>(
        v1::DescribeRequest::descriptor()->file()->FindServiceByName("Keeper"));
    Parts& p = *this;

    service->on<v1::EnrollRequest, v1::EnrollResponse>(
        "Enroll", {"portal"},
        [&p](const Caller&, const v1::EnrollRequest& request) -> Result<v1::EnrollResponse> {
            CLOISON_TRY(const auto enrolled, p.persons->enroll(request.count()));
            v1::EnrollResponse response;
            for (const auto& person : enrolled)
                response.add_enrolments(
                    to_string(make_enrolment(p.keys, person, p.clock->now(), *p.random)));
            return response;
        });

    service->on<v1::ResolveRequest, v1::ResolveResponse>(
        "Resolve", kCompartments,
        [&p](const Caller& caller,
             const v1::ResolveRequest& request) -> Result<v1::ResolveResponse> {
            CLOISON_TRY(const auto resolved,
                        p.subjects->resolve(caller.service, to_claim(request.subject())));
            v1::ResolveResponse response;
            response.set_pseudonym(to_string(resolved.pseudonym));
            response.set_case_tag(to_string(resolved.case_tag));
            return response;
        });

    service->on<v1::SealRequest, v1::SealResponse>(
        "Seal", {"portal", "desk", "identity"},
        [&p](const Caller& caller, const v1::SealRequest& request) -> Result<v1::SealResponse> {
            CLOISON_TRY(const auto writer,
                        p.subjects->writer(caller.service, to_claim(request.subject())));
            std::vector<PlainValue> values;
            for (const auto& item : request.items())
                values.push_back({item.field(), as_bytes(item.record()), as_bytes(item.value()),
                                  item.schema_version()});
            CLOISON_TRY(const auto sealed, p.sealer->seal(writer, values));
            v1::SealResponse response;
            for (const auto& value : sealed) response.add_sealed(to_string(value));
            return response;
        });

    service->on_deferred<v1::OpenRequest, v1::OpenResponse>(
        "Open", kDoors,
        [&p](const Caller& caller, const v1::OpenRequest& request,
             net::Answer<v1::OpenResponse> answer) {
            // One too many says enough: a message has room for millions.
            const auto count =
                std::min(request.disclosures_size(), static_cast<int>(kMaxDisclosures) + 1);
            std::vector<DisclosureRequest> requests;
            requests.reserve(static_cast<std::size_t>(count));
            for (int i = 0; i < count; ++i) requests.push_back(to_request(request.disclosures(i)));
            const auto shared = std::make_shared<net::Answer<v1::OpenResponse>>(std::move(answer));
            p.discloser->open(caller.service, requests,
                              [shared](const Result<Disclosures>& disclosed) {
                                  if (!disclosed) return shared->refuse(disclosed.error());
                                  v1::OpenResponse& response = shared->response();
                                  for (const auto& disclosure : disclosed->each)
                                      fill(*response.add_disclosed(), disclosure);
                                  response.set_signature(to_string(disclosed->signature));
                                  shared->send();
                              });
        });

    service->on<v1::BlindIndexRequest, v1::BlindIndexResponse>(
        "BlindIndex", kDoorsAndOperator,
        [&p](const Caller& caller,
             const v1::BlindIndexRequest& request) -> Result<v1::BlindIndexResponse> {
            CLOISON_TRY(const auto index, p.blind_index->look_up(caller.service, request.field(),
                                                                 as_bytes(request.value())));
            v1::BlindIndexResponse response;
            response.set_index(to_string(index));
            return response;
        });

    service->on<v1::HardenRequest, v1::HardenResponse>(
        "Harden", {"identity"},
        [&p](const Caller&, const v1::HardenRequest& request) -> Result<v1::HardenResponse> {
            CLOISON_TRY(const auto hardened, p.hardener->harden(as_bytes(request.record()),
                                                                as_bytes(request.stretched())));
            v1::HardenResponse response;
            response.set_hardened(to_string(hardened));
            return response;
        });

    service->on<v1::HistoryRequest, v1::HistoryResponse>(
        "History", {"portal"},
        [&p](const Caller& caller,
             const v1::HistoryRequest& request) -> Result<v1::HistoryResponse> {
            CLOISON_TRY(const auto lines, p.own_lines->read(caller.service, request.grant(),
                                                            request.before(), request.limit()));
            v1::HistoryResponse response;
            for (const auto& line : lines) {
                auto* out = response.add_lines();
                out->set_index(line.index);
                out->set_entry(to_string(line.entry));
            }
            return response;
        });

    service->on<v1::ProveRequest, v1::ProveResponse>(
        "Prove", {"portal"},
        [&p](const Caller& caller, const v1::ProveRequest& request) -> Result<v1::ProveResponse> {
            v1::ProveResponse response;
            CLOISON_TRY(*response.mutable_proof(),
                        p.own_lines->prove(caller.service, request.grant(), request.index()));
            return response;
        });

    service->on<v1::ReadEntriesRequest, v1::ReadEntriesResponse>(
        "ReadEntries", {"desk"},
        [&p](const Caller& caller,
             const v1::ReadEntriesRequest& request) -> Result<v1::ReadEntriesResponse> {
            CLOISON_TRY(const auto read, p.investigation->read(caller.service, request.grant(),
                                                               request.first(), request.count()));
            v1::ReadEntriesResponse response;
            for (const auto& entry : read.entries) response.add_entries(to_string(entry));
            response.set_size(read.size);
            response.set_checkpoint(read.checkpoint);
            return response;
        });

    service->on<v1::HandlesRequest, v1::HandlesResponse>(
        "Handles", {"desk"},
        [&p](const Caller& caller,
             const v1::HandlesRequest& request) -> Result<v1::HandlesResponse> {
            CLOISON_TRY(const auto page, to_list_page(request));
            CLOISON_TRY(const auto handles,
                        p.investigation->handles(caller.service, request.grant(), page));
            v1::HandlesResponse response;
            for (const auto& handle : handles) response.add_handles(to_string(handle));
            return response;
        });

    service->on<v1::EraseRequest, v1::EraseResponse>(
        "Erase", {"desk"},
        [&p](const Caller& caller, const v1::EraseRequest& request) -> Result<v1::EraseResponse> {
            CLOISON_TRY_STATUS(p.eraser->erase(caller.service, request.grant()));
            return v1::EraseResponse{};
        });

    add_operation(*service);
    return service;
}

}  // namespace cloison::keeper
