#pragma once

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "base/seeded_random.h"
#include "base/temporary_directory.h"
#include "journal/entry.h"
#include "journal/fsck.h"
#include "journal/journal.h"
#include "keeper/client/errors.h"
#include "keeper/client/grant.h"
#include "keeper/client/keeper_client.h"
#include "keeper/client/person_list.h"
#include "keeper/keeper.h"
#include "keeper/key_ring.h"

namespace cloison::keeper {

inline Path register_path() {
    return Path(CLOISON_SOURCE_DIR) / "registry" / "fields.toml";
}

inline registry::Registry whole_register() {
    return *registry::Registry::load(local_file_system(), register_path());
}

/// The register with one text in it replaced, to try other budgets.
inline registry::Registry changed_register(const std::string& from, const std::string& to) {
    std::string text = to_string(*local_file_system().read_file(register_path(), 1 << 20));
    const auto at = text.find(from);
    EXPECT_NE(at, std::string::npos) << from;
    return *registry::Registry::parse(text.replace(at, from.size(), to), "changed");
}

/// Entries in memory, for what needs no disk.
class MemoryJournal : public journal::Journal {
  public:
    Result<std::uint64_t> append(const std::vector<Bytes>& added) override {
        std::lock_guard lock(mutex);
        ++appends;
        if (failing) return fail(ErrorCode::kIo, "The disk is full.");
        const std::uint64_t first = entries.size();
        entries.insert(entries.end(), added.begin(), added.end());
        return first;
    }
    std::uint64_t size() const override {
        std::lock_guard lock(mutex);
        return entries.size();
    }
    Result<std::vector<Bytes>> read(std::uint64_t first, std::size_t count) const override {
        std::lock_guard lock(mutex);
        std::vector<Bytes> found;
        for (; count > 0 && first < entries.size(); ++first, --count)
            found.push_back(entries[first]);
        return found;
    }
    Result<std::string> checkpoint() const override { return std::string(); }
    Result<std::string> prove(std::uint64_t) const override { return std::string(); }
    Result<std::string> prove(std::uint64_t, const std::string&) const override {
        return std::string();
    }
    Result<std::vector<crypto::Hash>> prove_consistency(std::uint64_t,
                                                        std::uint64_t) const override {
        return std::vector<crypto::Hash>();
    }
    Status publish() override { return {}; }
    std::string verify_key() const override { return {}; }

    mutable std::mutex mutex;
    std::vector<Bytes> entries;
    std::size_t appends = 0;
    bool failing = false;
};

/// A person as the compartments know them.
struct Resident {
    std::string enrolment;
    std::array<std::uint8_t, 16> identity{};
};

/// A keeper in a temporary directory, and an identity service's key to sign grants with.
class TestBed {
  public:
    static constexpr std::int64_t kStartMs = 1'776'000'000'000;
    static inline const std::string kOrigin = "example.org/keeper";

    TestBed() : TestBed(whole_register()) {}
    explicit TestBed(registry::Registry declared) : registry(std::move(declared)) {
        EXPECT_TRUE(create_keeper_directory(local_file_system(), directory(), random));
    }

    Path directory() const { return temporary.path() / "keeper"; }

    void start() {
        options.directory = directory();
        options.origin = kOrigin;
        auto opened = Keeper::open(options, registry, identity.verify_key(), local_file_system(),
                                   clock, random);
        ASSERT_TRUE(opened) << opened.error().message;
        keeper = std::move(*opened);
    }
    void restart() {
        keeper.reset();
        start();
    }
    KeeperClient as(const std::string& caller) const {
        return KeeperClient(net::local_rpc(keeper->service(), caller));
    }

    std::vector<Resident> enroll(std::uint32_t count) {
        v1::EnrollRequest request;
        request.set_count(count);
        auto enrolled = as("portal").enroll(request);
        EXPECT_TRUE(enrolled);
        std::vector<Resident> residents;
        for (const auto& token : enrolled->enrolments()) {
            v1::ResolveRequest resolve;
            resolve.mutable_subject()->set_enrolment(token);
            auto resolved = as("identity").resolve(resolve);
            EXPECT_TRUE(resolved);
            Resident resident{token, {}};
            std::copy_n(resolved->pseudonym().begin(), 16, resident.identity.begin());
            residents.push_back(resident);
        }
        return residents;
    }

    /// A handle as identity makes it.
    Bytes handle(const Resident& resident) const {
        return make_handle(keeper->handle_key(),
                           {registry::Compartment::kIdentity, resident.identity, {}});
    }
    /// A handle as casework makes it for a ticket.
    Bytes case_handle(const Resident& resident, const RequestId& reference) {
        v1::ResolveRequest resolve;
        resolve.mutable_subject()->set_grant(sign(self_grant(resident, {})));
        auto resolved = as("casework").resolve(resolve);
        EXPECT_TRUE(resolved);
        HandleContent content{registry::Compartment::kCasework, {}, reference};
        std::copy_n(resolved->pseudonym().begin(), 16, content.pseudonym.begin());
        return make_handle(keeper->handle_key(), content);
    }

    /// Which person the journal means, told with the keeper's own key.
    std::uint32_t ordinal(const Resident& resident) const {
        const auto root = load_root_key(local_file_system(), directory(), {});
        return KeyRing(root->key())
            .person_of(registry::Compartment::kIdentity, resident.identity)
            .ordinal;
    }

