#include "registry/registry.h"

#include <gtest/gtest.h>

namespace cloison::registry {
namespace {

const std::string kField = R"(
[[field]]
number = 127
name = "email"
compartment = "identity"
category = "contact"
edpb_category = "contact_details"
sensitivity = 2
retention_days = 10
purposes = ["self_service"]
label = { fr = "Courriel", en = "E-mail" }
)";
const std::string kPurpose = R"(
[[purpose]]
number = 1
name = "self_service"
roles = ["resident", "officer"]
bulk = false
per_hour = 1
per_day = 2
label = { fr = "Soi", en = "Self" }
reasons = [ { code = "look", label = { fr = "Voir", en = "Look" } } ]
)";
const std::string kDoor = R"(
[[door]]
number = 1
name = "portal"
per_hour = 5
per_day = 5
label = { fr = "Portail", en = "Portal" }
)";
const std::string kWhole = "version = 1\n" + kField + kPurpose + kDoor;

std::string replaced(std::string text, const std::string& from, const std::string& to) {
    const auto at = text.find(from);
    EXPECT_NE(at, std::string::npos) << from;
    return text.replace(at, from.size(), to);
}

TEST(RegistryTest, ReadsEverythingThatIsDeclared) {
    auto registry = Registry::parse(kWhole, "test.toml");
    ASSERT_TRUE(registry) << registry.error().message;
    const Field* email = registry->field("email");
    ASSERT_NE(email, nullptr);
    EXPECT_EQ(email->number, 127);
    EXPECT_EQ(email->compartment, Compartment::kIdentity);
    EXPECT_EQ(email->label.in("en"), "E-mail");
    EXPECT_EQ(email->label.in("fr"), "Courriel");
    EXPECT_EQ(registry->field(std::uint8_t{127}), email);
    EXPECT_EQ(registry->field("phone"), nullptr);
    const Purpose* self = registry->purpose("self_service");
    ASSERT_NE(self, nullptr);
    EXPECT_TRUE(self->allows_role(Role::kOfficer));
    EXPECT_FALSE(self->allows_role(Role::kDpo));
    EXPECT_EQ(self->budget.per_day, 2u);
    EXPECT_NE(self->reason("look"), nullptr);
    EXPECT_EQ(self->reason("loo"), nullptr);
    EXPECT_TRUE(registry->may_open(*email, *self));
    EXPECT_EQ(registry->door("portal")->budget.per_hour, 5u);
    EXPECT_EQ(registry->door(std::uint8_t{2}), nullptr);
}

TEST(RegistryTest, FieldSetsGoBothWays) {
    auto registry =
        Registry::load(local_file_system(), Path(CLOISON_SOURCE_DIR) / "registry" / "fields.toml");
    ASSERT_TRUE(registry) << registry.error().message;
    auto set = registry->field_set({"document_name", "email"});
    ASSERT_TRUE(set);
    auto fields = registry->fields_of(*set);
    ASSERT_EQ(fields.size(), 2u);
    EXPECT_EQ(fields[0]->name, "email");
    EXPECT_EQ(fields[1]->name, "document_name");
    EXPECT_EQ(registry->field_set({"shoe_size"}).error().code, ErrorCode::kInvalidArgument);
}

TEST(RegistryTest, ThePortalsRegisterKeepsItsPromises) {
    auto registry =
        Registry::load(local_file_system(), Path(CLOISON_SOURCE_DIR) / "registry" / "fields.toml");
    ASSERT_TRUE(registry) << registry.error().message;
    EXPECT_EQ(registry->purposes().size(), 8u);
    for (const auto& field : registry->fields()) {
        EXPECT_TRUE(registry->may_open(field, *registry->purpose("self_service"))) << field.name;
        EXPECT_TRUE(registry->may_open(field, *registry->purpose("hand_over_data"))) << field.name;
        EXPECT_FALSE(registry->may_open(field, *registry->purpose("erase"))) << field.name;
    }
    for (const auto& purpose : registry->purposes())
        EXPECT_EQ(purpose.bulk, purpose.name == "notify" || purpose.name == "investigate");
}

TEST(RegistryTest, NamesOfRolesAndCompartmentsGoBothWays) {
    for (int number = 1; number <= 6; ++number) {
        const auto role = static_cast<Role>(number);
        EXPECT_EQ(*role_from_name(role_name(role)), role);
    }
    for (int number = 1; number <= 3; ++number) {
        const auto compartment = static_cast<Compartment>(number);
        EXPECT_EQ(*compartment_from_name(compartment_name(compartment)), compartment);
    }
    EXPECT_FALSE(role_from_name("king"));
    EXPECT_FALSE(compartment_from_name(""));
}

struct Wrong {
    std::string from;
    std::string to;
    std::string message;  ///< Part of it.
};

class RegistryRefusesTest : public testing::TestWithParam<Wrong> {};

TEST_P(RegistryRefusesTest, NamingTheEntryAndWhatIsWrong) {
    auto registry = Registry::parse(replaced(kWhole, GetParam().from, GetParam().to), "test.toml");
    ASSERT_FALSE(registry);
    EXPECT_EQ(registry.error().code, ErrorCode::kInvalidArgument);
    EXPECT_EQ(registry.error().message.rfind("test.toml", 0), 0u) << registry.error().message;
    EXPECT_NE(registry.error().message.find(GetParam().message), std::string::npos)
        << registry.error().message;
}

