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

TEST(ExportTest, TheDigestBindsIncidentAndQuery) {
    const Bytes incident(16, 1);
    const Bytes other(16, 2);
    EXPECT_EQ(export_digest(incident, "door=desk"), export_digest(incident, "door=desk"));
    EXPECT_NE(export_digest(incident, "door=desk"), export_digest(other, "door=desk"));
    EXPECT_NE(export_digest(incident, "door=desk"), export_digest(incident, "door=portal"));
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
    const auto refused =
        export_persons(keeper::KeeperClient(channel), none, "grant",
                       std::vector<PersonExposure>(kMaxExportPersons + 1), registry);
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().code, ErrorCode::kTooLarge);
    EXPECT_EQ(channel->calls, 0);
    // At the bound the keeper is asked, and a keeper that gives no handles is not believed.
    EXPECT_EQ(export_persons(keeper::KeeperClient(channel), none, "grant",
                             std::vector<PersonExposure>(kMaxExportPersons), registry)
                  .error()
                  .code,
              ErrorCode::kInternal);
    EXPECT_EQ(channel->calls, 1);
}

}  // namespace
}  // namespace cloison::incident
