#include "keeper/erasure.h"

#include <set>

#include "keeper/persons_schema.h"
#include "keeper/support_for_test.h"

namespace cloison::keeper {
namespace {

namespace fs = std::filesystem;

/// A keeper whose files are put back to what they were.
class ErasureTest : public testing::Test {
  protected:
    void SetUp() override {
        bed_.start();
        ASSERT_NE(bed_.keeper, nullptr);
        residents_ = bed_.enroll(3);
        for (const auto& resident : residents_)
            sealed_.push_back(
                bed_.seal(bed_.self_grant(resident, {"email"}), "email", "camille@example.org"));
    }

    void erase(const Resident& resident) {
        Grant grant = bed_.base_grant(registry::Role::kDpo, "desk", "erase", "erasure_request", {});
        grant.person = bed_.handle(resident);
        v1::EraseRequest request;
        request.set_grant(bed_.sign(grant));
        ASSERT_TRUE(bed_.as("desk").erase(request));
    }
    ErrorCode opens(std::size_t which) {
        const Grant grant = bed_.self_grant(residents_[which], {"email"});
        auto opened =
            bed_.open(TestBed::disclosure(bed_.sign(grant), "email", sealed_[which]), "portal");
        return opened ? ErrorCode::kInternal : opened.error().code;
    }
    static constexpr ErrorCode kGood = ErrorCode::kInternal;

    Path kept(const std::string& name) const { return bed_.temporary.path() / name; }
    /// Copies files or directories of the stopped keeper.
    void keep(const std::string& what, const std::string& name) {
        bed_.keeper.reset();
        fs::remove_all(kept(name));
        fs::copy(bed_.directory() / what, kept(name), fs::copy_options::recursive);
        bed_.start();
        ASSERT_NE(bed_.keeper, nullptr);
    }
    void put_back(const std::string& what, const std::string& name) {
        bed_.keeper.reset();
        fs::remove_all(bed_.directory() / what);
        fs::copy(kept(name), bed_.directory() / what, fs::copy_options::recursive);
    }
    Result<std::unique_ptr<Keeper>> try_to_start() {
        return Keeper::open(bed_.options, bed_.registry, bed_.identity.verify_key(),
                            local_file_system(), bed_.clock, bed_.random);
    }

