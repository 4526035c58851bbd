// Calls of the keeper, any method by any caller, of a real keeper in a temporary directory. The
// input is a list: method, caller, request; or 255 and how far the clock moves. In a request, a
// field of one character stands for something that the target knows and nobody could guess: a
// grant, a handle, a sealed value (House::stand_in), so that what lies behind the signatures is
// reached. The keeper stays from one input to the next, with a day between them, and is made anew
// every so often.
//
// Beyond not crashing, after any calls:
// - a caller that is not on a method's list is refused, and no answer is "a bug" or an I/O failure;
// - a value that comes out was sealed for just this person and field, and is what was put in;
// - its receipt names a line of the journal that says disclosed, this person, this field;
// - nothing of an erased person comes out; a line of somebody's history concerns that person;
// - every answer fits into a message.
#include <google/protobuf/descriptor.h>
#include <google/protobuf/message.h>

#include <map>
#include <optional>
#include <set>

#include "base/log.h"
#include "base/seeded_random.h"
#include "base/temporary_directory.h"
#include "crypto/keys.h"
#include "journal/entry.h"
#include "journal/journal.h"
#include "keeper/client/grant.h"
#include "keeper/client/person_list.h"
#include "keeper/client/receipt.h"
#include "keeper/keeper.h"
#include "keeper/tokens.h"
#include "target.h"

#include "cloison/keeper/v1/keeper.pb.h"

namespace cloison::fuzz {
namespace {

using google::protobuf::Message;
using keeper::Grant;
namespace v1 = keeper::v1;

constexpr std::size_t kPersons = 3;
constexpr int kMaxCalls = 8;
constexpr int kInputsPerKeeper = 1'000;
constexpr std::uint8_t kMoveClock = 255;
constexpr Duration kBetweenInputs{25 * 60 * 60 * 1000};
const std::vector<std::string> kCallers{"portal",    "desk",     "identity", "casework",
                                        "documents", "operator", "nobody"};
const std::vector<std::string> kFields{"email", "birth_name"};

/// A value that was sealed, and for whom.
struct Known {
    std::uint32_t person;
    std::string field;
    std::string value;
};

struct Resident {
    keeper::Person person;
    std::vector<std::string> sealed;  ///< One of each of kFields.
};

class House {
  public:
    House() {
        set_log_level(LogLevel::kError);
        FileSystem& files = local_file_system();
        const Path directory = temporary_.path() / "keeper";
        require(keeper::create_keeper_directory(files, directory, random_).has_value(),
                "a keeper's directory is made");
        const auto root = *crypto::load_key_file(files, directory / "root.key");
        keys_.emplace(*crypto::RootKey::from_bytes(root.view()));
        const Path fields = Path(CLOISON_SOURCE_DIR) / "registry" / "fields.toml";
        registry_ = *registry::Registry::load(files, fields);
        keeper::Keeper::Options options;
        options.directory = directory;
        auto opened = keeper::Keeper::open(options, registry_, identity_.verify_key(), files,
                                           clock_, random_);
        require(opened.has_value(), "a keeper opens");
        keeper_ = std::move(*opened);
        service_ = keeper_->service();
        for (std::size_t i = 0; i < kPersons; ++i) residents_.push_back(move_in());
    }

    bool run(ByteView input) {
        ++inputs_;
        clock_.advance(kBetweenInputs);
        Input in(input);
        bool answered = false;
        for (int i = 0; i < kMaxCalls && !in.empty(); ++i) {
            const std::uint8_t method = in.byte();
            if (method == kMoveClock)
                clock_.advance(Duration(in.u32() % (2 * 60 * 60 * 1000)));
            else
                answered = call(method, in) || answered;
        }
        for (auto& resident : residents_)
            if (erased_.contains(resident.person.ordinal)) resident = move_in();
        return answered;
    }
    int inputs() const { return inputs_; }