    Grant base_grant(registry::Role role, const std::string& door, const std::string& purpose,
                     const std::string& reason, std::vector<std::string> fields) {
        Grant grant;
        grant.id = ActorId::random(random).hex();
        grant.actor = ActorId::random(random);
        grant.role = role;
        grant.session = SessionId::random(random);
        grant.door = door;
        grant.origin = "203.0.113.5";
        grant.purpose = purpose;
        grant.reason = reason;
        grant.fields = std::move(fields);
        grant.issued = clock.now();
        grant.expires = clock.now() + Duration(5 * 60 * 1000);
        return grant;
    }
    Grant self_grant(const Resident& resident, std::vector<std::string> fields) {
        Grant grant =
            base_grant(registry::Role::kResident, "portal", "self_service", "", std::move(fields));
        grant.actor = *ActorId::from_bytes(ByteView(resident.identity));
        grant.person = handle(resident);
        return grant;
    }
    Grant officer_grant(const ActorId& officer, const Resident& resident,
                        std::vector<std::string> fields) {
        Grant grant = base_grant(registry::Role::kOfficer, "desk", "process_request", "examine",
                                 std::move(fields));
        grant.actor = officer;
        grant.person = handle(resident);
        return grant;
    }
    Grant dpo_grant(const std::string& purpose, const std::string& reason,
                    std::vector<std::string> fields) {
        Grant grant = base_grant(registry::Role::kDpo, "desk", purpose, reason, std::move(fields));
        grant.approvers = {grant.actor, ActorId::random(random)};
        return grant;
    }
    /// A bulk grant for these persons, and the request for their handles.
    static void approve_list(Grant& grant, const std::vector<std::uint32_t>& persons) {
        grant.list = Bytes(32);
        const auto list = PersonList::create(persons, kMaxListPage);
        if (list) grant.list.assign(list->digest.begin(), list->digest.end());
    }
    v1::HandlesRequest list_request(const Grant& grant,
                                    const std::vector<std::uint32_t>& persons) const {
        v1::HandlesRequest request;
        request.set_grant(sign(grant));
        for (const auto person : persons) request.add_persons(person);
        request.add_pages(to_string(list_page_digest(persons)));
        return request;
    }
    std::string sign(const Grant& grant) const { return sign_grant(identity, grant); }

    std::string record(std::uint8_t number) const { return std::string(16, char(number)); }

    /// Seals one value for the person of a grant, through the door of the grant.
    std::string seal(const Grant& grant, const std::string& field, const std::string& value,
                     std::uint8_t record_number = 1) {
        v1::SealRequest request;
        request.mutable_subject()->set_grant(sign(grant));
        auto* item = request.add_items();
        item->set_field(field);
        item->set_record(record(record_number));
        item->set_value(value);
        item->set_schema_version(1);
        auto sealed = as(grant.door).seal(request);
        EXPECT_TRUE(sealed) << (sealed ? "" : sealed.error().message);
        return sealed ? sealed->sealed(0) : std::string();
    }

    static v1::Disclosure disclosure(const std::string& grant, const std::string& field,
                                     const std::string& sealed, std::uint8_t record_number = 1) {
        v1::Disclosure disclosure;
        disclosure.set_grant(grant);
        add_item(disclosure, field, sealed, record_number);
        return disclosure;
    }
    static void add_item(v1::Disclosure& disclosure, const std::string& field,
                         const std::string& sealed, std::uint8_t record_number = 1) {
        auto* item = disclosure.add_items();
        item->set_field(field);
        item->set_record(std::string(16, char(record_number)));
        item->set_sealed(sealed);
        item->set_schema_version(1);
    }

    /// Opens one disclosure: its first value, or its error.
    Result<std::string> open(const v1::Disclosure& disclosure, const std::string& door = "desk") {
        v1::OpenRequest request;
        *request.add_disclosures() = disclosure;
        CLOISON_TRY(auto response, as(door).open(request));
        CLOISON_TRY(auto values, take_values(*response.mutable_disclosed(0)));
        return std::string(values.at(0).text());
    }

    /// All lines, as an investigator reads them; that reading adds one.
    std::vector<journal::Entry> lines() {
        v1::ReadEntriesRequest request;
        request.set_grant(sign(dpo_grant("investigate", "incident", {})));
        request.set_count(10'000);
        auto read = as("desk").read_entries(request);
        EXPECT_TRUE(read) << (read ? "" : read.error().message);
        std::vector<journal::Entry> entries;
        if (!read) return entries;
        for (const auto& bytes : read->entries())
            entries.push_back(*journal::decode_entry(as_bytes(bytes)));
        return entries;
    }
    std::vector<journal::Entry> lines(journal::EntryKind kind) {
        auto all = lines();
        std::erase_if(all, [&](const journal::Entry& entry) { return entry.kind != kind; });
        return all;
    }

    TemporaryDirectory temporary;
    ManualClock clock{from_unix_ms(kStartMs)};
    SeededRandom random{42};
    crypto::SigningKey identity = crypto::SigningKey::from_seed(Bytes(32, 7));
    registry::Registry registry;
    Keeper::Options options;
    std::unique_ptr<Keeper> keeper;
};

}  // namespace cloison::keeper
