// Load on a running keeper, for the crash tests.
//
//   keeper_load run VAR THREADS LOG     opens sealed values until standard input closes; appends
//                                       "index leaf-hash actor" to LOG for every released plaintext
//   keeper_load verify VAR LOG          every line of LOG is in the journal, as a disclosure by
//   that
//                                       actor; prints how many
//
// It calls as the portal and signs grants with identity's key, both from VAR.

#include <atomic>
#include <cstdio>
#include <fstream>
#include <iostream>
#include <map>
#include <mutex>
#include <thread>
#include <vector>

#include "base/id.h"
#include "crypto/keys.h"
#include "identity/identity.h"
#include "journal/entry.h"
#include "journal/journal.h"
#include "keeper/client/grant.h"
#include "keeper/client/keeper_client.h"
#include "net/rpc.h"

using namespace cloison;

namespace {

constexpr std::size_t kPersons = 64;
constexpr Duration kPatience{60'000};

template <class T>
T must(Result<T> result, const char* what) {
    if (result) return std::move(*result);
    std::fprintf(stderr, "keeper_load: %s: %s\n", what, result.error().message.c_str());
    std::exit(1);
}

crypto::SigningKey key_of(const Path& file) {
    return crypto::SigningKey::from_seed(
        must(crypto::load_key_file(local_file_system(), file), "key").view());
}

/// Calls again while the keeper is away.
template <class Call>
auto retry(Call call, const char* what) {
    const Time deadline = system_clock().now() + kPatience;
    auto result = call();
    while (!result && result.error().retryable() && system_clock().now() < deadline)
        result = call();
    return must(std::move(result), what);
}

struct Person {
    ActorId actor;
    SessionId session;
    RequestId record;
    std::string pseudonym;
    std::string sealed;
    std::string plaintext;
};

class Load {
  public:
    explicit Load(const Path& var)
        : grant_key_(key_of(var / "identity" / "grant.key")),
          portal_(client(var, "portal")),
          identity_(client(var, "identity")),
          desk_(client(var, "desk")) {
        const auto described = retry([&] { return portal_.describe({}); }, "describe");
        std::copy(described.handle_key().begin(), described.handle_key().end(),
                  handle_key_.bytes.begin());
    }

    void make_persons() {
        for (std::size_t i = 0; i < kPersons; ++i) persons_.push_back(make_person(i));
    }

    /// One opening; false if the keeper was away.
    bool open_one(std::size_t which, std::ofstream& log, std::mutex& log_mutex) {
        const Person& person = persons_[which % persons_.size()];
        keeper::v1::OpenRequest request;
        auto* disclosure = request.add_disclosures();
        disclosure->set_grant(grant_for(person));
        auto* item = disclosure->add_items();
        item->set_field("email");
        item->set_record(person.record.bytes());
        item->set_sealed(person.sealed);
        item->set_schema_version(1);
        const auto response = portal_.open(request);
        if (!response) {
            if (response.error().retryable()) return false;
            std::fprintf(stderr, "keeper_load: open: %s\n", response.error().message.c_str());
            std::exit(1);
        }
        const auto& disclosed = response->disclosed(0);
        if (disclosed.values_size() != 1 || disclosed.values(0) != person.plaintext) {
            std::fprintf(stderr, "keeper_load: the keeper answered %s\n",
                         disclosed.error_message().c_str());
            std::exit(1);
        }
        const std::scoped_lock lock(log_mutex);
        log << disclosed.receipt().index() << ' '
            << hex_encode(as_bytes(disclosed.receipt().leaf_hash())) << ' ' << person.actor.hex()
            << std::endl;
        return true;
    }

    /// Leaf hash and actor of every disclosure, by index.
    std::map<std::uint64_t, std::pair<std::string, std::string>> read_disclosures() {
        keeper::Grant grant = base_grant("investigate", "desk", registry::Role::kDpo);
        grant.reason = "incident";
        std::map<std::uint64_t, std::pair<std::string, std::string>> found;
        std::uint64_t first = 0;
        for (;;) {
            keeper::v1::ReadEntriesRequest request;
            request.set_grant(keeper::sign_grant(grant_key_, grant));
            request.set_first(first);
            request.set_count(10'000);
            const auto page = retry([&] { return desk_.read_entries(request); }, "read");
            for (const auto& bytes : page.entries()) {
                const auto entry = must(journal::decode_entry(as_bytes(bytes)), "entry");
                const crypto::Hash leaf = journal::Journal::leaf_hash(as_bytes(bytes));
                if (entry.kind == journal::EntryKind::kDisclosed)
                    found[first] = {hex_encode(leaf), entry.actor.hex()};
                ++first;
            }
            if (page.entries_size() == 0 || first >= page.size()) return found;
        }
    }

  private:
    keeper::KeeperClient client(const Path& var, const std::string& service) {
        auto caller = std::make_shared<net::CallerIdentity>(
            service, key_of(var / service / "service.key"), system_clock());
        return keeper::KeeperClient(
            net::connect_rpc(var / "run" / "keeper.sock", "keeper", caller));
    }

    keeper::Grant base_grant(const char* purpose, const char* door, registry::Role role) {
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

    std::string grant_for(const Person& person) {
        keeper::Grant grant = base_grant("self_service", "portal", registry::Role::kResident);
        grant.actor = person.actor;
        grant.session = person.session;
        grant.fields = {"email"};
        keeper::HandleContent content{registry::Compartment::kIdentity, {}, {}};
        std::copy(person.pseudonym.begin(), person.pseudonym.end(), content.pseudonym.begin());
        grant.person = keeper::make_handle(handle_key_, content);
        return keeper::sign_grant(grant_key_, grant);
    }

    Person make_person(std::size_t number) {
        Person person;
        person.actor = ActorId::random(system_random());
        person.session = SessionId::random(system_random());
        person.record = RequestId::random(system_random());
        person.plaintext = "person" + std::to_string(number) + "@load.example";

        keeper::v1::EnrollRequest enroll;
        enroll.set_count(1);
        const auto enrolled = retry([&] { return portal_.enroll(enroll); }, "enroll");

        keeper::v1::ResolveRequest resolve;
        resolve.mutable_subject()->set_enrolment(enrolled.enrolments(0));
        person.pseudonym = retry([&] { return identity_.resolve(resolve); }, "resolve").pseudonym();

        keeper::v1::SealRequest seal;
        seal.mutable_subject()->set_enrolment(enrolled.enrolments(0));
        auto* item = seal.add_items();
        item->set_field("email");
        item->set_record(person.record.bytes());
        item->set_value(person.plaintext);
        item->set_schema_version(1);
        person.sealed = retry([&] { return portal_.seal(seal); }, "seal").sealed(0);
        return person;
    }

    crypto::SigningKey grant_key_;
    crypto::SealedBoxPublicKey handle_key_;
    keeper::KeeperClient portal_;
    keeper::KeeperClient identity_;
    keeper::KeeperClient desk_;
    std::vector<Person> persons_;
};

int run(const Path& var, int threads, const Path& log_file) {
    Load load(var);
    load.make_persons();
    std::ofstream log(log_file, std::ios::app);
    std::mutex log_mutex;
    std::atomic<bool> stop{false};
    std::atomic<std::uint64_t> released{0};
    std::atomic<std::uint64_t> away{0};
    std::vector<std::thread> workers;
    for (int t = 0; t < threads; ++t) {
        workers.emplace_back([&, t] {
            for (std::size_t i = static_cast<std::size_t>(t); !stop; i += 7)
                ++(load.open_one(i, log, log_mutex) ? released : away);
        });
    }
    std::puts("running");
    std::fflush(stdout);
    std::string line;
    while (std::getline(std::cin, line)) {
    }
    stop = true;
    for (auto& worker : workers) worker.join();
    std::printf("{\"released\": %llu, \"refused_while_away\": %llu}\n",
                static_cast<unsigned long long>(released.load()),
                static_cast<unsigned long long>(away.load()));
    return 0;
}

int verify(const Path& var, const Path& log_file) {
    Load load(var);
    const auto disclosures = load.read_disclosures();
    std::ifstream log(log_file);
    std::uint64_t index = 0;
    std::string leaf_hash;
    std::string actor;
    std::uint64_t checked = 0;
    while (log >> index >> leaf_hash >> actor) {
        const auto found = disclosures.find(index);
        if (found == disclosures.end() || found->second != std::pair(leaf_hash, actor)) {
            std::fprintf(stderr, "keeper_load: line %llu was acknowledged and is not there\n",
                         static_cast<unsigned long long>(index));
            return 1;
        }
        ++checked;
    }
    std::printf("{\"acknowledged\": %llu, \"disclosures\": %zu}\n",
                static_cast<unsigned long long>(checked), disclosures.size());
    return checked == 0 ? 1 : 0;
}

}  // namespace

int main(int argc, char** argv) {
    crypto::initialize();
    const std::vector<std::string> words(argv + 1, argv + argc);
    if (words.size() == 4 && words[0] == "run") return run(words[1], std::stoi(words[2]), words[3]);
    if (words.size() == 3 && words[0] == "verify") return verify(words[1], words[2]);
    std::fprintf(stderr, "usage: keeper_load run VAR THREADS LOG | keeper_load verify VAR LOG\n");
    return 2;
}
