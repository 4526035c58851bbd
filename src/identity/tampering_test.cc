/// What somebody can do who writes to identity.sqlite and holds no key: a row that was given
/// something of another's is refused.

#include "identity/identity_schema.h"
#include "identity/test_house.h"
#include "keeper/client/person_list.h"

namespace cloison::identity {
namespace {

class TamperingTest : public House {
  protected:
    void SetUp() override {
        House::SetUp();
        anne = sign_up("anne@example.org");
        bruno = sign_up("bruno@example.org");
    }
    void change(const std::string& sql, std::vector<storage::Value> parameters = {}) {
        auto database =
            storage::open_sqlite(identity_directory() / "identity.sqlite", identity_schema());
        ASSERT_TRUE(database) << database.error().message;
        ASSERT_TRUE((*database)->write([&](storage::Transaction& transaction) -> Status {
            CLOISON_TRY(const auto rows, transaction.execute(sql, parameters));
            if (rows == 0) return fail(ErrorCode::kNotFound, "No row has changed.");
            return {};
        })) << sql;
    }
    /// Of the only row of a table.
    storage::Value cell(const std::string& table, const std::string& column) {
        auto database =
            storage::open_sqlite(identity_directory() / "identity.sqlite", identity_schema());
        return (*database)
            ->read_result<storage::Value>(
                [&](storage::Transaction& transaction) -> Result<storage::Value> {
                    CLOISON_TRY(auto row,
                                transaction.query_one("SELECT " + column + " FROM " + table, {}));
                    if (column.ends_with("_ms")) return storage::Value(row.integer(0));
                    if (column == "purpose" || column == "summary")
                        return storage::Value(row.text(0));
                    return storage::Value(row.bytes(0));
                })
            .value();
    }
    Bytes read(const std::string& column, const AccountId& account) {
        auto database =
            storage::open_sqlite(identity_directory() / "identity.sqlite", identity_schema());
        return (*database)
            ->read_result<Bytes>([&](storage::Transaction& transaction) -> Result<Bytes> {
                CLOISON_TRY(auto row, transaction.query_one(
                                          "SELECT " + column + " FROM account WHERE account = $1",
                                          {storage::blob(account.view())}));
                return row.bytes(0);
            })
            .value();
    }
    AccountId account_of(const Resident& resident) {
        auto database =
            storage::open_sqlite(identity_directory() / "identity.sqlite", identity_schema());
        return (*database)
            ->read_result<AccountId>([&](storage::Transaction& transaction) -> Result<AccountId> {
                CLOISON_TRY(auto row, transaction.query_one(
                                          "SELECT account FROM account WHERE email_index = $1",
                                          {storage::blob(resident.email_index)}));
                return AccountId::from_bytes(row.bytes(0));
            })
            .value();
    }
    void set(const std::string& column, const AccountId& account, const storage::Value& value) {
        change("UPDATE account SET " + column + " = $2 WHERE account = $1",
               {storage::blob(account.view()), value});
    }
    /// One column of two rows changes places; columns are unique, so one row steps aside.
    void swap(const std::string& column, const AccountId& one, const AccountId& other) {
        const Bytes first = read(column, one);
        const Bytes second = read(column, other);
        set(column, one, Bytes(first.size(), 0));
        set(column, other, first);
        set(column, one, second);
    }
    Result<std::string> grant_of(const Resident& resident) {
        return issue(grant_request(resident.token, "self_service", {"email"}));
    }

