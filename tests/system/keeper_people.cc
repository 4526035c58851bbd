// People of a running keeper, for the tests of its keys and backups.
//
//   keeper_people enrol VAR COUNT FILE   enrols, seals an address for each, writes them to FILE
//   keeper_people crowd VAR COUNT        enrols so many who have no values (a multiple of 1,000)
//   keeper_people open VAR FILE          opens every address of FILE; prints how many opened, how
//                                        many the keeper does not know, how many do not open
//   keeper_people erase VAR FILE NUMBER  erases the person of that line (from 0)
//
// It calls as the portal, identity and desk and signs grants with identity's key, all from VAR.

#include <cstdio>
#include <fstream>
#include <vector>

#include "base/id.h"
#include "crypto/keys.h"
#include "keeper/client/errors.h"
#include "keeper/client/grant.h"
#include "keeper/client/keeper_client.h"
#include "net/rpc.h"

using namespace cloison;

namespace {

constexpr std::uint32_t kSchemaVersion = 1;

template <class T>
T must(Result<T> result, const char* what) {
    if (result) return std::move(*result);
    std::fprintf(stderr, "keeper_people: %s: %s\n", what, result.error().message.c_str());
    std::exit(1);
}

crypto::SigningKey key_of(const Path& file) {
    return crypto::SigningKey::from_seed(
        must(crypto::load_key_file(local_file_system(), file), "key").view());
}

struct Somebody {
    RequestId record;
    std::string pseudonym;
    std::string sealed;
    std::string address;
};

class House {
  public:
    explicit House(const Path& var)
        : grant_key_(key_of(var / "identity" / "grant.key")),
          portal_(client(var, "portal")),
          identity_(client(var, "identity")),
          desk_(client(var, "desk")) {
        const auto described = must(portal_.describe({}), "describe");
        std::copy(described.handle_key().begin(), described.handle_key().end(),
                  handle_key_.bytes.begin());
    }

    std::vector<Somebody> enrol(std::uint32_t count) {
        keeper::v1::EnrollRequest request;
        request.set_count(count);
        const auto enrolled = must(portal_.enroll(request), "enroll");
        std::vector<Somebody> people;
        for (const auto& enrolment : enrolled.enrolments())
            people.push_back(make(enrolment, people.size()));
        return people;
    }

    void enrol_crowd(std::uint32_t count) {
        constexpr std::uint32_t kBatch = 1'000;
        keeper::v1::EnrollRequest request;
        request.set_count(kBatch);
        for (; count >= kBatch; count -= kBatch) must(portal_.enroll(request), "enroll");
    }

    /// "opened", or the name of the error.
    std::string open(const Somebody& somebody) {
        keeper::Grant grant = base_grant("self_service", "portal", registry::Role::kResident);
        grant.fields = {"email"};
        grant.person = handle(somebody);
        keeper::v1::OpenRequest request;
        auto* disclosure = request.add_disclosures();
        disclosure->set_grant(keeper::sign_grant(grant_key_, grant));
        auto* item = disclosure->add_items();
        item->set_field("email");
        item->set_record(somebody.record.bytes());
        item->set_sealed(somebody.sealed);
        item->set_schema_version(kSchemaVersion);
        const auto response = must(portal_.open(request), "open");
        const auto& disclosed = response.disclosed(0);
        if (!disclosed.error().empty()) return disclosed.error();
        return disclosed.values_size() == 1 && disclosed.values(0) == somebody.address ? "opened"
                                                                                       : "wrong";
    }

    void erase(const Somebody& somebody) {
        keeper::Grant grant = base_grant("erase", "desk", registry::Role::kDpo);
        grant.reason = "erasure_request";
        grant.person = handle(somebody);
        keeper::v1::EraseRequest request;
        request.set_grant(keeper::sign_grant(grant_key_, grant));
        must(desk_.erase(request), "erase");
    }

  private:
    static keeper::KeeperClient client(const Path& var, const std::string& service) {
        auto caller = std::make_shared<net::CallerIdentity>(
            service, key_of(var / service / "service.key"), system_clock());
        return keeper::KeeperClient(
            net::connect_rpc(var / "run" / "keeper.sock", "keeper", caller));
    }

