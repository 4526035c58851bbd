#include "cli/configuration.h"

#include <gtest/gtest.h>
#include <toml++/toml.h>

#include <sstream>

#include "crypto/keys.h"

namespace cloison::cli {
namespace {

const std::string kFile = "cloison.toml";

journal::WitnessAddress witness(const std::string& name, std::uint8_t seed) {
    const auto key = crypto::SigningKey::from_seed(Bytes(32, seed)).verify_key();
    return *journal::WitnessAddress::parse(journal::witness_vkey(name, key) + " https://" + name +
                                           ":9000");
}

/// Every key set, and to something else than where it is left out.
Configuration full() {
    crypto::initialize();
    Configuration all;
    all.address = "::1";
    all.portal_port = 1;
    all.desk_port = 65535;
    all.outbox_port = 3;
    all.root_key = "pkcs11";
    all.pkcs11_module = "/opt/a \"token\"/C:\\lib\\p11.so";
    all.pkcs11_token = "\"\\\"";
    all.pkcs11_key = "line\nfeed\ttab\x01 del\x7f # no comment";
    all.pkcs11_pin_file = "/clé/épingle \\u0041";
    all.journal_origin = "example.org/keeper";
    all.witnesses = {witness("one.example", 1), witness("two.example", 2),
                     witness("three.example", 3)};
    all.witness_quorum = 3;
    all.witness_interval = Duration(3'600'000);
    all.witness_warning = Duration(1'000);
    all.witness_ca_file = "/etc/witnesses \"one\".pem";
    all.mail_transport = "smtp";
    all.mail_from = "no-reply@example.org";
    all.smtp_url = "smtps://127.0.0.1:465";
    all.smtp_user = "mail\r";
    all.smtp_password_file = "'/run/[secrets]'\\";
    all.smtp_require_tls = false;
    all.clamd = "unix:/run/clamd";
    return all;
}

TEST(ConfigurationTest, IsReadAsItWasWritten) {
    for (const Configuration& configuration : {Configuration(), full()}) {
        const auto text = configuration.text();
        ASSERT_TRUE(text) << text.error().message;
        const auto read = Configuration::parse(*text, kFile);
        ASSERT_TRUE(read) << read.error().message;
        EXPECT_EQ(*read, configuration) << *text;
        EXPECT_EQ(*read->text(), *text);
    }
}

TEST(ConfigurationTest, EveryKeyIsWritten) {
    const auto written = full().text();
    ASSERT_TRUE(written) << written.error().message;
    const auto table = toml::parse(*written);
    ASSERT_GE(Configuration::keys().size(), 21u);
    for (const std::string& key : Configuration::keys()) {
        EXPECT_TRUE(table.at_path(key)) << key << " is not written";
        // Without it, the rest is another configuration or none: so full() sets it.
        auto without = table;
        const std::size_t dot = key.find('.');
        without[key.substr(0, dot)].as_table()->erase(key.substr(dot + 1));
        std::ostringstream text;
        text << without;
        const auto read = Configuration::parse(text.str(), kFile);
        EXPECT_FALSE(read && *read == full()) << key << " is not set in this test";
    }
}

TEST(ConfigurationTest, WitnessesStandInACommentWhereThereAreNone) {
    EXPECT_NE(Configuration().text()->find("# witnesses = [\"<vkey> <url>\"]\n"),
              std::string::npos);
    EXPECT_EQ(full().text()->find('#', 1), full().text()->find("# no comment"));
}

TEST(ConfigurationTest, MoreThanHalfOfTheWitnessesAreNeededWhereNoNumberIsSet) {
    Configuration configuration = full();
    EXPECT_EQ(configuration.witnesses_needed(), 3u);
    configuration.witness_quorum = 0;
    EXPECT_EQ(configuration.witnesses_needed(), 2u);
    // It stays so with a witness that is added later.
    auto read = Configuration::parse(*configuration.text(), kFile);
    ASSERT_TRUE(read) << read.error().message;
    EXPECT_EQ(*read, configuration);
    read->witnesses.push_back(witness("four.example", 4));
    EXPECT_EQ(read->witnesses_needed(), 3u);
    EXPECT_EQ(Configuration().witnesses_needed(), 0u);
}

TEST(ConfigurationTest, WhatCouldNotBeReadBackIsNotWritten) {
    Configuration latin;
    latin.pkcs11_pin_file = "/cl\xe9";
    Configuration quorum;
    quorum.witness_quorum = 1;
    Configuration fraction;
    fraction.witness_interval = Duration(1'500);
    for (const Configuration& each : {latin, quorum, fraction}) {
        const auto text = each.text();
        ASSERT_FALSE(text);
        EXPECT_EQ(text.error().code, ErrorCode::kInvalidArgument) << text.error().message;
    }
}

}  // namespace
}  // namespace cloison::cli
