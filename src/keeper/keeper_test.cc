#include "keeper/keeper.h"

#include <set>

#include "base/log.h"
#include "journal/proof.h"
#include "keeper/support_for_test.h"
#include "keeper/tokens.h"

namespace cloison::keeper {
namespace {

class KeeperTest : public testing::Test {
  protected:
    void SetUp() override {
        bed_.start();
        ASSERT_NE(bed_.keeper, nullptr);
        residents_ = bed_.enroll(2);
    }
    template <class Answer>
    static ErrorCode code_of(const Result<Answer>& answer) {
        return answer ? ErrorCode::kInternal : answer.error().code;
    }

    TestBed bed_;
    std::vector<Resident> residents_;
};

constexpr ErrorCode kGood = ErrorCode::kInternal;
constexpr ErrorCode kDenied = ErrorCode::kPermissionDenied;
constexpr ErrorCode kMalformed = ErrorCode::kInvalidArgument;

TEST(KeeperDirectoryTest, KeysAreMadeOnceAndForTheOwnerAlone) {
    TestBed bed;
    auto& files = local_file_system();
    for (const char* name : {"root.key", "journal.key"})
        EXPECT_EQ(*files.mode(bed.directory() / name), 0600u);
    EXPECT_EQ(*files.mode(bed.directory()), 0700u);
    const auto before = *files.read_file(bed.directory() / "root.key", 100);
    EXPECT_EQ(create_keeper_directory(files, bed.directory(), bed.random).error().code,
              ErrorCode::kConflict);
    EXPECT_EQ(*files.read_file(bed.directory() / "root.key", 100), before);
    bed.start();
    EXPECT_EQ(*journal_verify_key(files, bed.directory(), TestBed::kOrigin),
              bed.keeper->verify_key());
}

TEST(KeeperDirectoryTest, AReadableRootKeyOrAnotherRootKeyIsRefused) {
    TestBed bed;
    bed.start();
    bed.enroll(1);
    bed.keeper.reset();
    const Path key = bed.directory() / "root.key";
    bed.options.directory = bed.directory();
    const auto open = [&] {
        return Keeper::open(bed.options, bed.registry, bed.identity.verify_key(),
                            local_file_system(), bed.clock, bed.random);
    };
    std::filesystem::permissions(key, std::filesystem::perms(0640));
    auto opened = open();
    ASSERT_FALSE(opened);
    EXPECT_EQ(opened.error().code, ErrorCode::kPermissionDenied);
    EXPECT_NE(opened.error().message.find("root.key"), std::string::npos);
    ASSERT_TRUE(local_file_system().remove(key));
    EXPECT_EQ(open().error().code, ErrorCode::kNotFound);
    ASSERT_TRUE(crypto::create_key_file(local_file_system(), key, bed.random));
    EXPECT_EQ(open().error().code, ErrorCode::kCorrupt);
}

TEST_F(KeeperTest, ASecondProcessIsRefused) {
    auto second = Keeper::open(bed_.options, bed_.registry, bed_.identity.verify_key(),
                               local_file_system(), bed_.clock, bed_.random);
    ASSERT_FALSE(second);
    EXPECT_EQ(second.error().code, ErrorCode::kConflict);
}

TEST_F(KeeperTest, EveryMethodIsServedToItsCallersAlone) {
    const auto service = bed_.keeper->service();
    EXPECT_TRUE(service->missing().empty());
    const std::map<std::string, std::set<std::string>> expected{
        {"Enroll", {"portal"}},
        {"Resolve", {"identity", "casework", "documents"}},
        {"Seal", {"portal", "desk", "identity"}},
        {"Open", {"portal", "desk"}},
        {"BlindIndex", {"portal", "desk", "operator"}},
        {"Harden", {"identity"}},
        {"History", {"portal"}},
        {"Prove", {"portal"}},
        {"ReadEntries", {"desk"}},
        {"Handles", {"desk"}},
        {"Erase", {"desk"}},
        {"Revoke", {"identity"}},
        {"Alarms", {"desk", "operator"}},
        {"PlantCanaries", {"operator"}},
        {"Canaries", {"operator"}},
        {"Rotate", {"operator"}},
        {"ReportGeneration", {"identity", "casework", "documents"}},
        {"Describe", {"portal", "desk", "identity", "casework", "documents", "operator"}}};
    EXPECT_EQ(service->methods().size(), expected.size());
    for (const auto& method : service->methods())
        EXPECT_EQ(std::set<std::string>(method.allowed.begin(), method.allowed.end()),
                  expected.at(method.name))
            << method.name;
    EXPECT_EQ(code_of(bed_.as("casework").open({})), kDenied);
    EXPECT_EQ(code_of(bed_.as("operator").describe({})), kGood);
}

TEST_F(KeeperTest, EnrolmentIsBounded) {
    v1::EnrollRequest request;
    EXPECT_EQ(code_of(bed_.as("portal").enroll(request)), kMalformed);
    request.set_count(10'001);
    EXPECT_EQ(code_of(bed_.as("portal").enroll(request)), kMalformed);
    EXPECT_EQ(bed_.as("portal").describe({})->persons(), 2u);
}

TEST_F(KeeperTest, ResolveTellsEachCompartmentItsOwnPseudonym) {
    const auto reference = RequestId::random(bed_.random);
    Grant grant = bed_.self_grant(residents_[0], {});
    grant.case_handle = bed_.case_handle(residents_[0], reference);
    v1::ResolveRequest request;
    request.mutable_subject()->set_grant(bed_.sign(grant));
    std::set<std::string> pseudonyms, tags;
    for (const char* caller : {"identity", "casework", "documents"}) {
        auto resolved = bed_.as(caller).resolve(request);
        ASSERT_TRUE(resolved) << resolved.error().message;
        EXPECT_EQ(resolved->pseudonym().size(), 16u);
        EXPECT_EQ(resolved->case_tag().size(), 16u);
        EXPECT_EQ(resolved->case_tag() == reference.bytes(), caller == std::string("casework"));
        pseudonyms.insert(resolved->pseudonym());
        tags.insert(resolved->case_tag());
        EXPECT_EQ(resolved->pseudonym(), bed_.as(caller).resolve(request)->pseudonym());
    }
    EXPECT_EQ(pseudonyms.size(), 3u);
    EXPECT_EQ(tags.size(), 3u);
    EXPECT_TRUE(pseudonyms.count(to_string(ByteView(residents_[0].identity))));
    request.mutable_subject()->set_grant(bed_.sign(bed_.self_grant(residents_[0], {})));
    EXPECT_EQ(bed_.as("documents").resolve(request)->case_tag(), "") << "no case is named";
}

TEST_F(KeeperTest, ResolveTakesEachSubjectFromWhomItIsMeantFor) {
    const auto code = [&](const char* caller, const v1::Subject& subject) {
        v1::ResolveRequest request;
        *request.mutable_subject() = subject;
        return code_of(bed_.as(caller).resolve(request));
    };
    v1::Subject enrolment, pseudonym, nobody;
    enrolment.set_enrolment(residents_[0].enrolment);
    pseudonym.set_pseudonym(to_string(ByteView(residents_[0].identity)));
    EXPECT_EQ(code("identity", enrolment), kGood);
    EXPECT_EQ(code("casework", enrolment), kDenied);
    EXPECT_EQ(code("identity", pseudonym), kDenied);
    EXPECT_EQ(code("identity", nobody), kMalformed);
    v1::Subject anybody;
    anybody.set_grant(bed_.sign(
        bed_.base_grant(registry::Role::kOfficer, "desk", "process_request", "examine", {})));
    EXPECT_EQ(code("casework", anybody), kDenied) << "a grant that names no person";
    bed_.clock.advance(kEnrolmentLifetime);
    EXPECT_EQ(code("identity", enrolment), ErrorCode::kUnauthenticated);
}

TEST_F(KeeperTest, SealTakesEachSubjectFromWhomItIsMeantFor) {
    const auto code = [&](const char* caller, const v1::Subject& subject, const char* field) {
        v1::SealRequest request;
        *request.mutable_subject() = subject;
        auto* item = request.add_items();
        item->set_field(field);
        item->set_record(bed_.record(1));
        item->set_value("x");
        return code_of(bed_.as(caller).seal(request));
    };
    v1::Subject enrolment, pseudonym, grant, handle;
    enrolment.set_enrolment(residents_[0].enrolment);
    pseudonym.set_pseudonym(to_string(ByteView(residents_[0].identity)));
    grant.set_grant(bed_.sign(bed_.self_grant(residents_[0], {})));
    handle.set_handle("whatever");
    EXPECT_EQ(code("portal", enrolment, "email"), kGood);
    EXPECT_EQ(code("portal", grant, "birth_name"), kGood);
    EXPECT_EQ(code("desk", grant, "birth_name"), kDenied) << "a grant of another door";
    EXPECT_EQ(code("identity", pseudonym, "sign_in_trace"), kGood);
    EXPECT_EQ(code("identity", pseudonym, "birth_name"), kDenied) << "not its own field";
    EXPECT_EQ(code("identity", grant, "birth_name"), kDenied) << "nor with a grant";
    EXPECT_EQ(code("identity", enrolment, "birth_name"), kDenied) << "nor at the sign-up";
    EXPECT_EQ(code("identity", grant, "email"), kGood);
    EXPECT_EQ(code("portal", pseudonym, "email"), kDenied);
    EXPECT_EQ(code("portal", handle, "email"), kDenied);
    EXPECT_EQ(code("portal", {}, "email"), kMalformed);
    EXPECT_EQ(code("portal", grant, "shoe_size"), kMalformed);
    pseudonym.set_pseudonym("short");
    EXPECT_EQ(code("identity", pseudonym, "email"), kMalformed);
    pseudonym.set_pseudonym(std::string(16, 'x'));
    EXPECT_EQ(code("identity", pseudonym, "email"), ErrorCode::kNotFound);
    bed_.clock.advance(kEnrolmentLifetime);
    EXPECT_EQ(code("portal", enrolment, "email"), ErrorCode::kUnauthenticated);
}

TEST_F(KeeperTest, SealIsBounded) {
    const auto code = [&](int items, std::size_t value_size, std::size_t record_size) {
        v1::SealRequest request;
        request.mutable_subject()->set_enrolment(residents_[0].enrolment);
        for (int i = 0; i < items; ++i) {
            auto* item = request.add_items();
            item->set_field("email");
            item->set_record(std::string(record_size, 'r'));
            item->set_value(std::string(value_size, 'v'));
        }
        return code_of(bed_.as("portal").seal(request));
    };
    EXPECT_EQ(code(0, 1, 16), kMalformed);
    EXPECT_EQ(code(200, 1, 16), kGood);
    EXPECT_EQ(code(201, 1, 16), kMalformed);
    EXPECT_EQ(code(1, 65'536, 16), kGood);
    EXPECT_EQ(code(1, 65'537, 16), kMalformed);
    EXPECT_EQ(code(1, 0, 16), kGood);
    EXPECT_EQ(code(1, 1, 15), kMalformed);
    EXPECT_EQ(code(1, 1, 17), kMalformed);
}

TEST_F(KeeperTest, HardenAndBlindIndexAnswer) {
    v1::HardenRequest harden;
    harden.set_record(bed_.record(1));
    harden.set_stretched(std::string(32, 's'));
    auto hardened = bed_.as("identity").harden(harden);
    ASSERT_TRUE(hardened);
    EXPECT_EQ(hardened->hardened().size(), 32u);
    harden.set_stretched("short");
    EXPECT_EQ(code_of(bed_.as("identity").harden(harden)), kMalformed);
    v1::BlindIndexRequest index;
    index.set_field("email");
    index.set_value("A@example.org");
    const auto upper = bed_.as("portal").blind_index(index);
    index.set_value("a@example.org");
    ASSERT_TRUE(upper);
    EXPECT_EQ(upper->index(), bed_.as("desk").blind_index(index)->index());
    const std::string before = hardened->hardened();
    bed_.restart();
    harden.set_stretched(std::string(32, 's'));
    EXPECT_EQ(bed_.as("identity").harden(harden)->hardened(), before);
    EXPECT_EQ(bed_.as("portal").blind_index(index)->index(), upper->index());
}

TEST_F(KeeperTest, AResidentReadsAndProvesTheirOwnLinesOnly) {
    const auto officer = ActorId::random(bed_.random);
    for (const auto& resident : residents_) {
        const Grant grant = bed_.officer_grant(officer, resident, {"birth_name"});
        const auto sealed = bed_.seal(grant, "birth_name", "Martin");
        ASSERT_TRUE(bed_.open(TestBed::disclosure(bed_.sign(grant), "birth_name", sealed)));
    }
    v1::HistoryRequest request;
    request.set_grant(bed_.sign(bed_.self_grant(residents_[0], {})));
    request.set_limit(200);
    auto history = bed_.as("portal").history(request);
    ASSERT_TRUE(history) << history.error().message;
    ASSERT_EQ(history->lines_size(), 1);
    auto entry = journal::decode_entry(as_bytes(history->lines(0).entry()));
    ASSERT_TRUE(entry);
    EXPECT_EQ(entry->actor, officer);
    EXPECT_EQ(entry->person, bed_.ordinal(residents_[0]));

    v1::ProveRequest prove;
    prove.set_grant(request.grant());
    prove.set_index(history->lines(0).index());
    auto proved = bed_.as("portal").prove(prove);
    ASSERT_TRUE(proved) << proved.error().message;
    auto proof = journal::Proof::parse(proved->proof());
    ASSERT_TRUE(proof);
    EXPECT_EQ(to_string(proof->entry), history->lines(0).entry());
    auto verifier = journal::NoteVerifier::parse(bed_.keeper->verify_key());
    EXPECT_TRUE(journal::verify_proof(*proof, *verifier));

    for (const std::uint64_t index :
         {history->lines(0).index() + 1, std::uint64_t{0}, std::uint64_t{1'000'000}}) {
        prove.set_index(index);
        EXPECT_EQ(code_of(bed_.as("portal").prove(prove)), ErrorCode::kNotFound) << index;
    }
    request.set_limit(0);
    EXPECT_EQ(code_of(bed_.as("portal").history(request)), kMalformed);
    request.set_limit(201);
    EXPECT_EQ(code_of(bed_.as("portal").history(request)), kMalformed);
    request.set_limit(1);
    request.set_grant(bed_.sign(bed_.officer_grant(officer, residents_[0], {})));
    EXPECT_EQ(code_of(bed_.as("portal").history(request)), kDenied) << "an officer's grant";
}

TEST_F(KeeperTest, ErasingAPersonMakesEverythingOfTheirsUnreadable) {
    const Grant own = bed_.self_grant(residents_[0], {"email"});
    const auto sealed = bed_.seal(own, "email", "camille@example.org");
    const auto disclosure = TestBed::disclosure(bed_.sign(own), "email", sealed);
    ASSERT_TRUE(bed_.open(disclosure, "portal"));

    Grant grant = bed_.base_grant(registry::Role::kDpo, "desk", "erase", "erasure_request", {});
    grant.person = bed_.handle(residents_[0]);
    v1::EraseRequest request;
    request.set_grant(bed_.sign(own));
    EXPECT_EQ(code_of(bed_.as("desk").erase(request)), kDenied);
    request.set_grant(bed_.sign(grant));
    ASSERT_TRUE(bed_.as("desk").erase(request));
    EXPECT_EQ(code_of(bed_.as("desk").erase(request)), ErrorCode::kNotFound);
    EXPECT_EQ(code_of(bed_.open(disclosure, "portal")), ErrorCode::kNotFound);
    const auto erased = bed_.lines(journal::EntryKind::kErased);
    ASSERT_EQ(erased.size(), 1u);
    EXPECT_EQ(erased[0].person, bed_.ordinal(residents_[0]));
    EXPECT_EQ(bed_.as("operator").describe({})->persons(), 1u);
    bed_.restart();
    EXPECT_EQ(code_of(bed_.open(disclosure, "portal")), ErrorCode::kNotFound);
}

TEST_F(KeeperTest, AnErasureThatACrashCutShortIsFinishedAtStart) {
    const Grant own = bed_.self_grant(residents_[0], {"email"});
    const auto sealed = bed_.seal(own, "email", "camille@example.org");
    const Path persons = bed_.directory() / "persons.sqlite";
    const auto copy = [&](const Path& from, const Path& to) {
        for (const char* suffix : {"", "-wal"}) {
            std::filesystem::remove(to.string() + suffix);
            if (std::filesystem::exists(from.string() + suffix))
                std::filesystem::copy_file(from.string() + suffix, to.string() + suffix);
        }
    };
    bed_.keeper.reset();
    copy(persons, bed_.temporary.path() / "before.sqlite");
    bed_.start();
    Grant grant = bed_.base_grant(registry::Role::kDpo, "desk", "erase", "erasure_request", {});
    grant.person = bed_.handle(residents_[0]);
    v1::EraseRequest request;
    request.set_grant(bed_.sign(grant));
    ASSERT_TRUE(bed_.as("desk").erase(request));
    bed_.keeper.reset();
    copy(bed_.temporary.path() / "before.sqlite", persons);
    bed_.clock.advance(std::chrono::hours(24 * 7));  // however long it takes to start again
    bed_.start();
    const Grant later = bed_.self_grant(residents_[0], {"email"});
    EXPECT_EQ(code_of(bed_.open(TestBed::disclosure(bed_.sign(later), "email", sealed), "portal")),
              ErrorCode::kNotFound);
}

TEST_F(KeeperTest, AClockBehindTheJournalIsSaidAtTheStart) {
    set_log_level(LogLevel::kWarning);
    const Time last = bed_.clock.now();
    const auto said_at = [&](Time now) {
        bed_.clock.set(now);
        testing::internal::CaptureStderr();
        bed_.restart();
        return testing::internal::GetCapturedStderr();
    };
    const std::string words = "until it has caught up";
    EXPECT_EQ(said_at(last - Duration(60'000)).find(words), std::string::npos);
    const std::string log = said_at(last - Duration(60'001));
    EXPECT_NE(log.find("The journal's last line is of " + format_rfc3339(last)), std::string::npos)
        << log;
    EXPECT_NE(log.find(words), std::string::npos) << log;
}

TEST_F(KeeperTest, ConfigurationAndKeysAreJournaledWhenTheyChange) {
    const auto count = [&](journal::EntryKind kind) { return bed_.lines(kind).size(); };
    EXPECT_EQ(count(journal::EntryKind::kConfigured), 1u);
    EXPECT_EQ(count(journal::EntryKind::kKeyChanged), 1u);
    bed_.restart();
    EXPECT_EQ(count(journal::EntryKind::kConfigured), 1u);
    bed_.registry = changed_register("per_hour = 60\n", "per_hour = 61\n");
    bed_.restart();
    EXPECT_EQ(count(journal::EntryKind::kConfigured), 2u);
    bed_.identity = crypto::SigningKey::from_seed(Bytes(32, 9));
    bed_.restart();
    EXPECT_EQ(count(journal::EntryKind::kConfigured), 3u);
    EXPECT_EQ(count(journal::EntryKind::kKeyChanged), 1u);
}

}  // namespace
}  // namespace cloison::keeper