    static Bytes call_bytes(std::string_view method, std::string_view caller,
                            const Message& request) {
        const auto* service =
            v1::DescribeRequest::descriptor()->file()->FindServiceByName("Keeper");
        const auto* found = service->FindMethodByName(std::string(method));
        const auto who = std::ranges::find(kCallers, caller) - kCallers.begin();
        Bytes bytes{static_cast<std::uint8_t>(found->index()), static_cast<std::uint8_t>(who)};
        put_sized(bytes, request.SerializeAsString());
        return bytes;
    }

  private:
    template <class Response, class Request>
    Response must(std::string_view method, const std::string& caller, const Request& request) {
        Response response;
        const auto status = service_->dispatch({caller}, method, request, &response);
        require(status.has_value(), "the target's own calls succeed");
        return response;
    }

    Resident move_in() {
        v1::EnrollRequest enroll;
        enroll.set_count(1);
        const auto enrolled = must<v1::EnrollResponse>("Enroll", "portal", enroll);
        Resident resident;
        resident.person =
            *keeper::open_enrolment(*keys_, as_bytes(enrolled.enrolments(0)), clock_.now());
        for (const auto& field : kFields) {
            v1::SealRequest request;
            request.mutable_subject()->set_enrolment(enrolled.enrolments(0));
            auto* item = request.add_items();
            item->set_field(field);
            item->set_record(std::string(16, '\1'));
            item->set_value(field + " of " + std::to_string(resident.person.ordinal));
            item->set_schema_version(1);
            const auto sealed = must<v1::SealResponse>("Seal", "portal", request);
            resident.sealed.push_back(sealed.sealed(0));
            known_[sealed.sealed(0)] = {resident.person.ordinal, field, item->value()};
        }
        return resident;
    }

    Bytes handle(const Resident& resident) const {
        return keeper::make_handle(
            keeper_->handle_key(),
            {registry::Compartment::kIdentity,
             keys_->pseudonym(registry::Compartment::kIdentity, resident.person),
             {}});
    }

    /// Actor and session of a grant: others for each input, since an end of them is for good.
    Bytes id(std::size_t number) const {
        Bytes bytes;
        put_u32(bytes, static_cast<std::uint32_t>(number + 1));
        put_u32(bytes, static_cast<std::uint32_t>(inputs_));
        bytes.resize(16);
        return bytes;
    }

    std::vector<std::uint32_t> ordinals() const {
        std::vector<std::uint32_t> all;
        for (const auto& resident : residents_) all.push_back(resident.person.ordinal);
        std::ranges::sort(all);
        return all;
    }

    /// Digest of the list of all residents.
    Bytes list() const {
        const auto list = keeper::PersonList::create(ordinals(), keeper::kMaxListPage);
        require(list.has_value(), "a list is made");
        return {list->digest.begin(), list->digest.end()};
    }

    /// Grants by letter: three persons for each purpose of one person, then the bulk ones and such
    /// as must be refused.
    std::string grant(std::size_t number) {
        struct Kind {
            registry::Role role;
            const char* door;
            const char* purpose;
            const char* reason;
        };
        static constexpr Kind kKinds[] = {
            {registry::Role::kResident, "portal", "self_service", ""},
            {registry::Role::kOfficer, "desk", "process_request", "examine"},
            {registry::Role::kDpo, "desk", "erase", "erasure_request"},
            {registry::Role::kDpo, "desk", "hand_over_data", "access_request"},
            {registry::Role::kSupport, "desk", "support_call", "call"},
            {registry::Role::kProfessional, "portal", "act_for", "mandate"},
            {registry::Role::kDpo, "desk", "investigate", "incident"},
            {registry::Role::kDpo, "desk", "notify", "breach"},
            {registry::Role::kOfficer, "desk", "self_service", ""},
        };
        const Kind& kind = kKinds[number / kPersons % std::size(kKinds)];
        const std::size_t who = number % kPersons;
        const bool bulk = std::string_view(kind.purpose) == "investigate" ||
                          std::string_view(kind.purpose) == "notify";
        Grant grant;
        grant.id = std::string(32, 'a');
        grant.actor = *ActorId::from_bytes(id(number));
        grant.role = kind.role;
        grant.session = *SessionId::from_bytes(id(number));
        grant.door = kind.door;
        grant.origin = "203.0.113.5";
        grant.purpose = kind.purpose;
        grant.reason = kind.reason;
        grant.fields = kFields;
        if (!bulk) grant.person = handle(residents_[who]);
        // The third of a bulk purpose has one approver.
        if (bulk) grant.approvers = {grant.actor};
        if (bulk && who < 2) grant.approvers.push_back(*ActorId::from_bytes(Bytes(16, 99)));
        if (bulk) grant.list = list();
        grant.issued = clock_.now();
        grant.expires = clock_.now() + Duration(5 * 60 * 1000);
        const std::string token = keeper::sign_grant(identity_, grant);
        if (!bulk) person_of_grant_[token] = residents_[who].person.ordinal;
        return token;
    }

