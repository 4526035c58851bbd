#include "incident/export.h"

#include <gtest/gtest.h>

namespace cloison::incident {
namespace {

ExportedPerson person_named(std::string_view family, std::string_view given) {
    ExportedPerson person;
    person.person = 7;
    person.email = Secret::from_text("a@example.org");
    person.family_name = Secret::from_text(family);
    person.given_names = Secret::from_text(given);
    person.fields = {"email", "birth_date"};
    person.lines = 2;
    person.first = person.last = *parse_rfc3339("2026-04-13T00:00:00.001Z");
    return person;
}

std::string second_line(const ExportedPerson& person) {
    std::vector<ExportedPerson> list;
    list.push_back(person_named("x", "y"));
    list.back().family_name = person.family_name.clone();
    list.back().given_names = person.given_names.clone();
    const std::string csv = export_csv(list);
    return csv.substr(csv.find("\r\n") + 2);
}

TEST(ExportCsvTest, QuotesEveryCellAsRfc4180Does) {
    EXPECT_EQ(second_line(person_named("Le \"Grand\"", "Anne,\r\nMarie")),
              "\"7\",\"a@example.org\",\"Le \"\"Grand\"\"\",\"Anne,\r\nMarie\",\"email "
              "birth_date\",\"2\",\"2026-04-13T00:00:00.001Z\",\"2026-04-13T00:00:00.001Z\","
              "\"no\"\r\n");
    EXPECT_EQ(export_csv({}),
              "\"person\",\"email\",\"family_name\",\"given_names\",\"fields\",\"lines\","
              "\"first\",\"last\",\"erased\"\r\n");
}

TEST(ExportCsvTest, NoCellIsAFormula) {
    for (const std::string start : {"=", "+", "-", "@", "\t", "\r"})
        EXPECT_NE(second_line(person_named(start + "cmd", "b")).find("\"'" + start + "cmd\""),
                  std::string::npos)
            << start;
    EXPECT_EQ(second_line(person_named("O=K", "b")).find("'"), std::string::npos);
}

std::vector<PersonExposure> numbered(std::size_t count) {
    std::vector<PersonExposure> persons(count);
    for (std::size_t i = 0; i < count; ++i)
        persons[i].person = static_cast<std::uint32_t>(count - i);
    return persons;
}

TEST(ExportTest, TheDigestBindsIncidentQueryAndPersons) {
    const Bytes incident(16, 1);
    const Bytes other(16, 2);
    const auto list = export_list(numbered(600))->digest;
    const auto digest = export_digest(incident, "door=desk", list);
    EXPECT_EQ(digest, export_digest(incident, "door=desk", list));
    EXPECT_NE(digest, export_digest(other, "door=desk", list));
    EXPECT_NE(digest, export_digest(incident, "door=portal", list));
    EXPECT_NE(digest, export_digest(incident, "door=desk", export_list(numbered(601))->digest));
    EXPECT_EQ(digest, keeper::approval_digest("investigate", export_fields(), list,
                                              export_about(incident, "door=desk")))
        << "as identity computes it";
}

TEST(ExportTest, TheListOfAScopeIsInOrdinalsAndBounded) {
    auto shuffled = numbered(600);
    std::swap(shuffled[3], shuffled[500]);
    EXPECT_EQ(export_list(shuffled)->digest, export_list(numbered(600))->digest);
    EXPECT_FALSE(export_list({}));
    EXPECT_TRUE(export_list(numbered(kMaxExportPersons)));
    const auto large = export_list(numbered(kMaxExportPersons + 1));
    ASSERT_FALSE(large);
    EXPECT_EQ(large.error().code, ErrorCode::kTooLarge);
}

/// Counts what it is asked and answers nothing useful.
class Silent : public net::RpcChannel {
  public:
    int calls = 0;
    using net::RpcChannel::call;
    Status call(std::string_view, const google::protobuf::Message&, google::protobuf::Message*,
                Duration) override {
        ++calls;
        return {};
    }
};

TEST(ExportTest, TooManyPersonsAreRefusedBeforeAnythingIsOpened) {
    const auto registry = *registry::Registry::load(
        local_file_system(), Path(CLOISON_SOURCE_DIR) / "registry/fields.toml");
    const auto channel = std::make_shared<Silent>();
    const auto none = [](const std::vector<std::string>&) -> Result<std::vector<SealedProfile>> {
        return std::vector<SealedProfile>();
    };
    const auto refused = export_persons(keeper::KeeperClient(channel), none, "grant",
                                        numbered(kMaxExportPersons + 1), registry);
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().code, ErrorCode::kTooLarge);
    EXPECT_EQ(channel->calls, 0);
    // At the bound the keeper is asked, and a keeper that gives no handles is not believed.
    EXPECT_EQ(export_persons(keeper::KeeperClient(channel), none, "grant",
                             numbered(kMaxExportPersons), registry)
                  .error()
                  .code,
              ErrorCode::kInternal);
    EXPECT_EQ(channel->calls, 1);
}

}  // namespace
}  // namespace cloison::incident
