#include "incident/acknowledgements.h"

#include <gtest/gtest.h>

#include <optional>

#include "base/seeded_random.h"
#include "base/temporary_directory.h"
#include "incident/incident_store.h"

namespace cloison::incident {
namespace {

class AcknowledgementsTest : public testing::Test {
  protected:
    void SetUp() override { open(); }
    void open() {
        kept_.reset();
        database_.reset();
        auto opened = open_incident_database(directory_.path() / "desk.db");
        ASSERT_TRUE(opened) << opened.error().message;
        database_ = std::move(*opened);
        kept_.emplace(*database_, clock_);
    }

    TemporaryDirectory directory_;
    ManualClock clock_{*parse_rfc3339("2026-04-15T12:00:00Z")};
    SeededRandom random_{1};
    std::unique_ptr<storage::Database> database_;
    std::optional<Acknowledgements> kept_;
    const ActorId dpo_ = ActorId::random(random_);
    const ActorId other_ = ActorId::random(random_);
};

TEST_F(AcknowledgementsTest, TheFirstWordStandsAndOutlivesARestart) {
    const Time first = clock_.now();
    ASSERT_TRUE(kept_->add("keeper", {3, 7}, dpo_));
    clock_.advance(Duration(1000));
    ASSERT_TRUE(kept_->add("keeper", {7, 9}, other_));
    open();
    const auto found = kept_->find("keeper", {3, 7, 8, 9});
    ASSERT_TRUE(found);
    ASSERT_EQ(found->size(), 3u);
    EXPECT_EQ(found->at(7).by, dpo_);
    EXPECT_EQ(found->at(7).at, first);
    EXPECT_EQ(found->at(9).by, other_);
    EXPECT_EQ(*kept_->count("keeper"), 3u);
}

TEST_F(AcknowledgementsTest, AnotherJournalHasItsOwn) {
    ASSERT_TRUE(kept_->add("keeper", {3}, dpo_));
    EXPECT_TRUE(kept_->find("other", {3})->empty());
    EXPECT_EQ(*kept_->count("other"), 0u);
}

TEST_F(AcknowledgementsTest, ACallIsBounded) {
    std::vector<std::uint64_t> entries(200);
    for (std::size_t i = 0; i < entries.size(); ++i) entries[i] = i;
    EXPECT_TRUE(kept_->add("keeper", {}, dpo_));
    EXPECT_TRUE(kept_->add("keeper", entries, dpo_));
    EXPECT_EQ(kept_->find("keeper", entries)->size(), 200u);
    entries.push_back(200);
    EXPECT_EQ(kept_->add("keeper", entries, dpo_).error().code, ErrorCode::kInvalidArgument);
    EXPECT_EQ(kept_->find("keeper", entries).error().code, ErrorCode::kInvalidArgument);
    EXPECT_EQ(*kept_->count("keeper"), 200u);
}

}  // namespace
}  // namespace cloison::incident
