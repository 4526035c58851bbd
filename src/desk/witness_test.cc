#include "desk/test_house.h"

namespace cloison::desk {
namespace {

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

TEST_F(WitnessViewTest, OthersDoNot) {
    Browser officer = browser(staff("officer", "officer@agency.example"));
    EXPECT_FALSE(has(officer.get("/queue"), "witness"));
}

}  // namespace
}  // namespace cloison::desk
