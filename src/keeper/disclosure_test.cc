#include "keeper/disclosure.h"

#include <thread>

#include "keeper/support_for_test.h"

namespace cloison::keeper {
namespace {

class DisclosureTest : public testing::Test {
  protected:
    DisclosureTest() : DisclosureTest(whole_register()) {}
    explicit DisclosureTest(registry::Registry declared) : bed_(std::move(declared)) {}

    void SetUp() override {
        bed_.start();
        ASSERT_NE(bed_.keeper, nullptr);
        residents_ = bed_.enroll(2);
        officer_ = ActorId::random(bed_.random);
    }
    /// Seals a birth name for a resident and asks to open it as the officer.
    v1::Disclosure of(const Resident& resident) { return of(resident, officer_); }
    v1::Disclosure of(const Resident& resident, const ActorId& officer) {
        const Grant grant = bed_.officer_grant(officer, resident, {"birth_name"});
        return TestBed::disclosure(bed_.sign(grant), "birth_name",
                                   bed_.seal(grant, "birth_name", "Martin"));
    }
    ErrorCode code(const v1::Disclosure& disclosure, const std::string& door = "desk") {
        auto opened = bed_.open(disclosure, door);
        return opened ? ErrorCode::kInternal : opened.error().code;
    }
    std::uint64_t entries() { return bed_.as("operator").describe({})->entries(); }

