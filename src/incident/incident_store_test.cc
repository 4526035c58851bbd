#include "incident/incident_store.h"

#include <gtest/gtest.h>

#include "base/seeded_random.h"
#include "base/temporary_directory.h"

namespace cloison::incident {
namespace {

class IncidentStoreTest : public testing::Test {
  protected:
    void SetUp() override {
        auto opened = open_incident_database(directory_.path() / "desk.db");
        ASSERT_TRUE(opened) << opened.error().message;
        database_ = std::move(*opened);
        store_.emplace(*database_, clock_, random_);
    }

    TemporaryDirectory directory_;
    ManualClock clock_{*parse_rfc3339("2026-04-15T12:00:00Z")};
    SeededRandom random_{1};
    std::unique_ptr<storage::Database> database_;
    std::optional<IncidentStore> store_;
    const ActorId dpo_ = ActorId::random(random_);
};

TEST_F(IncidentStoreTest, KeepsWhatIsEntered) {
    const auto incident = store_->open("Comptes lus par un agent", dpo_);
    ASSERT_TRUE(incident) << incident.error().message;
    const Time early = clock_.now() - std::chrono::hours(48);
    ASSERT_TRUE(store_->add_awareness(*incident, clock_.now(), "Ministry", dpo_));
    ASSERT_TRUE(store_->add_awareness(*incident, early, "Prosecutor", dpo_));
    ASSERT_TRUE(store_->add_note(*incident, "First", dpo_));
    ASSERT_TRUE(store_->add_note(*incident, "Second", dpo_));
    SavedScope scope;
    scope.query = "door=desk";
    scope.persons = 3;
    scope.lines = 4;
    scope.covered_size = 99;
    scope.covered_root[0] = 7;
    scope.by = dpo_;
    ASSERT_TRUE(store_->save_scope(*incident, scope));

    const auto found = store_->get(*incident);
    ASSERT_TRUE(found) << found.error().message;
    EXPECT_EQ(found->title, "Comptes lus par un agent");
    EXPECT_EQ(found->opened_by, dpo_);
    EXPECT_EQ(found->aware, early);  // The earliest candidate holds the clock.
    ASSERT_EQ(found->awareness.size(), 2U);
    EXPECT_EQ(found->awareness[0].source, "Prosecutor");
    ASSERT_EQ(found->notes.size(), 2U);
    EXPECT_EQ(found->notes[1].text, "Second");
    ASSERT_EQ(found->scopes.size(), 1U);
    EXPECT_EQ(found->scopes[0].covered_size, 99U);
    EXPECT_EQ(found->scopes[0].covered_root, scope.covered_root);
    ASSERT_EQ(store_->list()->size(), 1U);
    EXPECT_EQ(store_->list()->at(0).aware, early);
}

TEST_F(IncidentStoreTest, TheClockStopsOnceAndAClosedIncidentDoesNotChange) {
    const auto incident = *store_->open("Leak", dpo_);
    EXPECT_FALSE(store_->get(incident)->stopped());
    ASSERT_TRUE(store_->set_notified(incident, clock_.now(), "CNIL 2026-1"));
    EXPECT_EQ(store_->get(incident)->stopped(), clock_.now());
    EXPECT_EQ(store_->set_notified(incident, clock_.now(), "again").error().code,
              ErrorCode::kConflict);
    ASSERT_TRUE(store_->close(incident, dpo_));
    EXPECT_EQ(store_->close(incident, dpo_).error().code, ErrorCode::kConflict);
    EXPECT_EQ(store_->add_note(incident, "late", dpo_).error().code, ErrorCode::kConflict);
    EXPECT_EQ(store_->add_awareness(incident, clock_.now(), "late", dpo_).error().code,
              ErrorCode::kConflict);
    EXPECT_TRUE(store_->get(incident)->notes.empty());
}

TEST_F(IncidentStoreTest, RefusesBadInputAndChangesNothing) {
    const auto incident = *store_->open("Leak", dpo_);
    const auto code = [](const Status& status) { return status.error().code; };
    EXPECT_EQ(store_->open("  ", dpo_).error().code, ErrorCode::kInvalidArgument);
    EXPECT_EQ(store_->open(std::string(kMaxTitle + 1, 'a'), dpo_).error().code,
              ErrorCode::kInvalidArgument);
    EXPECT_TRUE(store_->open(std::string(kMaxTitle, 'a'), dpo_));
    EXPECT_EQ(code(store_->add_note(incident, std::string(kMaxNote + 1, 'a'), dpo_)),
              ErrorCode::kInvalidArgument);
    EXPECT_TRUE(store_->add_note(incident, std::string(kMaxNote, 'a'), dpo_));
    EXPECT_EQ(code(store_->add_note(incident, "\xff", dpo_)), ErrorCode::kInvalidArgument);
    EXPECT_TRUE(store_->add_awareness(incident, clock_.now(), "now", dpo_));
    EXPECT_EQ(code(store_->add_awareness(incident, clock_.now() + Duration(1), "soon", dpo_)),
              ErrorCode::kInvalidArgument);
    EXPECT_EQ(code(store_->set_notified(incident, clock_.now() + Duration(1), "soon")),
              ErrorCode::kInvalidArgument);
    EXPECT_EQ(code(store_->add_note(IncidentId::random(random_), "x", dpo_)), ErrorCode::kNotFound);
    EXPECT_EQ(store_->get(incident)->notes.size(), 1U);
    EXPECT_EQ(store_->get(incident)->awareness.size(), 1U);
}

TEST_F(IncidentStoreTest, ListsOfAnIncidentAreBounded) {
    const auto incident = *store_->open("Leak", dpo_);
    for (std::size_t i = 0; i < kMaxListed; ++i)
        ASSERT_TRUE(store_->add_note(incident, "note", dpo_));
    EXPECT_EQ(store_->add_note(incident, "one more", dpo_).error().code, ErrorCode::kTooLarge);
    EXPECT_EQ(store_->get(incident)->notes.size(), kMaxListed);
}

TEST_F(IncidentStoreTest, ExportsAndTheirDownloadsAreListed) {
    Export request;
    request.incident = *store_->open("Leak", dpo_);
    request.approval = ApprovalId::random(random_);
    request.query = "door=desk&up_to=12";
    request.list = {1, 2, 3};
    request.persons = 7;
    request.asked_by = dpo_;
    ASSERT_TRUE(store_->add_export(request));
    EXPECT_EQ(store_->add_export(request).error().code, ErrorCode::kConflict);
    ASSERT_TRUE(store_->add_download(request.approval, 7, "csv", dpo_));
    ASSERT_TRUE(store_->add_download(request.approval, 7, "json", dpo_));
    const auto found = store_->get_export(request.approval);
    ASSERT_TRUE(found);
    EXPECT_EQ(found->query, request.query);
    EXPECT_EQ(found->list, request.list);
    ASSERT_EQ(found->downloads.size(), 2U);
    EXPECT_EQ(found->downloads[1].format, "json");
    EXPECT_EQ(store_->get(request.incident)->exports.at(0).downloads.size(), 2U);
    EXPECT_EQ(store_->get_export(ApprovalId::random(random_)).error().code, ErrorCode::kNotFound);
}

TEST_F(IncidentStoreTest, WhatWasCoveredOnlyGrows) {
    EXPECT_FALSE(store_->covered("log").value());
    ASSERT_TRUE(store_->set_covered("log", {10, {1}, ""}));
    ASSERT_TRUE(store_->set_covered("log", {5, {2}, ""}));
    EXPECT_EQ(store_->covered("log").value()->size, 10U);
    ASSERT_TRUE(store_->set_covered("log", {11, {3}, ""}));
    EXPECT_EQ(store_->covered("log").value()->root, (crypto::Hash{3}));
}

}  // namespace
}  // namespace cloison::incident