INSTANTIATE_TEST_SUITE_P(
    Everything, RegistryRefusesTest,
    testing::Values(
        Wrong{"version = 1", "version = 2", "version"}, Wrong{"version = 1", "", "version"},
        Wrong{"version = 1", "version = ", "test.toml:1"},
        Wrong{"version = 1", "version = 1\ncolour = 3", "\"colour\" is not known"},
        Wrong{"number = 127", "number = 128", "field email: number"},
        Wrong{"number = 127", "number = -1", "field email: number"},
        Wrong{"number = 127", "number = 1.0", "field email: number"},
        Wrong{"name = \"email\"", "name = \"E mail\"", "field 1: name"},
        Wrong{"\"identity\"", "\"keeper\"", "field email: compartment"},
        Wrong{"\"contact\"", "\"stuff\"", "field email: category"},
        Wrong{"\"contact_details\"", "\"stuff\"", "edpb_category"},
        Wrong{"sensitivity = 2", "sensitivity = 5", "sensitivity"},
        Wrong{"sensitivity = 2", "sensitivity = 0", "sensitivity"},
        Wrong{"retention_days = 10", "retention_days = 0", "retention_days"},
        Wrong{"[\"self_service\"]", "[]", "purposes"},
        Wrong{"[\"self_service\"]", "[\"notify\"]", "purpose notify is not declared"},
        Wrong{"[\"self_service\"]", "[\"self_service\", \"self_service\"]", "different names"},
        Wrong{"[\"self_service\"]", "[\"self_service\", 3]", "purposes"},
        Wrong{"en = \"E-mail\"", "de = \"E-Mail\"", "field email: label: en"},
        Wrong{"en = \"E-mail\"", "en = \"E-mail\", de = \"E-Mail\"", "\"de\" is not known"},
        Wrong{"[\"resident\", \"officer\"]", "[\"king\"]", "unknown role"},
        Wrong{"bulk = false", "bulk = 0", "bulk"},
        Wrong{"per_hour = 1\n", "per_hour = 3\n", "per_hour must not be more"},
        Wrong{"per_hour = 1\n", "per_hour = 0\n", "per_hour"},
        Wrong{"code = \"look\"", "code = \"\"", "reason: code"},
        Wrong{"[ { code = \"look\", ",
              "[ { code = \"look\", label = { fr = \"a\", en = \"b\" } }, { code = \"look\", ",
              "used twice"},
        Wrong{kDoor, "", "there is no door"},
        Wrong{kDoor, kDoor + kDoor, "the number is that of portal"},
        Wrong{kDoor, kDoor + replaced(kDoor, "number = 1", "number = 2"), "name is used twice"}));

const std::string kAllowance = R"(
[[allowance]]
name = "look_ups_portal"
per_hour = 10
per_day = 20
block = 10
[thresholds]
refusals_per_hour = 7
hardenings_of_account_per_hour = 8
)";

TEST(RegistryTest, AllowancesAndThresholdsAreRead) {
    const auto registry = Registry::parse(kWhole + kAllowance, "test.toml");
    ASSERT_TRUE(registry) << registry.error().message;
    const Allowance* portal = registry->allowance("look_ups_portal");
    ASSERT_NE(portal, nullptr);
    EXPECT_EQ(portal->budget.per_hour, 10u);
    EXPECT_EQ(portal->budget.per_day, 20u);
    EXPECT_EQ(portal->block, 10u);
    EXPECT_EQ(registry->allowance("hardenings"), nullptr);
    EXPECT_EQ(registry->thresholds().refusals_per_hour, 7u);
    EXPECT_EQ(registry->thresholds().hardenings_of_account_per_hour, 8u);
    const auto without = Registry::parse(kWhole, "test.toml");
    ASSERT_TRUE(without);
    EXPECT_TRUE(without->allowances().empty());
    EXPECT_EQ(without->thresholds().refusals_per_hour, Thresholds().refusals_per_hour);
}

TEST(RegistryTest, WrongAllowancesAndThresholdsAreNamed) {
    const std::pair<const char*, const char*> wrongs[] = {
        {"block = 10", "block = 11"},
        {"block = 10", "block = 0"},
        {"block = 10", ""},
        {"per_day = 20\nblock", "per_day = 9\nblock"},
        {"look_ups_portal", "Look-ups"},
        {"block = 10", "block = 10\nlabel = 1"},
        {"refusals_per_hour = 7", ""},
        {"refusals_per_hour = 7", "refusals_per_hour = 0"},
        {"refusals_per_hour = 7", "refusals_per_hour = 10001"},
        {"refusals_per_hour = 7", "refusals_per_hour = 7\nother = 1"},
        {"hardenings_of_account_per_hour = 8", ""},
        {"[thresholds]", "[[thresholds]]"}};
    for (const auto& [from, to] : wrongs)
        EXPECT_FALSE(Registry::parse(replaced(kWhole + kAllowance, from, to), "test.toml")) << to;
    const auto twice = kAllowance.substr(0, kAllowance.find("[thresholds]"));
    const auto repeated = Registry::parse(kWhole + twice + twice, "test.toml");
    ASSERT_FALSE(repeated);
    EXPECT_NE(repeated.error().message.find("look_ups_portal"), std::string::npos);
}

}  // namespace
}  // namespace cloison::registry
