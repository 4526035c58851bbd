#include "drill/link_records.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "base/seeded_random.h"
#include "base/temporary_directory.h"
#include "drill/link_attack.h"
#include "storage/database.h"

namespace cloison::drill {
namespace {

constexpr std::uint32_t kPersons = 60;

/// A store as it should not be: rows of a person name each other, and a file lies beside.
class LinkRecordsTest : public testing::Test {
  protected:
    void SetUp() override {
        auto database = storage::open_sqlite(
            path(),
            {{1, "start",
              "CREATE TABLE request (request BYTES PRIMARY KEY, owner BYTES NOT NULL, status "
              "TEXT NOT NULL, officer BYTES NOT NULL) KEYED;"
              "CREATE TABLE value (request BYTES NOT NULL, field TEXT NOT NULL, sealed BYTES "
              "NOT NULL, PRIMARY KEY (request, field)) KEYED;"
              "CREATE TABLE trace (trace BYTES PRIMARY KEY, at_ms BIGINT NOT NULL) KEYED;"}});
        ASSERT_TRUE(database);
        ASSERT_TRUE((*database)->write([&](storage::Transaction& transaction) -> Status {
            for (std::uint32_t person = 1; person <= kPersons; ++person) {
                const Bytes owner = noise(16);
                truth_[to_string(owner)] = person;
                for (std::uint32_t i = 0; i < 1 + person % 3; ++i) {
                    const Bytes request = noise(16);
                    CLOISON_TRY_STATUS(transaction.execute(
                        "INSERT INTO request VALUES ($1, $2, $3, $4)",
                        {request, owner, std::string(i == 0 ? "draft" : "sent"), officer_}));
                    for (const char* field : {"name", "address"})
                        CLOISON_TRY_STATUS(
                            transaction.execute("INSERT INTO value VALUES ($1, $2, $3)",
                                                {request, std::string(field),
                                                 noise(*field == 'n' ? 50 + person : 80)}));
                    if (i == 0) add_file(request);
                }
                CLOISON_TRY_STATUS(transaction.execute("INSERT INTO trace VALUES ($1, $2)",
                                                       {noise(16), std::int64_t{person} * 1000}));
            }
            return {};
        }));
    }
    Path path() const { return directory_.path() / "store.db"; }
    Bytes noise(std::size_t size) {
        Bytes bytes(size);
        random_.fill(bytes);
        return bytes;
    }
    void add_file(const Bytes& request) {
        const Path file = directory_.path() / (hex_encode(request) + ".bin");
        ASSERT_TRUE(local_file_system().write_file_atomically(file, noise(1000), 0600));
        files_.push_back(file);
    }
    std::vector<Records> read() {
        auto records = read_records({path()}, files_, {to_string(officer_)}, truth_);
        EXPECT_TRUE(records);
        return std::move(*records);
    }
    static const Trait* trait(const Records& records, const std::string& name) {
        for (const Trait& trait : records.traits)
            if (trait.name == name) return &trait;
        return nullptr;
    }

    TemporaryDirectory directory_;
    SeededRandom random_{3};
    const Bytes officer_ = Bytes(16, 77);
    Truth truth_;
    std::vector<Path> files_;
};

TEST_F(LinkRecordsTest, RowsAndFilesThatNameEachOtherAreOneRecord) {
    const auto sorts = read();
    ASSERT_EQ(sorts.size(), 2U);
    const auto requests = std::find_if(sorts.begin(), sorts.end(), [](const Records& records) {
        return records.name == "request+value+files";
    });
    ASSERT_NE(requests, sorts.end()) << sorts[0].name << ' ' << sorts[1].name;
    EXPECT_EQ(requests->size(), kPersons) << "an officer ties nobody together";
    std::set<std::uint32_t> persons(requests->persons.begin(), requests->persons.end());
    EXPECT_EQ(persons.size(), kPersons);
    EXPECT_EQ(*persons.begin(), 1U);
}

TEST_F(LinkRecordsTest, ReadsWhatThereIsToBeSeen) {
    for (const Records& records : read()) {
        if (records.name == "trace") {
            EXPECT_EQ(records.size(), kPersons);
            EXPECT_NE(trait(records, "trace.at_ms"), nullptr);
            EXPECT_EQ(std::count(records.persons.begin(), records.persons.end(), 0U), kPersons);
            continue;
        }
        const auto* rows = trait(records, "request, rows");
        const auto* length = trait(records, "value.sealed where field is name, first");
        const auto* place = trait(records, "request, place, first");
        const auto* file = trait(records, "file time");
        ASSERT_TRUE(rows && length && place && file);
        EXPECT_EQ(trait(records, "request.officer"), nullptr) << "always as long: tells nothing";
        EXPECT_EQ(trait(records, "file size"), nullptr);
        for (std::size_t i = 0; i < records.size(); ++i) {
            EXPECT_EQ(rows->values[i], 1 + records.persons[i] % 3);
            EXPECT_EQ(length->values[i], 50 + records.persons[i]);
            EXPECT_NE(file->values[i], kNothing);
        }
    }
}

TEST_F(LinkRecordsTest, ByteStringsAreListed) {
    const auto strings = read_byte_strings({path()});
    ASSERT_TRUE(strings);
    EXPECT_TRUE(strings->contains(to_string(officer_)));
    for (const auto& [owner, person] : truth_) EXPECT_TRUE(strings->contains(owner));
}

TEST_F(LinkRecordsTest, AFileThatIsNoDatabaseIsCorrupt) {
    const Path broken = directory_.path() / "broken.db";
    ASSERT_TRUE(local_file_system().write_file_atomically(broken, noise(5000), 0600));
    EXPECT_EQ(read_records({broken}, {}, {}, {}).error().code, ErrorCode::kCorrupt);
}

}  // namespace
}  // namespace cloison::drill
