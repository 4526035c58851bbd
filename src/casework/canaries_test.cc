#include "casework/canaries.h"

#include <sqlite3.h>

#include "casework/support_for_test.h"

namespace cloison::casework {
namespace {

const std::vector<std::string> kRequired{
    "request_reason", "birth_name",     "forenames",     "sex",          "birth_date",
    "birthplace",     "nationality",    "height",        "eye_colour",   "parent1_known",
    "parent2_known",  "postal_address", "contact_phone", "contact_email"};

class CanariesTest : public CaseworkBed {
  protected:
    v1::PlantCanaryRequest canary(const std::vector<std::string>& fields = kRequired) {
        v1::PlantCanaryRequest request;
        request.set_request(RequestId::random(random_).bytes());
        request.set_type("passport");
        keeper::v1::PlantCanariesRequest plant;
        plant.set_copy("copy-1");
        plant.set_compartment("casework");
        auto* person = plant.add_persons();
        for (const auto& field : fields) {
            auto* item = person->add_items();
            item->set_field(field);
            item->set_record(request.request());
            item->set_value("invented");
            item->set_schema_version(1);
        }
        const auto planted = keeper_as("operator").plant_canaries(plant);
        EXPECT_TRUE(planted) << (planted ? "" : planted.error().message);
        request.set_enrolment(planted->persons(0).enrolment());
        for (std::size_t i = 0; i < fields.size(); ++i) {
            auto* value = request.add_values();
            value->set_field(fields[i]);
            value->set_record(request.request());
            value->set_sealed(planted->persons(0).sealed(static_cast<int>(i)));
        }
        return request;
    }
    Result<v1::PlantCanaryResponse> plant(const v1::PlantCanaryRequest& request) {
        return as("operator").plant_canary(request);
    }
    /// The first column of each row that a thief of the file finds.
    std::vector<std::string> stolen(const std::string& sql) {
        sqlite3* database = nullptr;
        EXPECT_EQ(sqlite3_open((path("casework") / "casework.db").c_str(), &database), SQLITE_OK);
        sqlite3_stmt* statement = nullptr;
        EXPECT_EQ(sqlite3_prepare_v2(database, sql.c_str(), -1, &statement, nullptr), SQLITE_OK)
            << sqlite3_errmsg(database);
        std::vector<std::string> found;
        while (sqlite3_step(statement) == SQLITE_ROW) {
            const auto* text = reinterpret_cast<const char*>(sqlite3_column_text(statement, 0));
            found.emplace_back(text == nullptr ? "NULL" : text);
        }
        sqlite3_finalize(statement);
        sqlite3_close(database);
        return found;
    }
    static std::string hex(const std::string& id) { return "x'" + hex_encode(as_bytes(id)) + "'"; }
    std::vector<std::string> history(const std::string& id) {
        return stolen(
            "SELECT status || ' ' || party || ' ' || CASE WHEN actor IS NULL THEN '-' "
            "ELSE hex(actor) END FROM "
            "status_history WHERE request = " +
            hex(id) + " ORDER BY sequence");
    }
    std::string delivered(const Person& person, const ActorId& officer) {
        const std::string id = submitted(person);
        EXPECT_TRUE(try_take(officer, id));
        clock_.advance(std::chrono::hours(30));
        for (const char* status : {"approved", "in_production", "ready", "delivered"}) {
            clock_.advance(std::chrono::hours(5));
            const auto decided = try_decide(officer, person, id, status, false);
            EXPECT_TRUE(decided) << status << (decided ? "" : decided.error().message);
        }
        return id;
    }
};

TEST_F(CanariesTest, IsSubmittedAndWithdrawnWhileNothingIsFinished) {
    const auto request = canary();
    const auto planted = plant(request);
    ASSERT_TRUE(planted) << planted.error().message;
    EXPECT_EQ(history(request.request()),
              (std::vector<std::string>{"draft resident -", "submitted resident -",
                                        "withdrawn resident -"}));
    EXPECT_EQ(stolen("SELECT status FROM request"), std::vector<std::string>{"withdrawn"});
    EXPECT_EQ(stolen("SELECT count(*) FROM request_value").at(0), std::to_string(kRequired.size()));
    EXPECT_EQ(stolen("SELECT max(at_ms) < " + std::to_string(to_unix_ms(clock_.now())) +
                     " AND min(at_ms) % 3600000 = 0 FROM status_history"),
              std::vector<std::string>{"1"});
    EXPECT_EQ(stolen("SELECT created_ms % 86400000 FROM request"), std::vector<std::string>{"0"});
}

TEST_F(CanariesTest, FollowsAFinishedRequestSomeWeeksEarlier) {
    const auto officer = new_officer();
    const std::string model = delivered(enroll(), officer);
    const auto request = canary();
    const auto planted = plant(request);
    ASSERT_TRUE(planted) << planted.error().message;
    EXPECT_EQ(history(request.request()), history(model));
    EXPECT_EQ(stolen("SELECT count(DISTINCT version), count(*) FROM request"),
              std::vector<std::string>{"1"})
        << "the same version";
    const auto week = std::to_string(7LL * 86'400'000);
    EXPECT_EQ(
        stolen("SELECT count(DISTINCT (a.at_ms - b.at_ms)) = 1 AND max((a.at_ms - b.at_ms) % " +
               week + ") = 0 AND max(a.at_ms - b.at_ms) <= 8 * " + week +
               " AND min(a.at_ms - b.at_ms) >= " + week +
               " FROM status_history a, status_history b WHERE a.sequence = b.sequence AND "
               "a.request = " +
               hex(model) + " AND b.request = " + hex(request.request())),
        std::vector<std::string>{"1"});
    EXPECT_EQ(stolen("SELECT event FROM assignment_history WHERE request = " +
                     hex(request.request()) + " ORDER BY sequence"),
              stolen("SELECT event FROM assignment_history WHERE request = " + hex(model) +
                     " ORDER BY sequence"));
    EXPECT_EQ(stolen("SELECT assigned_to FROM request"),
              (std::vector<std::string>{"NULL", "NULL"}));
}

TEST_F(CanariesTest, NoOfficerMeetsIt) {
    const auto officer = new_officer();
    const auto request = canary();
    ASSERT_TRUE(plant(request));
    v1::QueueRequest queue;
    queue.set_grant(staff(officer));
    queue.set_limit(100);
    EXPECT_EQ(desk().queue(queue)->total(), 0u);
    EXPECT_EQ(error_of(try_take(officer, request.request())).code, ErrorCode::kNotFound);
    EXPECT_EQ(error_of(try_case(officer, request.request())).code, ErrorCode::kNotFound);
}

TEST_F(CanariesTest, BadInputStoresNothing) {
    const auto code = [&](const v1::PlantCanaryRequest& request) {
        return error_of(plant(request)).code;
    };
    const auto good = canary();
    auto wrong = good;
    wrong.set_request("short");
    EXPECT_EQ(code(wrong), ErrorCode::kInvalidArgument);
    wrong = good;
    wrong.set_type("boat");
    EXPECT_EQ(code(wrong), ErrorCode::kInvalidArgument);
    wrong = good;
    wrong.mutable_values()->RemoveLast();
    EXPECT_EQ(code(wrong), ErrorCode::kInvalidArgument) << "a field that is always required";
    wrong = good;
    *wrong.add_values() = wrong.values(0);
    EXPECT_EQ(code(wrong), ErrorCode::kInvalidArgument) << "a field twice";
    wrong = good;
    wrong.mutable_values(0)->set_record(std::string(16, 'x'));
    EXPECT_EQ(code(wrong), ErrorCode::kInvalidArgument);
    wrong = good;
    wrong.mutable_values(0)->set_sealed("not sealed");
    EXPECT_EQ(code(wrong), ErrorCode::kInvalidArgument);
    wrong = good;
    wrong.set_enrolment("nobody");
    EXPECT_NE(code(wrong), ErrorCode::kInternal);
    EXPECT_EQ(error_of(portal().plant_canary(good)).code, ErrorCode::kPermissionDenied);
    EXPECT_EQ(stolen("SELECT count(*) FROM request").at(0), "0");
    ASSERT_TRUE(plant(good));
    EXPECT_EQ(code(good), ErrorCode::kConflict) << "the id is taken";
    EXPECT_EQ(stolen("SELECT count(*) FROM request").at(0), "1");
}

}  // namespace
}  // namespace cloison::casework