    TestBed bed_;
    std::vector<Resident> residents_;
    std::vector<std::string> sealed_;
};

TEST_F(ErasureTest, AnOlderStoreUnderANewerJournalErasesAgain) {
    keep("persons.sqlite", "old");
    erase(residents_[0]);
    // Long ago, and much happened since.
    bed_.clock.advance(std::chrono::hours(24 * 40));
    for (int i = 0; i < 20; ++i) EXPECT_EQ(opens(1), kGood);
    erase(residents_[2]);
    put_back("persons.sqlite", "old");
    bed_.start();
    ASSERT_NE(bed_.keeper, nullptr);
    EXPECT_EQ(opens(0), ErrorCode::kNotFound);
    EXPECT_EQ(opens(1), kGood);
    EXPECT_EQ(opens(2), ErrorCode::kNotFound);
    EXPECT_EQ(bed_.as("operator").describe({})->persons(), 1u);
    EXPECT_EQ(bed_.lines(journal::EntryKind::kErased).size(), 2u) << "the lines are there already";
    const auto alarms = bed_.lines(journal::EntryKind::kAlarm);
    ASSERT_EQ(alarms.size(), 1u);
    EXPECT_EQ(alarms[0].reason, "persons.sqlite was put back");
    bed_.restart();
    EXPECT_EQ(bed_.lines(journal::EntryKind::kAlarm).size(), 1u) << "once";
}

TEST_F(ErasureTest, AnOlderStoreNeverGivesAnOrdinalOfTheJournalToSomebodyElse) {
    keep("persons.sqlite", "old");
    residents_ = bed_.enroll(50);
    std::set<std::uint32_t> used;
    for (const auto& resident : residents_) {
        const Grant grant = bed_.self_grant(resident, {"email"});
        const auto sealed = bed_.seal(grant, "email", "camille@example.org");
        ASSERT_TRUE(bed_.open(TestBed::disclosure(bed_.sign(grant), "email", sealed), "portal"));
        used.insert(bed_.ordinal(resident));
    }
    put_back("persons.sqlite", "old");
    bed_.start();
    ASSERT_NE(bed_.keeper, nullptr);
    EXPECT_EQ(bed_.lines(journal::EntryKind::kAlarm).size(), 1u) << "it does not know them";
    for (const auto& resident : bed_.enroll(5'000))
        EXPECT_EQ(used.count(bed_.ordinal(resident)), 0u);
    v1::SealRequest request;
    request.mutable_subject()->set_grant(bed_.sign(bed_.self_grant(residents_[0], {"email"})));
    auto* item = request.add_items();
    item->set_field("email");
    item->set_record(bed_.record(1));
    item->set_schema_version(1);
    auto sealed = bed_.as("portal").seal(request);
    ASSERT_FALSE(sealed) << "nobody takes the place of who was lost";
    EXPECT_EQ(sealed.error().code, ErrorCode::kNotFound);
}

TEST_F(ErasureTest, AnOlderStoreIsRecognisedByAnyLineOfSomebodyItDoesNotKnow) {
    // Persons whom the store knows have lines first, one of them under a high number.
    residents_ = bed_.enroll(60);
    sealed_.clear();
    for (const auto& resident : residents_)
        sealed_.push_back(
            bed_.seal(bed_.self_grant(resident, {"email"}), "email", "camille@example.org"));
    std::size_t highest = 0;
    for (std::size_t i = 0; i < residents_.size(); ++i)
        if (bed_.ordinal(residents_[i]) > bed_.ordinal(residents_[highest])) highest = i;
    keep("persons.sqlite", "old");
    EXPECT_EQ(opens(highest), kGood);
    std::set<std::uint32_t> used;
    for (const auto& resident : bed_.enroll(40)) {
        const auto ordinal = bed_.ordinal(resident);
        if (ordinal > bed_.ordinal(residents_[highest])) continue;
        used.insert(ordinal);
        erase(resident);
    }
    ASSERT_FALSE(used.empty());
    put_back("persons.sqlite", "old");
    bed_.start();
    ASSERT_NE(bed_.keeper, nullptr);
    for (const auto& resident : bed_.enroll(5'000))
        EXPECT_EQ(used.count(bed_.ordinal(resident)), 0u);
}

TEST_F(ErasureTest, NothingIsReleasedBehindTheLineThatErases) {
    // A disclosure has the key in its hands, and then the person is erased.
    bool erased = false;
    bed_.keeper.reset();
    bed_.options.on_step = [&](DisclosureStep step) {
        if (step != DisclosureStep::kUnsealed || std::exchange(erased, true)) return;
        erase(residents_[0]);
    };
    bed_.start();
    ASSERT_NE(bed_.keeper, nullptr);
    EXPECT_EQ(opens(0), ErrorCode::kNotFound);
    EXPECT_TRUE(erased);
    EXPECT_TRUE(bed_.lines(journal::EntryKind::kDisclosed).empty());
    EXPECT_EQ(opens(1), kGood);
}

TEST_F(ErasureTest, WhoseKeyCouldNotBeDestroyedYetDoesNotOpen) {
    const auto run = [&](const std::string& sql) {
        auto database = storage::open_sqlite(bed_.directory() / "persons.sqlite", persons_schema());
        ASSERT_TRUE(database);
        ASSERT_TRUE((*database)->write([&](storage::Transaction& transaction) -> Status {
            CLOISON_TRY_STATUS(transaction.execute(sql, {}));
            return {};
        }));
    };
    run("CREATE TRIGGER full BEFORE UPDATE ON person BEGIN SELECT RAISE(FAIL, 'full'); END");
    Grant grant = bed_.base_grant(registry::Role::kDpo, "desk", "erase", "erasure_request", {});
    grant.person = bed_.handle(residents_[0]);
    v1::EraseRequest request;
    request.set_grant(bed_.sign(grant));
    EXPECT_FALSE(bed_.as("desk").erase(request));
    EXPECT_EQ(bed_.lines(journal::EntryKind::kErased).size(), 1u);
    EXPECT_EQ(opens(0), ErrorCode::kNotFound) << "the line says that they are erased";
    EXPECT_EQ(opens(1), kGood);
    run("DROP TRIGGER full");
    bed_.restart();
    EXPECT_EQ(opens(0), ErrorCode::kNotFound);
}

TEST_F(ErasureTest, AJournalThatWasRolledBackIsRefused) {
    keep("journal", "old");
    erase(residents_[0]);
    put_back("journal", "old");
    auto started = try_to_start();
    ASSERT_FALSE(started);
    EXPECT_EQ(started.error().code, ErrorCode::kCorrupt);
    EXPECT_NE(started.error().message.find("The journal was rolled back"), std::string::npos)
        << started.error().message;
}

TEST_F(ErasureTest, AnotherJournalOfTheSameKeyIsRefused) {
    keep("journal", "fork");
    keep("persons.sqlite", "fork.sqlite");
    EXPECT_EQ(opens(0), kGood);
    bed_.keeper.reset();
    fs::copy(bed_.directory() / "persons.sqlite", kept("mine.sqlite"));
    put_back("journal", "fork");
    put_back("persons.sqlite", "fork.sqlite");
    bed_.start();
    for (int i = 0; i < 5; ++i) EXPECT_EQ(opens(1), kGood);
    put_back("persons.sqlite", "mine.sqlite");
    auto started = try_to_start();
    ASSERT_FALSE(started);
    EXPECT_EQ(started.error().code, ErrorCode::kCorrupt);
    EXPECT_NE(started.error().message.find("is not the one that persons.sqlite remembers"),
              std::string::npos)
        << started.error().message;
}

TEST_F(ErasureTest, WhatASettingSaysIsReadStrictly) {
    bed_.keeper.reset();
    {
        auto database = storage::open_sqlite(bed_.directory() / "persons.sqlite", persons_schema());
        ASSERT_TRUE((*database)->write([](storage::Transaction& transaction) -> Status {
            CLOISON_TRY_STATUS(transaction.execute(
                "UPDATE setting SET content = x'00' WHERE name = 'journal mark'", {}));
            return {};
        }));
    }
    EXPECT_EQ(try_to_start().error().code, ErrorCode::kCorrupt);
}

}  // namespace
}  // namespace cloison::keeper