    std::optional<std::string> stand_in(std::string_view field, std::uint8_t letter) {
        const std::size_t number = letter >= 'a' ? letter - 'a' : letter;
        const Resident& resident = residents_[number % kPersons];
        if (field == "grant" || field == "approval") return grant(number);
        if (field == "enrolment")
            return to_string(
                keeper::make_enrolment(*keys_, resident.person, clock_.now(), random_));
        if (field == "handle") {
            // For the first grant of purpose 6 or 7, as grant() makes them.
            const std::uint8_t purpose = number / kPersons % 2 == 0 ? 6 : 5;
            const std::size_t actor = purpose == 6 ? 18 : 21;
            return to_string(
                keeper::make_bulk_handle(*keys_,
                                         {resident.person, *ActorId::from_bytes(id(actor)), purpose,
                                          list(), clock_.now() + Duration(60'000)},
                                         random_));
        }
        if (field == "pseudonym") {
            const auto compartment = static_cast<registry::Compartment>(1 + number / kPersons % 3);
            return to_string(keys_->pseudonym(compartment, resident.person));
        }
        if (field == "sealed") return resident.sealed[number / kPersons % kFields.size()];
        if (field == "session" || field == "actor") return to_string(id(number));
        if (field == "record") return std::string(16, static_cast<char>(letter));
        if (field == "stretched") return std::string(32, static_cast<char>(letter));
        if (field == "value" && letter == '@') return std::string("camille@example.org");
        return std::nullopt;
    }

    void stand_in(Message& message) {
        if (auto* handles = dynamic_cast<v1::HandlesRequest*>(&message);
            handles && handles->pages_size() == 1 && handles->pages(0).size() == 1) {
            const auto persons = ordinals();
            handles->mutable_persons()->Assign(persons.begin(), persons.end());
            handles->set_pages(0, to_string(keeper::list_page_digest(persons)));
        }
        using Field = google::protobuf::FieldDescriptor;
        const auto* reflection = message.GetReflection();
        std::vector<const Field*> fields;
        reflection->ListFields(message, &fields);
        for (const Field* field : fields) {
            const int count = field->is_repeated() ? reflection->FieldSize(message, field) : 1;
            for (int i = 0; i < count; ++i) {
                if (field->cpp_type() == Field::CPPTYPE_MESSAGE) {
                    stand_in(field->is_repeated()
                                 ? *reflection->MutableRepeatedMessage(&message, field, i)
                                 : *reflection->MutableMessage(&message, field));
                } else if (field->cpp_type() == Field::CPPTYPE_STRING && !field->is_repeated()) {
                    const std::string value = reflection->GetString(message, field);
                    if (value.size() != 1) continue;
                    if (auto other = stand_in(field->name(), static_cast<std::uint8_t>(value[0])))
                        reflection->SetString(&message, field, std::move(*other));
                }
            }
        }
    }

    bool call(std::uint8_t number, Input& in) {
        const auto* declared =
            service_->descriptor()->method(number % service_->descriptor()->method_count());
        const auto method = std::ranges::find(service_->methods(), declared->name(),
                                              &net::RpcService::Method::name);
        require(method != service_->methods().end(), "every method has a handler");
        const std::string& caller = kCallers[in.byte() % kCallers.size()];
        const ByteView bytes = in.sized();
        const std::unique_ptr<Message> request(method->request->New());
        const std::unique_ptr<Message> response(method->response->New());
        if (!request->ParseFromArray(bytes.data(), static_cast<int>(bytes.size()))) return false;
        stand_in(*request);
        const auto status = service_->dispatch({caller}, method->name, *request, response.get());
        const bool listed = std::ranges::find(method->allowed, caller) != method->allowed.end();
        if (!status) {
            require(listed || status.error().code == ErrorCode::kPermissionDenied,
                    "who is not on the list is refused");
            require(status.error().code != ErrorCode::kInternal &&
                        status.error().code != ErrorCode::kIo,
                    "no call runs into a bug");
            return false;
        }
        require(listed, "only who is on the list is answered");
        require(response->ByteSizeLong() <= net::kMaxRpcMessage, "an answer fits into a message");
        check(*request, *response);
        return true;
    }

    void check(const Message& request, const Message& response) {
        if (const auto* seal = dynamic_cast<const v1::SealRequest*>(&request)) {
            remember(*seal, static_cast<const v1::SealResponse&>(response));
        } else if (const auto* open = dynamic_cast<const v1::OpenRequest*>(&request)) {
            check_open(*open, static_cast<const v1::OpenResponse&>(response));
        } else if (const auto* erase = dynamic_cast<const v1::EraseRequest*>(&request)) {
            erased_.insert(person_of_grant_.at(erase->grant()));
        } else if (const auto* history = dynamic_cast<const v1::HistoryRequest*>(&request)) {
            for (const auto& line : static_cast<const v1::HistoryResponse&>(response).lines())
                require(journal::decode_entry(as_bytes(line.entry()))->person ==
                            person_of_grant_.at(history->grant()),
                        "a line of a history concerns its person");
        } else if (const auto* plant = dynamic_cast<const v1::PlantCanariesRequest*>(&request)) {
            remember(*plant, static_cast<const v1::PlantCanariesResponse&>(response));
        } else if (const auto* told = dynamic_cast<const v1::ReportGenerationRequest*>(&request)) {
            require(static_cast<const v1::ReportGenerationResponse&>(response).highest() >=
                        told->generation(),
                    "the highest generation is not below one that was told");
        }
    }

    /// Whom a seal was for; 0 where the target cannot tell.
    std::uint32_t person_of(const v1::Subject& subject) const {
        const auto found = person_of_grant_.find(subject.grant());
        if (found != person_of_grant_.end()) return found->second;
        for (const auto& resident : residents_)
            for (const auto compartment :
                 {registry::Compartment::kIdentity, registry::Compartment::kCasework,
                  registry::Compartment::kDocuments})
                if (subject.pseudonym() == as_text(keys_->pseudonym(compartment, resident.person)))
                    return resident.person.ordinal;
        const auto person =
            keeper::open_enrolment(*keys_, as_bytes(subject.enrolment()), clock_.now());
        return person ? person->ordinal : 0;
    }

    void remember(const v1::SealRequest& request, const v1::SealResponse& response) {
        require(request.items_size() == response.sealed_size(), "every value is sealed");
        const std::uint32_t person = person_of(request.subject());
        require(person != 0 && !erased_.contains(person), "nothing is sealed for nobody");
        for (int i = 0; i < request.items_size(); ++i)
            known_[response.sealed(i)] = {person, request.items(i).field(),
                                          request.items(i).value()};
    }

    void remember(const v1::PlantCanariesRequest& request,
                  const v1::PlantCanariesResponse& response) {
        require(request.persons_size() == response.persons_size(), "every canary is planted");
    }

    void check_open(const v1::OpenRequest& request, const v1::OpenResponse& response) {
        require(request.disclosures_size() == response.disclosed_size(),
                "every disclosure has its outcome");
        const auto journal = *journal::NoteVerifier::parse(keeper_->verify_key());
        require(keeper::verify_receipts(response, journal).has_value(), "receipts are signed");
        for (int i = 0; i < request.disclosures_size(); ++i) {
            const auto& asked = request.disclosures(i);
            const auto& given = response.disclosed(i);
            if (!given.error().empty()) {
                require(given.values().empty() && !given.has_receipt(),
                        "what is refused gives out nothing");
                continue;
            }
            require(given.values_size() == asked.items_size(), "every value is opened");
            const auto line = read_line(given.receipt());
            for (int k = 0; k < asked.items_size(); ++k) {
                const auto known = known_.find(asked.items(k).sealed());
                require(known != known_.end(), "only what was sealed opens");
                const Known& value = known->second;
                require(value.field == asked.items(k).field() && value.value == given.values(k),
                        "what opens is what was sealed");
                require(!erased_.contains(value.person), "nothing of an erased person opens");
                require(line.person == value.person, "the line names the person");
                require(line.fields.test(registry_.field(value.field)->number),
                        "the line names the field");
            }
        }
    }

    /// The line of a receipt, as an investigator reads it.
    journal::Entry read_line(const v1::Receipt& receipt) {
        v1::ReadEntriesRequest request;
        request.set_grant(grant(18));
        request.set_first(receipt.index());
        request.set_count(1);
        const auto read = must<v1::ReadEntriesResponse>("ReadEntries", "desk", request);
        require(read.entries_size() == 1, "a receipt names a line of the journal");
        const ByteView bytes = as_bytes(read.entries(0));
        require(as_text(journal::Journal::leaf_hash(bytes)) == receipt.leaf_hash(),
                "a receipt is about the line that it names");
        const auto entry = *journal::decode_entry(bytes);
        require(entry.kind == journal::EntryKind::kDisclosed, "what comes out is a disclosure");
        return entry;
    }

    TemporaryDirectory temporary_;
    ManualClock clock_{from_unix_ms(1'776'000'000'000)};
    SeededRandom random_{42};
    crypto::SigningKey identity_ = crypto::SigningKey::from_seed(Bytes(32, 7));
    registry::Registry registry_;
    std::optional<keeper::KeyRing> keys_;
    std::unique_ptr<keeper::Keeper> keeper_;
    std::shared_ptr<net::RpcService> service_;
    std::vector<Resident> residents_;
    std::map<std::string, Known> known_;
    std::map<std::string, std::uint32_t> person_of_grant_;
    std::set<std::uint32_t> erased_;
    int inputs_ = 0;
};

/// Not destroyed when the process ends: a keeper hashes until its end, and what hashes for a thread
/// goes before what is static.
House* house = nullptr;

void finish() {
    delete house;
    house = nullptr;
}

bool run(ByteView input) {
    crypto::initialize();
    if (house && house->inputs() >= kInputsPerKeeper) finish();
    if (!house) house = new House;
    return house->run(input);
}

void add_item(v1::Disclosure& disclosure, const std::string& field, const std::string& sealed) {
    auto* item = disclosure.add_items();
    item->set_field(field);
    item->set_record("\1");
    item->set_sealed(sealed);
    item->set_schema_version(1);
}

Bytes open_call(const std::string& caller, const std::string& grant, const std::string& handle) {
    v1::OpenRequest request;
    auto* disclosure = request.add_disclosures();
    disclosure->set_grant(grant);
    disclosure->set_handle(handle);
    add_item(*disclosure, "email", "a");
    if (handle.empty()) add_item(*disclosure, "birth_name", "d");
    return House::call_bytes("Open", caller, request);
}

Bytes seal_call() {
    v1::SealRequest request;
    request.mutable_subject()->set_enrolment("a");
    auto* item = request.add_items();
    item->set_field("email");
    item->set_record("\2");
    item->set_value("@");
    item->set_schema_version(1);
    return House::call_bytes("Seal", "portal", request);
}

Bytes resolve_call(const std::string& caller) {
    v1::ResolveRequest request;
    request.mutable_subject()->set_grant("a");
    return House::call_bytes("Resolve", caller, request);
}

Bytes read_calls() {
    v1::ReadEntriesRequest entries;
    entries.set_grant("s");
    entries.set_count(10);
    v1::HandlesRequest handles;
    handles.set_grant("s");
    handles.add_pages("l");
    v1::DescribeRequest describe;
    return join({House::call_bytes("ReadEntries", "desk", entries),
                 House::call_bytes("Handles", "desk", handles),
                 House::call_bytes("Describe", "operator", describe)});
}

Bytes own_line_calls() {
    v1::HistoryRequest history;
    history.set_grant("a");
    history.set_limit(10);
    v1::ProveRequest prove;
    prove.set_grant("a");
    prove.set_index(2);
    return join({open_call("portal", "a", ""), House::call_bytes("History", "portal", history),
                 House::call_bytes("Prove", "portal", prove)});
}

Bytes erase_calls() {
    v1::EraseRequest erase;
    erase.set_grant("g");
    return join({House::call_bytes("Erase", "desk", erase), open_call("portal", "a", "")});
}

Bytes small_calls() {
    v1::EnrollRequest enroll;
    enroll.set_count(2);
    v1::BlindIndexRequest index;
    index.set_field("email");
    index.set_value("@");
    v1::HardenRequest harden;
    harden.set_stretched("x");
    harden.set_record("r");
    return join({House::call_bytes("Enroll", "portal", enroll),
                 House::call_bytes("BlindIndex", "portal", index),
                 House::call_bytes("Harden", "identity", harden)});
}

Bytes operation_calls() {
    v1::RevokeRequest revoke;
    revoke.set_session("a");
    v1::AlarmsRequest alarms;
    alarms.set_limit(10);
    v1::PlantCanariesRequest plant;
    plant.set_copy("copy-1");
    plant.set_compartment("identity");
    auto* item = plant.add_persons()->add_items();
    item->set_field("email");
    item->set_record("\3");
    item->set_value("@");
    item->set_schema_version(1);
    v1::CanariesRequest canaries;
    canaries.set_limit(10);
    v1::RotateRequest rotate;
    v1::DescribeRequest describe;
    return join({House::call_bytes("Revoke", "identity", revoke),
                 House::call_bytes("Alarms", "desk", alarms),
                 House::call_bytes("PlantCanaries", "operator", plant),
                 House::call_bytes("Canaries", "operator", canaries),
                 House::call_bytes("Rotate", "operator", rotate),
                 House::call_bytes("Describe", "desk", describe)});
}

Bytes generation_calls() {
    v1::ReportGenerationRequest newer;
    newer.set_generation(9);
    v1::ReportGenerationRequest older;
    older.set_generation(8);
    v1::AlarmsRequest alarms;
    alarms.set_limit(10);
    return join({House::call_bytes("ReportGeneration", "casework", newer),
                 House::call_bytes("ReportGeneration", "casework", older),
                 House::call_bytes("Alarms", "desk", alarms)});
}

std::vector<Seed> seeds() {
    return {{"open-own", open_call("portal", "a", "")},
            {"open-officer", open_call("desk", "d", "")},
            {"open-bulk", open_call("desk", "s", "a")},
            {"seal", seal_call()},
            {"resolve", join({resolve_call("identity"), resolve_call("casework")})},
            {"read", read_calls()},
            {"own-lines", own_line_calls()},
            {"erase", erase_calls()},
            {"small", small_calls()},
            {"operation", operation_calls()},
            {"generation", generation_calls()}};
}

const Registration registration({"keeper_calls", run, seeds, finish});

}  // namespace
}  // namespace cloison::fuzz
