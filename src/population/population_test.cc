#include "population/population.h"

#include <gtest/gtest.h>

#include "base/temporary_directory.h"
#include "casework/casework.h"
#include "casework/request_type.h"
#include "crypto/keys.h"
#include "demo/accounts.h"
#include "demo/people.h"
#include "documents/documents.h"
#include "identity/identity.h"
#include "journal/fsck.h"
#include "keeper/keeper.h"
#include "net/rpc.h"

namespace cloison::population {
namespace {

const Path kSource = CLOISON_SOURCE_DIR;
const Time kNow = from_unix_ms(1'790'000'000'000);

constexpr const char* kNames = R"({
    "female": ["Anaïs", "Zoé", "Maëlle", "Jeanne"], "male": ["Hugo", "Théo", "Côme", "Jean-Noël"],
    "surnames": ["Durand", "Moreau", "Lefebvre", "Abadie"],
    "communes": [{"name": "L'Haÿ-les-Roses", "department": "94", "postcode": "94240"},
                 {"name": "Ajaccio", "department": "2A", "postcode": "20000"}]})";

/// Directories as `cloison init` makes them.
class PopulationTest : public testing::Test {
  protected:
    void SetUp() override {
        crypto::initialize();
        options_.keeper = var_.path() / "keeper";
        options_.identity = var_.path() / "identity";
        options_.casework = var_.path() / "casework";
        options_.documents = var_.path() / "documents";
        options_.trust = var_.path() / "trust";
        options_.demo_file = var_.path() / "demo.json";
        options_.registry_file = kSource / "registry/fields.toml";
        options_.request_types = kSource / "registry/requests";
        options_.names_file = var_.path() / "names.json";
        options_.residents = 20;
        options_.now = kNow;
        options_.password_cost = {crypto::kMinPasswordMemoryKib, 1};
        ASSERT_TRUE(files_.create_directories(options_.trust));
        ASSERT_TRUE(files_.write_file_atomically(options_.names_file, as_bytes(kNames), 0600));
        ASSERT_TRUE(keeper::create_keeper_directory(files_, options_.keeper, random_));
        ASSERT_TRUE(identity::create_identity_directory(files_, options_.identity, random_));
        ASSERT_TRUE(casework::create_casework_directory(files_, options_.casework, random_));
        ASSERT_TRUE(documents::create_documents_directory(files_, options_.documents, random_));
        const auto identity = identity::identity_verify_keys(files_, options_.identity);
        const auto casework = casework::casework_verify_keys(files_, options_.casework);
        ASSERT_TRUE(
            net::write_trust_file(files_, options_.trust, "identity-grants", identity->grants));
        ASSERT_TRUE(
            net::write_trust_file(files_, options_.trust, "casework-tickets", casework->tickets));
    }

    TemporaryDirectory var_;
    FileSystem& files_ = local_file_system();
    Random& random_ = system_random();
    Options options_;
};

TEST_F(PopulationTest, LeavesACompleteHouseBehind) {
    std::uint32_t shown = 0;
    options_.on_progress = [&](const Progress& progress) { shown = progress.done; };
    const auto summary = populate(options_, files_, random_);
    ASSERT_TRUE(summary) << summary.error().message;
    EXPECT_EQ(shown, 20U);
    for (const char* status : {"draft", "submitted", "in_review", "action_required", "approved",
                               "refused", "in_production", "ready", "delivered", "withdrawn"})
        EXPECT_GT(summary->requests.count(status), 0U) << status;
    EXPECT_GT(summary->journal_entries, 40U);

    // The next process finds a journal without fault and a keeper that opens.
    const auto key = keeper::journal_verify_key(files_, options_.keeper, options_.journal_origin);
    ASSERT_TRUE(key);
    const auto checked = journal::fsck(
        files_, keeper::journal_directory(options_.keeper),
        {.verify_key = *key, .entry_key = *keeper::journal_entry_key(files_, options_.keeper)});
    ASSERT_TRUE(checked) << checked.error().message;
    EXPECT_EQ(checked->entries, summary->journal_entries);
    const auto registry = registry::Registry::load(files_, options_.registry_file);
    const auto identity = identity::identity_verify_keys(files_, options_.identity);
    ManualClock clock(kNow);
    keeper::Keeper::Options again;
    again.directory = options_.keeper;
    const auto keeper =
        keeper::Keeper::open(again, *registry, identity->grants, files_, clock, random_);
    ASSERT_TRUE(keeper) << keeper.error().message;

    const auto accounts = demo::load_accounts(files_, options_.demo_file);
    ASSERT_TRUE(accounts);
    EXPECT_EQ(accounts->residents, 20U);
    EXPECT_EQ(accounts->with_role("officer").size(), 12U);
    EXPECT_EQ(accounts->with_role("resident").size(), 10U);
}

TEST_F(PopulationTest, IsMadeOnce) {
    options_.residents = 2;
    ASSERT_TRUE(populate(options_, files_, random_));
    EXPECT_EQ(populate(options_, files_, random_).error().code, ErrorCode::kConflict);
    ASSERT_TRUE(files_.remove(options_.demo_file));
    EXPECT_EQ(populate(options_, files_, random_).error().code, ErrorCode::kConflict);
}

TEST_F(PopulationTest, StopsWhenAsked) {
    int asked = 0;
    options_.threads = 1;
    options_.stopped = [&] { return ++asked > 40; };
    EXPECT_EQ(populate(options_, files_, random_).error().code, ErrorCode::kUnavailable);
    EXPECT_FALSE(files_.exists(options_.demo_file).value());
}

TEST_F(PopulationTest, RefusesWhatItCannotMake) {
    options_.residents = 0;
    EXPECT_EQ(populate(options_, files_, random_).error().code, ErrorCode::kInvalidArgument);
    options_.residents = kMaxResidents + 1;
    EXPECT_EQ(populate(options_, files_, random_).error().code, ErrorCode::kInvalidArgument);
    options_.residents = 1;
    options_.names_file = var_.path() / "missing.json";
    EXPECT_EQ(populate(options_, files_, random_).error().code, ErrorCode::kNotFound);
}

TEST(ApplicationTest, IsWhatThePortalWouldAccept) {
    FileSystem& files = local_file_system();
    const auto registry = registry::Registry::load(files, kSource / "registry/fields.toml");
    ASSERT_TRUE(registry);
    const auto types =
        casework::load_request_types(files, kSource / "registry/requests", *registry);
    ASSERT_TRUE(types);
    const auto names = demo::parse_names(kNames, "names");
    const demo::People people(std::make_shared<const demo::Names>(*names), 1);
    for (std::uint32_t number = 1; number <= 200; ++number) {
        const auto values = people.application(people.resident(number));
        for (const auto& error : casework::check_complete(types->at("passport"), values, kNow))
            ADD_FAILURE() << error.field << ": " << values.count(error.field) << ' '
                          << error.message.en;
    }
}

}  // namespace
}  // namespace cloison::population
