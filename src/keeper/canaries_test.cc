#include "keeper/canaries.h"

#include <sqlite3.h>

#include <set>

#include "keeper/canary_box.h"
#include "keeper/persons_schema.h"
#include "keeper/support_for_test.h"

namespace cloison::keeper {
namespace {

/// A canary as the compartment that stores them knows them.
struct PlantedPerson {
    Resident resident;
    std::string sealed;
};

class CanariesTest : public testing::Test {
  protected:
    void SetUp() override {
        bed_.start();
        ASSERT_NE(bed_.keeper, nullptr);
        officer_ = ActorId::random(bed_.random);
    }
    v1::PlantCanariesRequest request(const std::string& copy, int persons,
                                     const std::string& value = "Lachenal") {
        v1::PlantCanariesRequest request;
        request.set_copy(copy);
        request.set_compartment("casework");
        for (int i = 0; i < persons; ++i) {
            auto* item = request.add_persons()->add_items();
            item->set_field("birth_name");
            item->set_record(bed_.record(1));
            item->set_value(value);
            item->set_schema_version(1);
        }
        return request;
    }
    Result<v1::PlantCanariesResponse> send(const v1::PlantCanariesRequest& request) {
        return bed_.as("operator").plant_canaries(request);
    }
    ErrorCode code(const v1::PlantCanariesRequest& request) {
        auto planted = send(request);
        return planted ? ErrorCode::kInternal : planted.error().code;
    }
    std::string resolve(const std::string& compartment, const std::string& enrolment) {
        v1::ResolveRequest resolve;
        resolve.mutable_subject()->set_enrolment(enrolment);
        auto resolved = bed_.as(compartment).resolve(resolve);
        EXPECT_TRUE(resolved) << (resolved ? "" : resolved.error().message);
        return resolved ? resolved->pseudonym() : std::string(16, '\0');
    }
    PlantedPerson plant(const std::string& copy) {
        auto planted = send(request(copy, 1));
        EXPECT_TRUE(planted) << (planted ? "" : planted.error().message);
        const auto& person = planted->persons(0);
        PlantedPerson made;
        made.sealed = person.sealed(0);
        // Casework names the person of a case.
        const auto pseudonym = resolve("casework", person.enrolment());
        std::copy_n(pseudonym.begin(), 16, made.resident.identity.begin());
        return made;
    }
    /// An officer's grant for a canary, who is the person of a case.
    std::string grant(const PlantedPerson& canary) { return grant(canary, officer_, "birth_name"); }
    std::string grant(const PlantedPerson& canary, const ActorId& actor, const std::string& field) {
        Grant made = bed_.base_grant(registry::Role::kOfficer, "desk", "process_request", "examine",
                                     {field});
        made.actor = actor;
        made.case_handle =
            make_handle(bed_.keeper->handle_key(),
                        {registry::Compartment::kCasework, canary.resident.identity, {}});
        return bed_.sign(made);
    }
    v1::Disclosure of(const PlantedPerson& canary) {
        return TestBed::disclosure(grant(canary), "birth_name", canary.sealed);
    }
    std::vector<journal::Entry> alarms() { return bed_.lines(journal::EntryKind::kAlarm); }
    std::vector<v1::RegisteredCanary> registered(const std::string& copy = "",
                                                 std::uint64_t after = 0,
                                                 std::uint32_t limit = 1'000) {
        v1::CanariesRequest request;
        request.set_copy(copy);
        request.set_after(after);
        request.set_limit(limit);
        auto found = bed_.as("operator").canaries(request);
        EXPECT_TRUE(found) << (found ? "" : found.error().message);
        return {found->canaries().begin(), found->canaries().end()};
    }
    /// The rows of the register as a thief of the file sees them.
    std::vector<std::string> boxes() {
        sqlite3* database = nullptr;
        EXPECT_EQ(sqlite3_open((bed_.directory() / "persons.sqlite").c_str(), &database),
                  SQLITE_OK);
        sqlite3_stmt* statement = nullptr;
        EXPECT_EQ(sqlite3_prepare_v2(database, "SELECT box FROM canary ORDER BY number", -1,
                                     &statement, nullptr),
                  SQLITE_OK);
        std::vector<std::string> found;
        while (sqlite3_step(statement) == SQLITE_ROW)
            found.emplace_back(static_cast<const char*>(sqlite3_column_blob(statement, 0)),
                               static_cast<std::size_t>(sqlite3_column_bytes(statement, 0)));
        sqlite3_finalize(statement);
        sqlite3_close(database);
        return found;
    }
    KeyRing key_ring() const {
        const auto root = crypto::RootKey::from_bytes(
            crypto::load_key_file(local_file_system(), bed_.directory() / "root.key")->view());
        return KeyRing(*root);
    }
    void write_box(int number, const std::string& box) {
        bed_.keeper.reset();
        sqlite3* database = nullptr;
        sqlite3_open((bed_.directory() / "persons.sqlite").c_str(), &database);
        sqlite3_stmt* statement = nullptr;
        sqlite3_prepare_v2(database, "INSERT OR REPLACE INTO canary (box, number) VALUES (?1, ?2)",
                           -1, &statement, nullptr);
        sqlite3_bind_blob(statement, 1, box.data(), static_cast<int>(box.size()), SQLITE_TRANSIENT);
        sqlite3_bind_int(statement, 2, number);
        EXPECT_EQ(sqlite3_step(statement), SQLITE_DONE);
        sqlite3_finalize(statement);
        sqlite3_close(database);
    }

