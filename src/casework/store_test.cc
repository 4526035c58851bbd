#include "casework/store.h"

#include "casework/casework_schema.h"
#include "casework/support_for_test.h"

namespace cloison::casework {
namespace {

class StoreTest : public CaseworkBed {
  protected:
    std::unique_ptr<storage::Database> open_database() {
        auto opened = storage::open_sqlite(path("casework") / "casework.db", casework_schema());
        EXPECT_TRUE(opened);
        return std::move(*opened);
    }
    /// All that a thief of the directory's database reads.
    std::string stolen() {
        std::string bytes;
        const auto names = files().list(path("casework"));
        for (const auto& name : *names)
            if (name.starts_with("casework.db"))
                bytes += to_string(*files().read_file(path("casework") / name, 1 << 26));
        return bytes;
    }
};

TEST_F(StoreTest, HistoriesAreAppendOnlyInTheDatabaseItself) {
    const Person person = enroll();
    const std::string id = submitted(person);
    ASSERT_TRUE(try_take(new_officer(), id));
    const auto database = open_database();
    const auto refused = [&](std::string_view sql) {
        const auto changed = database->write([&](storage::Transaction& transaction) -> Status {
            CLOISON_TRY_STATUS(transaction.execute(sql, {}));
            return {};
        });
        EXPECT_EQ(error_of(changed).code, ErrorCode::kConflict) << sql;
    };
    for (const std::string table : {"status_history", "assignment_history"}) {
        refused("UPDATE " + table + " SET at_ms = 0");
        refused("UPDATE " + table + " SET sequence = sequence + 100");
        refused("DELETE FROM " + table);
        refused("INSERT OR REPLACE INTO " + table + " SELECT * FROM " + table);
    }
    refused(
        "INSERT INTO status_history (request, sequence, status, party, at_ms) "
        "SELECT request, 0, 'approved', 'system', 0 FROM request");
    EXPECT_EQ(get(person, id).history_size(), 3);
}

TEST_F(StoreTest, AssignmentsSayWhoHeldWhatWhen) {
    const Person person = enroll();
    const std::string id = submitted(person);
    const ActorId first = new_officer();
    const ActorId second = new_officer();
    ASSERT_TRUE(try_take(first, id));
    clock_.advance(std::chrono::hours(5));
    ASSERT_TRUE(try_release(first, id));
    ASSERT_TRUE(try_take(second, id));
    ASSERT_TRUE(try_decide(second, person, id, "refused"));
    const auto rows =
        open_database()->read_result<storage::Rows>([&](storage::Transaction& transaction) {
            return transaction.query(
                "SELECT event, actor, at_ms FROM assignment_history WHERE request = $1 "
                "ORDER BY sequence",
                {storage::blob(id)});
        });
    ASSERT_TRUE(rows);
    ASSERT_EQ(rows->size(), 4U);
    const std::vector<std::string> events{"taken", "released", "taken", "ended"};
    for (std::size_t i = 0; i < events.size(); ++i) {
        EXPECT_EQ((*rows)[i].text(0), events[i]);
        EXPECT_EQ((*rows)[i].byte_string(1), (i < 2 ? first : second).bytes());
        EXPECT_EQ((*rows)[i].integer(2) % 3'600'000, 0);
    }
    EXPECT_EQ((*rows)[1].integer(2) - (*rows)[0].integer(2), 5 * 3'600'000);
}

TEST_F(StoreTest, StolenDatabaseHoldsNoPlaintextAndNoForeignId) {
    const Person person = enroll();
    const std::string id = create(person);
    fill(person, id, "Plaintextmarker-Dupont");
    ASSERT_TRUE(try_submit(person, id));
    ASSERT_TRUE(try_post("portal", self(person), person, id));
    const std::string bytes = stolen();
    EXPECT_NE(bytes.find(id), std::string::npos);
    EXPECT_EQ(bytes.find("Plaintextmarker"), std::string::npos);
    EXPECT_EQ(bytes.find(std::string(person.identity.begin(), person.identity.end())),
              std::string::npos);

    // What the documents compartment calls this person and this case.
    auto grant = self_grant(person);
    keeper::HandleContent content{registry::Compartment::kCasework, {}, *RequestId::from_bytes(id)};
    keeper::v1::ResolveRequest resolve;
    resolve.mutable_subject()->set_grant(self(person));
    const auto own = keeper_as("casework").resolve(resolve);
    ASSERT_TRUE(own);
    std::copy_n(own->pseudonym().begin(), 16, content.pseudonym.begin());
    EXPECT_EQ(bytes.find(own->pseudonym()), std::string::npos) << "not even casework's own";
    grant.case_handle = keeper::make_handle(keeper_->handle_key(), content);
    resolve.mutable_subject()->set_grant(sign(grant));
    const auto documents = keeper_as("documents").resolve(resolve);
    ASSERT_TRUE(documents) << documents.error().message;
    ASSERT_FALSE(documents->case_tag().empty());
    EXPECT_EQ(bytes.find(documents->pseudonym()), std::string::npos);
    EXPECT_EQ(bytes.find(documents->case_tag()), std::string::npos);
}

TEST_F(StoreTest, RowsOfOnePersonHaveNothingInCommon) {
    const Person person = enroll();
    const std::string first = submitted(person);
    const std::string second = create(person);
    const auto rows =
        open_database()->read_result<storage::Rows>([&](storage::Transaction& transaction) {
            return transaction.query("SELECT request, owner, place, subject FROM request", {});
        });
    ASSERT_TRUE(rows);
    ASSERT_EQ(rows->size(), 2U);
    std::set<std::string> values;
    for (const auto& row : *rows)
        for (std::size_t i = 0; i < 4; ++i) EXPECT_TRUE(values.insert(row.byte_string(i)).second);
}

TEST_F(StoreTest, ASubjectIsNoTicketsHandle) {
    // Who sees a ticket and has stolen the rows cannot tell which of them it is for.
    const Person person = enroll();
    const std::string id = submitted(person);
    const auto officer = new_officer();
    ASSERT_TRUE(try_take(officer, id));
    const std::string bytes = stolen();
    std::set<Bytes> handles;
    const auto keys = casework_verify_keys(files(), path("casework"));
    for (int i = 0; i < 2; ++i)
        for (const std::string& token :
             {try_case(officer, id)->ticket(), try_get(person, id)->ticket()}) {
            const auto ticket = keeper::verify_ticket(keys->tickets, token, clock_.now());
            ASSERT_TRUE(ticket);
            EXPECT_TRUE(handles.insert(ticket->handle).second);
            EXPECT_EQ(bytes.find(to_string(ticket->handle)), std::string::npos);
        }
}

TEST_F(StoreTest, TimesAreNoFinerThanTheHour) {
    const Person person = enroll();
    const std::string id = submitted(person);
    ASSERT_TRUE(try_take(new_officer(), id));
    ASSERT_TRUE(try_post("portal", self(person), person, id));
    const auto fine =
        open_database()->read_result<storage::Row>([&](storage::Transaction& transaction) {
            return transaction.query_one(
                "SELECT (SELECT count(*) FROM request WHERE created_ms % 86400000 <> 0 "
                "OR submitted_ms % 3600000 <> 0) "
                "+ (SELECT count(*) FROM status_history WHERE at_ms % 3600000 <> 0) "
                "+ (SELECT count(*) FROM assignment_history WHERE at_ms % 3600000 <> 0) "
                "+ (SELECT count(*) FROM message WHERE at_ms % 3600000 <> 0)",
                {});
        });
    ASSERT_TRUE(fine);
    EXPECT_EQ(fine->integer(0), 0);
}

}  // namespace
}  // namespace cloison::casework
