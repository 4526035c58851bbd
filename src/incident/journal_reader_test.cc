#include "incident/journal_reader.h"

#include <gtest/gtest.h>

#include "journal/merkle.h"
#include "journal/note.h"

namespace cloison::incident {
namespace {

const Time kStart = *parse_rfc3339("2026-04-13T00:00:00Z");

crypto::SigningKey key_of(std::uint8_t seed) {
    return crypto::SigningKey::from_seed(Bytes(32, seed));
}

/// Answers ReadEntries and Describe as a keeper does, also one that lies: each reading adds a line.
class JournalOnAString : public net::RpcChannel {
  public:
    std::vector<Bytes> entries;
    crypto::SigningKey key = key_of(1);
    std::optional<std::size_t> claimed_size;  ///< Signs so many entries whatever it holds.
    int calls = 0;

    void add(std::uint32_t person) {
        journal::Entry entry;
        entry.time = kStart;
        entry.person = person;
        entry.purpose = 3;
        entry.door = 2;
        entry.role = registry::Role::kOfficer;
        entry.fields.set(20);
        entry.salt[0] = static_cast<std::uint8_t>(person);
        entries.push_back(journal::encode_entry(entry));
    }

    using net::RpcChannel::call;
    Status call(std::string_view method, const google::protobuf::Message& request,
                google::protobuf::Message* response, Duration) override {
        if (method == "Describe") {
            static_cast<keeper::v1::DescribeResponse*>(response)->set_verify_key(
                journal::note_vkey("log", key.verify_key()));
            return {};
        }
        ++calls;
        if (adds_a_line_) {
            journal::Entry reading;
            reading.kind = journal::EntryKind::kListRead;
            reading.time = kStart;
            entries.push_back(journal::encode_entry(reading));
        }
        const auto& asked = static_cast<const keeper::v1::ReadEntriesRequest&>(request);
        auto* answer = static_cast<keeper::v1::ReadEntriesResponse*>(response);
        for (std::size_t i = asked.first(); i < asked.first() + asked.count(); ++i)
            if (i < entries.size()) answer->add_entries(to_string(entries[i]));
        answer->set_size(entries.size());
        answer->set_checkpoint(checkpoint());
        return {};
    }

  private:
    std::string checkpoint() const {
        journal::TreeEdge tree;
        const std::size_t size = claimed_size.value_or(entries.size());
        for (std::size_t i = 0; i < size && i < entries.size(); ++i)
            tree.append(journal::hash_leaf(entries[i]), [](int, const crypto::Hash&) {});
        journal::Checkpoint made{"log", size, size == 0 ? journal::empty_root() : tree.root()};
        return journal::sign_note(made.text(), "log", key);
    }
    bool adds_a_line_ = true;
};

class JournalReaderTest : public testing::Test {
  protected:
    JournalReaderTest() {
        for (std::uint32_t person = 1; person <= 25; ++person) journal_->add(person);
    }
    std::unique_ptr<JournalReader> reader(JournalReader::Options options = {}) {
        if (options.batch == 10'000) options.batch = 10;
        return std::make_unique<JournalReader>(options, keeper::KeeperClient(journal_), registry_);
    }

    registry::Registry registry_ = *registry::Registry::load(
        local_file_system(), Path(CLOISON_SOURCE_DIR) / "registry/fields.toml");
    std::shared_ptr<JournalOnAString> journal_ = std::make_shared<JournalOnAString>();
};

TEST_F(JournalReaderTest, CoversTheCheckpointOfItsFirstReadingAlthoughReadingAddsLines) {
    auto desk = reader();
    auto answer = desk->scope("grant", {}, {});
    ASSERT_TRUE(answer) << answer.error().message;
    EXPECT_EQ(answer->counts.persons, 25U);
    EXPECT_EQ(answer->covered.size, 26U);  // With the line of the first reading.
    EXPECT_EQ(journal_->calls, 3);
    EXPECT_GE(answer->seconds, 0);

    journal_->add(99);
    answer = desk->scope("grant", {}, {});
    ASSERT_TRUE(answer) << answer.error().message;
    EXPECT_EQ(answer->counts.persons, 26U);
    EXPECT_EQ(desk->persons("grant", {})->persons.back().person, 99U);
    EXPECT_EQ(desk->lines("grant", {}, 0, 3)->page.lines.size(), 3U);
}

TEST_F(JournalReaderTest, AnAlteredEntryIsNoticed) {
    const auto original = journal_->entries;
    auto desk = reader();
    ASSERT_TRUE(desk->scope("grant", {}, {}));
    // Another restart, an entry rewritten, and a keeper that signs the new tree: only what was
    // covered before gives it away.
    const auto covered = desk->scope("grant", {}, {})->covered;
    journal_->entries[3].back() ^= 1;
    JournalReader::Options options;
    options.covered_before = covered;
    const auto refused = reader(options)->scope("grant", {}, {});
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().code, ErrorCode::kCorrupt);
    EXPECT_NE(refused.error().message.find("rewritten"), std::string::npos);
}

TEST_F(JournalReaderTest, EntriesThatDoNotGiveTheCheckpointAreRefusedForGood) {
    auto desk = reader();
    ASSERT_TRUE(desk->scope("grant", {}, {}));
    // The keeper's new checkpoint is over other first entries than those that were read.
    journal_->entries[0].back() ^= 1;
    auto refused = desk->scope("grant", {}, {});
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().code, ErrorCode::kCorrupt);
    EXPECT_NE(refused.error().message.find("altered"), std::string::npos);
    journal_->entries[0].back() ^= 1;
    EXPECT_FALSE(desk->scope("grant", {}, {}));
    EXPECT_FALSE(desk->persons("grant", {}));
    EXPECT_FALSE(desk->lines("grant", {}, 0, 1));
}

TEST_F(JournalReaderTest, ACutJournalIsNoticed) {
    auto desk = reader();
    ASSERT_TRUE(desk->scope("grant", {}, {}));
    journal_->entries.resize(5);
    auto refused = desk->scope("grant", {}, {});
    ASSERT_FALSE(refused);
    EXPECT_NE(refused.error().message.find("cut"), std::string::npos);

    JournalReader::Options options;
    options.covered_before = Coverage{20, {}, ""};
    refused = reader(options)->scope("grant", {}, {});
    ASSERT_FALSE(refused);
    EXPECT_NE(refused.error().message.find("cut"), std::string::npos);
}

TEST_F(JournalReaderTest, FewerEntriesThanTheCheckpointNamesAreNoticed) {
    journal_->claimed_size = 1'000;
    const auto refused = reader()->scope("grant", {}, {});
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().code, ErrorCode::kCorrupt);
}

TEST_F(JournalReaderTest, AnotherKeyIsRefused) {
    JournalReader::Options options;
    options.verify_key = journal::note_vkey("log", key_of(2).verify_key());
    const auto refused = reader(options)->scope("grant", {}, {});
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().code, ErrorCode::kCorrupt);
    EXPECT_NE(refused.error().message.find("not signed"), std::string::npos);
}

TEST_F(JournalReaderTest, AnEntryThatDoesNotDecodeIsNamed) {
    journal_->entries[7] = {1, 2, 3};
    const auto refused = reader()->scope("grant", {}, {});
    ASSERT_FALSE(refused);
    EXPECT_NE(refused.error().message.find("Entry 7 "), std::string::npos);
}

}  // namespace
}  // namespace cloison::incident