    void change_register(const std::string& sql) {
        bed_.keeper.reset();
        sqlite3* database = nullptr;
        sqlite3_open((bed_.directory() / "persons.sqlite").c_str(), &database);
        EXPECT_EQ(sqlite3_exec(database, sql.c_str(), nullptr, nullptr, nullptr), SQLITE_OK);
        sqlite3_close(database);
    }

    TestBed bed_;
    ActorId officer_;
};

constexpr ErrorCode kGood = ErrorCode::kInternal;
constexpr ErrorCode kMalformed = ErrorCode::kInvalidArgument;

TEST_F(CanariesTest, OpeningOneGivesTheValueAndRaisesTheAlarmBehindItsLine) {
    const auto canary = plant("archive-2026.1");
    const auto ordinary = bed_.enroll(1)[0];
    const auto opened = bed_.open(of(canary));
    ASSERT_TRUE(opened) << opened.error().message;
    EXPECT_EQ(*opened, "Lachenal") << "a thief is not warned";
    const auto lines = bed_.lines();
    const auto disclosed = std::find_if(lines.begin(), lines.end(), [](const auto& line) {
        return line.kind == journal::EntryKind::kDisclosed;
    });
    ASSERT_NE(disclosed, lines.end());
    const auto& alarm = *std::next(disclosed);
    EXPECT_EQ(alarm.kind, journal::EntryKind::kAlarm);
    EXPECT_EQ(alarm.reason, "canary casework archive-2026.1");
    EXPECT_EQ(alarm.person, disclosed->person);
    EXPECT_EQ(alarm.actor, officer_);
    EXPECT_EQ(alarm.session, disclosed->session);
    EXPECT_EQ(alarm.door, disclosed->door);
    EXPECT_EQ(alarm.fields, disclosed->fields);
    EXPECT_EQ(alarm.request, disclosed->request);
    EXPECT_EQ(alarms().size(), 1u);

    const Grant own = bed_.officer_grant(officer_, ordinary, {"birth_name"});
    ASSERT_TRUE(bed_.open(
        TestBed::disclosure(bed_.sign(own), "birth_name", bed_.seal(own, "birth_name", "Martin"))));
    EXPECT_EQ(alarms().size(), 1u) << "an ordinary person raises none";
    ASSERT_TRUE(bed_.open(of(canary)));
    ASSERT_TRUE(bed_.open(of(canary)));
    EXPECT_EQ(alarms().size(), 3u) << "every opening has its own";
}

TEST_F(CanariesTest, ACallRaisesOneAlarmAPersonAndItsReceiptsDoNotTell) {
    const auto first = plant("copy-1");
    const auto second = plant("copy-2");
    const auto ordinary = bed_.enroll(1)[0];
    const Grant own = bed_.officer_grant(officer_, ordinary, {"birth_name"});
    v1::OpenRequest open;
    auto twice = of(first);
    TestBed::add_item(twice, "birth_name", first.sealed);
    *open.add_disclosures() = twice;
    *open.add_disclosures() = twice;
    *open.add_disclosures() = of(second);
    *open.add_disclosures() =
        TestBed::disclosure(bed_.sign(own), "birth_name", bed_.seal(own, "birth_name", "Martin"));
    auto opened = bed_.as("desk").open(open);
    ASSERT_TRUE(opened);
    std::vector<std::uint64_t> indexes;
    for (const auto& disclosed : opened->disclosed()) {
        EXPECT_EQ(disclosed.error(), "");
        indexes.push_back(disclosed.receipt().index());
    }
    const auto lines = bed_.lines();
    for (std::size_t i = 0; i < indexes.size(); ++i)
        EXPECT_EQ(
            opened->disclosed(static_cast<int>(i)).receipt().leaf_hash(),
            to_string(journal::Journal::leaf_hash(journal::encode_entry(lines.at(indexes[i])))));
    EXPECT_EQ(indexes,
              (std::vector<std::uint64_t>{indexes[0], indexes[0], indexes[0] + 1, indexes[0] + 2}))
        << "no gap";
    std::multiset<std::string> raised;
    for (const auto& alarm : alarms()) raised.insert(alarm.reason);
    EXPECT_EQ(raised,
              (std::multiset<std::string>{"canary casework copy-1", "canary casework copy-2"}));
}

TEST_F(CanariesTest, ARestartKeepsThem) {
    const auto canary = plant("copy-1");
    bed_.restart();
    EXPECT_EQ(*bed_.open(of(canary)), "Lachenal");
    EXPECT_EQ(alarms().size(), 1u);
    plant("copy-1");
    EXPECT_EQ(registered().back().number(), 2u) << "numbers go on";
}

TEST_F(CanariesTest, AnOpeningThatIsRefusedRaisesItToo) {
    const auto canary = plant("copy-1");
    EXPECT_EQ(
        bed_.open(TestBed::disclosure(grant(canary, officer_, "sex"), "birth_name", canary.sealed))
            .error()
            .code,
        ErrorCode::kPermissionDenied);
    ASSERT_EQ(alarms().size(), 1u) << "a field that the grant does not name";
    const auto other = ActorId::random(bed_.random);
    EXPECT_EQ(bed_.open(TestBed::disclosure(grant(canary, other, "birth_name"), "birth_name",
                                            canary.sealed, 2))
                  .error()
                  .code,
              ErrorCode::kCorrupt);
    ASSERT_EQ(alarms().size(), 2u) << "a value that does not fit";
    for (int i = 0; i < 5; ++i)
        ASSERT_FALSE(bed_.open(TestBed::disclosure(grant(canary, other, "birth_name"), "birth_name",
                                                   canary.sealed, 2)));
    EXPECT_EQ(alarms().size(), 2u) << "refusals do not flood the journal";
    bed_.clock.advance(Duration(60'000));
    ASSERT_FALSE(bed_.open(
        TestBed::disclosure(grant(canary, other, "birth_name"), "birth_name", canary.sealed, 2)));
    ASSERT_EQ(alarms().size(), 3u);
    EXPECT_EQ(alarms().back().reason, "canary asked casework copy-1, 5 more");
}

TEST_F(CanariesTest, AnOpeningBeyondTheBudgetRaisesIt) {
    const auto bound = bed_.registry.purpose("process_request")->budget.per_hour;
    v1::OpenRequest open;
    for (const auto& resident : bed_.enroll(bound)) {
        const Grant own = bed_.officer_grant(officer_, resident, {"birth_name"});
        *open.add_disclosures() = TestBed::disclosure(bed_.sign(own), "birth_name",
                                                      bed_.seal(own, "birth_name", "Martin"));
    }
    ASSERT_TRUE(bed_.as("desk").open(open));
    const auto canary = plant("copy-1");
    EXPECT_EQ(bed_.open(of(canary)).error().code, ErrorCode::kExhausted);
    ASSERT_EQ(alarms().size(), 1u);
    EXPECT_EQ(alarms()[0].reason, "canary asked casework copy-1");
    EXPECT_EQ(bed_.lines(journal::EntryKind::kRefused).size(), 1u);
}

TEST_F(CanariesTest, APseudonymThatOnlyHitsTheOrdinalRaisesNone) {
    plant("copy-1");
    const KeyRing keys = key_ring();
    const std::uint32_t ordinal = registered()[0].person();
    const Person other{ordinal, keys.make_root(ordinal, {1, 2, 3})};
    PlantedPerson guessed;
    guessed.sealed = "x";
    guessed.resident.identity = keys.pseudonym(registry::Compartment::kCasework, other);
    EXPECT_FALSE(bed_.open(of(guessed)));
    EXPECT_TRUE(alarms().empty());
}

TEST_F(CanariesTest, HandlesAndErasureThatNameOneRaiseIt) {
    const auto canary = plant("copy-1");
    const std::uint32_t ordinal = registered()[0].person();
    Grant bulk = bed_.dpo_grant("notify", "breach", {});
    bed_.approve_list(bulk, {ordinal});
    ASSERT_TRUE(bed_.as("desk").handles(bed_.list_request(bulk, {ordinal})));
    ASSERT_EQ(alarms().size(), 1u);
    EXPECT_EQ(alarms()[0].person, ordinal);
    const std::size_t before = alarms().size();
    Grant grant = bed_.base_grant(registry::Role::kDpo, "desk", "erase", "erasure_request", {});
    grant.case_handle =
        make_handle(bed_.keeper->handle_key(),
                    {registry::Compartment::kCasework, canary.resident.identity, {}});
    v1::EraseRequest erase;
    erase.set_grant(bed_.sign(grant));
    ASSERT_TRUE(bed_.as("desk").erase(erase));
    ASSERT_EQ(alarms().size(), before + 1);
    EXPECT_EQ(alarms().back().reason, "canary casework copy-1");
    const auto lines = bed_.lines();
    const auto erased = std::find_if(lines.begin(), lines.end(), [](const auto& line) {
        return line.kind == journal::EntryKind::kErased;
    });
    ASSERT_NE(erased, lines.end());
    EXPECT_EQ(std::next(erased)->kind, journal::EntryKind::kAlarm);
}

TEST_F(CanariesTest, TheRegisterTellsTheOperatorWhoStandsWhere) {
    plant("copy-1");
    ASSERT_TRUE(send(request("copy-2", 2, "Ropars")));
    auto all = registered();
    ASSERT_EQ(all.size(), 3u);
    EXPECT_EQ(all[1].number(), 2u);
    EXPECT_EQ(all[1].copy(), "copy-2");
    EXPECT_EQ(all[1].compartment(), "casework");
    EXPECT_NE(all[1].person(), all[2].person());
    EXPECT_EQ(all[1].planted_ms(), TestBed::kStartMs);
    ASSERT_EQ(all[1].items_size(), 1);
    EXPECT_EQ(all[1].items(0).field(), "birth_name");
    EXPECT_EQ(all[1].items(0).value(), "Ropars");
    EXPECT_EQ(all[1].items(0).record(), bed_.record(1));
    EXPECT_EQ(registered("copy-2").size(), 2u);
    EXPECT_EQ(registered("copy-2", 2).size(), 1u);
    EXPECT_EQ(registered("", 0, 2).size(), 2u);
    EXPECT_EQ(registered("", 2, 2).at(0).number(), 3u);
    EXPECT_TRUE(registered("", 3).empty());
    EXPECT_TRUE(registered("nowhere").empty());
    EXPECT_EQ(bed_.lines(journal::EntryKind::kListRead).size(), 8u) << "each reading, and this one";
    v1::CanariesRequest wrong;
    for (const std::uint32_t limit : {0u, 1'001u}) {
        wrong.set_limit(limit);
        EXPECT_EQ(bed_.as("operator").canaries(wrong).error().code, kMalformed);
    }
    wrong.set_limit(1);
    wrong.set_copy("Copy 1");
    EXPECT_EQ(bed_.as("operator").canaries(wrong).error().code, kMalformed);
}

TEST_F(CanariesTest, TheJournalDoesNotTellCanariesFromPeople) {
    ASSERT_TRUE(send(request("copy-1", 5)));
    const auto lines = bed_.lines(journal::EntryKind::kConfigured);
    EXPECT_EQ(lines.back().reason, "canaries planted: 5");
    EXPECT_EQ(lines.back().person, 0u);
    for (const auto& line : bed_.lines()) EXPECT_EQ(line.reason.find("copy-1"), std::string::npos);
}

TEST_F(CanariesTest, WithoutTheRootKeyTheRegisterIsBoxesOfOneSize) {
    ASSERT_TRUE(send(request("a", 1, "x")));
    ASSERT_TRUE(send(request(std::string(32, 'z'), 1, std::string(1'800, 'y'))));
    auto identity = request("copy-1", 1, "agathe.lachenal@wanadoo.fr");
    identity.set_compartment("identity");
    identity.mutable_persons(0)->mutable_items(0)->set_field("email");
    auto planted = send(identity);
    ASSERT_TRUE(planted);
    v1::BlindIndexRequest look_up;
    look_up.set_field("email");
    look_up.set_value("Agathe.Lachenal@wanadoo.fr");
    EXPECT_EQ(planted->persons(0).email_index(), bed_.as("desk").blind_index(look_up)->index());
    bed_.keeper.reset();
    const auto stolen = boxes();
    ASSERT_EQ(stolen.size(), 3u);
    for (const auto& box : stolen) EXPECT_EQ(box.size(), 2'048u + 40u);
    for (const auto& file : std::filesystem::recursive_directory_iterator(bed_.directory())) {
        if (!file.is_regular_file()) continue;
        const auto content = to_string(*local_file_system().read_file(file.path(), 1 << 26));
        for (const char* value : {"lachenal", "copy-1", "zzzz", "yyyy"})
            EXPECT_EQ(content.find(value), std::string::npos) << file.path() << ' ' << value;
    }
}

TEST_F(CanariesTest, AChangedOrSwappedRowIsReportedAtStart) {
    ASSERT_TRUE(send(request("copy-1", 2)));
    const auto good = boxes();
    auto flipped = good[0];
    flipped[30] = static_cast<char>(flipped[30] ^ 1);
    for (const auto& bad : {flipped, good[1], std::string(), std::string(39, 'x')}) {
        write_box(1, bad);
        auto opened = Keeper::open(bed_.options, bed_.registry, bed_.identity.verify_key(),
                                   local_file_system(), bed_.clock, bed_.random);
        ASSERT_FALSE(opened);
        EXPECT_EQ(opened.error().code, ErrorCode::kCorrupt);
        EXPECT_NE(opened.error().message.find("canaries"), std::string::npos);
    }
    write_box(1, good[0]);
    bed_.start();
    EXPECT_EQ(registered().size(), 2u);
}

TEST_F(CanariesTest, ARowThatIsTakenOutIsReportedAtStart) {
    ASSERT_TRUE(send(request("copy-1", 3)));
    const auto good = boxes();
    const auto refused_at = [&](const std::string& number) {
        auto opened = Keeper::open(bed_.options, bed_.registry, bed_.identity.verify_key(),
                                   local_file_system(), bed_.clock, bed_.random);
        return !opened && opened.error().code == ErrorCode::kCorrupt &&
               opened.error().message.find("at number " + number + ".") != std::string::npos;
    };
    for (const int number : {1, 2, 3}) {
        change_register("DELETE FROM canary WHERE number = " + std::to_string(number));
        EXPECT_TRUE(refused_at(std::to_string(number)));
        write_box(number, good[static_cast<std::size_t>(number - 1)]);
    }
    change_register("DELETE FROM canary");
    EXPECT_TRUE(refused_at("1")) << "the whole of it";
    for (int i = 0; i < 3; ++i) write_box(i + 1, good[static_cast<std::size_t>(i)]);
    bed_.start();
    EXPECT_EQ(registered().size(), 3u);
    bed_.keeper.reset();
    change_register("DELETE FROM setting WHERE name = 'canaries planted'");
    bed_.start();
    EXPECT_EQ(alarms().back().reason, "canaries were not counted");
    change_register("DELETE FROM canary WHERE number = 3");
    EXPECT_TRUE(refused_at("3")) << "they are counted again";
}

TEST_F(CanariesTest, ARegisterThatWasWipedWithItsCountIsReported) {
    ASSERT_TRUE(send(request("copy-1", 3)));
    change_register("DELETE FROM canary");
    change_register("DELETE FROM setting WHERE name = 'canaries planted'");
    change_register("DELETE FROM setting WHERE name = 'journal mark'");
    bed_.start();
    ASSERT_EQ(alarms().size(), 1u);
    EXPECT_EQ(alarms()[0].reason, "canaries are missing");
    EXPECT_EQ(bed_.lines(journal::EntryKind::kConfigured).back().reason, "canaries lost: 3");
    bed_.restart();
    EXPECT_EQ(alarms().size(), 1u) << "once";
    ASSERT_TRUE(send(request("copy-2", 2)));
    bed_.restart();
    EXPECT_EQ(registered().size(), 2u);
    EXPECT_EQ(alarms().size(), 1u);
}

TEST_F(CanariesTest, ARegisterThatWasPutBackWithItsCountIsReported) {
    ASSERT_TRUE(send(request("copy-1", 2)));
    change_register(
        "CREATE TABLE kept AS SELECT content FROM setting WHERE name = 'canaries planted'");
    bed_.start();
    ASSERT_TRUE(send(request("copy-2", 4)));
    change_register("DELETE FROM canary WHERE number > 2");
    change_register(
        "UPDATE setting SET content = (SELECT content FROM kept) WHERE name = 'canaries planted'");
    bed_.start();
    ASSERT_EQ(alarms().size(), 1u);
    EXPECT_EQ(alarms()[0].reason, "canaries are missing");
    EXPECT_EQ(bed_.lines(journal::EntryKind::kConfigured).back().reason, "canaries lost: 4");
}

TEST_F(CanariesTest, WhatTheStoreDoesNotTakeIsLost) {
    ASSERT_TRUE(send(request("copy-1", 1)));
    change_register(
        "CREATE TRIGGER full BEFORE INSERT ON canary BEGIN SELECT RAISE(FAIL, 'full'); END");
    bed_.start();
    EXPECT_FALSE(send(request("copy-2", 5)));
    EXPECT_EQ(bed_.lines(journal::EntryKind::kConfigured).back().reason, "canaries lost: 5");
    change_register("DROP TRIGGER full");
    bed_.start();
    ASSERT_TRUE(send(request("copy-3", 1)));
    bed_.restart();
    EXPECT_EQ(registered().size(), 2u);
    EXPECT_TRUE(alarms().empty());
}

TEST_F(CanariesTest, AGrantOfAnotherDoorRaisesItToo) {
    const auto canary = plant("copy-1");
    const auto opened = bed_.open(of(canary), "portal");
    ASSERT_FALSE(opened);
    EXPECT_EQ(opened.error().code, ErrorCode::kPermissionDenied);
    ASSERT_EQ(alarms().size(), 1u);
    EXPECT_EQ(alarms()[0].reason, "canary asked casework copy-1");
}

TEST_F(CanariesTest, ACallIsBounded) {
    const auto persons = bed_.as("operator").describe({})->persons();
    const auto entries = bed_.as("operator").describe({})->entries();
    for (const std::string copy : {"", "Copy", "a b", "a_b", "caf\xc3\xa9", "a/b", "a\n"})
        EXPECT_EQ(code(request(copy, 1)), kMalformed) << copy;
    EXPECT_EQ(code(request(std::string(33, 'a'), 1)), kMalformed);
    EXPECT_EQ(code(request("a", 0)), kMalformed);
    EXPECT_EQ(code(request("a", 1'001)), kMalformed);
    EXPECT_EQ(code(request("a", 1, std::string(65'537, 'v'))), kMalformed);
    auto wrong = request("a", 2);
    wrong.set_compartment("keeper");
    EXPECT_EQ(code(wrong), kMalformed);
    wrong.set_compartment("identity");
    EXPECT_EQ(code(wrong), kMalformed) << "values of another compartment";
    wrong = request("a", 2);
    wrong.mutable_persons(1)->clear_items();
    EXPECT_EQ(code(wrong), kMalformed);
    wrong = request("a", 1);
    for (int i = 0; i < 200; ++i)
        *wrong.mutable_persons(0)->add_items() = wrong.persons(0).items(0);
    EXPECT_EQ(code(wrong), kMalformed);
    wrong = request("a", 1);
    wrong.mutable_persons(0)->mutable_items(0)->set_field("shoe_size");
    EXPECT_EQ(code(wrong), kMalformed);
    wrong = request("a", 1);
    wrong.mutable_persons(0)->mutable_items(0)->set_record("short");
    EXPECT_EQ(code(wrong), kMalformed);
    EXPECT_EQ(bed_.as("operator").describe({})->persons(), persons) << "nothing was made";
    EXPECT_EQ(bed_.as("operator").describe({})->entries(), entries);

    auto whole = request("a", 1);
    for (int i = 1; i < 200; ++i)
        *whole.mutable_persons(0)->add_items() = whole.persons(0).items(0);
    EXPECT_EQ(code(whole), kGood);
    // What stands beside the value: 33 bytes and the name of the copy, 25 and that of the field.
    EXPECT_EQ(code(request("a", 1, std::string(65'536 - 33 - 1 - 25 - 10 + 1, 'v'))), kMalformed);
    EXPECT_EQ(code(request("a", 1, std::string(65'536 - 33 - 1 - 25 - 10, 'v'))), kGood);
    EXPECT_EQ(code(request(std::string(32, 'a'), 1'000)), kGood);
    EXPECT_EQ(registered().size(), 1'000u);
    EXPECT_EQ(registered("", 1'000).size(), 2u);
}

TEST(CanaryRegister, IsBoundedInAll) {
    const TemporaryDirectory directory;
    SeededRandom random{5};
    const ManualClock clock{from_unix_ms(TestBed::kStartMs)};
    const KeyRing keys{*crypto::RootKey::from_bytes(Bytes(32, 1))};
    const auto registry = whole_register();
    MemoryJournal journal;
    auto epochs =
        *Epochs::open(local_file_system(), directory.path() / "epochs", keys.epoch_wrap(), random);
    auto persons = *PersonStore::open(
        *storage::open_sqlite(directory.path() / "persons.sqlite", persons_schema()), *epochs, keys,
        random);
    Recorder recorder(journal, clock, random, Time{}, Recorder::Hooks{});
    Alarms alarms(recorder);
    const Sealer sealer(registry, keys, *persons, random);
    JournalMark mark(*persons, journal, keys.journal_mark(), random);
    const Canaries::Parts parts{*persons, keys, sealer, recorder, alarms, mark, clock, random};
    const Bytes record(16, 1);
    const Bytes name = to_bytes(std::string_view("Ropars"));
    const auto plant = [&](Canaries& canaries, std::size_t count) {
        const std::vector<PlainValue> values{{"birth_name", record, name, 1}};
        auto planted = canaries.plant("copy-1", "casework", {count, values});
        return planted ? ErrorCode::kInternal : planted.error().code;
    };
    {
        auto canaries = *Canaries::open(parts, 3);
        EXPECT_EQ(plant(*canaries, 2), ErrorCode::kInternal);
        EXPECT_EQ(plant(*canaries, 2), ErrorCode::kExhausted);
        EXPECT_EQ(persons->count(), 2u) << "nobody is made";
    }
    auto canaries = *Canaries::open(parts, 3);
    EXPECT_EQ(plant(*canaries, 1), ErrorCode::kInternal);
    EXPECT_EQ(canaries->read("copy-1", 0, 10)->back().number, 3u);
    EXPECT_EQ(plant(*canaries, 1), ErrorCode::kExhausted);
    EXPECT_EQ(persons->count(), 3u);
}

TEST_F(CanariesTest, AnEnrolmentIsGoodForItsCompartmentAndItsHour) {
    auto planted = send(request("copy-1", 1));
    ASSERT_TRUE(planted);
    v1::ResolveRequest resolve;
    resolve.mutable_subject()->set_enrolment(planted->persons(0).enrolment());
    EXPECT_EQ(bed_.as("documents").resolve(resolve).error().code, ErrorCode::kPermissionDenied);
    EXPECT_EQ(bed_.as("identity").resolve(resolve).error().code, ErrorCode::kUnauthenticated);
    EXPECT_TRUE(bed_.as("casework").resolve(resolve));
    v1::SealRequest seal;
    *seal.mutable_subject() = resolve.subject();
    auto* item = seal.add_items();
    item->set_field("birth_name");
    item->set_record(bed_.record(1));
    EXPECT_EQ(bed_.as("portal").seal(seal).error().code, ErrorCode::kUnauthenticated);
    bed_.clock.advance(Duration(60 * 60 * 1000));
    EXPECT_FALSE(bed_.as("casework").resolve(resolve));
}

}  // namespace
}  // namespace cloison::keeper
