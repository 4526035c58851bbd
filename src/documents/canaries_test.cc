#include "documents/canaries.h"

#include <sqlite3.h>

#include "documents/encrypted_file.h"
#include "documents/support_for_test.h"

namespace cloison::documents {
namespace {

class CanariesTest : public DocumentsBed {
  protected:
    struct Made {
        crypto::FileKey key;
        v1::PlantCanaryRequest request;
    };
    Made canary(std::size_t size) {
        Made made{crypto::FileKey::random(random_), {}};
        auto& request = made.request;
        request.set_document(DocumentId::random(random_).bytes());
        request.set_case_tag(DocumentId::random(random_).bytes());
        keeper::v1::PlantCanariesRequest plant;
        plant.set_copy("copy-1");
        plant.set_compartment("documents");
        auto* person = plant.add_persons();
        for (const auto& [field, value] :
             {std::pair<std::string, std::string>{"document_content", to_string(made.key.view())},
              {"document_name", "facture.pdf"}}) {
            auto* item = person->add_items();
            item->set_field(field);
            item->set_record(request.document());
            item->set_value(value);
            item->set_schema_version(1);
        }
        const auto planted = keeper_as("operator").plant_canaries(plant);
        EXPECT_TRUE(planted) << (planted ? "" : planted.error().message);
        request.set_enrolment(planted->persons(0).enrolment());
        request.set_sealed_key(planted->persons(0).sealed(0));
        request.set_sealed_name(planted->persons(0).sealed(1));
        FileEncryptor encryptor(made.key);
        auto chunks = *encryptor.feed(Bytes(size, 'x'));
        const auto rest = encryptor.finish();
        chunks.insert(chunks.end(), rest->begin(), rest->end());
        for (const auto& chunk : chunks) request.add_chunks(to_string(chunk));
        request.set_header(to_string(encryptor.header()));
        request.set_content_type("application/pdf");
        request.set_kind("address_proof");
        return made;
    }
    Result<v1::PlantCanaryResponse> plant(const v1::PlantCanaryRequest& request) {
        return as("operator").plant_canary(request);
    }
    v1::DescribeCanaryResponse describe() {
        v1::DescribeCanaryRequest request;
        request.set_lot(DocumentId::random(random_).bytes());
        const auto described = as("operator").describe_canary(request);
        EXPECT_TRUE(described) << (described ? "" : described.error().message);
        return described.value_or(v1::DescribeCanaryResponse());
    }
    std::string stolen_text(const std::string& sql) {
        sqlite3* database = nullptr;
        EXPECT_EQ(sqlite3_open((path("documents") / "documents.db").c_str(), &database), SQLITE_OK);
        sqlite3_stmt* statement = nullptr;
        EXPECT_EQ(sqlite3_prepare_v2(database, sql.c_str(), -1, &statement, nullptr), SQLITE_OK);
        EXPECT_EQ(sqlite3_step(statement), SQLITE_ROW);
        std::string found = reinterpret_cast<const char*>(sqlite3_column_text(statement, 0));
        sqlite3_finalize(statement);
        sqlite3_close(database);
        return found;
    }
};

TEST_F(CanariesTest, LooksUsualWhereThereIsNothingToLookLike) {
    const auto looks = describe();
    EXPECT_EQ(looks.content_type(), "application/pdf");
    EXPECT_EQ(length_class(looks.padded_size()), looks.padded_size());
    EXPECT_LE(looks.padded_size(), 3u << 20);
}

TEST_F(CanariesTest, LooksLikeADocumentThatIsThere) {
    upload(own(enroll(), new_request()), Bytes(200'000, 'a'));
    clock_.advance(std::chrono::days(90));
    const auto looks = describe();
    EXPECT_EQ(looks.padded_size(), padded_size(200'000));
    const auto made = canary(looks.padded_size() - 1);
    const auto planted = plant(made.request);
    ASSERT_TRUE(planted) << planted.error().message;
    EXPECT_EQ(objects(), 2u);
    EXPECT_EQ(stolen_text("SELECT count(*) || ' ' || count(DISTINCT length(description)) || "
                          "count(DISTINCT state) FROM document"),
              "2 11");
}

TEST_F(CanariesTest, TheLargestFitsAndNoneOfTheLargerIsDrawn) {
    upload(own(enroll(), new_request()), Bytes(4 << 20, 'a'));
    EXPECT_LE(describe().padded_size(), 3u << 20) << "too long for one message";
    const auto largest = canary((3u << 20) - 1);
    ASSERT_EQ(largest.request.chunks_size(), 48);
    const auto planted = plant(largest.request);
    ASSERT_TRUE(planted) << planted.error().message;
    auto more = canary((3u << 20) - 1).request;
    more.add_chunks("x");
    EXPECT_EQ(error_of(plant(more)).code, ErrorCode::kInvalidArgument);
}

TEST_F(CanariesTest, ItOpensLikeAnyOther) {
    const auto made = canary(100'000);
    ASSERT_TRUE(plant(made.request));
    auto decryptor = FileDecryptor::create(made.key, as_bytes(made.request.header()));
    ASSERT_TRUE(decryptor);
    std::size_t size = 0;
    for (const auto& chunk : made.request.chunks())
        size += decryptor->feed(as_bytes(chunk))->size();
    EXPECT_TRUE(decryptor->finish());
    EXPECT_EQ(size, 100'000u);
    std::string stored;
    for (const auto& chunk : made.request.chunks()) stored += chunk;
    EXPECT_NE(stolen().find(stored), std::string::npos);
}

TEST_F(CanariesTest, BadInputStoresNothing) {
    const auto good = canary(1'000).request;
    const auto code = [&](const v1::PlantCanaryRequest& request) {
        return error_of(plant(request)).code;
    };
    auto wrong = good;
    wrong.set_case_tag("short");
    EXPECT_EQ(code(wrong), ErrorCode::kInvalidArgument);
    wrong = good;
    wrong.clear_chunks();
    EXPECT_EQ(code(wrong), ErrorCode::kInvalidArgument);
    wrong = good;
    wrong.set_chunks(0, wrong.chunks(0).substr(0, 5'000));
    EXPECT_EQ(code(wrong), ErrorCode::kInvalidArgument) << "no class of length";
    wrong = good;
    wrong.set_sealed_key("not sealed");
    EXPECT_EQ(code(wrong), ErrorCode::kInvalidArgument);
    wrong = good;
    wrong.set_content_type("text/html");
    EXPECT_EQ(code(wrong), ErrorCode::kInvalidArgument);
    wrong = good;
    wrong.set_enrolment("nobody");
    EXPECT_NE(code(wrong), ErrorCode::kInternal);
    EXPECT_EQ(error_of(portal().plant_canary(good)).code, ErrorCode::kPermissionDenied);
    v1::DescribeCanaryRequest lot;
    lot.set_lot("short");
    EXPECT_EQ(error_of(as("operator").describe_canary(lot)).code, ErrorCode::kInvalidArgument);
    EXPECT_EQ(objects(), 0u);
    EXPECT_EQ(stolen_text("SELECT count(*) FROM document"), "0");
    ASSERT_TRUE(plant(good));
    EXPECT_EQ(code(good), ErrorCode::kConflict);
    EXPECT_EQ(objects(), 1u);
}

}  // namespace
}  // namespace cloison::documents
