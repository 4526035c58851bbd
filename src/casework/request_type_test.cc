#include "casework/request_type.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "casework/input.h"

namespace cloison::casework {
namespace {

const Time kNow = from_unix_ms(1'776'072'600'000);

registry::Registry load_register() {
    return *registry::Registry::load(local_file_system(),
                                     Path(CLOISON_SOURCE_DIR) / "registry/fields.toml");
}

const Path kRequests = Path(CLOISON_SOURCE_DIR) / "registry/requests";

RequestType passport() {
    auto types = load_request_types(local_file_system(), kRequests, load_register());
    EXPECT_TRUE(types) << (types ? "" : types.error().message);
    return types->at("passport");
}

Values complete_values() {
    return {{"request_reason", "first"},
            {"birth_name", "Dupont"},
            {"forenames", "Jeanne Marie"},
            {"sex", "female"},
            {"birth_date", "1984-03-09"},
            {"birthplace", "Lyon (69)"},
            {"nationality", "french_parent"},
            {"height", "172"},
            {"eye_colour", "brown"},
            {"parent1_known", "no"},
            {"parent2_known", "yes"},
            {"parent2_name", "Martin Paul"},
            {"postal_address", "1 rue X\n69001 Lyon"},
            {"contact_phone", "+33612345678"},
            {"contact_email", "jeanne@exemple.fr"}};
}

std::vector<std::string> faulty(const Values& values) {
    std::vector<std::string> names;
    for (const InputError& error : check_complete(passport(), values, kNow))
        names.push_back(error.field);
    return names;
}

constexpr std::string_view kSmall = R"(
version = 1
name = "small"
label = { fr = "Petite", en = "Small" }
description = { fr = "Petite", en = "Small" }
[errors]
missing = { fr = "« {label} » manque.", en = "“{label}” is missing." }
malformed = { fr = "Non.", en = "No." }
too_long = { fr = "{max} au plus.", en = "{max} at most." }
[[section]]
name = "one"
title = { fr = "Un", en = "One" }
[[section.page]]
name = "first"
title = { fr = "Premier", en = "First" }
[[section.page.field]]
name = "sex"
kind = "choice"
label = { fr = "Sexe", en = "Sex" }
choices = [ { code = "a", label = { fr = "A", en = "A" } } ]
[[section.page.field]]
name = "birth_name"
kind = "name"
label = { fr = "Nom", en = "Name" }
max_length = 30
when = { field = "sex", values = ["a"] }
)";

/// What parsing says after one replacement.
std::string fault_after(const std::string& from, const std::string& to) {
    std::string toml(kSmall);
    const auto at = toml.find(from);
    EXPECT_NE(at, std::string::npos) << from;
    toml.replace(at, from.size(), to);
    const auto type = RequestType::parse(toml, "small.toml", load_register());
    if (type) return "parsed";
    EXPECT_EQ(type.error().code, ErrorCode::kInvalidArgument);
    return type.error().message;
}

TEST(RequestTypeTest, PassportHasTheFieldsOfThePreApplication) {
    const RequestType type = passport();
    for (const char* name : {"birth_name",
                             "name_in_use",
                             "forenames",
                             "sex",
                             "birth_date",
                             "birthplace",
                             "height",
                             "eye_colour",
                             "nationality",
                             "postal_address",
                             "contact_phone",
                             "contact_email",
                             "parent1_name",
                             "parent1_birth_date",
                             "parent1_birthplace",
                             "parent2_name",
                             "parent2_birth_date",
                             "parent2_birthplace",
                             "previous_title_number",
                             "previous_title_issued",
                             "request_reason"})
        EXPECT_NE(type.field(name), nullptr) << name;
    EXPECT_FALSE(type.field("name_in_use")->required);
    EXPECT_EQ(type.field("message_text"), nullptr);
    ASSERT_NE(type.page("names"), nullptr);
    EXPECT_EQ(type.page("names")->fields.size(), 2U);
    EXPECT_EQ(type.page("nowhere"), nullptr);
    ASSERT_EQ(type.documents.size(), 3U);
    EXPECT_FALSE(type.documents[2].required);
}

TEST(RequestTypeTest, EveryErrorThatCanHappenHasWordsInBothLanguages) {
    for (const InputSection& section : passport().sections)
        for (const InputPage& page : section.pages)
            for (const InputField& field : page.fields)
                for (const auto rule : error_rules(field)) {
                    const auto& text = field.errors.at(std::string(rule));
                    EXPECT_FALSE(text.fr.empty()) << field.name << rule;
                    EXPECT_FALSE(text.en.empty()) << field.name << rule;
                    EXPECT_EQ((text.fr + text.en).find('{'), std::string::npos)
                        << field.name << rule;
                }
}

TEST(RequestTypeTest, GeneralErrorTextsAreFilledIn) {
    const auto type = RequestType::parse(kSmall, "small.toml", load_register());
    ASSERT_TRUE(type) << type.error().message;
    EXPECT_EQ(type->field("birth_name")->errors.at("missing").fr, "« Nom » manque.");
    EXPECT_EQ(type->field("birth_name")->errors.at("too_long").en, "30 at most.");
}

TEST(RequestTypeTest, FaultsAreNamedWithTheirPlace) {
    EXPECT_EQ(fault_after("max_length = 30", "max_lenght = 30"),
              "small.toml: section 1 \"one\": page 1 \"first\": field 2 \"birth_name\": max_length "
              "must be a whole number from 1 to 4000.");
    EXPECT_NE(fault_after("max_length = 30", "max_length = 30\ncolour = 1")
                  .find("the key \"colour\" is not known here"),
              std::string::npos);
    EXPECT_NE(fault_after("name = \"birth_name\"", "name = \"shoe_size\"").find("in the register"),
              std::string::npos);
    EXPECT_NE(fault_after("name = \"birth_name\"", "name = \"email\"").find("in the register"),
              std::string::npos);
    EXPECT_NE(fault_after("name = \"birth_name\"", "name = \"sex\"").find("used twice"),
              std::string::npos);
    EXPECT_NE(fault_after("kind = \"name\"", "kind = \"nam\"").find("not known"),
              std::string::npos);
    EXPECT_NE(fault_after("values = [\"a\"]", "values = [\"b\"]").find("is no choice of sex"),
              std::string::npos);
    EXPECT_NE(fault_after("field = \"sex\"", "field = \"height\"").find("asked before"),
              std::string::npos);
    EXPECT_NE(fault_after("en = \"Name\"", "de = \"Name\"").find("en must be a text"),
              std::string::npos);
    EXPECT_NE(fault_after("en = \"Name\"", "en = \"\"").find("en must be a text"),
              std::string::npos);
    EXPECT_NE(fault_after("too_long = {", "too_short = {").find("no text for the error"),
              std::string::npos);
    EXPECT_NE(fault_after("version = 1", "version = 2").find("version"), std::string::npos);
    EXPECT_NE(fault_after("[[section]]", "[[section").find("small.toml, line "), std::string::npos);
    EXPECT_NE(fault_after("name = \"first\"", "name = \"First page\"").find("must be a name"),
              std::string::npos);
}

TEST(RequestTypeTest, AllTypesOfADirectoryAreLoadedOrNone) {
    EXPECT_EQ(load_request_types(local_file_system(), kRequests / "missing", load_register())
                  .error()
                  .code,
              ErrorCode::kNotFound);
    EXPECT_EQ(
        load_request_types(local_file_system(), kRequests, load_register())->count("passport"), 1U);
}

TEST(CheckCompleteTest, CompleteValuesHaveNoFault) {
    EXPECT_TRUE(faulty(complete_values()).empty());
}

TEST(CheckCompleteTest, EachMissingFieldIsNamedInTheOrderOfThePages) {
    EXPECT_EQ(faulty({}),
              (std::vector<std::string>{"request_reason", "birth_name", "forenames", "sex",
                                        "birth_date", "birthplace", "nationality", "height",
                                        "eye_colour", "parent1_known", "parent2_known",
                                        "postal_address", "contact_phone", "contact_email"}));
    for (const auto& [name, value] : complete_values()) {
        Values values = complete_values();
        values.erase(name);
        const auto names = faulty(values);
        EXPECT_EQ(names, std::vector<std::string>{name});
    }
}

TEST(CheckCompleteTest, ValuesThatAreNotCanonicalAreFaults) {
    Values values = complete_values();
    values["birth_date"] = "1984-02-31";
    EXPECT_EQ(faulty(values), std::vector<std::string>{"birth_date"});
    values["birth_date"] = "9.3.1984";
    EXPECT_EQ(faulty(values), std::vector<std::string>{"birth_date"});
    values = complete_values();
    values["contact_phone"] = "06 12 34 56 78";
    EXPECT_EQ(faulty(values), std::vector<std::string>{"contact_phone"});
    values = complete_values();
    values["eye_colour"] = "red";
    EXPECT_EQ(faulty(values), std::vector<std::string>{"eye_colour"});
}

TEST(CheckCompleteTest, ConditionalFieldsCountOnlyWhenAsked) {
    Values values = complete_values();
    values["parent1_known"] = "yes";
    EXPECT_EQ(faulty(values), std::vector<std::string>{"parent1_name"});
    values["parent1_known"] = "no";
    values["parent1_name"] = "1234";
    EXPECT_TRUE(faulty(values).empty());
    values["previous_title_number"] = "?";
    EXPECT_TRUE(faulty(values).empty());
    values["request_reason"] = "loss";
    EXPECT_EQ(faulty(values), std::vector<std::string>{"previous_title_number"});
}

TEST(AskedPagesTest, PagesFollowTheAnswers) {
    const RequestType type = passport();
    const auto has = [&](const Values& values, const char* page) {
        const auto pages = asked_pages(type, values);
        return std::find(pages.begin(), pages.end(), type.page(page)) != pages.end();
    };
    EXPECT_TRUE(has({}, "reason"));
    EXPECT_FALSE(has({}, "previous-title"));
    EXPECT_FALSE(has({{"request_reason", "first"}}, "previous-title"));
    EXPECT_TRUE(has({{"request_reason", "theft"}}, "previous-title"));
    EXPECT_TRUE(has({{"parent1_known", "yes"}}, "parent1"));
    EXPECT_FALSE(has({{"parent1_known", "no"}}, "parent1"));
    const auto pages = asked_pages(type, complete_values());
    EXPECT_EQ(pages.front(), type.page("reason"));
    EXPECT_EQ(pages.back(), type.page("contact"));
}

TEST(IsAskedTest, LooksAtTheOtherField) {
    InputField field;
    EXPECT_TRUE(is_asked(field, {}));
    field.when = Condition{"other", {"a", "b"}};
    EXPECT_FALSE(is_asked(field, {}));
    EXPECT_FALSE(is_asked(field, {{"other", "c"}}));
    EXPECT_TRUE(is_asked(field, {{"other", "b"}}));
}

}  // namespace
}  // namespace cloison::casework
