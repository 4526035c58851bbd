#include "casework/requests.h"

#include <algorithm>
#include <set>
#include <tuple>

#include "casework/casework.h"

namespace cloison::casework {
namespace {

// Without 0 O, 1 I L, U V (read aloud), 5 S, 8 B, 2 Z.
constexpr std::string_view kReferenceAlphabet = "34679ACDEFGHJKMNPQRTWXY";
constexpr std::size_t kReferenceLength = 10;
constexpr int kReferenceTries = 8;

/// The person's requests: those that are not final, and all.
struct Counts {
    std::int64_t open = 0;
    std::int64_t all = 0;
};

/// Every request on the list, first to last. None is ever removed, so the first place that is empty
/// is the end.
Result<std::vector<RequestRow>> read_list(storage::Transaction& transaction,
                                          const crypto::ListKey& list) {
    std::vector<RequestRow> requests;
    for (std::uint64_t number = 0; number < kMaxRequests; ++number) {
        CLOISON_TRY(const auto rows, transaction.query("SELECT " + std::string(kRequestColumns) +
                                                           " FROM request WHERE place = $1",
                                                       {storage::blob(list.place(number))}));
        if (rows.empty()) break;
        CLOISON_TRY(auto request, to_request(rows.front()));
        requests.push_back(std::move(request));
    }
    return requests;
}

Counts count_requests(const std::vector<RequestRow>& requests) {
    Counts counts;
    for (const RequestRow& request : requests) {
        ++counts.all;
        counts.open += is_final(request.status) ? 0 : 1;
    }
    return counts;
}

Result<std::string> unused_reference(storage::Transaction& transaction, Random& random) {
    for (int i = 0; i < kReferenceTries; ++i) {
        std::string reference = random_reference(random);
        CLOISON_TRY(const auto taken,
                    transaction.query("SELECT 1 FROM request WHERE reference = $1", {reference}));
        if (taken.empty()) return reference;
    }
    return fail(ErrorCode::kInternal, "No unused reference was found.");
}

Status check_fields(const RequestType& type, const ValueChanges& changes) {
    std::set<std::string_view> seen;
    const auto check = [&](const std::string& name) -> Status {
        if (type.field(name) == nullptr)
            return fail(ErrorCode::kInvalidArgument,
                        "A field is none of the request type " + type.name + '.');
        if (!seen.insert(name).second)
            return fail(ErrorCode::kInvalidArgument, "The field " + name + " is named twice.");
        return {};
    };
    for (const SealedValue& value : changes.written) {
        CLOISON_TRY_STATUS(check(value.field));
        CLOISON_TRY_STATUS(check_sealed(value.sealed));
    }
    for (const std::string& name : changes.cleared) CLOISON_TRY_STATUS(check(name));
    return {};
}

}  // namespace

Status check_presence(storage::Transaction& transaction, const RequestId& request,
                      const RequestType& type) {
    CLOISON_TRY(const auto rows,
                transaction.query("SELECT field FROM request_value WHERE request = $1",
                                  {storage::blob(request.view())}));
    std::set<std::string> present;
    for (const auto& line : rows) present.insert(line.text(0));
    for (const InputSection& section : type.sections)
        for (const InputPage& page : section.pages)
            for (const InputField& field : page.fields)
                if (field.required && !field.when && !present.contains(field.name))
                    return fail(ErrorCode::kInvalidArgument,
                                "The field " + field.name + " is missing.");
    return {};
}

Status check_values(const RequestType& type, const std::vector<SealedValue>& values) {
    return check_fields(type, {0, values, {}});
}

Status write_values(storage::Transaction& transaction, const RequestId& request,
                    const std::vector<SealedValue>& values) {
    for (const SealedValue& value : values)
        CLOISON_TRY_STATUS(transaction.execute(
            "INSERT INTO request_value (request, field, sealed) VALUES ($1, $2, $3) "
            "ON CONFLICT (request, field) DO UPDATE SET sealed = excluded.sealed",
            {storage::blob(request.view()), value.field, value.sealed}));
    return {};
}

Status insert_draft(storage::Transaction& transaction, const Store& store, const RequestId& request,
                    const Applicant& applicant, const std::string& type, Time now) {
    const auto list = list_of(applicant.pseudonym);
    CLOISON_TRY(const auto requests, read_list(transaction, list));
    const auto counts = count_requests(requests);
    if (counts.open >= kMaxOpenRequests)
        return fail(ErrorCode::kExhausted, "A person has at most 20 open requests.");
    if (counts.all >= kMaxRequests)
        return fail(ErrorCode::kExhausted, "A person has at most 200 requests.");
    CLOISON_TRY(auto reference, unused_reference(transaction, store.random));
    CLOISON_TRY_STATUS(transaction.execute(
        "INSERT INTO request (request, owner, place, subject, type, reference, status, version, "
        "created_ms) VALUES ($1, $2, $3, $4, $5, $6, 'draft', 1, $7)",
        {storage::blob(request.view()), list.mark(request.view()), list.place(requests.size()),
         applicant.subject(request), type, std::move(reference), to_unix_ms(to_day(now))}));
    return add_history(transaction, request, RequestStatus::kDraft,
                       {Party::kResident, std::nullopt}, now);
}

std::string random_reference(Random& random) {
    std::string reference;
    for (std::size_t i = 0; i < kReferenceLength; ++i)
        reference += kReferenceAlphabet[random.uniform(kReferenceAlphabet.size())];
    return reference;
}

Result<std::string> read_reference(std::string_view typed) {
    std::string reference;
    for (char c : typed) {
        if (c == ' ' || c == '-') continue;
        if (c >= 'a' && c <= 'z') c = static_cast<char>(c - 'a' + 'A');
        if (reference.size() == kReferenceLength ||
            kReferenceAlphabet.find(c) == std::string_view::npos)
            return fail(ErrorCode::kInvalidArgument, "This cannot be a reference.");
        reference += c;
    }
    if (reference.size() != kReferenceLength)
        return fail(ErrorCode::kInvalidArgument, "This cannot be a reference.");
    return reference;
}

Result<RequestId> create_request(const Store& store, const Applicant& applicant,
                                 const std::string& type) {
    if (!store.types.contains(type))
        return fail(ErrorCode::kInvalidArgument, "There is no such type of request.");
    const Time now = store.clock.now();
    return store.database.write_result<RequestId>(
        [&](storage::Transaction& transaction) -> Result<RequestId> {
            const auto request = RequestId::random(store.random);
            CLOISON_TRY_STATUS(insert_draft(transaction, store, request, applicant, type, now));
            return request;
        });
}

Result<std::vector<RequestRow>> list_requests(const Store& store,
                                              const CaseworkPseudonym& pseudonym) {
    return store.database.read_result<std::vector<RequestRow>>(
        [&](storage::Transaction& transaction) -> Result<std::vector<RequestRow>> {
            CLOISON_TRY(auto requests, read_list(transaction, list_of(pseudonym)));
            std::sort(
                requests.begin(), requests.end(), [](const RequestRow& a, const RequestRow& b) {
                    return std::tie(b.created, a.reference) < std::tie(a.created, b.reference);
                });
            return requests;
        });
}

Result<RequestDetails> get_request(const Store& store, const Reach& reach,
                                   const RequestId& request) {
    return store.database.read_result<RequestDetails>(
        [&](storage::Transaction& transaction) -> Result<RequestDetails> {
            CLOISON_TRY(auto row, find_request(transaction, request, reach));
            return read_details(transaction, std::move(row));
        });
}

Result<std::uint32_t> save_values(const Store& store, const CaseworkPseudonym& pseudonym,
                                  const RequestId& request, const ValueChanges& changes) {
    return store.database.write_result<std::uint32_t>(
        [&](storage::Transaction& transaction) -> Result<std::uint32_t> {
            CLOISON_TRY(
                const auto row,
                find_request(transaction, request, Reach::of_resident(pseudonym), changes.version));
            if (!is_editable(row.status))
                return fail(ErrorCode::kConflict, "A request that is " +
                                                      std::string(status_code(row.status)) +
                                                      " cannot be edited.");
            const auto type = store.types.find(row.type);
            if (type == store.types.end())
                return fail(ErrorCode::kConflict, "This type of request is no longer open.");
            CLOISON_TRY_STATUS(check_fields(type->second, changes));
            const auto id = storage::blob(request.view());
            CLOISON_TRY_STATUS(write_values(transaction, request, changes.written));
            for (const std::string& field : changes.cleared)
                CLOISON_TRY_STATUS(transaction.execute(
                    "DELETE FROM request_value WHERE request = $1 AND field = $2", {id, field}));
            CLOISON_TRY_STATUS(transaction.execute(
                "UPDATE request SET version = version + 1 WHERE request = $1", {id}));
            return row.version + 1;
        });
}

Status submit_request(const Store& store, const CaseworkPseudonym& pseudonym,
                      const RequestId& request, std::uint32_t version) {
    const Time now = store.clock.now();
    return store.database.write([&](storage::Transaction& transaction) -> Status {
        CLOISON_TRY(const auto row,
                    find_request(transaction, request, Reach::of_resident(pseudonym), version));
        const auto type = store.types.find(row.type);
        if (type == store.types.end())
            return fail(ErrorCode::kConflict, "This type of request is no longer open.");
        if (is_editable(row.status))
            CLOISON_TRY_STATUS(check_presence(transaction, row.request, type->second));
        const auto to = row.status == RequestStatus::kActionRequired ? RequestStatus::kInReview
                                                                     : RequestStatus::kSubmitted;
        return change_status(transaction, row, to, {Party::kResident, std::nullopt}, now);
    });
}

Status withdraw_request(const Store& store, const CaseworkPseudonym& pseudonym,
                        const RequestId& request) {
    const Time now = store.clock.now();
    return store.database.write([&](storage::Transaction& transaction) -> Status {
        CLOISON_TRY(const auto row,
                    find_request(transaction, request, Reach::of_resident(pseudonym)));
        CLOISON_TRY_STATUS(change_status(transaction, row, RequestStatus::kWithdrawn,
                                         {Party::kResident, std::nullopt}, now));
        if (row.status != RequestStatus::kDraft) return {};
        CLOISON_TRY_STATUS(transaction.execute("DELETE FROM request_value WHERE request = $1",
                                               {storage::blob(request.view())}));
        return {};
    });
}

}  // namespace cloison::casework
