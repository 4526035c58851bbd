#include "keeper/blind_index.h"

#include "keeper/support_for_test.h"

namespace cloison::keeper {
namespace {

std::string normal(std::string_view field, std::string_view value) {
    auto normalised = normalise_for_index(field, as_bytes(value));
    return normalised ? std::string(normalised->text()) : "";
}

TEST(NormaliseTest, AnAddressIsTrimmedComposedAndLowered) {
    EXPECT_EQ(normal("email", "  Camille@Example.ORG\n"), "camille@example.org");
    EXPECT_EQ(normal("contact_email", "ZOE\xCC\x81@example.org"), "zo\xC3\xA9@example.org");
    EXPECT_EQ(normal("email", "\xEF\xBC\xA1@example.org"), "a@example.org") << "full width A";
    EXPECT_EQ(normal("email",
                     "stra\xC3\x9F"
                     "e@example.org"),
              "stra\xC3\x9F"
              "e@example.org")
        << "sharp s stays: another address";
}

TEST(NormaliseTest, OtherValuesAreFoldedAndTheirSpacesCollapsed) {
    EXPECT_EQ(normal("family_name", " Le \t  GOFF\xC2\xA0"), "le goff");
    EXPECT_EQ(normal("family_name", "STRASSE"), normal("family_name",
                                                       "stra\xC3\x9F"
                                                       "e"));
    EXPECT_EQ(normal("family_name", "E\xCC\x81lodie"), normal("family_name", "\xC3\x89LODIE"));
}

TEST(NormaliseTest, IsIdempotent) {
    for (const std::string value :
         {"  Camille@Example.ORG", "\xC4\xB0stanbul", "\xEF\xAC\x81n", "A\xCC\x8A  b"})
        for (const std::string field : {"email", "family_name"})
            EXPECT_EQ(normal(field, normal(field, value)), normal(field, value)) << value;
}

TEST(NormaliseTest, RefusesWhatIsNoText) {
    const auto code = [](std::string_view value) {
        auto normalised = normalise_for_index("email", as_bytes(value));
        return normalised ? ErrorCode::kInternal : normalised.error().code;
    };
    EXPECT_EQ(code(""), ErrorCode::kInvalidArgument);
    EXPECT_EQ(code(" \n "), ErrorCode::kInvalidArgument);
    EXPECT_EQ(code("\xFF"), ErrorCode::kInvalidArgument);
    EXPECT_EQ(code("a\xC3"), ErrorCode::kInvalidArgument);
    EXPECT_EQ(code("\xED\xA0\x80"), ErrorCode::kInvalidArgument) << "a lone surrogate";
    EXPECT_EQ(code(std::string(1024, 'a')), ErrorCode::kInternal);
    EXPECT_EQ(code(std::string(1025, 'a')), ErrorCode::kInvalidArgument);
}

class BlindIndexTest : public testing::Test {
  protected:
    registry::Registry registry_ = changed_register("per_hour = 10000\nper_day = 60000\nblock = 50",
                                                    "per_hour = 2\nper_day = 3\nblock = 2");
    KeyRing keys_{*crypto::RootKey::from_bytes(Bytes(32, 1))};
    ManualClock clock_{from_unix_ms(TestBed::kStartMs)};
    SeededRandom random_{1};
    MemoryJournal journal_;
    Recorder recorder_{journal_, clock_, random_, Time{}, {}};
    Alarms alarms_{recorder_};
    std::unique_ptr<Allowances> allowances_ = *Allowances::create(registry_, recorder_, alarms_);
    BlindIndex index_{registry_, keys_, *allowances_};

    ErrorCode code(const char* value, const char* door = "portal", const char* field = "email") {
        auto found = index_.look_up(door, field, as_bytes(std::string_view(value)));
        return found ? ErrorCode::kInternal : found.error().code;
    }
};

TEST_F(BlindIndexTest, SpellingsOfOneValueShareAnIndex) {
    const auto one = index_.look_up("portal", "email", as_bytes("Camille@example.org"));
    const auto two = index_.look_up("desk", "email", as_bytes(" camille@EXAMPLE.org"));
    ASSERT_TRUE(one && two);
    EXPECT_EQ(*one, *two);
    EXPECT_EQ(one->size(), 32u);
    EXPECT_NE(*one, *index_.look_up("portal", "email", as_bytes("camilla@example.org")));
}

TEST_F(BlindIndexTest, EachCallerHasAnAllowanceOfItsOwn) {
    constexpr Duration hour{3'600'000};
    EXPECT_EQ(code("a", "desk"), ErrorCode::kInternal);
    EXPECT_EQ(code("b", "desk"), ErrorCode::kInternal);
    EXPECT_EQ(code("c", "desk"), ErrorCode::kExhausted);
    EXPECT_EQ(code("A", "desk"), ErrorCode::kInternal) << "counted before";
    EXPECT_EQ(code("c", "portal"), ErrorCode::kInternal);
    EXPECT_EQ(code("c", "operator"), ErrorCode::kInternal);
    clock_.advance(hour);
    EXPECT_EQ(code("c", "desk"), ErrorCode::kInternal);
    EXPECT_EQ(code("d", "desk"), ErrorCode::kExhausted) << "the day";
    clock_.advance(24 * hour);
    EXPECT_EQ(code("d", "desk"), ErrorCode::kInternal);
}

TEST_F(BlindIndexTest, MalformedValuesCostNothing) {
    for (int i = 0; i < 10; ++i) {
        EXPECT_EQ(code("", "desk"), ErrorCode::kInvalidArgument);
        EXPECT_EQ(code("a", "desk", "shoe_size"), ErrorCode::kInvalidArgument);
    }
    EXPECT_TRUE(journal_.entries.empty());
    EXPECT_EQ(code("a", "desk"), ErrorCode::kInternal);
    EXPECT_EQ(code("b", "desk"), ErrorCode::kInternal);
}

TEST_F(BlindIndexTest, UnknownFieldsAndCallersAreRefused) {
    EXPECT_EQ(code("a", "portal", "shoe_size"), ErrorCode::kInvalidArgument);
    EXPECT_EQ(code("a", "identity"), ErrorCode::kPermissionDenied);
}

}  // namespace
}  // namespace cloison::keeper
