#include "keeper/grant_checker.h"

#include "keeper/support_for_test.h"

namespace cloison::keeper {
namespace {

class GrantCheckerTest : public testing::Test {
  protected:
    GrantCheckerTest() { grant_ = officer(); }

    Grant officer() {
        Grant grant;
        grant.id = ActorId::random(random_).hex();
        grant.actor = ActorId::random(random_);
        grant.role = registry::Role::kOfficer;
        grant.door = "desk";
        grant.purpose = "process_request";
        grant.reason = "examine";
        grant.fields = {"birth_name"};
        grant.person = handle(registry::Compartment::kIdentity, person_);
        grant.issued = clock_.now();
        grant.expires = clock_.now() + Duration(60'000);
        return grant;
    }
    Bytes handle(registry::Compartment compartment, const Person& person,
                 RequestId reference = {}) {
        return make_handle(keys_.handle_keys().public_key(),
                           {compartment, keys_.pseudonym(compartment, person), reference});
    }
    ErrorCode code() {
        auto checked = checker_.check(sign_grant(identity_, grant_));
        return checked ? ErrorCode::kInternal : checked.error().code;
    }

    registry::Registry registry_ = whole_register();
    KeyRing keys_{*crypto::RootKey::from_bytes(Bytes(32, 1))};
    SeededRandom random_{1};
    ManualClock clock_{from_unix_ms(TestBed::kStartMs)};
    crypto::SigningKey identity_ = crypto::SigningKey::from_seed(Bytes(32, 7));
    Person person_{7, keys_.make_root(7, {1})};
    Person other_{8, keys_.make_root(8, {2})};
    Revocations revocations_;
    GrantChecker checker_{registry_, keys_, identity_.verify_key(), revocations_, clock_, 3};
    Grant grant_;
};

constexpr ErrorCode kGood = ErrorCode::kInternal;
constexpr ErrorCode kDenied = ErrorCode::kPermissionDenied;

TEST_F(GrantCheckerTest, LooksEveryWordUp) {
    auto checked = checker_.check(sign_grant(identity_, grant_));
    ASSERT_TRUE(checked) << checked.error().message;
    EXPECT_EQ((*checked)->purpose->name, "process_request");
    EXPECT_EQ((*checked)->door->name, "desk");
    EXPECT_TRUE((*checked)->fields.test(registry_.field("birth_name")->number));
    EXPECT_EQ((*checked)->fields.count(), 1u);
    EXPECT_EQ((*checked)->person, person_);
    EXPECT_TRUE((*checked)->case_reference.is_none());
}

TEST_F(GrantCheckerTest, UnknownWordsAreDenied) {
    const Grant good = grant_;
    grant_.purpose = "curiosity";
    EXPECT_EQ(code(), kDenied);
    grant_ = good;
    grant_.door = "window";
    EXPECT_EQ(code(), kDenied);
    grant_ = good;
    grant_.fields = {"birth_name", "shoe_size"};
    EXPECT_EQ(code(), kDenied);
    grant_ = good;
    grant_.role = registry::Role::kSupport;
    EXPECT_EQ(code(), kDenied);
}

TEST_F(GrantCheckerTest, AReasonIsNeededWhereThePurposeHasReasons) {
    EXPECT_EQ(code(), kGood);
    grant_.reason = "";
    EXPECT_EQ(code(), kDenied);
    grant_.reason = "call";
    EXPECT_EQ(code(), kDenied) << "a reason of another purpose";
    grant_.purpose = "self_service";
    grant_.role = registry::Role::kResident;
    grant_.reason = "";
    EXPECT_EQ(code(), kGood);
    grant_.reason = "examine";
    EXPECT_EQ(code(), kDenied) << "a reason where there is none to give";
}

TEST_F(GrantCheckerTest, PersonAndCaseMustBeOfTheSamePerson) {
    const auto reference = RequestId::random(random_);
    grant_.case_handle = handle(registry::Compartment::kCasework, person_, reference);
    auto checked = checker_.check(sign_grant(identity_, grant_));
    ASSERT_TRUE(checked);
    EXPECT_EQ((*checked)->case_reference, reference);
    grant_.case_handle = handle(registry::Compartment::kCasework, other_, reference);
    EXPECT_EQ(code(), kDenied);
    grant_.person.clear();
    checked = checker_.check(sign_grant(identity_, grant_));
    ASSERT_TRUE(checked);
    EXPECT_EQ((*checked)->person, other_);
}

TEST_F(GrantCheckerTest, HandlesOfOtherCompartmentsOrKeysAreRefused) {
    grant_.person = handle(registry::Compartment::kDocuments, person_);
    EXPECT_EQ(code(), kDenied);
    grant_.person = Bytes(82, 1);
    EXPECT_EQ(code(), ErrorCode::kUnauthenticated);
    grant_.person = handle(registry::Compartment::kIdentity, person_);
    grant_.case_handle = grant_.person;
    EXPECT_EQ(code(), kDenied);
}

TEST_F(GrantCheckerTest, ARememberedGrantStillExpires) {
    const std::string token = sign_grant(identity_, grant_);
    ASSERT_TRUE(checker_.check(token));
    EXPECT_EQ(checker_.remembered(), 1u);
    clock_.advance(Duration(59'999));
    ASSERT_TRUE(checker_.check(token));
    clock_.advance(Duration(1));
    EXPECT_EQ(checker_.check(token).error().code, ErrorCode::kUnauthenticated);
}

TEST_F(GrantCheckerTest, ARevokedGrantIsRefusedRememberedOrNot) {
    const std::string remembered = sign_grant(identity_, grant_);
    ASSERT_TRUE(checker_.check(remembered));
    journal::Entry line;
    line.kind = journal::EntryKind::kRevoked;
    line.time = clock_.now();
    line.actor = grant_.actor;
    line.reason = "issued until " + format_rfc3339(grant_.issued, /*with_ms=*/true);
    ASSERT_TRUE(revocations_.replay(line));
    EXPECT_EQ(checker_.check(remembered).error().code, ErrorCode::kUnauthenticated);
    grant_.id = ActorId::random(random_).hex();
    EXPECT_EQ(code(), ErrorCode::kUnauthenticated) << "shown for the first time";
    grant_.issued = clock_.now() + Duration(1);
    EXPECT_EQ(code(), kGood) << "issued a millisecond later";
}

TEST_F(GrantCheckerTest, RemembersUpToItsBoundAndStillKnowsTheRest) {
    std::vector<std::string> tokens;
    for (int i = 0; i < 5; ++i) {
        tokens.push_back(sign_grant(identity_, officer()));
        ASSERT_TRUE(checker_.check(tokens.back()));
    }
    EXPECT_EQ(checker_.remembered(), 3u);
    for (const auto& token : tokens) EXPECT_TRUE(checker_.check(token));
    EXPECT_EQ(checker_.remembered(), 3u);
    EXPECT_EQ(*checker_.check(tokens[4]), *checker_.check(tokens[4])) << "the same object";
}

TEST_F(GrantCheckerTest, AForgedGrantIsNotRemembered) {
    grant_.role = registry::Role::kDpo;
    EXPECT_EQ(code(), kDenied);
    const auto forger = crypto::SigningKey::from_seed(Bytes(32, 8));
    EXPECT_EQ(checker_.check(sign_grant(forger, officer())).error().code,
              ErrorCode::kUnauthenticated);
    EXPECT_EQ(checker_.remembered(), 0u);
}

TEST_F(GrantCheckerTest, ApprovalNeedsTwoDifferentPeople) {
    const auto approved = [&](std::vector<ActorId> approvers, const char* purpose) {
        grant_ = officer();
        grant_.role = registry::Role::kDpo;
        grant_.purpose = purpose;
        grant_.reason = std::string(purpose) == "notify" ? "breach" : "access_request";
        grant_.approvers = std::move(approvers);
        grant_.list = std::string(purpose) == "notify" ? Bytes(32, 1) : Bytes();
        auto checked = checker_.check(sign_grant(identity_, grant_));
        EXPECT_TRUE(checked) << checked.error().message;
        return require_approval(**checked).has_value();
    };
    const auto a = ActorId::random(random_), b = ActorId::random(random_);
    EXPECT_TRUE(approved({a, b}, "notify"));
    EXPECT_FALSE(approved({a}, "notify"));
    EXPECT_FALSE(approved({}, "notify"));
    EXPECT_FALSE(approved({a, ActorId{}}, "notify")) << "nobody is not somebody";
    EXPECT_FALSE(approved({a, b}, "hand_over_data")) << "no bulk purpose";
    grant_.list = Bytes(32, 1);
    EXPECT_EQ(code(), kDenied) << "a list for one person's purpose";
    ASSERT_TRUE(approved({a, b}, "notify"));
    grant_.list.clear();
    const auto listless = checker_.check(sign_grant(identity_, grant_));
    ASSERT_TRUE(listless);
    EXPECT_FALSE(require_approval(**listless)) << "two people approved, but what?";
    grant_.approvers = {a, a};
    EXPECT_EQ(code(), ErrorCode::kUnauthenticated) << "the same twice is malformed";
}

}  // namespace
}  // namespace cloison::keeper