    Resident anne, bruno;
};

TEST_F(TamperingTest, WhatBelongsToAnotherAccountIsRefusedEverywhere) {
    const AccountId annes = account_of(anne);
    const AccountId brunos = account_of(bruno);
    const std::string whole = own_grant(bruno.token, {"email"});
    v1::GetProfileRequest profile;
    profile.set_grant(whole);
    ASSERT_TRUE(as("portal").get_profile(profile));
    for (const char* column : {"pseudonym", "record", "email_index", "actor", "proof"}) {
        swap(column, annes, brunos);
        for (const auto& resident : {anne, bruno}) {
            EXPECT_TRUE(fails(ErrorCode::kCorrupt, session(resident.token))) << column;
            EXPECT_TRUE(fails(ErrorCode::kCorrupt, grant_of(resident))) << column;
            EXPECT_TRUE(fails(ErrorCode::kCorrupt, sign_in(resident.email_index, kPassword)))
                << column;
        }
        // By the person, and not by the session.
        EXPECT_TRUE(fails(ErrorCode::kCorrupt, as("portal").get_profile(profile))) << column;
        swap(column, annes, brunos);
        EXPECT_TRUE(grant_of(anne)) << column;
        EXPECT_TRUE(as("portal").get_profile(profile)) << column;
    }
}

TEST_F(TamperingTest, ARowThatGivesItselfMoreIsRefused) {
    const auto officer = create_staff("officer", "officer@example.org");
    const auto professional = create_staff("professional", "pro@example.org");
    const std::string token = staff_session(officer);
    ASSERT_TRUE(session(token, "desk"));
    const AccountId row = account_of({officer.email_index, "", ""});
    const auto refused = [&](const std::string& column, const storage::Value& value,
                             const storage::Value& before) {
        set(column, row, value);
        EXPECT_TRUE(fails(ErrorCode::kCorrupt, session(token, "desk"))) << column;
        set(column, row, before);
        EXPECT_TRUE(session(token, "desk")) << column;
    };
    const auto role = [](registry::Role as) { return static_cast<std::int64_t>(as); };
    refused("role", role(registry::Role::kAdministrator), role(registry::Role::kOfficer));
    refused("acts_for_anyone", std::int64_t{1}, std::int64_t{0});
    refused("display_name", std::string("Somebody else"), std::string("Name of officer"));
    refused("unit", std::string("Elsewhere"), std::string("Unit"));
    refused("voucher", storage::blob(professional.actor), storage::Value{});
    refused("pseudonym", storage::blob(Bytes(16, 1)), storage::Value{});
}

TEST_F(TamperingTest, AnApprovalThatNobodyGaveIsRefused) {
    const auto dpo = create_staff("dpo", "dpo@example.org");
    const auto second = create_staff("dpo", "second@example.org");
    const auto colleague = create_staff("dpo", "colleague@example.org");
    const std::string token = staff_session(dpo);
    const std::string fields_digest =
        to_string(keeper::approval_digest("notify", {"email"}, Bytes(32, 'l'), Bytes(32, 'a')));
    const auto ask = [&] {
        v1::RequestApprovalRequest request;
        request.set_token(token);
        request.set_purpose("notify");
        request.set_digest(fields_digest);
        request.set_summary("Persons of the incident");
        return as("desk").request_approval(request)->approval();
    };
    const auto use = [&](const std::string& approval) {
        auto request = grant_request(token, "notify", {"email"}, "desk");
        request.set_reason("breach");
        request.set_approval(approval);
        request.set_list(std::string(32, 'l'));
        request.set_about(std::string(32, 'a'));
        return issue(request);
    };
    const auto approval = ask();
    const auto now = to_unix_ms(clock.now());
    change("UPDATE approval SET approved_by = $1, approved_ms = $2, expires_ms = $2 + 60000",
           {storage::blob(as_bytes(second.actor)), now});
    EXPECT_TRUE(fails(ErrorCode::kCorrupt, use(approval)));
    change("DELETE FROM approval");

    const auto given = ask();
    v1::ApproveRequest approve;
    approve.set_token(staff_session(second));
    approve.set_approval(given);
    ASSERT_TRUE(as("desk").approve(approve));
    ASSERT_TRUE(use(given));
    const auto refused = [&](const std::string& column, const storage::Value& value) {
        const auto kept = cell("approval", column);
        change("UPDATE approval SET " + column + " = $1", {value});
        EXPECT_TRUE(fails(ErrorCode::kCorrupt, use(given))) << column;
        change("UPDATE approval SET " + column + " = $1", {kept});
        EXPECT_TRUE(use(given)) << column;
    };
    refused("approved_by", storage::blob(as_bytes(colleague.actor)));
    refused("requested_by", storage::blob(as_bytes(colleague.actor)));
    refused("digest", storage::blob(Bytes(32, 'd')));
    refused("purpose", std::string("investigate"));
    refused("summary", std::string("Nothing much"));
    refused("expires_ms", now + 1'000'000'000);
    refused("approved_ms", now + 1);
    refused("requested_ms", now + 1);
    refused("proof", storage::blob(Bytes(32, 0)));
}

TEST_F(TamperingTest, ASessionThatWasGivenToAnotherAccountIsNone) {
    const AccountId annes = account_of(anne);
    const AccountId brunos = account_of(bruno);
    const auto give = [&](const AccountId& from, const AccountId& to) {
        change("UPDATE session SET account = $2 WHERE account = $1",
               {storage::blob(from.view()), storage::blob(to.view())});
    };
    give(annes, brunos);
    EXPECT_TRUE(fails(ErrorCode::kUnauthenticated, session(anne.token)));
    EXPECT_TRUE(session(bruno.token)) << "who has one of their own keeps it";
}

TEST_F(TamperingTest, ASessionKeepsItsBeginItsDoorAndItsToken) {
    ASSERT_TRUE(session(anne.token));
    for (const char* sql :
         {"UPDATE session SET began_ms = began_ms + 300000", "UPDATE session SET door = 'desk'",
          "UPDATE session SET session = randomblob(16)", "UPDATE session SET proof = x''"}) {
        change(sql);
        EXPECT_TRUE(fails(ErrorCode::kUnauthenticated, session(anne.token))) << sql;
        EXPECT_TRUE(fails(ErrorCode::kUnauthenticated, session(anne.token, "desk"))) << sql;
        anne.token = sign_in(anne.email_index, kPassword)->token();
        ASSERT_TRUE(session(anne.token));
    }
}

}  // namespace
}  // namespace cloison::identity
