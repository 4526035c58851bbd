#include "keeper/known_numbers.h"

#include "keeper/support_for_test.h"

namespace cloison::keeper {
namespace {

class KnownNumbersTest : public testing::Test {
  protected:
    /// Whether a keeper starts with the register in which one text is another.
    std::string start(const std::string& from, const std::string& to) {
        bed_.keeper.reset();
        auto opened =
            Keeper::open(bed_.options, changed_register(from, to), bed_.identity.verify_key(),
                         local_file_system(), bed_.clock, bed_.random);
        if (opened) return "";
        EXPECT_EQ(opened.error().code, ErrorCode::kConflict);
        return opened.error().message;
    }
    TestBed bed_;
};

TEST_F(KnownNumbersTest, ANumberThatMeantSomethingElseIsRefused) {
    bed_.start();
    ASSERT_NE(bed_.keeper, nullptr);
    const auto email = bed_.registry.field("email")->number;
    const auto lines = bed_.as("operator").describe({})->entries();
    const auto words = start("name = \"email\"", "name = \"e_mail\"");
    EXPECT_NE(words.find("field " + std::to_string(email) +
                         " to \"identity e_mail\"; before it "
                         "was \"identity email\""),
              std::string::npos)
        << words;
    EXPECT_NE(start("name = \"desk\"", "name = \"counter\"").find("before it was \"desk\""),
              std::string::npos);
    bed_.start();
    ASSERT_NE(bed_.keeper, nullptr);
    EXPECT_EQ(bed_.as("operator").describe({})->entries(), lines) << "refusals changed nothing";
}

}  // namespace
}  // namespace cloison::keeper