    static keeper::Grant base_grant(const char* purpose, const char* door, registry::Role role) {
        keeper::Grant grant;
        grant.id = RequestId::random(system_random()).hex();
        grant.actor = ActorId::random(system_random());
        grant.session = SessionId::random(system_random());
        grant.role = role;
        grant.door = door;
        grant.origin = "127.0.0.1";
        grant.purpose = purpose;
        grant.issued = system_clock().now();
        grant.expires = grant.issued + Duration(5 * 60'000);
        return grant;
    }

    Bytes handle(const Somebody& somebody) const {
        keeper::HandleContent content{registry::Compartment::kIdentity, {}, {}};
        std::copy(somebody.pseudonym.begin(), somebody.pseudonym.end(), content.pseudonym.begin());
        return keeper::make_handle(handle_key_, content);
    }

    Somebody make(const std::string& enrolment, std::size_t number) {
        Somebody somebody;
        somebody.record = RequestId::random(system_random());
        somebody.address = "person" + std::to_string(number) + "@people.example";
        keeper::v1::ResolveRequest resolve;
        resolve.mutable_subject()->set_enrolment(enrolment);
        somebody.pseudonym = must(identity_.resolve(resolve), "resolve").pseudonym();
        keeper::v1::SealRequest seal;
        seal.mutable_subject()->set_enrolment(enrolment);
        auto* item = seal.add_items();
        item->set_field("email");
        item->set_record(somebody.record.bytes());
        item->set_value(somebody.address);
        item->set_schema_version(kSchemaVersion);
        somebody.sealed = must(portal_.seal(seal), "seal").sealed(0);
        return somebody;
    }

    crypto::SigningKey grant_key_;
    crypto::SealedBoxPublicKey handle_key_;
    keeper::KeeperClient portal_;
    keeper::KeeperClient identity_;
    keeper::KeeperClient desk_;
};

std::vector<Somebody> read_people(const Path& file) {
    std::ifstream in(file);
    std::vector<Somebody> people;
    std::string record;
    std::string pseudonym;
    std::string sealed;
    std::string address;
    while (in >> record >> pseudonym >> sealed >> address)
        people.push_back({must(RequestId::from_hex(record), "record"),
                          to_string(must(hex_decode(pseudonym), "pseudonym")),
                          to_string(must(hex_decode(sealed), "sealed")), address});
    if (people.empty()) {
        std::fprintf(stderr, "keeper_people: %s names nobody\n", file.c_str());
        std::exit(1);
    }
    return people;
}

int enrol(const Path& var, std::uint32_t count, const Path& file) {
    std::ofstream out(file);
    for (const auto& somebody : House(var).enrol(count))
        out << somebody.record.hex() << ' ' << hex_encode(as_bytes(somebody.pseudonym)) << ' '
            << hex_encode(as_bytes(somebody.sealed)) << ' ' << somebody.address << '\n';
    return out.flush() ? 0 : 1;
}

int open(const Path& var, const Path& file) {
    House house(var);
    int opened = 0;
    int not_found = 0;
    int corrupt = 0;
    for (const auto& somebody : read_people(file)) {
        const std::string came = house.open(somebody);
        if (came == "opened") {
            ++opened;
        } else if (came == keeper::wire_error_name(ErrorCode::kNotFound)) {
            ++not_found;
        } else if (came == keeper::wire_error_name(ErrorCode::kCorrupt)) {
            ++corrupt;
        } else {
            std::fprintf(stderr, "keeper_people: open: %s\n", came.c_str());
            return 1;
        }
    }
    std::printf("{\"opened\": %d, \"not_found\": %d, \"corrupt\": %d}\n", opened, not_found,
                corrupt);
    return 0;
}

}  // namespace

int main(int argc, char** argv) {
    crypto::initialize();
    const std::vector<std::string> words(argv + 1, argv + argc);
    if (words.size() == 4 && words[0] == "enrol")
        return enrol(words[1], static_cast<std::uint32_t>(std::stoul(words[2])), words[3]);
    if (words.size() == 3 && words[0] == "crowd") {
        House(words[1]).enrol_crowd(static_cast<std::uint32_t>(std::stoul(words[2])));
        return 0;
    }
    if (words.size() == 3 && words[0] == "open") return open(words[1], words[2]);
    if (words.size() == 4 && words[0] == "erase") {
        House(words[1]).erase(read_people(words[2]).at(std::stoul(words[3])));
        return 0;
    }
    std::fprintf(stderr,
                 "usage: keeper_people enrol VAR COUNT FILE | crowd VAR COUNT | open VAR FILE | "
                 "erase VAR FILE NUMBER\n");
    return 2;
}
