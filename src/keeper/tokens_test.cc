#include "keeper/tokens.h"

#include <gtest/gtest.h>

#include "base/seeded_random.h"

namespace cloison::keeper {
namespace {

const Time kNow = from_unix_ms(1'776'000'000'000);

class TokensTest : public testing::Test {
  protected:
    KeyRing keys_{*crypto::RootKey::from_bytes(Bytes(32, 1))};
    KeyRing others_{*crypto::RootKey::from_bytes(Bytes(32, 2))};
    SeededRandom random_{1};
    Person person_{7, keys_.make_root(7, {1, 2, 3})};
    ActorId actor_ = ActorId::random(random_);
    Bytes list_ = Bytes(32, 4);
};

TEST_F(TokensTest, AnEnrolmentIsGoodForAnHour) {
    const Bytes token = make_enrolment(keys_, person_, kNow, random_);
    EXPECT_EQ(*open_enrolment(keys_, token, kNow), person_);
    EXPECT_EQ(*open_enrolment(keys_, token, kNow + kEnrolmentLifetime - Duration(1)), person_);
    EXPECT_EQ(open_enrolment(keys_, token, kNow + kEnrolmentLifetime).error().code,
              ErrorCode::kUnauthenticated);
    EXPECT_EQ(open_enrolment(others_, token, kNow).error().code, ErrorCode::kUnauthenticated);
    EXPECT_EQ(open_enrolment(keys_, {}, kNow).error().code, ErrorCode::kUnauthenticated);
}

TEST_F(TokensTest, ABulkHandleIsForOneActorPurposeListAndTime) {
    const Time expires = kNow + kBulkHandleLifetime;
    const Bytes token = make_bulk_handle(keys_, {person_, actor_, 5, list_, expires}, random_);
    const auto code = [&](const KeyRing& keys, const ActorId& actor, std::uint8_t purpose,
                          Time now) {
        auto opened = open_bulk_handle(keys, token, actor, purpose, list_, now);
        return opened ? ErrorCode::kInternal : opened.error().code;
    };
    EXPECT_EQ(*open_bulk_handle(keys_, token, actor_, 5, list_, expires - Duration(1)), person_);
    EXPECT_EQ(code(keys_, actor_, 5, expires), ErrorCode::kPermissionDenied);
    EXPECT_EQ(code(keys_, ActorId::random(random_), 5, kNow), ErrorCode::kPermissionDenied);
    EXPECT_EQ(code(keys_, actor_, 6, kNow), ErrorCode::kPermissionDenied);
    EXPECT_EQ(code(others_, actor_, 5, kNow), ErrorCode::kPermissionDenied);
    EXPECT_FALSE(open_bulk_handle(keys_, token, actor_, 5, Bytes(32, 9), kNow));
    EXPECT_FALSE(open_bulk_handle(keys_, token, actor_, 5, {}, kNow));
}

TEST_F(TokensTest, OneKindIsNotTheOther) {
    const Bytes enrolment = make_enrolment(keys_, person_, kNow, random_);
    const Bytes handle =
        make_bulk_handle(keys_, {person_, actor_, 5, list_, kNow + Duration(1000)}, random_);
    EXPECT_FALSE(open_enrolment(keys_, handle, kNow));
    EXPECT_FALSE(open_bulk_handle(keys_, enrolment, actor_, 5, list_, kNow));
}

TEST_F(TokensTest, EveryFlippedByteIsRefused) {
    const Bytes token = make_enrolment(keys_, person_, kNow, random_);
    for (std::size_t at = 0; at < token.size(); ++at) {
        Bytes changed = token;
        changed[at] ^= 1;
        EXPECT_FALSE(open_enrolment(keys_, changed, kNow)) << at;
    }
}

}  // namespace
}  // namespace cloison::keeper
