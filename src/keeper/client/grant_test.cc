#include "keeper/client/grant.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "base/seeded_random.h"
#include "crypto/paseto.h"
#include "keeper/client/errors.h"

namespace cloison::keeper {
namespace {

const Time kNow = from_unix_ms(1'776'000'000'000);

crypto::SigningKey signing_key(std::uint8_t seed) {
    return crypto::SigningKey::from_seed(Bytes(32, seed));
}

Grant example() {
    SeededRandom random(7);
    Grant grant;
    grant.id = ActorId::random(random).hex();
    grant.actor = ActorId::random(random);
    grant.role = registry::Role::kOfficer;
    grant.session = SessionId::random(random);
    grant.door = "desk";
    grant.origin = "203.0.113.5";
    grant.purpose = "process_request";
    grant.reason = "examine";
    grant.fields = {"birth_name", "sex"};
    grant.person = Bytes(82, 1);
    grant.case_handle = Bytes(82, 2);
    grant.approvers = {ActorId::random(random), ActorId::random(random)};
    grant.list = Bytes(32, 3);
    grant.issued = kNow;
    grant.expires = kNow + kMaxGrantLifetime;
    return grant;
}

/// Signs claims as they stand, to see what the reader refuses.
std::string signed_claims(const nlohmann::json& claims,
                          std::string_view kind = "cloison/grant/v1") {
    return crypto::paseto_sign(signing_key(1), claims.dump(), "", kind);
}

nlohmann::json claims_of(const std::string& token, std::string_view kind = "cloison/grant/v1") {
    return nlohmann::json::parse(
        *crypto::paseto_verify(signing_key(1).verify_key(), token, "", kind));
}

ErrorCode code_of(const std::string& token, Time now = kNow) {
    auto grant = verify_grant(signing_key(1).verify_key(), token, now);
    return grant ? ErrorCode::kInternal : grant.error().code;
}

TEST(GrantTest, ComesBackAsItWasSigned) {
    const Grant sent = example();
    auto grant = verify_grant(signing_key(1).verify_key(), sign_grant(signing_key(1), sent), kNow);
    ASSERT_TRUE(grant) << grant.error().message;
    EXPECT_EQ(grant->id, sent.id);
    EXPECT_EQ(grant->actor, sent.actor);
    EXPECT_EQ(grant->role, sent.role);
    EXPECT_EQ(grant->session, sent.session);
    EXPECT_EQ(grant->door, sent.door);
    EXPECT_EQ(grant->origin, sent.origin);
    EXPECT_EQ(grant->purpose, sent.purpose);
    EXPECT_EQ(grant->reason, sent.reason);
    EXPECT_EQ(grant->fields, sent.fields);
    EXPECT_EQ(grant->person, sent.person);
    EXPECT_EQ(grant->case_handle, sent.case_handle);
    EXPECT_EQ(grant->approvers, sent.approvers);
    EXPECT_EQ(grant->list, sent.list);
    EXPECT_EQ(grant->issued, sent.issued);
    EXPECT_EQ(grant->expires, sent.expires);
}

TEST(GrantTest, EveryFlippedCharacterIsRefused) {
    const std::string token = sign_grant(signing_key(1), example());
    for (std::size_t at = 0; at < token.size(); ++at) {
        std::string changed = token;
        changed[at] = changed[at] == 'A' ? 'B' : 'A';
        EXPECT_EQ(code_of(changed), ErrorCode::kUnauthenticated) << at;
    }
    EXPECT_EQ(code_of(""), ErrorCode::kUnauthenticated);
    EXPECT_EQ(code_of(std::string(16 * 1024 + 1, 'A')), ErrorCode::kUnauthenticated);
}

TEST(GrantTest, AnotherKeyOrKindOfTokenIsRefused) {
    EXPECT_EQ(code_of(sign_grant(signing_key(2), example())), ErrorCode::kUnauthenticated);
    const auto claims = claims_of(sign_grant(signing_key(1), example()));
    EXPECT_EQ(code_of(signed_claims(claims)), ErrorCode::kInternal) << "signed the same: good";
    EXPECT_EQ(code_of(signed_claims(claims, "cloison/ticket/v1")), ErrorCode::kUnauthenticated);
}

TEST(GrantTest, TimesHoldAtTheirBounds) {
    const auto code = [](Duration issued, Duration expires) {
        Grant grant = example();
        grant.issued = kNow + issued;
        grant.expires = kNow + expires;
        return code_of(sign_grant(signing_key(1), grant));
    };
    const auto good = ErrorCode::kInternal;
    EXPECT_EQ(code(Duration(-1000), Duration(1)), good);
    EXPECT_EQ(code(Duration(-1000), Duration(0)), ErrorCode::kUnauthenticated);
    EXPECT_EQ(code(Duration(30'000), Duration(60'000)), good);
    EXPECT_EQ(code(Duration(30'001), Duration(60'000)), ErrorCode::kUnauthenticated);
    EXPECT_EQ(code(Duration(0), kMaxGrantLifetime), good);
    EXPECT_EQ(code(Duration(0), kMaxGrantLifetime + Duration(1)), ErrorCode::kUnauthenticated);
    EXPECT_EQ(code(Duration(1000), Duration(1000)), ErrorCode::kUnauthenticated);
}

TEST(GrantTest, EveryClaimIsNeededAndTyped) {
    const auto claims = claims_of(sign_grant(signing_key(1), example()));
    ASSERT_EQ(claims.size(), 16u);
    for (const auto& [name, value] : claims.items()) {
        auto missing = claims;
        missing.erase(name);
        EXPECT_EQ(code_of(signed_claims(missing)), ErrorCode::kUnauthenticated) << name;
        for (const auto& wrong :
             {nlohmann::json(), nlohmann::json(1), nlohmann::json(true), nlohmann::json{{"a", "b"}},
              nlohmann::json::array({1}), nlohmann::json(std::string(500, 'f'))}) {
            auto changed = claims;
            changed[name] = wrong;
            EXPECT_EQ(code_of(signed_claims(changed)), ErrorCode::kUnauthenticated)
                << name << " " << wrong;
        }
    }
}

TEST(GrantTest, UnknownAndRepeatedClaimsAreRefused) {
    auto claims = claims_of(sign_grant(signing_key(1), example()));
    std::string text = claims.dump();
    text.insert(1, "\"jti\":" + claims["jti"].dump() + ",");
    EXPECT_EQ(code_of(crypto::paseto_sign(signing_key(1), text, "", "cloison/grant/v1")),
              ErrorCode::kUnauthenticated);
    claims["nbf"] = claims["iat"];
    EXPECT_EQ(code_of(signed_claims(claims)), ErrorCode::kUnauthenticated);
    EXPECT_EQ(code_of(signed_claims(nlohmann::json::array())), ErrorCode::kUnauthenticated);
    EXPECT_EQ(code_of(crypto::paseto_sign(signing_key(1), "{", "", "cloison/grant/v1")),
              ErrorCode::kUnauthenticated);
}

TEST(GrantTest, ListsAreBoundedAndWithoutRepetition) {
    const auto with_fields = [](std::size_t count, bool repeat) {
        Grant grant = example();
        grant.fields.clear();
        for (std::size_t i = 0; i < count; ++i)
            grant.fields.push_back("f" + std::to_string(repeat ? 0 : i));
        return code_of(sign_grant(signing_key(1), grant));
    };
    EXPECT_EQ(with_fields(0, false), ErrorCode::kInternal);
    EXPECT_EQ(with_fields(128, false), ErrorCode::kInternal);
    EXPECT_EQ(with_fields(129, false), ErrorCode::kUnauthenticated);
    EXPECT_EQ(with_fields(2, true), ErrorCode::kUnauthenticated);
    Grant grant = example();
    grant.approvers = {grant.actor, grant.actor};
    EXPECT_EQ(code_of(sign_grant(signing_key(1), grant)), ErrorCode::kUnauthenticated);
}

TEST(GrantTest, AListIsADigestOrEmpty) {
    Grant grant = example();
    for (const std::size_t size : {0, 1, 31, 32, 33}) {
        grant.list = Bytes(size, 1);
        EXPECT_EQ(code_of(sign_grant(signing_key(1), grant)),
                  size == 0 || size == 32 ? ErrorCode::kInternal : ErrorCode::kUnauthenticated)
            << size;
    }
}

TEST(TicketTest, ComesBackAndIsNoGrant) {
    Ticket sent{Bytes(82, 3), ActorId{}, kNow + Duration(1)};
    const std::string token = sign_ticket(signing_key(1), sent);
    const auto key = signing_key(1).verify_key();
    auto ticket = verify_ticket(key, token, kNow);
    ASSERT_TRUE(ticket) << ticket.error().message;
    EXPECT_EQ(ticket->handle, sent.handle);
    EXPECT_TRUE(ticket->actor.is_none());
    EXPECT_EQ(ticket->expires, sent.expires);
    EXPECT_FALSE(verify_ticket(key, token, kNow + Duration(1)));
    EXPECT_FALSE(verify_ticket(signing_key(2).verify_key(), token, kNow));
    EXPECT_FALSE(verify_ticket(key, sign_grant(signing_key(1), example()), kNow));
    EXPECT_EQ(code_of(token), ErrorCode::kUnauthenticated);
    auto claims = claims_of(token, "cloison/ticket/v1");
    claims["case"] = "";
    EXPECT_FALSE(verify_ticket(key, signed_claims(claims, "cloison/ticket/v1"), kNow));
}

TEST(HandleTest, OnlyTheKeeperReadsItAndTwoCannotBeLinked) {
    SeededRandom random(3);
    const auto keeper = crypto::SealedBoxKeyPair::from_seed(Bytes(32, 9));
    HandleContent content{registry::Compartment::kCasework, {1, 2, 3}, RequestId::random(random)};
    const Bytes one = make_handle(keeper.public_key(), content);
    const Bytes two = make_handle(keeper.public_key(), content);
    EXPECT_NE(one, two);
    auto opened = open_handle(keeper, one);
    ASSERT_TRUE(opened);
    EXPECT_EQ(opened->compartment, content.compartment);
    EXPECT_EQ(opened->pseudonym, content.pseudonym);
    EXPECT_EQ(opened->case_reference, content.case_reference);
    EXPECT_FALSE(open_handle(crypto::SealedBoxKeyPair::from_seed(Bytes(32, 8)), one));
    content.case_reference = {};
    EXPECT_EQ(make_handle(keeper.public_key(), content).size(), one.size())
        << "the length must not say whether a case is named";
}

TEST(HandleTest, MalformedContentIsCorrupt) {
    const auto keeper = crypto::SealedBoxKeyPair::from_seed(Bytes(32, 9));
    const auto code = [&](std::uint8_t version, std::uint8_t compartment, std::size_t size) {
        Bytes plain(size);
        plain[0] = version;
        plain[1] = compartment;
        auto opened = open_handle(keeper, crypto::sealed_box(keeper.public_key(), plain));
        return opened ? ErrorCode::kInternal : opened.error().code;
    };
    EXPECT_EQ(code(1, 3, 34), ErrorCode::kInternal);
    EXPECT_EQ(code(2, 3, 34), ErrorCode::kCorrupt);
    EXPECT_EQ(code(1, 0, 34), ErrorCode::kCorrupt);
    EXPECT_EQ(code(1, 4, 34), ErrorCode::kCorrupt);
    EXPECT_EQ(code(1, 3, 33), ErrorCode::kCorrupt);
    EXPECT_EQ(code(1, 3, 35), ErrorCode::kCorrupt);
    EXPECT_FALSE(open_handle(keeper, Bytes{}));
}

TEST(WireErrorTest, NamesGoBothWays) {
    for (int code = 0; code <= static_cast<int>(ErrorCode::kInternal); ++code)
        EXPECT_EQ(error_from_wire_name(wire_error_name(static_cast<ErrorCode>(code))),
                  static_cast<ErrorCode>(code));
    EXPECT_EQ(error_from_wire_name("whatever"), ErrorCode::kInternal);
}

TEST(WireErrorTest, ValuesAreTakenOutOfTheAnswer) {
    v1::Disclosed disclosed;
    disclosed.add_values("Camille");
    auto values = take_values(disclosed);
    ASSERT_TRUE(values);
    EXPECT_EQ(values->at(0).text(), "Camille");
    EXPECT_NE(disclosed.values(0), "Camille");
    disclosed.set_error("exhausted");
    disclosed.set_error_message("The budget is used up.");
    EXPECT_EQ(take_values(disclosed).error().code, ErrorCode::kExhausted);
}

}  // namespace
}  // namespace cloison::keeper
