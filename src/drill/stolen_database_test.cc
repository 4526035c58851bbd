#include <gtest/gtest.h>

#include <filesystem>

#include "base/temporary_directory.h"
#include "demo/accounts.h"
#include "demo/people.h"
#include "demo/small_files.h"
#include "demo/texts.h"
#include "drill/drill.h"
#include "storage/database.h"

namespace cloison::drill {
namespace {

constexpr const char* kNames = R"({
    "female": ["Maëlle", "Jeanne"], "male": ["Hugo", "Théophile"],
    "surnames": ["Lefebvre", "Abadie", "Moreau"],
    "communes": [{"name": "Ajaccio", "department": "2A", "postcode": "20000"}]})";

constexpr int kPersons = 60;

/// Five stores with random ids and noise for values, as they should be.
class StolenDatabaseTest : public testing::Test {
  protected:
    void SetUp() override {
        options_.demo_file = var_.path() / "demo.json";
        options_.names_file = var_.path() / "names.json";
        options_.identity = var_.path() / "identity";
        options_.casework = var_.path() / "casework";
        options_.documents = var_.path() / "documents";
        options_.keeper = var_.path() / "keeper";
        options_.desk_store = var_.path() / "desk";
        for (const Path& path : {options_.identity, options_.casework, options_.documents,
                                 options_.keeper, options_.desk_store})
            ASSERT_TRUE(files_.create_directories(path));
        ASSERT_TRUE(files_.write_file_atomically(options_.names_file, as_bytes(kNames), 0600));
        ASSERT_TRUE(demo::write_accounts(files_, options_.demo_file, {1, 40, {}}));
        ASSERT_TRUE(files_.write_file_atomically(options_.keeper / "journal", noise(4000), 0600));
        fill(options_.identity / "identity.db",
             "CREATE TABLE account (account BYTES PRIMARY KEY, actor BYTES, role BIGINT, sealed "
             "BYTES, created_day BIGINT) KEYED;",
             "INSERT INTO account VALUES ($1, $2, 1, $3, $4)", 20'000);
        fill(options_.casework / "casework.db",
             "CREATE TABLE request (request BYTES PRIMARY KEY, pseudonym BYTES, sealed BYTES, "
             "created_ms BIGINT) KEYED;",
             "INSERT INTO request VALUES ($1, $2, $3, $4)", 1'728'000'000'000);
        fill(options_.desk_store / "desk.db",
             "CREATE TABLE incident (incident BYTES PRIMARY KEY, wish BYTES, sealed BYTES, "
             "opened_ms "
             "BIGINT) KEYED;",
             "INSERT INTO incident VALUES ($1, $2, $3, $4)", 1'728'000'000'000);
        fill(options_.documents / "documents.db",
             "CREATE TABLE document (document BYTES PRIMARY KEY, pseudonym BYTES, sealed BYTES, "
             "added_ms BIGINT) KEYED;",
             "INSERT INTO document VALUES ($1, $2, $3, $4)", 1'728'000'000'000);
    }

    Bytes noise(std::size_t size) {
        Bytes bytes(size);
        random_.fill(bytes);
        return bytes;
    }

    void fill(const Path& path, const char* schema, const char* insert, std::int64_t time) {
        auto database = storage::open_sqlite(path, {{1, "start", schema}});
        ASSERT_TRUE(database);
        ASSERT_TRUE((*database)->write([&](storage::Transaction& transaction) -> Status {
            for (int i = 0; i < kPersons; ++i)
                CLOISON_TRY_STATUS(transaction.execute(
                    insert, {noise(16), noise(16), noise(150),
                             time + static_cast<std::int64_t>(random_.uniform(50)) * 86'400'000}));
            return {};
        }));
        schema_ = schema;
    }

    void change(const Path& path, const char* schema, const std::string& sql,
                std::vector<storage::Value> values) {
        auto database = storage::open_sqlite(path, {{1, "start", schema}});
        ASSERT_TRUE(database);
        ASSERT_TRUE((*database)->write([&](storage::Transaction& transaction) -> Status {
            CLOISON_TRY_STATUS(transaction.execute(sql, values));
            return {};
        }));
    }

    TemporaryDirectory var_;
    FileSystem& files_ = local_file_system();
    SeededRandom random_{5};
    Options options_;
    const char* schema_ = "";  ///< Of the documents, the last that was filled.
};

TEST_F(StolenDatabaseTest, NothingIsHadOfNoise) {
    const auto report = stolen_database(options_, files_);
    ASSERT_TRUE(report) << report.error().message;
    EXPECT_TRUE(report->ok) << report->text();
    EXPECT_EQ(report->disclosed, 0U);
}

TEST_F(StolenDatabaseTest, FindsAReadableValue) {
    const demo::People people(
        std::make_shared<const demo::Names>(*demo::parse_names(kNames, "names")), 1);
    Bytes value = to_bytes("..." + people.resident(7).email + "...");
    change(options_.documents / "documents.db", schema_, "UPDATE document SET sealed = $1",
           {value});
    const auto report = stolen_database(options_, files_);
    ASSERT_TRUE(report) << report.error().message;
    EXPECT_FALSE(report->ok);
    EXPECT_GT(report->persons_by_field.at("email in UTF-8"), 0U);
}

TEST_F(StolenDatabaseTest, FindsAValueThatWasDeletedButIsStillInAFile) {
    const demo::People people(
        std::make_shared<const demo::Names>(*demo::parse_names(kNames, "names")), 1);
    const std::string hex = hex_encode(as_bytes(people.resident(9).email));
    ASSERT_TRUE(files_.write_file_atomically(options_.casework / "casework.db-journal.old",
                                             as_bytes(hex), 0600));
    const auto report = stolen_database(options_, files_);
    ASSERT_TRUE(report);
    EXPECT_FALSE(report->ok);
}

TEST_F(StolenDatabaseTest, FindsMessagesFilesAndTheirNamesWhollyOrInPartInAnyStore) {
    const auto pdf = demo::make_small_file(3, demo::kDocumentTitle);
    const auto jpeg = demo::make_small_file(100, demo::kDocumentTitle);
    const auto png = demo::make_small_file(179, demo::kDocumentTitle);
    const auto text_of = [](const demo::SmallFile& file, std::size_t from, std::size_t size) {
        return to_string(ByteView(file.content).subspan(from, size));
    };
    const std::pair<std::string, std::string> planted[] = {
        {"message_text in UTF-8", std::string(demo::kQuestions[4])},
        {"message_text in UTF-8", "je pars à l’étranger dans deux mois"},
        {"message_text in UTF-8", std::string(demo::kCorrection)},
        {"message_text in hexadecimal", hex_encode(as_bytes(demo::kRefusal))},
        {"document_name in UTF-8", "justificatif.pdf"},
        {"document_name in UTF-8", "piece-identite.jpg"},
        {"document_name in base64", base64_encode(as_bytes(std::string_view("facture.png")))},
        {"document_content in UTF-8", text_of(pdf, 0, 64)},
        {"document_content in UTF-8", text_of(pdf, 150, 63)},
        {"document_content in UTF-8", text_of(jpeg, 0, 40)},
        {"document_content in UTF-8", text_of(png, 0, png.content.size())},
        {"document_content in UTF-8", "Justificatif de demonstration"},
    };
    const Path stores[] = {options_.identity, options_.casework, options_.documents,
                           options_.keeper, options_.desk_store};
    std::size_t number = 0;
    for (const auto& [field, value] : planted) {
        const Path file = stores[number++ % std::size(stores)] / "planted";
        Bytes content = noise(70);
        content.insert(content.end(), value.begin(), value.end());
        ASSERT_TRUE(files_.write_file_atomically(file, content, 0600));
        const auto report = stolen_database(options_, files_);
        ASSERT_TRUE(report) << report.error().message;
        EXPECT_FALSE(report->ok) << file << ' ' << field;
        EXPECT_EQ(report->persons_by_field.count(field), 1U) << file << ' ' << value << '\n'
                                                             << report->text();
        ASSERT_TRUE(files_.remove(file));
    }
    EXPECT_TRUE(stolen_database(options_, files_)->ok);
}

TEST_F(StolenDatabaseTest, AnInstallationWithoutADeskHasFourStores) {
    ASSERT_TRUE(std::filesystem::remove_all(options_.desk_store) > 0);
    const auto report = stolen_database(options_, files_);
    ASSERT_TRUE(report) << report.error().message;
    EXPECT_TRUE(report->ok) << report->text();
    EXPECT_NE(report->text().find("there is no such store here"), std::string::npos);
}

TEST_F(StolenDatabaseTest, FindsAnIdThatTheDeskSharesWithCasework) {
    const Bytes id = noise(16);
    const char* desk =
        "CREATE TABLE incident (incident BYTES PRIMARY KEY, wish BYTES, sealed BYTES, opened_ms "
        "BIGINT) KEYED;";
    change(options_.desk_store / "desk.db", desk,
           "INSERT INTO incident VALUES ($1, $2, $3, 1728000000000)", {noise(16), id, noise(150)});
    const char* casework =
        "CREATE TABLE request (request BYTES PRIMARY KEY, pseudonym BYTES, sealed BYTES, "
        "created_ms BIGINT) KEYED;";
    change(options_.casework / "casework.db", casework,
           "INSERT INTO request VALUES ($1, $2, $3, 1728000000000)", {noise(16), id, noise(150)});
    const auto report = stolen_database(options_, files_);
    ASSERT_TRUE(report);
    EXPECT_FALSE(report->ok);
}

TEST_F(StolenDatabaseTest, AnApprovalMayBeNamedByTheDeskAlone) {
    const Bytes id = noise(16);
    const std::int64_t asked_ms = 1'790'000'123'456;
    const Path identity = options_.identity / "identity.db";
    ASSERT_TRUE(files_.remove(identity));
    fill(identity,
         "CREATE TABLE account (account BYTES PRIMARY KEY, actor BYTES, role BIGINT, sealed BYTES, "
         "created_day BIGINT) KEYED; CREATE TABLE approval (approval BYTES PRIMARY KEY, "
         "requested_ms BIGINT) KEYED;",
         "INSERT INTO account VALUES ($1, $2, 1, $3, $4)", 20'000);
    change(identity, schema_, "INSERT INTO approval VALUES ($1, $2)", {id, asked_ms});
    const char* desk =
        "CREATE TABLE incident (incident BYTES PRIMARY KEY, wish BYTES, sealed BYTES, opened_ms "
        "BIGINT) KEYED;";
    change(options_.desk_store / "desk.db", desk, "INSERT INTO incident VALUES ($1, $2, $3, $4)",
           {noise(16), id, noise(150), asked_ms});
    const auto report = stolen_database(options_, files_);
    ASSERT_TRUE(report) << report.error().message;
    EXPECT_TRUE(report->ok) << report->text();
    // In another compartment it is one.
    const char* casework =
        "CREATE TABLE request (request BYTES PRIMARY KEY, pseudonym BYTES, sealed BYTES, "
        "created_ms BIGINT) KEYED;";
    const Path requests = options_.casework / "casework.db";
    const Bytes request = noise(16);
    change(requests, casework, "INSERT INTO request VALUES ($1, $2, $3, $4)",
           {request, id, noise(150), asked_ms});
    EXPECT_FALSE(stolen_database(options_, files_)->ok);
    change(requests, casework, "DELETE FROM request WHERE request = $1", {request});
    // Another time of that fineness is a link still.
    change(identity, schema_, "INSERT INTO account VALUES ($1, $2, 1, $3, $4)",
           {noise(16), noise(16), noise(150), asked_ms + 1});
    change(options_.desk_store / "desk.db", desk, "INSERT INTO incident VALUES ($1, $2, $3, $4)",
           {noise(16), noise(16), noise(150), asked_ms + 1});
    const auto linked = stolen_database(options_, files_);
    ASSERT_TRUE(linked);
    ASSERT_EQ(linked->faults.size(), 1U) << linked->text();
    EXPECT_EQ(linked->faults[0], "identity and desk share 1 times finer than an hour.");
}

TEST_F(StolenDatabaseTest, FindsAnIdThatTwoStoresShare) {
    const Bytes id = noise(16);
    change(options_.documents / "documents.db", schema_,
           "INSERT INTO document VALUES ($1, $2, $3, 1728000000000)", {noise(16), id, noise(150)});
    const std::string casework =
        "CREATE TABLE request (request BYTES PRIMARY KEY, pseudonym BYTES, sealed BYTES, "
        "created_ms BIGINT) KEYED;";
    change(options_.casework / "casework.db", casework.c_str(),
           "INSERT INTO request VALUES ($1, $2, $3, 1728000000000)", {noise(16), id, noise(150)});
    const auto report = stolen_database(options_, files_);
    ASSERT_TRUE(report);
    EXPECT_FALSE(report->ok);
    ASSERT_EQ(report->faults.size(), 1U);
    EXPECT_EQ(report->faults[0], "casework and documents share 1 values of document.pseudonym.");
}

TEST_F(StolenDatabaseTest, FindsRowsInTheOrderOfTime) {
    const Path path = options_.documents / "documents.db";
    ASSERT_TRUE(files_.remove(path));
    auto database = storage::open_sqlite(
        path, {{1, "start", "CREATE TABLE document (sealed BYTES, added_ms BIGINT);"}});
    ASSERT_TRUE(database);
    ASSERT_TRUE((*database)->write([&](storage::Transaction& transaction) -> Status {
        for (std::int64_t i = 0; i < 200; ++i)
            CLOISON_TRY_STATUS(transaction.execute("INSERT INTO document VALUES ($1, $2)",
                                                   {noise(100), i / 4 * 86'400'000}));
        return {};
    }));
    const auto report = stolen_database(options_, files_);
    ASSERT_TRUE(report) << report.error().message;
    EXPECT_FALSE(report->ok);
}

}  // namespace
}  // namespace cloison::drill