    TestBed bed_;
    std::vector<Resident> residents_;
    ActorId officer_;
};

constexpr ErrorCode kGood = ErrorCode::kInternal;
constexpr ErrorCode kDenied = ErrorCode::kPermissionDenied;
constexpr ErrorCode kMalformed = ErrorCode::kInvalidArgument;
constexpr ErrorCode kExhausted = ErrorCode::kExhausted;

TEST_F(DisclosureTest, LeavesALineThatSaysWhatWasReleased) {
    const auto reference = RequestId::random(bed_.random);
    Grant grant = bed_.officer_grant(officer_, residents_[0], {"birth_name", "sex", "height"});
    grant.case_handle = bed_.case_handle(residents_[0], reference);
    auto disclosure = TestBed::disclosure(bed_.sign(grant), "birth_name",
                                          bed_.seal(grant, "birth_name", "Martin"));
    TestBed::add_item(disclosure, "sex", bed_.seal(grant, "sex", "F", 2), 2);
    v1::OpenRequest request;
    *request.add_disclosures() = disclosure;
    auto response = bed_.as("desk").open(request);
    ASSERT_TRUE(response) << response.error().message;
    const auto& disclosed = response->disclosed(0);
    ASSERT_EQ(disclosed.values_size(), 2);
    EXPECT_EQ(disclosed.values(0), "Martin");
    EXPECT_EQ(disclosed.values(1), "F");
    EXPECT_EQ(disclosed.receipt().time_ms(), TestBed::kStartMs);

    const auto lines = bed_.lines();
    const auto& line = lines.at(disclosed.receipt().index());
    EXPECT_EQ(to_string(journal::Journal::leaf_hash(journal::encode_entry(line))),
              disclosed.receipt().leaf_hash());
    EXPECT_EQ(line.kind, journal::EntryKind::kDisclosed);
    EXPECT_EQ(to_unix_ms(line.time), TestBed::kStartMs);
    EXPECT_EQ(line.actor, officer_);
    EXPECT_EQ(line.role, registry::Role::kOfficer);
    EXPECT_EQ(line.session, grant.session);
    EXPECT_EQ(journal::format_origin(line.origin), "203.0.113.5");
    EXPECT_EQ(line.door, bed_.registry.door("desk")->number);
    EXPECT_EQ(line.purpose, bed_.registry.purpose("process_request")->number);
    EXPECT_EQ(line.reason, "examine");
    EXPECT_EQ(line.person, bed_.ordinal(residents_[0]));
    EXPECT_EQ(line.case_reference, reference);
    EXPECT_EQ(line.fields, *bed_.registry.field_set({"birth_name", "sex"}))
        << "what was opened, not what the grant would allow";
}

TEST_F(DisclosureTest, OnePersonUnderOneGrantSharesALine) {
    const Grant grant = bed_.officer_grant(officer_, residents_[0], {"birth_name", "sex"});
    const std::string token = bed_.sign(grant);
    v1::OpenRequest request;
    *request.add_disclosures() =
        TestBed::disclosure(token, "birth_name", bed_.seal(grant, "birth_name", "Martin"));
    *request.add_disclosures() = of(residents_[1]);
    *request.add_disclosures() = TestBed::disclosure(token, "sex", bed_.seal(grant, "sex", "F"));
    auto response = bed_.as("desk").open(request);
    ASSERT_TRUE(response);
    EXPECT_EQ(response->disclosed(0).receipt().index(), response->disclosed(2).receipt().index());
    EXPECT_EQ(response->disclosed(1).values(0), "Martin");
    EXPECT_EQ(response->disclosed(2).values(0), "F");
    const auto lines = bed_.lines(journal::EntryKind::kDisclosed);
    ASSERT_EQ(lines.size(), 2u);
    EXPECT_EQ(lines[0].fields, *bed_.registry.field_set({"birth_name", "sex"}));
    EXPECT_EQ(lines[0].request, lines[1].request) << "one call";
    EXPECT_EQ(lines[1].person, bed_.ordinal(residents_[1]));
}

TEST_F(DisclosureTest, ASwappedValueIsCorruptAndNotJournaled) {
    const auto before = entries();
    const Grant grant = bed_.officer_grant(officer_, residents_[0], {"birth_name", "name_in_use"});
    const Grant other = bed_.officer_grant(officer_, residents_[1], {"birth_name"});
    const std::string token = bed_.sign(grant);
    const std::string sealed = bed_.seal(grant, "birth_name", "Martin");
    EXPECT_EQ(code(TestBed::disclosure(token, "birth_name", sealed, 2)), ErrorCode::kCorrupt)
        << "another row";
    EXPECT_EQ(code(TestBed::disclosure(token, "name_in_use", sealed)), ErrorCode::kCorrupt)
        << "another field";
    EXPECT_EQ(code(TestBed::disclosure(bed_.sign(other), "birth_name", sealed)),
              ErrorCode::kCorrupt)
        << "another person";
    auto schema = TestBed::disclosure(token, "birth_name", sealed);
    schema.mutable_items(0)->set_schema_version(2);
    EXPECT_EQ(code(schema), ErrorCode::kCorrupt) << "another schema";
    for (std::size_t at = 0; at < sealed.size(); ++at) {
        std::string changed = sealed;
        changed[at] = static_cast<char>(changed[at] ^ 1);
        ASSERT_EQ(code(TestBed::disclosure(token, "birth_name", changed)), ErrorCode::kCorrupt)
            << "byte " << at << " (1 to 4 are the epoch)";
    }
    EXPECT_EQ(entries(), before);
    EXPECT_EQ(code(TestBed::disclosure(token, "birth_name", sealed)), kGood);
}

TEST_F(DisclosureTest, SealedInOneCompartmentOpensInNoOther) {
    // "email" is identity's and "contact_email" casework's: the same value, person and record.
    Grant grant = bed_.self_grant(residents_[0], {"email", "contact_email"});
    const std::string token = bed_.sign(grant);
    const auto identity = bed_.seal(grant, "email", "camille@example.org");
    const auto casework = bed_.seal(grant, "contact_email", "camille@example.org");
    EXPECT_EQ(code(TestBed::disclosure(token, "email", identity), "portal"), kGood);
    EXPECT_EQ(code(TestBed::disclosure(token, "contact_email", casework), "portal"), kGood);
    EXPECT_EQ(code(TestBed::disclosure(token, "contact_email", identity), "portal"),
              ErrorCode::kCorrupt);
    EXPECT_EQ(code(TestBed::disclosure(token, "email", casework), "portal"), ErrorCode::kCorrupt);
}

TEST_F(DisclosureTest, TheGrantAndTheRegisterMustAllowIt) {
    const auto before = entries();
    const Grant good = bed_.officer_grant(officer_, residents_[0], {"birth_name", "email"});
    const std::string sealed = bed_.seal(good, "birth_name", "Martin");
    const auto with = [&](const Grant& grant, const std::string& door = "desk") {
        return code(TestBed::disclosure(bed_.sign(grant), "birth_name", sealed), door);
    };
    EXPECT_EQ(with(good, "portal"), kDenied) << "another door";
    Grant grant = good;
    grant.fields = {"sex"};
    EXPECT_EQ(with(grant), kDenied) << "a field that it does not name";
    grant = good;
    grant.role = registry::Role::kSupport;
    EXPECT_EQ(with(grant), kDenied) << "a role that the purpose is not open to";
    grant = good;
    grant.reason = "";
    EXPECT_EQ(with(grant), kDenied) << "no reason";
    grant = good;
    grant.person.clear();
    EXPECT_EQ(with(grant), kDenied) << "nobody";
    EXPECT_EQ(code(TestBed::disclosure(bed_.sign(good), "email",
                                       bed_.seal(good, "email", "a@example.org"))),
              kDenied)
        << "a field that the register does not open for this purpose";
    EXPECT_EQ(code(TestBed::disclosure("v4.public.AAAA", "birth_name", sealed)),
              ErrorCode::kUnauthenticated);
    const auto forger = crypto::SigningKey::from_seed(Bytes(32, 8));
    EXPECT_EQ(code(TestBed::disclosure(sign_grant(forger, good), "birth_name", sealed)),
              ErrorCode::kUnauthenticated);
    bed_.clock.advance(good.expires - bed_.clock.now());
    EXPECT_EQ(with(good), ErrorCode::kUnauthenticated) << "expired";
    EXPECT_EQ(entries(), before) << "nothing was disclosed, nothing is journaled";
}

TEST_F(DisclosureTest, NobodyIsNotFound) {
    Resident nobody = residents_[0];
    nobody.identity[0] ^= 1;
    const Grant grant = bed_.officer_grant(officer_, nobody, {"birth_name"});
    const auto sealed = of(residents_[0]).items(0).sealed();
    EXPECT_EQ(code(TestBed::disclosure(bed_.sign(grant), "birth_name", sealed)),
              ErrorCode::kNotFound);
}

TEST_F(DisclosureTest, ACallIsBounded) {
    const auto call = [&](int count) {
        v1::OpenRequest request;
        for (int i = 0; i < count; ++i) *request.add_disclosures() = of(residents_[0]);
        auto response = bed_.as("desk").open(request);
        return response ? ErrorCode::kInternal : response.error().code;
    };
    EXPECT_EQ(call(0), kMalformed);
    EXPECT_EQ(call(1000), kGood);
    EXPECT_EQ(call(1001), kMalformed);

    const auto items = [&](int count) {
        auto disclosure = of(residents_[0]);
        const auto item = disclosure.items(0);
        disclosure.clear_items();
        for (int i = 0; i < count; ++i) *disclosure.add_items() = item;
        return code(disclosure);
    };
    EXPECT_EQ(items(0), kMalformed);
    EXPECT_EQ(items(200), kGood);
    EXPECT_EQ(items(201), kMalformed);
}

TEST_F(DisclosureTest, OneBadDisclosureDoesNotSpoilTheOthers) {
    v1::OpenRequest request;
    *request.add_disclosures() = of(residents_[0]);
    *request.add_disclosures() = TestBed::disclosure("no grant", "birth_name", "x");
    auto response = bed_.as("desk").open(request);
    ASSERT_TRUE(response);
    EXPECT_EQ(response->disclosed(0).values(0), "Martin");
    EXPECT_EQ(response->disclosed(1).error(), "unauthenticated");
    EXPECT_EQ(response->disclosed(1).values_size(), 0);
}

TEST_F(DisclosureTest, TheBudgetOfTheHourHoldsExactlyAndSurvivesARestart) {
    const auto bound = bed_.registry.purpose("process_request")->budget.per_hour;
    const auto crowd = bed_.enroll(bound + 1);
    for (std::uint32_t i = 0; i < bound; ++i) ASSERT_EQ(code(of(crowd[i])), kGood) << i;
    EXPECT_EQ(code(of(crowd[bound])), kExhausted);
    EXPECT_EQ(code(of(crowd[0])), kGood) << "somebody who is counted already";
    EXPECT_EQ(code(of(crowd[bound], ActorId::random(bed_.random))), kGood) << "another officer";

    bed_.restart();
    EXPECT_EQ(code(of(crowd[bound])), kExhausted);
    EXPECT_EQ(code(of(crowd[0])), kGood);
    bed_.clock.advance(Duration(3'600'000 - 1));
    EXPECT_EQ(code(of(crowd[bound])), kExhausted);
    bed_.restart();
    bed_.clock.advance(Duration(1));
    EXPECT_EQ(code(of(crowd[bound])), kGood);
}

TEST_F(DisclosureTest, ARefusalIsJournaledButDoesNotFlood) {
    const auto bound = bed_.registry.purpose("process_request")->budget.per_hour;
    const auto crowd = bed_.enroll(bound + 2);
    v1::OpenRequest request;
    for (std::uint32_t i = 0; i < bound; ++i) *request.add_disclosures() = of(crowd[i]);
    ASSERT_TRUE(bed_.as("desk").open(request));
    for (int i = 0; i < 5; ++i) EXPECT_EQ(code(of(crowd[bound])), kExhausted);
    auto refused = bed_.lines(journal::EntryKind::kRefused);
    ASSERT_EQ(refused.size(), 1u);
    EXPECT_EQ(refused[0].person, bed_.ordinal(crowd[bound]));
    EXPECT_EQ(refused[0].reason, "budget");
    EXPECT_EQ(refused[0].actor, officer_);
    EXPECT_EQ(refused[0].fields, *bed_.registry.field_set({"birth_name"}));
    bed_.clock.advance(Duration(60'000));
    EXPECT_EQ(code(of(crowd[bound + 1])), kExhausted);
    refused = bed_.lines(journal::EntryKind::kRefused);
    ASSERT_EQ(refused.size(), 2u);
    EXPECT_EQ(refused[1].reason, "budget, 4 more");
}

TEST_F(DisclosureTest, ManyAtOnceDoNotGetPastTheBudget) {
    const auto bound = bed_.registry.purpose("process_request")->budget.per_hour;
    const auto crowd = bed_.enroll(2 * bound);
    std::vector<v1::Disclosure> disclosures;
    for (const auto& resident : crowd) disclosures.push_back(of(resident));
    std::atomic<std::size_t> next{0}, opened{0}, refused{0};
    std::vector<std::thread> threads;
    for (int t = 0; t < 8; ++t)
        threads.emplace_back([&] {
            for (std::size_t i; (i = next++) < disclosures.size();) {
                const auto result = code(disclosures[i]);
                opened += result == kGood;
                refused += result == kExhausted;
            }
        });
    for (auto& thread : threads) thread.join();
    EXPECT_EQ(opened, bound);
    EXPECT_EQ(refused, bound);
    EXPECT_EQ(bed_.lines(journal::EntryKind::kDisclosed).size(), bound);
}

/// The local file system, whose syncs can be made to fail.
class FailingFiles : public FileSystem {
  public:
    std::atomic<bool> failing{false};

    Result<std::unique_ptr<File>> open(const Path& path, bool create) override {
        CLOISON_TRY(auto file, files_.open(path, create));
        return std::make_unique<FailingFile>(*this, std::move(file));
    }
    Result<Bytes> read_file(const Path& path, std::size_t max_size) override {
        return files_.read_file(path, max_size);
    }
    Status write_file_atomically(const Path& path, ByteView data, unsigned mode) override {
        return files_.write_file_atomically(path, data, mode);
    }
    Status create_directories(const Path& path) override { return files_.create_directories(path); }
    Status sync_directory(const Path& path) override { return files_.sync_directory(path); }
    Result<std::unique_ptr<FileSystemSync>> begin_sync(const Path& path) override {
        return files_.begin_sync(path);
    }
    Result<std::unique_ptr<FileLock>> lock_file(const Path& path) override {
        return files_.lock_file(path);
    }
    Status remove(const Path& path) override { return files_.remove(path); }
    Result<bool> exists(const Path& path) override { return files_.exists(path); }
    Result<std::vector<std::string>> list(const Path& path) override { return files_.list(path); }
    Result<unsigned> mode(const Path& path) override { return files_.mode(path); }

  private:
    class FailingFile : public File {
      public:
        FailingFile(FailingFiles& owner, std::unique_ptr<File> file)
            : owner_(owner), file_(std::move(file)) {}
        Result<std::size_t> read_at(std::uint64_t offset, std::span<std::uint8_t> out) override {
            return file_->read_at(offset, out);
        }
        Status write_at(std::uint64_t offset, ByteView data) override {
            return file_->write_at(offset, data);
        }
        Status truncate(std::uint64_t size) override { return file_->truncate(size); }
        Result<std::uint64_t> size() override { return file_->size(); }
        Status sync_data() override {
            if (owner_.failing) return fail(ErrorCode::kIo, "The disk is full.");
            return file_->sync_data();
        }

      private:
        FailingFiles& owner_;
        std::unique_ptr<File> file_;
    };
    FileSystem& files_ = local_file_system();
};

TEST(DisclosureFaultTest, NothingIsReleasedOnceTheJournalCannotBeWritten) {
    FailingFiles files;
    TestBed bed;
    bed.options.directory = bed.directory();
    bed.options.origin = TestBed::kOrigin;
    std::atomic<int> failures{0};
    bed.options.on_journal_failure = [&](const Error& error) {
        failures += error.code == ErrorCode::kIo;
    };
    auto opened = Keeper::open(bed.options, bed.registry, bed.identity.verify_key(), files,
                               bed.clock, bed.random);
    ASSERT_TRUE(opened) << opened.error().message;
    bed.keeper = std::move(*opened);
    const auto resident = bed.enroll(1)[0];
    const Grant grant = bed.self_grant(resident, {"email"});
    const auto disclosure =
        TestBed::disclosure(bed.sign(grant), "email", bed.seal(grant, "email", "a@example.org"));
    ASSERT_TRUE(bed.open(disclosure, "portal"));
    files.failing = true;
    EXPECT_EQ(bed.open(disclosure, "portal").error().code, ErrorCode::kUnavailable);
    files.failing = false;
    EXPECT_EQ(bed.open(disclosure, "portal").error().code, ErrorCode::kUnavailable)
        << "until a new start";
    EXPECT_EQ(failures, 1);
    bed.keeper.reset();
    bed.start();
    EXPECT_EQ(*bed.open(disclosure, "portal"), "a@example.org");
    EXPECT_GE(bed.lines(journal::EntryKind::kDisclosed).size(), 2u);
}

class DoorBudgetTest : public DisclosureTest {
  protected:
    DoorBudgetTest()
        : DisclosureTest(changed_register("per_hour = 50000\nper_day = 300000",
                                          "per_hour = 3\nper_day = 4")) {}
};

TEST_F(DoorBudgetTest, ADoorIsBoundedOverAllActorsAlsoAfterARestart) {
    const auto crowd = bed_.enroll(5);
    const auto open = [&](const Resident& resident) {
        return code(of(resident, ActorId::random(bed_.random)));
    };
    for (int i = 0; i < 3; ++i) EXPECT_EQ(open(crowd[i]), kGood);
    EXPECT_EQ(open(crowd[3]), kExhausted);
    bed_.restart();
    EXPECT_EQ(open(crowd[3]), kExhausted);
    EXPECT_EQ(open(crowd[2]), kGood);
    bed_.clock.advance(Duration(3'600'000));
    EXPECT_EQ(open(crowd[3]), kGood);
    EXPECT_EQ(open(crowd[4]), kExhausted) << "the day";
    bed_.restart();
    EXPECT_EQ(open(crowd[4]), kExhausted);
}

TEST_F(DisclosureTest, NoLineIsLaterThanTheExpiryOfItsGrant) {
    const Grant grant = bed_.self_grant(bed_.enroll(1)[0], {"email"});
    const auto disclosure = TestBed::disclosure(bed_.sign(grant), "email",
                                                bed_.seal(grant, "email", "camille@example.org"));
    // The call is held up where the grant was good and the value is open already.
    auto held_up = Duration(-1);
    bed_.keeper.reset();
    bed_.options.on_step = [&](DisclosureStep step) {
        if (step == DisclosureStep::kUnsealed)
            bed_.clock.advance(grant.expires + held_up - bed_.clock.now());
    };
    bed_.start();
    ASSERT_NE(bed_.keeper, nullptr);
    EXPECT_TRUE(bed_.open(disclosure, "portal")) << "a millisecond before";
    bed_.clock.advance(Duration(-1'000));
    held_up = Duration(0);
    const auto opened = bed_.open(disclosure, "portal");
    ASSERT_FALSE(opened);
    EXPECT_EQ(opened.error().code, ErrorCode::kUnauthenticated);
    EXPECT_EQ(bed_.lines(journal::EntryKind::kDisclosed).size(), 1u);
}

}  // namespace
}  // namespace cloison::keeper
