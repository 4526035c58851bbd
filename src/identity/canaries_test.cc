#include <sqlite3.h>

#include "identity/test_house.h"

namespace cloison::identity {
namespace {

class CanariesTest : public House {
  protected:
    v1::PlantCanaryRequest canary(const std::string& email) {
        v1::PlantCanaryRequest request;
        request.set_record(random_id());
        request.set_language("fr");
        keeper::v1::PlantCanariesRequest plant;
        plant.set_copy("copy-1");
        plant.set_compartment("identity");
        auto* person = plant.add_persons();
        for (const auto& [field, value] :
             {std::pair<std::string, std::string>{"email", email}, {"family_name", "Lachenal"}}) {
            auto* item = person->add_items();
            item->set_field(field);
            item->set_record(request.record());
            item->set_value(value);
            item->set_schema_version(1);
        }
        const auto planted = keeper_as("operator").plant_canaries(plant);
        EXPECT_TRUE(planted) << (planted ? "" : planted.error().message);
        request.set_enrolment(planted->persons(0).enrolment());
        request.set_email_index(planted->persons(0).email_index());
        for (int i = 0; i < 2; ++i) {
            auto* field = request.add_fields();
            field->set_field(plant.persons(0).items(i).field());
            field->set_record(request.record());
            field->set_sealed(planted->persons(0).sealed(i));
        }
        return request;
    }
    ErrorCode code(const v1::PlantCanaryRequest& request) {
        const auto planted = as("operator").plant_canary(request);
        return planted ? ErrorCode::kInternal : planted.error().code;
    }
    /// The first column of the first row that a thief of the file finds.
    std::string stolen(const std::string& sql) {
        sqlite3* database = nullptr;
        EXPECT_EQ(sqlite3_open((identity_directory() / "identity.sqlite").c_str(), &database),
                  SQLITE_OK);
        sqlite3_stmt* statement = nullptr;
        EXPECT_EQ(sqlite3_prepare_v2(database, sql.c_str(), -1, &statement, nullptr), SQLITE_OK)
            << sqlite3_errmsg(database);
        EXPECT_EQ(sqlite3_step(statement), SQLITE_ROW);
        const auto* text = reinterpret_cast<const char*>(sqlite3_column_text(statement, 0));
        std::string found = text == nullptr ? "NULL" : text;
        sqlite3_finalize(statement);
        sqlite3_close(database);
        return found;
    }
};

constexpr ErrorCode kGood = ErrorCode::kInternal;
constexpr ErrorCode kMalformed = ErrorCode::kInvalidArgument;

TEST_F(CanariesTest, LooksLikeAResidentWhoSignedUpWithOthers) {
    sign_up("anne@example.org");
    clock.advance(10 * kPeriod);
    ASSERT_EQ(code(canary("agathe@caribmail.an")), kGood);
    for (const char* column : {"role", "disabled", "language", "memory_kib", "passes",
                               "length(traces)", "length(verifier)", "length(salt)",
                               "length(actor)", "length(email_index)", "totp IS NULL"})
        EXPECT_EQ(stolen("SELECT count(DISTINCT " + std::string(column) + ") FROM account"), "1")
            << column;
    EXPECT_EQ(stolen("SELECT count(*) FROM account"), "2");
    EXPECT_EQ(stolen("SELECT count(*) FROM sign_in_trace"), "2");
    EXPECT_EQ(stolen("SELECT count(*) FROM profile_value"), "3");
}

TEST_F(CanariesTest, NobodyCanSignInToIt) {
    ASSERT_EQ(code(canary("agathe@caribmail.an")), kGood);
    const auto refused = sign_in(index_of("agathe@caribmail.an"), kPassword);
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().code, ErrorCode::kUnauthenticated);
    const auto begun = begin(index_of("agathe@caribmail.an"));
    ASSERT_TRUE(begun);
    EXPECT_TRUE(begun->account_exists()) << "it cannot be taken over by signing up";
}

TEST_F(CanariesTest, BadInputStoresNothing) {
    const auto good = canary("agathe@caribmail.an");
    auto wrong = good;
    wrong.set_email_index("short");
    EXPECT_EQ(code(wrong), kMalformed);
    wrong = good;
    wrong.set_record("short");
    EXPECT_EQ(code(wrong), kMalformed);
    wrong = good;
    wrong.set_language("xx");
    EXPECT_EQ(code(wrong), kMalformed);
    wrong = good;
    wrong.clear_enrolment();
    EXPECT_EQ(code(wrong), kMalformed);
    wrong = good;
    wrong.mutable_fields()->RemoveLast();
    wrong.mutable_fields(0)->set_field("family_name");
    EXPECT_EQ(code(wrong), kMalformed) << "no address";
    wrong = good;
    wrong.mutable_fields(1)->set_field("email");
    EXPECT_EQ(code(wrong), kMalformed) << "twice";
    wrong = good;
    wrong.mutable_fields(1)->set_field("birth_name");
    EXPECT_EQ(code(wrong), kMalformed);
    wrong = good;
    wrong.mutable_fields(0)->set_record(random_id());
    EXPECT_EQ(code(wrong), kMalformed);
    wrong = good;
    wrong.mutable_fields(1)->set_sealed("");
    EXPECT_EQ(code(wrong), kMalformed);
    wrong = good;
    wrong.set_enrolment(enrolment());
    EXPECT_EQ(code(wrong), kGood) << "an ordinary enrolment is identity's as well";
    EXPECT_EQ(code(good), ErrorCode::kConflict) << "the account is there";
    EXPECT_EQ(stolen("SELECT count(*) FROM account"), "1");
    EXPECT_EQ(as("portal").plant_canary(good).error().code, ErrorCode::kPermissionDenied);
}

}  // namespace
}  // namespace cloison::identity
