#include "desk/test_house.h"
#include "keeper/client/keeper_client.h"
#include "net/rpc.h"
#include "web/formats.h"

namespace cloison::desk {
namespace {

/// The keeper, which says of its witnesses what the test wants.
class Witnessed : public net::RpcChannel {
  public:
    explicit Witnessed(std::shared_ptr<net::RpcChannel> keeper) : keeper_(std::move(keeper)) {}

    Status call(std::string_view method, const google::protobuf::Message& request,
                google::protobuf::Message* response, Duration deadline) override {
        CLOISON_TRY_STATUS(keeper_->call(method, request, response, deadline));
        if (method != "Describe") return {};
        auto& described = static_cast<keeper::v1::DescribeResponse&>(*response);
        described.set_witnesses(3);
        described.set_witnesses_needed(2);
        described.set_witnessed_ms(at ? to_unix_ms(*at) : 0);
        described.set_witnessed_entries(described.entries() - uncovered);
        return {};
    }

    std::optional<Time> at;  ///< Of the last cosigned checkpoint.
    std::uint64_t uncovered = 0;

  private:
    std::shared_ptr<net::RpcChannel> keeper_;
};

/// What the first pages say of the journal's witnesses. tests/system/witness_test.py has witnesses.
class WitnessViewTest : public House {
  protected:
    static bool has(const net::HttpResponse& response, std::string_view text) {
        return response.body.find(text) != std::string::npos;
    }
};

TEST_F(WitnessViewTest, DataProtectionOfficersAndAdministratorsSeeThatNoneIsSet) {
    Browser dpo = browser(staff("dpo", "dpo@agency.example"));
    Browser administrator = browser(staff("administrator", "admin@agency.example"));
    for (const auto& page : {dpo.get("/incidents"), administrator.get("/staff")}) {
        ASSERT_EQ(page.status, 200);
        EXPECT_TRUE(has(page, "No witness is set")) << page.body;
        EXPECT_FALSE(has(page, "govuk-warning-text"));
    }
}

class CosignedTest : public WitnessViewTest {
  protected:
    void SetUp() override {
        WitnessViewTest::SetUp();
        witnessed_ = std::make_shared<Witnessed>(net::local_rpc(keeper->service(), "desk"));
        desk.reset();
        Desk::Options options;
        options.directory = path("desk");
        options.web_directory = path("web");
        options.request_types = source("registry/requests");
        keep(desk, Desk::create(options,
                                {identity_as("desk"), keeper::KeeperClient(witnessed_),
                                 casework_as("desk"), documents_as("desk")},
                                registry, files, clock, random));
    }

    std::shared_ptr<Witnessed> witnessed_;
};

TEST_F(CosignedTest, TheAgeOfTheLastCosignedCheckpointIsSaidInWordsInBothLanguages) {
    constexpr std::int64_t kSecond = 1000;
    constexpr std::int64_t kMinute = 60 * kSecond;
    constexpr std::int64_t kHour = 60 * kMinute;
    constexpr std::int64_t kDay = 24 * kHour;
    const struct {
        std::int64_t ms;
        const char* english;
        const char* french;
    } ages[] = {
        {0, "less than a minute ago", "il y a moins d’une minute"},
        {59 * kSecond, "less than a minute ago", "il y a moins d’une minute"},
        {kMinute - 1, "less than a minute ago", "il y a moins d’une minute"},
        {kMinute, "1 minute ago", "il y a 1 minute"},
        {59 * kMinute, "59 minutes ago", "il y a 59 minutes"},
        {2 * kHour - 1, "119 minutes ago", "il y a 119 minutes"},
        {2 * kHour, "2 hours ago", "il y a 2 heures"},
        {2 * kDay - 1, "47 hours ago", "il y a 47 heures"},
        {2 * kDay, "2 days ago", "il y a 2 jours"},
    };
    Browser dpo = browser(staff("dpo", "dpo@agency.example"));
    for (const auto& age : ages) {
        witnessed_->at = clock.now() - Duration(age.ms);
        const auto at = [&](web::Language language) {
            return web::format_date_time(language, *witnessed_->at);
        };
        const auto english = dpo.get("/incidents?lang=en");
        EXPECT_TRUE(has(english, "Last cosigned checkpoint: " + at(web::Language::kEnglish) + ", " +
                                     age.english + ". Every line is covered."))
            << age.ms << english.body;
        const auto french = dpo.get("/incidents?lang=fr");
        EXPECT_TRUE(
            has(french, "Dernier point de contrôle contresigné : " + at(web::Language::kFrench) +
                            ", " + age.french + ". Toutes les lignes sont couvertes."))
            << age.ms << french.body;
    }
}

TEST_F(CosignedTest, LinesThatWaitAreCountedWithOrWithoutACheckpoint) {
    Browser dpo = browser(staff("dpo", "dpo@agency.example"));
    witnessed_->uncovered = 2;
    EXPECT_TRUE(
        has(dpo.get("/incidents"), "No checkpoint is cosigned yet. 2 lines are not cosigned yet:"));
    witnessed_->at = clock.now();
    witnessed_->uncovered = 1;
    EXPECT_TRUE(has(dpo.get("/incidents"), "less than a minute ago. 1 line is not cosigned yet:"));
}

TEST_F(WitnessViewTest, OthersDoNot) {
    Browser officer = browser(staff("officer", "officer@agency.example"));
    EXPECT_FALSE(has(officer.get("/queue"), "witness"));
}

}  // namespace
}  // namespace cloison::desk
